"""REST client of one venue, within its rate limits; answers become frames."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from types import TracebackType
from typing import Final, Self

import aiohttp

from powderkeg.errors import WireError
from powderkeg.events import SECOND
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.live.network import bounded, headers
from powderkeg.live.network.backoff import Backoff
from powderkeg.live.network.endpoints import resolve
from powderkeg.live.timekeeping.clock import Offset, now, steady
from powderkeg.venues import VenueReader
from powderkeg.venues.base import Limits, Poll

SHARE: Final = 0.9
"""Share of a venue's limit that we use."""
TIMEOUT: Final = 15.0
TRIES: Final = 5
BANNED: Final = 120.0
"""Seconds to pause after HTTP 418 or 429 without ``Retry-After``."""
FORBIDDEN: Final = (403, 451)
ELSEWHERE: Final = "set another host or proxy"
AGAIN: Final = 60.0
"""Seconds until a refused request is repeated; the refusal may be temporary."""


class Budget:
    """Request weight used in the sliding window, by monotonic time: clock changes free nothing."""

    def __init__(self, limits: Limits) -> None:
        """Start with nothing used."""
        self.limits = limits
        self.until = 0
        """Monotonic µs before which no request may be sent."""
        self._used: deque[tuple[int, int]] = deque()
        self._turn = asyncio.Lock()

    def wait(self, weight: int, at: int) -> float:
        """Return seconds until `weight` is available."""
        if at < self.until:
            return (self.until - at) / SECOND
        while self._used and self._used[0][0] <= at - self.limits.window:
            self._used.popleft()
        over = sum(w for _, w in self._used) + weight - SHARE * self.limits.weight
        if over <= 0 or not self._used:
            return 0.0
        for when, spent in self._used:
            over -= spent
            if over <= 0:
                return (when + self.limits.window - at) / SECOND
        return self.limits.window / SECOND

    async def spend(self, weight: int) -> None:
        """Wait until `weight` is available, and use it; first come first served."""
        async with self._turn:
            while (wait := self.wait(weight, steady())) > 0:  # noqa: ASYNC110  only time helps
                await asyncio.sleep(wait)
            self._used.append((steady(), weight))

    def used(self, at: int) -> int:
        """Return the weight used in the sliding window."""
        return sum(weight for when, weight in self._used if when > at - self.limits.window)

    def sync_usage(self, used: str, at: int) -> None:
        """Adopt the usage the venue reports, which includes other programs."""
        theirs = headers.number(used, self.limits.weight)
        if theirs is not None and theirs > self.used(at):
            self._used.append((at, math.ceil(theirs) - self.used(at)))

    def stop(self, seconds: float, at: int) -> None:
        """Send no requests for so long."""
        self.until = max(self.until, at + round(seconds * SECOND))


class RequestRejected(Exception):  # noqa: N818  a fact, not an error of ours
    """The venue does not answer this request; retrying at once is no use."""

    def __init__(self, why: str, *, answered: bool) -> None:
        super().__init__(why)
        self.answered = answered
        """False if there was no response at all."""


