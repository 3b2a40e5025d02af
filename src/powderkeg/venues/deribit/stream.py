"""Deribit perpetuals: JSON-RPC over one socket.

Traps:
- The first book message is ``type`` snapshot (older ones: without ``prev_change_id``), the rest
  name the change before. A snapshot may name one too. The amount of a "delete" is not used.
- Funding is continuous: ``current_funding`` is the rate of 8 hours at this instant.
- Units and trades: see `rest`.
- The server sends ``test_request`` and disconnects a client that does not answer.

Source: Deribit API docs 2.1.1, "Subscriptions", read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Raw, Struct

from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookDelta,
    BookSnapshot,
    Event,
    Funding,
    Level,
    Mark,
    OpenInterest,
)
from powderkeg.venues.base import (
    Amount,
    ChannelKind,
    Limits,
    Millis,
    Positive,
    Rate,
    Stream,
    Update,
    channels,
    chunks,
)
from powderkeg.venues.deribit import rest
from powderkeg.venues.deribit.rest import NAME, PERPETUAL, RestDecoder, Trade, inverse
from powderkeg.venues.reader import Makers, RefusalError, Rows, VenueReader

_SOCKET = "wss://www.deribit.com/ws/api/v2"
_PREFIX = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
_TOPICS = ("trades", "book", "ticker")
_STEADY: dict[ChannelKind, int] = dict.fromkeys(("book", "mark", "funding", "oi"), 5 * SECOND)
_RARE: dict[ChannelKind, int] = dict.fromkeys(("trades", "liquidations"), 0)
_Levels: TypeAlias = tuple[tuple[Literal["new", "change", "delete"], Positive, Amount], ...]
_T = TypeVar("_T")


class _Book(Struct):
    timestamp: Millis
    change_id: Update
    bids: _Levels
    asks: _Levels
    prev_change_id: Update | None = None
    type: Literal["snapshot", "change"] | None = None


class _Ticker(Struct):
    timestamp: Millis
    mark_price: Positive
    index_price: Positive
    open_interest: Amount
    current_funding: Rate | None = None


class _Params(Struct, Generic[_T]):
    data: _T


class _Frame(Struct, Generic[_T]):
    params: _Params[_T]


class _Named(Struct):
    channel: str = ""


class _Head(Struct):
    method: str = ""
    params: _Named = msgspec.field(default_factory=_Named)
    error: rest.Error | None = None


_head = msgspec.json.Decoder(_Head)


class _Prints:
    """Decodes frames of trades, skipping the bad ones."""

    __slots__ = ("_parts", "_rows", "_whole")

    def __init__(self, rows: Rows) -> None:
        self._whole = msgspec.json.Decoder(_Frame[list[Trade]])
        self._parts, self._rows = msgspec.json.Decoder(_Frame[Raw]), rows

    def decode(self, raw: bytes | Raw, /) -> _Frame[list[Trade]]:
        """Return the frame with the trades that can be read."""
        try:
            return self._whole.decode(raw)
        except msgspec.ValidationError:
            trades = self._rows.decode(self._parts.decode(raw).params.data)
            return _Frame(_Params(trades))


def deribit_reader() -> VenueReader:
    """Return a reader of Deribit's perpetuals."""
    state = rest.State()
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=NAME,
        limits=Limits(1200, MINUTE),  # 20 requests a second, each 500 of their credits
        state=state, stream=StreamDecoder(rest_decoder).read,
        answers=rest_decoder.answers, unwrap=rest.unwrap, symbol=symbol_of, streams=streams,
        polls=rest.polls, past=rest.past, recent=rest.recent, snapshot=snapshot, reply=reply,
    )  # fmt: skip


def symbol_of(coin: str) -> str:
    """Return the inverse perpetual of BTC and ETH, the linear one of every other coin."""
    return f"{coin}-PERPETUAL" if coin in {"BTC", "ETH"} else f"{coin}_USDC-PERPETUAL"


