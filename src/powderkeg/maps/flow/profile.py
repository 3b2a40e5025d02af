"""The volume profile: what traded by price, its point of control and value area."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, SECOND
from powderkeg.flow.tape.profile import naked, value_area
from powderkeg.flow.tape.traded import TradedRows, step_for
from powderkeg.maps.field_types import Float32Array, OptionalFloat
from powderkeg.maps.flow.flow_view import FlowView, chosen
from powderkeg.maps.flow.queries import ProfileQuery

PART: Final = 30 * MINUTE
"""Length of the parts whose points of control may not have traded since."""
FINE: Final = 1e-4
MOST: Final = 4_000
"""Rows of an answer; a finer row is made coarser."""


class Profile(Struct, frozen=True, kw_only=True):
    """Volume by price, rising; each array has one element a row."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row: it holds the prices from ``first * step`` up."""
    bought: Float32Array
    """Base coin taken by buyers."""
    sold: Float32Array
    """Base coin taken by sellers."""
    poc: OptionalFloat
    """Price of the row with the most volume, quote currency; null where nothing traded."""
    value_low: OptionalFloat
    """Lower edge of the value area, quote currency."""
    value_high: OptionalFloat
    """Upper edge of the value area, quote currency."""
    share: OptionalFloat
    """Fraction of the volume inside it."""
    naked: list[float]
    """Points of control of past half hours not traded at since, quote currency, newest first."""
    window: int
    """Seconds over which volume is summed."""


def profile_of(flow_view: FlowView, query: ProfileQuery) -> Profile:
    """Return the volume profile of a coin over the window."""
    since = max(flow_view.now - query.window * SECOND, 0)
    bounds = _bounds(flow_view, query, since)
    if bounds is None:
        return _empty(query)
    low, high = bounds
    step = max(query.row or step_for(low, FINE), step_for(high - low + low * FINE, 1 / MOST))
    first = math.floor(low / step + 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    rows = _rows(flow_view, query, since, first, count, step)
    area = value_area(rows.bought + rows.sold)
    at = [math.nan] * 3 if area is None else [area.poc, area.low, area.high + 1]
    poc, value_low, value_high = ((first + place) * step for place in at)
    return Profile(
        step=step,
        first=first,
        bought=rows.bought.astype(np.float32),
        sold=rows.sold.astype(np.float32),
        poc=poc,
        value_low=value_low,
        value_high=value_high,
        share=math.nan if area is None else area.share,
        naked=_naked(flow_view, query, since, first, count, step),
        window=query.window,
    )


def _bounds(flow_view: FlowView, query: ProfileQuery, since: int) -> tuple[float, float] | None:
    reaches = [
        reach
        for market in chosen(flow_view, query.venues)
        if market.traded is not None and (reach := market.traded.reach(since)) is not None
    ]
    if not reaches:
        return None
    return min(low for low, _ in reaches), max(high for _, high in reaches)


def _empty(query: ProfileQuery) -> Profile:
    none = np.zeros(0, np.float32)
    return Profile(
        step=query.row or 1.0, first=0, bought=none, sold=none, poc=math.nan, value_low=math.nan,
        value_high=math.nan, share=math.nan, naked=[], window=query.window,
    )  # fmt: skip


def _rows(
    flow_view: FlowView, query: ProfileQuery, since: int, first: int, count: int, step: float,
    until: int | None = None,
) -> TradedRows:  # fmt: skip
    """Return what traded on all chosen markets, by row."""
    found = [
        market.traded.rows(since, first, count, step, until)
        for market in chosen(flow_view, query.venues)
        if market.traded is not None
    ]
    bought, sold = (
        np.sum([getattr(each, name) for each in found], axis=0) for name in ("bought", "sold")
    )
    largest = np.max([each.largest for each in found], axis=0)
    return TradedRows(
        step, first, bought, sold, largest, np.sum([each.count for each in found], axis=0)
    )


def _naked(
    flow_view: FlowView, query: ProfileQuery, since: int, first: int, count: int, step: float
) -> list[float]:
    """Return points of control of past half hours that nothing has traded at since."""
    pocs: list[float] = []
    lows: list[float] = []
    highs: list[float] = []
    for start in range(since // PART * PART, flow_view.now, PART):
        rows = _rows(flow_view, query, start, first, count, step, start + PART)
        volume = rows.bought + rows.sold
        traded = np.flatnonzero(volume > 0)
        area = value_area(volume)
        pocs.append(math.nan if area is None else (first + area.poc) * step)
        lows.append((first + int(traded[0])) * step if len(traded) else math.inf)
        highs.append((first + int(traded[-1])) * step if len(traded) else -math.inf)
    return [
        pocs[i]
        for i in reversed(naked(pocs[:-1], lows[:-1], highs[:-1]))
        if not lows[-1] <= pocs[i] <= highs[-1]
    ]
