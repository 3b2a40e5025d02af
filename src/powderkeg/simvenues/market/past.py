"""A venue's history for REST: 30 days of minute bars, open interest and funding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import HOUR, MINUTE, Floats
from powderkeg.sim import MinuteHistory

COLUMNS: Final = 7
"""Open, high, low, close, volume, taker buys, open interest at the end; sizes in base coin."""
KEPT: Final = 30 * 1440
"""Minutes."""
_SLACK: Final = 1440
"""Minutes added before the oldest are dropped."""


class Bar(Struct, frozen=True):
    """One candle; sizes in base coin."""

    at: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    buy: float
    oi: float
    closed: bool


class Past:
    """Minute bars of one market in order, the last one still open.

    Args:
        history: The market's history so far; it fixes the first minute.
    """

    __slots__ = ("_count", "_rows", "since")

    def __init__(self, history: MinuteHistory) -> None:
        bars = history.candles
        names = ("open", "high", "low", "close", "volume", "buy", "oi")
        rows = np.stack([getattr(bars, name) for name in names], axis=1)
        self.since = int(bars.times[0])
        self._count = rows.shape[0]
        self._rows: Floats = np.empty((max(KEPT, self._count) + _SLACK, COLUMNS))
        self._rows[: self._count] = rows

    @property
    def until(self) -> int:
        """End of the last minute, µs."""
        return self.since + self._count * MINUTE

    @property
    def last(self) -> Floats:
        """The newest minute, shape (7,), writable."""
        return self._rows[self._count - 1]

    def grow(self, now: int) -> None:
        """Open all minutes up to the one `now` lies in, flat at the last close."""
        while self.until <= now:
            if self._count == self._rows.shape[0]:
                self._drop_oldest()
            before = self.last
            self._count += 1
            self.last[:] = (before[3], before[3], before[3], before[3], 0.0, 0.0, before[6])

    def trade(self, price: float, size: float, buy: bool) -> None:
        """Add a print to the newest minute."""
        row = self.last
        if row[4] == 0.0:
            row[:3] = price
        row[1] = max(row[1], price)
        row[2] = min(row[2], price)
        row[3] = price
        row[4] += size
        row[5] += size if buy else 0.0

    def bars(self, since: int, until: int, span: int, most: int, newest: bool) -> list[Bar]:
        """Return bars of `span` µs that start in [since, until), oldest first, at most `most`.

        Args:
            since: µs.
            until: µs.
            span: A whole number of minutes in µs.
            most: Rows at most.
            newest: Keep the newest rows rather than the oldest where there are more.
        """
        first = max(-(-since // span), -(-self.since // span))
        past = min(-(-until // span), -(-self.until // span))
        if newest:
            first = max(first, past - most)
        past = min(past, first + most)
        return [self._bar(k * span, span) for k in range(first, past)]

    def interest(self, since: int, until: int, span: int) -> list[tuple[int, float, float]]:
        """Return time, open interest and close at each whole `span` in [since, until)."""
        first = max(-(-since // span), -(-(self.since + MINUTE) // span))
        past = min(-(-until // span), (self.until - MINUTE) // span + 1)
        out: list[tuple[int, float, float]] = []
        for at in range(first * span, past * span, span):
            row = self._rows[(at - self.since) // MINUTE - 1]
            out.append((at, float(row[6]), float(row[3])))
        return out

    def _bar(self, at: int, span: int) -> Bar:
        first = max(0, (at - self.since) // MINUTE)
        past = min(self._count, (at + span - self.since) // MINUTE)
        rows = self._rows[first:past]
        return Bar(
            at,
            float(rows[0, 0]),
            float(rows[:, 1].max()),
            float(rows[:, 2].min()),
            float(rows[-1, 3]),
            float(rows[:, 4].sum()),
            float(rows[:, 5].sum()),
            float(rows[-1, 6]),
            at + span < self.until,
        )

    def _drop_oldest(self) -> None:
        kept = self._rows[self._count - KEPT : self._count].copy()
        self._rows[:KEPT] = kept
        self.since += (self._count - KEPT) * MINUTE
        self._count = KEPT


class Payments:
    """Funding as a rate per eight hours, hour by hour."""

    __slots__ = ("rows",)

    def __init__(self, history: MinuteHistory) -> None:
        self.rows: list[tuple[int, float]] = [
            (paid.event_time - back * HOUR, paid.rate)
            for paid in history.funding
            for back in range(7, -1, -1)
        ]

    def add(self, at: int, rate: float) -> None:
        """Note the rate of a whole hour."""
        self.rows.append((at, rate))

    def between(self, since: int, until: int, hours: int) -> Sequence[tuple[int, float]]:
        """Return times of payments each so many hours in [since, until] and their 8-hour rates."""
        return [
            (at, rate)
            for at, rate in self.rows
            if since <= at <= until and at % (hours * HOUR) == 0
        ]
