"""What the signals see of a moment: sums of prints, books and liquidations over the last seconds.

A scene holds nothing that was not known at its time, and nothing of the future. The same scenes
give the same signals, whoever made them: a desk, or a script.
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from powderkeg.events import Floats, PositionSide
from powderkeg.signals.thresholds import DEFAULT, WindowRules
from powderkeg.signals.zones import Zone

BIDS, ASKS = 0, 1
Pair: TypeAlias = tuple[float, float]
PRESSED: Final[dict[PositionSide, int]] = {"long": BIDS, "short": ASKS}
"""Side of the book that liquidations of a side take from."""


class Crowd(Struct, frozen=True):
    """Positioning now; NaN where it is not known."""

    funding: float = math.nan
    """Percentile of funding, 0 to 100."""
    index: float = math.nan
    """Crowding index, 0 to 100, high where longs are crowded."""
    accounts: float = math.nan
    """Long share of accounts."""
    top_positions: float = math.nan
    """Percentile of the long share of top traders' positions, 0 to 100."""
    oi_week: float = math.nan
    """Relative change of open interest in coins over seven days."""


class Level(Struct, frozen=True):
    """A level of the chart."""

    name: str
    """Such as "high of yesterday"."""
    price: float
    """Quote currency."""


class RestingWhale(Struct, frozen=True):
    """The largest resting orders: see `flow.books.whales`."""

    id: str
    """Its book, side, price and time of appearance."""
    side: int
    """0 for a bid, 1 for an ask."""
    price: float
    """Quote currency."""
    notional: float
    """Quote currency at its greatest."""
    since: int
    """µs."""
    traded: float
    """Share of its greatest size that was taken."""
    refill: float
    """Refilled over taken, at most 1."""
    end: Literal["traded", "cancelled", "pulled"] | None = None
    """How it ended; None while it stands."""


class Prints(Struct, frozen=True):
    """Merged prints since the scene before, and of the last minutes."""

    largest: float = 0.0
    """Notional of the largest since the scene before, quote currency."""
    large: float = math.inf
    """Notional from which one is large."""
    top_share: float = math.nan
    """Share of the volume of ten minutes that the largest hundredth of its prints traded."""


class Scene(Struct, frozen=True, kw_only=True):
    """One second of one coin."""

    coin: str
    now: int
    """µs."""
    price: float
    """Last price, quote currency."""
    low: float
    """Lowest price since the scene before."""
    high: float
    """Highest price since the scene before."""
    then: float
    """Price at the start of the flow window."""
    volume: float
    """Volume of five minutes over the usual, a multiple; NaN until that is known."""
    bought: float
    """By takers over the flow window, quote currency."""
    sold: float
    """By takers over the flow window, quote currency."""
    taken: Pair
    """From resting bids and asks over the flow window, base coin."""
    refilled: Pair
    """Of it, what came back."""
    depth: Pair
    """Resting bids and asks within one percent of the mid, quote currency; NaN without books."""
    liquidated: Pair
    """Longs and shorts reported liquidated in a minute, dollars."""
    minutes: Floats
    """Closes of the last minutes, oldest first, shape (n,)."""
    sigma: float
    """Standard deviation of log price over four hours; NaN until known."""
    held: Pair
    """Lowest and highest price of the last `SweepRules.hold` seconds."""
    oi_change: float = math.nan
    """Relative change of open interest in coins over four hours; NaN where not known."""
    prints: Prints = Prints()
    whales: tuple[RestingWhale, ...] = ()
    """Resting whales that stand, and those that ended since the scene before."""
    pulled: Pair = (0, 0)
    """Bid and ask walls pulled in ten minutes."""
    premium: float = math.nan
    """Change of mark over index in ten minutes, a fraction; NaN where not known."""
    levels: tuple[Level, ...] = ()
    """Levels of the chart."""
    hour_range: float = math.nan
    """Average true range of an hour, quote currency; NaN until known."""
    stale: int = 0
    """Markets whose last event is too old."""
    markets: int = 1
    """Markets in all."""
    zones: tuple[Zone, ...] = ()
    """Clusters that are followed: longs, then shorts, nearest first."""
    crowd: Crowd = Crowd()
    spot: float = math.nan
    """Spot delta of ten minutes in its usual standard deviations; NaN where not known."""

    def refill(self, side: PositionSide) -> float:
        """Return what came back over what liquidations of a side and others took; NaN of none."""
        book = PRESSED[side]
        return self.refilled[book] / self.taken[book] if self.taken[book] > 0 else math.nan

    def against(self, side: PositionSide) -> float:
        """Return net volume of takers towards the cluster of a side, quote currency."""
        return self.sold - self.bought if side == "long" else self.bought - self.sold

    def share_against(self, side: PositionSide) -> float:
        """Return takers' volume towards the cluster over all of it; NaN of none."""
        total = self.bought + self.sold
        part = self.sold if side == "long" else self.bought
        return part / total if total > 0 else math.nan

    def absorption(self, side: PositionSide, rules: WindowRules = DEFAULT.windows) -> float:
        """Return the absorption ratio: 1 where price did not move, 0 where it moved with the book.

        The net volume of takers, over what rests in one percent, is how far price would have gone
        through that book; NaN where it is too little to say.
        """
        expected = 0.01 * self.against(side) / self.depth[PRESSED[side]]
        if not expected > rules.moved:
            return math.nan
        gone = (self.then - self.price) / self.price
        return 1 - max(0.0, gone if side == "long" else -gone) / expected
