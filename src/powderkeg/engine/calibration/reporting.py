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
from powderkeg.venues import spec_of

PRIOR_SPREAD = 0.3
"""Standard deviation of the log of liquidated over reported volume, see `VenueSpec`."""
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
    if not sampled(venue):
        return ReportingRate()
    return ReportingRate(1 / spec_of(venue).liquidated_per_reported, PRIOR_SPREAD)


def sampled(venue: str) -> bool:
    """Return whether a venue's feed has some of its liquidations only."""
    return spec_of(venue).liquidations == "sample"


def silent(venue: str) -> bool:
    """Return whether a venue has no feed of liquidations: its weights come from other markets."""
    return spec_of(venue).liquidations == "none"


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
        each for each in market_stats if not sampled(each.venue) and each.market != own.market
    ]
    reported = float(own.credit.sum()) * share
    if not sampled(own.venue) or not complete:
        return known
    expected = float(prior_mean(complete, own.market, prior, GLOBAL) @ own.crossed)
    if not (reported > 0 and expected > 0):
        return known
    trust = known.spread**-2, 1 / (BETWEEN**2 + grain / reported)
    log = trust[0] * math.log(known.share) + trust[1] * math.log(reported / expected)
    found = float(np.clip(math.exp(log / sum(trust)), LEAST, 1.0))
    return ReportingRate(found, 1 / math.sqrt(sum(trust)), measured=True)
