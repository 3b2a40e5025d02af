"""What stood where on average over a span, and which zones have held most: the map, accumulated.

The mean is taken over the columns that were drawn, so a gap neither adds nor takes away. Zones are
the clusters of the mean: the same rule that finds them in the map of one moment.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import HOUR, Floats, PositionSide
from powderkeg.grid import PriceRows, position_of
from powderkeg.maps.field_types import Float32Array
from powderkeg.maps.heatmap.coin_view import TIER_NAMES, PriceProfile
from powderkeg.maps.views.answers import PriceAxis
from powderkeg.maps.views.clusters import Cluster, clusters


class Zone(Struct, frozen=True):
    """A stretch of price, over the span."""

    side: PositionSide
    """Whose positions."""
    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    peak: float
    """Price of its densest row, quote currency."""
    mean: float
    """Dollars inside on average."""
    dollar_hours: float
    """Dollars inside on average, times the hours that were drawn."""
    change: float
    """Dollars inside at the end less those at the start."""
    distance: float
    """Signed fraction of the mark from it to the nearest edge."""


class Accumulated(PriceAxis, frozen=True, eq=False, kw_only=True):
    """The map over a span, by price, on the rows of its heatmap."""

    span: str
    """Name of the span."""
    t0: int
    """Start of the first column, µs UTC."""
    step: int
    """Width of a column, µs."""
    cols: int
    """Number of columns."""
    drawn: int
    """Number of columns that were drawn; the mean is over them."""
    long: Float32Array
    """Mean dollars of longs by row, shape (rows,)."""
    short: Float32Array
    """Mean dollars of shorts by row, shape (rows,)."""
    change_long: Float32Array
    """Dollars of longs by row in the last column drawn less those in the first, shape (rows,)."""
    change_short: Float32Array
    """Dollars of shorts by row in the last column drawn less those in the first, shape (rows,)."""
    zones: list[Zone]
    """Of each side those that held most, most first."""


class Place(NamedTuple):
    """Where an array of columns and rows lies."""

    rows: PriceRows
    step: int
    """µs a column."""
    column: int
    """Number of column 0 of the array."""


def accumulate(
    money: Floats, drawn: NDArray[np.bool_], place: Place, mark: float, span: str
) -> Accumulated:
    """Return means and changes of columns.

    Args:
        money: Dollars, shape (2, columns, rows): longs, shorts.
        drawn: Which columns were drawn, shape (columns,).
        place: Where they lie.
        mark: Mark at the end; NaN leaves the zones out.
        span: Name of the span.
    """
    known = np.flatnonzero(drawn)
    mean, change = np.zeros((2, money.shape[2])), np.zeros((2, money.shape[2]))
    if len(known):
        mean = money[:, known].mean(axis=1)
        change = money[:, known[-1]] - money[:, known[0]]
    hours = len(known) * place.step / HOUR
    means, changes = mean.astype(np.float32), change.astype(np.float32)
    return Accumulated(
        span=span,
        t0=place.column * place.step,
        step=place.step,
        cols=money.shape[1],
        drawn=len(known),
        p0=place.rows.p0,
        dp=place.rows.dp,
        rows=money.shape[2],
        long=means[0],
        short=means[1],
        change_long=changes[0],
        change_short=changes[1],
        zones=_zones(mean, change, place, mark, hours) if mark > 0 else [],
    )


def _zones(mean: Floats, change: Floats, place: Place, mark: float, hours: float) -> list[Zone]:
    """Return the clusters of a mean map, those that held most first, longs before shorts."""
    by_bin = np.repeat(mean / place.rows.per_row, place.rows.per_row, axis=1)
    dollars = np.zeros((len(TIER_NAMES), *by_bin.shape))
    dollars[0] = by_bin  # of tiers nothing is asked
    found = clusters(PriceProfile(int(place.rows.first_bins[0]), dollars), mark)
    zones = [_zone(each, change, place, hours) for each in found]
    return sorted(zones, key=lambda zone: (zone.side, -zone.mean))


def _zone(found: Cluster, change: Floats, place: Place, hours: float) -> Zone:
    """Return a cluster of the mean as a zone; rows cut by its edges count by the part inside."""
    per_row, first = place.rows.per_row, place.rows.first
    ends = [position_of(price) / per_row - first for price in (found.floor, found.top)]
    rows = np.arange(change.shape[1])
    inside = np.clip(np.minimum(rows + 1, ends[1]) - np.maximum(rows, ends[0]), 0, 1)
    side = 0 if found.side == "long" else 1
    return Zone(
        found.side, found.floor, found.top, found.peak, found.notional, found.notional * hours,
        float((change[side] * inside).sum()), found.distance,
    )  # fmt: skip
