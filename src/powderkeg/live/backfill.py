"""Backfill of each market over REST, while its sockets already stream."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, MINUTE
from powderkeg.frames import BackfillDone
from powderkeg.live.inbox import Inbox
from powderkeg.live.network.rest import RequestRejected, Rest
from powderkeg.live.network.semaphore import PrioritySemaphore
from powderkeg.live.supervise import Supervisor
from powderkeg.live.timekeeping.clock import now
from powderkeg.venues.base import Poll

DAYS: Final = 30
TOGETHER: Final = 4
"""Requests to one venue at a time."""


class BackfillRequest(Struct, frozen=True):
    """One market to backfill."""

    coin: str
    market: str
    symbol: str
    venue: str
    since: int
    """µs from which data is missing."""


class BackfillProgress(Struct):
    """Progress of the backfill of one market."""

    requests: int = 0
    """Total number of requests; 0 until the venue's instruments are known."""
    answered: int = 0
    failed: str = ""
    """Why the backfill failed, wholly or in part."""
    complete: bool = False
    """Whether no more requests follow."""


class Backfill:
    """Backfills all markets concurrently, within each venue's rate limits."""

    def __init__(
        self, wanted: list[BackfillRequest], rests: dict[str, Rest],
        known: dict[str, asyncio.Event], inbox: Inbox, supervisor: Supervisor,
    ) -> None:  # fmt: skip
        """Prepare the backfill of `wanted`.

        Args:
            wanted: The markets; coins named first are requested first.
            rests: REST client of each venue.
            known: Set once a venue's instruments are known; without them sizes mean nothing.
            inbox: Receives the answers, then `BackfillDone`.
            supervisor: Restarts the backfill of a market after an error.
        """
        self._known = known
        self._wanted = wanted
        self._rests = rests
        self._inbox = inbox
        self._supervisor = supervisor
        self._answered: dict[str, set[Poll]] = {each.market: set() for each in wanted}
        """Not requested again after an error."""
        self._gates = {name: PrioritySemaphore(TOGETHER) for name in rests}
        coins = list(dict.fromkeys(each.coin for each in wanted))
        self._ranks = {coin: rank for rank, coin in enumerate(coins)}
        self._silent: set[str] = set()
        """Venues that do not answer at all: further requests would only take time."""
        self.progress = {each.market: BackfillProgress() for each in wanted}
        """Progress by market."""

    async def run(self) -> None:
        """Backfill every market; each joins its desk as soon as its own answers are complete."""
        until = now() // MINUTE * MINUTE
        async with asyncio.TaskGroup() as group:
            for wanted in self._wanted:
                work = partial(self._market, wanted, until)
                group.create_task(self._supervisor.run(wanted.venue, work))

    async def _market(self, wanted: BackfillRequest, until: int) -> None:
        """Request one market's history, its latest trades last, and report it complete."""
        await self._known[wanted.venue].wait()
        venue = self._rests[wanted.venue].venue
        since = max(wanted.since // MINUTE * MINUTE, until - DAYS * DAY)
        polls, recent = venue.past(wanted.symbol, since, until), venue.recent(wanted.symbol)
        progress = self.progress[wanted.market]
        progress.requests = len(polls) + len(recent)
        for part in (polls, recent):
            await asyncio.gather(*(self._ask(wanted, progress, poll) for poll in part))
        progress.complete = True
        self._inbox.put_control(BackfillDone(now(), wanted.market, until, in_background=True))

    async def _ask(self, wanted: BackfillRequest, progress: BackfillProgress, poll: Poll) -> None:
        async with self._gates[wanted.venue].slot(self._ranks[wanted.coin]):
            if poll in self._answered[wanted.market]:
                return
            if wanted.venue in self._silent:
                progress.failed = progress.failed or f"{wanted.venue} does not answer"
                return
            try:
                await self._rests[wanted.venue].fetch(poll)
            except RequestRejected as why:
                progress.failed = str(why)
                if not why.answered:
                    self._silent.add(wanted.venue)
                return
        self._answered[wanted.market].add(poll)
        progress.answered += 1
