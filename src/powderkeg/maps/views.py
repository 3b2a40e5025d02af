"""The five views, and what stands beside them, as data: pure functions of a scene and a query.

To add a view: write its query struct and its function, and add a line to `VIEWS`. Route,
validation, error text, schema and command follow from the struct.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.engine.classes import BIN
from powderkeg.events import MINUTE, Floats
from powderkeg.maps import past
from powderkeg.maps.ages import age_of
from powderkeg.maps.clusters import Cluster, clusters
from powderkeg.maps.gaps import holes
from powderkeg.maps.ring import ROWS
from powderkeg.maps.scale import FLOOR, TOP, encode, settle
from powderkeg.maps.scene import (
    TIER_NAMES,
    Choice,
    Scene,
    SideFilter,
    Slab,
    TierName,
    bin_of,
)

SPANS: dict[str, tuple[int, int]] = {
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
Span: TypeAlias = Literal["12h", "1d", "3d", "5d", "7d", "30d"]
Reach: TypeAlias = Annotated[float, Meta(gt=0, le=0.5)]


class Query(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every view takes."""

    venues: tuple[str, ...] = ()
    """Venue names; none means all."""
    tiers: tuple[TierName, ...] = (100, 50, 25, 10, 5)
    side: SideFilter = "both"
    at: Annotated[int, Meta(ge=0)] = 0
    """µs UTC to look back to; 0 means now."""
    span: Span = "3d"
    """Time shown. It also sets the height of price rows."""

    def choice(self) -> Choice:
        """Return the part of the map asked for."""
        return Choice(self.venues, self.tiers, self.side)


class SpanQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A view on the columns and rows of a span."""


class HeatmapQuery(SpanQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The heatmap as one plane, or tier by tier."""

    planes: Literal["sum", "tiers"] = "sum"
    """One plane of all chosen tiers, or one for each of the five (within 4.6 %, to be small)."""


class ReachQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A view around the mark."""

    reach: Reach = 0.1
    """How far from the mark, as a fraction."""


class CellQuery(Query, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One price, perhaps in the past."""

    price: Annotated[float, Meta(gt=0)]


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


class Cumulative(Struct, frozen=True, eq=False):
    """What has been liquidated once price has moved this far."""

    distance: Floats
    """Signed fractions of the mark, rising, shape (n,)."""
    notional: Floats
    """Dollars between the mark and there, shape (n,)."""


class VenueShare(Struct, frozen=True, eq=False):
    """One venue beside the others."""

    name: str
    long: float
    short: float
    oi: float
    """Base coin, 0 where not known."""
    share: float
    """Of the open interest of all venues that tell theirs."""
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


def window(scene: Scene, span: str, at: int) -> tuple[int, int, int, int]:
    """Return number of the last column, columns, first common row, bins a row, of a span.

    The rows are centred on the price, snapped to a sixteenth of the window, so that ticks do not
    shift them.
    """
    step, columns = SPANS[span]
    until = (at or max(scene.now - 1, 0)) // step
    per_row = STEPS[step]
    price = past.price_at(scene, at) if at else scene.price
    centre = bin_of(price) // per_row if price > 0 else 0
    snap = ROWS // 16
    return until, columns, centre // snap * snap - ROWS // 2, per_row


def heat_cells(
    scene: Scene, choice: Choice, span: str, until: int, columns: int, first: int
) -> NDArray[np.uint8]:
    """Return bytes of `columns` columns that end with `until`, shape (columns, 800)."""
    step = SPANS[span][0]
    money = np.zeros((columns, ROWS))
    for market in scene.estimated():
        if choice.takes(market.venue):
            market.rings[step].blend(
                until, columns, first, choice.tier_mask(), choice.side_mask(), money
            )
    cells = np.empty((columns, ROWS), np.uint8)
    encode(money.reshape(-1), cells.reshape(-1))
    return cells


def heatmap(scene: Scene, query: HeatmapQuery) -> Heatmap:
    """Return the time-price heatmap of a span."""
    until, columns, first, per_row = window(scene, query.span, query.at)
    step = SPANS[query.span][0]
    choice = query.choice()
    cells = heat_cells(scene, choice, query.span, until, columns, first)
    if query.planes == "tiers":
        parts = [replace(choice, tiers=(t,) if t in choice.tiers else ()) for t in TIER_NAMES]
        cells = np.stack(
            [heat_cells(scene, part, query.span, until, columns, first) for part in parts]
        )
        settle(cells)
    gaps, partial = holes(scene, choice, step, until, columns)
    return Heatmap(
        span=query.span,
        t0=(until - columns + 1) * step,
        step=step,
        cols=columns,
        rows=ROWS,
        p0=first * per_row * BIN,
        dp=per_row * BIN,
        vmin=FLOOR,
        vmax=TOP,
        cells=cells,
        ohlc=scene.prices[step].window(until, columns).astype(np.float32),
        gaps=gaps,
        partial=partial,
    )


def _rows(slab: Slab, dollars: Floats, first: int, per_row: int) -> NDArray[np.float32]:
    """Sum dollars by bin (bins,) into the rows of a span."""
    out = np.zeros(ROWS)
    rows = (slab.base + np.arange(len(dollars))) // per_row - first
    inside = (rows >= 0) & (rows < ROWS)
    np.add.at(out, rows[inside], dollars[inside])
    return out.astype(np.float32)


