"""How sure the map is: bands of 80 % around any part of it, and how much of it is measured.

A part is a stretch of price on one side. What makes it uncertain does not add up bin by bin: the
weight of a class is as wrong in one bin as in the next. So exposures are summed first, by class,
and the band is asked of the sum. Bands are of the map now; of the past none is kept.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.terms import TERMS, as_terms
from powderkeg.engine.calibration.uncertainty import Uncertainty
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import Floats, Times
from powderkeg.grid import BIN
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter, MarketView


class Interval(Struct, frozen=True, eq=False):
    """Of each part asked about, arrays of shape (n,)."""

    low: Floats
    """End of the 80 % band as a factor of the estimate, 0 to 1."""
    high: Floats
    """The other end, >= 1; 1 for both where the map holds nothing."""
    own: Floats
    """The low end without the model error, which a part shares with what surrounds it: what is
    left to doubt of one level beside the next."""
    measured: Floats
    """Share of the mass whose class weights come from liquidations rather than the prior."""


def interval(
    coin_view: CoinView, map_filter: MapFilter, sides: Times, first: Times, last: Times
) -> Interval:
    """Return how sure parts of the map now are.

    Args:
        coin_view: The coin.
        map_filter: Which venues, tiers and side.
        sides: 0 for longs, 1 for shorts, shape (n,).
        first: First absolute bin of each part, shape (n,).
        last: The bin after its last.
    """
    zero = np.zeros(len(sides))
    total, measured = Uncertainty(zero, zero, zero), zero
    for market in coin_view.estimated():
        if map_filter.takes(market.venue):
            spread, known = _of_market(coin_view, market, map_filter, sides, first, last)
            total, measured = total.plus(spread), measured + known
    low, high = total.band()
    some = total.mean > 0
    safe = np.where(some, total.mean, 1.0)
    own = Uncertainty(total.mean, total.variance, zero).band()[0]
    low, high, own = (np.where(some, end / safe, 1.0) for end in (low, high, own))
    return Interval(low, high, own, measured / safe)


def _of_market(
    coin_view: CoinView,
    market: MarketView,
    map_filter: MapFilter,
    sides: Times,
    first: Times,
    last: Times,
) -> tuple[Uncertainty, Floats]:
    """Return the spread of each part in one market, dollars, and the measured part of its mean."""
    estimate = market.estimate
    table = estimate.exposure
    chosen = map_filter.tier_mask()[table.basis.tiers]
    exposure = np.zeros((len(sides), 2, TERMS))
    low, high = (np.clip(edge - table.base, 0, BINS) for edge in (first, last))
    for side in np.flatnonzero(map_filter.side_mask()).tolist():
        here = np.flatnonzero(sides == side)
        if not len(here):
            continue
        start, stop = int(low[here].min()), int(high[here].max())
        standing, known = table.standing(side, start, stop)
        running = np.zeros((stop - start + 1, TERMS))
        np.cumsum(as_terms(standing * chosen, known), axis=0, out=running[1:])
        exposure[here, side] = running[high[here] - start] - running[low[here] - start]
    price = np.exp((first + last) / 2 * BIN)
    spread = estimate.uncertainty(exposure, coin_view.now)
    known = (exposure * estimate.weights(coin_view.now) * estimate.confidence()).sum(axis=(1, 2))
    both = Uncertainty(
        *(column.sum(axis=1) for column in (spread.mean, spread.variance, spread.model_error))
    )
    return both.times(price), known * price
