"""The venues: one reader each, registered here."""

from __future__ import annotations

from collections.abc import Callable

from powderkeg.venues.base import Venue
from powderkeg.venues.binance.stream import Binance
from powderkeg.venues.bitget.stream import Bitget
from powderkeg.venues.bybit.stream import Bybit
from powderkeg.venues.deribit.stream import Deribit
from powderkeg.venues.hyperliquid.stream import Hyperliquid
from powderkeg.venues.okx.stream import Okx

VENUES: dict[str, Callable[[str], Venue]] = {
    "binance": lambda symbol: Binance("binance", symbol),
    "binance-coin": lambda symbol: Binance("binance-coin", symbol),
    "binance-spot": lambda symbol: Binance("binance-spot", symbol),
    "bitget": lambda _: Bitget(),
    "bybit": lambda _: Bybit("linear"),
    "bybit-inverse": lambda _: Bybit("inverse"),
    "deribit": lambda _: Deribit(),
    "hyperliquid": lambda _: Hyperliquid(),
    "okx": lambda _: Okx(),
}
"""By the first half of a market id. The argument is the symbol of frames that carry none."""

__all__ = ["VENUES", "Venue"]
