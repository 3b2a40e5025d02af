"""What traded at each price, minute by minute: the columns of a ladder and the volume profile.

Prices are kept in rows of a fixed step, sizes in base coin; a minute that is too old is dropped as
a whole, so memory is bounded by time and by the rows that prices cross.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import DAY, MINUTE, Floats, Trade, Trades

BOUGHT, SOLD, LARGEST, COUNT = range(4)
_FIELDS: Final = 4
_STEPS: Final = (1, 2, 5, 10)


class TradedRows(Struct, frozen=True, eq=False):
    """Rows of prices, rising."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row; it begins at ``first * step``."""
    bought: Floats
    """Base coin taken by buyers, shape (rows,)."""
    sold: Floats
    largest: Floats
    """Largest print, base coin, shape (rows,)."""
    count: NDArray[np.int64]
    """Prints, shape (rows,)."""


class Traded:
    """Volume by price and minute of one market."""

    __slots__ = ("_first", "_minutes", "keep", "step")

    def __init__(self, step: float, keep: int = DAY) -> None:
        """Keep `keep` µs in rows of `step`."""
        self.step = step
        self.keep = keep
        self._minutes: dict[int, Floats] = {}
        """By minute: shape (rows, fields), from the row in `_first` on."""
        self._first: dict[int, int] = {}

    def add(self, event: Trade | Trades) -> None:
        """Add prints."""
        run = event.as_run() if isinstance(event, Trade) else event
        rows = np.floor(run.prices / self.step + 1e-9).astype(np.int64)
        minutes = run.times // MINUTE
        for minute in np.unique(minutes).tolist():
            inside = minutes == minute
            self._add(minute, rows[inside], run.sizes[inside])

    def _add(self, minute: int, rows: NDArray[np.int64], sizes: Floats) -> None:
        self._make_room(minute, int(rows.min()), int(rows.max()))
        cells, at, amounts = self._minutes[minute], rows - self._first[minute], np.abs(sizes)
        # print by print: the same bits however a run is cut
        np.add.at(cells, (at, np.where(sizes > 0, BOUGHT, SOLD)), amounts)
        np.maximum.at(cells[:, LARGEST], at, amounts)
        cells[:, COUNT] += np.bincount(at, minlength=len(cells))

    def _make_room(self, minute: int, low: int, high: int) -> None:
        """Extend a minute to hold the rows, and drop minutes that are too old."""
        known = self._minutes.get(minute)
        if known is None:
            while self._minutes and (minute - next(iter(self._minutes))) * MINUTE >= self.keep:
                oldest = next(iter(self._minutes))
                del self._minutes[oldest], self._first[oldest]
            self._minutes[minute], self._first[minute] = np.zeros((high - low + 1, _FIELDS)), low
            return
        first = self._first[minute]
        below, above = max(first - low, 0), max(high - first - len(known) + 1, 0)
        if below or above:
            self._minutes[minute] = np.pad(known, ((below, above), (0, 0)))
            self._first[minute] = first - below

    def rows(
        self, since: int, first: int, count: int, row: float, until: int | None = None
    ) -> TradedRows:
        """Return what traded from a time on, by price.

        Args:
            since: µs; the minute that holds it counts as a whole.
            first: Number of the lowest row.
            count: Number of rows.
            row: Height of a row, quote currency, at least `step`.
            until: µs; minutes that start then or later do not count. None counts all.
        """
        end = math.inf if until is None else until // MINUTE
        kept = [minute for minute in self._minutes if since // MINUTE <= minute < end]
        numbers = [self._first[minute] + np.arange(len(self._minutes[minute])) for minute in kept]
        cells = np.concatenate(
            [self._minutes[minute] for minute in kept] or [np.zeros((0, _FIELDS))]
        )
        prices = np.concatenate(numbers or [np.zeros(0)]) * self.step
        at = np.floor(prices / row + 1e-9).astype(np.int64) - first
        inside = (at >= 0) & (at < count)
        at, cells = at[inside], cells[inside]
        bought, sold, prints = (
            np.bincount(at, cells[:, k], count).astype(np.float64) for k in (BOUGHT, SOLD, COUNT)
        )
        largest = np.zeros(count)
        np.maximum.at(largest, at, cells[:, LARGEST])
        return TradedRows(row, first, bought, sold, largest, prints.astype(np.int64))

    def reach(self, since: int) -> tuple[float, float] | None:
        """Return the lowest and highest price traded from a time on; None where nothing was."""
        kept = [minute for minute in self._minutes if minute >= since // MINUTE]
        if not kept:
            return None
        low = min(self._first[minute] for minute in kept)
        high = max(self._first[minute] + len(self._minutes[minute]) - 1 for minute in kept)
        return low * self.step, high * self.step


def step_for(price: float, share: float = 5e-5) -> float:
    """Return a round step not below a share of a price: 1, 2 or 5 times a power of ten.

    Args:
        price: > 0.
        share: 0.5 basis points by default.
    """
    power = 10.0 ** math.floor(math.log10(price * share))
    return next(n * power for n in _STEPS if n * power >= price * share * (1 - 1e-9))
