"""The share of the displayed depth that survives a sweep, learned from sweeps that happened.

ln A is normal. It starts at a median of 0.25 with a deviation of 1, found on simulated markets
(where it is 0.15 to 0.19), and every realised sweep moves both: a conjugate update, in which the
prior counts as `STRENGTH` sweeps. A sweep gives an interval of A only, often one without an upper
end (price went no further than the level); its mean and variance under the current belief count.

Source: docs/risk.md, "Overshoot".
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from powderkeg.engine.overshoot.path import STEP, OutwardPath, ends
from powderkeg.events import Floats

MEDIAN: Final = 0.25
SPREAD: Final = 1.0
STRENGTH: Final = 8.0
"""Sweeps that the prior counts as."""
LEAST: Final = 0.03
MOST: Final = 5.0
"""A is cut off at both: a draw beyond would run to the end of the path."""
NARROWEST: Final = 1.1
"""Least deviation of ln A in a forecast. Sweeps of one simulated market spread by 0.85, but those
of the next market lie elsewhere: with 0.9, bands of the end covered 72 % there, with this 77 %."""
MIDDLE: Final = 0.6745
"""Median of the size of a standard normal deviation."""
_NORMAL: Final = NormalDist()
_GRID: Final = np.exp(np.linspace(math.log(LEAST), math.log(MOST), 160))


class DepthSurvival:
    """Belief about A of one coin. Compact state; no clock."""

    __slots__ = ("_squares", "_sum", "sweeps")

    def __init__(self) -> None:
        """Start with the prior."""
        self.sweeps = 0
        """Realised sweeps learned from."""
        self._sum = 0.0
        self._squares = 0.0

    @property
    def centre(self) -> float:
        """Mean of ln A."""
        return (STRENGTH * math.log(MEDIAN) + self._sum) / (STRENGTH + self.sweeps)

    @property
    def median(self) -> float:
        """Median of A, before it is cut off."""
        return math.exp(self.centre)

    @property
    def spread(self) -> float:
        """Standard deviation of ln A for the next sweep."""
        prior = STRENGTH * (SPREAD**2 + math.log(MEDIAN) ** 2)
        squares = (prior + self._squares) / (STRENGTH + self.sweeps)
        return max(math.sqrt(max(squares - self.centre**2, 0.0)), NARROWEST)

    def quantiles(self, shares: Floats, spread: float) -> Floats:
        """Return quantiles of A, cut off at `LEAST` and `MOST`.

        Args:
            shares: Probabilities, 0 to 1, shape (n,).
            spread: Standard deviation of ln A, > 0.
        """
        centre = self.centre
        low, high = (_NORMAL.cdf((math.log(end) - centre) / spread) for end in (LEAST, MOST))
        inside = np.clip(low + (high - low) * shares, 1e-12, 1 - 1e-12)
        scores = np.array([_NORMAL.inv_cdf(share) for share in inside.tolist()])
        return np.clip(np.exp(centre + spread * scores), LEAST, MOST)

    def learn(self, path: OutwardPath, level: float, end: float, drift: float = 0.0) -> bool:
        """Add a sweep that happened; return whether anything was learned from it.

        Nothing is learned where any A would have led to that end. An end beyond the path or the
        displayed books means that A was small enough to get there.

        Args:
            path: The side as it was before the touch.
            level: Log distance of the level that was touched.
            end: Log distance of the extreme that followed.
            drift: As for `forecast`: its median is taken off the end, and ends that differ by less
                than one deviation are not distinguished.
        """
        limit = min(path.visible, float(path.distance[-1])) - STEP
        moved = level + np.hypot(ends(path, level, _GRID)[0] - level, MIDDLE * drift)
        reached = np.minimum(moved, limit)
        off = np.abs(reached - min(max(end, level), limit))
        explained = np.flatnonzero(off <= max(STEP + drift, float(off.min())) + 1e-12)
        if len(explained) == len(_GRID):
            return False
        mean, variance = self._within(explained)
        self.sweeps += 1
        self._sum += mean
        self._squares += mean * mean + variance
        return True

    def _within(self, explained: NDArray[np.intp]) -> tuple[float, float]:
        """Return mean and variance of ln A between two points of the grid, as it is believed."""
        first, last = int(explained[0]), int(explained[-1])
        logs = np.linspace(math.log(_GRID[first]), math.log(_GRID[last]), 41)
        weight = np.exp(-0.5 * ((logs - self.centre) / self.spread) ** 2) + 1e-300
        weight /= weight.sum()
        mean = float((weight * logs).sum())
        return mean, float((weight * (logs - mean) ** 2).sum())
