"""What the views answer, field by field."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.maps.views.clusters import Cluster


class Heatmap(Struct, frozen=True, eq=False):
    """The time-price heatmap."""

    span: str
    t0: int
    """Start of the first column, µs."""
    step: int
    """Width of a column, µs."""
    cols: int
    rows: int
    p0: float
    """Natural log of the lower edge of row 0."""
    dp: float
    """Height of a row in log price."""
    vmin: float
    """Dollars of byte 1; 0 means less. Byte v > 0 is vmin * (vmax / vmin) ** ((v - 1) / 254)."""
    vmax: float
    cells: NDArray[np.uint8]
    """Shape (cols, rows), row 0 lowest; (5, cols, rows) where planes are asked for by tier."""
    ohlc: NDArray[np.float32]
    """Shape (cols, 5): open, high, low, close, volume; NaN where nothing traded."""
    gaps: list[tuple[int, int]]
    """Columns [first, last) in which nothing was known."""
    partial: list[tuple[int, int]]
    """Columns [first, last) in which some of the venues were missing."""


class Levels(Struct, frozen=True, eq=False):
    """The map now by price, on the rows of a span's heatmap."""

    p0: float
    dp: float
    rows: int
    long: NDArray[np.float32]
    """Dollars by row that longs would lose there, shape (rows,)."""
    short: NDArray[np.float32]
    tiers: dict[str, dict[str, float]]
    """Dollars by tier and side over all prices."""
    venues: dict[str, dict[str, float]]
    """Dollars by venue and side over all prices."""
    clusters: list[Cluster]
    """Of each side, nearest first; empty where nothing stands out of its ground."""
    reach: float
    """Fraction of the mark above it within which clusters are looked for."""
    within: dict[str, float]
    """Dollars by side within that reach, whether clusters or ground."""
    bands: dict[str, list[NDArray[np.float32]]]
    """Ends of the 80 % band by side, dollars by row; empty of the past and of the static map."""
    measured: NDArray[np.float32]
    """Share of each row that is measured rather than prior, both sides, shape (rows,) or (0,)."""


class Bars(Struct, frozen=True):
    """Long against short within reach of the mark."""

    reach: float
    long: float
    """Dollars that would be sold by force if price fell through."""
    short: float
    """Dollars that would be bought by force if price rose through."""
    ratio: float | None
    """Long over short; none where there are no shorts."""
    long_share: float | None
    bands: dict[str, list[float]]
    """Ends of the 80 % band by side, dollars; empty of the past and of the static map."""
    measured: dict[str, float]
    """Share by side that is measured rather than prior."""


class Cumulative(Struct, frozen=True, eq=False):
    """What has been liquidated once price has moved this far."""

    distance: Floats
    """Signed fractions of the mark, rising, shape (n,)."""
    notional: Floats
    """Dollars between the mark and there, shape (n,)."""
    low: Floats
    """End of the 80 % band, shape (n,), or (0,) of the past and of the static map."""
    high: Floats


class VenueShare(Struct, frozen=True, eq=False):
    """One venue beside the others."""

    name: str
    long: float
    short: float
    oi: float
    """Base coin, 0 where not known."""
    share: float
    """Share of the open interest of all venues that report theirs."""
    levels: NDArray[np.float32]
    """Dollars by row, both sides, shape (rows,)."""


class Venues(Struct, frozen=True):
    """Per venue against aggregate, on the rows of a span's heatmap."""

    p0: float
    dp: float
    rows: int
    venues: list[VenueShare]


class Cell(Struct, frozen=True):
    """What stands at one price."""

    price: float
    distance: float
    """From the mark, as a fraction."""
    exact: bool
    """False for the past, which is kept within 2.3 %."""
    dollars: dict[str, dict[str, float]]
    """By venue and tier, in the 5 bp that hold the price."""
    near: float
    """Dollars within 0.1 % of it."""
