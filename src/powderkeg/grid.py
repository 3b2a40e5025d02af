"""The price grid that all markets of all venues share: bins of 5 bp, and rows of several bins.

Bin b covers the prices from ``price_of(b)`` up to ``price_of(b + 1)``, whatever the coin, so
the maps of several venues add up bin by bin. The scalar functions are compiled into the kernels
that call them (numba's `register_jitable`), and are plain Python elsewhere.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numba.extending import register_jitable
from numpy.typing import NDArray

from powderkeg.events import Floats

BIN: Final = 5e-4
"""Height of a bin in log price: 5 bp, a tenth of what a 100x position can lose."""


@register_jitable
def position_of(price: float) -> float:
    """Return where a price lies on the grid, in bins from the price 1: a bin and a part of it."""
    return math.log(price) / BIN


@register_jitable
def bin_of(price: float) -> int:
    """Return the bin that holds a price."""
    return math.floor(position_of(price))


@register_jitable
def price_of(position: float) -> float:
    """Return the price at a position: a whole number is the lower edge of a bin, .5 its centre."""
    return math.exp(position * BIN)


def bins_of(prices: Floats) -> NDArray[np.int64]:
    """Return the bin that holds each price, in the shape of `prices`."""
    return np.floor(np.log(prices) / BIN).astype(np.int64)


def log_centres(first: int, count: int) -> Floats:
    """Return the log price at the centre of `count` bins from `first` on, shape (count,)."""
    return (first + np.arange(count, dtype=np.float64) + 0.5) * BIN


def centres(first: int, count: int) -> Floats:
    """Return the price at the centre of `count` bins from `first` on, shape (count,)."""
    return np.exp(log_centres(first, count))


class PriceRows(Struct, frozen=True):
    """Rows of equal height, each of several bins: those of a picture, lowest first."""

    first: int
    """Number of the lowest row; row r begins with bin ``r * per_row``."""
    per_row: int
    """Bins a row."""
    count: int

    @property
    def p0(self) -> float:
        """Natural log of the lower edge of the lowest row."""
        return self.first * self.per_row * BIN

    @property
    def dp(self) -> float:
        """Height of a row in log price."""
        return self.per_row * BIN

    @property
    def first_bins(self) -> NDArray[np.int64]:
        """The lowest bin of each row, shape (count,)."""
        return (self.first + np.arange(self.count)) * self.per_row

    def rows_of(self, bins: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row, from 0, that holds each bin; outside 0 to `count` it is off the rows."""
        return bins // self.per_row - self.first

    def sums(self, dollars: Floats, base: int) -> NDArray[np.float32]:
        """Return dollars by bin, shape (bins,) from the bin `base` on, summed by row (count,)."""
        out = np.zeros(self.count)
        rows = self.rows_of(base + np.arange(len(dollars)))
        inside = (rows >= 0) & (rows < self.count)
        np.add.at(out, rows[inside], dollars[inside])
        return out.astype(np.float32)
