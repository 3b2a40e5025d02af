"""The compiled inner loops of the exposure table: what opens, and what the mark crosses.

The arrays and the names of their places are in `engine.table`, which this module passes on;
`engine.twin` says the same in plain Python.

No fastmath, unlike in `engine.render`: bulk and incremental runs must agree to the bit, and a
compiler that may reassociate sums would do so differently in each caller.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from powderkeg.engine.classes import BIN, CLASSES, DITHER
from powderkeg.engine.table import (
    AT,
    BASE,
    BINS,
    DECAYED,
    DEPOSITED,
    FLUSHED,
    FRONT_LONG,
    FRONT_SHORT,
    HIGH,
    INVERSE,
    LIVE,
    LOST,
    LOW,
    MARK,
    OI,
    OPENED,
    OWN,
    SCALE,
    SWEPT,
    THETA,
    TOUCHED,
    TURN,
    WAITING,
    Bins,
    Singles,
    Visits,
    decay,
    settle,
)
from powderkeg.events import Floats, Times

__all__ = [
    "AT", "BASE", "BINS", "DECAYED", "DEPOSITED", "FLUSHED", "FRESH", "FRONT_LONG", "FRONT_SHORT",
    "HIGH", "INVERSE", "LIVE", "LOST", "LOW", "MARK", "OI", "OPENED", "OWN", "RECORD",
    "ROWS_PER_MOVE", "R_CLASSES", "R_FRESH", "R_LENGTH", "R_SIDE", "R_TIME", "SCALE", "SWEPT",
    "THETA", "TOUCHED", "TURN", "WAITING", "add_trades", "add_volume", "flush", "move_mark",
    "place",
]  # fmt: skip

FRESH = 1800
"""Seconds after which a bin crossed before counts as fresh ground again."""

# columns of a sweep record, then the 16 crossed exposures
R_TIME, R_SIDE, R_LENGTH, R_FRESH, R_CLASSES = range(5)
RECORD = R_CLASSES + CLASSES
ROWS_PER_MOVE = 2
"""A move crosses fresh and known ground: at most one record each."""


@njit(cache=True)
def place(price: float, number: Floats, count: Times) -> int:
    """Return the bin of a price; remember its edges, so that its neighbours cost no logarithm."""
    b = math.floor(math.log(price) / BIN) - count[BASE]
    b = min(max(b, 0), BINS - 1)
    count[AT] = b
    number[LOW] = math.exp((b + count[BASE]) * BIN)
    number[HIGH] = math.exp((b + 1 + count[BASE]) * BIN)
    if b == 0:
        number[LOW] = 0.0
    if b == BINS - 1:
        number[HIGH] = math.inf
    return b


@njit(cache=True)
def add_trades(
    volume: Floats, touched: Bins, number: Floats, count: Times, prices: Floats, sizes: Floats,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Add prints `start` to `stop` to the volume of their bins; sells have negative sizes."""
    low = number[LOW]
    high = number[HIGH]
    b = count[AT]
    n = count[TOUCHED]
    buys = volume[b, 0]
    sells = volume[b, 1]
    known = buys + sells > 0.0
    for i in range(start, stop):
        price = prices[i]
        if price < low or price >= high:
            if buys + sells > 0.0:
                volume[b, 0] = buys
                volume[b, 1] = sells
                if not known:
                    touched[0, n] = b
                    n += 1
            b = place(price, number, count)
            low = number[LOW]
            high = number[HIGH]
            buys = volume[b, 0]
            sells = volume[b, 1]
            known = buys + sells > 0.0
        size = sizes[i]
        buys += max(size, 0.0)
        sells -= min(size, 0.0)
    if buys + sells > 0.0:
        volume[b, 0] = buys
        volume[b, 1] = sells
        if not known:
            touched[0, n] = b
            n += 1
    count[TOUCHED] = n


@njit(cache=True)
def add_volume(
    volume: Floats, touched: Bins, count: Times, b: int, buys: float, sells: float
) -> None:
    """Add volume to one bin."""
    if buys + sells <= 0.0:
        return
    if volume[b, 0] + volume[b, 1] == 0.0:
        touched[0, count[TOUCHED]] = b
        count[TOUCHED] += 1
    volume[b, 0] += buys
    volume[b, 1] += sells


