"""Query parameters of the views: spans, and one query struct per kind of view.

Route, validation, error text, schema and command line follow from these structs.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from powderkeg.events import MINUTE
from powderkeg.maps.heatmap.coin_view import MapFilter, Mode, SideFilter, TierName

SPANS: dict[str, tuple[int, int]] = {
    "15m": (MINUTE, 15),
    "1h": (MINUTE, 60),
    "4h": (MINUTE, 240),
    "12h": (MINUTE, 720),
    "1d": (MINUTE, 1440),
    "3d": (5 * MINUTE, 864),
    "5d": (5 * MINUTE, 1440),
    "7d": (30 * MINUTE, 336),
    "30d": (30 * MINUTE, 1440),
}
"""Column step (µs) and number of columns of each span."""
STEPS: dict[int, int] = {MINUTE: 1, 5 * MINUTE: 1, 30 * MINUTE: 2}
"""Bins a row, by column step."""
FLAT_STEP = 5 * MINUTE
"""Column step in which the static map is kept."""
Span: TypeAlias = Literal["15m", "1h", "4h", "12h", "1d", "3d", "5d", "7d", "30d"]
Reach: TypeAlias = Annotated[float, Meta(gt=0, le=0.5)]


class Query(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of every view."""

    venues: tuple[str, ...] = ()
    """Venue names; none means all."""
    tiers: tuple[TierName, ...] = (100, 50, 25, 10, 5)
    side: SideFilter = "both"
    at: Annotated[int, Meta(ge=0)] = 0
    """µs UTC: show what was known just before it; 0 means now."""
    span: Span = "3d"
    """Time shown. It also sets the height of price rows."""
    model: Mode = "calibrated"
    """Our map, or the static one as published elsewhere."""

    def map_filter(self) -> MapFilter:
        """Return the part of the map asked for."""
        return MapFilter(self.venues, self.tiers, self.side, self.model)


class HistoryQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when to when maps may be asked for."""


class SpanQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A view on the columns and rows of a span."""


class LevelsQuery(SpanQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The level chart, with bands or without."""

    bands: bool = False
    """Whether to include the 80 % band of every row."""


class HeatmapQuery(SpanQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The heatmap as one plane, or tier by tier."""

    planes: Literal["sum", "tiers", "difference"] = "sum"
    """One plane of all chosen tiers; one for each of the five (within 4.6 %, to be small); or the
    difference of the two models: 128 for equal, more where ours has more, 255 for 32 times."""
    since: Annotated[int, Meta(ge=0)] = 0
    """µs UTC: leave out the columns that were over by then; 0 means all of the span."""


class ReachQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A view around the mark."""

    reach: Reach = 0.1
    """How far from the mark, as a fraction."""


class CellQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One price, perhaps in the past."""

    price: Annotated[float, Meta(ge=1e-12, le=1e12)]
    """No market trades beyond; what lies there has no bin."""
