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
    PositionSide,
)
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
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
from powderkeg.venues.okx import rest
from powderkeg.venues.okx.rest import RestDecoder, Trade
from powderkeg.venues.reader import Makers, VenueAdapter, decoder, of_each, op, resubscribe

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


class Okx(VenueAdapter[RestDecoder]):
    """Reader of OKX's perpetual swaps, linear and inverse."""

    __slots__ = ("_chains", "_details", "_index", "_liquidated", "_makers", "_newest", "_ours")
    STATE_FIELDS = ("_chains", "_liquidated", "_index", "_newest")
    name: str = "okx"
    limits: Limits = Limits(20, 2 * SECOND)
    liquidations: Completeness = "sample"

    def __init__(self) -> None:
        super().__init__(RestDecoder(self.name, self._trades))
        self._ours: set[str] = set()
        self._newest: dict[str, int] = {}
        self._chains: dict[str, tuple[int, int]] = {}
        self._index: dict[str, float] = {}
        self._liquidated = Deduplicator()
        self._details = self._rows(_Detail)
        self._makers: Makers = {
            "trades": (self._rows(Trade), self._trades),
            "mark-price": (decoder(tuple[_Mark]), self._mark),
            "index-tickers": (decoder(tuple[_Price]), self._keep_index),
            "funding-rate": (decoder(tuple[_Rate]), self._funding),
            "open-interest": (decoder(tuple[_Interest]), self._interest),
            "liquidation-orders": (self._rows(_Order), self._liquidations),
        }

    def symbol(self, coin: str) -> str:
        """Return the symbol of a coin's perpetual margined in USDT."""
        return f"{coin}-USDT-SWAP"

    def streams(self, symbols: Sequence[str]) -> list[Stream]:
        """Return a socket for every fifty symbols; the first carries all liquidations.

        From now on liquidations of other symbols are left out.
        """
        self._ours = set(symbols)
        return [
            self._stream(part, () if n else symbols)
            for n, part in enumerate(chunks(symbols, _SYMBOLS))
        ]

    def polls(self, symbols: Sequence[str]) -> list[Poll]:
        """Return the requests for instruments, the clock, and tiers and ratio of each symbol."""
        return rest.polls(self.name, symbols)

    def past(self, symbol: str, since: int, until: int) -> list[Poll]:
        """Return the requests for bars, open interest and funding, in this order."""
        return rest.past(symbol, since, until)

    def recent(self, symbol: str) -> list[Poll]:
        """Return the request for the latest five hundred trades."""
        return [rest.recent(symbol)]

    def snapshot(self, symbol: str) -> tuple[bytes, ...]:
        """Return the messages that make the venue send the whole book again."""
        args = [{"channel": "books", "instId": symbol}]
        return resubscribe(args)

    def _stream(self, symbols: Sequence[str], liquidation_symbols: Sequence[str]) -> Stream:
        args = [{"channel": name, "instId": each} for each in symbols for name in _CHANNELS]
        families = dict.fromkeys(each.removesuffix("-SWAP") for each in symbols)
        args += [{"channel": "index-tickers", "instId": each} for each in families]
        channels = self._channels(symbols, _INTERVALS)
        if liquidation_symbols:
            args.append({"channel": "liquidation-orders", "instType": "SWAP"})
            channels += self._channels(liquidation_symbols, {"liquidations": 0})
        subscribe = (op("subscribe", args),)
        return Stream(_SOCKET, channels, subscribe, ping=b"ping", ping_every=20 * SECOND)

    def _live(self, raw: bytes, seen: int) -> list[Event]:
        if raw == b"pong":
            return []
        frame = _frame.decode(raw)
        channel, symbol = frame.arg.channel, frame.arg.inst_id
        if frame.event:
            return self._event(frame, seen)
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

    def _event(self, frame: _Frame, seen: int) -> list[Event]:
        if frame.event == "error":
            return self._refused(frame.msg, seen)
        if frame.event not in {"subscribe", "unsubscribe"}:
            return self._skip(f"event {frame.event[:24]}")
        return []

    def _check(self, symbol: str) -> None:
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f"expected a channel with a symbol, found {symbol[:40]!r}")

    def _trades(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        found, newest = self._answers.contract(symbol), self._newest.get(symbol, -1)
        new = sorted([row for row in rows if row.trade_id > newest], key=lambda row: row.trade_id)
        self._skip("duplicate trade", len(rows) - len(new))
        if new:
            self._newest[symbol] = new[-1].trade_id
        prints: list[Print] = []
        for row in new:
            contracts = row.sz if row.side == "buy" else -row.sz
            prints.append((row.ts * 1000, row.px, rest.coins(found, contracts, row.px)))
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def _book(
        self, symbol: str, action: str, book: _Book, seen: int
    ) -> BookSnapshot | BookDelta | None:
        found, market, at = self._answers.contract(symbol), f"{self.name}:{symbol}", book.ts * 1000
        bids, asks = _levels(found, book.bids), _levels(found, book.asks)
        newest, shift = self._chains.get(symbol, (-1, 0))
        if action == "snapshot":
            self._chains[symbol] = book.seq_id, shift
            return BookSnapshot(market, at, seen, bids, asks, book.seq_id + shift)
        if book.seq_id in {book.prev_seq_id, newest}:
            self._skip("book that did not change")
            return None
        previous = book.prev_seq_id + shift
        if book.seq_id < newest:
            shift += newest + 1 - book.seq_id
            if book.prev_seq_id != newest:
                previous = book.seq_id + shift  # follows nothing, so that the book is asked for
        self._chains[symbol] = book.seq_id, shift
        last = book.seq_id + shift
        return BookDelta(market, at, seen, bids, asks, last, last, previous)

    def _mark(self, symbol: str, rows: tuple[_Mark], seen: int) -> list[Event]:
        price = rows[0].mark_px
        self._answers.mark(symbol, price)
        index = self._index.get(symbol.removesuffix("-SWAP"))
        return [Mark(f"{self.name}:{symbol}", rows[0].ts * 1000, seen, price, index)]

    def _keep_index(self, family: str, rows: tuple[_Price], _: int) -> list[Event]:
        self._index[family] = rows[0].idx_px
        return []

    def _funding(self, symbol: str, rows: tuple[_Rate], seen: int) -> list[Event]:
        row, intervals = rows[0], self._answers.intervals
        if not row.funding_rate:
            return self._skip("funding without a rate")
        if row.next_funding_time:
            interval = (int(row.next_funding_time) - row.funding_time) * 1000
            if not MINUTE <= interval <= DAY:
                raise ValueError(f"expected funding within a day, found {interval} µs")
            intervals[symbol] = interval
        rate = float(row.funding_rate)
        if not -1 < rate < 1:
            raise ValueError(f"expected a funding rate as a fraction, found {rate}")
        market, at = f"{self.name}:{symbol}", row.ts * 1000 or seen
        return [Funding(market, at, seen, rate, intervals.get(symbol, 8 * HOUR))]

    def _interest(self, symbol: str, rows: tuple[_Interest], seen: int) -> list[Event]:
        row = rows[0]
        return [OpenInterest(f"{self.name}:{symbol}", row.ts * 1000, seen, row.oi_ccy)]

    def _liquidations(self, _: str, orders: list[_Order], seen: int) -> list[Event]:
        closes = of_each(orders, self._forced_closes, self._skip)
        fresh = self._liquidated.is_new(closes)
        self._skip("duplicate liquidation", fresh.count(False))
        events: list[Event] = []
        for (symbol, ts, side, price, size), new in zip(closes, fresh, strict=True):
            if new:
                market, at = f"{self.name}:{symbol}", ts * 1000
                events.append(Liquidation(market, at, seen, price, size, side, True))
        return events

    def _forced_closes(self, order: _Order) -> list[_Fill]:
        if not self._wanted(order.inst_id):
            return []
        found = self._answers.contract(order.inst_id)
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

    def _wanted(self, symbol: str) -> bool:
        if symbol in self._ours or (not self._ours and symbol in self.instruments):
            return True
        self._skip("liquidation of another market")
        return False


def _levels(found: Instrument, levels: list[_Level]) -> tuple[Level, ...]:
    unit = found.contract
    if found.linear:
        return tuple([(each.price, each.contracts * unit) for each in levels])
    return tuple([(each.price, each.contracts * unit / each.price) for each in levels])


def _position_side(row: _Detail) -> PositionSide:
    if row.pos_side in {"long", "short"}:
        return "long" if row.pos_side == "long" else "short"
    return "long" if row.side == "sell" else "short"
