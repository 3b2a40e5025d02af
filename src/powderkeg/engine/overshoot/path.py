"""The way outward from the price: what would be liquidated on it, and what rests against it.

M(u) is the notional expected to be liquidated between the price and a distance u, C(u) what is
displayed there. Price that touches a level L goes on to the first u >= L at which the depth beyond
L that survives, A (C(u) - C(L)), absorbs M(u). A is the share of the displayed depth that stays
once sellers who flee, followers and refills are counted: see `survival`.

Source: docs/risk.md, "Overshoot".
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats

STEP: Final = 2e-4
"""Log distance between two points of a path: 2 bp."""
FAR: Final = 0.25
"""Log distance up to which a path is laid out."""
Z: Final = 1.2815515655446004
"""Normal quantile of 90 %: half the width of an 80 % band."""
POINTS: Final = round(FAR / STEP) + 1


class OutwardPath(Struct, frozen=True, eq=False):
    """One side of the map and of the books, outward; arrays of shape (n,)."""

    distance: Floats
    """Log distance from the price, rising from 0."""
    forced: Floats
    """Liquidated between the price and there, expected: quote currency, or base coin throughout."""
    depth: Floats
    """Displayed between the price and there, in the unit of `forced`."""
    low: Floats
    """Low end of the 80 % band of `forced`, a factor of it, 0 to 1."""
    high: Floats
    """High end of it, a factor >= 1."""
    visible: float = math.inf
    """Log distance up to which all books are displayed; what lies beyond is continued at the
    density seen before."""

    def at(self, values: Floats, distance: float) -> float:
        """Return one of its columns at a distance."""
        return float(np.interp(distance, self.distance, values))


def grid() -> Floats:
    """Return the distances of a path, shape (1251,)."""
    return np.arange(POINTS, dtype=np.float64) * STEP


def continued(depth: Floats, distance: Floats, visible: float) -> Floats:
    """Return cumulative depth, continued beyond what is displayed at its mean density before.

    Args:
        depth: Displayed between the price and each distance, shape (n,).
        distance: Log distances, rising from 0.
        visible: How far the books are displayed; 0 leaves the depth as it is.
    """
    if not 0 < visible < distance[-1]:
        return depth
    seen = float(np.interp(visible, distance, depth))
    return np.where(distance <= visible, depth, seen * distance / visible)


def ends(
    path: OutwardPath, level: float, survival: Floats, factors: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return where price ends after it has touched a level, and what is liquidated by then.

    Args:
        path: The side.
        level: Log distance of the level, within the path.
        survival: Share A of the displayed depth that stays, shape (m,), > 0.
        factors: Factor of the forced volume by draw and distance, shape (m, n); None for one.

    Returns:
        Log distance of the end, at least `level`, and notional liquidated on the way, shape (m,).
        Where the path ends before its depth absorbs, both are those of its last point.
    """
    forced = path.forced[None] if factors is None else path.forced * factors
    beyond = path.depth - path.at(path.depth, level)
    absorbed = (path.distance >= level - 1e-12) & (survival[:, None] * beyond >= forced)
    last = len(path.distance) - 1
    first = np.where(absorbed.any(axis=1), absorbed.argmax(axis=1), last)
    forced = np.broadcast_to(forced, absorbed.shape)
    end = np.maximum(path.distance[first], level)
    return end, np.take_along_axis(forced, first[:, None], axis=1)[:, 0]


def acceleration(path: OutwardPath, survival: float) -> Floats:
    """Return R(u), what a step of price liquidates over the depth it uses up, shape (n - 1,).

    Above one the move feeds itself. Infinite where something is liquidated and nothing rests.
    """
    forced, resting = np.diff(path.forced), survival * np.diff(path.depth)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = forced / resting
    return np.where(forced > 0, ratio, 0.0)


def pass_probability(path: OutwardPath, level: float, median: float, spread: float) -> Floats:
    """Return the chance that price which touched a level passes each distance, in closed form.

    Phi((ln M - ln dC - ln A) / s), the least of it on the way, where ln A is normal about the
    median. The band of the map widens s. Shape (n,); one up to the level.

    Args:
        path: The side.
        level: Log distance of the level.
        median: Of the surviving share A.
        spread: Standard deviation of its logarithm, > 0.
    """
    beyond = path.depth - path.at(path.depth, level)
    tails = np.log(np.maximum(path.high, 1.0)) - np.log(np.clip(path.low, 1e-3, 1.0))
    width = np.hypot(spread, tails / (2 * Z))
    ahead = (path.distance > level + 1e-12) & (beyond > 0)
    safe = np.where(ahead, beyond, 1.0), np.maximum(path.forced, 1e-300)
    score = (np.log(safe[1]) - np.log(safe[0]) - math.log(median)) / width
    chance = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in score.tolist()])
    return np.minimum.accumulate(np.where(ahead, chance, 1.0))
