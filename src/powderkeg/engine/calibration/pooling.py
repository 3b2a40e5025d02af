"""What other markets have learned, as the centre of a market's prior: global, venue, symbol, side.

Weights are shares of unit-weight exposure, so they compare across coins once volume and exposure
are both divided by open interest. A market about to learn centres its prior on the same venue's
other markets, these on all markets, and all on the prior; `calibration.weights` goes on
from there to the symbol and its sides.

A market that has learned nothing yet begins with weights pretrained elsewhere; they are used only
after the time up to which they were learned, so a score of the hours they come from is not
flattered by them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.terms import SHARES
from powderkeg.engine.calibration.weights import Fit
from powderkeg.events import Floats

GLOBAL = 5e-6
"""Pseudo-volume with which all markets together are held to the assumed prior, share of open
interest."""
VENUE = 5e-5
"""The same of a venue's markets and the centre of all."""


class PretrainedWeights(Struct, frozen=True, eq=False):
    """Weights of terms, what they come from, and how far they may be off."""

    weights: Floats
    """Per unit of open interest, see `terms.per_oi`, shape (98,)."""
    since: int
    """µs of the first hour learned from."""
    until: int
    """µs after the last."""
    market: str
    """Where, in words, such as ``BTC on Binance``."""
    reports: float
    """Effective number of liquidations."""
    level: float
    """Standard deviation of the log of the level from one fortnight to another."""
    variance: float
    """Relative variance of a single weight."""
    strength: float
    """Pseudo-volume with which other markets are held to it, share of open interest."""
    version: int
    """Of the model that learned it."""


class PooledStats(Struct, frozen=True, eq=False):
    """What one market's liquidations said, per unit of open interest, see `terms.per_oi`."""

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
    """Return what a fit of a market says to others.

    Args:
        market: Such as ``binance:BTCUSDT``.
        fit: Its own.
        oi: Open interest, base coin.
        share: Of all that is liquidated that was reported to it.
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
    """Return the weights (98,) on which a market's prior is centred, from everybody but itself.

    Args:
        market_stats: Of all markets.
        market: The one that is about to learn, such as ``binance:BTCUSDT``.
        prior: Its own prior, per unit of open interest, shape (98,), all > 0.
        strength: Pseudo-volume with which all markets together are held to it, share of OI.
    """
    others = [each for each in market_stats if each.market != market]
    venue = market.partition(":")[0]
    near = [each for each in others if each.venue == venue]
    return _pool(near, _pool(others, prior, strength), VENUE)


def _pool(market_stats: Sequence[PooledStats], middle: Floats, strength: float) -> Floats:
    """Return the mean of the gamma posterior with its prior's mean in `middle`."""
    if not market_stats:
        return middle
    credit = np.zeros(len(middle))
    crossed = np.zeros(len(middle))
    for each in market_stats:
        credit += each.credit
        crossed += each.crossed
    return (credit + strength) / (crossed + strength / middle)
