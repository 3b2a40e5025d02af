"""Whole stretches of history through the same kernels, without returning to Python between steps."""

from __future__ import annotations

import math

from numba import njit

from powderkeg.engine.classes import BIN
from powderkeg.engine.kernels import BASE, BINS, add_trades, add_volume, flush, move_mark

SPREAD = 3
"""A candle's volume is laid at no more places than this between its low and its high."""


@njit(cache=True)
def run_trades(
    cells,
    volume,
    waiting,
    touched,
    visited,
    offsets,
    ledger,
    number,
    count,
    prices,
    sizes,
    ends,
    times,
    oi,
    marks,
    every,
    records,
):
    """Play steps of a tape: trades, a flush each `every` steps, then the mark.

    `ends` are the trade indices at which steps end, `times` their ends in seconds; `oi` and
    `marks` are NaN where nothing is new. Returns the number of sweep records written.
    """
    n = 0
    start = 0
    for s in range(len(times)):
        if ends[s] > start:
            add_trades(volume, touched, number, count, prices, sizes, start, ends[s])
            start = ends[s]
        if s % every == every - 1:
            flush(cells, volume, waiting, touched, offsets, ledger, number, count, times[s], oi[s])
        if not math.isnan(marks[s]):
            n = move_mark(cells, visited, ledger, number, count, times[s], marks[s], records, n)
    return n


@njit(cache=True)
def run_candles(
    cells,
    volume,
    waiting,
    touched,
    visited,
    offsets,
    ledger,
    number,
    count,
    times,
    low,
    high,
    volumes,
    buys,
    oi,
    mark_low,
    mark_high,
    mark,
    records,
):
    """Play candles: the mark's extremes sweep what stood before, then the volume opens.

    `times` are the ends of the bars in seconds. Which extreme came first is not known; the low
    is taken first. Returns the number of sweep records written.
    """
    n = 0
    for s in range(len(times)):
        if not math.isnan(mark[s]):
            for price in (mark_low[s], mark_high[s], mark[s]):
                n = move_mark(cells, visited, ledger, number, count, times[s], price, records, n)
        if volumes[s] > 0.0:
            a = int(math.floor(math.log(low[s]) / BIN)) - count[BASE]
            b = int(math.floor(math.log(high[s]) / BIN)) - count[BASE]
            places = min(b - a + 1, SPREAD)
            for i in range(places):
                c = a + (2 * i + 1) * (b - a + 1) // (2 * places)
                c = min(max(c, 0), BINS - 1)
                add_volume(
                    volume,
                    touched,
                    count,
                    c,
                    buys[s] / places,
                    (volumes[s] - buys[s]) / places,
                )
        flush(cells, volume, waiting, touched, offsets, ledger, number, count, times[s], oi[s])
    return n


def rows_needed(steps: int, legs: int = 1) -> int:
    """Return how many sweep records `steps` of `legs` mark moves can write at most."""
    return 2 * steps * legs + 2
