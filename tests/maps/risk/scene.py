"""A coin whose map, books and candles are known in closed form."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np

from powderkeg.events import MINUTE, SECOND, BookSnapshot
from powderkeg.grid import bin_of
from powderkeg.maps.heatmap.coin_view import PriceProfile
from powderkeg.maps.heatmap.prices import PriceRing
from powderkeg.maps.risk.learning import SweepLearner
from powderkeg.market.book import Book

NOW = 1_767_225_600 * SECOND
MARK = 100_000.0


def profile(*stretches: tuple[int, float, float, float]) -> PriceProfile:
    """Return a map from stretches of side, lowest and highest price, and dollars."""
    base, count = bin_of(70_000.0), bin_of(140_000.0) - bin_of(70_000.0)
    dollars = np.zeros((5, 2, count))
    for side, low, high, held in stretches:
        first, last = bin_of(low) - base, bin_of(high) - base
        dollars[0, side, first:last] = held / (last - first)
    return PriceProfile(base, dollars)


def book(market: str, levels: int, step: float = 10.0, size: float = 1.0) -> Book:
    """Return a live book of even levels about the mark."""
    bids = tuple((MARK - step * (n + 1), size) for n in range(levels))
    asks = tuple((MARK + step * (n + 1), size) for n in range(levels))
    out = Book(market)
    out.apply(BookSnapshot(market, NOW, NOW, bids, asks, 1))
    return out


def candles(closes: list[float]) -> PriceRing:
    """Return one-minute candles that end at `NOW`."""
    ring = PriceRing(MINUTE, 200)
    times = NOW - MINUTE * np.arange(len(closes), 0, -1)
    ring.add_run(times, np.array(closes), np.ones(len(closes)))
    return ring


def coin(ring: PriceRing, books: list[Book] | None = None) -> SimpleNamespace:
    """Return a coin without a market, as far as these views read it."""
    return SimpleNamespace(
        coin="BTC", now=NOW, price=MARK, prices={MINUTE: ring}, estimated=list,
        books=lambda: iter(books or []), sweeps=SweepLearner(),
        flow=SimpleNamespace(ended=deque()),
    )  # fmt: skip
