"""S9: why a candle has a long wick, by the map as it stood before the candle.

A wick that ends at a cluster is no proof: bright clusters lie everywhere. Beside each wick the same
distance on the other side of the open is tested: that is how often it happens by chance.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, Floats, PositionSide
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, OPEN, VOLUME
from powderkeg.signals.contract import Evidence, Move
from powderkeg.signals.zones import Stretch, Zone

SPAN: Final = 15 * MINUTE
"""µs of a candle."""
RANGES: Final = 96
"""Candles that the average true range is of: a day."""
LEAST: Final = 24
"""Of them, from which it is known."""
LENGTH: Final = 1.0
"""Average true ranges from which a wick is long."""
BODIES: Final = 2.0
"""Multiple of the body from which it is long."""
NEAR: Final = 0.002
"""Fraction of price between the end of a wick and a cluster that it ends at."""
FIRED: Final = 0.1
"""Share of the cluster that price swept, from which it counts as liquidations."""
QUANTILE: Final = 0.95
"""Of the dollars reported liquidated by candle."""
MEMORY: Final = 672
"""Candles of which they are remembered: a week."""
HEAVY: Final = 3.0
"""Multiple of the usual volume."""
Class: TypeAlias = Literal["LIQUIDATION", "MAP_ONLY", "PRINTS_ONLY", "UNEXPLAINED"]


class Wick(Struct, frozen=True):
    """A long wick, and what it ended at."""

    kind: Class
    side: PositionSide
    """Whose liquidations a wick in this direction would be."""
    evidence: tuple[Evidence, ...]
    cluster: Stretch | None
    """The one that it ended at; None where it ended at none."""
    mirror: bool
    """Whether the same distance on the other side would have."""

    @property
    def on_map(self) -> bool:
        """Whether it ended at a cluster."""
        return self.cluster is not None

    @property
    def move(self) -> Move:
        """The only state of its episode."""
        return Move(self.kind, self.evidence)


class Wicks:
    """What is remembered between two candles."""

    __slots__ = ("_before", "_liquidated", "_opened", "_running")

    def __init__(self) -> None:
        """Start before the first candle."""
        self._before: tuple[Stretch, ...] | None = None
        self._opened = 0
        self._running = 0.0, 0.0
        self._liquidated: deque[tuple[float, float]] = deque(maxlen=MEMORY)

    def add_liquidated(self, longs: float, shorts: float) -> None:
        """Add dollars reported liquidated."""
        self._running = self._running[0] + longs, self._running[1] + shorts

    def next_candle(self, bars: Floats, clusters: Sequence[Stretch], now: int) -> list[Wick]:
        """Return the long wicks of the candle that ended, and keep the map for the next.

        Args:
            bars: The candles up to the one that ended, shape (n, 5), oldest first.
            clusters: Of the map now.
            now: Start of the next candle, µs.
        """
        before, reported = self._before, self._running
        follows = now - self._opened == SPAN
        self._before, self._opened, self._running = tuple(clusters), now, (0.0, 0.0)
        self._liquidated.append(reported)
        if before is None or not follows or np.isnan(bars[-1]).any():
            return []
        sides: tuple[PositionSide, PositionSide] = ("long", "short")
        wicks = (wick_of(bars, side, before, self._rank(side)) for side in sides)
        return [wick for wick in wicks if wick is not None]

    def _rank(self, side: PositionSide) -> float:
        """Return the percentile of the candle's liquidations; NaN where none was ever reported."""
        return rank_among(np.array([each[0 if side == "long" else 1] for each in self._liquidated]))


def length_of(bar: Floats, side: PositionSide) -> float:
    """Return the length of a candle's wick, quote currency: the lower one for longs."""
    if side == "long":
        return float(bar[[OPEN, CLOSE]].min() - bar[LOW])
    return float(bar[HIGH] - bar[[OPEN, CLOSE]].max())


def wick_of(
    bars: Floats, side: PositionSide, before: Sequence[Stretch], rank: float
) -> Wick | None:
    """Return what a candle's wick ended at; None where it is not long.

    Args:
        bars: The candles up to this one, shape (n, 5), oldest first.
        side: Whose liquidations it would be: longs for the lower wick.
        before: Clusters of the map before the candle.
        rank: Percentile of what was reported liquidated in it; NaN where not known.
    """
    bar, usual, length = bars[-1], average_range(bars[:-1]), length_of(bars[-1], side)
    body = abs(float(bar[CLOSE] - bar[OPEN]))
    extreme = float(bar[LOW] if side == "long" else bar[HIGH])
    if not (length >= LENGTH * usual and length >= BODIES * body):
        return None
    hit = _at(before, side, extreme)
    mirror = _at(before, _other(side), float(bar[OPEN]) ** 2 / extreme) is not None
    share = 0.0 if hit is None else Zone(hit, 0, math.nan).share_to(extreme)
    volume = float(bar[VOLUME]) / _usual(bars[:-1, VOLUME])
    forced = rank >= 100 * QUANTILE
    kind: Class = "PRINTS_ONLY" if forced or volume >= HEAVY else "UNEXPLAINED"
    if hit is not None:
        kind = "LIQUIDATION" if share >= FIRED or forced else "MAP_ONLY"
    evidence = (
        Evidence("wick", length / usual, LENGTH, "ratio", met=True),
        Evidence("ends at", extreme, math.nan, "price", met=hit is not None),
        Evidence("fired, estimated", share, FIRED, "fraction", share >= FIRED),
        Evidence("reported liquidated", rank, 100 * QUANTILE, "percentile", forced),
        Evidence("volume", volume, HEAVY, "multiple", volume >= HEAVY),
    )
    return Wick(kind, side, evidence, hit, mirror)


def rank_among(past: Floats) -> float:
    """Return the percentile of the last of several amounts; NaN of too few, or of none above 0."""
    if not past.any() or len(past) <= LEAST:
        return math.nan
    return float(100 * (past[:-1] < past[-1]).mean())


def _other(side: PositionSide) -> PositionSide:
    return "short" if side == "long" else "long"


def _at(clusters: Sequence[Stretch], side: PositionSide, price: float) -> Stretch | None:
    """Return the cluster of a side that a price is at, the largest of several."""
    close = [
        each
        for each in clusters
        if each.side == side and each.floor * (1 - NEAR) <= price <= each.top * (1 + NEAR)
    ]
    return max(close, key=lambda each: each.notional, default=None)


def average_range(bars: Floats) -> float:
    """Return the average true range; NaN of too few candles."""
    part = bars[-RANGES:]
    known = part[~np.isnan(part).any(axis=1)]
    if len(known) < LEAST:
        return math.nan
    before = np.concatenate(([known[0, OPEN]], known[:-1, CLOSE]))
    high, low = np.maximum(known[:, HIGH], before), np.minimum(known[:, LOW], before)
    return float((high - low).mean())


def _usual(volume: Floats) -> float:
    """Return the mean volume of a candle; NaN of none."""
    known = volume[-RANGES:][~np.isnan(volume[-RANGES:])]
    return float(known.mean()) if len(known) and known.mean() > 0 else math.nan
