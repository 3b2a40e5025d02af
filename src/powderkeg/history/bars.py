"""Synthetic bars from open interest with a price, for markets without candles or prints. Causal.

A reading every five minutes gives price and open interest. Hourly candles of the same or another
market complete it, without hindsight:

- open is the close before, close the reading's price; high and low are the larger and the smaller.
- An hour's high or low that no bar of the hour has reached is placed on the hour's *last* bar,
  because only at its end is it known. So a wick may be up to an hour late; it is never early.
- Volume is the *previous* hour's, spread evenly; NaN where it is missing (`history.volumes`).
- A reading stamped a little late (Binance: up to 2 s) ends the bar that should have ended before
  it; the bar is still known no earlier than the reading.

With hindsight, only for scores of an hour whose path is given:
`volume` spreads an hour's own volume over it; `path` does, and also puts the hour's high and low on
the bars that closed furthest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from powderkeg.events import Floats
from powderkeg.history.series.table import Table, floats

Hindsight: TypeAlias = Literal["", "volume", "path"]
"""What is known of an hour in advance: nothing, its volume, or its volume and extremes."""

_LATE = 20
"""A reading may be late by one part in this many of its span: 15 s of 5 min."""


class Coarse(NamedTuple):
    """Long bars by their start, and their length."""

    span: int
    rows: dict[int, tuple[float, float, float]]
    """High, low and volume by the start of the bar."""


def coarse(tables: Iterable[Table], span: int, many: float = 1.0) -> Coarse:
    """Return the candles that complete the bars.

    Args:
        tables: The candles.
        span: Length of each, µs.
        many: Units of the bars' market in one unit of the candles' market.
    """
    rows: dict[int, tuple[float, float, float]] = {}
    for table in tables:
        high, low = floats(table, "high") / many, floats(table, "low") / many
        columns = (high, low, floats(table, "volume") * many)
        values = zip(*(column.tolist() for column in columns), strict=True)
        rows.update(zip((table.times - span).tolist(), values, strict=True))
    return Coarse(span, rows)


def synthetic_bars(
    interest: Iterable[Table],
    every: int,
    volume: Coarse | None,
    extremes: Coarse | None,
    *,
    hindsight: Hindsight = "",
) -> Iterator[Table]:
    """Return bars of length `every` by the time they are known, with `start` and `oi`.

    Args:
        interest: Open interest (`size`) and price, each row at the end of its bar.
        every: Length of a bar, µs.
        volume: Candles whose volume is spread; None where volume is unknown.
        extremes: Candles whose high and low are placed when they are over.
        hindsight: What is known of an hour in advance.
    """
    spread = _Volume(volume, every, own=bool(hindsight))
    top = _Extremes(extremes, every)
    if hindsight == "path":
        interest = list(interest)
        top = _Placed(extremes, every, interest)
    before, previous = 0, float("nan")
    for table in interest:
        n = len(table.times)
        out = np.empty((6, n))
        for i, (known, close) in enumerate(zip(*_lists(table), strict=True)):
            end = _end(known, every)
            opened = previous if end - before == every else close
            high, low = top.place(end, max(opened, close), min(opened, close))
            out[:, i] = opened, high, low, close, spread.at(end - every), end - every
            before, previous = end, close
        yield _table(table, out)


def _end(known: int, every: int) -> int:
    """Return the end of the bar that a reading closes."""
    late = known % every
    return known - late if late <= every // _LATE else known


def _lists(table: Table) -> tuple[list[int], list[float]]:
    return table.times.tolist(), floats(table, "price").tolist()


def _table(table: Table, out: Floats) -> Table:
    names = ("open", "high", "low", "close", "volume")
    columns = dict(zip(names, out, strict=False)) | {"oi": floats(table, "size")}
    columns["start"] = out[5].astype(np.int64)
    return Table(table.times, columns, table.lines, table.file)


class _Volume:
    """Volume per bar, from the last long bar that is over, or from its own."""

    __slots__ = ("_back", "_coarse", "_part")

    def __init__(self, source: Coarse | None, every: int, *, own: bool) -> None:
        self._coarse = source
        self._back = 0 if own or source is None else source.span
        self._part = 0.0 if source is None else every / source.span

    def at(self, start: int) -> float:
        """Return the volume of a bar that starts at `start`; NaN where it is not known."""
        if self._coarse is None:
            return math.nan
        last = start - start % self._coarse.span - self._back
        row = self._coarse.rows.get(last)
        return math.nan if row is None else row[2] * self._part


class _Extremes:
    """The high and low of long bars, placed when they are over."""

    __slots__ = ("_coarse", "_every", "_high", "_hour", "_low")

    def __init__(self, source: Coarse | None, every: int) -> None:
        self._coarse = source
        self._every = every
        self._hour = -1
        self._high, self._low = 0.0, float("inf")

    def place(self, end: int, high: float, low: float) -> tuple[float, float]:
        """Return high and low of a bar that ends at `end`."""
        if self._coarse is None:
            return high, low
        span = self._coarse.span
        hour = (end - self._every) // span * span
        if hour != self._hour:
            self._hour, self._high, self._low = hour, 0.0, float("inf")
        self._high, self._low = max(self._high, high), min(self._low, low)
        if end != hour + span or hour not in self._coarse.rows:
            return high, low
        hour_high, hour_low, _ = self._coarse.rows[hour]
        return (
            hour_high if hour_high > self._high else high,
            hour_low if hour_low < self._low else low,
        )


class _Placed(_Extremes):
    """The same with hindsight: placed on the bars of the hour whose closes came nearest."""

    __slots__ = ("_highest", "_lowest")

    def __init__(self, source: Coarse | None, every: int, interest: list[Table]) -> None:
        super().__init__(source, every)
        self._highest: dict[int, tuple[float, int]] = {}
        """Highest close of an hour, and the end of its bar."""
        self._lowest: dict[int, tuple[float, int]] = {}
        span = source.span if source else every
        for table in interest:
            for known, close in zip(*_lists(table), strict=True):
                end = _end(known, every)
                hour = (end - every) // span * span
                self._highest[hour] = max(self._highest.get(hour, (0.0, 0)), (close, end))
                least = self._lowest.get(hour, (float("inf"), 0))
                self._lowest[hour] = min(least, (close, end))

    def place(self, end: int, high: float, low: float) -> tuple[float, float]:
        """Return high and low of a bar that ends at `end`."""
        if self._coarse is None:
            return high, low
        span = self._coarse.span
        hour = (end - self._every) // span * span
        if hour in self._coarse.rows:
            top, bottom, _ = self._coarse.rows[hour]
            high = max(high, top) if end == self._highest[hour][1] else high
            low = min(low, bottom) if end == self._lowest[hour][1] else low
        return high, low
