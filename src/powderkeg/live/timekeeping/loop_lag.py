"""How late the loop is: whoever holds it up, everything behind it waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

EVERY: Final = 0.02
"""Seconds between two beats."""
WINDOW: Final = 60.0
"""Seconds over which the recent lag is the greatest."""


class Pulse:
    """Wakes fifty times a second and notes how late it was woken."""

    def __init__(self) -> None:
        """Know of no lag yet."""
        self.worst = 0.0
        """Greatest lag since the start, s."""
        self._recent: deque[tuple[float, float]] = deque()

    @property
    def recent(self) -> float:
        """Greatest lag of the last minute, s."""
        return max((lag for _, lag in self._recent), default=0.0)

    async def run(self) -> None:
        """Beat until cancelled."""
        due = time.monotonic() + EVERY
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            at = time.monotonic()
            self._note(at, max(0.0, at - due))
            due = at + EVERY

    def _note(self, at: float, lag: float) -> None:
        """Keep a lag, and only those of the last minute that no later one exceeds."""
        self.worst = max(self.worst, lag)
        while self._recent and self._recent[-1][1] <= lag:
            self._recent.pop()
        while self._recent and self._recent[0][0] < at - WINDOW:
            self._recent.popleft()
        self._recent.append((at, lag))
