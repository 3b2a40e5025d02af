"""Now, and how far each venue's clock is from ours."""

from __future__ import annotations

import time
from collections import deque
from statistics import median

from powderkeg.events import MINUTE, SECOND

SKEW = 250_000
"""µs between the clocks from which the difference is told."""


def now() -> int:
    """Return now, µs UTC."""
    return time.time_ns() // 1000


class Offset:
    """One venue's clock against ours. Positive: theirs is ahead."""

    __slots__ = ("_asked", "_fastest", "_least")

    def __init__(self) -> None:
        self._asked: deque[int] = deque(maxlen=9)
        self._fastest: deque[tuple[int, int]] = deque(maxlen=60)
        self._least = 0

    def asked(self, sent: int, told: int, got: int) -> None:
        """Take an answer about their time, with when we asked and when we heard, µs."""
        self._asked.append(told - (sent + got) // 2)

    def heard(self, at: int, seen: int) -> None:
        """Take the two times of an event; the fastest of each second counts."""
        second = seen // SECOND
        if self._fastest and self._fastest[-1][0] == second:
            before = self._fastest[-1][1]
            if seen - at >= before:
                return
            self._fastest.pop()
        self._fastest.append((second, seen - at))

    @property
    def skew(self) -> int | None:
        """Their clock less ours, µs: the median answer; None before the first."""
        return round(median(self._asked)) if self._asked else None

    def delay(self, seen: int) -> int | None:
        """Return the least time from an event to us in the last minute, µs; skew is in it."""
        recent = [d for second, d in self._fastest if second * SECOND > seen - MINUTE]
        return min(recent) if recent else None
