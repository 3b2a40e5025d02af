"""Every signal, in the order in which they are asked."""

from __future__ import annotations

from typing import Final

from powderkeg.signals.clusters.absorbed import ABSORBED
from powderkeg.signals.clusters.approach import APPROACH
from powderkeg.signals.clusters.cascade_chain import CASCADE_CHAIN
from powderkeg.signals.clusters.growth import GROWTH
from powderkeg.signals.clusters.hunt_trap import HUNT_TRAP
from powderkeg.signals.clusters.stall_short import STALL_SHORT
from powderkeg.signals.clusters.sweep_reclaim import SWEEP_RECLAIM
from powderkeg.signals.context.confluence import CONFLUENCE
from powderkeg.signals.context.crowded import CROWDED
from powderkeg.signals.context.simple import (
    FEED_STALE,
    FUNDING_EXTREME,
    LARGE_PRINT,
    VOLUME_SPIKE,
)
from powderkeg.signals.context.whale_bid import WHALE_BID
from powderkeg.signals.contract import CoinSignal, ZoneSignal

ZONE_SIGNALS: Final[tuple[ZoneSignal, ...]] = (
    APPROACH, SWEEP_RECLAIM, HUNT_TRAP, CASCADE_CHAIN, STALL_SHORT, ABSORBED, GROWTH,
)  # fmt: skip
COIN_SIGNALS: Final[tuple[CoinSignal, ...]] = (
    CROWDED, WHALE_BID, CONFLUENCE, LARGE_PRINT, VOLUME_SPIKE, FUNDING_EXTREME, FEED_STALE,
)  # fmt: skip
REACH: Final = max(signal.reach for signal in ZONE_SIGNALS)
"""Distance beyond which no signal begins, fraction of price."""
