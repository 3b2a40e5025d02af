"""Liquidity zones: how much rested at each price, time column by time column.

Per column, side and price row: the time-weighted mean and the greatest resting size. Only time in
which a row was visible counts: a book of twenty levels says nothing of the rows beyond them, and a
book that is not live says nothing at all. For export and wire, neighbouring columns of a row whose
sizes stay alike are one run.

Source: docs/orderflow.md, "Liquidity zones".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numba import njit
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


class ZoneCells(Struct, frozen=True, eq=False):
    """Columns of one book as they are kept: the rows of each begin at a price of its own."""

    times: Times
    """Starts of the columns, µs, rising, shape (n,)."""
    step: float
    """Height of a row, quote currency: bids are rounded down to it and asks up."""
    firsts: Times
    """Number of the lowest row of each column, shape (n,)."""
    mean: NDArray[np.float32]
    """Time-weighted mean, base coin, shape (n, 2, rows); NaN where the row was not visible."""
    peak: NDArray[np.float32]
    """Greatest, as above."""


class LiquidityZones:
    """Zones of one book in a bounded ring of columns; those that are over are kept as float32."""

    __slots__ = ("_column", "_first", "_firsts", "_mean", "_now", "_peak", "_shown", "_starts",
                 "_sums", "_visible", "rules", "step")  # fmt: skip

    def __init__(self, step: float, rules: ZoneRules = DEFAULT.zones) -> None:
        """Start empty, with rows of `step` quote currency."""
        self.step = step
        self.rules = rules
        size = rules.columns
        self._mean: NDArray[np.float32] = np.full((size, 2, rules.rows), np.nan, np.float32)
        self._peak: NDArray[np.float32] = np.full((size, 2, rules.rows), np.nan, np.float32)
        self._starts: Times = np.full(size, -1, np.int64)
        self._firsts: Times = np.zeros(size, np.int64)
        """Lowest row of each column."""
        self._sums: Floats = np.zeros((_FIELDS, 2, rules.rows))
        """Of the column that is not over."""
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
        best = bids[0].max(), asks[0].min()
        self._centre(sum(int(_coarse(s, p / self.step)) for s, p in enumerate(best)) // 2)
        for side, (prices, sizes) in enumerate((bids, asks)):
            _lay(
                prices, sizes, side, self.step, self._first or 0, self._shown[side],
                self._visible[side],
            )  # fmt: skip
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

    def follow(self, now: int) -> None:
        """Advance once a column is over: what a book that stands still needs."""
        if now // self.rules.column != self._column:
            self.advance(now)

    def _open(self, column: int) -> None:
        """Keep the column before, and begin one."""
        if column == self._column:
            return
        row = self._column % self.rules.columns
        if self._column >= 0:
            self._mean[row], self._peak[row] = self._read()
        self._column = column
        row = column % self.rules.columns
        self._sums[:] = 0.0
        self._mean[row] = self._peak[row] = np.nan
        self._starts[row] = column * self.rules.column
        self._firsts[row] = self._first or 0

    def _add(self, elapsed: int) -> None:
        """Add µs of what is shown; of none, its peak only."""
        _count(self._shown, self._visible, elapsed / SECOND, self._sums)

    def _read(self) -> tuple[Floats, Floats]:
        """Return mean and peak of the column that is not over, each shape (2, rows)."""
        seen = np.where(self._sums[SEEN] > 0, self._sums[SEEN], np.nan)
        return self._sums[SIZE_SECONDS] / seen, self._sums[PEAK] + 0.0 * seen

    def _centre(self, middle: int) -> None:
        """Lay the rows around the middle once it is a quarter of them away from theirs."""
        first = middle - self.rules.rows // 2
        known = self._first
        if known is not None and abs(first - known) <= self.rules.rows // 4:
            return
        self._first = first
        if known is not None:
            self._sums[:] = _moved(self._sums, first - known)
        self._firsts[self._column % self.rules.columns] = first

    def kept(self, since: int = 0) -> ZoneCells:
        """Return a copy of the columns that start at or after a time, µs."""
        known = np.flatnonzero((self._starts >= since) & (self._starts >= 0))
        known = known[np.argsort(self._starts[known])]
        mean, peak = self._mean[known], self._peak[known]
        if len(known) and self._starts[known[-1]] == self._column * self.rules.column:
            mean[-1], peak[-1] = self._read()
        return ZoneCells(self._starts[known], self.step, self._firsts[known], mean, peak)

    def columns(
        self, since: int = 0, first: int | None = None, count: int | None = None
    ) -> ZoneColumns:
        """Return the columns that start at or after a time, on one set of rows.

        Args:
            since: µs.
            first: Number of the lowest row; without it, that of the rows around the mid now.
            count: Number of rows; without it, as many as are kept of a column.
        """
        low = (self._first or 0) if first is None else first
        rows = self.rules.rows if count is None else count
        return added_up([self.kept(since)], self.step, low, rows)

    def runs(self, since: int = 0, first: int | None = None, count: int | None = None) -> ZoneRuns:
        """Return the same as runs; see `columns` and `coalesce`."""
        return coalesce(self.columns(since, first, count), self.rules)


@njit(cache=True)
def _lay(
    prices: Floats, sizes: Floats, side: int, step: float, first: int, shown: Floats,
    visible: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Write what one side shows in each row, and which rows its last level lets us see."""
    shown[:] = 0.0
    deepest = first + len(shown) if side == 0 else first - 1
    for n in range(len(prices)):
        place = prices[n] / step
        row = int(np.floor(place + _ROUNDING) if side == 0 else np.ceil(place - _ROUNDING))
        deepest = min(deepest, row) if side == 0 else max(deepest, row)
        if 0 <= row - first < len(shown):
            shown[row - first] += sizes[n]
    for i in range(len(shown)):
        visible[i] = first + i >= deepest if side == 0 else first + i <= deepest


