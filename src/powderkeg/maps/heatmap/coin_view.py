"""The view of a coin that maps are drawn from: its markets' estimates, rings and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.exposure.classes import TIERS
from powderkeg.engine.exposure.concentration import EntryConcentration
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import Floats
from powderkeg.grid import centres
from powderkeg.maps.heatmap.prices import PriceRing
from powderkeg.maps.heatmap.ring import Ring
from powderkeg.market.sightings import ObservedMarket

TierName: TypeAlias = Literal[100, 50, 25, 10, 5]
Mode: TypeAlias = Literal["calibrated", "static"]
"""Our map, or the one published elsewhere: every trade at four leverages, never closed."""
SideFilter: TypeAlias = Literal["both", "long", "short"]
TIER_NAMES: tuple[int, ...] = tuple(TIERS)


class MarketView(NamedTuple):
    """One market with an estimate, as the maps and views use it."""

    name: str
    """Such as ``binance:BTCUSDT``."""
    venue: str
    estimate: Estimate
    rings: Mapping[int, Ring]
    """By column step, µs."""
    last_received: int
    """Time of its last event, µs."""
    link: Literal["up", "down", "stale", "refused"]
    entries: EntryConcentration | None = None
    """Concentration of its entries; None where it is not kept."""
    static_ring: Ring | None = None
    """The static map, five minutes a column; None where it is not kept."""
    assumed: int = 0
    """End of the last bars whose volume was assumed, µs; 0 for none."""


class CoinView(Protocol):
    """One coin as the maps see it."""

    @property
    def coin(self) -> str:
        """Such as BTC."""
        ...

    @property
    def now(self) -> int:
        """Time of the newest event, µs."""
        ...

    @property
    def price(self) -> float:
        """Last price of the leading market, NaN before the first."""
        ...

    @property
    def prices(self) -> Mapping[int, PriceRing]:
        """Candles by column step, µs."""
        ...

    def estimated(self) -> Iterable[MarketView]:
        """Return the markets that have an estimate with a mark, in a fixed order."""
        ...

    def observed_markets(self) -> Iterable[ObservedMarket]:
        """Return the markets in which real positions were seen, in a fixed order."""
        ...


class MapFilter(Struct, frozen=True):
    """Which part of the map is asked for. Empty venues mean all of them."""

    venues: tuple[str, ...] = ()
    tiers: tuple[int, ...] = TIER_NAMES
    side: SideFilter = "both"
    model: Mode = "calibrated"

    def takes(self, venue: str) -> bool:
        """Return whether a venue is chosen."""
        return not self.venues or venue in self.venues

    def tier_mask(self) -> NDArray[np.bool_]:
        """Return which tiers are chosen, shape (5,)."""
        return np.array([tier in self.tiers for tier in TIER_NAMES])

    def side_mask(self) -> NDArray[np.bool_]:
        """Return which sides are chosen, shape (2,): long, short."""
        return np.array([self.side != "short", self.side != "long"])


def drawn(estimate: Estimate, model: Mode, at: int) -> tuple[Exposure, Floats]:
    """Return the table of a model and its weights (2, 2, 64): side, ground, class."""
    if model == "static":
        return estimate.baselines.static, estimate.static_weights(at)
    return estimate.exposure, estimate.map_weights(at)


class PriceProfile(Struct, frozen=True, eq=False):
    """Dollars by price bin, side and tier on the common grid."""

    base: int
    """Absolute index of bin 0; bin b covers ``price_of(base + b)`` upwards."""
    dollars: Floats
    """Shape (tiers, 2, bins)."""

    def prices(self) -> Floats:
        """Return the centre price of each bin, shape (bins,)."""
        return centres(self.base, self.dollars.shape[2])

    def by_side(self) -> Floats:
        """Return dollars by side, shape (2, bins)."""
        return self.dollars.sum(axis=0)


def price_profile(
    coin_view: CoinView, map_filter: MapFilter, venue: str | None = None
) -> PriceProfile:
    """Return the exact map now of the chosen venues, summed on the common grid.

    Args:
        coin_view: The coin.
        map_filter: Which venues, tiers and side.
        venue: Only this one of them.
    """
    markets = [
        market
        for market in coin_view.estimated()
        if map_filter.takes(market.venue) and venue in (None, market.venue)
    ]
    if not markets:
        return PriceProfile(0, np.zeros((len(TIER_NAMES), 2, 0)))
    tables = [drawn(market.estimate, map_filter.model, coin_view.now) for market in markets]
    bases = [table.base for table, _ in tables]
    low, high = min(bases), max(bases) + BINS
    total = np.zeros((len(TIER_NAMES), 2, high - low))
    for (table, weights), base in zip(tables, bases, strict=True):
        coins = table.render_tiers(weights, table.basis.tiers, len(TIER_NAMES), 0, BINS)
        total[:, :, base - low : base - low + BINS] += coins
    total *= centres(low, high - low)
    total[~map_filter.tier_mask()] = 0.0
    total[:, ~map_filter.side_mask()] = 0.0
    return PriceProfile(low, total)
