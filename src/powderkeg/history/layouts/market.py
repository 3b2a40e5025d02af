"""Which market a file is of: read off its columns, its name and its folders; and its unit of size.

Sizes are contracts where a venue trades contracts. Source of the contract sizes: OKX's list of
instruments (`/api/v5/public/instruments?instType=SWAP`), Binance's COIN-M contract specifications,
Bybit's inverse contracts (1 USD), Deribit's inverse contracts (amounts are USD).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

COINS = frozenset(
    re.findall(
        r"\w+",
        "BTC ETH SOL XRP DOGE BNB ADA AVAX LINK LTC DOT TRX BCH ETC UNI ATOM FIL APT ARB OP SUI "
        "NEAR TON HYPE PEPE SHIB WIF ENA TIA SEI INJ LDO AAVE MATIC POL XLM ALGO XMR EOS ORDI "
        "FARTCOIN TRUMP KAS TAO WLD CRV ONDO BONK",
    )
)
"""Coins recognised by their name only."""
_NO_WORD = {"BTC", "ETH", "SOL", "XRP", "DOGE", "BNB", "AVAX", "LTC", "TRX", "BCH", "HYPE"}
"""Those recognised in lower case too, since they mean nothing else in a file's name."""
_QUOTES = "USDT|USDC|BUSD|FDUSD|TUSD|USD|EUR"
_SYMBOL = re.compile(
    rf"(?<![A-Z0-9])([A-Z0-9]{{2,15}}?)([-_/ ]?)({_QUOTES})"
    r"(?:([-_:])(SWAP|PERPETUAL|PERP|USDT|USDC|USD|\d{6}))?"
    r"(?=[^A-Z0-9]|$|20\d\d-)"
)
_DERIBIT = re.compile(r"(?<![A-Z0-9])([A-Z0-9]+(?:_USDC)?-PERPETUAL)(?![A-Z0-9])")
_OKX_SIZES = {
    "BTC": 0.01, "ETH": 0.1, "SOL": 1, "XRP": 100, "DOGE": 1000, "ADA": 100, "AVAX": 1, "LINK": 1,
    "LTC": 1, "DOT": 1, "TRX": 1000, "BCH": 0.1, "ETC": 10, "UNI": 1, "ATOM": 1, "FIL": 0.1,
    "NEAR": 10, "AAVE": 0.1, "XLM": 100, "ALGO": 10, "XMR": 0.1, "EOS": 10, "CRV": 1,
    "SHIB": 1_000_000, "ICP": 0.01, "SUSHI": 1, "COMP": 0.1, "MKR": 0.01, "DYDX": 1, "SAND": 10,
    "MANA": 10, "APE": 0.1, "GALA": 10, "CHZ": 10, "ZEC": 0.1, "DASH": 0.1, "XTZ": 1, "THETA": 10,
}  # fmt: skip
_VENUES = (
    ("binance-coin", r"binance.?(coin|cm|delivery|inverse)|dapi|coin-?m\b|\bcm\b|futures/cm"),
    ("binance-spot", r"binance.*\bspot\b|\bspot\b.*binance|data/spot|api\.binance"),
    ("binance", r"binance|fapi|futures/um|\bum\b"),
    ("bybit-spot", r"bybit.*\bspot\b|\bspot\b.*bybit"),
    ("bybit-inverse", r"bybit.*\binverse\b|\binverse\b.*bybit"),
    ("bybit", r"bybit"),
    ("okx-spot", r"ok(x|ex).*\bspot\b|\bspot\b.*ok(x|ex)"),
    ("okx", r"\bok(x|ex)\b|okex-swap"),
    ("bitget-spot", r"bitget.*\bspot\b|spbl"),
    ("bitget", r"bitget|umcbl"),
    ("deribit", r"deribit"),
    ("hyperliquid", r"hyperliquid|\bhl\b"),
    ("bitmex", r"bitmex"),
    ("kraken", r"kraken"),
    ("coinbase", r"coinbase|gdax"),
    ("kucoin", r"kucoin"),
    ("gate", r"gate(io)?\b"),
    ("mexc", r"mexc"),
    ("htx", r"huobi|\bhtx\b"),
    ("bitfinex", r"bitfinex"),
    ("bitstamp", r"bitstamp"),
    ("aggregate", r"coinglass|aggregat|all.?exchanges"),
)
_LISTED = {
    "binance": "binance-spot", "binance_futures": "binance", "binance-futures": "binance",
    "binanceusdm": "binance", "binance_delivery": "binance-coin",
    "binance-delivery": "binance-coin", "binancecoinm": "binance-coin", "okex": "okx-spot",
    "okx": "okx", "okex-swap": "okx", "okex-futures": "okx", "bybit-spot": "bybit-spot",
    "bitget-futures": "bitget", "hyperliquid": "hyperliquid",
}  # fmt: skip
"""Venues as recorders write them in a column, where it is not our word."""


