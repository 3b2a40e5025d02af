"""Our clock, and the offset of each venue's clock.

Our time is monotonic time plus an anchor. System time only sets the anchor at the start: a jump of
it has no effect before the venues have confirmed it; see `discipline`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final

from powderkeg.events import MINUTE, SECOND

SKEW = 250_000
"""µs of difference between two clocks from which it is reported."""
FRESH: Final = 10 * SECOND
"""µs for which an event counts as a reading of a venue's clock."""
ASKED: Final = 150 * SECOND
"""µs for which a server time counts; it is requested every minute."""


def _system() -> int:
    return time.time_ns() // 1000


def _steady() -> int:
    return time.monotonic_ns() // 1000


class Clock:
    """Clock that runs evenly whatever happens to system time."""

    def __init__(
        self, system: Callable[[], int] = _system, steady: Callable[[], int] = _steady
    ) -> None:
        """Set the anchor to system time.

        Args:
            system: Returns system time, µs UTC.
            steady: Returns monotonic time, µs.
        """
        self.system = system
        self.steady = steady
        self._anchor = system() - steady()
        self._followed: Callable[[], int] | None = None

    def now(self) -> int:
        """Return now, µs UTC."""
        return self.steady() + self._anchor if self._followed is None else self._followed()

    def drift(self) -> int:
        """Return system time less ours, µs."""
        return self.system() - self.now()

    def follow(self, time_of: Callable[[], int]) -> None:
        """Take the time from a function: that of a simulated market which does not run evenly.

        Waits and rate limits stay those of the machine.

        Args:
            time_of: Returns the time, µs UTC; never less than before.
        """
        self.system = self._followed = time_of

    def move(self, by: int) -> None:
        """Move the anchor, µs."""
        self._anchor += by


CLOCK = Clock()
"""The clock of this process."""


def now() -> int:
    """Return now, µs UTC."""
    return CLOCK.now()


def steady() -> int:
    """Return monotonic time, µs: for waits and rate limits."""
    return CLOCK.steady()


class Offset:
    """One venue's clock against ours. Positive: theirs is ahead."""

    __slots__ = ("_answered", "_answers", "_fastest")

    def __init__(self) -> None:
        self._answers: deque[int] = deque(maxlen=9)
        self._answered = 0
        self._fastest: deque[tuple[int, int]] = deque(maxlen=60)

    def add_answer(self, sent: int, server_time: int, received: int) -> None:
        """Add a server time with the times of request and answer, µs."""
        self._answers.append(server_time - (sent + received) // 2)
        self._answered = received

    def add_event(self, event_time: int, received_time: int) -> None:
        """Add the two times of an event, µs; the lowest delay of each second counts."""
        second, delay = received_time // SECOND, received_time - event_time
        if self._fastest and self._fastest[-1][0] == second:
            before = self._fastest[-1][1]
            if delay >= before:
                return
            self._fastest.pop()
        self._fastest.append((second, delay))

    @property
    def skew(self) -> int | None:
        """Their clock less ours, µs: the median answer; None before the first."""
        return round(median(self._answers)) if self._answers else None

    def delay(self, at: int, within: int = MINUTE) -> int | None:
        """Return the lowest recent delay from an event to us, µs; it includes the skew."""
        recent = [d for second, d in self._fastest if second * SECOND > at - within]
        return min(recent) if recent else None

    def ahead(self, at: int) -> int | None:
        """Return their clock less ours by recent answers and events, µs; None without any.

        An event is received after it happened, so the greater reading is the closer one.
        """
        delay, skew = self.delay(at, FRESH), self.skew
        readings = [] if delay is None else [-delay]
        if skew is not None and at - self._answered < ASKED:
            readings.append(skew)
        return max(readings, default=None)
