"""Query parameters of the order-flow views."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from powderkeg.flow.books.ladder import Alignment
from powderkeg.flow.coin import PRINTS, TRADED
from powderkeg.flow.thresholds import DEFAULT

Window: TypeAlias = Annotated[int, Meta(ge=60, le=TRADED // 1_000_000)]
Height: TypeAlias = Annotated[float, Meta(ge=0, le=1e12)]
FlowSpan: TypeAlias = Literal["15m", "1h", "4h", "12h", "1d"]
MINUTES: dict[str, int] = {"15m": 15, "1h": 60, "4h": 240, "12h": 720, "1d": 1_440}
"""Minutes of each span."""


class FlowQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of every order-flow view."""

    venues: tuple[str, ...] = ()
    """Venue names; none means all."""
    at: Annotated[int, Meta(ge=0)] = 0
    """µs UTC: as it was then, where the past is stored; 0 means now."""


class LadderQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ladder."""

    row: Height = 0.0
    """Height of a row, quote currency; 0 chooses one that shows most of the books."""
    rows: Annotated[int, Meta(ge=10, le=400)] = 60
    window: Window = 3_600
    """Seconds over which traded volume is summed."""
    align: Alignment = "price"
    """Whether books are added at the same price, or at the same distance from their own mid."""
    centre: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """Price of the middle row, quote currency; 0 means the last price."""


class TapeQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tape."""

    least: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """Smallest print, base coin."""
    limit: Annotated[int, Meta(ge=1, le=PRINTS)] = 500
    """Prints returned, the newest."""
    since: Annotated[int, Meta(ge=0)] = 0
    """µs UTC: only what ended after that."""


class SeriesQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The panes under the chart, minute by minute."""

    span: FlowSpan = "4h"


class ZonesQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Resting orders by minute."""

    row: Height = 0.0
    """Height of a row, quote currency; 0 means the height kept, about half a basis point."""
    rows: Annotated[int, Meta(ge=10, le=400)] = 256
    centre: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """Price of the middle row, quote currency; 0 means the last price."""
    minutes: Annotated[int, Meta(ge=1, le=DEFAULT.zones.columns)] = DEFAULT.zones.columns
    """Columns, the newest last."""
    limit: Annotated[int, Meta(ge=1, le=50_000)] = 20_000
    """Runs returned, the largest."""


class ProfileQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The volume profile."""

    row: Height = 0.0
    """Height of a row, quote currency; 0 means a basis point."""
    window: Window = TRADED // 1_000_000
    """Seconds over which traded volume is summed."""
