"""Candles of a coin on the columns of the price-time ring, each from the market that led then."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from powderkeg.events import Candles, Floats, Times

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


class PriceRing:
    """Open, high, low, close and volume of the last columns of one time step."""

    __slots__ = ("last", "size", "step", "values")

    def __init__(self, step: int, size: int = 1500) -> None:
        """Make an empty ring of `size` columns of `step` µs."""
        self.step = step
        self.size = size
        self.values = np.full((size, 5), np.nan)
        self.last = -1

    def add_run(self, times: Times, prices: Floats, sizes: Floats) -> None:
        """Add prints in time order; sizes are positive."""
        columns = times // self.step
        for start, stop in _runs(columns):
            part = prices[start:stop]
            self._add(
                int(columns[start]), float(part[0]), float(part.max()), float(part.min()),
                float(part[-1]), float(sizes[start:stop].sum()),
            )  # fmt: skip

    def add_bars(self, bars: Candles) -> None:
        """Add candles in time order; a candle lies in the column it starts in."""
        columns = bars.times // self.step
        starts = np.flatnonzero(np.r_[True, columns[1:] > columns[:-1]])
        known = columns[starts]
        values = np.column_stack(
            (
                bars.open[starts],
                np.maximum.reduceat(bars.high, starts),
                np.minimum.reduceat(bars.low, starts),
                bars.close[np.r_[starts[1:] - 1, len(columns) - 1]],
                np.add.reduceat(bars.volume, starts),
            )
        )
        fresh = known > self.last
        for i in np.flatnonzero(~fresh):
            self._add(int(known[i]), *values[i].tolist())
        if fresh.any():
            self._put(known[fresh], values[fresh])

    def _put(self, columns: Times, values: Floats) -> None:
        """Write columns newer than any before, rising; those between are not known."""
        newest = int(columns[-1])
        first = newest if self.last < 0 else max(self.last + 1, newest - self.size + 1)
        self.values[np.arange(first, newest + 1) % self.size] = np.nan
        kept = columns > newest - self.size
        self.values[columns[kept] % self.size] = values[kept]
        self.last = newest

    def _add(
        self, column: int, opening: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Add what was traded into a column, unless it has left the ring."""
        if self.last >= 0 and column <= self.last - self.size:
            return
        if column > self.last:
            first = max(self.last + 1, column - self.size + 1) if self.last >= 0 else column
            self.values[np.arange(first, column + 1) % self.size] = np.nan
            self.last = column
        bar = self.values[column % self.size]
        if np.isnan(bar[OPEN]):
            bar[:] = (opening, high, low, close, volume)
            return
        bar[HIGH] = max(bar[HIGH], high)
        bar[LOW] = min(bar[LOW], low)
        bar[CLOSE] = close
        bar[VOLUME] += volume

    def window(self, until: int, columns: int) -> Floats:
        """Return `columns` bars that end with column number `until`, shape (columns, 5); or NaN."""
        numbers = np.arange(until - columns + 1, until + 1)
        out = self.values[numbers % self.size].copy()
        out[(numbers <= self.last - self.size) | (numbers > self.last)] = np.nan
        return out


def joined_bars(rings: Mapping[int, PriceRing], span: int, now: int, count: int) -> Floats:
    """Return the last complete bars of any length that is a multiple of a ring's step.

    Shape (count, 5), oldest first; NaN where nothing is known. The widest ring that fits is taken.

    Args:
        rings: By step, µs.
        span: Length of a bar, µs.
        now: µs; the bar under way does not count.
        count: Bars.
    """
    step = max(each for each in rings if span % each == 0)
    each = span // step
    rows = rings[step].window(now // span * each - 1, count * each).reshape(count, each, 5)
    out = np.full((count, 5), np.nan)
    known = np.isfinite(rows[:, :, CLOSE])
    some = known.any(axis=1)
    numbers = np.arange(count)
    first, last = known.argmax(axis=1), each - 1 - known[:, ::-1].argmax(axis=1)
    out[:, OPEN], out[:, CLOSE] = rows[numbers, first, OPEN], rows[numbers, last, CLOSE]
    out[some, HIGH] = np.nanmax(rows[some, :, HIGH], axis=1)
    out[some, LOW] = np.nanmin(rows[some, :, LOW], axis=1)
    out[some, VOLUME] = np.nansum(rows[some, :, VOLUME], axis=1)
    return out


def _runs(columns: Times) -> list[tuple[int, int]]:
    """Return [start, stop) of each run of equal columns."""
    if columns[0] == columns[-1]:
        return [(0, len(columns))]
    edges = np.flatnonzero(columns[1:] > columns[:-1]) + 1
    bounds = [0, *edges.tolist(), len(columns)]
    return list(pairwise(bounds))
