"""Liquidity zones: how much rested at each price, time column by time column.

Per column, side and price row: the time-weighted mean and the greatest resting size. Only time in
which a row was visible counts: a book of twenty levels says nothing of the rows beyond them, and a
book that is not live says nothing at all. For export and wire, neighbouring columns of a row whose
sizes stay alike are one run.

Source: docs/orderflow.md, "Liquidity zones".
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import SECOND, Floats, PositionSide, Times
from powderkeg.flow.books.window import ASK, BID, Levels
from powderkeg.flow.thresholds import DEFAULT, ZoneRules

(SIZE_SECONDS, SEEN, PEAK) = range(3)
_FIELDS: Final = 3
_ROUNDING: Final = 1e-9
"""Part of a row: a price that binary fractions put beside its row belongs to it."""


class ZoneColumns(Struct, frozen=True, eq=False):
    """Resting size by column, side and row."""

    times: Times
    """Starts of the columns, µs, rising, shape (n,)."""
    step: float
    """Height of a row, quote currency: bids are rounded down to it and asks up."""
    first: int
    """Number of the lowest row: its price is ``first * step``."""
    mean: Floats
    """Time-weighted mean, base coin, shape (n, 2, rows); NaN where the row was not visible."""
    peak: Floats
    """Greatest, as above."""


class ZoneRuns(Struct, frozen=True, eq=False):
    """Runs of columns in which the size of a row stays alike, each shape (n,), by start."""

    side: NDArray[np.int64]
    """0 bids, 1 asks."""
    row: NDArray[np.int64]
    """Number of the row: its price is the number times the height of a row."""
    start: Times
    """µs."""
    stop: Times
    """End of the last column, µs."""
    mean: Floats
    """Mean of the columns' means, base coin."""
    peak: Floats
    """Greatest of their greatest."""


