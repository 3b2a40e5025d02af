"""Instruments: the markets of a coin and their margin tiers. Pure records.

Some markets trade a coin by the thousand, because its price has too many zeros: ``1000PEPEUSDT`` of
Binance, ``SHIB1000USDT`` of Bybit, ``kPEPE`` of Hyperliquid, ``1MBABYDOGEUSDT``. They are markets
of the coin, at a price so many times as high and sizes so many times smaller: see `unit_of`, and
`in_coins` turns what they say into the coin's own unit, for stored and for live data alike.

Margin tiers are dated, because venues move them: Binance's first BTCUSDT bracket was 50 k at 125x
in October 2024 and 300 k at 150x in September 2026. `history/margin_tiers.py` loads those we ship.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.events import (
    BookDelta,
    BookSnapshot,
    Candle,
    Candles,
    Event,
    Level,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Positions,
    Quote,
    Trade,
    Trades,
)

_E = TypeVar("_E", bound=Event)
_SYMBOL = re.compile(
    r"(k(?=[A-Z])|10{3,7}(?=[A-Z])|1M(?=[A-Z]{3}))?([A-Z0-9]+?)((?<=[A-Z])1000)?"
    r"(?:USDT|USDC|BUSD|USD)?(?:[_-].*)?"
)
_WORDS = {"": 1.0, "k": 1e3, "1M": 1e6}
_OHLC, _VOLUMES = ("open", "high", "low", "close"), ("volume", "buy")
_AMOUNTS: dict[type[Event], tuple[tuple[str, ...], tuple[str, ...]]] = {
    Trade: (("price",), ("size",)),
    Trades: (("prices",), ("sizes",)),
    Quote: (("bid", "ask"), ("bid_size", "ask_size")),
    Mark: (("price", "index"), ()),
    OpenInterest: ((), ("size",)),
    Liquidation: (("price",), ("size",)),
    LiquidationBar: ((), ("long", "short")),
    Candle: (_OHLC, _VOLUMES),
    Candles: ((*_OHLC, "mark_low", "mark_high", "mark"), (*_VOLUMES, "oi")),
    Positions: (("entries", "liquidations"), ("sizes",)),
}
"""Which fields of an event are prices, and which are sizes."""


class Instrument(Struct, frozen=True, gc=False):
    """One market of a coin."""

    market: str
    """Market id, such as ``binance:BTCUSDT``."""
    coin: str
    venue: str
    kind: Literal["perpetual", "spot"]
    linear: bool
    """Margin and profit in quote currency; else in the coin (inverse)."""
    contract: float
    """Base coin per contract, or quote currency per contract where inverse."""
    tick: float
    """Least step of price."""


class Tier(Struct, frozen=True, gc=False):
    """One bracket: what a position of this notional must keep as margin."""

    floor: float
    """Least notional, quote currency (the coin where inverse)."""
    cap: float
    leverage: float
    """Greatest leverage that can be set."""
    rate: float
    """Maintenance margin rate."""
    deduction: float
    """What is taken off ``rate * notional`` so that the requirement has no step at `floor`."""


class TierTable(Struct, frozen=True):
    """The brackets of one symbol, as they were from a time on."""

    venue: str
    symbol: str
    """The venue's symbol; ``*`` stands for all of a venue."""
    source: str
    valid_from: int
    """First time they are known to hold, µs."""
    tiers: tuple[Tier, ...]
    """Rising, without holes."""
    slope: float = 0.0
    """Growth of the rate per base coin of size (Deribit), on top of the bracket's."""

    @property
    def continuous(self) -> bool:
        """Whether the requirement has no steps; OKX and Bitget give no deductions, so it has."""
        pairs = zip(self.tiers, self.tiers[1:], strict=False)
        return all(
            abs((b.rate - a.rate) * b.floor - (b.deduction - a.deduction))
            <= 1e-6 * max(b.deduction, 1.0)
            for a, b in pairs
        )


def unit_of(symbol: str) -> tuple[str, float]:
    """Return the coin a venue's symbol, or the name of a coin, stands for, and how many are one.

    ``1000PEPEUSDT``, ``kPEPE`` and ``PEPE1000`` are a thousand PEPE each, ``PEPE-USDT-SWAP`` is
    one; ``1INCHUSDT`` is one 1INCH. What has no form we know is the name of a coin itself.
    """
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        return symbol, 1.0
    before, coin, after = (part or "" for part in found.groups())
    return coin, (_WORDS.get(before) or float(before)) * float(after or 1)


def coin_called(name: str) -> str:
    """Return the coin a trader means by a name: PEPE by PEPE, 1000PEPE and kPEPE."""
    coin, many = unit_of(f"{name}USDT")
    return name if many == 1 else coin


def spellings(coin: str) -> tuple[str, ...]:
    """Return the names a coin may have in a venue's symbols: its own, then those of many of it."""
    many = ("k", "1M", *(f"1{'0' * n}" for n in range(3, 8)))
    names = (*(f"{before}{coin}" for before in many), f"{coin}1000")
    return (coin, *(name for name in names if coin_called(name) == coin))


def in_coins(event: _E, multiplier: float) -> _E:
    """Return an event of a market that trades so many coins as one in units of the coin itself.

    Prices are divided, sizes multiplied; rates, times and amounts in quote currency stay.
    """
    if multiplier == 1 or (isinstance(event, LiquidationBar) and event.quote):
        return event
    if isinstance(event, BookSnapshot | BookDelta):
        bids, asks = (_levels(side, multiplier) for side in (event.bids, event.asks))
        return replace(event, bids=bids, asks=asks)
    prices, sizes = _AMOUNTS.get(type(event), ((), ()))
    changed: dict[str, Any] = {}
    for name in prices:
        value = getattr(event, name)
        changed[name] = None if value is None else value / multiplier
    for name in sizes:
        changed[name] = getattr(event, name) * multiplier
    return replace(event, **changed)


def _levels(levels: tuple[Level, ...], multiplier: float) -> tuple[Level, ...]:
    return tuple([(price / multiplier, size * multiplier) for price, size in levels])
