"""Exponential backoff with jitter."""

from __future__ import annotations

import random

FIRST, MOST = 0.25, 30.0
"""Seconds."""
CALM = 60.0
"""Seconds a link must stay up before the backoff is reset."""


class Backoff:
    """Waits that double from a quarter of a second to half a minute, with random jitter.

    The jitter keeps a thousand programs that were disconnected at once from returning at once.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        """Start with the shortest wait."""
        self._rng = rng or random.Random()  # noqa: S311  jitter, not cryptography
        self._wait = FIRST

    def next(self) -> float:
        """Return seconds to wait now: between half and all of the current step."""
        wait = self._wait * self._rng.uniform(0.5, 1.0)
        self._wait = min(self._wait * 2, MOST)
        return wait

    def connected_for(self, seconds: float) -> None:
        """Record how long the last link was up."""
        if seconds >= CALM:
            self._wait = FIRST
