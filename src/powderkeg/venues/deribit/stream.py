"""Deribit perpetuals: JSON-RPC over one socket, and the same over GET.

Traps:
- ``BTC-PERPETUAL`` and ``ETH-PERPETUAL`` are inverse: amounts and open interest are US dollars, so
  base = amount / price and interest / mark. ``X_USDC-PERPETUAL`` is linear: base coin throughout.
- A liquidation is a flag on a trade and complete: ``T`` the taker was liquidated, ``M`` the maker,
  ``MT`` both. The order that closed the position has the trade's direction for T, the contrary for
  M; a forced sell closes a long. So ``MT`` is a liquidated long and a liquidated short.
- ``trade_seq`` rises by one per trade of an instrument: a jump is a hole, a repetition a duplicate,
  of a liquidation too.
- Block trades (``block_trade_id``) have a number in it too, but a price agreed elsewhere: no print.
- The first book message is ``type`` snapshot (older ones: without ``prev_change_id``), the rest
  name the change before. A snapshot may name one too. The amount of a "delete" is not used.
- Funding is continuous: ``current_funding`` is the rate of 8 hours at this instant, a row of
  the history what one hour paid.
- The API has no maintenance margins and no open interest history.
- The server sends ``test_request`` and disconnects a client that does not answer.

Source: Deribit API docs 2.1.1, "Subscriptions", "Market data", read 2026-11; docs/sources.md.
"""

from __future__ import annotations

import re
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
    Gap,
    Level,
    Liquidation,
    Mark,
    OpenInterest,
    Side,
)
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
    Amount,
    Channel,
    ChannelKind,
    Completeness,
    Limits,
    Millis,
    Poll,
    Positive,
    Rate,
    SequenceTracker,
    Stream,
    Update,
    candles_from_rows,
    chunks,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import Makers, Reader, Rows

_SOCKET = "wss://www.deribit.com/ws/api/v2"
_REST = "https://www.deribit.com/api/v2/public/"
_PERPETUAL = re.compile(r"[A-Z0-9]{1,20}(_[A-Z0-9]{1,20})?-PERPETUAL")
_PREFIX = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"'
_STEADY: tuple[ChannelKind, ...] = ("book", "mark", "funding", "oi")
_RARE: tuple[ChannelKind, ...] = ("trades", "liquidations")
_Levels: TypeAlias = tuple[tuple[Literal["new", "change", "delete"], Positive, Amount], ...]
_T = TypeVar("_T")


class _Trade(Struct, gc=False):
    trade_seq: Update
    timestamp: Millis
    price: Positive
    amount: Positive
    direction: Side
    liquidation: Literal["M", "T", "MT"] | None = None
    block_trade_id: str | int | None = None


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


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Head(Struct):
    method: str = ""
    params: _Named = msgspec.field(default_factory=_Named)
    error: _Error | None = None


class _Answer(Struct):
    result: Raw = Raw()
    error: _Error | None = None


class _Listed(Struct):
    base_currency: str
    name: str = msgspec.field(name="instrument_name")
    tick_size: Positive
    contract_size: Positive
    is_active: bool


class _Chart(Struct):
    ticks: list[Millis]
    open: list[Positive]
    high: list[Positive]
    low: list[Positive]
    close: list[Positive]
    volume: list[Amount]


class _Interest(Struct, gc=False):
    timestamp: Millis
    interest_1h: Rate


class _Last(Struct):
    trades: Raw


_head, _answer = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Answer)
_NOTHING = (Raw(), Raw(b"null"))


class _Prints:
    """Decodes frames of trades, skipping the bad ones."""

    __slots__ = ("_parts", "_rows", "_whole")

    def __init__(self, rows: Rows) -> None:
        self._whole = msgspec.json.Decoder(_Frame[list[_Trade]])
        self._parts, self._rows = msgspec.json.Decoder(_Frame[Raw]), rows

    def decode(self, raw: bytes | Raw, /) -> _Frame[list[_Trade]]:
        """Return the frame with the trades that can be read."""
        try:
            return self._whole.decode(raw)
        except msgspec.ValidationError:
            trades = self._rows.decode(self._parts.decode(raw).params.data)
            return _Frame(_Params(trades))


