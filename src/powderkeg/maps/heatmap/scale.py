"""The money scale of a cell: one byte, logarithmic, five decades, within 2.3 %.

Where the five decades lie goes by the market: 10 thousand dollars to a billion where open interest
is some billions, and a power of ten as much or as little, the scale's unit, where it is not. So a
coin of three million has the same map as one of thirty billion, in other amounts.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.events import Floats

FLOOR = 1e4
TOP = 1e9
STEPS = 254
USUAL = 1e9
"""Open interest that a unit is chosen for, dollars: it and up to ten times as much have unit 1."""
KEPT = (3e8, 2e10)
"""Open interest in units between which a unit is kept: it shall not change with every tide."""
_RANGE = math.log(TOP / FLOOR)

DOLLARS = np.concatenate(([0.0], FLOOR * (TOP / FLOOR) ** (np.arange(STEPS + 1) / STEPS)))
"""What each of the 256 bytes means, in units. Zero means nothing above the floor."""


@njit(cache=True)
def to_byte(dollars: float) -> int:
    """Return the byte of an amount."""
    if dollars < FLOOR:
        return 0
    return min(1 + int(math.log(dollars / FLOOR) / _RANGE * STEPS + 0.5), STEPS + 1)


@njit(cache=True)
def encode(dollars: Floats, out: NDArray[np.uint8]) -> None:
    """Write the bytes of a flat array of amounts into `out`."""
    for i in range(dollars.shape[0]):
        out[i] = to_byte(dollars[i])


def unit_for(interest: float, unit: float = 1.0) -> float:
    """Return the unit of the scale of a market: dollars are units times `DOLLARS`.

    Args:
        interest: Open interest, dollars; 0 where none is known, which changes nothing.
        unit: The one in use; it stays as long as it serves.
    """
    low, high = KEPT
    if not 0 < interest < math.inf or low <= interest / unit <= high:
        return unit
    return 10.0 ** math.floor(math.log10(interest / USUAL))


def moved(unit: float, to: float) -> NDArray[np.uint8]:
    """Return for each byte of one unit the nearest of another, shape (256,)."""
    out = np.empty(STEPS + 2, np.uint8)
    encode(DOLLARS * (unit / to), out)
    return out


def decode(cells: NDArray[np.uint8]) -> Floats:
    """Return the amounts of bytes."""
    return DOLLARS[cells]


@njit(cache=True)
def settle(cells: NDArray[np.uint8]) -> None:
    """Keep each cell at what it was a column before unless it moved by more than one step.

    `cells` is (planes, columns, rows), changed in place. A decaying map crosses a step somewhere in
    every column; leaving those out costs another 2.3 % of precision and saves a third of the bytes.
    """
    for p in range(cells.shape[0]):
        for c in range(1, cells.shape[1]):
            for r in range(cells.shape[2]):
                before = int(cells[p, c - 1, r])
                if abs(int(cells[p, c, r]) - before) == 1 and before > 0:
                    cells[p, c, r] = before
