"""Pasts are played by a thread beside the loop, one after another, what is in sight first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from powderkeg.feed.joining import Joining
from powderkeg.frames import MarketReady
from powderkeg.live.inbox import Inbox
from powderkeg.live.timekeeping.clock import now


class Player:
    """Plays what joins. Its kernels let go of the interpreter, so the loop goes on meanwhile."""

    def __init__(self, inbox: Inbox, order: Sequence[str]) -> None:
        """Play nothing yet.

        Args:
            inbox: Where `MarketReady` is said.
            order: Markets as they are wanted, first ones first.
        """
        self._inbox = inbox
        self._ranks = {market: rank for rank, market in enumerate(order)}
        self._due: list[Joining] = []
        self._more = asyncio.Event()
        self.market = ""
        """What is being played; empty while nothing is."""

    def add(self, joining: Joining) -> None:
        """Play this market's past when its turn comes."""
        self._due.append(joining)
        self._due.sort(key=lambda each: self._ranks.get(each.market, len(self._ranks)))
        self._more.set()

    async def run(self) -> None:
        """Play until cancelled."""
        while True:
            await self._more.wait()
            joining = self._due.pop(0)
            if not self._due:
                self._more.clear()
            self.market = joining.market
            try:
                await asyncio.to_thread(joining.play)
            except Exception:
                self.add(joining)  # to be gone on with when the player is begun again
                raise
            finally:
                self.market = ""
            self._inbox.put_control(MarketReady(now(), joining.market))