class LiquidityZones:
    """Zones of one book in a bounded ring of columns."""

    __slots__ = ("_cells", "_column", "_first", "_firsts", "_now", "_shown", "_starts", "_visible",
                 "rules", "step")  # fmt: skip

    def __init__(self, step: float, rules: ZoneRules = DEFAULT.zones) -> None:
        """Start empty, with rows of `step` quote currency."""
        self.step = step
        self.rules = rules
        size = rules.columns
        self._cells: Floats = np.zeros((size, 2, rules.rows, _FIELDS))
        self._starts: Times = np.full(size, -1, np.int64)
        self._firsts: Times = np.zeros(size, np.int64)
        """Lowest row of each column."""
        self._shown: Floats = np.zeros((2, rules.rows))
        self._visible: NDArray[np.bool_] = np.zeros((2, rules.rows), np.bool_)
        self._first: int | None = None
        self._column = -1
        self._now = 0

    def load(self, now: int, bids: Levels, asks: Levels) -> None:
        """Set the book as it is from `now` on.

        Args:
            now: µs, not before the last call.
            bids: Prices and sizes in any order. An empty side leaves the book unknown.
            asks: As above.
        """
        if not (len(bids[0]) and len(asks[0])):
            self.mark_gap(now)
            return
        self.advance(now)
        rows = self._rows_of(BID, bids[0]), self._rows_of(ASK, asks[0])
        self._centre((int(rows[BID].max()) + int(rows[ASK].min())) // 2)
        first = self._first or 0
        every = first + np.arange(self.rules.rows)
        for side, (_, sizes) in enumerate((bids, asks)):
            inside = (rows[side] >= first) & (rows[side] < first + self.rules.rows)
            at = rows[side][inside] - first
            self._shown[side] = np.bincount(at, sizes[inside], self.rules.rows)
        self._visible[BID], self._visible[ASK] = every >= rows[BID].min(), every <= rows[ASK].max()
        self._add(0)

    def mark_gap(self, now: int) -> None:
        """Record that the book is not known from `now` on, µs."""
        self.advance(now)
        self._visible[:] = False

    def advance(self, now: int) -> None:
        """Count what is shown until `now`, µs, into the columns it passes."""
        span = self.rules.column
        first = now // span - self.rules.columns + 1
        begin = max(first * span, self._now) if self._visible.any() else now
        while begin < now:
            self._open(begin // span)
            stop = min((begin // span + 1) * span, now)
            self._add(stop - begin)
            begin = stop
        self._now = max(now, self._now)
        self._open(self._now // span)

    def _open(self, column: int) -> None:
        """Begin a column."""
        if column == self._column:
            return
        self._column = column
        row = column % self.rules.columns
        self._cells[row], self._starts[row] = 0.0, column * self.rules.column
        self._firsts[row] = self._first or 0

    def _add(self, elapsed: int) -> None:
        """Add µs of what is shown; of none, its peak only."""
        cells = self._cells[self._column % self.rules.columns]
        seen = self._visible * (elapsed / SECOND)
        cells[..., SIZE_SECONDS] += self._shown * seen
        cells[..., SEEN] += seen
        np.maximum(cells[..., PEAK], self._shown * self._visible, out=cells[..., PEAK])

    def _rows_of(self, side: int, prices: Floats) -> NDArray[np.int64]:
        places = prices / self.step
        whole = np.floor(places + _ROUNDING) if side == BID else np.ceil(places - _ROUNDING)
        return whole.astype(np.int64)

    def _centre(self, middle: int) -> None:
        """Lay the rows around the middle once it is a quarter of them away from theirs."""
        first = middle - self.rules.rows // 2
        known = self._first
        if known is not None and abs(first - known) <= self.rules.rows // 4:
            return
        self._first = first
        column = self._column % self.rules.columns
        if known is not None:
            self._cells[column] = _moved(self._cells[column], first - known)
        self._firsts[column] = first

    def columns(
        self, since: int = 0, first: int | None = None, count: int | None = None
    ) -> ZoneColumns:
        """Return the columns that start at or after a time.

        Args:
            since: µs.
            first: Number of the lowest row; without it, that of the rows around the mid now.
            count: Number of rows; without it, as many as are kept of a column.
        """
        low = (self._first or 0) if first is None else first
        rows = self.rules.rows if count is None else count
        known = np.flatnonzero((self._starts >= since) & (self._starts >= 0))
        known = known[np.argsort(self._starts[known])]
        cells = np.zeros((len(known), 2, rows, _FIELDS))
        for n, column in enumerate(known.tolist()):
            at = low + np.arange(rows) - self._firsts[column]
            inside = (at >= 0) & (at < self.rules.rows)
            cells[n, :, inside] = self._cells[column][:, at[inside]].transpose(1, 0, 2)
        seen = np.where(cells[..., SEEN] > 0, cells[..., SEEN], np.nan)
        peak = np.where(cells[..., SEEN] > 0, cells[..., PEAK], np.nan)
        mean = cells[..., SIZE_SECONDS] / seen
        return ZoneColumns(self._starts[known], self.step, low, mean, peak)

    def runs(self, since: int = 0, first: int | None = None, count: int | None = None) -> ZoneRuns:
        """Return the same as runs; see `columns` and `coalesce`."""
        return coalesce(self.columns(since, first, count), self.rules)


def _moved(cells: Floats, shift: int) -> Floats:
    """Return rows of cells (2, rows, fields) moved down by `shift`, 0 where none was."""
    out, rows = np.zeros_like(cells), cells.shape[1]
    if abs(shift) < rows:
        into = slice(max(-shift, 0), rows - max(shift, 0))
        out[:, into] = cells[:, into.start + shift : into.stop + shift]
    return out


def coalesce(columns: ZoneColumns, rules: ZoneRules = DEFAULT.zones) -> ZoneRuns:
    """Return runs of neighbouring columns in which the mean size of a row stays alike.

    The greatest mean of a run exceeds its least by `alike` at most, so the mean of a run is as near
    to each of its columns. Rows with nothing in them, or not visible, are in no run; neither does a
    run cross a column that is missing. All rows are looked at together, column by column.
    """
    runs = _OpenRuns(columns.mean.shape[1:], rules.alike)
    count = len(columns.times)
    for n in range(count):
        if n and columns.times[n] - columns.times[n - 1] != rules.column:
            runs.close(runs.begun >= 0, n)
        runs.add(n, np.nan_to_num(columns.mean[n]), np.nan_to_num(columns.peak[n]))
    runs.close(runs.begun >= 0, count)
    rows = runs.closed()
    side, row, start, stop = rows[:4].astype(np.int64)
    begins, ends = columns.times[start], columns.times[stop - 1] + rules.column
    return ZoneRuns(side, row + columns.first, begins, ends, rows[4], rows[5])


class _OpenRuns:
    """The run that each row is in, all rows at once."""

    __slots__ = ("_closed", "alike", "begun", "greatest", "least", "peak", "total")

    def __init__(self, shape: tuple[int, ...], alike: float) -> None:
        self.alike = alike
        self.begun: NDArray[np.int64] = np.full(shape, -1)
        """Number of its first column; -1 for no run."""
        self.least, self.greatest, self.total, self.peak = (np.zeros(shape) for _ in range(4))
        self._closed: list[Floats] = []
        """See `closed`."""

    def add(self, n: int, x: Floats, peak: Floats) -> None:
        """Continue the runs that a column belongs to, close the others, begin new ones."""
        low, high = np.minimum(self.least, x), np.maximum(self.greatest, x)
        on = (self.begun >= 0) & (x > 0) & (high <= low * (1 + self.alike))
        self.close(~on & (self.begun >= 0), n)
        self.begun[~on & (x > 0)] = n
        self.least, self.greatest = np.where(on, low, x), np.where(on, high, x)
        self.total = np.where(on, self.total + x, x)
        self.peak = np.where(on, np.maximum(self.peak, peak), peak)

    def close(self, over: NDArray[np.bool_], stop: int) -> None:
        """End runs before a column."""
        side, row = np.nonzero(over)
        start = self.begun[over]
        mean = self.total[over] / (stop - start)
        columns = (side, row, start, np.full(len(row), stop), mean, self.peak[over])
        self._closed.append(np.array(columns, np.float64))
        self.begun[over] = -1

    def closed(self) -> Floats:
        """Return the closed runs by start, side and row, shape (6, runs).

        Each is side, row, first column, column after the last, mean and peak.
        """
        rows = np.concatenate(self._closed, axis=1)
        return rows[:, np.lexsort(rows[[1, 0, 2]])]


Verdict: TypeAlias = Literal["shielded", "exposed"]


class Shield(Struct, frozen=True):
    """What rests within a cluster's band against what would be liquidated there."""

    passive: float
    """Notional that rests on the side that the liquidations would take from, quote currency."""
    ratio: float
    """Over the cluster's mass."""
    verdict: Verdict | None
    """None where too little is seen, and the visible book ends within the band."""


def shield(
    bids: Levels, asks: Levels, position_side: PositionSide, low: float, high: float, mass: float,
    rules: ZoneRules = DEFAULT.zones,
) -> Shield:  # fmt: skip
    """Return whether resting orders shield a cluster of estimated liquidations.

    Liquidated longs are sold into the bids, liquidated shorts bought from the asks.

    Args:
        bids: Prices and sizes in any order.
        asks: As above.
        position_side: Side of the positions of the cluster.
        low: Lower edge of its band, quote currency.
        high: Upper edge.
        mass: Notional of the cluster, quote currency, > 0.
        rules: Thresholds.

    Raises:
        ValueError: The mass is not above 0, or the band is upside down.
    """
    if not (mass > 0 and low <= high):
        found = f"{mass:g} at {low:g} to {high:g}"
        raise ValueError(f"expected a mass above 0 in a band of prices that rise, found {found}")
    prices, sizes = bids if position_side == "long" else asks
    inside = (prices >= low) & (prices <= high)
    passive = float(prices[inside] @ sizes[inside])
    ratio = passive / mass
    if ratio >= rules.shield:
        return Shield(passive, ratio, "shielded")
    end = (prices.min() if position_side == "long" else prices.max()) if len(prices) else math.nan
    seen = end <= low if position_side == "long" else end >= high
    return Shield(passive, ratio, "exposed" if seen else None)
