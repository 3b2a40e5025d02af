"""The venues: one reader each, registered here."""

from __future__ import annotations

from collections.abc import Callable

from powderkeg.venues.binance.stream import binance_reader
from powderkeg.venues.bitget.stream import bitget_reader
from powderkeg.venues.bybit.stream import bybit_reader
from powderkeg.venues.deribit.stream import deribit_reader
from powderkeg.venues.hyperliquid.stream import hyperliquid_reader
from powderkeg.venues.okx.stream import okx_reader
from powderkeg.venues.reader import VenueReader

VENUES: dict[str, Callable[[str], VenueReader]] = {
    "binance": lambda symbol: binance_reader("binance", symbol),
    "binance-coin": lambda symbol: binance_reader("binance-coin", symbol),
    "binance-spot": lambda symbol: binance_reader("binance-spot", symbol),
    "bitget": lambda _: bitget_reader(),
    "bybit": lambda _: bybit_reader("linear"),
    "bybit-inverse": lambda _: bybit_reader("inverse"),
    "deribit": lambda _: deribit_reader(),
    "hyperliquid": lambda _: hyperliquid_reader(),
    "okx": lambda _: okx_reader(),
}
"""By the first half of a market id. The argument is the symbol of frames that carry none."""

__all__ = ["VENUES", "VenueReader"]
