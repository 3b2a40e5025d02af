"""What a plan stands in: clusters, dollars by price and the usual range, from the live map."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from powderkeg.events import MINUTE
from powderkeg.grid import price_of
from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.maps.flow.ladder import map_beside
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import CoinView
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, joined_bars
from powderkeg.maps.views.clusters import foremost, standing
from powderkeg.market.book import Book
from powderkeg.risk.fuel import Fuel, PriceCluster
from powderkeg.risk.plan import Surroundings

QUARTER: Final = 15
"""Minutes of a bar."""
BARS: Final = 14
"""Bars that the average true range is the mean of."""
LEAST_BARS: Final = 4


def surroundings(flow_view: FlowView, venues: tuple[str, ...]) -> Surroundings:
    """Return what a plan stands in now, without the spread of the books.

    Args:
        flow_view: The coin.
        venues: Whose map; none means all.
    """
    mark = past.price_at(flow_view, 0)
    if not mark > 0:
        return Surroundings(atr=math.nan, spread=math.nan)
    profile = map_beside(flow_view, venues)
    if profile is None:
        return Surroundings(atr=average_true_range(flow_view), spread=math.nan)
    edges = np.array([price_of(profile.base + n) for n in range(profile.dollars.shape[2] + 1)])
    found = foremost(standing(profile, mark))
    return Surroundings(
        clusters=tuple(PriceCluster(c.side, c.floor, c.top, c.notional) for c in found),
        atr=average_true_range(flow_view),
        spread=math.nan,
        fuel=Fuel(edges, profile.by_side()) if len(edges) > 1 else None,
    )


def average_true_range(coin_view: CoinView) -> float:
    """Return the mean true range of the last bars of fifteen minutes, quote currency.

    NaN where fewer than four are known. The bar under way does not count.
    """
    bars = joined_bars(coin_view.prices, QUARTER * MINUTE, coin_view.now, BARS + 1)
    bars = bars[np.isfinite(bars[:, CLOSE])]
    if len(bars) < LEAST_BARS:
        return math.nan
    before = bars[:-1, CLOSE]
    high, low = np.maximum(bars[1:, HIGH], before), np.minimum(bars[1:, LOW], before)
    return float((high - low).mean())


def tightest_spread(books: list[Book]) -> float:
    """Return the spread of the tightest live book, quote currency; NaN without one."""
    spreads = [book.ask - book.bid for book in books if book.status == "live"]
    return min((each for each in spreads if math.isfinite(each)), default=math.nan)
