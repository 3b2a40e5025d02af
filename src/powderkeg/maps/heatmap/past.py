"""The map at a time: exact for now, from the ring's columns (within 2.3 %) for the past.

A column is drawn until it ends, so a past map is read from columns that had ended by then: later
data is never used.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from powderkeg.maps.heatmap.coin_view import (
    TIER_NAMES,
    CoinView,
    MapFilter,
    MarketView,
    Mode,
    PriceProfile,
    price_profile,
)
from powderkeg.maps.heatmap.prices import CLOSE
from powderkeg.maps.heatmap.ring import FILLED, ROWS, Ring
from powderkeg.maps.heatmap.scale import DOLLARS


def over(at: int, step: int) -> int:
    """Return the number of the last column of a step, µs, that was over at a time."""
    return at // step - 1


def price_at(coin_view: CoinView, at: int) -> float:
    """Return the mark now, or the close of the finest column over by `at`; NaN where unknown."""
    if not at:
        marks = [market.estimate.mark for market in coin_view.estimated()]
        return marks[0] if marks else coin_view.price
    for step in sorted(coin_view.prices):
        ring = coin_view.prices[step]
        close = float(ring.window(over(at, step), 1)[0, CLOSE])
        if not math.isnan(close):
            return close
    return math.nan


def price_profile_at(
    coin_view: CoinView, map_filter: MapFilter, at: int, venue: str | None = None
) -> PriceProfile:
    """Return the map of the chosen venues at a time; 0 means now.

    A past map is the last column over by then of the finest ring that still holds it, and is empty
    where none does.
    """
    if not at:
        return price_profile(coin_view, map_filter, venue)
    parts: list[PriceProfile] = []
    for market in coin_view.estimated():
        if not map_filter.takes(market.venue) or venue not in (None, market.venue):
            continue
        for ring in rings_of(market, map_filter.model):
            part = _column(ring, at, map_filter)
            if part is not None:
                parts.append(part)
                break
    if not parts:
        return PriceProfile(0, np.zeros((len(TIER_NAMES), 2, 0)))
    low = min(part.base for part in parts)
    high = max(part.base + part.dollars.shape[2] for part in parts)
    total = np.zeros((len(TIER_NAMES), 2, high - low))
    for part in parts:
        start = part.base - low
        total[:, :, start : start + part.dollars.shape[2]] += part.dollars
    return PriceProfile(low, total)


def state_at(market: MarketView, at: int) -> Literal["up", "down", "unknown"]:
    """Return whether a market was drawn at a time, from the finest ring that still covers it."""
    for ring in rings_of(market, "calibrated"):
        number = over(at, ring.step)
        if ring.last - ring.size < number <= ring.last and ring.states[number % ring.size]:
            return "up" if ring.states[number % ring.size] == FILLED else "down"
    return "unknown"


def rings_of(market: MarketView, model: Mode) -> list[Ring]:
    """Return the rings that keep a model's columns, the finest first."""
    if model == "static":
        return [market.static_ring] if market.static_ring is not None else []
    return [market.rings[step] for step in sorted(market.rings)]


def _column(ring: Ring, at: int, map_filter: MapFilter) -> PriceProfile | None:
    """Return one stored column as dollars by bin, or nothing where it is not stored."""
    number = over(at, ring.step)
    slot = number % ring.size
    if number > ring.last or number <= ring.last - ring.size or ring.states[slot] != FILLED:
        return None
    rows = DOLLARS[ring.column(number)] * ring.unit
    front = int(ring.fronts[slot])
    dollars = np.zeros((len(TIER_NAMES), 2, ROWS))
    dollars[:, 0, :front] = rows[:, :front]
    dollars[:, 1, front + 1 :] = rows[:, front + 1 :]
    dollars[:, :, front] = DOLLARS[ring.edges[slot]].T * ring.unit
    dollars *= ring.shares(np.array([slot]))[0][:, None]
    dollars[~map_filter.tier_mask()] = 0.0
    dollars[:, ~map_filter.side_mask()] = 0.0
    spread = np.repeat(dollars / ring.per_row, ring.per_row, axis=2)
    return PriceProfile(int(ring.firsts[slot]) * ring.per_row, spread)