class Deribit(Reader):
    """Reader of Deribit's perpetuals."""

    __slots__ = ("_by", "_last", "_topics", "_traded")
    STATE_FIELDS = ("_last", "instruments")
    name: str = "deribit"
    limits: Limits = Limits(1200, MINUTE)  # 20 requests a second, each 500 of their credits
    liquidations: Completeness = "all"

    def __init__(self) -> None:
        super().__init__(
            {
                "clock": (msgspec.json.Decoder(Millis), self._clock),
                "instruments": (self._rows(_Listed), self._listed),
                "candles": (msgspec.json.Decoder(_Chart), self._chart),
                "funding": (self._rows(_Interest), self._fundings),
                "trades": (msgspec.json.Decoder(_Last), self._recent),
            }
        )
        self._last: dict[str, tuple[SequenceTracker, int]] = {}  # ids received, time of the newest
        self._traded = self._rows(_Trade)
        self._by: dict[bytes, tuple[str, str]] = {}  # topic and symbol by channel
        self._topics: Makers = {
            "trades": (_Prints(self._traded), self._trades),
            "book": (msgspec.json.Decoder(_Frame[_Book]), self._book),
            "ticker": (msgspec.json.Decoder(_Frame[_Ticker]), self._ticker),
        }

    def symbol(self, coin: str) -> str:
        """Return the inverse perpetual of BTC and ETH, the linear one of every other coin."""
        return f"{coin}-PERPETUAL" if coin in {"BTC", "ETH"} else f"{coin}_USDC-PERPETUAL"

    def streams(self, symbols: Sequence[str]) -> list[Stream]:
        """Return the one socket: trades, book and ticker of each symbol, every 100 ms."""
        names = [f"{topic}.{symbol}.100ms" for symbol in symbols for topic in self._topics]
        markets = [f"{self.name}:{symbol}" for symbol in symbols]
        channels = [Channel(each, kind, 5 * SECOND) for each in markets for kind in _STEADY]
        channels += [Channel(each, kind) for each in markets for kind in _RARE]
        subscribe = [_call("set_heartbeat", {"interval": 30})]
        subscribe += [_call("subscribe", {"channels": part}) for part in chunks(names, 100)]
        # about three subscriptions a second are allowed
        return [Stream(_SOCKET, tuple(channels), tuple(subscribe), SECOND // 3)]

    def polls(self, symbols: Sequence[str]) -> list[Poll]:
        """Return the requests for instruments and the clock."""
        provides = tuple([Channel(f"{self.name}:{each}", "instruments", HOUR) for each in symbols])
        listed = f"{_REST}get_instruments?currency=any&kind=future"
        return [
            # once a second at most, where others may be asked twenty times
            Poll("instruments", listed, every=HOUR, weight=20, channels=provides),
            Poll("clock", f"{_REST}get_time", every=MINUTE),
        ]

    def past(self, symbol: str, since: int, until: int) -> list[Poll]:
        """Return the requests for candles of a minute and hourly funding."""
        asked = f"instrument_name={symbol}&start_timestamp="
        chart = f"{_REST}get_tradingview_chart_data?{asked}"
        funding = f"{_REST}get_funding_rate_history?{asked}"
        return [
            Poll(f"candles:{symbol}", f"{chart}{_span(*page)}&resolution=1")
            for page in time_chunks(since, until, MINUTE, 5000)
        ] + [
            Poll(f"funding:{symbol}", f"{funding}{_span(*page)}")
            for page in time_chunks(since, until, HOUR, 500)
        ]

    def recent(self, symbol: str) -> list[Poll]:
        """Return the request for the latest trades."""
        asked = f"get_last_trades_by_instrument?instrument_name={symbol}&count=1000&sorting=desc"
        return [Poll(f"trades:{symbol}", _REST + asked)]

    def snapshot(self, symbol: str) -> tuple[bytes, ...]:
        """Return the messages that make the venue send the whole book again."""
        names = {"channels": [f"book.{symbol}.100ms"]}
        return (_call("unsubscribe", names), _call("subscribe", names))

    def reply(self, raw: bytes) -> bytes:
        """Return the answer to a test request of the heartbeat."""
        asked = b'"heartbeat"' in raw[:200] and b'"test_request"' in raw[:200]
        return _call("test", {}) if asked else b""

    def _live(self, raw: bytes, seen: int) -> list[Event]:
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
            return self._refused(_why(head.error), seen)
        if not name:
            return self._skip(f"method {head.method[:24]}" if head.method else "no data")
        topic, _, rest = name.partition(".")
        symbol, _, interval = rest.partition(".")
        if topic not in self._topics or not _PERPETUAL.fullmatch(symbol) or "." in interval:
            return self._skip(f"channel {name[:32]}")
        if interval == "100ms":  # the one we subscribe to, so the table stays small
            self._by[name.encode()] = (topic, symbol)
        frame, make = self._topics[topic]
        return make(symbol, frame.decode(raw).params.data, seen)

    def _rest(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        answer = _answer.decode(raw)
        if answer.error:
            return self._refused(_why(answer.error), seen)
        if answer.result in _NOTHING:
            raise ValueError("expected a result or an error")
        return self._answer(channel, answer.result, seen)

    def _trades(self, symbol: str, rows: list[_Trade], seen: int) -> list[Event]:
        market, inverse = f"{self.name}:{symbol}", _inverse(symbol)
        tracker, since = self._last.get(symbol) or (SequenceTracker(), 0)
        new, events = list[_Trade](), list[Event]()
        for row in sorted(rows, key=lambda row: row.trade_seq):
            at, missing = row.timestamp * 1000, tracker.take(row.trade_seq)
            if missing > 0:
                why = f"{missing} trades missing before trade {row.trade_seq}"
                events.append(Gap(market, at, seen, since, why))
            if missing >= 0:
                new.append(row)
                since = max(since, at)
        self._last[symbol] = tracker, since
        self._skip("duplicate trade", len(rows) - len(new))
        tape = [row for row in new if row.block_trade_id is None]
        self._skip("block trade", len(new) - len(tape))
        taken = [(row.timestamp * 1000, row.price, _size(row, inverse)) for row in tape]
        events += trades_from_rows(market, seen, taken)
        for row in new:
            events += _liquidations(market, seen, row, abs(_size(row, inverse)))
        return events

    def _recent(self, symbol: str, last: _Last, seen: int) -> list[Event]:
        return self._trades(symbol, self._traded.decode(last.trades), seen)

    def _book(self, symbol: str, book: _Book, seen: int) -> list[Event]:
        market, at, inverse = f"{self.name}:{symbol}", book.timestamp * 1000, _inverse(symbol)
        bids, asks = _levels(book.bids, inverse), _levels(book.asks, inverse)
        before = book.prev_change_id
        if book.type == "snapshot" or (book.type is None and before is None):
            return [BookSnapshot(market, at, seen, bids, asks, book.change_id)]
        if before is None:
            raise ValueError("expected a change to name the one before it")
        return [BookDelta(market, at, seen, bids, asks, before + 1, book.change_id, before)]

    def _ticker(self, symbol: str, ticker: _Ticker, seen: int) -> list[Event]:
        market, at = f"{self.name}:{symbol}", ticker.timestamp * 1000
        interest, mark = ticker.open_interest, ticker.mark_price
        size = interest / mark if _inverse(symbol) else interest
        events: list[Event] = [Mark(market, at, seen, ticker.mark_price, ticker.index_price)]
        if ticker.current_funding is not None:
            events.append(Funding(market, at, seen, ticker.current_funding, 8 * HOUR))
        return [*events, OpenInterest(market, at, seen, size)]

    def _clock(self, _: str, millis: int, __: int) -> list[Event]:
        self.server_time = millis * 1000
        return []

    def _listed(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        listed = (each for each in rows if each.is_active and _PERPETUAL.fullmatch(each.name))
        self.instruments = {each.name: _instrument(each) for each in listed}
        return []

    def _chart(self, symbol: str, chart: _Chart, seen: int) -> list[Event]:
        columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume)
        bars = ((row[0] * 1000, *row[1:], row[5] / 2) for row in zip(*columns, strict=True))
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _fundings(self, symbol: str, rows: list[_Interest], seen: int) -> list[Event]:
        market = f"{self.name}:{symbol}"
        return [Funding(market, row.timestamp * 1000, seen, row.interest_1h, HOUR) for row in rows]


def _instrument(row: _Listed) -> Instrument:
    market, linear = f"deribit:{row.name}", not _inverse(row.name)
    coin, contract = row.base_currency, row.contract_size
    return Instrument(market, coin, "deribit", "perpetual", linear, contract, row.tick_size)


def _why(error: _Error) -> str:
    return f"{error.code} {error.message}"


def _inverse(symbol: str) -> bool:
    return "_" not in symbol


def _size(row: _Trade, inverse: bool) -> float:
    """Return the size in base coin, negative where the taker sold."""
    size = row.amount / row.price if inverse else row.amount
    return size if row.direction == "buy" else -size


def _liquidations(market: str, seen: int, row: _Trade, size: float) -> list[Event]:
    at, bought = row.timestamp * 1000, row.direction == "buy"
    events: list[Event] = []
    for flag in row.liquidation or "":
        side = "short" if bought == (flag == "T") else "long"
        events.append(Liquidation(market, at, seen, row.price, size, side))
    return events


def _levels(rows: _Levels, inverse: bool) -> tuple[Level, ...]:
    return tuple(
        [(p, 0.0 if action == "delete" else n / p if inverse else n) for action, p, n in rows]
    )


def _span(start: int, end: int) -> str:
    return f"{start // 1000}&end_timestamp={end // 1000 - 1}"


def _call(method: str, params: object) -> bytes:
    asked = {"jsonrpc": "2.0", "id": 1, "method": f"public/{method}", "params": params}
    return msgspec.json.encode(asked)
