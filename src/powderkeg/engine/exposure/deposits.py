"""Deposits: openings by volume and by time are added to the exposure table; compiled.

The arrays and the names of their places are in `exposure.table`; the tests hold them to the
plain Python of ``tests/engine/reference.py``.

No fastmath, unlike in `exposure.render`: bulk and incremental runs must agree to the bit, and a
compiler that may reassociate sums would do so differently in each caller. Small helpers are always
inlined: a call with this many arrays costs more than what most of them do.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from powderkeg.engine.exposure.classes import DISTANCES, DITHER, GROUP, RATES, TIME, VOLUME
from powderkeg.engine.exposure.table import (
    AT,
    BASE,
    BINS,
    DEPOSITED,
    HIGH,
    HIGHEST,
    INVERSE,
    LAID,
    LIVE,
    LOST,
    LOW,
    LOWEST,
    MARK,
    MARK_HIGH,
    MARK_LOW,
    OI,
    OPENED,
    OWN,
    REACH,
    SWEPT,
    THETA,
    TOUCHED,
    TURN,
    WAITING,
    Bins,
    Singles,
    decay,
)
from powderkeg.events import Floats, Times
from powderkeg.grid import bin_of, price_of

SPREAD = 8
"""What opens between two prices is laid at no more places than this."""
PERIOD = 300.0
"""Seconds of the mark's path that are laid into the time group at once, at least."""
DAY = 86400.0


@njit(cache=True)
def place(price: float, number: Floats, count: Times) -> int:
    """Return the bin of a price; remember its edges, so that its neighbours cost no logarithm."""
    b = bin_of(price) - count[BASE]
    b = min(max(b, 0), BINS - 1)
    count[AT] = b
    number[LOW] = price_of(b + count[BASE])
    number[HIGH] = price_of(b + 1 + count[BASE])
    if b == 0:
        number[LOW] = 0.0
    if b == BINS - 1:
        number[HIGH] = math.inf
    return b


