"""The past of each market, asked for over REST while its sockets already stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, MINUTE
from powderkeg.frames import Join
from powderkeg.live.clock import now
from powderkeg.live.inbox import Inbox
from powderkeg.live.rest import Refused, Rest
from powderkeg.venues.base import Poll

DAYS: Final = 30
TOGETHER: Final = 4
"""Requests to one venue at a time."""
PATIENCE: Final = 30.0
"""Seconds after which the maps are shown without the pasts that are still missing."""


class Wanted(Struct, frozen=True):
    """One market whose past is asked for."""

    coin: str
    market: str
    symbol: str
    venue: str
    since: int
    """µs from which it is not known yet."""


class Backfill:
    """Asks for the past of all markets, side by side within each venue's limits."""

    def __init__(
        self, wanted: list[Wanted], rests: dict[str, Rest], known: dict[str, asyncio.Event],
        inbox: Inbox, progress: Callable[[str], None],
    ) -> None:  # fmt: skip
        """Ask for `wanted`.

        Args:
            wanted: The markets.
            rests: How to ask each venue.
            known: Set once a venue has told its instruments, without which sizes mean nothing.
            inbox: Where the answers go, and the word that they are complete.
            progress: Told in words how far it is.
        """
        self._known = known
        self._wanted = wanted
        self._rests = rests
        self._inbox = inbox
        self._progress = progress
        self._gates = {name: asyncio.Semaphore(TOGETHER) for name in rests}
        self._asked = 0
        self._answered = 0
        self._late = False
        self._silent: set[str] = set()
        """Venues that do not answer at all: asking for another page would only take time."""
        self.failed: dict[str, str] = {}
        """Why the past of a market is not known, or not all of it."""

    async def run(self) -> None:
        """Ask for everything; each market is joined as soon as its own answers are complete."""
        until = now() // MINUTE * MINUTE
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._market(wanted, until)) for wanted in self._wanted]
            await asyncio.wait(tasks, timeout=PATIENCE)
            self._late = True
            self._progress("")

    async def _market(self, wanted: Wanted, until: int) -> None:
        """Ask for one market's past, last for its latest trades, and join it."""
        await self._known[wanted.venue].wait()
        venue = self._rests[wanted.venue].venue
        since = max(wanted.since // MINUTE * MINUTE, until - DAYS * DAY)
        polls = venue.past(wanted.symbol, since, until)
        self._asked += len(polls) + 1
        await asyncio.gather(*(self._ask(wanted, poll) for poll in polls))
        await asyncio.gather(*(self._ask(wanted, poll) for poll in venue.recent(wanted.symbol)))
        self._inbox.say(Join(now(), wanted.market, until))

    async def _ask(self, wanted: Wanted, poll: Poll) -> None:
        async with self._gates[wanted.venue]:
            if wanted.venue in self._silent:
                return
            try:
                await self._rests[wanted.venue].fetch(poll)
            except Refused as why:
                self.failed[wanted.market] = str(why)
                if not why.answered:
                    self._silent.add(wanted.venue)
        self._answered += 1
        if not self._late:
            self._progress(
                f"fetching {DAYS} days of history: {self._answered} of {self._asked} answers"
            )
