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
from powderkeg.signals.contract import EXPIRED, GONE, CoinSignal, Episode, Kind, ZoneSignal

ZONE_SIGNALS: Final[tuple[ZoneSignal, ...]] = (
    APPROACH, SWEEP_RECLAIM, HUNT_TRAP, CASCADE_CHAIN, STALL_SHORT, ABSORBED, GROWTH,
)  # fmt: skip
COIN_SIGNALS: Final[tuple[CoinSignal, ...]] = (
    CROWDED, WHALE_BID, CONFLUENCE, LARGE_PRINT, VOLUME_SPIKE, FUNDING_EXTREME, FEED_STALE,
)  # fmt: skip
REACH: Final = max(signal.reach for signal in ZONE_SIGNALS)
"""Distance beyond which no signal begins, fraction of price."""
BY_KIND: Final[dict[Kind, ZoneSignal | CoinSignal]] = {
    signal.kind: signal for signal in (*ZONE_SIGNALS, *COIN_SIGNALS)
}
"""Every signal that has states; a wick has none."""


def ahead(episode: Episode) -> list[str]:
    """Return the states that an open episode has left on its usual way, its usual end last."""
    signal = BY_KIND[episode.kind]
    been = {move.state for move in episode.transitions}
    way = signal.states
    if episode.links:  # a chain: its third state is that of the second link
        way = way[: len(episode.links) + 1]
    last = max((n for n, state in enumerate(way) if state in been), default=-1)
    return [*way[last + 1 :], signal.final[0]]


def has_failed(kind: Kind, state: str) -> bool:
    """Return whether a state ends an episode otherwise than it set out."""
    signal = BY_KIND.get(kind)
    return state in (EXPIRED, GONE) or (signal is not None and state in signal.against)
