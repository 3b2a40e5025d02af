"""What the signals read every few minutes: positioning, levels of the chart, prints and walls."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, Floats
from powderkeg.flow.coin import MarketFlow
from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.maps.flow.series import crowd_of
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, joined_bars
from powderkeg.signals.scene import Crowd, Level, Pair
from powderkeg.signals.thresholds import DEFAULT

QUARTER: Final = 15 * MINUTE
SPOT_OVER: Final = 10
"""Minutes of spot delta that are compared with the usual ten."""
RULES = DEFAULT.quality


class SlowReadings(Struct, frozen=True, kw_only=True):
    """Readings of a few minutes; see `Scene`."""

    crowd: Crowd = Crowd()
    oi_change: float = math.nan
    spot: float = math.nan
    premium: float = math.nan
    large: float = math.inf
    top_share: float = math.nan
    pulled: Pair = (0, 0)
    levels: tuple[Level, ...] = ()
    hour_range: float = math.nan


def slow_readings(view: FlowView, now: int) -> SlowReadings:
    """Return the readings of now, µs."""
    markets = [market for _, market in sorted(view.flow.markets.items())]
    perps = [m for m in markets if m.kind == "perp"]
    return SlowReadings(
        crowd=_crowd(view, perps, now),
        oi_change=_change(_by_minute(perps, "oi", now), 240),
        spot=_spot([m for m in markets if m.kind == "spot"], now),
        premium=_premium(perps, now),
        large=view.flow.scale.threshold() if view.flow.scale.count else math.inf,
        top_share=_top_share(view, now),
        pulled=_pulled(view, now),
        levels=_levels(view, now),
        hour_range=_hour_range(view, now),
    )


def _crowd(view: FlowView, perps: list[MarketFlow], now: int) -> Crowd:
    if not perps:
        return Crowd()
    found = crowd_of(view, perps)
    hours = [m.readings.by_hour("oi", now) for m in perps if "oi" in m.readings.latest]
    oi = np.sum(hours, axis=0) if hours else np.full(1, math.nan)
    return Crowd(
        funding=found.funding_percentile,
        index=math.nan if found.index is None else found.index,
        accounts=found.shares.get("accounts", math.nan),
        top_positions=found.inputs.get("top_positions", math.nan),
        oi_week=_change(oi, 7 * DAY // HOUR),
    )


def _by_minute(perps: list[MarketFlow], field: str, now: int) -> Floats:
    """Return the sum of a reading by minute over a day, NaN until every market has one."""
    each = [m.readings.by_minute(field, now, DAY // MINUTE) for m in perps]
    known = [values for values in each if not math.isnan(values[-1])]
    return np.sum(known, axis=0) if known else np.full(1, math.nan)


def _change(values: Floats, back: int) -> float:
    """Return the last value over the one so many before, less 1; NaN where one is not known."""
    if len(values) <= back or not values[-1 - back] > 0:
        return math.nan
    return float(values[-1] / values[-1 - back] - 1)


def _spot(spots: list[MarketFlow], now: int) -> float:
    """Return the spot delta of ten minutes in standard deviations of a day of them."""
    last = now // MINUTE - 1
    count = DAY // MINUTE // SPOT_OVER * SPOT_OVER
    delta = np.zeros(count)
    for market in spots:
        bars = market.cvd.bars((last - count + 1) * MINUTE)
        at = bars.times // MINUTE - last + count - 1
        inside = at < count
        np.add.at(delta, at[inside], bars.quote[inside])
    traded = np.flatnonzero(delta)
    if not len(traded) or count - traded[0] < 60:
        return math.nan
    tens = delta.reshape(-1, SPOT_OVER).sum(axis=1)[traded[0] // SPOT_OVER :]
    spread = float(tens.std())
    return float(tens[-1]) / spread if spread > 0 else math.nan


def _premium(perps: list[MarketFlow], now: int) -> float:
    """Return the change of mark over index in ten minutes, mean of the markets."""
    changes = [
        values[-1] - values[-1 - SPOT_OVER]
        for values in (m.readings.by_minute("basis", now, DAY // MINUTE) for m in perps)
    ]
    known = [float(change) for change in changes if not math.isnan(change)]
    return sum(known) / len(known) if known else math.nan


def _top_share(view: FlowView, now: int) -> float:
    """Return the share of ten minutes' volume that the largest hundredth of the prints traded."""
    rows = view.flow.prints.rows()
    recent = np.sort(rows["notional"][rows["end"] >= now - RULES.within])
    if len(recent) < 1 / RULES.largest:
        return math.nan
    top = recent[-max(1, round(len(recent) * RULES.largest)) :]
    return float(top.sum() / recent.sum())


def _pulled(view: FlowView, now: int) -> Pair:
    sides = [
        wall.side
        for at, wall in view.flow.ended
        if wall.end == "pulled" and now - at <= RULES.within
    ]
    return float(sides.count(0)), float(sides.count(1))


def _hour_range(view: FlowView, now: int) -> float:
    """Return the mean true range of the last day's hours, quote currency."""
    bars = joined_bars(view.prices, HOUR, now, 25)
    before = bars[:-1, CLOSE]
    high, low = np.fmax(bars[1:, HIGH], before), np.fmin(bars[1:, LOW], before)
    known = (high - low)[~np.isnan(high - low)]
    return float(known.mean()) if len(known) >= 3 else math.nan


def _levels(view: FlowView, now: int) -> tuple[Level, ...]:
    """Return swing pivots of quarter hours, and the extremes of the day and week before."""
    out = _pivots(joined_bars(view.prices, QUARTER, now, 97))
    days = joined_bars(view.prices, DAY, now, 14)
    monday = (now // DAY + 3) % 7  # the epoch was a Thursday
    parts = ("day", days[-1:]), ("week", days[len(days) - monday - 7 : len(days) - monday])
    for name, bars in parts:
        if not np.isnan(bars[:, HIGH]).all():
            out.append(Level(f"high of the {name} before", float(np.nanmax(bars[:, HIGH]))))
            out.append(Level(f"low of the {name} before", float(np.nanmin(bars[:, LOW]))))
    return tuple(out)


def _pivots(bars: Floats) -> list[Level]:
    """Return swing highs and lows: extremes of five bars to either side, all of them known."""
    n = DEFAULT.confluence.pivot
    found: list[Level] = []
    for column, name in ((HIGH, "swing high"), (LOW, "swing low")):
        around = np.lib.stride_tricks.sliding_window_view(bars[:, column], 2 * n + 1)
        extreme = around.max(axis=1) if column == HIGH else around.min(axis=1)
        swings = around[around[:, n] == extreme, n]
        found += [Level(name, price) for price in swings.tolist()]
    return found
