"""Bybit v5: linear and inverse perpetuals, one reader per category.

The two categories share hosts and frames; only the URL says which one a frame is of.

Traps:
- ``S`` of a liquidation is the side of the liquidated *position*: Buy is a long. ``p`` is the
  bankruptcy price. The feed is complete.
- ``openInterest`` counts both sides; ``singleOpenInterest`` (since 2026-06-11) is half of it.
- Inverse sizes and open interest are dollars, so base = n / price; open interest comes without a
  price, so the last mark is kept for it.
- A field that a ticker leaves out has not changed. A dated future has no funding rate.
- A snapshot may replace the book at any time; ``u`` 1 is one whatever its `type` says (the service
  was restarted). Else ``u`` rises by one. Each depth has its own ``u``, so only the first depth
  seen of a symbol is read.
- ``BT`` trades are blocks: agreed apart from the book, at prices it never saw.

Source: Bybit API docs, v5, public streams, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, field

from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Event,
    Funding,
    Level,
    Liquidation,
    Mark,
    OpenInterest,
)
from powderkeg.venues.base import (
    BIG,
    Amount,
    ChannelKind,
    Completeness,
    Deduplicator,
    Limits,
    Millis,
    Poll,
    Positive,
    Price,
    Print,
    Stream,
    Update,
    chunks,
    trades_from_rows,
)
from powderkeg.venues.bybit import rest
from powderkeg.venues.bybit.rest import Category, RestDecoder, Side, Trade
from powderkeg.venues.reader import Decoder, VenueAdapter, decoder, op, resubscribe

_SOCKET = "wss://stream.bybit.com/v5/public/"
_DEPTH = 200
_TOPICS = (f"orderbook.{_DEPTH}", "publicTrade", "tickers", "allLiquidation")
_ARGS = 10
"""Topics in one message."""
_SYMBOLS = 50
"""Symbols on one socket: 200 topics, far below the 21,000 characters allowed."""
_INTERVALS: dict[ChannelKind, int] = {
    "trades": MINUTE,
    "book": 5 * SECOND,
    "mark": 5 * SECOND,
    "funding": 0,
    "oi": 0,  # sent only when it changes
    "liquidations": 0,
}
_SYMBOL = re.compile("[0-9A-Z-]{2,40}")
_Levels: TypeAlias = tuple[tuple[Price, Amount], ...]


class _Frame(Struct, gc=False):
    topic: str = ""
    type: str = ""
    ts: Raw = Raw()
    """Of books and tickers only: rows have their own, so a bad one here must not cost them."""
    cts: Raw = Raw()
    data: Raw = Raw()
    success: bool | None = None
    ret_msg: str = ""


class _Book(Struct, gc=False):
    b: _Levels
    a: _Levels
    u: Update


class _Ticker(Struct, gc=False, rename="camel"):
    """Numbers as text: a dated future sends empty ones."""

    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    funding_interval_hour: str = ""
    open_interest: str = ""
    single_open_interest: str = ""


class _Liquidation(Struct, gc=False):
    at: Millis = field(name="T")
    side: Side = field(name="S")
    size: Positive = field(name="v")
    price: Price = field(name="p")


_Maker: TypeAlias = Callable[[str, _Frame, Any, int], list[Event]]
_frame: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame)
_stamp = msgspec.json.Decoder(Annotated[int, Meta(gt=0, lt=10**15)])


class Bybit(VenueAdapter[RestDecoder]):
    """Reader of one category of Bybit's contracts.

    Args:
        category: Which socket and answers the frames come from.
    """

    __slots__ = ("_depths", "_ids", "_index", "_liquidated", "_mark", "_topics", "category", "name")
    STATE_FIELDS = ("_liquidated", "_depths", "_ids", "_index", "_mark")
    limits: Limits = Limits(600, 5 * SECOND)
    liquidations: Completeness = "all"

    def __init__(self, category: Category) -> None:
        self.category: Category = category
        self.name: str = "bybit" if category == "linear" else "bybit-inverse"
        super().__init__(RestDecoder(self.name, category, self._prints))
        self._ids: dict[str, Deduplicator] = {}
        self._liquidated = Deduplicator()
        self._depths: dict[str, str] = {}
        self._mark: dict[str, float] = {}
        self._index: dict[str, float] = {}
        self._topics: dict[str, tuple[Decoder, _Maker]] = {
            "publicTrade": (self._rows(Trade), self._trades),
            "orderbook": (decoder(_Book), self._book),
            "tickers": (decoder(_Ticker), self._ticker),
            "allLiquidation": (self._rows(_Liquidation), self._liquidations),
        }

    def symbol(self, coin: str) -> str:
        """Return the symbol of a coin's perpetual, margined in USDT or in the coin."""
        return f"{coin}USDT" if self.category == "linear" else f"{coin}USD"

    def streams(self, symbols: Sequence[str]) -> list[Stream]:
        """Return a socket for every fifty symbols."""
        return [self._stream(part) for part in chunks(symbols, _SYMBOLS)]

    def polls(self, symbols: Sequence[str]) -> list[Poll]:
        """Return the requests for instruments, the clock, and tiers and ratio of each symbol."""
        return rest.polls(self.name, self.category, symbols)

    def past(self, symbol: str, since: int, until: int) -> list[Poll]:
        """Return the requests for minute bars, open interest and funding, in this order."""
        return rest.past(self.category, symbol, since, until)

    def recent(self, symbol: str) -> list[Poll]:
        """Return the request for the latest thousand trades."""
        return [rest.recent(self.category, symbol)]

    def snapshot(self, symbol: str) -> tuple[bytes, ...]:
        """Return the messages that make the venue send the whole book again."""
        topics = [f"orderbook.{_DEPTH}.{symbol}"]
        return resubscribe(topics)

    def _stream(self, symbols: Sequence[str]) -> Stream:
        topics = [f"{topic}.{symbol}" for symbol in symbols for topic in _TOPICS]
        subscribe = tuple([op("subscribe", part) for part in chunks(topics, _ARGS)])
        channels = self._channels(symbols, _INTERVALS)
        url, ping = _SOCKET + self.category, b'{"op":"ping"}'
        return Stream(url, channels, subscribe, ping=ping, ping_every=20 * SECOND)

    def _live(self, raw: bytes, seen: int) -> list[Event]:
        frame = _frame.decode(raw)
        kind, _, symbol = frame.topic.partition(".")
        if kind in self._topics:
            last = symbol.rpartition(".")[2]
            if not _SYMBOL.fullmatch(last):
                raise ValueError(f"expected a topic with a symbol, found {symbol[:40]!r}")
            rows, make = self._topics[kind]
            return make(symbol, frame, rows.decode(frame.data), seen)
        if frame.success is False:
            return self._refused(frame.ret_msg, seen)
        if frame.success is None:
            return self._skip(f"channel {kind[:24]}" if kind else "no topic")
        return []

    def _trades(self, symbol: str, _: _Frame, rows: list[Trade], seen: int) -> list[Event]:
        return self._prints(symbol, rows, seen)

    def _prints(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        ids = self._ids.setdefault(symbol, Deduplicator())
        fresh = ids.is_new([row.id for row in rows])
        tape = [row for row, new in zip(rows, fresh, strict=True) if new and not row.block]
        if len(tape) < len(rows):
            self._skip("duplicate trade", fresh.count(False))
            self._skip("block trade", fresh.count(True) - len(tape))
        prints: list[Print]
        if self.category == "linear":
            prints = [
                (row.at * 1000, row.price, row.size if row.side == "Buy" else -row.size)
                for row in tape
            ]
        else:
            prints = [
                (row.at * 1000, row.price, (1 if row.side == "Buy" else -1) * row.size / row.price)
                for row in tape
            ]
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def _book(self, rest: str, frame: _Frame, book: _Book, seen: int) -> list[Event]:
        depth, _, symbol = rest.partition(".")
        if self._depths.setdefault(symbol, depth) != depth:
            return self._skip(f"book of another depth, {depth[:9]}")
        bids, asks = self._base(book.b), self._base(book.a)
        market, at = f"{self.name}:{symbol}", _stamp.decode(frame.cts or frame.ts) * 1000
        if frame.type == "snapshot" or book.u <= 1:
            return [BookSnapshot(market, at, seen, bids, asks, book.u)]
        return [BookDelta(market, at, seen, bids, asks, book.u, book.u, book.u - 1)]

    def _base(self, levels: _Levels) -> tuple[Level, ...]:
        if self.category == "linear":
            return levels
        return tuple([(price, dollars / price) for price, dollars in levels])

    def _ticker(self, symbol: str, frame: _Frame, ticker: _Ticker, seen: int) -> list[Event]:
        market, at, events = f"{self.name}:{symbol}", _stamp.decode(frame.ts) * 1000, list[Event]()
        if ticker.index_price:
            self._index[symbol] = _number(ticker.index_price, 1e-12)
        if ticker.mark_price:
            self._mark[symbol] = mark = _number(ticker.mark_price, 1e-12)
            events.append(Mark(market, at, seen, mark, self._index.get(symbol)))
        if ticker.funding_interval_hour:
            hours = _number(ticker.funding_interval_hour, 1, 24)
            self._answers.intervals[symbol] = round(hours * HOUR)
        if ticker.funding_rate:
            rate = _number(ticker.funding_rate, -1, 1)
            events.append(Funding(market, at, seen, rate, self._answers.interval(symbol)))
        events += self._interest(symbol, ticker, at, seen)
        return events

    def _interest(self, symbol: str, ticker: _Ticker, at: int, seen: int) -> list[Event]:
        if ticker.single_open_interest:
            size = _number(ticker.single_open_interest)
        elif ticker.open_interest:
            size = _number(ticker.open_interest) / 2
        else:
            return []
        if self.category == "inverse":
            mark = self._mark.get(symbol)
            if mark is None:
                return self._skip("open interest in dollars before a mark")
            size /= mark
        return [OpenInterest(f"{self.name}:{symbol}", at, seen, size)]

    def _liquidations(
        self, symbol: str, _: _Frame, rows: list[_Liquidation], seen: int
    ) -> list[Event]:
        keys = [(symbol, row.side, row.at, row.size, row.price) for row in rows]
        fresh = self._liquidated.is_new(keys)
        self._skip("duplicate liquidation", fresh.count(False))
        market = f"{self.name}:{symbol}"
        return [
            Liquidation(
                market,
                row.at * 1000,
                seen,
                row.price,
                row.size if self.category == "linear" else row.size / row.price,
                "long" if row.side == "Buy" else "short",
                bankruptcy=True,
            )
            for row, new in zip(rows, fresh, strict=True)
            if new
        ]


def _number(text: str, least: float = 0.0, most: float = BIG) -> float:
    value = float(text)
    if not least <= value <= most:
        raise ValueError(f"expected a number from {least} to {most}, found {text[:24]}")
    return value
