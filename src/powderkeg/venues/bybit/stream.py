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
from functools import partial
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
    Limits,
    Millis,
    Positive,
    Price,
    Stream,
    Update,
    channels,
    chunks,
)
from powderkeg.venues.bybit import rest
from powderkeg.venues.bybit.rest import Category, RestDecoder, Side, Trade
from powderkeg.venues.reader import Decoder, RefusalError, VenueReader, decoder, op, resubscribe

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


def bybit_reader(category: Category) -> VenueReader:
    """Return a reader of one category of Bybit's contracts.

    Args:
        category: Which socket and answers the frames come from.
    """
    state = rest.State(category)
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=state.name, limits=Limits(600, 5 * SECOND), state=state,
        stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers, unwrap=rest.unwrap,
        symbol=("{}USDT" if category == "linear" else "{}USD").format,
        streams=partial(streams, state.name, category),
        polls=partial(rest.polls, state.name, category), past=partial(rest.past, category),
        recent=partial(rest.recent, category),
        snapshot=lambda symbol: resubscribe([f"orderbook.{_DEPTH}.{symbol}"]),
    )  # fmt: skip


def streams(name: str, category: Category, symbols: Sequence[str]) -> list[Stream]:
    """Return a socket for every fifty symbols."""
    url, ping = _SOCKET + category, b'{"op":"ping"}'
    out: list[Stream] = []
    for part in chunks(symbols, _SYMBOLS):
        topics = [f"{topic}.{symbol}" for symbol in part for topic in _TOPICS]
        subscribe = tuple([op("subscribe", args) for args in chunks(topics, _ARGS)])
        carried = channels(name, part, _INTERVALS)
        out.append(Stream(url, carried, subscribe, ping=ping, ping_every=20 * SECOND))
    return out


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_skip", "_topics", "name", "state")

    def __init__(self, answers: RestDecoder) -> None:
        self.state = state = answers.state
        self.name, self._skip = state.name, state.skip
        self._topics: dict[str, tuple[Decoder, _Maker]] = {
            "publicTrade": (
                state.rows(Trade),
                lambda symbol, _, rows, seen: answers.trades(symbol, rows, seen),
            ),
            "orderbook": (decoder(_Book), self._book),
            "tickers": (decoder(_Ticker), self._ticker),
            "allLiquidation": (state.rows(_Liquidation), self._liquidations),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
        frame = _frame.decode(raw)
        kind, _, symbol = frame.topic.partition(".")
        if kind in self._topics:
            last = symbol.rpartition(".")[2]
            if not _SYMBOL.fullmatch(last):
                raise ValueError(f"expected a topic with a symbol, found {symbol[:40]!r}")
            rows, make = self._topics[kind]
            return make(symbol, frame, rows.decode(frame.data), seen)
        if frame.success is False:
            raise RefusalError(frame.ret_msg)
        if frame.success is None:
            return self._skip(f"channel {kind[:24]}" if kind else "no topic")
        return []

    def _book(self, rest: str, frame: _Frame, book: _Book, seen: int) -> list[Event]:
        depth, _, symbol = rest.partition(".")
        if self.state.depths.setdefault(symbol, depth) != depth:
            return self._skip(f"book of another depth, {depth[:9]}")
        bids, asks = self._base(book.b), self._base(book.a)
        market, at = f"{self.name}:{symbol}", _stamp.decode(frame.cts or frame.ts) * 1000
        if frame.type == "snapshot" or book.u <= 1:
            return [BookSnapshot(market, at, seen, bids, asks, book.u)]
        return [BookDelta(market, at, seen, bids, asks, book.u, book.u, book.u - 1)]

    def _base(self, levels: _Levels) -> tuple[Level, ...]:
        if self.state.category == "linear":
            return levels
        return tuple([(price, dollars / price) for price, dollars in levels])

    def _ticker(self, symbol: str, frame: _Frame, ticker: _Ticker, seen: int) -> list[Event]:
        market, at, events = f"{self.name}:{symbol}", _stamp.decode(frame.ts) * 1000, list[Event]()
        if ticker.index_price:
            self.state.index[symbol] = _number(ticker.index_price, 1e-12)
        if ticker.mark_price:
            self.state.mark[symbol] = mark = _number(ticker.mark_price, 1e-12)
            events.append(Mark(market, at, seen, mark, self.state.index.get(symbol)))
        if ticker.funding_interval_hour:
            hours = _number(ticker.funding_interval_hour, 1, 24)
            self.state.intervals[symbol] = round(hours * HOUR)
        if ticker.funding_rate:
            rate = _number(ticker.funding_rate, -1, 1)
            events.append(Funding(market, at, seen, rate, self.state.interval(symbol)))
        events += self._interest(symbol, ticker, at, seen)
        return events

    def _interest(self, symbol: str, ticker: _Ticker, at: int, seen: int) -> list[Event]:
        if ticker.single_open_interest:
            size = _number(ticker.single_open_interest)
        elif ticker.open_interest:
            size = _number(ticker.open_interest) / 2
        else:
            return []
        if self.state.category == "inverse":
            mark = self.state.mark.get(symbol)
            if mark is None:
                return self._skip("open interest in dollars before a mark")
            size /= mark
        return [OpenInterest(f"{self.name}:{symbol}", at, seen, size)]

    def _liquidations(
        self, symbol: str, _: _Frame, rows: list[_Liquidation], seen: int
    ) -> list[Event]:
        keys = [(symbol, row.side, row.at, row.size, row.price) for row in rows]
        fresh = self.state.liquidated.is_new(keys)
        self._skip("duplicate liquidation", fresh.count(False))
        market = f"{self.name}:{symbol}"
        return [
            Liquidation(
                market,
                row.at * 1000,
                seen,
                row.price,
                row.size if self.state.category == "linear" else row.size / row.price,
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
