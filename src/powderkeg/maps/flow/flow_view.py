"""The view of a coin that order-flow views are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from powderkeg.flow.coin import CoinFlow, MarketFlow
from powderkeg.maps.heatmap.coin_view import CoinView
from powderkeg.maps.risk.learning import SweepLearner
from powderkeg.market.book import Book


class FlowView(CoinView, Protocol):
    """One coin with its prints and books."""

    @property
    def flow(self) -> CoinFlow:
        """Prints, books and readings of all markets."""
        ...

    @property
    def sweeps(self) -> SweepLearner:
        """What was learned of its depth from sweeps of this coin."""
        ...

    def books(self) -> Iterable[Book]:
        """Return the book of every market, in a fixed order."""
        ...


def venue_of(market: str) -> str:
    """Return the venue of a market such as ``binance:BTCUSDT``."""
    return market.partition(":")[0]


def chosen(flow_view: FlowView, venues: tuple[str, ...]) -> list[MarketFlow]:
    """Return the markets of the venues chosen, by name; none means all of them."""
    return [
        market
        for name, market in sorted(flow_view.flow.markets.items())
        if not venues or venue_of(name) in venues
    ]
