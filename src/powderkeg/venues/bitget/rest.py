"""Bitget V2 over REST: requests and the decoder of their answers.

Traps:
- Sides are spelled ``Buy`` or ``buy``.
- The tick is ``priceEndStep`` in the last of `pricePlace` decimals. A contract is one coin;
  ``sizeMultiplier`` is only the size step.
- Tiers are in dollars and have no deductions: the rate of a tier is on the whole position.
- There is no history of open interest. That of funding does not include the interval.

Source: Bitget API docs, V2 mix market endpoints, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from powderkeg.events import HOUR, MINUTE, Event, Ratio
from powderkeg.instruments import Instrument, Tier, TierTable
from powderkeg.venues.base import (
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
    Share,
    candles_from_rows,
    channels,
    funding_events,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import Makers, VenueState, decoder

Side: TypeAlias = Literal["buy", "sell", "Buy", "Sell"]
NAME = "bitget"
PRODUCT = "usdt-futures"
BUY = {"buy", "Buy"}

_REST = "https://api.bitget.com/api/v2/"
_TRADED = ("perpetual", "normal")
_Kline: TypeAlias = tuple[Millis, Price, Price, Price, Price, Amount, Amount]


class Trade(Struct, gc=False):
    """One print of the socket; REST answers use longer names."""

    id: str = field(name="i")
    price: Price = field(name="p")
    size: Positive = field(name="v")
    side: Side = field(name="S")
    at: Millis = field(name="T")


class _Recent(Struct, gc=False):
    id: str = field(name="tradeId")
    price: Price
    size: Positive
    side: Side
    at: Millis = field(name="ts")


class _Clock(Struct, rename="camel"):
    server_time: Millis


class _Listed(Struct, rename="camel"):
    symbol: str
    base_coin: str
    symbol_type: str
    symbol_status: str
    price_place: Annotated[int, Meta(ge=0, le=12)]
    price_end_step: Annotated[int, Meta(ge=1, le=1000)]
    fund_interval: str = ""
    """Hours."""


class _Step(Struct, rename="camel"):
    end_unit: Positive
    leverage: Positive
    keep_margin_rate: Annotated[float, Meta(ge=0, lt=1)]


class _Accounts(Struct, rename="camel"):
    long_account_ratio: Share
    ts: Millis


class _Funded(Struct, rename="camel"):
    funding_rate: Rate
    funding_time: Millis


class State(VenueState):
    """State of Bitget."""

    __slots__ = ("ids", "liquidated", "ratios")
    STATE_FIELDS = ("_liquidated", "_ids")
    ANSWER_FIELDS = ("_ratios", "instruments", "intervals", "tiers")

    def __init__(self) -> None:
        super().__init__(NAME)
        self.ids: dict[str, Deduplicator] = {}
        self.liquidated = Deduplicator()
        self.ratios: dict[str, int] = {}


class RestDecoder:
    """Decodes the REST answers, and trades from wherever they come."""

    __slots__ = ("_skip", "answers", "name", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self.answers: Makers = {
            "clock": (decoder(_Clock), self._clock),
            "instruments": (state.rows(_Listed), self._list),
            "tiers": (decoder(list[_Step]), self._table),
            "ratio": (state.rows(_Accounts), self._ratio),
            "candles": (state.rows(_Kline), self._candles),
            "funding": (state.rows(_Funded), self._funding),
            "trades": (state.rows(_Recent), self.trades),
        }

    def trades(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        """Return the prints that are new."""
        ids = self.state.ids.setdefault(symbol, Deduplicator())
        fresh = ids.is_new([row.id for row in rows])
        self._skip("duplicate trade", fresh.count(False))
        prints: list[Print] = [
            (row.at * 1000, row.price, row.size if row.side in BUY else -row.size)
            for row, new in zip(rows, fresh, strict=True)
            if new
        ]
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def _clock(self, _: str, clock: _Clock, __: int) -> list[Event]:
        self.state.server_time = clock.server_time * 1000
        return []

    def _list(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        listed = [row for row in rows if (row.symbol_type, row.symbol_status) == _TRADED]
        self._skip("instrument that is no trading perpetual", len(rows) - len(listed))
        self.state.instruments = {row.symbol: _instrument(row) for row in listed}
        self.state.intervals |= {
            row.symbol: int(row.fund_interval) * HOUR
            for row in listed
            if row.fund_interval in {"1", "2", "4", "8"}
        }
        return []

    def _table(self, symbol: str, rows: list[_Step], seen: int) -> list[Event]:
        rows.sort(key=lambda row: row.end_unit)
        floors = [0.0, *(row.end_unit for row in rows)]
        tiers = tuple(
            Tier(floor, row.end_unit, row.leverage, row.keep_margin_rate, 0.0)
            for floor, row in zip(floors, rows, strict=False)
        )
        if tiers:
            source = "Bitget V2 query-position-lever"
            self.state.tiers[symbol] = TierTable(self.name, symbol, source, seen, tiers)
        return []

    def _ratio(self, symbol: str, rows: list[_Accounts], seen: int) -> list[Event]:
        """Return the new long shares; the answer repeats hours of them."""
        last = self.state.ratios.get(symbol, -1)
        new = sorted((row.ts, row.long_account_ratio) for row in rows if row.ts > last)
        self.state.ratios[symbol] = new[-1][0] if new else last
        market = f"{self.name}:{symbol}"
        return [Ratio(market, ts * 1000, seen, "accounts", share) for ts, share in new]

    def _candles(self, symbol: str, rows: list[_Kline], seen: int) -> list[Event]:
        bars: list[Bar] = [(row[0] * 1000, *row[1:5], row[5], row[5] / 2) for row in rows]
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _funding(self, symbol: str, rows: list[_Funded], seen: int) -> list[Event]:
        payments = [(row.funding_time * 1000, row.funding_rate) for row in rows]
        return funding_events(f"{self.name}:{symbol}", seen, payments, self.state.interval(symbol))


def _instrument(row: _Listed) -> Instrument:
    market, tick = f"{NAME}:{row.symbol}", row.price_end_step / 10**row.price_place
    return Instrument(market, row.base_coin, NAME, "perpetual", True, 1.0, tick)


def polls(symbols: Sequence[str]) -> list[Poll]:
    """Return the requests for instruments, the clock, and tiers and ratio of each symbol."""
    listed = channels(NAME, symbols, {"instruments": HOUR})
    clock = (Channel(NAME, "clock", MINUTE),)
    url = f"{_REST}mix/market/contracts?productType={PRODUCT}"
    polls = [
        Poll("instruments", url, every=HOUR, channels=listed),
        Poll("clock", f"{_REST}public/time", every=MINUTE, channels=clock),
    ]
    for each in symbols:
        ratio_channels = channels(NAME, [each], {"ratio": 10 * MINUTE})
        tiers = _url("query-position-lever", each, f"productType={PRODUCT}")
        ratio = _url("account-long-short", each, "period=5m")
        polls.append(Poll(f"tiers:{each}", tiers, every=HOUR, weight=2))
        polls.append(
            Poll(
                f"ratio:{each}", ratio, every=5 * MINUTE, weight=20, channels=ratio_channels,
                bucket="account-long-short",  # one a second, beside what the others may ask
            )
        )  # fmt: skip
    return polls


def past(symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for minute bars, then funding; there is no open interest history."""
    polls: list[Poll] = []
    for start, end in time_chunks(since, until, MINUTE, 1000):
        span = f"startTime={start // 1000}&endTime={end // 1000 - 1}&limit=1000"
        asked = f"productType={PRODUCT}&granularity=1m&{span}"
        polls.append(Poll(f"candles:{symbol}", _url("candles", symbol, asked)))
    asked = f"productType={PRODUCT}&pageSize=100"
    polls.append(Poll(f"funding:{symbol}", _url("history-fund-rate", symbol, asked)))
    return polls


def recent(symbol: str) -> list[Poll]:
    """Return the request for the latest hundred trades."""
    asked = f"productType={PRODUCT}&limit=100"
    return [Poll(f"trades:{symbol}", _url("fills", symbol, asked), weight=2)]


def _url(path: str, symbol: str, asked: str) -> str:
    return f"{_REST}mix/market/{path}?symbol={symbol}&{asked}"
