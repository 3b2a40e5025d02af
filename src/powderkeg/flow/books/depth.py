"""Spread and depth of a book, how long they take to recover, and whether the hour is a thin one.

Depth is what rests within a distance of the mid, per side. A book of twenty levels may end before
that distance: then the depth is a lower bound, and `BookDepth.complete` says so.

Source: docs/orderflow.md, "Depth".
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.events import HOUR, MINUTE, SECOND, Floats, Times
from powderkeg.flow.books.window import Levels
from powderkeg.flow.thresholds import DEFAULT, DepthRules
from powderkeg.market.book import Book

DISTANCES: Final = (0.001, 0.005, 0.01, 0.02)
"""Fractions of the mid."""
WEEK: Final = 168
"""Hours."""
Measure: TypeAlias = Literal["spread", "depth"]
_ROUNDING: Final = 1e-12
"""Part of a price by which binary fractions may put it beyond its distance."""


class BookDepth(Struct, frozen=True, eq=False):
    """Spread and depth of one book."""

    mid: float
    """Quote currency; NaN where a side is empty."""
    spread: float
    """Best ask less best bid, quote currency; NaN where a side is empty."""
    distances: Floats
    """Fractions of the mid, shape (n,)."""
    coins: Floats
    """Base coin within each distance, bids and asks, shape (n, 2); NaN without a mid."""
    notional: Floats
    """The same in quote currency."""
    reach: tuple[float, float]
    """Distance of the last visible bid and ask, fractions of the mid; NaN without a mid."""

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Whether levels are visible up to each distance, shape (n, 2); else it holds more."""
        return np.array(self.reach) >= self.distances[:, None] * (1 - _ROUNDING)


def book_depth(bids: Levels, asks: Levels, distances: Sequence[float] = DISTANCES) -> BookDepth:
    """Return spread and depth.

    Args:
        bids: Prices and sizes, in any order.
        asks: As above.
        distances: Fractions of the mid.
    """
    limits = np.array(distances, np.float64)
    if not (len(bids[0]) and len(asks[0])):
        unknown = np.full((len(limits), 2), math.nan)
        return BookDepth(math.nan, math.nan, limits, unknown, unknown, (math.nan, math.nan))
    bid, ask = float(bids[0].max()), float(asks[0].min())
    mid = (bid + ask) / 2
    sides = [_within(levels, mid, limits) for levels in (bids, asks)]
    coins, notional = (np.stack([side[n] for side in sides], axis=1) for n in range(2))
    return BookDepth(mid, ask - bid, limits, coins, notional, (sides[0][2], sides[1][2]))


def depth_of(book: Book, distances: Sequence[float] = DISTANCES) -> BookDepth:
    """Return spread and depth of a market's book; see `book_depth`."""
    return book_depth(book.depth("buy"), book.depth("sell"), distances)


def _within(levels: Levels, mid: float, limits: Floats) -> tuple[Floats, Floats, float]:
    """Return coins and notional within each distance, and the distance of the last level."""
    prices, sizes = levels
    away = np.abs(prices - mid)
    order = np.argsort(away, kind="stable")
    counts = np.searchsorted(away[order], limits * mid + _ROUNDING * mid, side="right")
    sums = [
        np.concatenate(([0.0], np.cumsum(amounts[order])))[counts]
        for amounts in (sizes, sizes * prices)
    ]
    return sums[0], sums[1], float(away.max()) / mid


class Shock(Struct, frozen=True):
    """Spread or depth fell far behind what it was."""

    start: int
    """µs."""
    usual: float
    """Median before."""
    worst: float
    """Widest spread or least depth since."""
    end: int | None = None
    """When it was back, µs; None while it is not."""

    @property
    def seconds(self) -> float | None:
        """Recovery time in event time; None while it has not recovered."""
        return None if self.end is None else (self.end - self.start) / SECOND


