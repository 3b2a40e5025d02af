"""Footprint: volume bought and sold in each cell of price and bar, and its diagonal imbalances.

A buyer at one row meets the asks of that row, a seller the bids: so what buyers took at a row is
compared with what sellers took one row lower, the two sides of one spread. Volume is compared, not
the number of trades.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import Floats, Trades
from powderkeg.flow.thresholds import DEFAULT


class Footprint(Struct, frozen=True, eq=False):
    """Cells of bars and price rows, both rising."""

    start: int
    """Of the first bar, µs."""
    span: int
    """Length of a bar, µs."""
    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row; it begins at ``first * step``."""
    bought: Floats
    """Base coin taken by buyers, shape (bars, rows)."""
    sold: Floats
    """Base coin taken by sellers, shape (bars, rows)."""
    count: NDArray[np.int64]
    """Prints, shape (bars, rows)."""

    @property
    def delta(self) -> Floats:
        """Bought less sold, shape (bars, rows)."""
        return self.bought - self.sold


class Imbalances(Struct, frozen=True, eq=False):
    """Cells in which one side took far more than the other side of the same spread."""

    buy: NDArray[np.bool_]
    """Buyers over the sellers one row lower, shape (bars, rows)."""
    sell: NDArray[np.bool_]
    """Sellers over the buyers one row higher, shape (bars, rows)."""


def footprint(run: Trades, span: int, step: float) -> Footprint:
    """Return the footprint of prints.

    Args:
        run: At least one print, in order of time.
        span: Length of a bar, µs.
        step: Height of a row, quote currency.
    """
    bars = run.times // span
    rows = np.floor(run.prices / step + 1e-9).astype(np.int64)
    start, first = int(bars[0]), int(rows.min())
    shape = int(bars[-1]) - start + 1, int(rows.max()) - first + 1
    cell = (bars - start) * shape[1] + rows - first
    size = shape[0] * shape[1]
    bought, sold = (
        np.bincount(cell, np.where(side, np.abs(run.sizes), 0.0), size)
        .astype(np.float64)
        .reshape(shape)
        for side in (run.sizes > 0, run.sizes <= 0)
    )
    count = np.bincount(cell, minlength=size).reshape(shape)
    return Footprint(start * span, span, step, first, bought, sold, count)


def imbalances(cells: Footprint, least: float, ratio: float = DEFAULT.flow.imbalance) -> Imbalances:
    """Return the diagonal imbalances.

    Args:
        cells: The footprint.
        least: Base coin that the stronger side took at least.
        ratio: Multiple of the weaker side. Against nothing at all, `least` alone decides.
    """
    buy, sell = (np.zeros(cells.bought.shape, np.bool_) for _ in range(2))
    above, below = cells.bought[:, 1:], cells.sold[:, :-1]
    buy[:, 1:] = (above >= ratio * below) & (above >= least)
    sell[:, :-1] = (below >= ratio * above) & (below >= least)
    return Imbalances(buy, sell)


def stacks(
    flagged: NDArray[np.bool_], least: int = DEFAULT.flow.stacked
) -> list[tuple[int, int, int]]:
    """Return each run of adjacent flagged rows as bar, first row and row after the last.

    Args:
        flagged: One side of `Imbalances`, shape (bars, rows).
        least: Rows of a stack at least.
    """
    edges = np.diff(np.pad(flagged.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return [
        (int(bar), int(low), int(high))
        for (bar, low), (_, high) in zip(begins, ends, strict=True)
        if high - low >= least
    ]