@njit(cache=True)
def _sort(bins: Bins, n: int) -> None:
    """Sort the first `n` bins, so that the order of trades inside an interval cannot matter."""
    if n > 48:
        bins[:n] = np.sort(bins[:n])
        return
    for i in range(1, n):
        x = bins[i]
        j = i - 1
        while j >= 0 and bins[j] > x:
            bins[j + 1] = bins[j]
            j -= 1
        bins[j + 1] = x


@njit(cache=True)
def _total(volume: Floats | Singles, bins: Bins, n: int) -> float:
    """Return the volume of the first `n` bins."""
    total = 0.0
    for j in range(n):
        total += volume[bins[j], 0] + volume[bins[j], 1]
    return total


@njit(cache=True)
def _deposit(
    cells: Singles, ledger: Floats, offsets: Floats, number: Floats, count: Times,
    volume: Floats | Singles, bins: Bins, n: int, share: float,
) -> None:  # fmt: skip
    """Lay `share` of each bin's volume into every class on both sides of it.

    What would already be on the wrong side of the mark died in the interval: deposited and swept.
    """
    own = number[OWN]
    top = 2 * BINS
    front = -1
    if not math.isnan(number[MARK]):
        front = int(number[MARK])
    longs = 0.0
    shorts = 0.0
    for j in range(n):
        b = int(bins[j])
        mark = front if front >= 0 else b
        q_long = share * (volume[b, 0] * own + volume[b, 1] * (1.0 - own))
        q_short = share * (volume[b, 1] * own + volume[b, 0] * (1.0 - own))
        longs += q_long
        shorts += q_short
        turn = count[TURN]
        count[TURN] = turn + 1
        row = offsets[turn & (DITHER - 1)]
        for k in range(CLASSES):
            inverse = number[INVERSE + k]
            down = int(b - row[k, 0] + top) - top
            up = int(b + row[k, 1])
            if down == mark:
                down -= 1
            if up == mark:
                up += 1
            if 0 <= down < mark:
                cells[0, down, k] += q_long * inverse
            else:
                ledger[SWEPT if down > mark else LOST, 0, k] += q_long
                ledger[LIVE, 0, k] -= q_long
            if mark < up < BINS:
                cells[1, up, k] += q_short * inverse
            else:
                ledger[SWEPT if up < mark else LOST, 1, k] += q_short
                ledger[LIVE, 1, k] -= q_short
    for k in range(CLASSES):
        ledger[DEPOSITED, 0, k] += longs
        ledger[LIVE, 0, k] += longs
        ledger[DEPOSITED, 1, k] += shorts
        ledger[LIVE, 1, k] += shorts
    number[OPENED] += longs + shorts


@njit(cache=True)
def _wait(volume: Floats, waiting: Singles, touched: Bins, count: Times) -> None:
    """Move flushed volume to what the next open-interest reading will be shared over."""
    n = count[WAITING]
    for j in range(count[TOUCHED]):
        b = touched[0, j]
        known = waiting[b, 0] + waiting[b, 1] > 0.0
        waiting[b, 0] += volume[b, 0]
        waiting[b, 1] += volume[b, 1]
        if not known and waiting[b, 0] + waiting[b, 1] > 0.0:  # float32 knows nothing below 1e-45
            touched[1, n] = b
            n += 1
    count[WAITING] = n


@njit(cache=True)
def _clear(volume: Floats | Singles, bins: Bins, n: int) -> None:
    for j in range(n):
        volume[bins[j], 0] = 0.0
        volume[bins[j], 1] = 0.0


