"""The read: where price stands to the clusters, whether the book gives way, when, and the crowd.

Four rows of evidence, each a number beside what it needs, with its age and how much it rests on.
No row names a direction, and none is a forecast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, SECOND
from powderkeg.flow.books.absorption import Pressure
from powderkeg.flow.coin import CoinFlow
from powderkeg.flow.thresholds import DEFAULT
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.flow.flow_view import FlowView, chosen, venue_of
from powderkeg.maps.flow.ladder import map_beside
from powderkeg.maps.flow.queries import FlowQuery
from powderkeg.maps.flow.series import Crowd, crowd_of
from powderkeg.maps.flow.zones import ShieldedCluster, shields_of
from powderkeg.maps.heatmap import past
from powderkeg.maps.views.clusters import Cluster, standing

State: TypeAlias = Literal["met", "waiting", "not met", "unknown"]
Name: TypeAlias = Literal["where", "whether", "when", "crowd"]
Unit: TypeAlias = Literal["fraction of price", "ratio", "multiple", "percentile"]
NEAR: Final = 0.0015
"""Fraction of price within which a cluster's edge is reached."""
SPEED: Final = 3.0
"""Multiple of the usual volume from which the last minutes are heavy."""
RECENT: Final = 5
"""Minutes of volume that are compared with the hours before."""
USUAL: Final = 240
"""Minutes that the usual volume is the mean of."""
LEAST_MINUTES: Final = 30
"""Minutes with volume from which it is known."""
EXTREME: Final = 90.0
"""Percentile from which positioning is extreme, and below 100 less it as well."""
LEAST_HOURS: Final = 72
"""Hours of funding from which its percentile is known."""
FRESH: Final = 20 * SECOND
"""µs for which a read of the books holds: its own window."""


class ReadRow(Struct, frozen=True, kw_only=True):
    """One row of evidence."""

    name: Name
    """Which question it answers."""
    state: State
    """Whether what it needs is met; waiting while it is under way."""
    word: str
    """The state in words."""
    figure: OptionalFloat
    """Number in `unit`; null where it is not known."""
    unit: Unit
    """Unit of the figure and of the threshold."""
    threshold: float
    """Number that the figure needs to reach, in `unit`."""
    need: str
    """The threshold in words."""
    n: int
    """Number of observations that it rests on."""
    n_of: str
    """What was counted."""
    age: float | None
    """Seconds since the data it rests on; null where there is none yet."""
    detail: str
    """What else belongs to it, in words and numbers."""


class Read(Struct, frozen=True, kw_only=True):
    """Evidence about this moment."""

    rows: list[ReadRow]
    """Where, whether, when, crowd."""
    met: int
    """Number of rows that are met."""
    version: int
    """Version of the thresholds."""
    clusters: list[ShieldedCluster]
    """Clusters of the map, the nearest first, and whether resting orders shield them."""


def read_of(flow_view: FlowView, query: FlowQuery, found: Sequence[Cluster]) -> Read:
    """Return the read of a coin.

    Args:
        flow_view: The coin.
        query: Which venues.
        found: Clusters of the map now, see `clusters_beside`.
    """
    rows = [
        _where(flow_view, found),
        _whether(flow_view, query.venues),
        _when(flow_view, query.venues),
        _crowd(flow_view, query.venues),
    ]
    return Read(
        rows=rows,
        met=sum(row.state == "met" for row in rows),
        version=DEFAULT.version,
        clusters=shields_of(flow_view, query.venues, found),
    )


def clusters_beside(flow_view: FlowView, venues: tuple[str, ...]) -> list[Cluster]:
    """Return the clusters of the map of chosen venues, in no order that matters."""
    mark, profile = past.price_at(flow_view, 0), map_beside(flow_view, venues)
    return standing(profile, mark) if profile is not None and mark > 0 else []


