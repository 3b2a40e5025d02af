"""Whole stretches of history through the same kernels, with no return to Python between steps."""

from __future__ import annotations

import math

from numba import njit

from powderkeg.engine.exposure.deposits import SPREAD, add_trades, add_volume, flush
from powderkeg.engine.exposure.marks import move_mark
from powderkeg.engine.exposure.table import BASE, BINS, Bins, Singles, Visits
from powderkeg.events import Floats, Times
from powderkeg.grid import bin_of


@njit(cache=True, nogil=True)
def run_trades(  # noqa: PLR0913, PLR0917  a kernel takes flat arrays: each record costs a call 1 µs
    cells: Singles, volume: Floats, pending: Singles, active_bins: Bins, last_crossed: Visits,
    offsets: Bins, ledger: Floats, number: Floats, count: Times, prices: Floats, sizes: Floats,
    ends: Times, times: Floats, oi: Floats, marks: Floats, every: int, first: int, last: int,
    records: Floats,
) -> int:  # fmt: skip
    """Play steps `first` to `last` of a tape: trades, a flush each `every` steps, then the mark.

    `ends` are the trade indices at which steps end, `times` their ends in seconds; `oi` and
    `marks` are NaN where nothing is new. Returns the number of sweep records written.
    """
    n = 0
    start = ends[first - 1] if first > 0 else 0
    for s in range(first, last):
        if ends[s] > start:
            add_trades(volume, active_bins, number, count, prices, sizes, start, ends[s])
            start = ends[s]
        if s % every == every - 1:
            flush(
                cells, volume, pending, active_bins, offsets, ledger, number, count, times[s], oi[s]
            )
        if not math.isnan(marks[s]):
            n = move_mark(
                cells, last_crossed, ledger, number, count, times[s], marks[s], records, n
            )
    return n


@njit(cache=True, nogil=True)
def run_candles(  # noqa: PLR0913, PLR0917  as above
    cells: Singles, volume: Floats, pending: Singles, active_bins: Bins, last_crossed: Visits,
    offsets: Bins, ledger: Floats, number: Floats, count: Times, times: Floats, low: Floats,
    high: Floats, volumes: Floats, buys: Floats, oi: Floats, mark_low: Floats, mark_high: Floats,
    mark: Floats, records: Floats,
) -> int:  # fmt: skip
    """Play candles: the mark's extremes sweep what stood before, then the volume opens.

    `times` are the ends of the bars in seconds. Which extreme came first is not known; the low
    is taken first. Returns the number of sweep records written.
    """
    n = 0
    for s in range(len(times)):
        if not math.isnan(mark[s]):
            for price in (mark_low[s], mark_high[s], mark[s]):
                n = move_mark(
                    cells, last_crossed, ledger, number, count, times[s], price, records, n
                )
        if volumes[s] > 0.0:
            a = bin_of(low[s]) - count[BASE]
            b = bin_of(high[s]) - count[BASE]
            places = min(b - a + 1, SPREAD)
            for i in range(places):
                c = a + (2 * i + 1) * (b - a + 1) // (2 * places)
                c = min(max(c, 0), BINS - 1)
                sells = volumes[s] - buys[s]
                add_volume(volume, active_bins, count, c, buys[s] / places, sells / places)
        flush(cells, volume, pending, active_bins, offsets, ledger, number, count, times[s], oi[s])
    return n


def rows_needed(steps: int, legs: int = 1) -> int:
    """Return how many sweep records `steps` of `legs` mark moves can write at most."""
    return 2 * steps * legs + 2