class Recovery:
    """Recovery time of the spread or of the depth of one book.

    A shock begins where depth has fallen to half its median of the minutes before, or the spread
    has risen to four times its own; it ends at 90 % of that median. What is read during
    a shock is not part of the median. A shock that lasts too long is the new usual: it is closed
    without an end, and the median is learned again.
    """

    __slots__ = ("_sampled", "_samples", "_usual", "measure", "rules", "shock", "shocks")

    def __init__(self, measure: Measure, rules: DepthRules = DEFAULT.depth) -> None:
        """Start without a median."""
        self.measure: Measure = measure
        self.rules = rules
        self.shock: Shock | None = None
        """The one that has not recovered."""
        self.shocks: deque[Shock] = deque(maxlen=rules.shocks)
        """Those that are over, newest last."""
        self._samples: deque[tuple[int, float]] = deque()
        self._sampled = -1
        self._usual = math.nan

    @property
    def usual(self) -> float:
        """Median of the last minutes; NaN until it is known."""
        return self._usual

    def add(self, time: int, value: float) -> None:
        """Add a reading.

        Args:
            time: µs, not before the last one.
            value: Spread, or depth of both sides, > 0 but for an empty book; NaN is left out.
        """
        if math.isnan(value):
            return
        if self.shock is None:
            self._watch(time, value)
        else:
            self._follow(self.shock, time, value)

    def _watch(self, time: int, value: float) -> None:
        shock = self.rules.spread_shock if self.measure == "spread" else self.rules.shock
        if self._share(self._usual, value) <= shock:
            self.shock = Shock(time, self._usual, value)
            return
        if time // self.rules.sample == self._sampled:
            return
        self._sampled = time // self.rules.sample
        self._samples.append((time, value))
        while self._samples[0][0] <= time - self.rules.before:
            self._samples.popleft()
        enough = len(self._samples) >= self.rules.warm_up
        self._usual = float(np.median([v for _, v in self._samples])) if enough else math.nan

    def _follow(self, shock: Shock, time: int, value: float) -> None:
        worse = max if self.measure == "spread" else min
        shock = replace(shock, worst=worse(shock.worst, value))
        self.shock = shock
        if self._share(shock.usual, value) >= self.rules.recovered:
            self.shocks.append(replace(shock, end=time))
            self.shock = None
        elif time - shock.start > self.rules.longest:
            self.shocks.append(shock)
            self.shock, self._usual = None, math.nan
            self._samples.clear()

    def _share(self, usual: float, value: float) -> float:
        """Return how good a reading is: 1 as usual, 0 where nothing rests; NaN until known."""
        over, under = (usual, value) if self.measure == "spread" else (value, usual)
        return over / under if under > 0 else math.inf


class ThinHour(Struct, frozen=True):
    """Depth now against the same hour of other weeks."""

    usual: float | None
    """Median of that hour's medians; None until enough of them are known."""
    share: float | None
    """Depth over the usual one."""
    thin: bool | None
    """Whether that is little; None: not known yet."""


class HourlyDepth:
    """Depth of one book by hour of the week."""

    __slots__ = ("_hour", "_medians", "_minute", "_samples", "_weeks", "rules")

    def __init__(self, rules: DepthRules = DEFAULT.depth) -> None:
        """Start without an hour."""
        self.rules = rules
        self._medians: Floats = np.full((WEEK, rules.weeks), np.nan)
        self._weeks: Times = np.full((WEEK, rules.weeks), -1, np.int64)
        self._hour = self._minute = -1
        self._samples: list[float] = []

    def add(self, time: int, depth: float) -> None:
        """Add a reading in order of time, µs; the first of each minute counts."""
        minute, hour = time // MINUTE, time // HOUR
        if minute <= self._minute or math.isnan(depth):
            return
        if hour != self._hour:
            self._close()
        self._minute, self._hour = minute, hour
        self._samples.append(depth)

    def _close(self) -> None:
        """Keep the median of the hour that is over."""
        if self._samples:
            week, row = divmod(self._hour, WEEK)
            self._medians[row, week % self.rules.weeks] = np.median(self._samples)
            self._weeks[row, week % self.rules.weeks] = week
            self._samples = []

    def read(self, time: int, depth: float) -> ThinHour:
        """Return how a depth compares with the same hour of the last weeks.

        Args:
            time: µs; its own hour does not count.
            depth: As it was added.
        """
        week, row = divmod(time // HOUR, WEEK)
        weeks = self._weeks[row]
        known = self._medians[row][(weeks >= max(week - self.rules.weeks, 0)) & (weeks < week)]
        if len(known) < self.rules.least_weeks or math.isnan(depth):
            return ThinHour(None, None, None)
        usual = float(np.median(known))
        share = depth / usual if usual > 0 else math.inf
        return ThinHour(usual, share, share < self.rules.thin)
