"""Where a stop goes: beyond the cluster that protects the position, by a buffer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from powderkeg.events import PositionSide
from powderkeg.risk.fuel import PriceCluster

BUFFER: Final = 0.0047
"""Least distance of a stop beyond a cluster, fraction of its edge."""
ATR_SHARE: Final = 0.5
"""Of the average true range of fifteen minutes."""
SPREADS: Final = 2.0
RECLAIM: Final = 0.005
"""Distance beyond the near edge of a cluster at which it counts as reclaimed."""
_ROUNDING: Final = 1e-9


def buffer_of(edge: float, atr: float = 0.0, spread: float = 0.0) -> float:
    """Return how far a stop lies beyond a cluster's edge: the largest of three, quote currency.

    Args:
        edge: Price of the cluster's far edge, quote currency.
        atr: Average true range of fifteen minutes, quote currency; 0 or NaN where not known.
        spread: Best ask less best bid, quote currency; 0 or NaN where not known.
    """
    others = (ATR_SHARE * atr, SPREADS * spread)
    return max([BUFFER * edge, *(each for each in others if math.isfinite(each))])


def stop_beyond(cluster: PriceCluster, side: PositionSide, buffer: float) -> float:
    """Return the stop beneath a cluster (long) or above it (short), rounded away from it.

    It is rounded to a power of ten near a basis point of the price, as traders read prices.
    """
    edge = cluster.floor if side == "long" else cluster.top
    step = 10.0 ** math.floor(math.log10(edge * 1e-4) + _ROUNDING)
    if side == "long":
        return math.floor((edge - buffer) / step + _ROUNDING) * step
    return math.ceil((edge + buffer) / step - _ROUNDING) * step


def protective(
    clusters: Iterable[PriceCluster], side: PositionSide, entry: float
) -> PriceCluster | None:
    """Return the cluster that protects an entry: the nearest of its own side, or that it lies in.

    Beneath a long stand longs: whoever is liquidated there sells before the stop is reached.
    """
    own = [
        c
        for c in clusters
        if c.side == side and (c.floor < entry if side == "long" else c.top > entry)
    ]
    return min(own, key=lambda c: (abs(c.near(entry) - entry), -c.notional), default=None)


def reclaim_of(cluster: PriceCluster, side: PositionSide) -> float:
    """Return the price at which a cluster counts as reclaimed, quote currency."""
    return cluster.top * (1 + RECLAIM) if side == "long" else cluster.floor * (1 - RECLAIM)