@njit(cache=True)
def flush(
    cells: Singles, volume: Floats, waiting: Singles, touched: Bins, offsets: Floats,
    ledger: Floats, number: Floats, count: Times, time: float, oi: float,
) -> None:  # fmt: skip
    """Decay to `time` (s), then open positions from the volume since the last flush.

    Openings of a bin are ``(theta + rise of OI / volume) * volume of the bin``. `oi` is NaN where
    there is no new reading; the rise is shared over all volume since the reading before.
    """
    decay(cells, ledger, number, time)
    n = count[TOUCHED]
    _sort(touched[0], n)
    rise = 0.0
    if not math.isnan(oi):
        if not math.isnan(number[OI]):
            rise = max(0.0, oi - number[OI])
        number[OI] = oi
    share = number[THETA]
    alone = count[WAITING] == 0
    if rise > 0.0 and alone and n > 0:
        share += rise / _total(volume, touched[0], n)
    if n > 0:
        _deposit(cells, ledger, offsets, number, count, volume, touched[0], n, share)
    if math.isnan(oi) or (rise > 0.0 and not alone):
        _wait(volume, waiting, touched, count)
    _clear(volume, touched[0], n)
    count[TOUCHED] = 0
    if math.isnan(oi):
        return
    n = count[WAITING]
    if n > 0:
        if rise > 0.0:
            _sort(touched[1], n)
            share = rise / _total(waiting, touched[1], n)
            _deposit(cells, ledger, offsets, number, count, waiting, touched[1], n, share)
        _clear(waiting, touched[1], n)
        count[WAITING] = 0


@njit(cache=True)
def _cross(
    cells: Singles, number: Floats, record: Floats, side: int, b: int, fraction: float
) -> None:
    """Empty a fraction of one bin into a record."""
    if fraction == 1.0:
        for k in range(CLASSES):
            record[R_CLASSES + k] += cells[side, b, k] * number[SCALE + k]
            cells[side, b, k] = 0.0
        return
    part = cells.dtype.type(fraction)  # a float64 factor would lose the ledger's last bits
    for k in range(CLASSES):
        taken = cells[side, b, k] * part
        cells[side, b, k] -= taken
        record[R_CLASSES + k] += taken * number[SCALE + k]


@njit(cache=True)
def _book(ledger: Floats, records: Floats, first: int, n: int, side: int) -> None:
    """Enter what the records of one move crossed into the ledger."""
    for r in range(first, n):
        for k in range(CLASSES):
            gone = records[r, R_CLASSES + k]
            ledger[SWEPT, side, k] += gone
            ledger[LIVE, side, k] -= gone


@njit(cache=True)
def _row(
    records: Floats, n: int, first: int, time: float, side: int, fresh: float
) -> tuple[int, int]:
    """Return the record of this move for fresh or known ground, opening it if need be."""
    for r in range(first, n):
        if records[r, R_FRESH] == fresh:
            return r, n
    records[n, :] = 0.0
    records[n, R_TIME] = time
    records[n, R_SIDE] = side
    records[n, R_FRESH] = fresh
    return n, n + 1


@njit(cache=True)
def move_mark(
    cells: Singles, visited: Visits, ledger: Floats, number: Floats, count: Times, time: float,
    price: float, records: Floats, n: int,
) -> int:  # fmt: skip
    """Empty what the mark crosses on its way to `price` and return the number of records.

    The bin the mark stands in is emptied in proportion to the part it has crossed.
    """
    x = math.log(price) / BIN - count[BASE]
    x = min(max(x, 0.0), BINS - 1e-9)
    b = int(x)
    part = x - b
    old = number[MARK]
    number[MARK] = x
    if math.isnan(old):
        settle(cells, ledger, number, b)
        number[FRONT_LONG] = part
        number[FRONT_SHORT] = part
        return n
    a = int(old)
    first = n
    second = int(time)
    if a == b:
        return _creep(cells, visited, ledger, number, time, b, part, records, n)
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
        fresh = 1.0 if second - visited[side, c >> 1] > FRESH else 0.0
        r, n = _row(records, n, first, time, side, fresh)
        records[r, R_LENGTH] += length
        _cross(cells, number, records[r], side, c, fraction)
        if c == b:
            break
        if (c + step) >> 1 != c >> 1:  # only now: the pair is left, both its bins were as fresh
            visited[side, c >> 1] = second
        c += step
    _book(ledger, records, first, n, side)
    number[FRONT_LONG] = part
    number[FRONT_SHORT] = part
    return n


@njit(cache=True)
def _creep(
    cells: Singles, visited: Visits, ledger: Floats, number: Floats, time: float, b: int,
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
    fresh = 1.0 if int(time) - visited[side, b >> 1] > FRESH else 0.0
    r, last = _row(records, n, n, time, side, fresh)
    records[r, R_LENGTH] += gone
    _cross(cells, number, records[r], side, b, fraction)
    _book(ledger, records, n, last, side)
    return last
