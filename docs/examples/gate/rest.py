"""Gate.io USDT perpetuals over REST: requests, the decoder of their answers, and trades.

Traps:
- Sizes are contracts of ``quanto_multiplier`` coins: 0.0001 BTC. The sign of a size is its side.
- Times are seconds. ``create_time_ms`` of an answer is seconds too, with three decimals; that of
  the socket is milliseconds.
- ``is_internal`` trades are takeovers by the insurance fund and ADL: no prints.
- A bar is asked for by its start, and ``to`` is inclusive. ``v`` is contracts.
- Bars, readings and payments do not include their interval.

Source: Gate API docs, v4, "Futures", and the answers that CCXT 4.5 quotes; rate limits and paging
are from memory. Nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from powderkeg.events import DAY, HOUR, MINUTE, SECOND, BookSnapshot, Event, OpenInterest
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
    BIG,
    Amount,
    Bar,
    Channel,
    Deduplicator,
    Millis,
    Poll,
    Positive,
    Price,
    Print,
    Rate,
    Update,
    candles_from_rows,
    channels,
    funding_events,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import Makers, RefusalError, VenueState, decoder

NAME = "gate"
_REST = "https://api.gateio.ws/api/v4/"
_READINGS = 100
"""Readings of open interest in one answer."""
Seconds = Annotated[int, Meta(ge=0, lt=10**12)]
Signed = Annotated[float, Meta(gt=-BIG, lt=BIG)]


class Trade(Struct, gc=False):
    """One print; `time` is ms of the socket, and seconds of an answer."""

    id: Update
    size: Signed
    price: Price
    time: Annotated[float, Meta(ge=0, lt=10**15)] = field(name="create_time_ms")
    is_internal: bool = False
    contract: str = ""


class Level(Struct, gc=False):
    """A price and the contracts at it."""

    p: Price
    s: Amount


class Book(Struct, gc=False):
    """One whole book; `update` is seconds."""

    id: Update
    update: Annotated[float, Meta(ge=0, lt=10**12)]
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class _Clock(Struct):
    server_time: Millis


class _Listed(Struct):
    name: str
    quanto_multiplier: float
    order_price_round: Positive
    funding_interval: Seconds
    in_delisting: bool = False


class _Bar(Struct, gc=False):
    start: Seconds = field(name="t")
    open: Price = field(name="o")
    high: Price = field(name="h")
    low: Price = field(name="l")
    close: Price = field(name="c")
    contracts: Amount = field(name="v")


class _Payment(Struct, gc=False):
    at: Seconds = field(name="t")
    rate: Rate = field(name="r")


class _Stats(Struct, gc=False):
    time: Seconds
    open_interest: Amount


class _Refusal(Struct):
    label: str = ""
    message: str = ""


_refusal: msgspec.json.Decoder[_Refusal] = msgspec.json.Decoder(_Refusal)


class State(VenueState):
    """State of Gate.io."""

    __slots__ = ("ids", "liquidated")
    STATE_FIELDS = ("_ids", "_liquidated", "instruments", "intervals")

    def __init__(self) -> None:
        super().__init__(NAME)
        self.ids: dict[str, Deduplicator] = {}
        self.liquidated = Deduplicator()

    def contract(self, symbol: str) -> float:
        """Return how much of the coin one contract is.

        Raises:
            ValueError: It is not known yet.
        """
        found = self.instruments.get(symbol)
        if found is None:
            raise ValueError(f"expected the contract size of {symbol[:40]!r} before its sizes")
        return found.contract


def unwrap(raw: bytes, _: str) -> bytes:
    """Return an answer as it is.

    Raises:
        RefusalError: It is a refusal.
    """
    if raw.lstrip()[:1] == b"{":
        refusal = _refusal.decode(raw)
        if refusal.label:
            raise RefusalError(f"{refusal.label} {refusal.message}")
    return raw


class RestDecoder:
    """Decodes the REST answers, and trades from wherever they come."""

    __slots__ = ("_skip", "answers", "name", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self.answers: Makers = {
            "clock": (decoder(_Clock), self._clock),
            "instruments": (state.rows(_Listed), self._list),
            "depth": (decoder(Book), self._book),
            "candles": (state.rows(_Bar), self._candles),
            "interest": (state.rows(_Stats), self._interest),
            "funding": (state.rows(_Payment), self._funding),
            "trades": (state.rows(Trade), self._recent),
        }

    def trades(self, symbol: str, rows: list[Trade], seen: int, unit: int = 1000) -> list[Event]:
        """Return the prints that are new and were made in the book; times are `unit` µs."""
        contract = self.state.contract(symbol)
        ids = self.state.ids.setdefault(symbol, Deduplicator())
        fresh = ids.is_new([row.id for row in rows])
        tape = [row for row, new in zip(rows, fresh, strict=True) if new and not row.is_internal]
        self._skip("duplicate trade", fresh.count(False))
        self._skip("trade with the insurance fund", fresh.count(True) - len(tape))
        prints: list[Print] = [
            (round(row.time * unit), row.price, row.size * contract) for row in tape
        ]
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def _recent(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        return self.trades(symbol, rows, seen, SECOND)

    def _clock(self, _: str, clock: _Clock, __: int) -> list[Event]:
        self.state.server_time = clock.server_time * 1000
        return []

    def _list(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        listed = [row for row in rows if row.quanto_multiplier > 0 and not row.in_delisting]
        self._skip("instrument that does not trade", len(rows) - len(listed))
        self.state.instruments = {row.name: _instrument(row) for row in listed}
        self.state.intervals = {row.name: row.funding_interval * SECOND for row in listed}
        return []

    def _book(self, symbol: str, book: Book, seen: int) -> list[Event]:
        contract, at = self.state.contract(symbol), round(book.update * SECOND)
        bids, asks = levels(book.bids, contract), levels(book.asks, contract)
        return [BookSnapshot(f"{self.name}:{symbol}", at, seen, bids, asks, book.id)]

    def _candles(self, symbol: str, rows: list[_Bar], seen: int) -> list[Event]:
        contract, bars = self.state.contract(symbol), list[Bar]()
        for row in rows:
            start, coins = row.start * SECOND, row.contracts * contract
            bars.append((start, row.open, row.high, row.low, row.close, coins, coins / 2))
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _interest(self, symbol: str, rows: list[_Stats], seen: int) -> list[Event]:
        market, contract = f"{self.name}:{symbol}", self.state.contract(symbol)
        readings = sorted((row.time * SECOND, row.open_interest) for row in rows)
        return [OpenInterest(market, at, seen, size * contract) for at, size in readings]

    def _funding(self, symbol: str, rows: list[_Payment], seen: int) -> list[Event]:
        payments = [(row.at * SECOND, row.rate) for row in rows]
        return funding_events(f"{self.name}:{symbol}", seen, payments, self.state.interval(symbol))


def levels(rows: Sequence[Level], contract: float) -> tuple[tuple[float, float], ...]:
    """Return levels of a book in base coin."""
    return tuple([(row.p, row.s * contract) for row in rows])


def _instrument(row: _Listed) -> Instrument:
    market, coin = f"{NAME}:{row.name}", row.name.partition("_")[0]
    contract, tick = row.quanto_multiplier, row.order_price_round
    return Instrument(market, coin, NAME, "perpetual", True, contract, tick)


def polls(symbols: Sequence[str]) -> list[Poll]:
    """Return the repeated requests: instruments and the clock."""
    listed = channels(NAME, symbols, {"instruments": HOUR})
    clock = (Channel(NAME, "clock", MINUTE),)
    return [
        _poll("instruments", "futures/usdt/contracts", every=HOUR, provides=listed),
        _poll("clock", "spot/time", every=MINUTE, provides=clock),
    ]


def past(symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for minute bars, open interest and funding; oldest first."""
    asked: list[Poll] = []
    for start, end in time_chunks(since, until, MINUTE, 1000):
        times = f"interval=1m&from={start // SECOND}&to={end // SECOND - 1}"
        asked.append(_poll(f"candles:{symbol}", f"futures/usdt/candlesticks?{times}"))
    for start, _ in time_chunks(max(since, until - 30 * DAY), until, 5 * MINUTE, _READINGS):
        times = f"interval=5m&from={start // SECOND}&limit={_READINGS}"
        asked.append(_poll(f"interest:{symbol}", f"futures/usdt/contract_stats?{times}"))
    times = f"from={since // SECOND}&to={until // SECOND - 1}&limit=1000"
    asked.append(_poll(f"funding:{symbol}", f"futures/usdt/funding_rate?{times}"))
    return asked


def recent(symbol: str) -> list[Poll]:
    """Return the request for the latest thousand trades."""
    return [_poll(f"trades:{symbol}", "futures/usdt/trades?limit=1000")]


def snapshot(symbol: str) -> Poll:
    """Return the request for a whole book, with the id that changes are counted from."""
    return _poll(f"depth:{symbol}", "futures/usdt/order_book?limit=100&with_id=true")


def _poll(channel: str, path: str, every: int = 0, provides: tuple[Channel, ...] = ()) -> Poll:
    symbol = channel.partition(":")[2]
    url = f"{_REST}{path}&contract={symbol}" if symbol else _REST + path
    bucket = path.partition("?")[0]
    return Poll(channel, url, every=every, bucket=bucket, channels=provides)
