"""Position classes: how far from entry positions are liquidated, and how long they are held.

A position opened at price bin b is liquidated `distance` below (long) or above (short) it, unless
its owner closes it before. Neither the distance nor the holding time is known, so every opening is
laid into all classes with unit weight, and the weights of the classes are learned later
(`calibration.weights`). A class is a distance and a closing rate. Where positions are opened is not
known either, so there are two groups of classes:

- *volume*: as much opens at a price as is traded there, and as open interest rises meanwhile. Ten
  leverages as points (isolated margin) and six broad bands (cross margin);
- *time*: as much opens at a price as the mark spends time there. Sixteen bands.

The data say how much each counts. A class is spread over its width by a table of 64 low-discrepancy
offsets, so that one deposit costs one cell and sixty-four fill the class evenly.

Source: docs/model.md, "Classes and closing rates".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.grid import BIN

DISTANCES = 16
"""Distances of a group."""
CLOSING = (1.0, 15.0)
"""Closing rates of each distance, as multiples of `hazard`: positions held for days, and for hours.
Two are as good on real hours as three or four, as long as the second is ten to twenty-five times
the first."""
RATES = len(CLOSING)
GROUP = DISTANCES * RATES
"""Classes of a group: class ``RATES * distance + rate``."""
GROUPS = 2
VOLUME, TIME = range(GROUPS)
CLASSES = GROUPS * GROUP
DITHER = 64
"""Offsets per class."""
MAINTENANCE = 0.005
"""Maintenance rate of the point classes. What one rate for all costs: docs/margin.md."""
GOLDEN = 0.6180339887498949
"""Its multiples modulo one fill the unit interval most evenly."""

TIERS: dict[int, tuple[float, float]] = {
    100: (0.0, 0.0075),
    50: (0.0075, 0.02),
    25: (0.02, 0.055),
    10: (0.055, 0.13),
    5: (0.13, math.inf),
}
"""Display tiers as ranges of distance: groups of classes by effective leverage, not a setting."""


class Basis(Struct, frozen=True, eq=False):
    """The classes of a table: group, distance and closing rate."""

    name: str
    offsets: NDArray[np.int16]
    """Distance in whole bins, shape (64, 2, 16, 2): dither, group, distance, side."""
    distances: Floats
    """Centre of each class as a log distance, shape (64,)."""
    hazards: Floats
    """Voluntary closing per second of each class, shape (64,). Zero: never closed."""
    tiers: NDArray[np.int64]
    """Place of each class's display tier among TIERS, shape (64,)."""

    @property
    def reach(self) -> int:
        """Bins from an entry to the furthest liquidation."""
        return int(self.offsets.max()) + 1


def tier_of(distance: float) -> int:
    """Return the display tier a log distance belongs to."""
    return next(tier for tier, (low, high) in TIERS.items() if low <= distance < high)


def _tier_places(distances: Floats) -> NDArray[np.int64]:
    names = list(TIERS)
    return np.array([names.index(tier_of(float(d))) for d in distances])


def hazard(distance: float) -> float:
    """Return how often a position of this distance is closed by its owner, per second.

    Mean life 27 h at 1 %, growing with distance to the power 0.9.
    Source: the optimum on real BTC, docs/model.md "Closing".
    """
    return 1.0 / (27 * 3600 * (distance / 0.01) ** 0.9)


def _reversed_bits(count: int) -> list[int]:
    """Return 0..count-1 in van der Corput order; `count` is a power of two."""
    digits = count.bit_length() - 1
    return [int(f"{i:0{digits}b}"[::-1], 2) for i in range(count)]


_Spread = Sequence[tuple[Sequence[float], Sequence[float]]]
"""The 64 log distances of each of sixteen distances, for longs and for shorts."""


def _basis(name: str, groups: Sequence[_Spread], closing: Sequence[float] = CLOSING) -> Basis:
    """Build a basis from the distances of each group."""
    offsets = np.zeros((DITHER, GROUPS, DISTANCES, 2), np.int16)
    distances = np.full((GROUPS, DISTANCES), math.nan)
    for g, group in enumerate(groups):
        for d, (long, short) in enumerate(group):
            distances[g, d] = math.sqrt(min(long) * max(long))
            for i in range(DITHER):
                shift = (i * GOLDEN) % 1.0
                offsets[i, g, d, 0] = math.ceil(long[i] / BIN - shift)
                offsets[i, g, d, 1] = math.floor(short[i] / BIN + shift)
    each = np.repeat(distances.ravel(), RATES)
    rates = np.tile(closing, GROUPS * DISTANCES)
    hazards = np.array([hazard(float(d)) for d in each]) * rates
    return Basis(name, offsets, each, hazards, _tier_places(each))


def _band(low: float, high: float) -> tuple[list[float], list[float]]:
    """Return 64 log-spaced distances between two, in an order whose every prefix is even."""
    grid = [low * (high / low) ** ((i + 0.5) / DITHER) for i in range(DITHER)]
    order = [grid[j] for j in _reversed_bits(DITHER)]
    return order, order


def _point(leverage: float, rate: float = MAINTENANCE) -> tuple[list[float], list[float]]:
    """Return the log distances of liquidation of an isolated long and short at this leverage."""
    long = -math.log((1 - 1 / leverage) / (1 - rate))
    short = math.log((1 + 1 / leverage) / (1 + rate))
    return [long] * DITHER, [short] * DITHER


def bands() -> _Spread:
    """Return sixteen log-spaced distances, 0.3 % times 1.36 to the k, each one step wide."""
    step = 1.36
    return [_band(0.003 * step ** (k - 0.5), 0.003 * step ** (k + 0.5)) for k in range(DISTANCES)]


def points_and_bands() -> _Spread:
    """Return ten leverages as points (isolated) and six broad bands (cross margin)."""
    points = [_point(x) for x in (125, 100, 75, 50, 25, 20, 15, 10, 5, 3)]
    edges = (0.005, 0.012, 0.025, 0.05, 0.10, 0.20, 0.40)
    return points + [_band(a, b) for a, b in pairwise(edges)]


def learned() -> Basis:
    """Return the classes of our own map."""
    return _basis("points-and-bands", (points_and_bands(), bands()))


def four_tiers(name: str, rate: float) -> Basis:
    """The map others publish: 100x, 50x, 25x and 10x as points that are never closed.

    The other classes repeat the fourth and are given no weight, see `STATIC`.

    Args:
        name: Of the basis.
        rate: Maintenance rate. As published it is 0: liquidated at 0.99, 0.98, 0.96 and 0.90 of
            entry.
    """
    points = [_point(x, rate) for x in (100, 50, 25, 10)]
    points += [points[-1]] * (DISTANCES - len(points))
    return _basis(name, (points, points), (0.0,) * RATES)


STATIC = np.array([VOLUME * GROUP + RATES * tier for tier in range(4)])
"""The classes of `four_tiers` that count."""

BASES: dict[str, Callable[[], Basis]] = {
    "points-and-bands": learned,
    "four-static": partial(four_tiers, "four-static", 0.0),
    "four-maintenance": partial(four_tiers, "four-maintenance", MAINTENANCE),
}
"""Every basis by its name; a snapshot stores the name."""