def _where(flow_view: FlowView, found: Sequence[Cluster]) -> ReadRow:
    """Return how far the nearest cluster is: 0 inside it."""
    price = flow_view.price
    at = max((m.last_received for m in flow_view.estimated()), default=0)
    near = min(found, key=lambda c: _distance(c, price), default=None) if price > 0 else None
    figure = math.nan if near is None else _distance(near, price)
    state: State = "unknown" if near is None else "not met"
    word, detail = "no cluster on the map", "no stretch holds 1.5 times its ground within 15 %"
    if near is not None:
        word = "away from clusters" if figure > NEAR else "at a cluster"
        word = word if figure else "inside a cluster"
        state = "met" if figure <= NEAR else state
        detail = f"{_price(near.floor)} to {_price(near.top)} · {_dollars(near.notional)} estimated"
    return ReadRow(
        name="where", state=state, word=word, figure=figure, unit="fraction of price",
        threshold=NEAR, need=f"a cluster within {NEAR:.2%}", n=len(found), n_of="clusters",
        age=_age(flow_view.now, at), detail=detail,
    )  # fmt: skip


def _distance(cluster: Cluster, price: float) -> float:
    """Return how far the nearer edge of a cluster is, a fraction of price; 0 inside it."""
    outside = max(cluster.floor - price, price - cluster.top, 0.0)
    return outside / price


def _whether(flow_view: FlowView, venues: tuple[str, ...]) -> ReadRow:
    """Return whether the book absorbs: the strongest of the sides under pressure now."""
    flow, rules = flow_view.flow, DEFAULT.absorption
    pressed = [
        read
        for read in flow.pressures
        if flow_view.now - read.time <= FRESH
        and (not venues or venue_of(flow.books[read.book]) in venues)
    ]
    strongest = max(
        pressed,
        key=lambda read: (read.absorbed, not math.isnan(read.ratio), read.volume),
        default=None,
    )
    windows = flow.absorption.windows(len(flow.books))
    state: State = "not met" if windows >= rules.warm_up else "unknown"
    word = "not under pressure" if state == "not met" else "learning what is usual"
    figure, detail = math.nan, _last_pull(flow, flow_view.now)
    if strongest is not None:
        figure = strongest.refill
        state, word, ratio = _held(strongest)
        side = "bids" if strongest.side == 0 else "asks"
        detail = (
            f"{side} on {venue_of(flow.books[strongest.book])}: {strongest.volume:.4g} taken, "
            f"{ratio} · {detail}"
        )
    return ReadRow(
        name="whether", state=state, word=word, figure=figure, unit="ratio",
        threshold=rules.refill,
        need=f"refill {rules.refill:.2f} and absorption ratio {rules.ratio:.2f} under pressure",
        n=windows, n_of=f"windows of {rules.window // SECOND} s", age=_age(flow_view.now, flow.now),
        detail=detail,
    )  # fmt: skip


def _held(read: Pressure) -> tuple[State, str, str]:
    """Return whether a side under pressure holds, in a word, and its absorption ratio in words."""
    if math.isnan(read.ratio):
        return "unknown", "nothing to compare with", "as much usually does not move the mid"
    ratio = f"absorption ratio {read.ratio:.2f} of {DEFAULT.absorption.ratio:.2f}"
    return ("met", "absorbing", ratio) if read.absorbed else ("not met", "giving way", ratio)


def _last_pull(flow: CoinFlow, now: int) -> str:
    """Return a description of the last pulled wall of ten minutes."""
    pulled = [
        (at, wall) for at, wall in flow.ended if wall.end == "pulled" and now - at <= 10 * MINUTE
    ]
    if not pulled:
        return "no wall pulled within 10 min"
    at, wall = pulled[-1]
    price = wall.step * float(flow.window.steps[wall.book])
    return f"wall at {_price(price)} pulled {(now - at) // SECOND} s ago"


