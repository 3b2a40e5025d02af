"""The ladder: resting size of several books by price, on one set of rows.

Books are added up either at the same price, or at the same distance from each book's own mid:
perpetuals of different venues differ by some basis points. Bids are rounded down and asks up. A
price at which some venue bids and another asks is drawn as it is: an aggregate may be crossed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats, Side
from powderkeg.flow.books.depth import DISTANCES, book_depth

Alignment: TypeAlias = Literal["price", "distance"]
_ROUNDING = 1e-9
_SIDES: tuple[Side, Side] = ("buy", "sell")


class Depth(Protocol):
    """A book, as far as a ladder needs it."""

    @property
    def mid(self) -> float:
        """Half-way between best bid and best ask, NaN where one is missing."""
        ...

    def depth(self, side: Side, low: float, high: float) -> tuple[Floats, Floats]:
        """Return prices and sizes of a side within a range."""
        ...


class LadderRows(Struct, frozen=True, eq=False):
    """Rows of prices, rising."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row: its price is ``first * step``."""
    bids: Floats
    """Base coin by book and row, shape (books, rows)."""
    asks: Floats

    @property
    def prices(self) -> Floats:
        """Price of each row, shape (rows,)."""
        return (self.first + np.arange(self.bids.shape[1])) * self.step


class DepthSummary(Struct, frozen=True):
    """The books in figures."""

    spread: float
    """Best ask less best bid of the tightest book, quote currency; NaN without a book."""
    within: dict[str, tuple[float, float]]
    """Notional of bids and asks by distance from each book's mid, such as ``0.5%``."""
    complete: dict[str, tuple[bool, bool]]
    """Whether every book reaches so far: else what is known is a lower bound."""


def ladder(
    books: Sequence[Depth], step: float, first: int, count: int, alignment: Alignment, mid: float
) -> LadderRows:
    """Return the ladder of books.

    Args:
        books: One row of the result each.
        step: Height of a row, quote currency.
        first: Number of the lowest row.
        count: Number of rows.
        alignment: Whether books are added at the same price or at the same distance from their mid.
        mid: Price at which the mids of all books are laid, for `distance`.
    """
    out = np.zeros((2, len(books), count))
    for n, book in enumerate(books):
        factor = mid / book.mid if alignment == "distance" else 1.0
        if not math.isfinite(factor):
            continue
        low, high = (first - 1) * step / factor, (first + count) * step / factor
        for side, name in enumerate(_SIDES):
            prices, sizes = book.depth(name, low, high)
            places = prices * factor / step
            whole = np.floor(places + _ROUNDING) if side == 0 else np.ceil(places - _ROUNDING)
            rows = whole.astype(np.int64) - first
            inside = (rows >= 0) & (rows < count)
            out[side, n] = np.bincount(rows[inside], sizes[inside], count)
    return LadderRows(step, first, out[0], out[1])


def summary(books: Sequence[Depth], distances: Sequence[float] = DISTANCES) -> DepthSummary:
    """Return spread and depth of books.

    Args:
        books: Those without a mid do not count.
        distances: Fractions of each book's mid.
    """
    depths = [
        book_depth(book.depth("buy", 0.0, math.inf), book.depth("sell", 0.0, math.inf), distances)
        for book in books
    ]
    known = [depth for depth in depths if math.isfinite(depth.mid)]
    total = sum((depth.notional for depth in known), np.zeros((len(distances), 2)))
    within = {
        f"{distance * 100:g}%": (bids, asks)
        for distance, (bids, asks) in zip(distances, total.tolist(), strict=True)
    }
    reached = np.all([depth.complete for depth in known], axis=0) if known else total < 0
    complete = {
        name: (bids, asks) for name, (bids, asks) in zip(within, reached.tolist(), strict=True)
    }
    spread = min((depth.spread for depth in known), default=math.nan)
    return DepthSummary(spread, within, complete)


def centred(first: int, count: int, row: int, margin: int) -> int:
    """Return the lowest row of a ladder that is recentred only once price nears its edge.

    Args:
        first: Lowest row now.
        count: Number of rows.
        row: Row of the price.
        margin: Rows from an edge at which it is recentred.
    """
    return first if margin <= row - first < count - margin else row - count // 2
