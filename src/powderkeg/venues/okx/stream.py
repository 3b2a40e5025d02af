"""OKX v5 perpetual swaps: reader of the public socket, with the REST answers.

Traps:
- Sizes are contracts; a frame of a symbol whose contract size is not known yet is unreadable.
- ``details`` of a liquidation order is an *array*. ``side`` is the order's, ``posSide`` the
  liquidated position's, unless it is ``net``. The feed is of the whole venue, incomplete and out
  of order, and the first frame after subscribing is history: each close counts once, however late.
- A book that did not change is sent again with ``seqId == prevSeqId``. After maintenance `seqId`
  starts lower: the change that says so still follows, so we add what was lost to all ids after it.
  Other changes with a lower id do not follow, whatever they are. The checksum is always 0.
- Trade ids rise, but ``trades`` merges several fills into one, so gaps cannot be detected.
- The index has its own channel, by family: ``BTC-USDT`` of ``BTC-USDT-SWAP``.
- The text ``pong`` is not JSON.

Source: OKX API docs, v5, WebSocket public channels, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import (
    DAY,
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
    PositionSide,
)
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
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
from powderkeg.venues.okx import rest
from powderkeg.venues.okx.rest import NAME, RestDecoder, Trade
from powderkeg.venues.reader import (
    Makers,
    RefusalError,
    VenueReader,
    coded,
    decoder,
    op,
    resubscribe,
)

_SOCKET = "wss://ws.okx.com:8443/ws/v5/public"
_CHANNELS = ("trades", "books", "open-interest", "mark-price", "funding-rate")
_SYMBOLS = 50
"""Symbols on one socket: 20 kB of subscriptions, of 64 allowed."""
_INTERVALS: dict[ChannelKind, int] = {
    "trades": MINUTE,
    "book": 5 * SECOND,
    "mark": 10 * SECOND,
    "funding": 90 * SECOND,
    "oi": 0,  # sent only when it changes
}
_SYMBOL = re.compile("[0-9A-Z_-]{2,40}")


class _Arg(Struct, frozen=True, gc=False, rename="camel"):
    channel: str = ""
    inst_id: str = ""


class _Frame(Struct, gc=False):
    arg: _Arg = _Arg()
    action: str = ""
    data: Raw = Raw()
    event: str = ""
    msg: str = ""


class _Level(Struct, gc=False, array_like=True):
    price: Price
    contracts: Amount


class _Book(Struct, gc=False, rename="camel"):
    asks: list[_Level]
    bids: list[_Level]
    ts: Millis
    seq_id: Update
    prev_seq_id: Annotated[int, Meta(ge=-1, lt=2**62)]


class _Mark(Struct, gc=False, rename="camel"):
    mark_px: Price
    ts: Millis


class _Price(Struct, gc=False, rename="camel"):
    idx_px: Price


class _Rate(Struct, gc=False, rename="camel"):
    funding_time: Millis
    funding_rate: str = ""
    next_funding_time: str = ""
    ts: Millis = 0


class _Interest(Struct, gc=False, rename="camel"):
    oi_ccy: Amount
    ts: Millis


class _Detail(Struct, gc=False, rename="camel"):
    side: Literal["buy", "sell"]
    bk_px: Price
    sz: Positive
    ts: Millis
    pos_side: Literal["long", "short", "net", ""] = ""


_Fill: TypeAlias = tuple[str, int, PositionSide, float, float]


class _Order(Struct, gc=False, rename="camel"):
    inst_id: str
    details: list[Raw]


_frame: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame, strict=False)
_books = decoder(list[_Book])


def okx_reader() -> VenueReader:
    """Return a reader of OKX's perpetual swaps, linear and inverse."""
    state = rest.State()
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=NAME, limits=Limits(20, 2 * SECOND), state=state,
        stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers, unwrap=coded("0"),
        symbol="{}-USDT-SWAP".format, streams=streams, polls=rest.polls, past=rest.past,
        recent=rest.recent,
        snapshot=lambda symbol: resubscribe([{"channel": "books", "instId": symbol}]),
    )  # fmt: skip


def streams(symbols: Sequence[str]) -> list[Stream]:
    """Return a socket for every fifty symbols; the first carries all liquidations."""
    return [_stream(part, () if n else symbols) for n, part in enumerate(chunks(symbols, _SYMBOLS))]