class Rest:
    """REST client of one venue."""

    def __init__(
        self, venue: VenueReader, inbox: Inbox, health: Health, hosts: dict[str, str]
    ) -> None:
        """Send requests to `venue`; answers go to `inbox`."""
        self.venue = venue
        self._budgets: dict[str, Budget] = {}
        self._until = 0
        """Monotonic µs before which no request may be sent, whatever the budget."""
        self._inbox = inbox
        self._health = health
        self._hosts = hosts
        self._session: aiohttp.ClientSession | None = None
        self.opened = asyncio.Event()
        """Set once requests can be made."""
        self.tries: dict[str, int] = {}
        """Failed attempts of each channel since its last answer."""

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = bounded.session(TIMEOUT)
        self.opened.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, why: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    def budget(self, bucket: str = "") -> Budget:
        """Return the budget of one bucket; the default one is shared by all other requests."""
        if bucket not in self._budgets:
            self._budgets[bucket] = Budget(self.venue.limits)
            self._budgets[bucket].until = self._until
        return self._budgets[bucket]

    def used(self) -> int:
        """Return the weight used in the sliding window, of the busiest budget."""
        return max((budget.used(steady()) for budget in self._budgets.values()), default=0)

    def _stop(self, seconds: float) -> None:
        """Send the venue no requests for so long."""
        for budget in self._budgets.values():
            budget.stop(seconds, steady())
            self._until = max(self._until, budget.until)

    async def fetch(self, poll: Poll) -> None:
        """Send a request, retrying where that may help, and put the answer in the inbox.

        Raises:
            RequestRejected: The venue does not answer; `Health` has the reason too.
        """
        backoff = Backoff()
        status, body = 0, b""
        for left in range(TRIES, 0, -1):
            budget = self.budget(poll.bucket)
            await budget.spend(poll.weight)
            try:
                status, body, wait = await self._ask(poll)
            except (aiohttp.ClientError, TimeoutError, OSError) as why:
                status, body, wait = 0, (str(why) or type(why).__name__).encode(), 0.0
            except bounded.InvalidResponse as why:
                raise self._reject(poll, why) from why
            if status == 200:
                self._answered(poll)
                self._inbox.put(self.venue.name, body, poll.channel)
                self._health.answered(poll.channels, now())
                return
            self._record_failure(poll, status, body)
            self.tries[poll.channel] = self.tries.get(poll.channel, 0) + 1
            if status in (418, 429):
                self._stop(wait or BANNED)
            elif 300 <= status < 500:  # redirects are not followed: see `_record_failure`
                break
            elif left > 1:
                await asyncio.sleep(backoff.next())
        words = f"{self.venue.name}: {poll.channel}: HTTP {status}: {body[:200]!r}"
        raise RequestRejected(words, answered=status > 0)

    async def _ask(self, poll: Poll) -> tuple[int, bytes, float]:
        """Return status, body and the seconds the venue asks us to wait."""
        if self._session is None:
            raise RuntimeError("expected `async with` around the requests")
        url = resolve(poll.url, self.venue.name, self._hosts)
        method = "POST" if poll.body else "GET"
        kind = {"content-type": "application/json"} if poll.body else None
        sent = now()
        async with self._session.request(
            method, url, data=poll.body or None, headers=kind, allow_redirects=False
        ) as answer:
            body = await bounded.read(answer)
            got = now()
            header = self.venue.limits.header
            if header:
                self.budget(poll.bucket).sync_usage(answer.headers.get(header, ""), steady())
            if poll.channel == "clock" and answer.status == 200:
                self._offset(body, sent, got)
            wait = headers.wait(answer.headers.get("Retry-After", ""), got)
            return answer.status, body, wait or 0.0

    def _offset(self, body: bytes, sent: int, got: int) -> None:
        """Compare our clock with theirs."""
        try:
            self.venue.read(body, got, "clock")
        except WireError:
            return  # counted when the feed reads the same answer
        if self.venue.state.server_time:
            offset = self._health.offsets.setdefault(self.venue.name, Offset())
            offset.add_answer(sent, self.venue.state.server_time, got)

    def _answered(self, poll: Poll) -> None:
        """Clear the problem of a request that is answered again."""
        self.tries.pop(poll.channel, None)
        problem = self._health.problems.get(self.venue.name, "")
        if problem.startswith(f"{poll.channel}: ") or problem.endswith(ELSEWHERE):
            del self._health.problems[self.venue.name]

    def _reject(self, poll: Poll, why: bounded.InvalidResponse) -> RequestRejected:
        """Count and report an answer that was not read; a retry would bring the same."""
        name = self.venue.name
        self._health.counts[name, "unfit answers"] += 1
        self._health.problems[name] = f"{poll.channel}: {why}"
        return RequestRejected(f"{name}: {poll.channel}: {why}", answered=True)

    def _record_failure(self, poll: Poll, status: int, body: bytes) -> None:
        """Count a failure, and report what can be done about it."""
        name = self.venue.name
        self._health.counts[name, f"HTTP {status}" if status else "failed requests"] += 1
        if status in FORBIDDEN:
            self._health.problems[name] = f"HTTP {status}: not served at this location: {ELSEWHERE}"
        elif 300 <= status < 400:
            self._health.problems[name] = (
                f"{poll.channel}: HTTP {status}: sent to another address, which is not followed: "
                f"{ELSEWHERE}"
            )
        elif status not in (418, 429):
            words = body[:120].decode(errors="replace")
            answer = f"HTTP {status}: {words}" if status else f"no answer: {words}"
            self._health.problems[name] = f"{poll.channel}: {answer}"

    async def repeat(self, poll: Poll) -> None:
        """Poll until cancelled."""
        self._health.expect(poll.channels)
        while True:
            try:
                await self.fetch(poll)
            except RequestRejected as why:
                await asyncio.sleep(AGAIN if why.answered else poll.every / SECOND)
                continue
            await asyncio.sleep(poll.every / SECOND)
