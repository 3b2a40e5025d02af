"""Bybit v5 over REST: requests and the decoder of their answers.

Traps:
- Answers are newest first.
- ``openInterest`` counts both sides; ``singleOpenInterest`` (since 2026-06-11) is half of it.
- Inverse sizes are dollars. Bars give coins too, in `turnover`; open interest does not, so it
  is divided by the close of the bar that ended then: ask for bars first.
- Margin rates of ``risk-limit`` were percent and are now fractions; the leverage shows which.
- Funding histories do not include the interval, which Bybit changes.

Source: Bybit API docs, v5, market endpoints, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct, field

from powderkeg.events import HOUR, MINUTE, Event, OpenInterest, Ratio
from powderkeg.instruments import Instrument, Tier, TierTable
from powderkeg.venues import reader
from powderkeg.venues.base import (
    BIG,
    Amount,
    Bar,
    Channel,
    Millis,
    Poll,
    Positive,
    Price,
    Rate,
    Share,
    candles_from_rows,
    funding_events,
    time_chunks,
)
from powderkeg.venues.reader import PARTIAL, Make, Makers, decoder

Category: TypeAlias = Literal["linear", "inverse"]
Side: TypeAlias = Literal["Buy", "Sell"]

_REST = "https://api.bybit.com/v5/market/"
_STEP = 5 * MINUTE
"""Between two readings of past open interest."""
_CLOSES = 20_000
"""Closes kept for past open interest: 69 days."""
_Kline: TypeAlias = tuple[Millis, Price, Price, Price, Price, Amount, Amount]


class Trade(Struct, gc=False):
    """One print of the socket; REST answers use longer names."""

    at: Millis = field(name="T")
    side: Side = field(name="S")
    size: Positive = field(name="v")
    price: Price = field(name="p")
    id: str = field(name="i")
    block: bool = field(name="BT", default=False)


class _Recent(Struct, gc=False):
    at: Millis = field(name="time")
    side: Side
    size: Positive
    price: Price
    id: str = field(name="execId")
    block: bool = field(name="isBlockTrade", default=False)


class _Answer(Struct, rename="camel"):
    ret_code: int
    ret_msg: str = ""
    result: Raw = Raw()
    time: Millis = 0


class _Result(Struct, rename="camel"):
    list: Raw
    next_page_cursor: str | None = None


class _Step(Struct, gc=False, rename="camel"):
    tick_size: Positive


class _Listed(Struct, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_coin: str
    price_filter: _Step
    funding_interval: Annotated[int, Meta(ge=0, le=10_000)] = 0
    """Minutes."""


class _Interest(Struct, gc=False, rename="camel"):
    timestamp: Millis
    open_interest: Amount
    single_open_interest: Amount | None = None


class _Funded(Struct, gc=False, rename="camel"):
    funding_rate: Rate
    funding_rate_timestamp: Millis


class _Accounts(Struct, gc=False, rename="camel"):
    buy_ratio: Share
    timestamp: Millis


class _Limit(Struct, gc=False, rename="camel"):
    risk_limit_value: Positive
    maintenance_margin: Positive
    initial_margin: Positive
    max_leverage: Positive
    mm_deduction: str = ""


_answer: msgspec.json.Decoder[_Answer] = msgspec.json.Decoder(_Answer, strict=False)
_result: msgspec.json.Decoder[_Result] = msgspec.json.Decoder(_Result)


class RestDecoder(reader.RestDecoder):
    """Decodes the REST answers of one category.

    Args:
        name: First half of the market ids.
        category: Which markets were asked for.
        prints: What to do with the latest trades.
    """

    __slots__ = ("_closes", "category")
    STATE_FIELDS = ("_closes", "instruments", "intervals", "tiers")

    def __init__(self, name: str, category: Category, prints: Make) -> None:
        self.category = category
        self._closes: dict[str, dict[int, float]] = {}
        asked: Makers = {
            "instruments": (self._rows(_Listed), self._list),
            "tiers": (decoder(list[_Limit]), self._table),
            "ratio": (self._rows(_Accounts), self._ratio),
            "candles": (self._rows(_Kline), self._candles),
            "interest": (self._rows(_Interest), self._interest),
            "funding": (self._rows(_Funded), self._funding),
            "trades": (self._rows(_Recent), prints),
        }
        super().__init__(name, asked)

    def read(self, raw: bytes, seen: int, channel: str) -> list[Event]:
        """Return what an answer says; a refusal is a `Link`."""
        answer = _answer.decode(raw)
        if answer.ret_code:
            return self._refused(answer.ret_msg, seen)
        if channel == "clock":
            self.server_time = answer.time * 1000
            return []
        rows, kind = answer.result, channel.partition(":")[0]
        if kind in self._asked:
            result = _result.decode(rows)
            rows = result.list
            if kind == "instruments" and result.next_page_cursor:
                self._skip(PARTIAL)
        return self._answer(channel, rows, seen)

    def _list(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        wanted = "LinearPerpetual" if self.category == "linear" else "InversePerpetual"
        listed = [row for row in rows if (row.contract_type, row.status) == (wanted, "Trading")]
        self._skip("instrument that is no trading perpetual", len(rows) - len(listed))
        linear = self.category == "linear"
        self.instruments.clear()
        self.instruments |= {
            row.symbol: Instrument(
                f"{self.name}:{row.symbol}", row.base_coin, self.name, "perpetual", linear, 1.0,
                row.price_filter.tick_size,
            )
            for row in listed
        }  # fmt: skip
        intervals = {row.symbol: row.funding_interval * MINUTE for row in listed}
        self.intervals |= {symbol: span for symbol, span in intervals.items() if span >= HOUR}
        return []

    def _table(self, symbol: str, rows: list[_Limit], seen: int) -> list[Event]:
        rows.sort(key=lambda row: row.risk_limit_value)
        tiers: list[Tier] = []
        floor = 0.0
        for row in rows:
            percent = row.initial_margin * row.max_leverage > 10  # 1 where both are fractions
            rate = row.maintenance_margin / (100 if percent else 1)
            deduction = float(row.mm_deduction or 0)
            if not (rate < 1 and 0 <= deduction < BIG):
                raise ValueError(f"expected a margin rate below 1 and a deduction, found {row}")
            tiers.append(Tier(floor, row.risk_limit_value, row.max_leverage, rate, deduction))
            floor = row.risk_limit_value
        if tiers:
            source = "Bybit v5 risk-limit answer"
            self.tiers[symbol] = TierTable(self.name, symbol, source, seen, tuple(tiers))
        return []

    def _ratio(self, symbol: str, rows: list[_Accounts], seen: int) -> list[Event]:
        market = f"{self.name}:{symbol}"
        return [
            Ratio(market, row.timestamp * 1000, seen, "accounts", row.buy_ratio)
            for row in reversed(rows)
        ]

    def _candles(self, symbol: str, rows: list[_Kline], seen: int) -> list[Event]:
        column = 5 if self.category == "linear" else 6
        bars: list[Bar] = [(row[0] * 1000, *row[1:5], row[column], row[column] / 2) for row in rows]
        if self.category == "inverse":
            closes = self._closes.setdefault(symbol, {})
            ends = [(bar[0] + MINUTE, bar[4]) for bar in reversed(bars)]
            closes |= {end: close for end, close in ends if end % _STEP == 0}
            for end in list(closes)[: max(0, len(closes) - _CLOSES)]:
                del closes[end]
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _interest(self, symbol: str, rows: list[_Interest], seen: int) -> list[Event]:
        closes, out = self._closes.get(symbol, {}), list[Event]()
        for row in reversed(rows):
            single, at = row.single_open_interest, row.timestamp * 1000
            size = row.open_interest / 2 if single is None else single
            if self.category == "inverse":
                if at not in closes:
                    self._skip("past open interest in dollars without a price")
                    continue
                size /= closes[at]
            out.append(OpenInterest(f"{self.name}:{symbol}", at, seen, size))
        return out

    def _funding(self, symbol: str, rows: list[_Funded], seen: int) -> list[Event]:
        payments = [(row.funding_rate_timestamp * 1000, row.funding_rate) for row in rows]
        return funding_events(f"{self.name}:{symbol}", seen, payments, self.interval(symbol))


def polls(name: str, category: Category, symbols: Sequence[str]) -> list[Poll]:
    """Return the repeated requests: instruments, clock, tiers and ratio of each symbol."""
    listed = tuple(Channel(f"{name}:{each}", "instruments", HOUR) for each in symbols)
    asked = [
        Poll("instruments", _url(category, "instruments-info", "limit=1000"), every=HOUR,
             channels=listed),
        Poll("clock", f"{_REST}time", every=MINUTE, channels=(Channel(name, "clock", MINUTE),)),
    ]  # fmt: skip
    for each in symbols:
        ratio_channels = (Channel(f"{name}:{each}", "ratio", 10 * MINUTE),)
        tiers = _url(category, "risk-limit", f"symbol={each}")
        ratio = _url(category, "account-ratio", f"symbol={each}&period=5min&limit=1")
        asked.append(Poll(f"tiers:{each}", tiers, every=HOUR))
        asked.append(Poll(f"ratio:{each}", ratio, every=5 * MINUTE, channels=ratio_channels))
    return asked


def past(category: Category, symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for minute bars, then open interest, then funding; oldest first."""
    asked: list[Poll] = []
    for start, end in time_chunks(since, until, MINUTE, 1000):
        # the end is inclusive
        span = f"interval=1&start={start // 1000}&end={end // 1000 - 1}&limit=1000"
        asked.append(Poll(f"candles:{symbol}", _url(category, "kline", f"symbol={symbol}&{span}")))
    for kind, path, step, span in (
        ("interest", "open-interest", _STEP, "intervalTime=5min&"),
        ("funding", "funding/history", HOUR, ""),
    ):
        for start, end in time_chunks(since, until, step, 200):
            span_ = f"{span}startTime={start // 1000}&endTime={end // 1000 - 1}&limit=200"
            asked.append(Poll(f"{kind}:{symbol}", _url(category, path, f"symbol={symbol}&{span_}")))
    return asked


def recent(category: Category, symbol: str) -> Poll:
    """Return the request for the latest thousand trades."""
    return Poll(f"trades:{symbol}", _url(category, "recent-trade", f"symbol={symbol}&limit=1000"))


def _url(category: Category, path: str, asked: str) -> str:
    return f"{_REST}{path}?category={category}&{asked}"
