"""A jump guard: a reading far off is held until a second one confirms it."""

from __future__ import annotations

from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["take", "hold", "both", "drop"]
"""take: accept it. hold: wait. both: accept the held one, then this. drop: accept this, drop the
held one (it is counted)."""


class Guard:
    """The last accepted value and at most one held one.

    A reading is off when it differs from the last accepted one by `limit` or more, as a fraction.
    The first reading off is held; a second one off *to the same side* confirms that the level has
    moved, and takes the held one along if the two agree. A reading that is not off clears it.
    An accepted value older than `memory` µs is no reference, so the next reading is taken.
    """

    __slots__ = ("at", "dropped", "held", "held_at", "limit", "memory", "value")

    def __init__(self, limit: float, memory: int) -> None:
        self.limit = limit
        self.memory = memory
        self.value = 0.0
        """Last accepted value, 0 before the first."""
        self.at = 0
        self.held: float | None = None
        self.held_at = 0
        self.dropped = 0
        """Held values that were not confirmed."""

    def is_off(self, value: float, reference: float) -> bool:
        """Return whether `value` is `limit` or more from `reference`."""
        gap = abs(value - reference)
        return gap > 0 and gap >= self.limit * reference

    def check(self, value: float, at: int) -> Verdict:
        """Return what to do with a reading, and store it."""
        verdict: Verdict = "take"
        known = self.value > 0 and at - self.at <= self.memory
        if known and self.is_off(value, self.value):
            if self.held is None or (value > self.value) != (self.held > self.value):
                self.dropped += self.held is not None
                self.held, self.held_at = value, at
                return "hold"
            verdict = "drop" if self.is_off(value, self.held) else "both"
        elif self.held is not None:
            verdict = "drop"
        self.dropped += verdict == "drop"
        self.held, self.held_at = None, 0
        self.value, self.at = value, at
        return verdict

    def take(self, value: float, at: int) -> None:
        """Accept a reading that was checked in bulk; nothing may be held."""
        self.value, self.at = value, at

    def state(self) -> tuple[float, int, float | None, int, int]:
        """Return all state that affects the next verdict."""
        return (self.value, self.at, self.held, self.held_at, self.dropped)
