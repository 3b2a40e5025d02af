"""A semaphore whose waiters have a rank: what is in sight first is asked for first."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Gate:
    """Lets so many through at a time, lower ranks first, equal ones in the order they came."""

    def __init__(self, places: int) -> None:
        """Open `places` places."""
        self._free = places
        self._count = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def through(self, rank: int) -> AsyncGenerator[None]:
        """Wait for a place, and hold it."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(rank)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, rank: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (rank, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given, and is not used
                self._leave()
            raise

    def _leave(self) -> None:
        """Give the place to the first who still waits, or keep it free."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
