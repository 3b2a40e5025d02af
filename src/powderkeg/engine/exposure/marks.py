"""Sweeps: the exposure table is emptied where the mark crosses it; compiled.

The arrays and the names of their places are in `exposure.table`; the tests hold them to the
plain Python of ``tests/engine/reference.py``.

No fastmath, unlike in `exposure.render`: bulk and incremental runs must agree to the bit, and a
compiler that may reassociate sums would do so differently in each caller. Small helpers are always
inlined: a call with this many arrays costs more than what most of them do.
"""

from __future__ import annotations

import math

from numba import njit

from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.table import (
    BASE,
    BINS,
    FRONT_LONG,
    FRONT_SHORT,
    INVERSE,
    LIVE,
    MARK,
    MARK_HIGH,
    MARK_LOW,
    SCALE,
    SWEPT,
    Singles,
    Visits,
    clear_crossed,
)
from powderkeg.events import Floats, Times
from powderkeg.grid import position_of

FRESH = 1800
"""Seconds after which a bin crossed before counts as fresh ground again."""

# columns of a sweep record, then the 64 crossed exposures
R_TIME, R_SIDE, R_LENGTH, R_FRESH, R_CLASSES = range(5)
RECORD = R_CLASSES + CLASSES
ROWS_PER_MOVE = 2
"""A move crosses fresh and known ground: at most one record each."""


@njit(cache=True, inline="always")
def _cross(
    cells: Singles, number: Floats, records: Floats, r: int, side: int, b: int, fraction: float
) -> None:
    """Empty a fraction of one bin into a record."""
    if fraction == 1.0:
        for k in range(CLASSES):
            records[r, R_CLASSES + k] += cells[side, b, k] * number[SCALE + k]
            cells[side, b, k] = 0.0
        return
    part = cells.dtype.type(fraction)  # a float64 factor would lose the ledger's last bits
    for k in range(CLASSES):
        taken = cells[side, b, k] * part
        cells[side, b, k] -= taken
        records[r, R_CLASSES + k] += taken * number[SCALE + k]


@njit(cache=True, inline="always")
def _book(ledger: Floats, number: Floats, records: Floats, first: int, n: int, side: int) -> None:
    """Enter what the records of one move crossed into the ledger."""
    for r in range(first, n):
        for k in range(CLASSES):
            gone = records[r, R_CLASSES + k]
            ledger[SWEPT, side, k] += gone
            ledger[LIVE, side, k] -= gone * number[INVERSE + k]


@njit(cache=True, inline="always")
def _row(
    records: Floats, n: int, first: int, time: float, side: int, fresh: float
) -> tuple[int, int]:
    """Return the record of this move for fresh or known ground, opening it if need be."""
    for r in range(first, n):
        if records[r, R_FRESH] == fresh:
            return r, n
    for i in range(RECORD):
        records[n, i] = 0.0
    records[n, R_TIME] = time
    records[n, R_SIDE] = side
    records[n, R_FRESH] = fresh
    return n, n + 1


@njit(cache=True)
def move_mark(
    cells: Singles, last_crossed: Visits, ledger: Floats, number: Floats, count: Times, time: float,
    price: float, records: Floats, n: int,
) -> int:  # fmt: skip
    """Empty what the mark crosses on its way to `price` and return the number of records.

    The bin the mark stands in is emptied in proportion to the part it has crossed.
    """
    x = position_of(price) - count[BASE]
    x = min(max(x, 0.0), BINS - 1e-9)
    b = int(x)
    part = x - b
    old = number[MARK]
    number[MARK] = x
    if math.isnan(old):
        clear_crossed(cells, ledger, number, count, b)
        number[FRONT_LONG] = part
        number[FRONT_SHORT] = part
        number[MARK_LOW] = x
        number[MARK_HIGH] = x
        return n
    number[MARK_LOW] = min(number[MARK_LOW], x)
    number[MARK_HIGH] = max(number[MARK_HIGH], x)
    a = int(old)
    first = n
    second = int(time)
    if a == b:
        return _creep(cells, last_crossed, ledger, number, time, b, part, records, n)
    side = 0 if b < a else 1
    step = -1 if b < a else 1
    c = a
    while True:
        length = 1.0
        fraction = 1.0
        if c == a:
            length = number[FRONT_LONG] if side == 0 else 1.0 - number[FRONT_SHORT]
        elif c == b:
            fraction = 1.0 - part if side == 0 else part
            length = fraction
        fresh = 1.0 if second - last_crossed[side, c >> 1] > FRESH else 0.0
        r, n = _row(records, n, first, time, side, fresh)
        records[r, R_LENGTH] += length
        _cross(cells, number, records, r, side, c, fraction)
        if c == b:
            break
        if (c + step) >> 1 != c >> 1:  # only now: the pair is left, both its bins were as fresh
            last_crossed[side, c >> 1] = second
        c += step
    _book(ledger, number, records, first, n, side)
    number[FRONT_LONG] = part
    number[FRONT_SHORT] = part
    return n


@njit(cache=True, inline="always")
def _creep(
    cells: Singles, last_crossed: Visits, ledger: Floats, number: Floats, time: float, b: int,
    part: float, records: Floats, n: int,
) -> int:  # fmt: skip
    """Move the mark inside its bin to `part` of its height and return the number of records."""
    if part < number[FRONT_LONG]:
        side = 0
        gone = number[FRONT_LONG] - part
        fraction = gone / number[FRONT_LONG]
        number[FRONT_LONG] = part
    elif part > number[FRONT_SHORT]:
        side = 1
        gone = part - number[FRONT_SHORT]
        fraction = gone / (1.0 - number[FRONT_SHORT])
        number[FRONT_SHORT] = part
    else:
        return n
    fresh = 1.0 if int(time) - last_crossed[side, b >> 1] > FRESH else 0.0
    r, last = _row(records, n, n, time, side, fresh)
    records[r, R_LENGTH] += gone
    _cross(cells, number, records, r, side, b, fraction)
    _book(ledger, number, records, n, last, side)
    return last
