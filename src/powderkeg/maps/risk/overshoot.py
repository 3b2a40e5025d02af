"""The overshoot of a coin now: what may follow once price touches a level.

Expected from the estimated map, the displayed books and the sweeps seen so far. It is no forecast
that the level will be touched, and none of a direction.
"""

from __future__ import annotations

import copy
import math
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct

from powderkeg.engine.overshoot.chain import chain
from powderkeg.engine.overshoot.forecast import BEYOND, forecast
from powderkeg.engine.overshoot.path import FAR, OutwardPath, acceleration, pass_probability
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.events import Floats
from powderkeg.maps.flow.flow_view import FlowView, venue_of
from powderkeg.maps.flow.ladder import map_beside
from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.risk.answers import ChainLink, Outward, Overshoot, SurvivalState, TouchForecast
from powderkeg.maps.risk.outward import Reach, books_outward, mapped_outward, own_movement
from powderkeg.maps.views.clusters import Cluster, foremost, standing

SHOWN: Final = 10
"""Points of a path between two that are answered: 20 bp."""
LEAST_WALLS: Final = 10
"""Walls that must have ended before the share that was pulled is known."""


class OvershootQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The overshoot."""

    price: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """Level that is touched, quote currency; 0 means the densest price of the nearest cluster on
    each side."""
    order: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    """Notional of a market order that begins the chain, quote currency; 0: price has reached the
    level already."""


class MappedSides(Struct, frozen=True, eq=False):
    """What the overshoot needs of the map."""

    mark: float
    paths: tuple[OutwardPath, OutwardPath] | None
    clusters: list[Cluster]


class OvershootInput(Struct, frozen=True, eq=False):
    """What the overshoot is computed from: it no longer depends on the coin."""

    query: OvershootQuery
    mark: float
    paths: tuple[OutwardPath, OutwardPath] | None
    clusters: list[Cluster]
    reaches: list[Reach]
    survival: DepthSurvival
    movement: float
    pulled: float


def mapped_beside(flow_view: FlowView, venues: tuple[str, ...]) -> MappedSides:
    """Return the map of chosen venues outward from the mark, with its clusters."""
    mark = past.price_at(flow_view, 0)
    if not mark > 0:
        return MappedSides(math.nan, None, [])
    profile = map_beside(flow_view, venues)
    if profile is None:
        return MappedSides(mark, None, [])
    leveraged = {market.venue for market in flow_view.estimated()}
    map_filter = MapFilter(tuple(venue for venue in venues if venue in leveraged))
    paths = mapped_outward(flow_view, map_filter, profile, mark, band=True)
    return MappedSides(mark, paths, foremost(standing(profile, mark)))


def gathered(flow_view: FlowView, query: OvershootQuery, mapped: MappedSides) -> OvershootInput:
    """Return what the overshoot is computed from: the map beside, and the books as they are."""
    paths, reaches = mapped.paths, list[Reach]()
    if paths is not None:
        books = [
            book
            for book in flow_view.books()
            if not query.venues or venue_of(book.market) in query.venues
        ]
        shown = books_outward(books, paths[0].distance)
        reaches = shown.reaches
        below, above = (
            OutwardPath(p.distance, p.forced, shown.depth[i], p.low, p.high, shown.visible[i])
            for i, p in enumerate(paths)
        )
        paths = below, above
    return OvershootInput(
        query, mapped.mark, paths, mapped.clusters, reaches,
        copy.copy(flow_view.sweeps.survival), own_movement(flow_view), _pulled(flow_view),
    )  # fmt: skip


def overshoot_of(known: OvershootInput) -> Overshoot:
    """Return the overshoot of what was gathered, in any thread."""
    touches = [
        _touch(known, side, level, cluster)
        for side, level, cluster in _levels(known)
        if known.paths is not None and known.reaches
    ]
    return Overshoot(
        mark=known.mark,
        touches=touches,
        survival=SurvivalState(known.survival.median, known.survival.spread, known.survival.sweeps),
        movement=known.movement,
        pulled=known.pulled,
        books=known.reaches,
        unknown=_unknown(known, touches),
    )


def _pulled(flow_view: FlowView) -> float:
    ended = [wall for _, wall in flow_view.flow.ended]
    if len(ended) < LEAST_WALLS:
        return math.nan
    return sum(wall.end == "pulled" for wall in ended) / len(ended)


def _levels(known: OvershootInput) -> list[tuple[int, float, Cluster | None]]:
    """Return side, log distance and cluster of each touch that is answered."""
    if not known.mark > 0:
        return []
    if known.query.price > 0:
        side = 0 if known.query.price < known.mark else 1
        here = [c for c in _of_side(known, side) if c.floor <= known.query.price <= c.top]
        level = abs(math.log(known.query.price / known.mark))
        return [(side, level, here[0] if here else None)] if _within(known, level) else []
    out: list[tuple[int, float, Cluster | None]] = []
    for side in (0, 1):
        for cluster in _of_side(known, side):
            away = (-1.0 if side == 0 else 1.0) * math.log(cluster.peak / known.mark)
            if away > 0 and _within(known, away):
                out.append((side, away, cluster))
                break
    return out


def _within(known: OvershootInput, level: float) -> bool:
    return known.paths is not None and level < known.paths[0].distance[-1]


def _of_side(known: OvershootInput, side: int) -> list[Cluster]:
    """Return the clusters of a side, nearest first."""
    own = "long" if side == 0 else "short"
    found = [c for c in known.clusters if c.side == own]
    return sorted(found, key=lambda c: abs(c.distance))


def _touch(
    known: OvershootInput, side: int, level: float, cluster: Cluster | None
) -> TouchForecast:
    assert known.paths is not None  # noqa: S101  for the type checker: `_levels` returned none else
    path, sign = known.paths[side], -1.0 if side == 0 else 1.0
    drift = 0.0 if math.isnan(known.movement) else known.movement
    found = forecast(path, level, known.survival, drift)
    prices = known.mark * np.exp(sign * found.end)
    links, length = _chain(known, side, level)
    return TouchForecast(
        level=known.mark * math.exp(sign * level),
        distance=math.expm1(sign * level),
        side="long" if side == 0 else "short",
        cluster=None if cluster is None else (cluster.floor, cluster.top),
        end=_three(prices),
        forced=_three(found.forced),
        beyond=found.beyond,
        unseen=found.unseen,
        visible=math.expm1(path.visible),
        chain=links,
        chain_length=length,
        outward=_outward(known, path, sign, level),
    )


def _three(values: Floats) -> tuple[float, float, float]:
    low, middle, high = values.tolist()
    return low, middle, high


def _chain(known: OvershootInput, side: int, level: float) -> tuple[list[ChainLink], int]:
    assert known.paths is not None  # noqa: S101  as above
    path, sign = known.paths[side], -1.0 if side == 0 else 1.0
    left = 1.0 if math.isnan(known.pulled) else 1 - known.pulled
    begun = known.mark if known.query.order else known.mark * math.exp(sign * level)

    def away(price: float) -> float:
        return max(sign * math.log(price / known.mark), 0.0)

    def resting(one: float, other: float) -> float:
        ends = (path.at(path.depth, away(price)) for price in (one, other))
        return abs(next(ends) - next(ends)) * left

    edges = [
        ((c.top, c.floor) if side == 0 else (c.floor, c.top), c.notional)
        for c in _of_side(known, side)
    ]
    ahead = [(near, far, held) for (near, far), held in edges if away(far) > level + 1e-12]
    found = chain(begun, known.query.order or math.nan, ahead, resting)
    rows = [
        ChainLink(
            link.near, link.far, link.notional, link.cumulative, link.resting,
            link.coefficient if math.isfinite(link.coefficient) else None, link.carried,
        )
        for link in found.links
    ]  # fmt: skip
    return rows, found.length


def _outward(known: OvershootInput, path: OutwardPath, sign: float, level: float) -> Outward:
    passing = pass_probability(path, level, known.survival.median, known.survival.spread)
    points = np.arange(0, len(path.distance), SHOWN)
    shown = OutwardPath(
        path.distance[points], path.forced[points], path.depth[points], path.low[points],
        path.high[points],
    )  # fmt: skip
    ratio = np.append(acceleration(shown, known.survival.median), 0.0)
    forced = shown.forced
    return Outward(
        price=known.mark * np.exp(sign * shown.distance),
        forced=forced,
        low=forced * shown.low,
        high=forced * shown.high,
        depth=shown.depth,
        acceleration=np.where(np.isfinite(ratio), ratio, np.nan),
        passing=passing[points],
    )


def _unknown(known: OvershootInput, touches: list[TouchForecast]) -> list[str]:
    """Return what is not known, in words."""
    if known.paths is None:
        return ["no mark price yet"]
    if not known.reaches:
        return ["no live book: what would absorb is not known"]
    words = [
        f"{reach.market} is displayed only {min(reach.bids, reach.asks):.2%} from its mid; beyond,"
        " its depth is assumed"
        for reach in known.reaches
        if min(reach.bids, reach.asks) < BEYOND
    ]
    words += [
        f"{touch.unseen:.0%} of the cases of {touch.level:,.6g} end beyond all displayed books,"
        f" {touch.visible:.2%}"
        for touch in touches
        if touch.unseen > 0
    ]
    furthest = 1 - 1e-3  # of the path, in log distance: a draw that nothing absorbs stops there
    words += [
        f"a tenth of the cases of {touch.level:,.6g} are not absorbed within {math.expm1(FAR):.0%}"
        for touch in touches
        if abs(math.log(touch.end[2] / known.mark)) >= FAR * furthest
    ]
    if not known.survival.sweeps:
        words.append("no sweep of this coin was seen: the surviving share is the prior")
    if math.isnan(known.movement):
        words.append("too few minutes: what price moves by itself is left out")
    if not touches:
        words.append("no cluster ahead, or a level beyond 25 %")
    if any(touch.chain and touch.chain_length == len(touch.chain) for touch in touches):
        words.append("whether the last cluster of a chain is absorbed is not known")
    return words
