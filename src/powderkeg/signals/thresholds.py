"""Every threshold of the signals, in one versioned place.

The defaults are those of the scripted trades in docs/signals.md. A change of any of them is a new
`VERSION`: episodes and their statistics belong to the thresholds of their time.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, SECOND

VERSION: Final = 1


class ClusterRules(Struct, frozen=True):
    """Clusters that are followed from one map to the next."""

    refresh: int = 15 * MINUTE
    """µs between two maps."""
    freeze: float = 0.0165
    """Fraction of price within which a cluster is kept as it stood when price came so near."""
    release: float = 0.033
    """Fraction of price beyond which it follows the map again."""
    reach: float = 0.06
    """Fraction of price within which clusters are followed."""
    overlap: float = 0.5
    """Share of the smaller extent that two clusters have in common if they are one."""
    most: int = 6
    """Clusters of a side that are followed, nearest first."""
    rank: float = 90.0
    """Percentile of its notional from which one is large: among those of the coin that were near
    price, because far ones, of lower leverage, always hold more."""
    sample: int = HOUR
    """µs between two samples of the notionals that the percentile is of."""
    memory: int = 4_096
    """Notionals that are remembered."""
    least: int = 40
    """Notionals from which the percentile is known."""


class WindowRules(Struct, frozen=True):
    """Windows over which a scene is summed."""

    flow: int = 120
    """Seconds of taken and refilled volume, and of displacement."""
    volume: int = 300
    """Seconds of volume that are compared with the usual hour."""
    liquidated: int = 60
    """Seconds of liquidations that are a rate."""
    moved: float = 0.0002
    """Displacement that the net volume would make, fraction of price, from which it is compared."""
    usual: int = DAY
    """µs of which the usual volume is a mean."""
    least: int = 30 * MINUTE
    """µs of volume from which it is known."""
    sigma: int = 4 * HOUR
    """µs over which the volatility is given."""


class ApproachRules(Struct, frozen=True):
    """S1: price comes to a cluster."""

    near: float = 0.015
    """Distance to its edge, fraction of price."""
    sigmas: float = 1.0
    """The same in standard deviations of four hours; the smaller counts."""
    closing: int = 3
    """Of the last five minutes, in which price came nearer."""
    edge: float = 0.0015
    """Distance at which it is at the edge."""
    stall: float = 0.008
    """Least distance up to which a retreat is a stall."""
    retreat: float = 2.0
    """Multiple of the least distance that a retreat reaches."""
    through: float = 0.0047
    """Fraction of price beyond the far edge from which price is through."""
    expires: int = 4 * HOUR
    """µs."""


class GrowthRules(Struct, frozen=True):
    """S2: a cluster grows or thins."""

    over: int = 4 * HOUR
    """µs."""
    change: float = 0.25
    """Relative change of its notional."""
    expires: int = 4 * HOUR
    """µs."""


class SweepRules(Struct, frozen=True):
    """S3: a cluster is swept, absorbed and reclaimed."""

    near: float = 0.015
    """Distance to its edge, fraction of price."""
    fired: float = 0.25
    """Share of its notional that has been swept."""
    volume: float = 3.0
    """Multiple of the usual volume over five minutes."""
    ratio: float = 0.6
    """Absorption ratio."""
    refill: float = 0.7
    """Refilled over taken."""
    reclaim: float = 0.005
    """Fraction beyond the near edge that price comes back to."""
    hold: int = 30
    """Seconds for which it stays there."""
    within: int = 60 * MINUTE
    """µs from the entry."""
    failed: float = 0.0047
    """Fraction beyond the far edge."""


class TrapRules(Struct, frozen=True):
    """S4: price is held at a cluster that it pokes into, and turns."""

    near: float = 0.01
    """Distance to its edge, fraction of price."""
    poke: float = 0.0005
    """Fraction beyond the near edge."""
    fired: float = 0.5
    """Most of its notional that has been swept when price is held."""
    refill: float = 1.0
    """Refilled over taken on the opposing side."""
    hold: int = 120
    """Seconds for which it refills so."""
    back: float = 0.0025
    """Fraction before the near edge that price comes back to."""
    broken: float = 0.8
    """Share swept from which it is a breakout."""
    expires: int = 4 * HOUR
    """µs."""
    crowd: float = 90.0
    """Percentile of the crowd on the same side that adds to it."""


class ChainRules(Struct, frozen=True):
    """S5: clusters behind each other."""

    carry: float = 1.0
    """Notional of a cluster over what rests in the gap to the next."""
    links: int = 2
    """Gaps in a row that carry."""
    fired: float = 0.25
    """Share swept from which a cluster has fired."""
    lag: int = 15 * MINUTE
    """µs between two of them."""
    quiet: float = 0.2
    """Share of the greatest liquidation rate."""
    for_seconds: int = 180
    """Seconds below it until a cascade is exhausted."""
    expires: int = 4 * HOUR
    """µs."""


class CrowdedRules(Struct, frozen=True):
    """S6: positioning is crowded with a cluster on its vulnerable side."""

    index: float = 90.0
    """Crowding index, or 100 less it."""
    exit: float = 80.0
    """Index below which it is over."""
    share: float = 0.8
    """Long or short share of accounts."""
    top: float = 95.0
    """Percentile of the positions of top traders that stands in for it."""
    within: float = 0.03
    """Distance of the cluster, fraction of price."""
    expires: int = 7 * DAY
    """µs."""


class WhaleBidRules(Struct, frozen=True):
    """S7: a resting whale before a cluster."""

    nearest: float = 0.0005
    """Least distance from the cluster's near edge, fraction of price."""
    farthest: float = 0.006
    """Greatest distance."""
    tested: float = 0.0015
    """Distance of price at which it is tested."""
    traded: float = 0.2
    """Share of its greatest size."""
    refill: float = 0.7
    """Refilled over traded."""
    expires: int = 8 * HOUR
    """µs."""


