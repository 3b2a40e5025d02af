"""What the views answer, field by field. The docstrings of fields are published in the API."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import PositionSide
from powderkeg.maps.field_types import ByteGrid, Float32Array, Float64Array, FloatGrid
from powderkeg.maps.views.clusters import Cluster


class Sides(Struct, frozen=True):
    """An amount of each side."""

    long: float
    """Dollars of longs."""
    short: float
    """Dollars of shorts."""


class PriceAxis(Struct, frozen=True, eq=False):
    """Rows of price that a span's views share."""

    p0: float
    """Natural log of the price at the lower edge of row 0."""
    dp: float
    """Height of a row in natural log of price."""
    rows: int
    """Number of rows."""


class Heatmap(PriceAxis, frozen=True, eq=False, kw_only=True):
    """The time-price heatmap."""

    span: str
    """Name of the span shown."""
    t0: int
    """Start of the first column, µs UTC."""
    step: int
    """Width of a column, µs."""
    cols: int
    """Number of columns."""
    vmin: float
    """Dollars of byte 1; 0 means less. Byte v > 0 is vmin * (vmax / vmin) ** ((v - 1) / 254)."""
    vmax: float
    """Dollars of byte 255."""
    cells: ByteGrid
    """Bytes of dollars by shape (cols, rows), row 0 lowest; (5, cols, rows) where planes are asked
    for by tier. In MessagePack in the layout of `coding`."""
    ohlc: FloatGrid
    """Price by shape (cols, 5): open, high, low, close, and volume in base coin; null where nothing
    traded."""
    gaps: list[tuple[int, int]]
    """Index of columns [first, last) in which nothing was known."""
    partial: list[tuple[int, int]]
    """Index of columns [first, last) in which some of the venues were missing."""
    tiers: list[int]
    """Names of the tiers: effective leverage, a number."""
    spans: list[str]
    """Names of the spans that have data."""


class Levels(PriceAxis, frozen=True, eq=False, kw_only=True):
    """The map at one moment by price, on the rows of a span's heatmap."""

    long: Float32Array
    """Dollars by row that longs would lose there, shape (rows,)."""
    short: Float32Array
    """Dollars by row that shorts would lose there, shape (rows,)."""
    tiers: dict[str, Sides]
    """Dollars by tier and side over all prices."""
    venues: dict[str, Sides]
    """Dollars by venue and side over all prices."""
    clusters: list[Cluster]
    """Of each side, nearest first; empty where nothing stands out of its ground."""
    reach: float
    """Fraction of the mark above it within which clusters are looked for."""
    within: Sides
    """Dollars by side within that reach, whether clusters or ground."""
    bands: dict[PositionSide, tuple[Float32Array, Float32Array]]
    """Low and high end of the 80 % band by side, dollars by row; empty unless asked for, of the
    past and of the static map."""
    measured: Float32Array
    """Fraction of each row that is measured rather than prior, shape (rows,) or (0,)."""


class Bars(Struct, frozen=True):
    """Long against short within reach of the mark."""

    reach: float
    """How far from the mark, as a fraction of it."""
    long: float
    """Dollars that would be sold by force if price fell through."""
    short: float
    """Dollars that would be bought by force if price rose through."""
    ratio: float | None
    """Ratio of long to short; null where there are no shorts."""
    long_share: float | None
    """Fraction of both that is long; null where there is nothing."""
    bands: dict[PositionSide, tuple[float, float]]
    """Low and high end of the 80 % band by side, dollars; empty of the past and static map."""
    measured: dict[PositionSide, float]
    """Fraction by side that is measured rather than prior; empty where `bands` are."""


class Cumulative(Struct, frozen=True, eq=False):
    """What has been liquidated once price has moved this far."""

    distance: Float64Array
    """Signed fractions of the mark, rising, shape (n,)."""
    notional: Float64Array
    """Dollars between the mark and there, shape (n,)."""
    low: Float64Array
    """Low end of the 80 % band, dollars, shape (n,), or (0,) of the past and of the static map."""
    high: Float64Array
    """High end of the 80 % band, dollars, of the same shape."""


class VenueShare(Struct, frozen=True, eq=False):
    """One venue beside the others."""

    name: str
    """Name of the venue."""
    long: float
    """Dollars of its longs."""
    short: float
    """Dollars of its shorts."""
    oi: float
    """Open interest, base coin; 0 where it is not known."""
    share: float
    """Fraction of the open interest of all venues that report theirs."""
    levels: Float32Array
    """Dollars by row, both sides, shape (rows,)."""


class Venues(PriceAxis, frozen=True, eq=False):
    """Per venue against aggregate, on the rows of a span's heatmap."""

    venues: list[VenueShare]
    """One object per venue."""


class Cell(Struct, frozen=True):
    """What stands at one price."""

    price: float
    """The price asked for, quote currency."""
    distance: float | None
    """Fraction of the mark between it and the price, signed; null where there is no mark."""
    exact: bool
    """False for the past, which is kept within 2.3 %."""
    dollars: dict[str, dict[str, float]]
    """Dollars by venue and tier, in the 5 bp that hold the price."""
    near: float
    """Dollars within 0.1 % of it."""
