"""How the exposure table is read: one map in base coin, or one for each display tier.

`fastmath` is allowed here and nowhere else: a map is looked at and never fed back into the table,
so the order of its sums need not agree to the bit.

Weights are by side, ground and class, shape (2, 2, 64): ground that the mark has crossed within
the last half hour is known, all other is fresh, and what stands on it is liquidated at other rates.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.marks import FRESH
from powderkeg.engine.exposure.table import FLUSHED, SCALE, Singles, Visits, extent
from powderkeg.events import Floats, Times


@njit(cache=True)
def scaled(number: Floats, weights: Floats, side: int) -> Singles:
    """Return the weights of a side times the table's lazy factors, float32 (2, 64)."""
    out = np.empty((2, CLASSES), np.float32)
    for g in range(2):
        for k in range(CLASSES):
            out[g, k] = weights[side, g, k] * number[SCALE + k]
    return out


@njit(cache=True)
def ground(number: Floats, last_crossed: Visits, side: int, b: int) -> int:
    """Return 0 where the bin is fresh ground, 1 where the mark was within the last half hour."""
    return 0 if int(number[FLUSHED]) - last_crossed[side, b >> 1] > FRESH else 1


@njit(cache=True, fastmath=True)
def render(
    cells: Singles,
    last_crossed: Visits,
    number: Floats,
    count: Times,
    weights: Floats,
    out: Singles,
) -> None:
    """Fill `out` float32 (2, 4096) with the weighted map in base coin."""
    out[:] = np.float32(0)
    for side in range(2):
        w = scaled(number, weights, side)
        start, stop = extent(number, count, side)
        for b in range(start, stop):
            g = ground(number, last_crossed, side, b)
            total = np.float32(0)
            for k in range(CLASSES):
                total += w[g, k] * cells[side, b, k]
            out[side, b] = total


@njit(cache=True, fastmath=True)
def render_tiers(
    cells: Singles, last_crossed: Visits, number: Floats, count: Times, weights: Floats,
    tiers: Times, low: int, high: int, out: Singles,
) -> None:  # fmt: skip
    """Fill `out` float32 (groups, 2, high - low) with base coin a group.

    `tiers` (64,) gives the place of each class's group; `low` and `high` are relative bins.
    """
    out[:] = np.float32(0)
    for side in range(2):
        w = scaled(number, weights, side)
        start, stop = extent(number, count, side)
        for b in range(max(low, start), min(high, stop)):
            g = ground(number, last_crossed, side, b)
            for k in range(CLASSES):
                out[tiers[k], side, b - low] += w[g, k] * cells[side, b, k]
