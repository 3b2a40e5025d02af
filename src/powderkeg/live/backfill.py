"""The past of each market, asked for over REST while its sockets already stream."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, MINUTE
from powderkeg.frames import BackfillDone
from powderkeg.live.inbox import Inbox
from powderkeg.live.network.rest import RequestRejected, Rest
from powderkeg.live.network.semaphore import Gate
from powderkeg.live.supervise import Supervisor
from powderkeg.live.timekeeping.clock import now
from powderkeg.venues.base import Poll

DAYS: Final = 30
TOGETHER: Final = 4
"""Requests to one venue at a time."""


class Wanted(Struct, frozen=True):
    """One market whose past is asked for."""

    coin: str
    market: str
    symbol: str
    venue: str
    since: int
    """µs from which it is not known yet."""


class Asked(Struct):
    """How far the answers about one market have come."""

    asked: int = 0
    """Requests in all; 0 while the venue has not said what it trades."""
    answered: int = 0
    failed: str = ""
    """Why the past is not known, or not all of it."""
    complete: bool = False
    """Whether nothing more is asked."""


class Backfill:
    """Asks for the past of all markets, side by side within each venue's limits."""

    def __init__(
        self, wanted: list[Wanted], rests: dict[str, Rest], known: dict[str, asyncio.Event],
        inbox: Inbox, supervisor: Supervisor,
    ) -> None:  # fmt: skip
        """Ask for `wanted`.

        Args:
            wanted: The markets; the coins named first are asked for first.
            rests: How to ask each venue.
            known: Set once a venue has told its instruments, without which sizes mean nothing.
            inbox: Where the answers go, and the word that they are complete.
            supervisor: Begins again with a market where an error ends it.
        """
        self._known = known
        self._wanted = wanted
        self._rests = rests
        self._inbox = inbox
        self._supervisor = supervisor
        self._answered: dict[str, set[Poll]] = {each.market: set() for each in wanted}
        """What was answered already is not asked again after an error."""
        self._gates = {name: Gate(TOGETHER) for name in rests}
        coins = list(dict.fromkeys(each.coin for each in wanted))
        self._ranks = {coin: rank for rank, coin in enumerate(coins)}
        self._silent: set[str] = set()
        """Venues that do not answer at all: asking for another page would only take time."""
        self.asked = {each.market: Asked() for each in wanted}
        """By market."""

    async def run(self) -> None:
        """Ask for everything; each market is joined as soon as its own answers are complete."""
        until = now() // MINUTE * MINUTE
        async with asyncio.TaskGroup() as group:
            for wanted in self._wanted:
                work = partial(self._market, wanted, until)
                group.create_task(self._supervisor.keep(wanted.venue, work))

    async def _market(self, wanted: Wanted, until: int) -> None:
        """Ask for one market's past, last for its latest trades, and join it."""
        await self._known[wanted.venue].wait()
        venue = self._rests[wanted.venue].venue
        since = max(wanted.since // MINUTE * MINUTE, until - DAYS * DAY)
        polls, recent = venue.past(wanted.symbol, since, until), venue.recent(wanted.symbol)
        asked = self.asked[wanted.market]
        asked.asked = len(polls) + len(recent)
        for part in (polls, recent):
            await asyncio.gather(*(self._ask(wanted, asked, poll) for poll in part))
        asked.complete = True
        self._inbox.put_control(BackfillDone(now(), wanted.market, until, in_background=True))

    async def _ask(self, wanted: Wanted, asked: Asked, poll: Poll) -> None:
        async with self._gates[wanted.venue].through(self._ranks[wanted.coin]):
            if poll in self._answered[wanted.market]:
                return
            if wanted.venue in self._silent:
                asked.failed = asked.failed or f"{wanted.venue} does not answer"
                return
            try:
                await self._rests[wanted.venue].fetch(poll)
            except RequestRejected as why:
                asked.failed = str(why)
                if not why.answered:
                    self._silent.add(wanted.venue)
                return
        self._answered[wanted.market].add(poll)
        asked.answered += 1
