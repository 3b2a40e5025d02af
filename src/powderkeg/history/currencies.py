"""Display currencies: what a US dollar was worth on a day, from daily fixings against the euro.

USDT and USDC are taken as US dollars: their own price is not followed. A fixing holds for the whole
UTC day it is dated, and until the next one: over a weekend Friday's.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from powderkeg.errors import RequestError
from powderkeg.events import DAY, Floats, Times

DOLLAR, EURO = "USD", "EUR"
STALE = 7
"""Days since the fixing from which a rate is called stale: longer than any holiday."""


class Rate(Struct, frozen=True):
    """What one US dollar is worth."""

    ccy: str
    value: float
    """Units of the currency per US dollar."""
    day: int
    """Start of the day of the fixing, µs UTC."""
    stale: bool
    """Whether the fixing is more than seven days older than the moment asked for."""


class RateTable(Struct, frozen=True, eq=False):
    """Fixings of all days: units per euro."""

    source: str
    """Source of the fixings."""
    days: Times
    """Days since 1970, rising, shape (n,)."""
    currencies: tuple[str, ...]
    """Names of the columns; the dollar is among them, the euro is not."""
    per_euro: Floats
    """Shape (n, currencies), NaN where there was no fixing."""

    def names(self) -> tuple[str, ...]:
        """Return the currencies with a rate, the dollar first."""
        return (DOLLAR, EURO, *(name for name in self.currencies if name != DOLLAR))

    def series(self, ccy: str) -> tuple[Times, Floats]:
        """Return days (n,) and units per US dollar (n,) of all fixings of a currency.

        Raises:
            RequestError: There is no rate of it.
        """
        if ccy not in self.names():
            raise RequestError(f"expected a currency of {', '.join(self.names())}, found {ccy!r}")
        dollar = self.per_euro[:, self.currencies.index(DOLLAR)]
        if ccy in (DOLLAR, EURO):
            units = dollar if ccy == DOLLAR else np.ones_like(dollar)
        else:
            units = self.per_euro[:, self.currencies.index(ccy)]
        value = units / dollar
        known = np.isfinite(value)
        return self.days[known], value[known]

    def rate(self, ccy: str, at: int) -> Rate:
        """Return the rate of the last fixing on or before the day of `at` (µs UTC).

        Raises:
            RequestError: There is no rate of the currency, or none so early.
        """
        if ccy == DOLLAR:
            return Rate(DOLLAR, 1.0, at // DAY * DAY, stale=False)
        days, values = self.series(ccy)
        day = at // DAY
        i = int(np.searchsorted(days, day, side="right")) - 1
        if i < 0:
            raise RequestError(
                f"expected a day from {_name(days)} on for {ccy}, found {np.datetime64(day, 'D')}"
            )
        fixed = int(days[i])
        return Rate(ccy, float(values[i]), fixed * DAY, stale=day - fixed > STALE)

    def rates(self, ccy: str, times: Times) -> Floats:
        """Return the rate of each moment, shape (n,): each by the fixing of its own day.

        Raises:
            RequestError: There is no rate of the currency, or none so early.
        """
        if ccy == DOLLAR or not len(times):
            return np.ones(len(times))
        self.rate(ccy, int(times.min()))
        days, values = self.series(ccy)
        return values[np.searchsorted(days, times // DAY, side="right") - 1]


def _name(days: Times) -> str:
    return str(np.datetime64(int(days[0]), "D")) if len(days) else "any day"
