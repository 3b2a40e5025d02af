"""The exposure table: its arrays, the names of their places, and how it decays.

State is a few flat arrays, because a numba call pays for every array it unpacks:

``cells``    float32 (2, 4096, 16)  unit-weight exposure over `scale`; a cache line a side and bin
``volume``   float64 (4096, 2)      taker buys and sells since the last flush
``waiting``  float32 (4096, 2)      the same since the last open-interest reading, without the above
``touched``  int16   (2, 4096)      bins that hold volume; bins that hold waiting volume
``visited``  int32   (2, 2048)      second at which a pair of bins (10 bp) was last left, per side
``offsets``  float64 (64, 16, 2)    distance of each class in bins (`engine.classes`)
``ledger``   float64 (5, 2, 16)     where every unit of exposure went (see the row names below)
``number``   float64 (80,)          the scalars named in capitals below
``count``    int64   (8,)           the counters named in capitals below

Types name the arrays of a market. The kernels are compiled anew for others, so that tests may
run them on float64 cells.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine.classes import CLASSES
from powderkeg.events import Floats

Singles: TypeAlias = NDArray[np.float32]
Bins: TypeAlias = NDArray[np.int16]
Visits: TypeAlias = NDArray[np.int32]

BINS = 4096
TINY = 1e-20
"""Smaller cells are emptied: denormal numbers made the kernel ten times slower."""
RESCALE = 1e-3

# rows of `ledger`
DEPOSITED, DECAYED, SWEPT, LOST, LIVE = range(5)
# places in `number`
LOW, HIGH, OI, FLUSHED, SPAN, MARK, FRONT_LONG, FRONT_SHORT, THETA, OWN, OPENED = range(11)
SCALE, HAZARD, FACTOR, INVERSE = 16, 32, 48, 64
"""Starts of sixteen numbers each; INVERSE is one over SCALE, kept because division is slow."""
# places in `count`
BASE, AT, TOUCHED, WAITING, TURN = range(5)


@njit(cache=True)
def decay(cells: Singles, ledger: Floats, number: Floats, time: float) -> None:
    """Close positions voluntarily up to `time` (s): one factor a class for the whole table."""
    span = time - number[FLUSHED]
    if span <= 0.0:
        return
    number[FLUSHED] = time
    if math.isnan(span):
        return
    if span != number[SPAN]:
        for k in range(CLASSES):
            number[FACTOR + k] = math.exp(-number[HAZARD + k] * span)
        number[SPAN] = span
    least = 1.0
    for k in range(CLASSES):
        factor = number[FACTOR + k]
        number[SCALE + k] *= factor
        least = min(least, number[SCALE + k])
        for side in range(2):
            gone = ledger[LIVE, side, k] * (1.0 - factor)
            ledger[DECAYED, side, k] += gone
            ledger[LIVE, side, k] -= gone
    if least < RESCALE:
        rescale(cells, number)
        return
    for k in range(CLASSES):
        number[INVERSE + k] = 1.0 / number[SCALE + k]


@njit(cache=True)
def rescale(cells: Singles, number: Floats) -> None:
    """Multiply the lazy factors into the table and empty cells too small to matter."""
    for side in range(2):
        for b in range(BINS):
            for k in range(CLASSES):
                x = cells[side, b, k] * number[SCALE + k]
                cells[side, b, k] = x if x > TINY else 0.0
    for k in range(CLASSES):
        number[SCALE + k] = 1.0
        number[INVERSE + k] = 1.0


@njit(cache=True)
def settle(cells: Singles, ledger: Floats, number: Floats, mark: int) -> None:
    """Bury what opened before the first mark was known and stands on the wrong side of it."""
    for side in range(2):
        for b in range(mark + 1 if side == 0 else 0, BINS if side == 0 else mark):
            for k in range(CLASSES):
                gone = cells[side, b, k] * number[SCALE + k]
                cells[side, b, k] = 0.0
                ledger[SWEPT, side, k] += gone
                ledger[LIVE, side, k] -= gone
