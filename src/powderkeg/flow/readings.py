"""What positioning looked like: open interest, funding, basis and long shares of one market.

The last reading of each minute of a day is kept for the panes under the chart, and the last of each
hour of 90 days for percentiles. Readings may come out of order: a venue's history arrives after its
stream has begun.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from powderkeg.events import DAY, HOUR, MINUTE, Floats, Times
from powderkeg.flow.thresholds import DEFAULT

FIELDS: Final = (
    "oi", "funding", "basis", "accounts", "top_accounts", "top_positions",
)  # fmt: skip
"""Open interest in base coin; funding as a fraction of notional in 8 hours; mark over index less 1;
long shares of accounts, of top accounts and of their positions, 0 to 1."""
DAY_OF_MINUTES: Final = DAY // MINUTE


class Series:
    """Values of several fields at regular times, in a ring."""

    __slots__ = ("_at", "_values", "span")

    def __init__(self, span: int, size: int) -> None:
        """Keep the last `size` readings, one each `span` µs."""
        self.span = span
        self._at: Times = np.full((len(FIELDS), size), -1, np.int64)
        self._values: Floats = np.full((len(FIELDS), size), np.nan)

    def add(self, field: int, time: int, value: float) -> None:
        """Keep a reading as the last of its time, unless a later turn of the ring stands there."""
        number = time // self.span
        row = number % self._at.shape[1]
        if self._at[field, row] <= number:
            self._at[field, row], self._values[field, row] = number, value

    def last(self, field: int, until: int, count: int) -> Floats:
        """Return the values of the last `count` times that end with that of `until`, µs.

        Shape (count,), oldest first; NaN where there was no reading.
        """
        numbers = until // self.span + np.arange(1 - count, 1)
        rows = numbers % self._at.shape[1]
        known = self._at[field, rows] == numbers
        return np.where(known, self._values[field, rows], np.nan)


class Readings:
    """Open interest, funding, basis and long shares of a market."""

    __slots__ = ("hours", "latest", "minutes")

    def __init__(self) -> None:
        """Start without a reading."""
        crowd = DEFAULT.crowd
        self.minutes = Series(MINUTE, DAY_OF_MINUTES)
        self.hours = Series(crowd.every, crowd.history // crowd.every)
        self.latest: dict[str, tuple[int, float]] = {}
        """Time of the newest reading, µs, and its value, by field."""

    def add(self, field: str, time: int, value: float) -> None:
        """Add a reading of one of `FIELDS`."""
        number = FIELDS.index(field)
        self.minutes.add(number, time, value)
        self.hours.add(number, time, value)
        if time >= self.latest.get(field, (0, 0.0))[0]:
            self.latest[field] = time, value

    def by_minute(self, field: str, until: int, count: int) -> Floats:
        """Return the last minutes of a field, gaps filled with the reading before; shape (count,).

        Args:
            field: One of `FIELDS`.
            until: µs.
            count: Minutes, up to a day.
        """
        values = self.minutes.last(FIELDS.index(field), until, DAY_OF_MINUTES)
        return filled(values)[-count:]

    def by_hour(self, field: str, until: int) -> Floats:
        """Return the last 90 days of a field by hour, NaN without a reading, shape (hours,)."""
        count = DEFAULT.crowd.history // HOUR
        return self.hours.last(FIELDS.index(field), until, count)


def filled(values: Floats) -> Floats:
    """Return values with NaN replaced by the value before, shape (n,)."""
    known = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(known)]
