"""The views, and what stands beside them, as data: pure functions of a scene and a query.

To add a view: write its query struct and its function, and add a line to `VIEWS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.engine.exposure.classes import BIN
from powderkeg.events import Floats, Times
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.ages import age_of
from powderkeg.maps.heatmap.doubt import Doubt, doubt
from powderkeg.maps.heatmap.gaps import filled, holes
from powderkeg.maps.heatmap.ring import ROWS, Ring
from powderkeg.maps.heatmap.scale import FLOOR, TOP, encode, settle
from powderkeg.maps.heatmap.scene import TIER_NAMES, Choice, Known, Scene, Slab, bin_of, by_row
from powderkeg.maps.views.accumulated import Accumulated, Place, accumulate
from powderkeg.maps.views.answers import Bars, Cell, Cumulative, Heatmap, Levels, Venues, VenueShare
from powderkeg.maps.views.clusters import (
    REACH,
    Cluster,
    above_ground,
    foremost,
    standing,
    with_concentration,
    within_reach,
)
from powderkeg.maps.views.compare import Comparison, compare, difference
from powderkeg.maps.views.moves import history
from powderkeg.maps.views.observed import ObservedLevels, observed_levels
from powderkeg.maps.views.queries import (
    SPANS,
    STEPS,
    CellQuery,
    HeatmapQuery,
    HistoryQuery,
    LevelsQuery,
    Query,
    ReachQuery,
    SpanQuery,
)

ENDS = ("floor", "top")


def window(scene: Scene, span: str, at: int) -> tuple[int, int, int, int]:
    """Return number of the last column, columns, first common row, bins a row, of a span.

    The rows are centred on the price, snapped to a sixteenth of the window, so that ticks do not
    shift them.
    """
    step, columns = SPANS[span]
    until = past.over(at, step) if at else max(scene.now - 1, 0) // step
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
    money = heat_money(scene, choice, step, until, columns, first)
    money /= heat_unit(scene, choice, step)
    cells = np.empty((columns, ROWS), np.uint8)
    encode(money.reshape(-1), cells.reshape(-1))
    return cells


def heat_money(
    scene: Scene, choice: Choice, step: int, until: int, columns: int, first: int
) -> Floats:
    """Return dollars of `columns` columns that end with `until`, shape (columns, 800).

    The static map is kept in one step only; in others it is empty.
    """
    money = np.zeros((columns, ROWS))
    for market in scene.estimated():
        ring = _ring_of(market, choice, step)
        if choice.takes(market.venue) and ring is not None:
            ring.blend(until, columns, first, choice.tier_mask(), choice.side_mask(), money)
    return money


def heat_unit(scene: Scene, choice: Choice, step: int) -> float:
    """Return the unit of the money scale of a coin's cells: that of its largest market.

    Filters leave it as it is: what is chosen is seen on the scale of the whole coin.
    """
    rings = [_ring_of(market, choice, step) for market in scene.estimated()]
    return max((ring.unit for ring in rings if ring is not None and ring.last >= 0), default=1.0)


def _ring_of(market: Known, choice: Choice, step: int) -> Ring | None:
    ring = market.rings[step] if choice.model == "calibrated" else market.flat
    return ring if ring is not None and ring.step == step else None


def heatmap(scene: Scene, query: HeatmapQuery) -> Heatmap:
    """Return the time-price heatmap of a span."""
    until, columns, first, per_row = window(scene, query.span, query.at)
    step = SPANS[query.span][0]
    if query.since:
        columns = max(1, min(columns, until - query.since // step + 1))
    choice = query.choice()
    unit = heat_unit(scene, choice, step)
    if query.planes == "tiers":
        parts = [replace(choice, tiers=(t,) if t in choice.tiers else ()) for t in TIER_NAMES]
        cells = np.stack(
            [heat_cells(scene, part, query.span, until, columns, first) for part in parts]
        )
        settle(cells)
    elif query.planes == "difference":
        both = [replace(choice, model=m) for m in ("calibrated", "static")]
        ours, theirs = (heat_money(scene, part, step, until, columns, first) for part in both)
        cells = difference(ours, theirs, unit)
    else:
        cells = heat_cells(scene, choice, query.span, until, columns, first)
    gaps, partial = holes(scene, choice, step, until, columns)
    return Heatmap(
        span=query.span,
        t0=(until - columns + 1) * step,
        step=step,
        cols=columns,
        rows=ROWS,
        p0=first * per_row * BIN,
        dp=per_row * BIN,
        vmin=FLOOR * unit,
        vmax=TOP * unit,
        cells=cells,
        ohlc=scene.prices[step].window(until, columns).astype(np.float32),
        gaps=gaps,
        partial=partial,
    )


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
    rows = [by_row(side, whole.base, first, per_row, ROWS) for side in sides]
    return Levels(
        p0=first * per_row * BIN,
        dp=per_row * BIN,
        rows=ROWS,
        long=rows[0],
        short=rows[1],
        tiers={str(t): _sides(whole.dollars[i]) for i, t in enumerate(TIER_NAMES)},
        venues={
            market.venue: _sides(past.slab_at(scene, choice, query.at, market.venue).by_side())
            for market in scene.estimated()
            if choice.takes(market.venue)
        },
        clusters=_clusters(scene, query, whole, mark),
        reach=math.expm1(REACH),
        within=_in_reach(whole, mark),
        **_row_bands(scene, query, first, per_row, rows),
    )


def _in_reach(slab: Slab, mark: float) -> dict[str, float]:
    """Return dollars by side where clusters are looked for."""
    parts = within_reach(slab, mark) if mark > 0 else (slice(0), slice(0))
    sides = zip(slab.by_side(), parts, strict=True)
    long, short = (float(side[part].sum()) for side, part in sides)
    return {"long": long, "short": short}


def _clusters(scene: Scene, query: SpanQuery, whole: Slab, mark: float) -> list[Cluster]:
    """Return clusters with band, make-up and age; of the past and other models none is known."""
    if not mark > 0:
        return []
    found = standing(whole, mark)
    if query.at or query.model != "calibrated":
        return foremost(found)
    choice = query.choice()
    kept = with_concentration(scene, choice, foremost(above_ground(scene, choice, found)))
    return [replace(c, age=age_of(scene, choice, c.peak)) for c in kept]


def _sure(scene: Scene, query: Query, sides: Times, first: Times, last: Times) -> Doubt | None:
    """Return how sure parts are; none of the past and of the static map."""
    if query.at or query.model != "calibrated":
        return None
    return doubt(scene, query.choice(), sides, first, last)


def _row_bands(
    scene: Scene, query: SpanQuery, first: int, per_row: int, rows: list[NDArray[np.float32]]
) -> dict[str, Any]:
    """Return the bands of every row, and how much of it is measured, where it was asked for."""
    edges = np.tile((first + np.arange(ROWS)) * per_row, 2)
    asked = isinstance(query, LevelsQuery) and query.bands
    sides = np.repeat([0, 1], ROWS)
    sure = _sure(scene, query, sides, edges, edges + per_row) if asked else None
    if sure is None:
        return {"bands": {}, "measured": np.zeros(0, np.float32)}
    money = np.concatenate(rows)
    low, high = (
        (money * ends).astype(np.float32).reshape(2, ROWS) for ends in (sure.low, sure.high)
    )
    known = (money * sure.measured).reshape(2, ROWS).sum(axis=0)
    whole = np.maximum(money.reshape(2, ROWS).sum(axis=0), np.finfo(np.float32).tiny)
    bands = {side: [low[i], high[i]] for i, side in enumerate(("long", "short"))}
    return {"bands": bands, "measured": (known / whole).astype(np.float32)}


def _within(slab: Slab, mark: float, reach: float) -> Floats:
    """Return dollars by side and bin, zero beyond reach of the mark."""
    inside = np.abs(slab.prices() / mark - 1) <= reach
    return slab.by_side() * inside


def bars(scene: Scene, query: ReachQuery) -> Bars:
    """Return long against short within reach of the mark."""
    mark = past.price_at(scene, query.at)
    both = _within(past.slab_at(scene, query.choice(), query.at), mark, query.reach)
    long, short = (float(side.sum()) for side in both)
    centre, far = bin_of(mark) if mark > 0 else 0, round(query.reach / BIN)
    edges = np.array([centre - far, centre]), np.array([centre + 1, centre + far])
    sure = _sure(scene, query, np.array([0, 1]), *edges)
    known = {"long": (long, 0), "short": (short, 1)}
    return Bars(
        reach=query.reach,
        long=long,
        short=short,
        ratio=long / short if short > 0 else None,
        long_share=long / (long + short) if long + short > 0 else None,
        bands={}
        if sure is None
        else {
            name: [held * float(sure.low[i]), held * float(sure.high[i])]
            for name, (held, i) in known.items()
        },
        measured={}
        if sure is None
        else {name: float(sure.measured[i]) for name, (_, i) in known.items()},
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
    below_mark = distance[shown] < 0
    bins, centre = slab.base + shown, bin_of(mark) if mark > 0 else 0
    first, last = np.where(below_mark, bins, centre), np.where(below_mark, centre, bins) + 1
    sure = _sure(scene, query, np.where(below_mark, 0, 1), first, last)
    low, high = (np.zeros(0),) * 2 if sure is None else (sure.low, sure.high)
    ends = [total[shown] * end if len(end) else end for end in (low, high)]
    return Cumulative(distance[shown], total[shown], *ends)


def venues(scene: Scene, query: SpanQuery) -> Venues:
    """Return each venue's map beside the others'."""
    _, _, first, per_row = window(scene, query.span, query.at)
    choice = query.choice()
    markets = [m for m in scene.estimated() if choice.takes(m.venue)]
    known = {m.venue: m.estimate.oi for m in markets if m.estimate.oi > 0 and not query.at}
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
                levels=by_row(slab.by_side().sum(axis=0), slab.base, first, per_row, ROWS),
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


def accumulated(scene: Scene, query: SpanQuery) -> Accumulated:
    """Return what stood where on average over a span, and how it changed."""
    until, columns, first, per_row = window(scene, query.span, query.at)
    step = SPANS[query.span][0]
    choice = query.choice()
    sides = ("long", "short") if query.side == "both" else (query.side,)
    money = np.zeros((2, columns, ROWS))
    for i, side in enumerate(("long", "short")):
        if side in sides:
            part = replace(choice, side=side)
            money[i] = heat_money(scene, part, step, until, columns, first)
    known = filled(scene, choice, step, until, columns)
    mark = past.price_at(scene, query.at)
    place = Place(first, per_row, step, until - columns + 1)
    return accumulate(money, known, place, mark, query.span)


def observed(scene: Scene, query: SpanQuery) -> ObservedLevels:
    """Return what is seen of real positions, on the rows of a span's heatmap."""
    _, _, first, per_row = window(scene, query.span, query.at)
    return observed_levels(scene, query.choice(), first, per_row, query.at)


def compared(scene: Scene, query: SpanQuery) -> Comparison:
    """Return our map beside the static one."""
    _, _, first, per_row = window(scene, query.span, query.at)
    mark = past.price_at(scene, query.at)
    return compare(scene, query.choice(), query.at, mark, (first, per_row, ROWS))


View: TypeAlias = tuple[type[Query], Callable[[Scene, Any], Struct]]

VIEWS: dict[str, View] = {
    "heatmap": (HeatmapQuery, heatmap),
    "levels": (LevelsQuery, levels),
    "bars": (ReachQuery, bars),
    "cumulative": (ReachQuery, cumulative),
    "venues": (SpanQuery, venues),
    "cell": (CellQuery, cell),
    "observed": (SpanQuery, observed),
    "compare": (SpanQuery, compared),
    "accumulated": (SpanQuery, accumulated),
    "history": (HistoryQuery, history),
}
"""Every view by the name it has in the address."""
