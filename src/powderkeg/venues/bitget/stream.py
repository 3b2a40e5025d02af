"""Bitget USDT-margined perpetuals: reader of the V3 public socket and of V2 REST answers.

Traps:
- ``amount`` of a liquidation is dollars, so base = amount / price. ``side`` is the side of the
  liquidated *position*: buy is a long. Only the largest of each side, symbol and second is sent,
  up to twenty seconds late. The docs do not say what `price` is.
- V3 frames name a `topic`, V1 and V2 frames a `channel`, with other fields and no liquidations.
  Only V3 frames of ``usdt-futures`` are read: the other product types share the names of topics
  and fields, with other units.
- A change of the book follows where its ``pseq`` is the ``seq`` before. The checksum is 0.
- The first ``publicTrade`` frame after subscribing is history; ids need not rise.
- A ticker has no time of its own: that of the frame is used. Open interest is taken as coins, each
  contract once; the docs do not say.

Source: Bitget API docs, UTA (V3) public channels, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import (
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Event,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
    PositionSide,
)
from powderkeg.venues.base import (
    Amount,
    ChannelKind,
    Limits,
    Millis,
    Positive,
    Price,
    Rate,
    Stream,
    Update,
    channels,
    chunks,
)
from powderkeg.venues.bitget import rest
from powderkeg.venues.bitget.rest import BUY, NAME, PRODUCT, RestDecoder, Side, Trade
from powderkeg.venues.reader import RefusalError, VenueReader, coded, decoder, op, resubscribe

_SOCKET = "wss://ws.bitget.com/v3/ws/public"
_TOPICS = ("publicTrade", "books", "ticker")
_ARGS = 5
"""Subscriptions in one message."""
_SYMBOLS = 16
"""Symbols on one socket: the venue advises fewer than 50 channels."""
_INTERVALS: dict[ChannelKind, int] = {
    "trades": MINUTE,
    "book": 5 * SECOND,
    "mark": 5 * SECOND,
    "funding": 5 * SECOND,
    "oi": 5 * SECOND,
}
_SYMBOL = re.compile("[0-9A-Z_]{2,40}")

_Levels: TypeAlias = tuple[tuple[Price, Amount], ...]


class _Arg(Struct, frozen=True, gc=False, rename="camel"):
    inst_type: str = ""
    topic: str = ""
    symbol: str = ""
    channel: str = ""
    """Of V1 and V2."""


class _Frame(Struct, gc=False):
    arg: _Arg = _Arg()
    action: str = ""
    data: Raw = Raw()
    ts: Raw = Raw()
    """Of tickers only: other rows have their own, so a bad one here must not cost them."""
    event: str = ""
    msg: str = ""


class _Book(Struct, gc=False):
    a: _Levels
    b: _Levels
    seq: Update
    pseq: Update
    ts: Millis


class _Ticker(Struct, gc=False, rename="camel"):
    mark_price: Price
    index_price: Price
    funding_rate: Rate
    open_interest: Amount


class _Liquidation(Struct, gc=False):
    symbol: Annotated[str, Meta(pattern=f"^{_SYMBOL.pattern}$")]
    side: Side
    price: Price
    amount: Positive
    """Dollars."""
    ts: Millis


_Maker: TypeAlias = Callable[[_Frame, int], list[Event]]
_frame: msgspec.json.Decoder[_Frame] = decoder(_Frame)
_stamp = decoder(Annotated[int, Meta(gt=0, lt=10**15)])
_book_rows, _ticker_rows = decoder(list[_Book]), decoder(tuple[_Ticker])


def bitget_reader() -> VenueReader:
    """Return a reader of Bitget's perpetuals margined in USDT."""
    state = rest.State()
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=NAME, limits=Limits(20, SECOND), state=state,
        stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers,
        unwrap=coded("00000"), symbol="{}USDT".format, streams=streams, polls=rest.polls,
        past=rest.past, recent=rest.recent,
        snapshot=lambda symbol: resubscribe([_subscription("books", symbol)]),
    )  # fmt: skip


