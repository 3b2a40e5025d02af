"""Large prints: what one taker took in one go, and how large is large.

A market order that eats several levels is printed level by level. Prints of one market and side are
merged while they follow each other within `Prints.merge`, in event time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import HOUR, Floats, Side, Times, Trade, Trades
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


class MergedPrints(Struct, frozen=True, eq=False):
    """Merged prints of one market as columns, in order of time, each shape (n,)."""

    market: str
    bought: NDArray[np.bool_]
    """Whether the taker bought."""
    start: Times
    end: Times
    size: Floats
    notional: Floats
    low: Floats
    high: Floats
    count: NDArray[np.int64]

    def last(self, most: int) -> list[MergedPrint]:
        """Return the last `most` of them as records."""
        names = ("bought", "start", "end", "size", "notional", "low", "high", "count")
        columns = [getattr(self, name)[-most:].tolist() for name in names]
        return [
            MergedPrint(self.market, "buy" if bought else "sell", *values)
            for bought, *values in zip(*columns, strict=True)
        ]


class PrintMerger:
    """Merges the prints of one market."""

    __slots__ = ("_open", "gap", "market")

    def __init__(self, market: str, gap: int = DEFAULT.prints.merge) -> None:
        """Merge prints at most `gap` µs apart."""
        self.market = market
        self.gap = gap
        self._open: MergedPrint | None = None

    def add(self, event: Trade | Trades) -> MergedPrints:
        """Add prints in order of time; return the merged prints that are complete now."""
        run = event.as_run() if isinstance(event, Trade) else event
        times, prices, sizes = run.times, run.prices, run.sizes
        each = MergedPrints(
            self.market, sizes > 0, times, times, np.abs(sizes), np.abs(sizes) * prices, prices,
            prices, np.ones(len(times), np.int64),
        )  # fmt: skip
        merged = _merged(each if self._open is None else _after(self._open, each), self.gap)
        (self._open,) = merged.last(1)
        return _rows(merged, slice(-1))

    def flush(self, now: int) -> MergedPrints | None:
        """Return the open print if none can follow it any more, else None."""
        if self._open is None or now - self._open.end <= self.gap:
            return None
        done, self._open = self._open, None
        return _after(done, _none(self.market))


def joined(parts: Sequence[MergedPrints]) -> MergedPrints:
    """Return prints of one market, one part after another."""
    names = MergedPrints.__struct_fields__[1:]
    columns = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
    return MergedPrints(parts[0].market, *columns)


def _none(market: str) -> MergedPrints:
    times, amounts = np.zeros(0, np.int64), np.zeros(0)
    return MergedPrints(
        market, np.zeros(0, np.bool_), times, times, amounts, amounts, amounts, amounts, times
    )


def _rows(prints: MergedPrints, rows: slice) -> MergedPrints:
    names = MergedPrints.__struct_fields__[1:]
    return MergedPrints(prints.market, *(getattr(prints, name)[rows] for name in names))


def _after(first: MergedPrint, prints: MergedPrints) -> MergedPrints:
    """Return prints with one before them."""
    head = (
        first.side == "buy", first.start, first.end, first.size, first.notional, first.low,
        first.high, first.count,
    )  # fmt: skip
    names = MergedPrints.__struct_fields__[1:]
    columns = (
        np.append(value, getattr(prints, name)) for value, name in zip(head, names, strict=True)
    )
    bought, *others = columns
    return MergedPrints(prints.market, bought.astype(np.bool_), *others)


def _merged(prints: MergedPrints, gap: int) -> MergedPrints:
    """Return prints with those of one side at most `gap` µs apart made one."""
    breaks = prints.start[1:] - prints.end[:-1] > gap
    breaks |= prints.bought[1:] != prints.bought[:-1]
    starts = np.append(0, np.flatnonzero(breaks) + 1)
    stops = np.append(starts[1:], len(prints.start)) - 1
    number = np.append(0, np.cumsum(breaks))  # summed in order: the same bits however a run is cut
    return MergedPrints(
        prints.market, prints.bought[starts], prints.start[starts], prints.end[stops],
        np.bincount(number, prints.size).astype(np.float64),
        np.bincount(number, prints.notional).astype(np.float64),
        np.minimum.reduceat(prints.low, starts), np.maximum.reduceat(prints.high, starts),
        np.add.reduceat(prints.count, starts),
    )  # fmt: skip


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

    def add(self, ends: Times, notionals: Floats) -> None:
        """Count merged prints.

        Args:
            ends: When each ended, µs, shape (n,).
            notionals: Quote currency, shape (n,).
        """
        hours = ends // HOUR
        places = np.floor(np.log2(np.maximum(notionals, 1.0)) * _PER_OCTAVE).astype(np.int64)
        places = np.minimum(places, _BINS - 1)
        for hour in np.unique(hours).tolist():
            row = hour % self.hours
            if self._hours[row] != hour:
                self._hours[row] = hour
                self._counts[row] = 0
            self._counts[row] += np.bincount(places[hours == hour], minlength=_BINS)

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