def _sides(dollars: Floats) -> dict[str, float]:
    """Return totals of an array whose second-last axis is the side."""
    return {"long": float(dollars[..., 0, :].sum()), "short": float(dollars[..., 1, :].sum())}


def levels(scene: Scene, query: SpanQuery) -> Levels:
    """Return the level chart: the map at one moment by price."""
    _, _, first, per_row = window(scene, query.span, query.at)
    choice = query.choice()
    whole = past.slab_at(scene, choice, query.at)
    sides = whole.by_side()
    mark = past.price_at(scene, query.at)
    return Levels(
        p0=first * per_row * BIN,
        dp=per_row * BIN,
        rows=ROWS,
        long=_rows(whole, sides[0], first, per_row),
        short=_rows(whole, sides[1], first, per_row),
        tiers={str(t): _sides(whole.dollars[i]) for i, t in enumerate(TIER_NAMES)},
        venues={
            market.venue: _sides(past.slab_at(scene, choice, query.at, market.venue).by_side())
            for market in scene.estimated()
            if choice.takes(market.venue)
        },
        clusters=_aged(scene, query, clusters(whole, mark)) if mark > 0 else [],
    )


def _aged(scene: Scene, query: SpanQuery, found: list[Cluster]) -> list[Cluster]:
    """Return clusters with their ages; those of the past keep theirs unknown."""
    if query.at:
        return found
    choice = query.choice()
    return [replace(c, age=age_of(scene, choice, c.peak)) for c in found]


def _within(slab: Slab, mark: float, reach: float) -> Floats:
    """Return dollars by side and bin, zero beyond reach of the mark."""
    inside = np.abs(slab.prices() / mark - 1) <= reach
    return slab.by_side() * inside


def bars(scene: Scene, query: ReachQuery) -> Bars:
    """Return long against short within reach of the mark."""
    mark = past.price_at(scene, query.at)
    both = _within(past.slab_at(scene, query.choice(), query.at), mark, query.reach)
    long, short = (float(side.sum()) for side in both)
    return Bars(
        reach=query.reach,
        long=long,
        short=short,
        ratio=long / short if short > 0 else None,
        long_share=long / (long + short) if long + short > 0 else None,
    )


def cumulative(scene: Scene, query: ReachQuery) -> Cumulative:
    """Return the running total from the mark outward, longs below and shorts above."""
    mark = past.price_at(scene, query.at)
    slab = past.slab_at(scene, query.choice(), query.at)
    both = _within(slab, mark, query.reach)
    distance = slab.prices() / mark - 1
    inside = np.abs(distance) <= query.reach
    below = np.cumsum(both[0][::-1])[::-1]
    above = np.cumsum(both[1])
    total = np.where(distance < 0, below, above)
    known = np.flatnonzero(inside)
    shown = known[:: max(1, math.ceil(len(known) / 400))]
    shown = np.unique(np.append(shown, known[-1:]))  # both ends: they are the totals
    return Cumulative(distance[shown], total[shown])


def venues(scene: Scene, query: SpanQuery) -> Venues:
    """Return each venue's map beside the others'."""
    _, _, first, per_row = window(scene, query.span, query.at)
    choice = query.choice()
    markets = [m for m in scene.estimated() if choice.takes(m.venue)]
    known = {m.venue: m.estimate.oi for m in markets if m.estimate.oi > 0}
    total = sum(known.values())
    shares: list[VenueShare] = []
    for market in markets:
        slab = past.slab_at(scene, choice, query.at, market.venue)
        oi = known.get(market.venue, 0.0)
        shares.append(
            VenueShare(
                name=market.venue,
                **_sides(slab.by_side()),
                oi=oi,
                share=oi / total if total else 0.0,
                levels=_rows(slab, slab.by_side().sum(axis=0), first, per_row),
            )
        )
    return Venues(first * per_row * BIN, per_row * BIN, ROWS, shares)


def cell(scene: Scene, query: CellQuery) -> Cell:
    """Return what stands at one price, by venue and tier."""
    mark = past.price_at(scene, query.at)
    choice = query.choice()
    dollars: dict[str, dict[str, float]] = {}
    near = 0.0
    for market in scene.estimated():
        if not choice.takes(market.venue):
            continue
        slab = past.slab_at(scene, choice, query.at, market.venue)
        here = bin_of(query.price) - slab.base
        money = slab.dollars.sum(axis=1)
        inside = 0 <= here < money.shape[1]
        dollars[market.venue] = {
            str(t): float(money[i, here]) if inside else 0.0 for i, t in enumerate(TIER_NAMES)
        }
        near += float(money[:, np.abs(slab.prices() / query.price - 1) <= 1e-3].sum())
    return Cell(query.price, query.price / mark - 1, not query.at, dollars, near)


View: TypeAlias = tuple[type[Query], Callable[[Scene, Any], Struct]]

VIEWS: dict[str, View] = {
    "heatmap": (HeatmapQuery, heatmap),
    "levels": (SpanQuery, levels),
    "bars": (ReachQuery, bars),
    "cumulative": (ReachQuery, cumulative),
    "venues": (SpanQuery, venues),
    "cell": (CellQuery, cell),
}
"""Every view by the name it has in the address."""
