"""The map and the books as paths outward from the mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.engine.overshoot.path import OutwardPath, continued, grid
from powderkeg.events import MINUTE, Floats, Side
from powderkeg.grid import BIN, bin_of, position_of
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter, PriceProfile
from powderkeg.maps.heatmap.intervals import interval
from powderkeg.maps.heatmap.prices import CLOSE
from powderkeg.market.book import Book

WATCHED: Final = 5 * MINUTE
"""µs from a touch in which price ends."""
CLOSES: Final = 60
"""Minutes whose closes show what price moves by itself."""
LEAST_CLOSES: Final = 10
_SIDES: Final[tuple[Side, Side]] = ("buy", "sell")
BANDS: Final = 5
"""Bins between two distances at which the band of the map is computed."""


class Reach(Struct, frozen=True):
    """How far one book is displayed."""

    market: str
    """Venue and symbol, such as ``binance:BTCUSDT``."""
    bids: float
    """Distance of its last bid, fraction of its mid."""
    asks: float
    """Distance of its last ask, fraction of its mid."""


class Books(Struct, frozen=True, eq=False):
    """Cumulative notional by log distance of each book's own mid, bids then asks."""

    depth: Floats
    """Quote currency, continued beyond what is displayed, shape (2, n)."""
    visible: tuple[float, float]
    """Log distance of the last level of the deepest book, of bids and of asks."""
    reaches: list[Reach]
    """Each book's own reach."""


def books_outward(books: Sequence[Book], distance: Floats) -> Books:
    """Return the depth of live books together.

    A book that ends sooner than the deepest goes on in the deepest one's shape; beyond that, all go
    on at the density displayed.

    Args:
        books: Those that are not live or have an empty side are left out.
        distance: Log distances, rising from 0, shape (n,).
    """
    live = [b for b in books if b.status == "live" and math.isfinite(b.mid)]
    sides: list[Floats] = []
    ends: list[float] = []
    for side in _SIDES:
        ladders = [_ladder(book, side, distance) for book in live]
        ends.append(max((end for _, end in ladders), default=0.0))
        sides.append(_together(ladders, distance))
    reaches = [Reach(b.market, _reach(b, "buy"), _reach(b, "sell")) for b in live]
    return Books(np.stack(sides), (ends[0], ends[1]), reaches)


def _ladder(book: Book, side: Side, distance: Floats) -> tuple[Floats, float]:
    """Return cumulative notional of a side by distance, and the distance of its last level."""
    prices, sizes = book.depth(side)
    away = np.abs(np.log(prices / book.mid))
    running = np.concatenate(([0.0], np.cumsum(prices * sizes)))
    return running[np.searchsorted(away, distance, side="right")], float(away[-1])


def _together(ladders: list[tuple[Floats, float]], distance: Floats) -> Floats:
    """Return the depth of all ladders, each continued in the shape of the deepest."""
    if not ladders:
        return np.zeros_like(distance)
    deepest, end = max(ladders, key=lambda ladder: ladder[1])
    shape = continued(deepest, distance, end)
    total = np.zeros_like(distance)
    for depth, last in ladders:
        base = float(np.interp(last, distance, shape))
        seen = float(np.interp(last, distance, depth))
        total += np.where(distance <= last, depth, seen * shape / base if base > 0 else seen)
    return total


def _reach(book: Book, side: Side) -> float:
    prices, _ = book.depth(side)
    return float(abs(prices[-1] / book.mid - 1))


def mapped_outward(
    coin_view: CoinView, map_filter: MapFilter, profile: PriceProfile, mark: float, *, band: bool
) -> tuple[OutwardPath, OutwardPath]:
    """Return the map below the mark (longs) and above it (shorts), without books.

    Args:
        coin_view: The coin.
        map_filter: The part of the map.
        profile: The map of that part.
        mark: > 0.
        band: Whether to compute the 80 % band; else it is the estimate itself.
    """
    distance = grid()
    sides = [_one_side(profile, side, mark, distance) for side in (0, 1)]
    ones = np.ones_like(distance)
    bands = _bands(coin_view, map_filter, mark, distance) if band else [(ones, ones)] * 2
    none = np.zeros_like(distance)
    below, above = (
        OutwardPath(distance, forced, none, low, high)
        for forced, (low, high) in zip(sides, bands, strict=True)
    )
    return below, above


def _one_side(profile: PriceProfile, side: int, mark: float, distance: Floats) -> Floats:
    """Return cumulative dollars outward; a bin is split where a distance cuts it."""
    running = np.concatenate(([0.0], np.cumsum(profile.by_side()[side])))
    sign = -1.0 if side == 0 else 1.0
    places = position_of(mark) + sign * distance / BIN - profile.base
    at = np.interp(places, np.arange(len(running), dtype=np.float64), running)
    return np.maximum.accumulate(np.abs(at - at[0]))


def _bands(
    coin_view: CoinView, map_filter: MapFilter, mark: float, distance: Floats
) -> list[tuple[Floats, Floats]]:
    """Return the ends of the 80 % band of what is cumulative, as factors, by side."""
    centre = bin_of(mark)
    steps = np.arange(1, math.ceil(float(distance[-1]) / BIN) + BANDS, BANDS)
    out: list[tuple[Floats, Floats]] = []
    for side in (0, 1):
        first = centre - steps if side == 0 else np.full(len(steps), centre)
        last = np.full(len(steps), centre + 1) if side == 0 else centre + steps + 1
        sure = interval(coin_view, map_filter, np.full(len(steps), side), first, last)
        low, high = (np.interp(distance, steps * BIN, ends) for ends in (sure.low, sure.high))
        out.append((low, high))
    return out


def own_movement(coin_view: CoinView) -> float:
    """Return the deviation of what price moves by itself within half of `WATCHED`, log price.

    From the minutes of the last hour; NaN where fewer than ten are known.
    """
    closes = coin_view.prices[MINUTE].window(coin_view.now // MINUTE - 1, CLOSES)[:, CLOSE]
    moves = np.diff(np.log(closes[np.isfinite(closes)]))
    if len(moves) < LEAST_CLOSES:
        return math.nan
    return float(moves.std() * math.sqrt(WATCHED / 2 / MINUTE))