def _stream(symbols: Sequence[str], liquidation_symbols: Sequence[str]) -> Stream:
    args = [{"channel": name, "instId": each} for each in symbols for name in _CHANNELS]
    families = dict.fromkeys(each.removesuffix("-SWAP") for each in symbols)
    args += [{"channel": "index-tickers", "instId": each} for each in families]
    carried = channels(NAME, symbols, _INTERVALS)
    if liquidation_symbols:
        args.append({"channel": "liquidation-orders", "instType": "SWAP"})
        carried += channels(NAME, liquidation_symbols, {"liquidations": 0})
    return Stream(_SOCKET, carried, (op("subscribe", args),), ping=b"ping", ping_every=20 * SECOND)


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_answers", "_details", "_makers", "_skip", "name", "state")

    def __init__(self, answers: RestDecoder) -> None:
        self._answers, self.state = answers, answers.state
        state = answers.state
        self.name, self._skip = state.name, state.skip
        self._details = state.rows(_Detail)
        self._makers: Makers = {
            "trades": (state.rows(Trade), answers.trades),
            "mark-price": (decoder(tuple[_Mark]), self._mark),
            "index-tickers": (decoder(tuple[_Price]), self._keep_index),
            "funding-rate": (decoder(tuple[_Rate]), self._funding),
            "open-interest": (decoder(tuple[_Interest]), self._interest),
            "liquidation-orders": (state.rows(_Order), self._liquidations),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
        if raw == b"pong":
            return []
        frame = _frame.decode(raw)
        channel, symbol = frame.arg.channel, frame.arg.inst_id
        if frame.event:
            return self._event(frame)
        if channel == "books":
            self._check(symbol)
            updates = [
                self._book(symbol, frame.action, book, seen) for book in _books.decode(frame.data)
            ]
            return [event for event in updates if event]
        if channel not in self._makers:
            return self._skip(f"channel {channel[:24]}" if channel else "no channel")
        if channel != "liquidation-orders":
            self._check(symbol)
        rows, make = self._makers[channel]
        return make(symbol, rows.decode(frame.data), seen)

    def _event(self, frame: _Frame) -> list[Event]:
        if frame.event == "error":
            raise RefusalError(frame.msg)
        if frame.event not in {"subscribe", "unsubscribe"}:
            return self._skip(f"event {frame.event[:24]}")
        return []

    def _check(self, symbol: str) -> None:
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f"expected a channel with a symbol, found {symbol[:40]!r}")

    def _book(
        self, symbol: str, action: str, book: _Book, seen: int
    ) -> BookSnapshot | BookDelta | None:
        found, market, at = self.state.contract(symbol), f"{self.name}:{symbol}", book.ts * 1000
        bids, asks = _levels(found, book.bids), _levels(found, book.asks)
        newest, shift = self.state.chains.get(symbol, (-1, 0))
        if action == "snapshot":
            self.state.chains[symbol] = book.seq_id, shift
            return BookSnapshot(market, at, seen, bids, asks, book.seq_id + shift)
        if book.seq_id in {book.prev_seq_id, newest}:
            self._skip("book that did not change")
            return None
        previous = book.prev_seq_id + shift
        if book.seq_id < newest:
            shift += newest + 1 - book.seq_id
            if book.prev_seq_id != newest:
                previous = book.seq_id + shift  # follows nothing, so that the book is asked for
        self.state.chains[symbol] = book.seq_id, shift
        last = book.seq_id + shift
        return BookDelta(market, at, seen, bids, asks, last, last, previous)

    def _mark(self, symbol: str, rows: tuple[_Mark], seen: int) -> list[Event]:
        price = rows[0].mark_px
        self._answers.mark(symbol, price)
        index = self.state.index.get(symbol.removesuffix("-SWAP"))
        return [Mark(f"{self.name}:{symbol}", rows[0].ts * 1000, seen, price, index)]

    def _keep_index(self, family: str, rows: tuple[_Price], _: int) -> list[Event]:
        self.state.index[family] = rows[0].idx_px
        return []

    def _funding(self, symbol: str, rows: tuple[_Rate], seen: int) -> list[Event]:
        row = rows[0]
        if not row.funding_rate:
            return self._skip("funding without a rate")
        if row.next_funding_time:
            interval = (int(row.next_funding_time) - row.funding_time) * 1000
            if not MINUTE <= interval <= DAY:
                raise ValueError(f"expected funding within a day, found {interval} µs")
            self.state.intervals[symbol] = interval
        rate = float(row.funding_rate)
        if not -1 < rate < 1:
            raise ValueError(f"expected a funding rate as a fraction, found {rate}")
        market, at = f"{self.name}:{symbol}", row.ts * 1000 or seen
        return [Funding(market, at, seen, rate, self.state.interval(symbol))]

    def _interest(self, symbol: str, rows: tuple[_Interest], seen: int) -> list[Event]:
        row = rows[0]
        return [OpenInterest(f"{self.name}:{symbol}", row.ts * 1000, seen, row.oi_ccy)]

    def _liquidations(self, _: str, orders: list[_Order], seen: int) -> list[Event]:
        closes = [fill for order in orders for fill in self._forced_closes(order)]
        fresh = self.state.liquidated.is_new(closes)
        self._skip("duplicate liquidation", fresh.count(False))
        events: list[Event] = []
        for (symbol, ts, side, price, size), new in zip(closes, fresh, strict=True):
            if new:
                market, at = f"{self.name}:{symbol}", ts * 1000
                events.append(Liquidation(market, at, seen, price, size, side, True))
        return events

    def _forced_closes(self, order: _Order) -> list[_Fill]:
        found = self.state.instruments.get(order.inst_id)
        if found is None:
            self._skip("liquidation of another market")
            return []
        return [
            (
                order.inst_id,
                row.ts,
                _position_side(row),
                row.bk_px,
                rest.coins(found, row.sz, row.bk_px),
            )
            for row in self._details.readable(order.details)
        ]


def _levels(found: Instrument, levels: list[_Level]) -> tuple[Level, ...]:
    unit = found.contract
    if found.linear:
        return tuple([(each.price, each.contracts * unit) for each in levels])
    return tuple([(each.price, each.contracts * unit / each.price) for each in levels])


def _position_side(row: _Detail) -> PositionSide:
    if row.pos_side in {"long", "short"}:
        return "long" if row.pos_side == "long" else "short"
    return "long" if row.side == "sell" else "short"
