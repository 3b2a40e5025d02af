"""What the overshoot view answers."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import PositionSide
from powderkeg.maps.field_types import Float64Array, OptionalFloat
from powderkeg.maps.risk.outward import Reach


class ChainLink(Struct, frozen=True):
    """One cluster of a chain."""

    near: float
    """Edge that price meets first, quote currency."""
    far: float
    """Other edge, quote currency."""
    notional: float
    """Dollars inside, estimated."""
    cumulative: float
    """Dollars of all clusters up to it."""
    resting: float
    """Dollars that rest in the gap before it, less the share of walls pulled."""
    coefficient: float | None
    """What is traded at once before the gap over what rests in it, a ratio; null where price is
    there already or nothing rests."""
    carried: bool
    """Whether it and all links before it carry: each coefficient is at least 1."""


class Outward(Struct, frozen=True):
    """The side as arrays, outward from the mark."""

    price: Float64Array
    """Price, quote currency."""
    forced: Float64Array
    """Dollars liquidated between the mark and there, estimated."""
    low: Float64Array
    """Low end of its 80 % band, dollars."""
    high: Float64Array
    """High end of its 80 % band, dollars."""
    depth: Float64Array
    """Dollars displayed between the mark and there, continued beyond what is displayed."""
    acceleration: Float64Array
    """What the step from there outward liquidates over the surviving depth it uses up, a ratio;
    above 1 the move feeds itself; null where nothing rests."""
    passing: Float64Array
    """Chance to pass that price after the touch, a fraction."""


class TouchForecast(Struct, frozen=True):
    """What may follow one touch."""

    level: float
    """Price touched, quote currency."""
    distance: float
    """From the mark to it, a signed fraction."""
    side: PositionSide
    """Whose positions are liquidated on the way."""
    cluster: tuple[float, float] | None
    """Lowest and highest price of the cluster at the level; null where there is none."""
    end: tuple[float, float, float]
    """Price at which it ends: half of the cases go beyond the middle one, a tenth beyond the last
    and nine tenths beyond the first."""
    forced: tuple[float, float, float]
    """Dollars liquidated on the way: 10, 50 and 90 percentile."""
    beyond: float
    """Chance to end more than 0.5 % beyond the level, a fraction."""
    unseen: float
    """Fraction of cases that end beyond the displayed books."""
    visible: float
    """How far the deepest book is displayed, fraction of the mark."""
    chain: list[ChainLink]
    """Clusters from the level outward, in the order price meets them."""
    chain_length: int
    """Number of clusters that would be reached in a row."""
    outward: Outward
    """The side as arrays."""


class SurvivalState(Struct, frozen=True):
    """The share of the displayed depth that survives a sweep, as it is believed."""

    median: float
    """Half of all sweeps leave more, a fraction."""
    spread: float
    """Standard deviation of its natural log."""
    sweeps: int
    """Number of realised sweeps of this coin it was learned from; 0: the prior alone."""


class Overshoot(Struct, frozen=True, kw_only=True):
    """What may follow a touch of a level, or of the nearest cluster on each side."""

    mark: OptionalFloat
    """Mark that distances are measured from, quote currency."""
    touches: list[TouchForecast]
    """One for the level that was asked for; else the nearest cluster below, then above."""
    survival: SurvivalState
    """What of the displayed depth is expected to stay."""
    movement: OptionalFloat
    """Standard deviation of what price moves by itself meanwhile, natural log of price."""
    pulled: OptionalFloat
    """Fraction of the last walls that were pulled: what rests in the gaps of a chain is reduced by
    it; null while fewer than ten walls ended."""
    books: list[Reach]
    """How far each book is displayed."""
    unknown: list[str]
    """What is not known, in words."""