@njit(cache=True)
def _count(shown: Floats, visible: NDArray[np.bool_], seconds: float, sums: Floats) -> None:
    """Add seconds of what is shown to the sums, shape (fields, 2, rows)."""
    for side in range(2):
        for i in range(shown.shape[1]):
            if visible[side, i]:
                sums[SIZE_SECONDS, side, i] += shown[side, i] * seconds
                sums[SEEN, side, i] += seconds
                sums[PEAK, side, i] = max(sums[PEAK, side, i], shown[side, i])


def _moved(cells: Floats, shift: int) -> Floats:
    """Return rows of cells (..., rows) moved down by `shift`, 0 where none was."""
    out, rows = np.zeros_like(cells), cells.shape[-1]
    if abs(shift) < rows:
        into = slice(max(-shift, 0), rows - max(shift, 0))
        out[..., into] = cells[..., into.start + shift : into.stop + shift]
    return out


def added_up(books: Sequence[ZoneCells], step: float, first: int, rows: int) -> ZoneColumns:
    """Return books added up on one set of rows.

    A row is known where any of the books was seen there. Its peak is the sum of the peaks, so no
    more than that rested there at one time.

    Args:
        books: What each of them kept, on rows of its own.
        step: Height of a row, quote currency; bids are rounded down to it and asks up.
        first: Number of the lowest row.
        rows: Number of rows.
    """
    times = np.unique(np.concatenate([np.zeros(0, np.int64), *(book.times for book in books)]))
    out = np.zeros((_FIELDS, len(times), 2, rows))
    for book in books:
        column = np.searchsorted(times, book.times)[:, None]
        places = book.firsts[:, None] + np.arange(book.mean.shape[2])
        for side in (BID, ASK):
            row = _coarse(side, places * book.step / step) - first
            inside = (row >= 0) & (row < rows) & ~np.isnan(book.mean[:, side])
            at = (column * rows + row)[inside]
            for field, values in ((SIZE_SECONDS, book.mean), (SEEN, None), (PEAK, book.peak)):
                weights = None if values is None else values[:, side][inside]
                total = np.bincount(at, weights, len(times) * rows)
                out[field, :, side] += total.reshape(len(times), rows)
    seen = np.where(out[SEEN] > 0, 0.0, np.nan)
    return ZoneColumns(times, step, first, out[SIZE_SECONDS] + seen, out[PEAK] + seen)


def _coarse(side: int, places: Floats) -> NDArray[np.int64]:
    whole = np.floor(places + _ROUNDING) if side == BID else np.ceil(places - _ROUNDING)
    return np.asarray(whole).astype(np.int64)


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
    """None where too little is seen, and a visible book ends within the band."""
    complete: bool
    """Whether every book reaches beyond the band; else `passive` is a lower bound."""


def shield(
    bids: Levels, asks: Levels, position_side: PositionSide, low: float, high: float, mass: float,
    rules: ZoneRules = DEFAULT.zones,
) -> Shield:  # fmt: skip
    """Return whether one book shields a cluster of estimated liquidations, see `shield_of`."""
    return shield_of([(bids, asks)], position_side, low, high, mass, rules)


def shield_of(
    books: Sequence[tuple[Levels, Levels]], position_side: PositionSide, low: float, high: float,
    mass: float, rules: ZoneRules = DEFAULT.zones,
) -> Shield:  # fmt: skip
    """Return whether resting orders shield a cluster of estimated liquidations.

    Liquidated longs are sold into the bids, liquidated shorts bought from the asks.

    Args:
        books: Bids and asks of each, prices and sizes in any order.
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
    passive, seen = 0.0, bool(books)
    for bids, asks in books:
        prices, sizes = bids if position_side == "long" else asks
        inside = (prices >= low) & (prices <= high)
        passive += float(prices[inside] @ sizes[inside])
        end = (prices.min() if position_side == "long" else prices.max()) if len(prices) else None
        seen = seen and end is not None and (end <= low if position_side == "long" else end >= high)
    ratio = passive / mass
    if ratio >= rules.shield:
        return Shield(passive, ratio, "shielded", seen)
    return Shield(passive, ratio, "exposed" if seen else None, seen)
