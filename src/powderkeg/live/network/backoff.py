"""How long to wait before trying again."""

from __future__ import annotations

import random

FIRST, MOST = 0.25, 30.0
"""Seconds."""
CALM = 60.0
"""Seconds a link must hold before the waits begin anew."""


class Backoff:
    """Waits that double from a quarter of a second to half a minute, each cut by chance.

    Chance, so that a thousand programs thrown out at once do not come back at once.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        """Begin with the shortest wait."""
        self._chance = chance or random.Random()  # noqa: S311  to spread, not to hide
        self._wait = FIRST

    def next(self) -> float:
        """Return seconds to wait now: between half and all of the current step."""
        wait = self._wait * self._chance.uniform(0.5, 1.0)
        self._wait = min(self._wait * 2, MOST)
        return wait

    def held(self, seconds: float) -> None:
        """Tell how long the last link held."""
        if seconds >= CALM:
            self._wait = FIRST
