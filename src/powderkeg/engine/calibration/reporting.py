"""The reporting rate: which share of liquidations a sampled feed reports, and its uncertainty.

Binance reports at most one liquidation per second and symbol, OKX and Bitget one of several. Such
a feed shows where positions are liquidated, but too few dollars. The share is estimated against
complete feeds: their markets give the volume liquidated per unit of crossed exposure, and the
volume reported here is compared with that.

Source: docs/model.md, "Calibration"; the prior is two independent measurements of Binance
against Bybit, a factor of 2.7 and 2.9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.pooling import GLOBAL, PooledStats, prior_mean
from powderkeg.events import Floats

SAMPLED = {"binance": 2.8, "binance-coin": 2.8, "okx": 1.5, "bitget": 2.8}
"""Venues with a sampled feed, and the prior ratio of liquidated to reported volume."""
SILENT = {"hyperliquid"}
"""Venues without a public feed of liquidations: their weights come from other markets."""
PRIOR_SPREAD = 0.3
"""Standard deviation of the log of that ratio."""
BETWEEN = 0.5
"""Standard deviation, between venues, of the log of the volume liquidated per unit of exposure."""
LEAST = 0.01
"""Lowest share: a feed that reports less is broken, not sampled."""


class ReportingRate(Struct, frozen=True):
    """The share of liquidated volume that a feed reports."""

    share: float = 1.0
    spread: float = 0.0
    """Standard deviation of its logarithm."""
    measured: bool = False
    """True if compared with complete feeds; false if it is the prior alone."""


def initial_rate(venue: str) -> ReportingRate:
    """Return the prior reporting rate of a venue."""
    return ReportingRate(1 / SAMPLED[venue], PRIOR_SPREAD) if venue in SAMPLED else ReportingRate()


def observed_rate(
    own: PooledStats, market_stats: Sequence[PooledStats], share: float, prior: Floats, grain: float
) -> ReportingRate:
    """Return the share of liquidations a market's feed reports, from complete feeds of others.

    Args:
        own: Statistics of this market.
        market_stats: Of all markets; those of sampled feeds are left out.
        share: The share assumed when `own` was fitted.
        prior: Weights per unit of open interest where no complete feed has data, (98,).
        grain: Size of a typical event over open interest, for the sampling error.
    """
    known = initial_rate(own.venue)
    complete = [
        each for each in market_stats if each.venue not in SAMPLED and each.market != own.market
    ]
    reported = float(own.credit.sum()) * share
    if own.venue not in SAMPLED or not complete:
        return known
    expected = float(prior_mean(complete, own.market, prior, GLOBAL) @ own.crossed)
    if not (reported > 0 and expected > 0):
        return known
    trust = known.spread**-2, 1 / (BETWEEN**2 + grain / reported)
    log = trust[0] * math.log(known.share) + trust[1] * math.log(reported / expected)
    found = float(np.clip(math.exp(log / sum(trust)), LEAST, 1.0))
    return ReportingRate(found, 1 / math.sqrt(sum(trust)), measured=True)
