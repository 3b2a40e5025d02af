"""Plays the backfill of joining markets in a thread, one after another, by priority."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from powderkeg.feed.joining import Joining
from powderkeg.frames import MarketReady
from powderkeg.live.inbox import Inbox
from powderkeg.live.timekeeping.clock import now


class Player:
    """Plays joining markets. The kernels release the GIL, so the loop keeps running."""

    def __init__(self, inbox: Inbox, order: Sequence[str]) -> None:
        """Start with an empty queue.

        Args:
            inbox: Receives `MarketReady`.
            order: Markets, most important first.
        """
        self._inbox = inbox
        self._ranks = {market: rank for rank, market in enumerate(order)}
        self._queue: list[Joining] = []
        self._more = asyncio.Event()
        self.market = ""
        """Market being played; empty while idle."""

    def add(self, joining: Joining) -> None:
        """Queue a market's backfill."""
        self._queue.append(joining)
        self._queue.sort(key=lambda each: self._ranks.get(each.market, len(self._ranks)))
        self._more.set()

    async def run(self) -> None:
        """Play until cancelled."""
        while True:
            await self._more.wait()
            joining = self._queue.pop(0)
            if not self._queue:
                self._more.clear()
            self.market = joining.market
            try:
                await asyncio.to_thread(joining.play)
            except Exception:
                self.add(joining)  # continued when the player is restarted
                raise
            finally:
                self.market = ""
            self._inbox.put_control(MarketReady(now(), joining.market))