def streams(symbols: Sequence[str]) -> list[Stream]:
    """Return the one socket: trades, book and ticker of each symbol, every 100 ms."""
    names = [f"{topic}.{symbol}.100ms" for symbol in symbols for topic in _TOPICS]
    carried = channels(NAME, symbols, _STEADY) + channels(NAME, symbols, _RARE)
    subscribe = [_call("set_heartbeat", {"interval": 30})]
    subscribe += [_call("subscribe", {"channels": part}) for part in chunks(names, 100)]
    # about three subscriptions a second are allowed
    return [Stream(_SOCKET, carried, tuple(subscribe), SECOND // 3)]


def snapshot(symbol: str) -> tuple[bytes, ...]:
    """Return the messages that make the venue send the whole book again."""
    names = {"channels": [f"book.{symbol}.100ms"]}
    return (_call("unsubscribe", names), _call("subscribe", names))


def reply(raw: bytes) -> bytes:
    """Return the answer to a test request of the heartbeat."""
    asked = b'"heartbeat"' in raw[:200] and b'"test_request"' in raw[:200]
    return _call("test", {}) if asked else b""


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_by", "_skip", "_topics", "name")

    def __init__(self, answers: RestDecoder) -> None:
        self.name, self._skip = NAME, answers.state.skip
        self._by: dict[bytes, tuple[str, str]] = {}
        """Topic and symbol by channel."""
        self._topics: Makers = {
            "trades": (_Prints(answers.prints), answers.trades),
            "book": (msgspec.json.Decoder(_Frame[_Book]), self._book),
            "ticker": (msgspec.json.Decoder(_Frame[_Ticker]), self._ticker),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
        end = raw.find(b'"', len(_PREFIX)) if raw.startswith(_PREFIX) else -1
        named = self._by.get(raw[len(_PREFIX) : end])
        if named is None:
            return self._general(raw, seen)
        topic, symbol = named
        frame, make = self._topics[topic]
        return make(symbol, frame.decode(raw).params.data, seen)

    def _general(self, raw: bytes, seen: int) -> list[Event]:
        """Read a frame of a new channel, or of none."""
        head = _head.decode(raw)
        name = head.params.channel
        if head.error:
            raise RefusalError(head.error)
        if not name:
            return self._skip(f"method {head.method[:24]}" if head.method else "no data")
        topic, _, tail = name.partition(".")
        symbol, _, interval = tail.partition(".")
        if topic not in self._topics or not PERPETUAL.fullmatch(symbol) or "." in interval:
            return self._skip(f"channel {name[:32]}")
        if interval == "100ms":  # the one we subscribe to, so the table stays small
            self._by[name.encode()] = (topic, symbol)
        frame, make = self._topics[topic]
        return make(symbol, frame.decode(raw).params.data, seen)

    def _book(self, symbol: str, book: _Book, seen: int) -> list[Event]:
        market, at = f"{self.name}:{symbol}", book.timestamp * 1000
        bids, asks = _levels(book.bids, inverse(symbol)), _levels(book.asks, inverse(symbol))
        before = book.prev_change_id
        if book.type == "snapshot" or (book.type is None and before is None):
            return [BookSnapshot(market, at, seen, bids, asks, book.change_id)]
        if before is None:
            raise ValueError("expected a change to name the one before it")
        return [BookDelta(market, at, seen, bids, asks, before + 1, book.change_id, before)]

    def _ticker(self, symbol: str, ticker: _Ticker, seen: int) -> list[Event]:
        market, at = f"{self.name}:{symbol}", ticker.timestamp * 1000
        interest, mark = ticker.open_interest, ticker.mark_price
        size = interest / mark if inverse(symbol) else interest
        events: list[Event] = [Mark(market, at, seen, ticker.mark_price, ticker.index_price)]
        if ticker.current_funding is not None:
            events.append(Funding(market, at, seen, ticker.current_funding, 8 * HOUR))
        return [*events, OpenInterest(market, at, seen, size)]


def _levels(rows: _Levels, is_inverse: bool) -> tuple[Level, ...]:
    return tuple(
        [(p, 0.0 if action == "delete" else n / p if is_inverse else n) for action, p, n in rows]
    )


def _call(method: str, params: object) -> bytes:
    asked = {"jsonrpc": "2.0", "id": 1, "method": f"public/{method}", "params": params}
    return msgspec.json.encode(asked)
