"""Distance classes: how far from their entry positions die, as a basis of 16 columns.

A position opened at price bin b dies `distance` below (long) or above (short) it. We do not know
which distance, so every opening is laid into all 16 classes with unit weight, and the weights of
the classes are learned later (`engine.weights`). A class is spread over its width by a table of 64
low-discrepancy offsets, so that one deposit costs one cell and sixty-four fill the class evenly.

Source: docs/model.md, "Classes and hazards".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.events import Floats

BIN = 5e-4
"""Height of a price bin in log price: 5 bp, a tenth of what a 100x position can lose."""
CLASSES = 16
DITHER = 64
"""Offsets per class."""
MAINTENANCE = 0.005
"""Maintenance rate plus closing fee of the first bracket, the same within 0.1 % on all venues."""
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
    """Sixteen distance classes."""

    name: str
    offsets: Floats
    """Distance in bins less a sub-bin shift, shape (64, 16, 2): dither, class, side."""
    distances: Floats
    """Centre of each class as a log distance, shape (16,)."""
    hazards: Floats
    """Voluntary closing per second at multiplier one, shape (16,). Zero: never closed."""

    tiers: NDArray[np.int64]
    """Place of each class's display tier among TIERS, shape (16,)."""


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


def _basis(name: str, spread: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Basis:
    """Build a basis from each class's 64 log distances for longs and for shorts."""
    offsets = np.zeros((DITHER, CLASSES, 2))
    distances = np.full(CLASSES, math.nan)
    for k, (long, short) in enumerate(spread):
        distances[k] = math.sqrt(min(long) * max(long))
        for i in range(DITHER):
            shift = (i * GOLDEN) % 1.0
            offsets[i, k, 0] = long[i] / BIN - shift
            offsets[i, k, 1] = short[i] / BIN + shift
    hazards = np.array([hazard(d) for d in distances])
    return Basis(name, offsets, distances, hazards, _tier_places(distances))


def _band(low: float, high: float) -> tuple[list[float], list[float]]:
    """Return 64 log-spaced distances between two, in an order whose every prefix is even."""
    grid = [low * (high / low) ** ((i + 0.5) / DITHER) for i in range(DITHER)]
    order = [grid[j] for j in _reversed_bits(DITHER)]
    return order, order


def _point(leverage: float, rate: float = MAINTENANCE) -> tuple[list[float], list[float]]:
    """Return the log distances at which an isolated long and short of this leverage die."""
    long = -math.log((1 - 1 / leverage) / (1 - rate))
    short = math.log((1 + 1 / leverage) / (1 + rate))
    return [long] * DITHER, [short] * DITHER


def generic() -> Basis:
    """Sixteen log-spaced distances, 0.3 % times 1.36 to the k, each one step wide."""
    step = 1.36
    return _basis(
        "generic-16",
        [_band(0.003 * step ** (k - 0.5), 0.003 * step ** (k + 0.5)) for k in range(CLASSES)],
    )


def sharp_and_broad() -> Basis:
    """Ten leverages as points (isolated) and six broad bands (cross margin)."""
    points = [_point(x) for x in (125, 100, 75, 50, 25, 20, 15, 10, 5, 3)]
    edges = (0.005, 0.012, 0.025, 0.05, 0.10, 0.20, 0.40)
    bands = [_band(a, b) for a, b in pairwise(edges)]
    return _basis("sharp-10-broad-6", points + bands)


def four_tiers(name: str, rate: float) -> Basis:
    """The rivals' map: 100x, 50x, 25x and 10x as points that are never closed.

    The other twelve columns repeat the fourth and are given no weight.

    Args:
        name: Of the basis.
        rate: Maintenance rate. As published it is 0: death at 0.99, 0.98, 0.96 and 0.90 of entry.
    """
    points = [_point(x, rate) for x in (100, 50, 25, 10)]
    basis = _basis(name, points + [points[-1]] * (CLASSES - len(points)))
    return replace(basis, hazards=np.zeros(CLASSES))


BASES: dict[str, Callable[[], Basis]] = {
    "generic-16": generic,
    "sharp-10-broad-6": sharp_and_broad,
    "four-static": partial(four_tiers, "four-static", 0.0),
    "four-maintenance": partial(four_tiers, "four-maintenance", MAINTENANCE),
}
"""Every basis by its name; a snapshot stores the name."""
