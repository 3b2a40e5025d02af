"""How much of what dies a sampled feed tells, and how sure that is.

Binance tells at most one forced close a second and symbol, OKX and Bitget one of several. Such a
feed shows where positions die, but too few dollars. The share it tells is learned against feeds
that tell all: their markets say what a unit of crossed exposure kills, and what is told here
is compared with that.

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
"""Venues whose feed is a sample, and how many times more dies than it tells, as far as is known."""
SILENT = {"hyperliquid"}
"""Venues without a public feed of liquidations: what is known of them is what others teach."""
PRIOR_SPREAD = 0.3
"""Standard deviation of the log of that factor."""
BETWEEN = 0.5
"""The same of how much venues differ in what a unit of exposure kills: traders are not alike."""


LEAST = 0.01
"""Of the share: a feed that tells less is broken, not sampled."""


class ReportingRate(Struct, frozen=True):
    """The share of liquidated volume a feed tells."""

    share: float = 1.0
    spread: float = 0.0
    """Standard deviation of its logarithm."""
    measured: bool = False
    """Whether complete feeds have been compared with, or it is the prior alone."""


def initial_rate(venue: str) -> ReportingRate:
    """Return what is known of a venue's feed beforehand."""
    return ReportingRate(1 / SAMPLED[venue], PRIOR_SPREAD) if venue in SAMPLED else ReportingRate()


def observed_rate(
    own: PooledStats, market_stats: Sequence[PooledStats], share: float, prior: Floats, grain: float
) -> ReportingRate:
    """Return the share a market's feed tells, from complete feeds of other markets.

    Args:
        own: What this market has learned.
        market_stats: Of all markets; those of sampled feeds are left out.
        share: The share under which `own` was learned.
        prior: Weights per unit of open interest where no complete feed has said anything, (98,).
        grain: Size of a typical event over open interest: how far chance moves the volume.
    """
    known = initial_rate(own.venue)
    complete = [
        each for each in market_stats if each.venue not in SAMPLED and each.market != own.market
    ]
    told = float(own.credit.sum()) * share
    if own.venue not in SAMPLED or not complete:
        return known
    expected = float(prior_mean(complete, own.market, prior, GLOBAL) @ own.crossed)
    if not (told > 0 and expected > 0):
        return known
    trust = known.spread**-2, 1 / (BETWEEN**2 + grain / told)
    log = trust[0] * math.log(known.share) + trust[1] * math.log(told / expected)
    found = float(np.clip(math.exp(log / sum(trust)), LEAST, 1.0))
    return ReportingRate(found, 1 / math.sqrt(sum(trust)), measured=True)