class ConfluenceRules(Struct, frozen=True):
    """S8: chart levels and clusters."""

    width: float = 0.0015
    """Fraction of price within which they match."""
    ranges: float = 0.25
    """The same in average true ranges of an hour; the larger counts."""
    pivot: int = 5
    """Bars to either side of a swing."""
    diverge: float = 0.01
    """Fraction of price within which there is no cluster where they diverge."""
    expires: int = 8 * HOUR
    """µs."""


class QualityRules(Struct, frozen=True):
    """S12: how an approach came about."""

    largest: float = 0.01
    """Share of the prints that are the largest."""
    carried: float = 0.4
    """Share of the volume from which they carry it."""
    pulls: int = 2
    """Walls pulled behind price."""
    within: int = 10 * MINUTE
    """µs."""
    flat: float = 1.0
    """Standard deviations of the spot delta below which it does not follow."""
    premium: float = 0.0005
    """Change of the basis from which the perpetual alone moved."""


class SimpleRules(Struct, frozen=True):
    """S13 and the negative results S10 and S11."""

    volume: float = 3.0
    """Multiple of the usual volume over five minutes."""
    calm: float = 1.5
    """Multiple below which a spike is over."""
    percentile: float = 95.0
    """Funding percentile, or 100 less it."""
    stale: int = 30 * SECOND
    """µs without an event of any market."""
    follow: float = 0.005
    """Fraction beyond the far edge that is a continuation."""
    within: int = 30 * MINUTE
    """µs in which it comes."""
    cooldown: int = 15 * MINUTE
    """µs between two episodes of one kind."""


class SignalThresholds(Struct, frozen=True):
    """All of them."""

    version: int = VERSION
    zones: ClusterRules = ClusterRules()
    windows: WindowRules = WindowRules()
    approach: ApproachRules = ApproachRules()
    growth: GrowthRules = GrowthRules()
    sweep: SweepRules = SweepRules()
    trap: TrapRules = TrapRules()
    chain: ChainRules = ChainRules()
    crowded: CrowdedRules = CrowdedRules()
    whale_bid: WhaleBidRules = WhaleBidRules()
    confluence: ConfluenceRules = ConfluenceRules()
    quality: QualityRules = QualityRules()
    simple: SimpleRules = SimpleRules()


DEFAULT: Final = SignalThresholds()