@njit(cache=True)
def add_trades(
    volume: Floats, active_bins: Bins, number: Floats, count: Times, prices: Floats, sizes: Floats,
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
                    active_bins[0, n] = b
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
            active_bins[0, n] = b
            n += 1
    count[TOUCHED] = n


@njit(cache=True)
def add_volume(
    volume: Floats, active_bins: Bins, count: Times, b: int, buys: float, sells: float
) -> None:
    """Add volume to one bin."""
    if buys + sells <= 0.0:
        return
    if volume[b, 0] + volume[b, 1] == 0.0:
        active_bins[0, count[TOUCHED]] = b
        count[TOUCHED] += 1
    volume[b, 0] += buys
    volume[b, 1] += sells


@njit(cache=True)
def _sort(active_bins: Bins, row: int, n: int) -> None:
    """Sort the first `n` bins, so that the order of trades inside an interval cannot matter.

    Rows are named by number here and below: counting the references of a view costs 40 ns.
    """
    if n > 48:
        active_bins[row, :n] = np.sort(active_bins[row, :n])
        return
    for i in range(1, n):
        x = active_bins[row, i]
        j = i - 1
        while j >= 0 and active_bins[row, j] > x:
            active_bins[row, j + 1] = active_bins[row, j]
            j -= 1
        active_bins[row, j + 1] = x


@njit(cache=True, inline="always")
def _total(volume: Floats | Singles, active_bins: Bins, row: int, n: int) -> float:
    """Return the volume of the first `n` bins."""
    total = 0.0
    for j in range(n):
        total += volume[active_bins[row, j], 0] + volume[active_bins[row, j], 1]
    return total


@njit(cache=True, inline="always")
def _lay(
    cells: Singles, ledger: Floats, offsets: Bins, number: Floats, count: Times, group: int, b: int,
    mark: int, long: float, short: float,
) -> None:  # fmt: skip
    """Lay what opens at a bin into every class of a group on both sides of it.

    What would already be on the wrong side of the mark was liquidated in the interval: swept.
    """
    turn = count[TURN + group] & (DITHER - 1)  # each its own: volume must not shift the path's
    count[TURN + group] += 1
    for d in range(DISTANCES):  # no view of the row: counting its references costs more than it
        k = group * GROUP + RATES * d
        down = b - offsets[turn, group, d, 0]
        up = b + offsets[turn, group, d, 1]
        if down == mark:
            down -= 1
        if up == mark:
            up += 1
        if 0 <= down < mark:
            for r in range(RATES):
                cells[0, down, k + r] += long * number[INVERSE + k + r]
        else:
            _miss(ledger, number, 0, SWEPT if down > mark else LOST, k, long)
        if mark < up < BINS:
            for r in range(RATES):
                cells[1, up, k + r] += short * number[INVERSE + k + r]
        else:
            _miss(ledger, number, 1, SWEPT if up < mark else LOST, k, short)


@njit(cache=True)
def _miss(ledger: Floats, number: Floats, side: int, row: int, k: int, size: float) -> None:
    """Enter what found no place in the table."""
    for r in range(RATES):
        ledger[row, side, k + r] += size
        ledger[LIVE, side, k + r] -= size * number[INVERSE + k + r]


@njit(cache=True, inline="always")
def _enter(
    ledger: Floats, number: Floats, count: Times, group: int, low: int, high: int, longs: float,
    shorts: float,
) -> None:  # fmt: skip
    """Enter what was laid between two bins into the ledger."""
    for k in range(group * GROUP, (group + 1) * GROUP):
        ledger[DEPOSITED, 0, k] += longs
        ledger[LIVE, 0, k] += longs * number[INVERSE + k]
        ledger[DEPOSITED, 1, k] += shorts
        ledger[LIVE, 1, k] += shorts * number[INVERSE + k]
    count[LOWEST] = max(min(count[LOWEST], low - count[REACH]), 0)
    count[HIGHEST] = min(max(count[HIGHEST], high + count[REACH]), BINS - 1)


@njit(cache=True, inline="always")
def _deposit(
    cells: Singles, ledger: Floats, offsets: Bins, number: Floats, count: Times,
    volume: Floats | Singles, active_bins: Bins, row: int, n: int, share: float,
) -> None:  # fmt: skip
    """Open `share` of the volume of each of the first `n` bins, in rising order."""
    own = number[OWN]
    front = -1
    if not math.isnan(number[MARK]):
        front = int(number[MARK])
    longs = 0.0
    shorts = 0.0
    for j in range(n):
        b = int(active_bins[row, j])
        long = share * (volume[b, 0] * own + volume[b, 1] * (1.0 - own))
        short = share * (volume[b, 1] * own + volume[b, 0] * (1.0 - own))
        longs += long
        shorts += short
        mark = front if front >= 0 else b
        _lay(cells, ledger, offsets, number, count, VOLUME, b, mark, long, short)
    low, high = int(active_bins[row, 0]), int(active_bins[row, n - 1])
    _enter(ledger, number, count, VOLUME, low, high, longs, shorts)
    number[OPENED] += longs + shorts


@njit(cache=True)
def _lay_time(
    cells: Singles, ledger: Floats, offsets: Bins, number: Floats, count: Times, time: float
) -> None:
    """Lay the time since it was last laid into the time group, where the mark has been since."""
    if math.isnan(number[MARK]):
        return
    if math.isnan(number[LAID]):
        number[LAID] = time
    elapsed = time - number[LAID]
    if not elapsed >= PERIOD:
        return
    number[LAID] = time
    mark = int(number[MARK])
    low, high = int(number[MARK_LOW]), int(number[MARK_HIGH])
    places = min(high - low + 1, SPREAD)
    each = elapsed / DAY / places
    for i in range(places):
        b = low + (2 * i + 1) * (high - low + 1) // (2 * places)
        _lay(cells, ledger, offsets, number, count, TIME, b, mark, each, each)
    _enter(ledger, number, count, TIME, low, high, each * places, each * places)
    number[MARK_LOW] = number[MARK]
    number[MARK_HIGH] = number[MARK]


@njit(cache=True, inline="always")
def _wait(volume: Floats, pending: Singles, active_bins: Bins, count: Times) -> None:
    """Move flushed volume to what the next open-interest reading will be shared over."""
    n = count[WAITING]
    for j in range(count[TOUCHED]):
        b = active_bins[0, j]
        known = pending[b, 0] + pending[b, 1] > 0.0
        pending[b, 0] += volume[b, 0]
        pending[b, 1] += volume[b, 1]
        if not known and pending[b, 0] + pending[b, 1] > 0.0:  # float32 knows nothing below 1e-45
            active_bins[1, n] = b
            n += 1
    count[WAITING] = n


@njit(cache=True, inline="always")
def _clear(volume: Floats | Singles, active_bins: Bins, row: int, n: int) -> None:
    for j in range(n):
        volume[active_bins[row, j], 0] = 0.0
        volume[active_bins[row, j], 1] = 0.0


@njit(cache=True)
def flush(  # noqa: C901  the guards stand here, since a call costs more than what they save
    cells: Singles, volume: Floats, pending: Singles, active_bins: Bins, offsets: Bins,
    ledger: Floats, number: Floats, count: Times, time: float, oi: float,
) -> None:  # fmt: skip
    """Decay to `time` (s), then open positions from the time and the volume since the last flush.

    Openings by volume of a bin are ``(theta + rise of OI / volume) * volume of the bin``. `oi` is
    NaN where there is no new reading; the rise is shared over all volume since the one before.
    """
    decay(cells, ledger, number, count, time)
    if not time - number[LAID] < PERIOD:  # most calls are too soon, and a call costs 40 ns
        _lay_time(cells, ledger, offsets, number, count, time)
    n = count[TOUCHED]
    if n > 1:
        _sort(active_bins, 0, n)
    rise = 0.0
    if not math.isnan(oi):
        if not math.isnan(number[OI]):
            rise = max(0.0, oi - number[OI])
        number[OI] = oi
    share = number[THETA]
    alone = count[WAITING] == 0
    if rise > 0.0 and alone and n > 0:
        share += rise / _total(volume, active_bins, 0, n)
    if n > 0:
        _deposit(cells, ledger, offsets, number, count, volume, active_bins, 0, n, share)
    if math.isnan(oi) or (rise > 0.0 and not alone):
        _wait(volume, pending, active_bins, count)
    _clear(volume, active_bins, 0, n)
    count[TOUCHED] = 0
    if math.isnan(oi):
        return
    n = count[WAITING]
    if n > 0:
        if rise > 0.0:
            if n > 1:
                _sort(active_bins, 1, n)
            share = rise / _total(pending, active_bins, 1, n)
            _deposit(cells, ledger, offsets, number, count, pending, active_bins, 1, n, share)
        _clear(pending, active_bins, 1, n)
        count[WAITING] = 0
