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
    Share,
    candles_from_rows,
    channels,
    funding_events,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import PARTIAL, Makers, RefusalError, VenueState, decoder

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
_ROWS = ("tiers", "ratio", "candles", "interest", "funding", "trades")
"""Answers of which only the list is read."""


class State(VenueState):
    """State of one category.

    Args:
        category: Which socket and answers the frames come from.
    """

    __slots__ = ("category", "closes", "depths", "ids", "index", "liquidated", "mark")
    STATE_FIELDS = ("_liquidated", "_depths", "_ids", "_index", "_mark")
    ANSWER_FIELDS = ("_closes", "instruments", "intervals", "tiers")

    def __init__(self, category: Category) -> None:
        super().__init__("bybit" if category == "linear" else "bybit-inverse")
        self.category: Category = category
        self.ids: dict[str, Deduplicator] = {}
        self.liquidated = Deduplicator()
        self.depths: dict[str, str] = {}
        self.mark: dict[str, float] = {}
        self.index: dict[str, float] = {}
        self.closes: dict[str, dict[int, float]] = {}


def unwrap(raw: bytes, kind: str) -> bytes | Raw:
    """Return the rows of an answer, or what holds more than rows.

    Raises:
        RefusalError: It is a refusal.
    """
    answer = _answer.decode(raw)
    if answer.ret_code:
        raise RefusalError(answer.ret_msg)
    if kind == "clock":
        return raw
    return _result.decode(answer.result).list if kind in _ROWS else answer.result


class RestDecoder:
    """Decodes the REST answers of one category, and trades from wherever they come."""

    __slots__ = ("_listed", "_skip", "answers", "name", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self._listed = state.rows(_Listed)
        self.answers: Makers = {
            "clock": (_answer, self._clock),
            "instruments": (_result, self._list),
            "tiers": (decoder(list[_Limit]), self._table),
            "ratio": (state.rows(_Accounts), self._ratio),
            "candles": (state.rows(_Kline), self._candles),
            "interest": (state.rows(_Interest), self._interest),
            "funding": (state.rows(_Funded), self._funding),
            "trades": (state.rows(_Recent), self.trades),
        }

    def trades(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        """Return the prints that are new and were made in the book."""
        ids = self.state.ids.setdefault(symbol, Deduplicator())
        fresh = ids.is_new([row.id for row in rows])
        tape = [row for row, new in zip(rows, fresh, strict=True) if new and not row.block]
        if len(tape) < len(rows):
            self._skip("duplicate trade", fresh.count(False))
            self._skip("block trade", fresh.count(True) - len(tape))
        prints: list[Print]
        if self.state.category == "linear":
            prints = [
                (row.at * 1000, row.price, row.size if row.side == "Buy" else -row.size)
                for row in tape
            ]
        else:
            prints = [
                (row.at * 1000, row.price, (1 if row.side == "Buy" else -1) * row.size / row.price)
                for row in tape
            ]
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def _clock(self, _: str, answer: _Answer, __: int) -> list[Event]:
        self.state.server_time = answer.time * 1000
        return []

    def _list(self, _: str, result: _Result, __: int) -> list[Event]:
        if result.next_page_cursor:
            self._skip(PARTIAL)
        linear = self.state.category == "linear"
        wanted = "LinearPerpetual" if linear else "InversePerpetual"
        rows: list[_Listed] = self._listed.decode(result.list)
        listed = [row for row in rows if (row.contract_type, row.status) == (wanted, "Trading")]
        self._skip("instrument that is no trading perpetual", len(rows) - len(listed))
        self.state.instruments = {
            row.symbol: Instrument(
                f"{self.name}:{row.symbol}", row.base_coin, self.name, "perpetual", linear, 1.0,
                row.price_filter.tick_size,
            )
            for row in listed
        }  # fmt: skip
        intervals = {row.symbol: row.funding_interval * MINUTE for row in listed}
        self.state.intervals |= {symbol: span for symbol, span in intervals.items() if span >= HOUR}
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
            self.state.tiers[symbol] = TierTable(self.name, symbol, source, seen, tuple(tiers))
        return []

    def _ratio(self, symbol: str, rows: list[_Accounts], seen: int) -> list[Event]:
        market = f"{self.name}:{symbol}"
        return [
            Ratio(market, row.timestamp * 1000, seen, "accounts", row.buy_ratio)
            for row in reversed(rows)
        ]

    def _candles(self, symbol: str, rows: list[_Kline], seen: int) -> list[Event]:
        column = 5 if self.state.category == "linear" else 6
        bars: list[Bar] = [(row[0] * 1000, *row[1:5], row[column], row[column] / 2) for row in rows]
        if self.state.category == "inverse":
            closes = self.state.closes.setdefault(symbol, {})
            ends = [(bar[0] + MINUTE, bar[4]) for bar in reversed(bars)]
            closes |= {end: close for end, close in ends if end % _STEP == 0}
            for end in list(closes)[: max(0, len(closes) - _CLOSES)]:
                del closes[end]
        return candles_from_rows(f"{self.name}:{symbol}", seen, MINUTE, bars, self._skip)

    def _interest(self, symbol: str, rows: list[_Interest], seen: int) -> list[Event]:
        closes, out = self.state.closes.get(symbol, {}), list[Event]()
        for row in reversed(rows):
            single, at = row.single_open_interest, row.timestamp * 1000
            size = row.open_interest / 2 if single is None else single
            if self.state.category == "inverse":
                if at not in closes:
                    self._skip("past open interest in dollars without a price")
                    continue
                size /= closes[at]
            out.append(OpenInterest(f"{self.name}:{symbol}", at, seen, size))
        return out

    def _funding(self, symbol: str, rows: list[_Funded], seen: int) -> list[Event]:
        payments = [(row.funding_rate_timestamp * 1000, row.funding_rate) for row in rows]
        return funding_events(f"{self.name}:{symbol}", seen, payments, self.state.interval(symbol))


def polls(name: str, category: Category, symbols: Sequence[str]) -> list[Poll]:
    """Return the repeated requests: instruments, clock, tiers and ratio of each symbol."""
    listed = channels(name, symbols, {"instruments": HOUR})
    asked = [
        Poll("instruments", _url(category, "instruments-info", "limit=1000"), every=HOUR,
             channels=listed),
        Poll("clock", f"{_REST}time", every=MINUTE, channels=(Channel(name, "clock", MINUTE),)),
    ]  # fmt: skip
    for each in symbols:
        ratio_channels = channels(name, [each], {"ratio": 10 * MINUTE})
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


def recent(category: Category, symbol: str) -> list[Poll]:
    """Return the request for the latest thousand trades."""
    return [Poll(f"trades:{symbol}", _url(category, "recent-trade", f"symbol={symbol}&limit=1000"))]


def _url(category: Category, path: str, asked: str) -> str:
    return f"{_REST}{path}?category={category}&{asked}"
