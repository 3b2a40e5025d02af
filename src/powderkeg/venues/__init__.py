"""One reader per venue. A venue is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable

from powderkeg.venues.base import Venue
from powderkeg.venues.binance import Binance

VENUES: dict[str, Callable[[str], Venue]] = {
    "binance": lambda symbol: Binance("binance", symbol),
    "binance-coin": lambda symbol: Binance("binance-coin", symbol),
    "binance-spot": lambda symbol: Binance("binance-spot", symbol),
}
"""By the first half of a market id. The argument is the symbol of frames that carry none."""

__all__ = ["VENUES", "Venue"]