def _when(flow_view: FlowView, venues: tuple[str, ...]) -> ReadRow:
    """Return the volume of the last minutes as a multiple of what is usual."""
    until = flow_view.now // MINUTE
    markets = [m for m in chosen(flow_view, venues) if m.kind == "perp"]
    volume, at = np.zeros(USUAL + 1), 0
    for market in markets:
        bars = market.cvd.bars((until - USUAL) * MINUTE)
        np.add.at(volume, np.minimum(bars.times // MINUTE - until + USUAL, USUAL), bars.volume)
        at = max(at, market.cvd.last)
    begun = np.flatnonzero(volume)
    known = len(volume) - int(begun[0]) if len(begun) else 0
    usual = float(volume[begun[0] : -RECENT].mean()) if known > RECENT else 0.0
    figure = (
        float(volume[-RECENT:].mean()) / usual if known >= LEAST_MINUTES and usual else math.nan
    )
    state: State = "unknown" if math.isnan(figure) else "met" if figure >= SPEED else "not met"
    words = {"met": "heavy", "not met": "ordinary", "unknown": "not enough yet"}
    return ReadRow(
        name="when", state=state, word=f"volume {words[state]}" if known else words[state],
        figure=figure, unit="multiple", threshold=SPEED,
        need=f"{SPEED:g} times the usual volume for {RECENT} min", n=known,
        n_of="minutes of prints",
        age=_age(flow_view.now, at), detail=_since_extreme(flow_view, venues),
    )  # fmt: skip


def _since_extreme(flow_view: FlowView, venues: tuple[str, ...]) -> str:
    """Return the delta of perpetuals over the last minutes, in words."""
    since = (flow_view.now // MINUTE - RECENT + 1) * MINUTE
    markets = [m for m in chosen(flow_view, venues) if m.kind == "perp"]
    delta = sum(float(m.cvd.bars(since).quote.sum()) for m in markets)
    sign = "+" if delta >= 0 else "−"
    return f"delta {sign}{_dollars(abs(delta))} in {RECENT} min"


def _crowd(flow_view: FlowView, venues: tuple[str, ...]) -> ReadRow:
    """Return how extreme funding is against its last 90 days."""
    perps = [m for m in chosen(flow_view, venues) if m.kind == "perp"]
    crowd = crowd_of(flow_view, perps)
    known = crowd.hours >= LEAST_HOURS
    figure = crowd.funding_percentile if known else math.nan
    extreme = known and not 100 - EXTREME < figure < EXTREME
    state: State = "unknown" if not known else "met" if extreme else "not met"
    words = {"met": "extreme", "not met": "not extreme", "unknown": "not enough yet"}
    return ReadRow(
        name="crowd", state=state, word=words[state], figure=figure, unit="percentile",
        threshold=EXTREME, need=f"percentile {EXTREME:g} or {100 - EXTREME:g} of 90 days",
        n=crowd.hours, n_of="hours of funding", age=_age(flow_view.now, crowd.funding_at or 0),
        detail=_positioning(crowd),
    )  # fmt: skip


def _positioning(crowd: Crowd) -> str:
    parts = []
    if not math.isnan(crowd.funding):
        parts.append(f"funding {crowd.funding:.4%} in 8 h")
    if "accounts" in crowd.shares:
        parts.append(f"long share of accounts {crowd.shares['accounts']:.0%}")
    if crowd.index is not None:
        parts.append(f"crowding {crowd.index:.0f} of 100")
    return " · ".join(parts) or "no funding yet"


def _age(now: int, at: int) -> float | None:
    return (now - at) / SECOND if at else None


def _price(price: float) -> str:
    """Return a price with six significant digits, and commas."""
    digits = max(0, 5 - math.floor(math.log10(price))) if price < 1e5 else 0
    return f"{price:,.{digits}f}"


def _dollars(dollars: float) -> str:
    """Return dollars with a unit: $38.3M."""
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if dollars >= unit:
            return f"${dollars / unit:.3g}{letter}"
    return f"${dollars:.0f}"
