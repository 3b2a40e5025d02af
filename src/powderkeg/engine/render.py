"""How the exposure table is read: one map in base coin, or one for each display tier.

`fastmath` is allowed here and nowhere else: a map is looked at and never fed back into the table,
so the order of its sums need not agree to the bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from powderkeg.engine.classes import CLASSES
from powderkeg.engine.table import BINS, SCALE, Singles
from powderkeg.events import Floats, Times


@njit(cache=True, fastmath=True)
def render(cells: Singles, number: Floats, weights: Singles, out: Singles) -> None:
    """Fill `out` float32 (2, 4096) with the weighted map in base coin; `weights` is (2, 16)."""
    w = np.empty(CLASSES, np.float32)
    for side in range(2):
        for k in range(CLASSES):
            w[k] = weights[side, k] * number[SCALE + k]
        for b in range(BINS):
            total = np.float32(0)
            for k in range(CLASSES):
                total += w[k] * cells[side, b, k]
            out[side, b] = total


@njit(cache=True, fastmath=True)
def render_tiers(
    cells: Singles, number: Floats, weights: Singles, tiers: Times, low: int, high: int,
    out: Singles,
) -> None:  # fmt: skip
    """Fill `out` float32 (groups, 2, high - low) with base coin a group.

    `tiers` (16,) gives the place of each class's group; `low` and `high` are relative bins.
    """
    w = np.empty(CLASSES, np.float32)
    out[:] = np.float32(0)
    for side in range(2):
        for k in range(CLASSES):
            w[k] = weights[side, k] * number[SCALE + k]
        for b in range(max(low, 0), min(high, BINS)):
            for k in range(CLASSES):
                out[tiers[k], side, b - low] += w[k] * cells[side, b, k]
