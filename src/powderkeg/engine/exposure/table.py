"""The exposure table: its arrays, the names of their indices, and its decay.

State is a few flat arrays, because a numba call pays for every array it unpacks:

``cells``    float32 (2, 4096, 64)      unit-weight exposure over `scale`, by side, bin and class
``volume``   float64 (4096, 2)          taker buys and sells since the last flush
``pending``  float32 (4096, 2)          the same since the last open-interest reading, without those
``active_bins``  int16   (2, 4096)          bins that hold volume; bins that hold waiting volume
``last_crossed``  int32   (2, 2048)          second at which a pair of bins (10 bp) was last left, a
side ``offsets``  int16   (64, 2, 16, 2)     distance in bins: dither, group, distance, side
``ledger``   float64 (4, 2, 64)         where every unit of exposure went (see the row names below)
``number``   float64 (336,)             the scalars named in capitals below
``count``    int64   (10,)              the counters named in capitals below

Exposure of the volume group is in base coin, that of the time group in days.

Types name the arrays of a market. The kernels are compiled anew for others, so that tests may
run them on float64 cells.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.events import Floats

Singles: TypeAlias = NDArray[np.float32]
Bins: TypeAlias = NDArray[np.int16]
Visits: TypeAlias = NDArray[np.int32]

BINS = 4096
TINY = 1e-20
"""Smaller cells are emptied: denormal numbers made the kernel ten times slower."""
RESCALE = 1e-12
"""The least `scale`: far from where float32 ends even for what is largest."""

# rows of `ledger`; LIVE is over `scale`, as cells are, so that time passing costs it nothing
DEPOSITED, SWEPT, LOST, LIVE = range(4)
# places in `number`; LAID is when time was last laid into the time group, MARK_LOW and MARK_HIGH
# are where the mark has been since, in bins
(
    LOW, HIGH, OI, FLUSHED, SPAN, MARK, FRONT_LONG, FRONT_SHORT, THETA, OWN, OPENED, LAID, MARK_LOW,
    MARK_HIGH,
) = range(14)  # fmt: skip
SCALE, HAZARD, FACTOR, INVERSE, GROWTH = (16 + CLASSES * i for i in range(5))
"""Starts of 64 numbers each. INVERSE is one over SCALE and GROWTH one over FACTOR, kept because
division is slow."""
NUMBERS = GROWTH + CLASSES
# places in `count`; TURN is the first of two, one a group; no long stands below LOWEST, no short
# above HIGHEST; FASTEST is the class that is closed soonest
BASE, AT, TOUCHED, WAITING, TURN, _, REACH, LOWEST, HIGHEST, FASTEST = range(10)


@njit(cache=True)
def extent(number: Floats, count: NDArray[np.int64], side: int) -> tuple[int, int]:
    """Return the bins [start, stop) outside of which nothing of a side stands."""
    low, high = int(count[LOWEST]), int(count[HIGHEST]) + 1
    if math.isnan(number[MARK]):
        return low, high
    mark = int(number[MARK])
    return (low, min(mark + 1, high)) if side == 0 else (max(mark, low), high)


@njit(cache=True, inline="always")
def decay(
    cells: Singles, ledger: Floats, number: Floats, count: NDArray[np.int64], time: float
) -> None:
    """Close positions voluntarily up to `time` (s): one factor a class for the whole table."""
    span = time - number[FLUSHED]
    if span <= 0.0:
        return
    number[FLUSHED] = time
    if math.isnan(span):
        return
    if span != number[SPAN]:
        for k in range(CLASSES):
            exponent = min(number[HAZARD + k] * span, 600.0)
            number[FACTOR + k] = math.exp(-exponent)
            number[GROWTH + k] = math.exp(exponent)
        number[SPAN] = span
    for k in range(CLASSES):
        number[SCALE + k] *= number[FACTOR + k]
    for k in range(CLASSES):
        number[INVERSE + k] *= number[GROWTH + k]
    if number[SCALE + count[FASTEST]] < RESCALE:
        rescale(cells, ledger, number, count)


@njit(cache=True)
def rescale(cells: Singles, ledger: Floats, number: Floats, count: NDArray[np.int64]) -> None:
    """Multiply the lazy factors into the table and empty cells too small to matter."""
    for side in range(2):
        start, stop = extent(number, count, side)
        for b in range(start, stop):
            for k in range(CLASSES):
                x = cells[side, b, k] * number[SCALE + k]
                cells[side, b, k] = x if x > TINY else 0.0
        for k in range(CLASSES):
            ledger[LIVE, side, k] *= number[SCALE + k]
    for k in range(CLASSES):
        number[SCALE + k] = 1.0
        number[INVERSE + k] = 1.0


@njit(cache=True)
def clear_crossed(
    cells: Singles, ledger: Floats, number: Floats, count: NDArray[np.int64], mark: int
) -> None:
    """Empty what opened before the first mark was known and stands on the wrong side of it."""
    low, high = int(count[LOWEST]), int(count[HIGHEST]) + 1
    for side in range(2):
        start, stop = (max(low, mark + 1), high) if side == 0 else (low, min(mark, high))
        for b in range(start, stop):
            for k in range(CLASSES):
                gone = cells[side, b, k]
                cells[side, b, k] = 0.0
                ledger[SWEPT, side, k] += gone * number[SCALE + k]
                ledger[LIVE, side, k] -= gone
