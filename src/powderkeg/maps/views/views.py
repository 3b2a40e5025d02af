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

from powderkeg.events import Floats, PositionSide, Times
from powderkeg.grid import BIN, PriceRows, bin_of
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.ages import age_of
from powderkeg.maps.heatmap.coin_view import (
    TIER_NAMES,
    CoinView,
    MapFilter,
    MarketView,
    PriceProfile,
)
from powderkeg.maps.heatmap.gaps import filled, gap_spans
from powderkeg.maps.heatmap.intervals import Interval, interval
from powderkeg.maps.heatmap.ring import ROWS, Ring
from powderkeg.maps.heatmap.scale import FLOOR, TOP, encode, settle
from powderkeg.maps.views.accumulated import Accumulated, Place, accumulate
from powderkeg.maps.views.answers import (
    Bars,
    Cell,
    Cumulative,
    Heatmap,
    Levels,
    Sides,
    Venues,
    VenueShare,
)
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
from powderkeg.maps.views.moves import history, spans
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


def window(coin_view: CoinView, span: str, at: int) -> tuple[int, int, PriceRows]:
    """Return number of the last column, number of columns, and rows, of a span.

    The rows are centred on the price, snapped to a sixteenth of the window, so that ticks do not
    shift them.
    """
    step, columns = SPANS[span]
    until = past.over(at, step) if at else max(coin_view.now - 1, 0) // step
    per_row = STEPS[step]
    price = past.price_at(coin_view, at) if at else coin_view.price
    centre = bin_of(price) // per_row if price > 0 else 0
    snap = ROWS // 16
    return until, columns, PriceRows(centre // snap * snap - ROWS // 2, per_row, ROWS)


def heat_cells(
    coin_view: CoinView, map_filter: MapFilter, span: str, until: int, columns: int, first: int
) -> NDArray[np.uint8]:
    """Return bytes of `columns` columns that end with `until`, shape (columns, 800)."""
    step = SPANS[span][0]
    money = heat_money(coin_view, map_filter, step, until, columns, first)
    money /= heat_unit(coin_view, map_filter, step)
    cells = np.empty((columns, ROWS), np.uint8)
    encode(money.reshape(-1), cells.reshape(-1))
    return cells


def heat_money(
    coin_view: CoinView, map_filter: MapFilter, step: int, until: int, columns: int, first: int
) -> Floats:
    """Return dollars of `columns` columns that end with `until`, shape (columns, 800).

    The static map is kept in one step only; in others it is empty.
    """
    money = np.zeros((columns, ROWS))
    for market in coin_view.estimated():
        ring = _ring_of(market, map_filter, step)
        if map_filter.takes(market.venue) and ring is not None:
            ring.blend(until, columns, first, map_filter.tier_mask(), map_filter.side_mask(), money)
    return money


def heat_unit(coin_view: CoinView, map_filter: MapFilter, step: int) -> float:
    """Return the unit of the money scale of a coin's cells: that of its largest market.

    Filters leave it as it is: what is chosen is seen on the scale of the whole coin.
    """
    rings = [_ring_of(market, map_filter, step) for market in coin_view.estimated()]
    return max((ring.unit for ring in rings if ring is not None and ring.last >= 0), default=1.0)


def _ring_of(market: MarketView, map_filter: MapFilter, step: int) -> Ring | None:
    ring = market.rings[step] if map_filter.model == "calibrated" else market.static_ring
    return ring if ring is not None and ring.step == step else None


def heatmap(coin_view: CoinView, query: HeatmapQuery) -> Heatmap:
    """Return the time-price heatmap of a span."""
    until, columns, rows = window(coin_view, query.span, query.at)
    step = SPANS[query.span][0]
    if query.since:
        columns = max(1, min(columns, until - query.since // step + 1))
    map_filter = query.map_filter()
    unit = heat_unit(coin_view, map_filter, step)
    if query.planes == "tiers":
        parts = [
            replace(map_filter, tiers=(t,) if t in map_filter.tiers else ()) for t in TIER_NAMES
        ]
        cells = np.stack(
            [heat_cells(coin_view, part, query.span, until, columns, rows.first) for part in parts]
        )
        settle(cells)
    elif query.planes == "difference":
        both = [replace(map_filter, model=m) for m in ("calibrated", "static")]
        ours, theirs = (
            heat_money(coin_view, part, step, until, columns, rows.first) for part in both
        )
        cells = difference(ours, theirs, unit)
    else:
        cells = heat_cells(coin_view, map_filter, query.span, until, columns, rows.first)
    gaps, partial = gap_spans(coin_view, map_filter, step, until, columns)
    return Heatmap(
        span=query.span,
        t0=(until - columns + 1) * step,
        step=step,
        cols=columns,
        rows=ROWS,
        p0=rows.p0,
        dp=rows.dp,
        vmin=FLOOR * unit,
        vmax=TOP * unit,
        cells=cells,
        ohlc=coin_view.prices[step].window(until, columns).astype(np.float32),
        gaps=gaps,
        partial=partial,
        tiers=list(TIER_NAMES),
        spans=spans(coin_view),
    )


def _sides(dollars: Floats) -> Sides:
    """Return totals of an array whose second-last axis is the side."""
    return Sides(float(dollars[..., 0, :].sum()), float(dollars[..., 1, :].sum()))


def levels(coin_view: CoinView, query: SpanQuery) -> Levels:
    """Return the level chart: the map at one moment by price."""
    _, _, rows = window(coin_view, query.span, query.at)
    map_filter = query.map_filter()
    whole = past.price_profile_at(coin_view, map_filter, query.at)
    sides = whole.by_side()
    mark = past.price_at(coin_view, query.at)
    money = [rows.sums(side, whole.base) for side in sides]
    return Levels(
        p0=rows.p0,
        dp=rows.dp,
        rows=ROWS,
        long=money[0],
        short=money[1],
        tiers={str(t): _sides(whole.dollars[i]) for i, t in enumerate(TIER_NAMES)},
        venues={
            market.venue: _sides(
                past.price_profile_at(coin_view, map_filter, query.at, market.venue).by_side()
            )
            for market in coin_view.estimated()
            if map_filter.takes(market.venue)
        },
        clusters=_clusters(coin_view, query, whole, mark),
        reach=math.expm1(REACH),
        within=_in_reach(whole, mark),
        **_row_bands(coin_view, query, rows, money),
    )


def _in_reach(profile: PriceProfile, mark: float) -> Sides:
    """Return dollars by side where clusters are looked for."""
    parts = within_reach(profile, mark) if mark > 0 else (slice(0), slice(0))
    sides = zip(profile.by_side(), parts, strict=True)
    long, short = (float(side[part].sum()) for side, part in sides)
    return Sides(long, short)


def _clusters(
    coin_view: CoinView, query: SpanQuery, whole: PriceProfile, mark: float
) -> list[Cluster]:
    """Return clusters with band, make-up and age; of the past and other models none is known."""
    if not mark > 0:
        return []
    found = standing(whole, mark)
    if query.at or query.model != "calibrated":
        return foremost(found)
    map_filter = query.map_filter()
    kept = with_concentration(
        coin_view, map_filter, foremost(above_ground(coin_view, map_filter, found))
    )
    return [replace(c, age=age_of(coin_view, map_filter, c.peak)) for c in kept]


def _sure(
    coin_view: CoinView, query: Query, sides: Times, first: Times, last: Times
) -> Interval | None:
    """Return how sure parts are; none of the past and of the static map."""
    if query.at or query.model != "calibrated":
        return None
    return interval(coin_view, query.map_filter(), sides, first, last)


def _row_bands(
    coin_view: CoinView, query: SpanQuery, rows: PriceRows, by_side: list[NDArray[np.float32]]
) -> dict[str, Any]:
    """Return the bands of every row, and how much of it is measured, where it was asked for."""
    edges = np.tile(rows.first_bins, 2)
    asked = isinstance(query, LevelsQuery) and query.bands
    sides = np.repeat([0, 1], ROWS)
    sure = _sure(coin_view, query, sides, edges, edges + rows.per_row) if asked else None
    if sure is None:
        return {"bands": {}, "measured": np.zeros(0, np.float32)}
    money = np.concatenate(by_side)
    low, high = (
        (money * ends).astype(np.float32).reshape(2, ROWS) for ends in (sure.low, sure.high)
    )
    known = (money * sure.measured).reshape(2, ROWS).sum(axis=0)
    whole = np.maximum(money.reshape(2, ROWS).sum(axis=0), np.finfo(np.float32).tiny)
    bands = {side: (low[i], high[i]) for i, side in enumerate(("long", "short"))}
    return {"bands": bands, "measured": (known / whole).astype(np.float32)}


def _within(profile: PriceProfile, mark: float, reach: float) -> Floats:
    """Return dollars by side and bin, zero beyond reach of the mark."""
    inside = np.abs(profile.prices() / mark - 1) <= reach
    return profile.by_side() * inside


def bars(coin_view: CoinView, query: ReachQuery) -> Bars:
    """Return long against short within reach of the mark."""
    mark = past.price_at(coin_view, query.at)
    both = _within(
        past.price_profile_at(coin_view, query.map_filter(), query.at), mark, query.reach
    )
    long, short = (float(side.sum()) for side in both)
    centre, far = bin_of(mark) if mark > 0 else 0, round(query.reach / BIN)
    edges = np.array([centre - far, centre]), np.array([centre + 1, centre + far])
    sure = _sure(coin_view, query, np.array([0, 1]), *edges)
    known: dict[PositionSide, tuple[float, int]] = {"long": (long, 0), "short": (short, 1)}
    return Bars(
        reach=query.reach,
        long=long,
        short=short,
        ratio=long / short if short > 0 else None,
        long_share=long / (long + short) if long + short > 0 else None,
        bands={}
        if sure is None
        else {
            name: (held * float(sure.low[i]), held * float(sure.high[i]))
            for name, (held, i) in known.items()
        },
        measured={}
        if sure is None
        else {name: float(sure.measured[i]) for name, (_, i) in known.items()},
    )


def cumulative(coin_view: CoinView, query: ReachQuery) -> Cumulative:
    """Return the running total from the mark outward, longs below and shorts above."""
    mark = past.price_at(coin_view, query.at)
    profile = past.price_profile_at(coin_view, query.map_filter(), query.at)
    both = _within(profile, mark, query.reach)
    distance = profile.prices() / mark - 1
    inside = np.abs(distance) <= query.reach
    below = np.cumsum(both[0][::-1])[::-1]
    above = np.cumsum(both[1])
    total = np.where(distance < 0, below, above)
    known = np.flatnonzero(inside)
    shown = known[:: max(1, math.ceil(len(known) / 400))]
    shown = np.unique(np.append(shown, known[-1:]))  # both ends: they are the totals
    below_mark = distance[shown] < 0
    bins, centre = profile.base + shown, bin_of(mark) if mark > 0 else 0
    first, last = np.where(below_mark, bins, centre), np.where(below_mark, centre, bins) + 1
    sure = _sure(coin_view, query, np.where(below_mark, 0, 1), first, last)
    low, high = (np.zeros(0),) * 2 if sure is None else (sure.low, sure.high)
    ends = [total[shown] * end if len(end) else end for end in (low, high)]
    return Cumulative(distance[shown], total[shown], *ends)


def venues(coin_view: CoinView, query: SpanQuery) -> Venues:
    """Return each venue's map beside the others'."""
    _, _, rows = window(coin_view, query.span, query.at)
    map_filter = query.map_filter()
    markets = [m for m in coin_view.estimated() if map_filter.takes(m.venue)]
    known = {m.venue: m.estimate.oi for m in markets if m.estimate.oi > 0 and not query.at}
    total = sum(known.values())
    shares: list[VenueShare] = []
    for market in markets:
        profile = past.price_profile_at(coin_view, map_filter, query.at, market.venue)
        sides = _sides(profile.by_side())
        oi = known.get(market.venue, 0.0)
        share = oi / total if total else 0.0
        levels = rows.sums(profile.by_side().sum(axis=0), profile.base)
        shares.append(VenueShare(market.venue, sides.long, sides.short, oi, share, levels))
    return Venues(rows.p0, rows.dp, rows.count, shares)


def cell(coin_view: CoinView, query: CellQuery) -> Cell:
    """Return what stands at one price, by venue and tier."""
    mark = past.price_at(coin_view, query.at)
    map_filter = query.map_filter()
    dollars: dict[str, dict[str, float]] = {}
    near = 0.0
    for market in coin_view.estimated():
        if not map_filter.takes(market.venue):
            continue
        profile = past.price_profile_at(coin_view, map_filter, query.at, market.venue)
        here = bin_of(query.price) - profile.base
        money = profile.dollars.sum(axis=1)
        inside = 0 <= here < money.shape[1]
        dollars[market.venue] = {
            str(t): float(money[i, here]) if inside else 0.0 for i, t in enumerate(TIER_NAMES)
        }
        near += float(money[:, np.abs(profile.prices() / query.price - 1) <= 1e-3].sum())
    distance = query.price / mark - 1 if mark > 0 else None
    return Cell(query.price, distance, not query.at, dollars, near)


def accumulated(coin_view: CoinView, query: SpanQuery) -> Accumulated:
    """Return what stood where on average over a span, and how it changed."""
    until, columns, rows = window(coin_view, query.span, query.at)
    step = SPANS[query.span][0]
    map_filter = query.map_filter()
    sides = ("long", "short") if query.side == "both" else (query.side,)
    money = np.zeros((2, columns, ROWS))
    for i, side in enumerate(("long", "short")):
        if side in sides:
            part = replace(map_filter, side=side)
            money[i] = heat_money(coin_view, part, step, until, columns, rows.first)
    known = filled(coin_view, map_filter, step, until, columns)
    mark = past.price_at(coin_view, query.at)
    place = Place(rows, step, until - columns + 1)
    return accumulate(money, known, place, mark, query.span)


def observed(coin_view: CoinView, query: SpanQuery) -> ObservedLevels:
    """Return what is seen of real positions, on the rows of a span's heatmap."""
    _, _, rows = window(coin_view, query.span, query.at)
    return observed_levels(coin_view, query.map_filter(), rows, query.at)


def compared(coin_view: CoinView, query: SpanQuery) -> Comparison:
    """Return our map beside the static one."""
    _, _, rows = window(coin_view, query.span, query.at)
    mark = past.price_at(coin_view, query.at)
    return compare(coin_view, query.map_filter(), query.at, mark, rows)


View: TypeAlias = tuple[type[Query], Callable[[CoinView, Any], Struct]]

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