class Market(NamedTuple):
    """A market, and how its sizes are counted."""

    venue: str
    symbol: str
    coin: str
    unit: str = "base"
    """As `unit` of a source file; empty where it is not known."""


def words_of(path: Path) -> str:
    """Return the folders and the name of a file, as words."""
    return "/".join(path.parts).lower().replace("_", "-")


def venue_of(path: Path) -> str:
    """Return the venue named in the folders or the file name, empty if none."""
    words = words_of(path)
    return next((venue for venue, pattern in _VENUES if re.search(pattern, words)), "")


def venue_listed(text: str) -> str:
    """Return our word for the venue in a column of a recorder."""
    word = text.strip().lower()
    return _LISTED.get(word) or _LISTED.get(word.replace(" ", "-")) or word


def symbol_of(text: str) -> str:
    """Return the first symbol in a text such as a file's name, as written there; empty if none."""
    upper = text.upper()
    if found := _DERIBIT.search(upper):
        return found[1]
    found = _SYMBOL.search(upper)
    if not found:
        return ""
    return found[0]


def coin_in(text: str) -> str:
    """Return the coin that a text names alone, as in ``btc_1h.csv``; empty if none."""
    for word in re.split(r"[^A-Za-z0-9]+", text):
        plain = word.upper()
        if plain in COINS and (word.isupper() or plain in _NO_WORD):
            return plain
    return ""


def market(venue: str, symbol: str) -> Market:
    """Return a market by a symbol in anyone's spelling."""
    upper = symbol.upper().strip()
    found = _SYMBOL.fullmatch(upper)
    coin, quote, suffix = (found[1], found[3], found[5] or "") if found else (upper, "", "")
    if deribit := _DERIBIT.fullmatch(upper):
        coin = re.sub(r"(_USDC)?-PERPETUAL$", "", deribit[1])
        return Market("deribit", upper, coin, "base" if "_USDC" in upper else "quote")
    coin = {"XBT": "BTC"}.get(coin, coin)
    if suffix in {"USDT", "USDC", "USD"}:  # ccxt: BTC/USDT:USDT
        suffix = ""
    if venue == "deribit":
        name = f"{coin}-PERPETUAL" if quote in {"USD", ""} else f"{coin}_{quote}-PERPETUAL"
        return Market(venue, name, coin, "quote" if quote in {"USD", ""} else "base")
    if venue in {"okx", "okx-spot"}:
        return _okx(venue, coin, quote or "USDT", suffix)
    if venue in {"binance", "bybit", "bitget"} and not found:
        return Market(venue, f"{coin}USDT", coin)
    if venue == "hyperliquid" or not found:
        return Market(venue, coin, coin)
    if quote == "USD":
        venue = {"binance": "binance-coin", "bybit": "bybit-inverse"}.get(venue, venue)
    if venue == "binance-coin":
        suffix = suffix or "PERP"
    plain = f"{found[1]}{quote}" + (f"_{suffix}" if _keeps(venue, suffix) else "")
    return Market(venue, plain, coin, _unit(venue, coin, quote))


def tradable(place: Market) -> bool:
    """Return whether a market is a perpetual, a future or spot, not an option or a spread."""
    dated = r"[A-Z0-9]+(_USDC)?-(PERPETUAL|\d{1,2}[A-Z]{3}\d{2})"
    return place.venue != "deribit" or re.fullmatch(dated, place.symbol) is not None


def _keeps(venue: str, suffix: str) -> bool:
    """Return whether a suffix is part of the symbol: only Binance has them after an underscore."""
    return bool(suffix) and (suffix.isdigit() or (suffix == "PERP" and venue == "binance-coin"))


def _okx(venue: str, coin: str, quote: str, suffix: str) -> Market:
    if venue == "okx-spot":
        return Market(venue, f"{coin}-{quote}", coin)
    name = f"{coin}-{quote}-{suffix if suffix.isdigit() else 'SWAP'}"
    if quote == "USD":
        return Market(venue, name, coin, "quote:100" if coin == "BTC" else "quote:10")
    size = _OKX_SIZES.get(coin)
    return Market(venue, name, coin, f"contracts:{size:g}" if size and size < 1e5 else _plain(size))


def _plain(size: float | None) -> str:
    return f"contracts:{size:.0f}" if size else ""


def _unit(venue: str, coin: str, quote: str) -> str:
    if venue == "binance-coin":
        return "quote:100" if coin == "BTC" else "quote:10"
    inverse = venue == "bybit-inverse" or (venue == "bitmex" and quote == "USD")
    return "quote" if inverse else "base"
