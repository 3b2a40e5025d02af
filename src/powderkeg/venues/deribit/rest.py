"""Deribit over GET: requests, the decoder of their answers, and trades.

Traps:
- ``BTC-PERPETUAL`` and ``ETH-PERPETUAL`` are inverse: amounts and open interest are US dollars, so
  base = amount / price and interest / mark. ``X_USDC-PERPETUAL`` is linear: base coin throughout.
- A liquidation is a flag on a trade and complete: ``T`` the taker was liquidated, ``M`` the maker,
  ``MT`` both. The order that closed the position has the trade's direction for T, the contrary for
  M; a forced sell closes a long. So ``MT`` is a liquidated long and a liquidated short.
- ``trade_seq`` rises by one per trade of an instrument: a jump is a hole, a repetition a duplicate,
  of a liquidation too.
- Block trades (``block_trade_id``) have a number in it too, but a price agreed elsewhere: no print.
- A row of the history of funding is what one hour paid.
- The API has no maintenance margins and no open interest history.

Source: Deribit API docs 2.1.1, "Market data", read 2026-11; docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from powderkeg.events import HOUR, MINUTE, Event, Funding, Gap, Liquidation, Side
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
    Amount,
    Millis,
    Poll,
    Positive,
    Rate,
    SequenceTracker,
    Update,
    candles_from_rows,
    channels,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import Makers, RefusalError, VenueState

NAME = "deribit"
PERPETUAL = re.compile(r"[A-Z0-9]{1,20}(_[A-Z0-9]{1,20})?-PERPETUAL")
_REST = "https://www.deribit.com/api/v2/public/"


class Trade(Struct, gc=False):
    """One print, of the socket or of an answer."""

    trade_seq: Update
    timestamp: Millis
    price: Positive
    amount: Positive
    direction: Side
    liquidation: Literal["M", "T", "MT"] | None = None
    block_trade_id: str | int | None = None


class Error(Struct):
    """Why something was refused."""

    code: int = 0
    message: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class _Answer(Struct):
    result: Raw = Raw()
    error: Error | None = None


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


_answer = msgspec.json.Decoder(_Answer)
_NOTHING = (Raw(), Raw(b"null"))


class State(VenueState):
    """State of Deribit."""

    __slots__ = ("last",)
    STATE_FIELDS = ("_last", "instruments")

    def __init__(self) -> None:
        super().__init__(NAME)
        self.last: dict[str, tuple[SequenceTracker, int]] = {}
        """By symbol, the trade numbers received, and the time of the newest."""


def unwrap(raw: bytes, _: str) -> Raw:
    """Return the result of an answer.

    Raises:
        RefusalError: It is a refusal.
        ValueError: It is neither a result nor an error.
    """
    answer = _answer.decode(raw)
    if answer.error:
        raise RefusalError(answer.error)
    if answer.result in _NOTHING:
        raise ValueError("expected a result or an error")
    return answer.result


class RestDecoder:
    """Decodes the REST answers, and trades from wherever they come."""

    __slots__ = ("_skip", "answers", "name", "prints", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self.prints = state.rows(Trade)
        self.answers: Makers = {
            "clock": (msgspec.json.Decoder(Millis), self._clock),
            "instruments": (state.rows(_Listed), self._listed),
            "candles": (msgspec.json.Decoder(_Chart), self._chart),
            "funding": (state.rows(_Interest), self._fundings),
            "trades": (msgspec.json.Decoder(_Last), self._recent),
        }

    def trades(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        """Return the prints and liquidations that are new, after the gaps between them."""
        market, is_inverse = f"{self.name}:{symbol}", inverse(symbol)
        tracker, since = self.state.last.get(symbol) or (SequenceTracker(), 0)
        new, events = list[Trade](), list[Event]()
        for row in sorted(rows, key=lambda row: row.trade_seq):
            at, missing = row.timestamp * 1000, tracker.take(row.trade_seq)
            if missing > 0:
                why = f"{missing} trades missing before trade {row.trade_seq}"
                events.append(Gap(market, at, seen, since, why))
            if missing >= 0:
                new.append(row)
                since = max(since, at)
        self.state.last[symbol] = tracker, since
        self._skip("duplicate trade", len(rows) - len(new))
        tape = [row for row in new if row.block_trade_id is None]
        self._skip("block trade", len(new) - len(tape))
        taken = [(row.timestamp * 1000, row.price, _size(row, is_inverse)) for row in tape]
        events += trades_from_rows(market, seen, taken)
        for row in new:
            events += _liquidations(market, seen, row, abs(_size(row, is_inverse)))
        return events

    def _recent(self, symbol: str, last: _Last, seen: int) -> list[Event]:
        return self.trades(symbol, self.prints.decode(last.trades), seen)

    def _clock(self, _: str, millis: int, __: int) -> list[Event]:
        self.state.server_time = millis * 1000
        return []

    def _listed(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        listed = (each for each in rows if each.is_active and PERPETUAL.fullmatch(each.name))
        self.state.instruments = {each.name: _instrument(each) for each in listed}
        return []

    def _chart(self, symbol: str, chart: _Chart, seen: int) -> list[Event]:
        columns = (chart.ticks, chart.open, chart.high, chart.low, chart.close, chart.volume)
        bars = ((row[0] * 1000, *row[1:], row[5] / 2) for row in zip(*columns, strict=True))
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _fundings(self, symbol: str, rows: list[_Interest], seen: int) -> list[Event]:
        market = f"{self.name}:{symbol}"
        return [Funding(market, row.timestamp * 1000, seen, row.interest_1h, HOUR) for row in rows]


def inverse(symbol: str) -> bool:
    """Return whether the amounts of a perpetual are dollars."""
    return "_" not in symbol


def _instrument(row: _Listed) -> Instrument:
    market, linear = f"{NAME}:{row.name}", not inverse(row.name)
    coin, contract = row.base_currency, row.contract_size
    return Instrument(market, coin, NAME, "perpetual", linear, contract, row.tick_size)


def _size(row: Trade, is_inverse: bool) -> float:
    """Return the size in base coin, negative where the taker sold."""
    size = row.amount / row.price if is_inverse else row.amount
    return size if row.direction == "buy" else -size


def _liquidations(market: str, seen: int, row: Trade, size: float) -> list[Event]:
    at, bought = row.timestamp * 1000, row.direction == "buy"
    events: list[Event] = []
    for flag in row.liquidation or "":
        side = "short" if bought == (flag == "T") else "long"
        events.append(Liquidation(market, at, seen, row.price, size, side))
    return events


def polls(symbols: Sequence[str]) -> list[Poll]:
    """Return the requests for instruments and the clock."""
    provides = channels(NAME, symbols, {"instruments": HOUR})
    listed = f"{_REST}get_instruments?currency=any&kind=future"
    return [
        # once a second at most, where others may be asked twenty times
        Poll("instruments", listed, every=HOUR, weight=20, channels=provides),
        Poll("clock", f"{_REST}get_time", every=MINUTE),
    ]


def past(symbol: str, since: int, until: int) -> list[Poll]:
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


def recent(symbol: str) -> list[Poll]:
    """Return the request for the latest trades."""
    asked = f"get_last_trades_by_instrument?instrument_name={symbol}&count=1000&sorting=desc"
    return [Poll(f"trades:{symbol}", _REST + asked)]


def _span(start: int, end: int) -> str:
    return f"{start // 1000}&end_timestamp={end // 1000 - 1}"
