"""Hierarchical pooling: a market's prior is centred on other markets' fits, by venue, then all.

Weights are shares of unit-weight exposure, so they compare across coins once volume and exposure
are both divided by open interest. A market centres its prior on the other markets of its venue,
these on all markets, and those on the assumed prior; `calibration.weights` continues with the
symbol and its sides.

A market without a fit starts from pretrained weights. They are used only after the time they were
fitted up to, so no score of those hours benefits from them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.terms import SHARES
from powderkeg.engine.calibration.weights import Fit
from powderkeg.events import Floats

GLOBAL = 5e-6
"""Pseudo-volume of the assumed prior when all markets are pooled, share of open interest."""
VENUE = 5e-5
"""Pseudo-volume of the mean of all markets when a venue's are pooled, share of open interest."""


class PretrainedWeights(Struct, frozen=True, eq=False):
    """Pretrained weights of terms, their source, and how far they may be off."""

    weights: Floats
    """Per unit of open interest, see `terms.per_oi`, shape (98,)."""
    since: int
    """µs of the first hour fitted to."""
    until: int
    """µs after the last."""
    market: str
    """Name of the source market, such as ``BTC on Binance``."""
    reports: float
    """Effective number of liquidations."""
    level: float
    """Standard deviation of the log of the level from one fortnight to another."""
    variance: float
    """Relative variance of a single weight."""
    strength: float
    """Its pseudo-volume as the prior of other markets, share of open interest."""
    version: int
    """Version of the model that fitted it."""


class PooledStats(Struct, frozen=True, eq=False):
    """Sufficient statistics of one market's fit per unit of open interest; see `terms.per_oi`."""

    market: str
    credit: Floats
    """Complete liquidated volume credited to each term, both sides, shape (98,)."""
    crossed: Floats
    """Exposure of each term that was crossed meanwhile, shape (98,)."""

    @property
    def venue(self) -> str:
        """Such as binance."""
        return self.market.partition(":")[0]


def pooled_stats_of(market: str, fit: Fit, oi: float, share: float) -> PooledStats:
    """Return the statistics that other markets' priors are pooled from.

    Args:
        market: Such as ``binance:BTCUSDT``.
        fit: The market's own fit.
        oi: Open interest, base coin.
        share: Of all liquidated volume that was reported to it.
    """
    crossed = fit.crossed.sum(axis=0)
    return PooledStats(
        market,
        fit.evidence.sum(axis=0) / (oi * share),
        np.where(SHARES, crossed / oi, crossed),
    )


def prior_mean(
    market_stats: Sequence[PooledStats], market: str, prior: Floats, strength: float
) -> Floats:
    """Return the weights (98,) a market's prior is centred on, from all markets but itself.

    Args:
        market_stats: Of all markets.
        market: The one to be fitted, such as ``binance:BTCUSDT``.
        prior: Its own prior, per unit of open interest, shape (98,), all > 0.
        strength: Pseudo-volume of that prior when all markets are pooled, share of OI.
    """
    others = [each for each in market_stats if each.market != market]
    venue = market.partition(":")[0]
    near = [each for each in others if each.venue == venue]
    return _pool(near, _pool(others, prior, strength), VENUE)


def _pool(market_stats: Sequence[PooledStats], middle: Floats, strength: float) -> Floats:
    """Return the mean of the gamma posterior whose prior has the mean `middle`."""
    if not market_stats:
        return middle
    credit = np.zeros(len(middle))
    crossed = np.zeros(len(middle))
    for each in market_stats:
        credit += each.credit
        crossed += each.crossed
    return (credit + strength) / (crossed + strength / middle)
