"""From when to when a map may be asked for, and the largest moves of the price in that time."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from powderkeg.events import HOUR, MINUTE, Floats, Times
from powderkeg.maps.heatmap.coin_view import CoinView
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, OPEN, PriceRing
from powderkeg.maps.views.queries import SPANS, HistoryQuery

WINDOW = HOUR
"""Time over which a move is measured."""
MOST = 20
"""Moves listed at most."""


class Move(Struct, frozen=True):
    """How far price went within an hour."""

    at: int
    """Start, µs UTC."""
    start: float
    """Price at the start, quote currency."""
    end: float
    """Price at the end, quote currency."""
    change: float
    """Change of price, a fraction of the start."""
    low: float
    """Lowest price, quote currency."""
    high: float
    """Highest price, quote currency."""


class History(Struct, frozen=True):
    """The range of `at`, and the largest moves in it."""

    since: int
    """First time, µs UTC."""
    until: int
    """Last time, µs UTC."""
    stride: int
    """Resolution of `at`, µs."""
    steps: list[int]
    """Steps of the columns that are kept, µs."""
    moves: list[Move]
    """Largest first; they do not overlap."""
    exact: bool = True
    """True where the map of a past time is replayed; false where it is read from stored columns."""


class Path:
    """Candles collected over a whole replay, beyond the last ones that the rings keep."""

    __slots__ = ("_bars", "_last", "_times")

    def __init__(self) -> None:
        """Start empty."""
        self._times: list[Times] = []
        self._bars: list[Floats] = []
        self._last = -1

    def take(self, rings: Mapping[int, PriceRing]) -> None:
        """Add the finished columns of the 5-minute ring that are new."""
        ring = rings[5 * MINUTE]
        until = ring.last - 1
        count = min(until - self._last, ring.size - 1)
        if ring.last < 0 or count <= 0:
            return
        bars = ring.window(until, count)
        known = ~np.isnan(bars[:, OPEN])
        self._times.append(np.arange(until - count + 1, until + 1)[known] * ring.step)
        self._bars.append(bars[known])
        self._last = until

    def moves(self) -> list[Move]:
        """Return the largest moves of all that was added."""
        if not self._times:
            return []
        return largest(
            moves_of(np.concatenate(self._times), np.concatenate(self._bars), 5 * MINUTE)
        )


def moves_of(times: Times, bars: Floats, step: int) -> list[Move]:
    """Return the move of the hour from each candle on, where candles cover it.

    Args:
        times: Start of each candle, µs, rising, shape (n,).
        bars: Open, high, low, close, volume, shape (n, 5).
        step: Length of a candle, µs.
    """
    stops = np.searchsorted(times, times + WINDOW)
    out: list[Move] = []
    for first, stop in enumerate(stops.tolist()):
        if times[stop - 1] + step < times[first] + WINDOW:
            continue
        part, start = bars[first:stop], float(bars[first, OPEN])
        end, low, high = float(part[-1, CLOSE]), float(part[:, LOW].min()), part[:, HIGH].max()
        out.append(Move(int(times[first]), start, end, end / start - 1, low, float(high)))
    return out


def largest(moves: list[Move]) -> list[Move]:
    """Return the largest moves by log return that do not overlap, largest first."""
    taken: list[Move] = []
    for move in sorted(moves, key=lambda m: (-abs(math.log1p(m.change)), m.at)):
        if len(taken) == MOST:
            break
        if move.change and all(abs(move.at - other.at) >= WINDOW for other in taken):
            taken.append(move)
    return taken


def outside(since: int, until: int, at: int) -> str:
    """Return why a time cannot be asked for, in words."""
    return f"expected `at` from {since} to {until} (µs UTC), the time that is kept, found {at}"


def kept(coin_view: CoinView) -> tuple[int, list[int]]:
    """Return the first time the rings have a map of, µs, and the steps of their columns.

    A ring that is only sparsely filled by coarser data does not count.
    """
    known = {
        (step, int(ring.known()[0]))
        for market in coin_view.estimated()
        for step, ring in market.rings.items()
        if ring.is_contiguous
    }
    since = min(((first + 1) * step for step, first in known), default=coin_view.now)
    return since, sorted({step for step, _ in known})


def spans(coin_view: CoinView) -> list[str]:
    """Return the spans that have data: 5-minute bars fill no finer columns."""
    _, filled = kept(coin_view)
    return [span for span, (step, _) in SPANS.items() if step in filled]


def history(coin_view: CoinView, query: HistoryQuery) -> History:  # noqa: ARG001  every view takes a query
    """Return what the rings still keep of a coin: the map as it was drawn then."""
    since, steps = kept(coin_view)
    moves: list[Move] = []
    for step in steps:
        ring = coin_view.prices[step]
        last = coin_view.now // step - 1
        bars = ring.window(last, ring.size - 1)
        times = np.arange(last - len(bars) + 1, last + 1) * step
        known = ~np.isnan(bars[:, OPEN])
        moves += moves_of(times[known], bars[known], step)
    stride = min(steps, default=MINUTE)
    return History(since, coin_view.now, stride, steps, largest(moves), exact=False)