def streams(symbols: Sequence[str]) -> list[Stream]:
    """Return a socket for every sixteen symbols; the first carries all liquidations."""
    return [_stream(part, () if n else symbols) for n, part in enumerate(chunks(symbols, _SYMBOLS))]


def _stream(symbols: Sequence[str], liquidation_symbols: Sequence[str]) -> Stream:
    args = [_subscription(topic, each) for each in symbols for topic in _TOPICS]
    carried = channels(NAME, symbols, _INTERVALS)
    if liquidation_symbols:
        args.append({"instType": PRODUCT, "topic": "liquidation"})
        carried += channels(NAME, liquidation_symbols, {"liquidations": 0})
    subscribe = tuple([op("subscribe", part) for part in chunks(args, _ARGS)])
    return Stream(_SOCKET, carried, subscribe, SECOND // 10, b"ping", 30 * SECOND)


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_forced", "_skip", "_topics", "name", "state")

    def __init__(self, answers: RestDecoder) -> None:
        self.state = state = answers.state
        self.name, self._skip = state.name, state.skip
        self._forced, traded = state.rows(_Liquidation), state.rows(Trade)
        self._topics: dict[str, _Maker] = {
            "publicTrade": lambda frame, seen: answers.trades(
                frame.arg.symbol, traded.decode(frame.data), seen
            ),
            "books": self._books,
            "ticker": self._ticker,
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
        if raw == b"pong":
            return []
        frame = _frame.decode(raw)
        if frame.event == "error":
            raise RefusalError(frame.msg)
        if frame.event or not self._known(frame.arg):
            return []
        topic, symbol = frame.arg.topic, frame.arg.symbol
        if topic == "liquidation":
            return self._liquidations(self._forced.decode(frame.data), seen)
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f"expected a frame with a symbol, found {symbol[:40]!r}")
        return self._topics[topic](frame, seen)

    def _known(self, arg: _Arg) -> bool:
        """Return whether a frame is V3, of our product and a topic we use; count the others."""
        if not arg.topic:
            self._skip(f"V1 or V2 channel {arg.channel[:24]}" if arg.channel else "no topic")
        elif arg.inst_type != PRODUCT:
            self._skip(f"product {arg.inst_type[:24]}")
        elif arg.topic != "liquidation" and arg.topic not in self._topics:
            self._skip(f"topic {arg.topic[:24]}")
        else:
            return True
        return False

    def _books(self, frame: _Frame, seen: int) -> list[Event]:
        market, whole = f"{self.name}:{frame.arg.symbol}", frame.action == "snapshot"
        return [
            BookSnapshot(market, book.ts * 1000, seen, book.b, book.a, book.seq)
            if whole
            else BookDelta(
                market, book.ts * 1000, seen, book.b, book.a, book.seq, book.seq, book.pseq
            )
            for book in _book_rows.decode(frame.data)
        ]

    def _ticker(self, frame: _Frame, seen: int) -> list[Event]:
        (row,) = _ticker_rows.decode(frame.data)
        market, at = f"{self.name}:{frame.arg.symbol}", _stamp.decode(frame.ts) * 1000
        interval = self.state.interval(frame.arg.symbol)
        return [
            Mark(market, at, seen, row.mark_price, row.index_price),
            Funding(market, at, seen, row.funding_rate, interval),
            OpenInterest(market, at, seen, row.open_interest),
        ]

    def _liquidations(self, rows: list[_Liquidation], seen: int) -> list[Event]:
        keys = [(row.symbol, row.side, row.ts, row.amount, row.price) for row in rows]
        fresh = self.state.liquidated.is_new(keys)
        self._skip("duplicate liquidation", fresh.count(False))
        events: list[Event] = []
        for row, new in zip(rows, fresh, strict=True):
            if new:
                side: PositionSide = "long" if row.side in BUY else "short"
                market, size = f"{self.name}:{row.symbol}", row.amount / row.price
                events.append(Liquidation(market, row.ts * 1000, seen, row.price, size, side))
        return events


def _subscription(topic: str, symbol: str) -> dict[str, str]:
    return {"instType": PRODUCT, "topic": topic, "symbol": symbol}
