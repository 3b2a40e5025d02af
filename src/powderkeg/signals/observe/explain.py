"""Why a candle has a long wick, asked for afterwards: by the map as it stood before the candle.

Source: docs/signals.md, "Wicks".
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct

from powderkeg.errors import RequestError
from powderkeg.events import Floats, PositionSide
from powderkeg.flow.coin import CoinFlow
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, OPEN, joined_bars
from powderkeg.signals.context.wick import (
    LENGTH,
    MEMORY,
    RANGES,
    SPAN,
    Class,
    Wick,
    average_range,
    length_of,
    rank_among,
    wick_of,
)
from powderkeg.signals.contract import Evidence
from powderkeg.signals.observe.observer import stretches

SIDES: Final[tuple[PositionSide, PositionSide]] = ("long", "short")


class WickQuery(FlowQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A candle of fifteen minutes."""

    candle: Annotated[int, Meta(ge=0)] = 0
    """Any time in it, µs UTC; 0 means the last one that is over."""


class WickRow(Struct, frozen=True, kw_only=True):
    """One long wick."""

    type: Class
    """What explains it."""
    side: PositionSide
    """Whose liquidations it would be: longs for the lower wick."""
    extreme: float
    """Where it ended, quote currency."""
    floor: float | None
    """Lowest price of the cluster that it ended at, quote currency; null where it ended at none."""
    top: float | None
    """Highest price of that cluster, quote currency."""
    notional: float | None
    """Estimated dollars inside before the candle."""
    fired: float
    """Fraction of the cluster's dollars that price passed, estimated; 0 without one."""
    mirror: bool
    """Whether a cluster lay as far away on the other side of the open: how often it happens by
    chance."""
    evidence: list[Evidence]
    """What was read, beside what it needs."""


class Explanation(Struct, frozen=True, kw_only=True):
    """The wicks of one candle, and what they ended at."""

    start: int
    """Start of the candle, µs UTC."""
    end: int
    """End of the candle, µs UTC."""
    open: float
    """First price, quote currency."""
    high: float
    """Highest price, quote currency."""
    low: float
    """Lowest price, quote currency."""
    close: float
    """Last price, quote currency."""
    lower: OptionalFloat
    """Length of the lower wick over the average true range, a ratio; null where that is unknown."""
    upper: OptionalFloat
    """Length of the upper wick over the average true range, a ratio; null where that is unknown."""
    need: float
    """Ratio from which a wick is long."""
    clusters: int
    """Number of clusters of the map before the candle."""
    wicks: list[WickRow]
    """The long ones; none means that there is nothing to explain."""


def explained(view: FlowView, query: WickQuery) -> Explanation:
    """Return what the wicks of a candle ended at.

    Raises:
        RequestError: The candle is not over yet, or its prices are not kept any more.
    """
    start = (query.candle or view.now - SPAN) // SPAN * SPAN
    end = start + SPAN
    if end > view.now:
        raise RequestError(f"expected a candle that is over, found one until {end} µs UTC")
    bars = joined_bars(view.prices, SPAN, end, RANGES + 1)
    bar = bars[-1]
    if np.isnan(bar).any():
        raise RequestError(f"expected a candle whose prices are kept, found none at {start} µs UTC")
    before = stretches(view, float(bar[OPEN]), start)
    found = [wick_of(bars, side, before, _rank(view.flow, side, end)) for side in SIDES]
    usual = average_range(bars[:-1])
    return Explanation(
        start=start, end=end, open=float(bar[OPEN]), high=float(bar[HIGH]), low=float(bar[LOW]),
        close=float(bar[CLOSE]), lower=length_of(bar, "long") / usual,
        upper=length_of(bar, "short") / usual, need=LENGTH, clusters=len(before),
        wicks=[_row(wick, bar) for wick in found if wick is not None],
    )  # fmt: skip


def _row(wick: Wick, bar: Floats) -> WickRow:
    hit = wick.cluster
    fired = next(each.value for each in wick.evidence if each.name == "fired, estimated")
    return WickRow(
        type=wick.kind, side=wick.side,
        extreme=float(bar[LOW] if wick.side == "long" else bar[HIGH]),
        floor=hit and hit.floor, top=hit and hit.top, notional=hit and hit.notional, fired=fired,
        mirror=wick.mirror, evidence=list(wick.evidence),
    )  # fmt: skip


def _rank(flow: CoinFlow, side: PositionSide, end: int) -> float:
    """Return the percentile of what was reported liquidated in the candle, of those remembered."""
    first = end // SPAN - MEMORY
    sums = np.zeros(MEMORY)
    for each in flow.liquidated:
        n = each.time // SPAN - first
        if each.side == side and 0 <= n < MEMORY:
            sums[n] += each.size * each.price
    known = np.flatnonzero(sums)
    return rank_among(sums[known[0] :]) if len(known) else float("nan")
