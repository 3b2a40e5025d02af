"""Copy of a desk, to be read in another thread while the original keeps changing.

What a view reads is copied; what only grows at its end, or is replaced and never changed, is
shared. Nothing may be applied to a frozen desk.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from powderkeg.desk import Desk, Market
from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.market.sightings import ObservedPositions
from powderkeg.state import names

T = TypeVar("T")


class FrozenDesk(Desk):
    """A desk that does not change: what is asked of it time and again is found once."""

    __slots__ = ("_estimated", "_price")

    def __init__(self, desk: Desk) -> None:
        """Share everything with `desk`; see `frozen`."""
        for name in names(Desk):
            setattr(self, name, getattr(desk, name))

    def settle(self) -> None:
        """Find what is kept, once nothing is shared any more that changes."""
        self._estimated = tuple(super().estimated())
        self._price = super().price

    @property
    def price(self) -> float:
        """Last price of the leading market, NaN before the first."""
        return self._price

    def estimated(self) -> Iterator[MarketView]:
        """Yield the markets whose estimate has a mark, by name."""
        return iter(self._estimated)


def frozen(desk: Desk) -> FrozenDesk:
    """Return a copy of a desk as it is now, whose views can be computed in any thread."""
    out = FrozenDesk(desk)
    out.counts = copy.copy(desk.counts)
    out.markets = {name: _market(market) for name, market in desk.markets.items()}
    out.observed = {name: _observed(positions) for name, positions in desk.observed.items()}
    out.prices = {step: _copied(ring) for step, ring in desk.prices.items()}
    out.settle()
    return out


def _market(market: Market) -> Market:
    out = copy.copy(market)
    if market.estimate is not None:
        out.estimate = _estimate(market.estimate)
    out.entries = _copied(market.entries)
    out.rings = {step: ring.frozen() for step, ring in market.rings.items()}
    out.static_ring = market.static_ring.frozen()
    return out


def _estimate(estimate: Estimate) -> Estimate:
    out = copy.copy(estimate)
    out.exposure = _copied(estimate.exposure)
    out.model_error = _copied(estimate.model_error)
    out.baselines = copy.copy(estimate.baselines)
    out.baselines.static = _copied(estimate.baselines.static)
    return out


def _observed(observed: ObservedPositions) -> ObservedPositions:
    out = copy.copy(observed)
    out.positions = dict(observed.positions)
    return out


def _copied(value: T) -> T:
    """Return an object with its own copy of every writeable array."""
    out = copy.copy(value)
    for name in names(type(value)):
        array = getattr(value, name)
        if isinstance(array, np.ndarray) and array.flags.writeable:
            setattr(out, name, array.copy())
    return out
