"""Lag of the event loop: whatever blocks it delays everything else."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

EVERY: Final = 0.02
"""Seconds between two wake-ups."""
WINDOW: Final = 60.0
"""Seconds over which the greatest lag is reported."""


class LoopLagMonitor:
    """Wakes fifty times a second and records how late it was woken."""

    def __init__(self) -> None:
        """Start without readings."""
        self.worst = 0.0
        """Greatest lag since the start, s."""
        self._recent: deque[tuple[float, float]] = deque()

    @property
    def recent(self) -> float:
        """Greatest lag of the last minute, s."""
        return max((lag for _, lag in self._recent), default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        due = time.monotonic() + EVERY
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            at = time.monotonic()
            self._record(at, max(0.0, at - due))
            due = at + EVERY

    def _record(self, at: float, lag: float) -> None:
        """Add a lag; keep only those of the last minute that no later one exceeds."""
        self.worst = max(self.worst, lag)
        while self._recent and self._recent[-1][1] <= lag:
            self._recent.pop()
        while self._recent and self._recent[0][0] < at - WINDOW:
            self._recent.popleft()
        self._recent.append((at, lag))
