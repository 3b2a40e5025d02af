"""Gate.io USDT perpetuals: the public v4 socket.

Traps:
- A liquidation's ``size`` is the *position's*: negative is a short. At most one is sent a second
  and contract. Its ``time`` is seconds; ``time_ms`` is newer and may be absent.
- ``total_size`` of a ticker is open interest in contracts. A ticker has no time of its own: that
  of the frame is used.
- A change of the book has its first and last id, ``U`` and ``u``, and no id before: it follows
  where ``U`` is the last ``u`` plus one. The whole book is a REST answer (``depth``).
- ``time`` of a subscription is not checked for public channels.

Source: Gate futures WebSocket v4 docs, "Trades", "Tickers", "Order book update", "Public
liquidates", read 2026-11. Nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Raw, Struct, structs

from powderkeg.events import (
    MINUTE,
    SECOND,
    BookDelta,
    Event,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
)
from powderkeg.venues.base import (
    Amount,
    ChannelKind,
    Limits,
    Millis,
    Price,
    Rate,
    Stream,
    Update,
    channels,
    chunks,
)
from powderkeg.venues.reader import Decoder, RefusalError, VenueReader, decoder

from . import rest
from .rest import NAME, Level, RestDecoder, Seconds, Signed, Trade, levels

_SOCKET = "wss://fx-ws.gateio.ws/v4/ws/usdt"
_SYMBOLS = 50
"""Symbols on one socket."""
_INTERVALS: dict[ChannelKind, int] = {
    "trades": MINUTE,
    "book": 5 * SECOND,
    "mark": 10 * SECOND,
    "funding": 10 * SECOND,
    "oi": 10 * SECOND,
    "liquidations": 0,
}


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Frame(Struct, gc=False):
    channel: str = ""
    event: str = ""
    result: Raw = Raw()
    error: _Error | None = None
    time_ms: Millis = 0


class _Change(Struct, gc=False, rename={"at": "t", "symbol": "s", "first": "U", "last": "u"}):
    at: Millis
    symbol: str
    first: Update
    last: Update
    b: tuple[Level, ...] = ()
    a: tuple[Level, ...] = ()


class _Ticker(Struct, gc=False):
    contract: str
    mark_price: Price
    index_price: Price
    funding_rate: Rate
    total_size: Amount


class _Liquidation(Struct, gc=False):
    contract: str
    price: Price
    size: Signed
    time: Seconds
    time_ms: Millis = 0


_Maker: TypeAlias = Callable[[_Frame, Any, int], list[Event]]
_frame: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame)


def gate_reader() -> VenueReader:
    """Return a reader of Gate.io's perpetuals margined in USDT."""
    state = rest.State()
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=NAME, limits=Limits(200, 10 * SECOND), state=state,
        stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers, unwrap=rest.unwrap,
        symbol="{}_USDT".format, streams=streams, polls=rest.polls, past=rest.past,
        recent=rest.recent, snapshot=rest.snapshot,
    )  # fmt: skip


def streams(symbols: Sequence[str]) -> list[Stream]:
    """Return a socket for every fifty symbols."""
    ping = msgspec.json.encode({"time": 0, "channel": "futures.ping"})
    return [
        Stream(
            _SOCKET, channels(NAME, part, _INTERVALS), _subscriptions(part),
            ping=ping, ping_every=20 * SECOND,
        )
        for part in chunks(symbols, _SYMBOLS)
    ]  # fmt: skip


def _subscriptions(symbols: Sequence[str]) -> tuple[bytes, ...]:
    lists = [_subscribe(name, list(symbols)) for name in ("trades", "tickers", "public_liquidates")]
    books = [_subscribe("order_book_update", [each, "100ms", "100"]) for each in symbols]
    return (*lists, *books)


def _subscribe(name: str, payload: list[str]) -> bytes:
    asked = {"time": 0, "channel": f"futures.{name}", "event": "subscribe", "payload": payload}
    return msgspec.json.encode(asked)


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_answers", "_skip", "_topics", "name", "state")

    def __init__(self, answers: RestDecoder) -> None:
        self._answers, self.state, self.name = answers, answers.state, NAME
        state, self._skip = answers.state, answers.state.skip
        self._topics: dict[str, tuple[Decoder, _Maker]] = {
            "trades": (state.rows(Trade), self._trades),
            "order_book_update": (decoder(_Change), self._book),
            "tickers": (state.rows(_Ticker), self._tickers),
            "public_liquidates": (state.rows(_Liquidation), self._liquidations),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
        frame = _frame.decode(raw)
        name = frame.channel.removeprefix("futures.")
        if frame.error:
            raise RefusalError(f"{frame.error.code} {frame.error.message}")
        if frame.event != "update" or name not in self._topics:
            return [] if frame.event == "subscribe" or name == "pong" else self._unused(name)
        rows, make = self._topics[name]
        return make(frame, rows.decode(frame.result), seen)

    def _unused(self, name: str) -> list[Event]:
        return self._skip(f"channel {name[:24]}" if name else "no channel")

    def _trades(self, _: _Frame, rows: list[Trade], seen: int) -> list[Event]:
        symbols = dict.fromkeys(row.contract for row in rows)
        return [
            event
            for symbol in symbols
            for event in self._answers.trades(
                symbol, [row for row in rows if row.contract == symbol], seen
            )
        ]

    def _book(self, _: _Frame, change: _Change, seen: int) -> list[Event]:
        contract = self.state.contract(change.symbol)
        market, at = f"{self.name}:{change.symbol}", change.at * 1000
        bids, asks = levels(change.b, contract), levels(change.a, contract)
        return [BookDelta(market, at, seen, bids, asks, change.first, change.last, -1)]

    def _tickers(self, frame: _Frame, rows: list[_Ticker], seen: int) -> list[Event]:
        at, events = frame.time_ms * 1000 or seen, list[Event]()
        for row in rows:
            market, interval = f"{self.name}:{row.contract}", self.state.interval(row.contract)
            size = row.total_size * self.state.contract(row.contract)
            events.append(Mark(market, at, seen, row.mark_price, row.index_price))
            events.append(Funding(market, at, seen, row.funding_rate, interval))
            events.append(OpenInterest(market, at, seen, size))
        return events

    def _liquidations(self, _: _Frame, rows: list[_Liquidation], seen: int) -> list[Event]:
        fresh = self.state.liquidated.is_new([structs.astuple(row) for row in rows])
        self._skip("duplicate liquidation", fresh.count(False))
        return [self._liquidation(row, seen) for row, new in zip(rows, fresh, strict=True) if new]

    def _liquidation(self, row: _Liquidation, seen: int) -> Liquidation:
        market, at = f"{self.name}:{row.contract}", row.time_ms * 1000 or row.time * SECOND
        size = abs(row.size) * self.state.contract(row.contract)
        return Liquidation(market, at, seen, row.price, size, "long" if row.size > 0 else "short")
