"""Large prints: what one taker took in one go, and how large is large.

A market order that eats several levels is printed level by level. Prints of one market and side are
merged while they follow each other within `Prints.merge`, in event time.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import HOUR, Side, Trade, Trades
from powderkeg.flow.thresholds import DEFAULT, PrintRules

_PER_OCTAVE: Final = 16
"""Bins of the size histogram per factor of two: sizes are distinguished to 4.4 %."""
_BINS: Final = 64 * _PER_OCTAVE
"""From 1 to 2^64 of quote currency."""


class MergedPrint(Struct, frozen=True):
    """Prints of one taker."""

    market: str
    side: Side
    start: int
    """First print, µs."""
    end: int
    """Last print, µs."""
    size: float
    """Base coin."""
    notional: float
    """Quote currency."""
    low: float
    high: float
    count: int
    """Prints merged."""

    @property
    def price(self) -> float:
        """Mean price paid."""
        return self.notional / self.size


class PrintMerger:
    """Merges the prints of one market."""

    __slots__ = ("_open", "gap", "market")

    def __init__(self, market: str, gap: int = DEFAULT.prints.merge) -> None:
        """Merge prints at most `gap` µs apart."""
        self.market = market
        self.gap = gap
        self._open: MergedPrint | None = None

    def add(self, event: Trade | Trades) -> list[MergedPrint]:
        """Add prints in order of time; return the merged prints that are complete now."""
        run = event.as_run() if isinstance(event, Trade) else event
        sides = run.sizes > 0
        breaks = (np.diff(run.times) > self.gap) | (sides[1:] != sides[:-1])
        starts = np.r_[0, np.flatnonzero(breaks) + 1]
        stops = np.r_[starts[1:], len(run.times)]
        sizes = np.abs(run.sizes)
        columns = (
            sides[starts], run.times[starts], run.times[stops - 1], np.add.reduceat(sizes, starts),
            np.add.reduceat(sizes * run.prices, starts), np.minimum.reduceat(run.prices, starts),
            np.maximum.reduceat(run.prices, starts), stops - starts,
        )  # fmt: skip
        done: list[MergedPrint] = []
        for bought, *values in zip(*(column.tolist() for column in columns), strict=True):
            done += self._add(MergedPrint(self.market, "buy" if bought else "sell", *values))
        return done

    def flush(self, now: int) -> list[MergedPrint]:
        """Return the open print if none can follow it any more."""
        if self._open is None or now - self._open.end <= self.gap:
            return []
        done, self._open = [self._open], None
        return done

    def _add(self, new: MergedPrint) -> list[MergedPrint]:
        last, self._open = self._open, new
        if last is None:
            return []
        if last.side != new.side or new.start - last.end > self.gap:
            return [last]
        self._open = MergedPrint(
            new.market, new.side, last.start, new.end, last.size + new.size,
            last.notional + new.notional, min(last.low, new.low), max(last.high, new.high),
            last.count + new.count,
        )  # fmt: skip
        return []


class SizeScale:
    """How large the merged prints of the last day were: quantiles in bounded memory.

    Counts by logarithm of notional, hour by hour; an hour is dropped as a whole.
    """

    __slots__ = ("_counts", "_hours", "hours", "rules")

    def __init__(self, rules: PrintRules = DEFAULT.prints) -> None:
        """Start without prints."""
        self.rules = rules
        self.hours = max(1, rules.window // HOUR)
        self._counts: NDArray[np.int64] = np.zeros((self.hours, _BINS), np.int64)
        self._hours: NDArray[np.int64] = np.full(self.hours, -1)

    def add(self, done: MergedPrint) -> None:
        """Count a merged print."""
        hour = done.end // HOUR
        row = hour % self.hours
        if self._hours[row] != hour:
            self._hours[row] = hour
            self._counts[row] = 0
        place = math.floor(math.log2(max(done.notional, 1.0)) * _PER_OCTAVE)
        self._counts[row, min(place, _BINS - 1)] += 1

    @property
    def count(self) -> int:
        """Merged prints counted."""
        return int(self._counts.sum())

    def threshold(self) -> float:
        """Return from what notional a print is large: a quantile, never below the floor."""
        counts = self._counts.sum(axis=0)
        total = int(counts.sum())
        if not total:
            return self.rules.floor
        above = np.flatnonzero(np.cumsum(counts) > self.rules.quantile * (total - 1))
        return max(self.rules.floor, 2.0 ** (float(above[0]) / _PER_OCTAVE))

    def tail_index(self, share: float = 0.05) -> float:
        """Return Hill's estimate of the tail exponent from the largest prints, NaN below 20.

        The smaller it is, the more of the volume is in few prints; at 2 and less the variance of
        sizes does not settle.

        Args:
            share: Of prints that are the tail.
        """
        counts = self._counts.sum(axis=0)
        tail = int(counts.sum() * share)
        if tail < 20:
            return math.nan
        from_top = np.cumsum(counts[::-1])[::-1]
        start = int(np.flatnonzero(from_top >= tail)[-1])
        logs = (np.arange(start, _BINS) + 0.5 - start) / _PER_OCTAVE * math.log(2)
        mean = float(counts[start:] @ logs) / float(from_top[start])
        return 1 / mean if mean > 0 else math.nan
