"""The last minutes of a coin second by second: prices, takers, what the books gave and took back.

Sums are made anew from the seconds each time, so that they do not drift.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from powderkeg.events import MINUTE, SECOND, Floats
from powderkeg.signals.thresholds import DEFAULT, WindowRules

(BOUGHT, SOLD, TAKEN_BIDS, TAKEN_ASKS, BACK_BIDS, BACK_ASKS, LONGS, SHORTS) = range(8)
SUMS: Final = 8
"""Fields that are sums: quote currency of takers, base coin of books, dollars of liquidations."""
PRICE, LOW, HIGH = range(SUMS, SUMS + 3)
SPAN: Final = 512
"""Seconds that are remembered."""
MINUTES: Final = 1_440
"""Minutes that are remembered."""


class Seconds:
    """A ring of seconds, and one of minutes."""

    __slots__ = ("_closes", "_end", "_minute", "_past", "_rows", "_volumes", "rules", "second")

    def __init__(self, rules: WindowRules = DEFAULT.windows) -> None:
        """Start empty."""
        self.rules = rules
        self.second = -1
        """The newest second; -1 before the first."""
        self._rows: Floats = np.zeros((SUMS + 3, 2 * SPAN))
        self._end = SPAN
        """Column after the newest: a window ends there, whole and in order."""
        self._minute = -1
        self._closes: Floats = np.full(MINUTES, np.nan)
        """Close of each minute, newest last."""
        self._volumes: Floats = np.full(MINUTES, np.nan)
        """Quote currency traded in each minute, newest last; NaN before the first."""
        self._past: Floats = np.full(MINUTES, np.nan)
        """What candles say of the same minutes."""

    def add(self, second: int, sums: Floats, price: float, extremes: tuple[float, float]) -> None:
        """Add a finished second, later than all before; seconds left out had no print.

        Args:
            second: Its number.
            sums: Of each field, shape (8,).
            price: Last price, quote currency.
            extremes: Lowest and highest price.
        """
        if self.second < 0 or second - self.second > SPAN:
            self._rows[:SUMS] = 0.0
            self._rows[PRICE:] = price
            self.second = second - 1
        self._pause(second - self.second - 1)
        self._put(sums, price, extremes)
        self.second = second
        self._add_minute(second * SECOND // MINUTE, float(sums[BOUGHT] + sums[SOLD]), price)

    def _pause(self, seconds: int) -> None:
        """Add seconds, fewer than are remembered, in which there was no print."""
        last = self._rows[PRICE, self._end - 1]
        if self._end + seconds > 2 * SPAN:
            self._rows[:, :SPAN] = self._rows[:, self._end - SPAN : self._end].copy()
            self._end = SPAN
        columns = slice(self._end, self._end + seconds)
        self._rows[:SUMS, columns] = 0.0
        self._rows[PRICE:, columns] = last
        self._end += seconds

    def _put(self, sums: Floats, price: float, extremes: tuple[float, float]) -> None:
        if self._end == 2 * SPAN:
            self._rows[:, :SPAN] = self._rows[:, SPAN:]
            self._end = SPAN
        column = self._rows[:, self._end]
        column[:SUMS] = sums
        column[PRICE], column[LOW], column[HIGH] = price, *extremes
        self._end += 1

    def _add_minute(self, minute: int, volume: float, price: float) -> None:
        gone = MINUTES if self._minute < 0 else min(minute - self._minute, MINUTES)
        if gone:
            last = self._closes[-1]
            for ring, filling in ((self._closes, last), (self._volumes, 0.0)):
                ring[:-gone] = ring[gone:].copy()
                ring[-gone:] = math.nan if self._minute < 0 else filling
            self._volumes[-1] = 0.0
            self._minute = minute
        self._closes[-1] = price
        self._volumes[-1] += volume

    def set_past(self, volumes: Floats) -> None:
        """Set what candles say of the minutes up to the newest, quote currency, shape (1440,).

        It counts for the minutes before the first second.
        """
        self._past = volumes

    @property
    def minute(self) -> int:
        """Number of the newest minute; -1 before the first."""
        return self._minute

    def sums(self, seconds: int) -> Floats:
        """Return the sums of the last seconds, shape (8,)."""
        return self._rows[:SUMS, self._end - seconds : self._end].sum(axis=1)

    def price_before(self, seconds: int) -> float:
        """Return the price so many seconds ago."""
        return float(self._rows[PRICE, self._end - 1 - seconds])

    def extremes(self, seconds: int) -> tuple[float, float]:
        """Return the lowest and highest price of the last seconds."""
        part = self._rows[:, self._end - seconds : self._end]
        return float(part[LOW].min()), float(part[HIGH].max())

    def closes(self, minutes: int) -> Floats:
        """Return the closes of the last minutes, oldest first, NaN before the first."""
        return self._closes[-minutes:]

    def usual_hour(self) -> float:
        """Return the usual volume of an hour, quote currency; NaN while it is not known.

        The last five minutes do not count: they are compared with it.
        """
        recent = self.rules.volume * SECOND // MINUTE
        known = np.where(np.isnan(self._volumes), self._past, self._volumes)[: -recent - 1]
        known = known[~np.isnan(known)]
        enough = len(known) * MINUTE >= self.rules.least
        return float(known.mean()) * 60 if enough else math.nan

    def volatility(self) -> float:
        """Return the standard deviation of log price over four hours; NaN while not known."""
        span = self.rules.sigma // MINUTE
        closes = self._closes[-span - 1 :]
        changes = np.diff(np.log(closes[~np.isnan(closes)]))
        enough = len(changes) * MINUTE >= self.rules.least
        return float(np.sqrt((changes**2).mean() * span)) if enough else math.nan
