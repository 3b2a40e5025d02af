"""The time of a scenario: it begins in the past, runs fast until it reaches now, and is now then.

So nothing is ever stamped ahead of the machine's clock. Monotonic time is the same in all processes
of a machine: whoever knows the three numbers of a pace knows the time.
"""

from __future__ import annotations

import time

from msgspec import Struct


class Pace(Struct, frozen=True, array_like=True):
    """How the time of a scenario runs."""

    begin: int
    """Time at `origin`, µs UTC; not after the machine's clock then."""
    origin: int
    """Monotonic time, µs."""
    speed: float
    """At least 1."""
    calm: int = 0
    """µs from `origin` in which time runs as it does."""

    @classmethod
    def ending_now(cls, span: int, speed: float, step: int, calm: int = 0) -> Pace:
        """Return a pace that begins `span` µs ago, at a multiple of `step`."""
        return cls((_system() - span) // step * step, time.monotonic_ns() // 1000, speed, calm)

    def __call__(self) -> int:
        """Return the time, µs UTC."""
        passed = time.monotonic_ns() // 1000 - self.origin
        fast = max(0, passed - self.calm)
        return min(self.begin + passed + round(fast * (self.speed - 1)), _system())


def _system() -> int:
    return time.time_ns() // 1000
