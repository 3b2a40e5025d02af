"""Now, and how far each venue's clock is from ours.

Now is monotonic time from an anchor. System time only says where the anchor was dropped: a jump of
it moves nothing before the venues have confirmed it; see `discipline`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final

from powderkeg.events import MINUTE, SECOND

SKEW = 250_000
"""µs between the clocks from which the difference is told."""
FRESH: Final = 10 * SECOND
"""µs for which an event counts as a word about a venue's time."""
ASKED: Final = 150 * SECOND
"""µs for which an answer about a venue's time counts; it is asked for every minute."""


def _system() -> int:
    return time.time_ns() // 1000


def _steady() -> int:
    return time.monotonic_ns() // 1000


class Clock:
    """Time that runs on evenly whatever becomes of the system's."""

    def __init__(
        self, system: Callable[[], int] = _system, steady: Callable[[], int] = _steady
    ) -> None:
        """Drop the anchor at system time.

        Args:
            system: Gives the time of the system, µs UTC.
            steady: Gives time that never jumps, µs since whenever.
        """
        self.system = system
        self.steady = steady
        self._anchor = system() - steady()

    def now(self) -> int:
        """Return now, µs UTC."""
        return self.steady() + self._anchor

    def drift(self) -> int:
        """Return system time less ours, µs."""
        return self.system() - self.now()

    def move(self, by: int) -> None:
        """Move the anchor, µs."""
        self._anchor += by


CLOCK = Clock()
"""The clock of this process."""


def now() -> int:
    """Return now, µs UTC."""
    return CLOCK.now()


def steady() -> int:
    """Return time that never jumps, µs since whenever: for waits and for what is used up."""
    return CLOCK.steady()


class Offset:
    """One venue's clock against ours. Positive: theirs is ahead."""

    __slots__ = ("_asked", "_fastest", "_got")

    def __init__(self) -> None:
        self._asked: deque[int] = deque(maxlen=9)
        self._got = 0
        self._fastest: deque[tuple[int, int]] = deque(maxlen=60)

    def asked(self, sent: int, told: int, got: int) -> None:
        """Take an answer about their time, with when we asked and when we heard, µs."""
        self._asked.append(told - (sent + got) // 2)
        self._got = got

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

    def delay(self, seen: int, within: int = MINUTE) -> int | None:
        """Return the least time from an event to us of late, µs; skew is in it."""
        recent = [d for second, d in self._fastest if second * SECOND > seen - within]
        return min(recent) if recent else None

    def ahead(self, at: int) -> int | None:
        """Return their clock less ours as answers and events of late have it, µs.

        An event is told after it happened, never before, so the greater of the two is the nearer.
        """
        delay, skew = self.delay(at, FRESH), self.skew
        told = [] if delay is None else [-delay]
        if skew is not None and at - self._got < ASKED:
            told.append(skew)
        return max(told, default=None)
