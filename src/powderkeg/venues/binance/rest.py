"""Binance: decoders of REST answers.

Traps:
- Answers seldom name their symbol, and those of COIN-M statistics name the pair.
- COIN-M candles: ``volume`` and taker buys (columns 5 and 9) are contracts; the coins are in
  columns 7 and 10, where USD-M has dollars.
- COIN-M open interest is contracts, so it needs a price; its history gives the coins as "value".
- ``fundingInfo`` lists only symbols whose interval or cap was changed; all others pay every 8 h.
- Of an aggregate, `f` and `l` are the first and last trade in it. Transfers of the insurance fund
  and ADL have such numbers too, but are in no aggregate: trades are lost only where the number of
  the aggregate jumps as well.

Source: Binance USD-M, COIN-M and spot API docs, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import HOUR, BookSnapshot, Event, Gap, OpenInterest, Ratio
from powderkeg.instruments import Instrument
from powderkeg.venues.base import (
    Amount,
    Millis,
    Positive,
    Print,
    Rate,
    Share,
    Update,
    candles_from_rows,
    funding_events,
    trades_from_rows,
)
from powderkeg.venues.binance.state import SYMBOL, Known, Levels, State
from powderkeg.venues.reader import Makers, RefusalError, Rows, count, decoder, of_each

Skipped: TypeAlias = dict[str, int]
"""What was left out, by reason."""
DUPLICATE = "duplicate trade"
_Row: TypeAlias = tuple[
    Millis, Positive, Positive, Positive, Positive, Amount, Millis, Amount, int, Amount, Amount, str
]


class Aggregate(Struct, gc=False):
    """A run of trades of one taker at one price."""

    p: Positive
    q: Positive
    T: Millis
    m: bool
    """The buyer was the maker, so a seller took."""
    s: str = ""
    a: int = -1
    f: int = -1
    l: int = -1  # noqa: E741  # theirs
    st: int = 0


class Interest(Struct, gc=False):
    """Current open interest: coins, or contracts on COIN-M."""

    size: Amount = msgspec.field(name="openInterest")
    symbol: str = ""
    time: Millis = 0
    """ms; 0 where absent."""


class Depth(Struct, kw_only=True):
    """A whole book."""

    update: Update = msgspec.field(name="lastUpdateId")
    bids: Levels
    asks: Levels
    symbol: str = ""
    E: Millis = 0
    T: Millis = 0
    """ms; 0 on spot, which sends no time."""


class _Error(Struct):
    code: int = 0
    msg: str = ""


class _FrameError(_Error):
    error: _Error | None = None


class _History(Struct, gc=False, rename="camel"):
    sum_open_interest: Amount
    sum_open_interest_value: Amount
    timestamp: Millis


class _Funding(Struct, gc=False, rename="camel"):
    funding_rate: Rate
    funding_time: Millis


class _Ratio(Struct, gc=False, rename="camel"):
    long_account: Share
    timestamp: Millis


class _Interval(Struct, rename="camel"):
    symbol: str
    funding_interval_hours: Annotated[int, Meta(ge=1, le=24)] = 8


class _Filter(Struct, rename="camel"):
    filter_type: str = ""
    tick_size: Amount = 0.0


class _Listed(Struct, rename="camel"):
    symbol: str
    base_asset: str
    filters: list[_Filter]
    contract_type: str = ""
    underlying_type: str = "COIN"
    status: str = ""
    contract_status: str = ""
    contract_size: Amount = 0.0


class _Exchange(Struct):
    symbols: Raw


class _Clock(Struct, rename="camel"):
    server_time: Millis


INTEREST = decoder(Interest)
DEPTH = decoder(Depth)
_exchange = decoder(_Exchange)
_refused = msgspec.json.Decoder(_FrameError)
_clock = msgspec.json.Decoder(_Clock)
_raw = msgspec.json.Decoder(Raw)


def _rows(raw: bytes | Raw, row: object, skipped: Skipped) -> list[Any]:
    """Return the rows of an answer; count in `skipped` those that cannot be read."""
    return Rows(row, partial(count, skipped)).decode(raw)


def bars(raw: bytes | Raw, seen: int, known: Known, skipped: Skipped) -> list[Event]:
    """Return the candles of ``klines``."""
    rows: list[_Row] = _rows(raw, _Row, skipped)
    spans = {row[6] - row[0] + 1 for row in rows} or {60_000}
    if len(spans) > 1 or min(spans) <= 0:
        raise ValueError(f"expected bars of one length, found {sorted(spans)[:9]} ms")
    volume, buy = (7, 10) if known.contract_value else (5, 9)
    candles = ((row[0] * 1000, *row[1:5], float(row[volume]), float(row[buy])) for row in rows)
    return candles_from_rows(
        known.market, seen, spans.pop() * 1000, candles, partial(count, skipped)
    )


def unwrap(raw: bytes, _: str = "") -> bytes:
    """Return a socket or REST message as it is.

    Raises:
        RefusalError: It is a refusal.
    """
    if raw.lstrip()[:1] == b"{":
        message = _refused.decode(raw)
        error = message.error or message
        if error.msg:
            raise RefusalError(f"{error.code} {error.msg}")
    return raw


def interests(raw: bytes | Raw, seen: int, known: Known, skipped: Skipped) -> list[Event]:
    """Return the open interest of ``openInterestHist``."""
    return [
        OpenInterest(
            known.market,
            row.timestamp * 1000,
            seen,
            row.sum_open_interest_value if known.contract_value else row.sum_open_interest,
        )
        for row in _rows(raw, _History, skipped)
    ]


def fundings(raw: bytes | Raw, seen: int, known: Known, skipped: Skipped) -> list[Event]:
    """Return the rates of ``fundingRate``, each for the time since the payment before it."""
    fundings_: list[_Funding] = _rows(raw, _Funding, skipped)
    rows = [(row.funding_time * 1000, row.funding_rate) for row in fundings_]
    return funding_events(known.market, seen, rows, known.interval)


def ratios(raw: bytes | Raw, seen: int, known: Known, skipped: Skipped) -> list[Event]:
    """Return the share of accounts that are long."""
    return [
        Ratio(known.market, row.timestamp * 1000, seen, "accounts", row.long_account)
        for row in _rows(raw, _Ratio, skipped)
    ]


def intervals(raw: bytes | Raw, skipped: Skipped) -> dict[str, int]:
    """Return the time between payments of funding by symbol, µs."""
    rows: list[_Interval] = _rows(raw, _Interval, skipped)
    # some names are not in Latin letters; we never request them
    return {
        row.symbol: row.funding_interval_hours * HOUR
        for row in rows
        if SYMBOL.fullmatch(row.symbol)
    }


def instruments(raw: bytes | Raw, name: str, skipped: Skipped) -> dict[str, Instrument]:
    """Return the perpetuals on coins, or the pairs of spot, that are open for trade."""
    listed: list[_Listed] = _rows(_exchange.decode(raw).symbols, _Listed, skipped)
    trading = [row for row in listed if _open(row)]
    found = of_each(trading, lambda row: [_instrument(row, name)], partial(count, skipped))
    return {row.market.partition(":")[2]: row for row in found}


def _open(row: _Listed) -> bool:
    # shares and commodities are traded as TRADIFI_PERPETUAL, or have another underlying
    crypto = row.contract_type in {"PERPETUAL", ""} and row.underlying_type == "COIN"
    return crypto and "TRADING" in {row.status, row.contract_status}


def _instrument(row: _Listed, name: str) -> Instrument:
    ticks = [each.tick_size for each in row.filters if each.filter_type == "PRICE_FILTER"]
    if not ticks:
        raise ValueError(f"expected a PRICE_FILTER of {row.symbol[:40]}")
    kind = "perpetual" if row.contract_type else "spot"
    linear = name != "binance-coin"
    contract = 1.0 if linear else row.contract_size
    if not contract:
        raise ValueError(f"expected the dollars in a contract of {row.symbol[:40]}")
    market = f"{name}:{row.symbol}"
    return Instrument(market, row.base_asset, name, kind, linear, contract, ticks[0])


def check_sequence(row: Aggregate, seen: int, known: Known) -> tuple[Gap | None, str]:
    """Find missing trades before an aggregate, and duplicates.

    Returns:
        A gap where trades before it are missing, and the reason to count: `DUPLICATE` where it
        was received before.
    """
    if row.a < 0:  # the oldest recordings do not number
        return None, ""
    jumped = known.chain.take(row.a)
    if jumped < 0:
        return None, DUPLICATE
    last, since, at = known.last, known.at, row.T * 1000
    if row.l <= last:  # history that arrived after the stream began
        return None, ""
    known.last, known.at = row.l, at
    missing = row.f - last - 1
    if last < 0 or missing <= 0:
        return None, ""
    if not jumped:
        return None, "not of the market: a number in no aggregate"
    why = f"{missing} trades missing before trade {row.f}"
    return Gap(known.market, at, seen, since, why), ""


def trades(raw: bytes | Raw, seen: int, known: Known, skipped: Skipped) -> list[Event]:
    """Return the prints of ``aggTrades`` that are new; count in `skipped` what is not."""
    gaps: list[Event] = []
    rows: list[Print] = []
    for row in _rows(raw, Aggregate, skipped):
        gap, skip = check_sequence(row, seen, known)
        if gap:
            gaps.append(gap)
        if skip:
            skipped[skip] = skipped.get(skip, 0) + 1
        if skip != DUPLICATE:
            size = known.size(row.q, row.p)
            rows.append((row.T * 1000, row.p, -size if row.m else size))
    return gaps + trades_from_rows(known.market, seen, rows)


_Past: TypeAlias = Callable[[bytes | Raw, int, Known, Skipped], list[Event]]
PAST: dict[str, _Past] = {
    "candles": bars,
    "interest": interests,
    "funding": fundings,
    "ratio": ratios,
    "trades": trades,
}
"""Readers of answers about one symbol, by the first half of the channel."""


class RestDecoder:
    """Decodes the REST answers of one kind of market."""

    __slots__ = ("answers", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.answers: Makers = {
            "clock": (_clock, self._clock),
            "instruments": (_raw, self._instruments),
            "fundingInfo": (_raw, self._intervals),
            "depth": (DEPTH, self.book),
            "openInterest": (INTEREST, self.interest),
        } | {kind: (_raw, partial(self._past, read)) for kind, read in PAST.items()}

    def book(self, symbol: str, row: Depth, seen: int) -> list[Event]:
        """Return a whole book."""
        symbol = symbol or row.symbol or self.state.symbol
        if not symbol:
            raise ValueError("expected a depth snapshot with a symbol, or a reader made for one")
        known, at = self.state.of(symbol), (row.T or row.E) * 1000 or seen
        bids, asks = known.levels(row.bids), known.levels(row.asks)
        return [BookSnapshot(known.market, at, seen, bids, asks, row.update)]

    def interest(self, symbol: str, row: Interest, seen: int) -> list[Event]:
        """Return the current open interest."""
        known = self.state.of(symbol or row.symbol)
        if known.contract_value and not known.mark:
            return self.state.skip("open interest in contracts before any mark")
        size = known.size(row.size, known.mark)
        return [OpenInterest(known.market, row.time * 1000 or seen, seen, size)]

    def _clock(self, _: str, clock: _Clock, __: int) -> list[Event]:
        self.state.server_time = clock.server_time * 1000
        return []

    def _instruments(self, _: str, raw: Raw, __: int) -> list[Event]:
        state = self.state
        state.instruments = instruments(raw, state.name, state.skipped)
        for each in state.instruments if state.name == "binance-coin" else ():
            state.of(each).contract_value = state.instruments[each].contract
        return []

    def _intervals(self, _: str, raw: Raw, __: int) -> list[Event]:
        for each, interval in intervals(raw, self.state.skipped).items():
            self.state.of(each).interval = interval
        return []

    def _past(self, read: _Past, symbol: str, raw: Raw, seen: int) -> list[Event]:
        return read(raw, seen, self.state.of(symbol), self.state.skipped)
