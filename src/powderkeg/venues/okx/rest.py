"""OKX v5 over REST: requests, the decoder of their answers, and contract sizes.

Traps:
- Sizes are contracts of ``ctVal * ctMult``: 0.01 BTC, 0.1 ETH, 1,000 DOGE, or 100 dollars of
  BTC-USD. Ignoring it is wrong by a factor of a hundred.
- Answers are newest first. `after` and `before` both exclude, and *after* a time are older rows.
- Bars do not include their length; ours are of one or five minutes, as their distance shows.
- The history of open interest is 1,440 readings of five minutes, and that of funding 400 payments.
- ``long-short-account-ratio`` is longs per short, not a share, and is of a coin, not of a market.
- Margin tiers are in contracts and have no deductions: the rate of a tier is on the whole position.

Source: OKX API docs, v5, "Public data" and "Trading statistics", read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from powderkeg.events import DAY, HOUR, MINUTE, Event, OpenInterest, Ratio
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
    Update,
    candles_from_rows,
    channels,
    funding_events,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.reader import Makers, VenueState, decoder

NAME = "okx"
_REST = "https://www.okx.com/api/v5/"
_FINE = 4 * DAY
"""Older bars are asked for by five minutes: 20 requests in 2 s is not much."""
_OLDEST = 1440 * 5 * MINUTE
_Kline: TypeAlias = tuple[
    Millis, Price, Price, Price, Price, Amount, Amount, Amount, Literal["0", "1"]
]


class Trade(Struct, gc=False, rename="camel"):
    """One print, of the socket or of an answer."""

    trade_id: Update
    px: Price
    sz: Positive
    side: Literal["buy", "sell"]
    ts: Millis


class _Clock(Struct):
    ts: Millis


class _Listed(Struct, rename="camel"):
    """Numbers as text: an instrument not yet trading has empty ones."""

    inst_id: str
    state: str
    ct_type: str = ""
    ct_val: str = ""
    ct_mult: str = ""
    ct_val_ccy: str = ""
    tick_sz: str = ""


class _Tier(Struct, gc=False, rename="camel"):
    max_sz: Positive
    mmr: Annotated[float, Meta(ge=0, lt=1)]
    max_lever: Positive


class _Interest(Struct, gc=False, array_like=True):
    ts: Millis
    contracts: Amount
    coins: Amount


class _Funded(Struct, gc=False, rename="camel"):
    funding_rate: Rate
    funding_time: Millis


class _Accounts(Struct, gc=False, array_like=True):
    ts: Millis
    longs: Amount
    """Accounts that are long, per account that is short."""


class State(VenueState):
    """State of OKX."""

    __slots__ = ("chains", "index", "liquidated", "marks", "newest", "ratios", "steps")
    STATE_FIELDS = ("_chains", "_liquidated", "_index", "_newest")
    ANSWER_FIELDS = ("_ratios", "_steps", "instruments", "intervals", "marks", "tiers")

    def __init__(self) -> None:
        super().__init__(NAME)
        self.newest: dict[str, int] = {}
        """Trade id by symbol."""
        self.chains: dict[str, tuple[int, int]] = {}
        """By symbol, the id of the last change of the book, and what is added to those after it."""
        self.index: dict[str, float] = {}
        """By family."""
        self.liquidated = Deduplicator()
        self.marks: dict[str, float] = {}
        self.ratios: dict[str, int] = {}
        self.steps: dict[str, tuple[list[tuple[float, float, float]], int]] = {}
        """Tiers that wait for a contract size or a mark: contracts at most, leverage, rate."""

    def contract(self, symbol: str) -> Instrument:
        """Return how much one contract of a symbol is.

        Raises:
            ValueError: It is not known yet.
        """
        found = self.instruments.get(symbol)
        if found is None:
            raise ValueError(f"expected the contract size of {symbol} before its sizes")
        return found


class RestDecoder:
    """Decodes the REST answers, and trades from wherever they come."""

    __slots__ = ("_skip", "answers", "name", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self.answers: Makers = {
            "clock": (decoder(tuple[_Clock]), self._clock),
            "instruments": (state.rows(_Listed), self._list),
            "tiers": (decoder(list[_Tier]), self._keep),
            "ratio": (state.rows(_Accounts), self._ratio),
            "candles": (state.rows(_Kline), self._candles),
            "interest": (state.rows(_Interest), self._interest),
            "funding": (state.rows(_Funded), self._funding),
            "trades": (state.rows(Trade), self.trades),
        }

    def trades(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        """Return the prints that are newer than the newest known."""
        found, newest = self.state.contract(symbol), self.state.newest.get(symbol, -1)
        new = sorted([row for row in rows if row.trade_id > newest], key=lambda row: row.trade_id)
        self._skip("duplicate trade", len(rows) - len(new))
        if new:
            self.state.newest[symbol] = new[-1].trade_id
        prints: list[Print] = []
        for row in new:
            contracts = row.sz if row.side == "buy" else -row.sz
            prints.append((row.ts * 1000, row.px, coins(found, contracts, row.px)))
        return trades_from_rows(f"{self.name}:{symbol}", seen, prints)

    def mark(self, symbol: str, price: float) -> None:
        """Take the price that turns tiers in contracts into notionals."""
        self.state.marks[symbol] = price
        if symbol in self.state.steps:
            self._table(symbol)

    def _clock(self, _: str, rows: tuple[_Clock], __: int) -> list[Event]:
        self.state.server_time = rows[0].ts * 1000
        return []

    def _list(self, _: str, rows: list[_Listed], __: int) -> list[Event]:
        instruments = [instrument for row in rows if (instrument := self._instrument(row))]
        self._skip("instrument that is no live swap of a known size", len(rows) - len(instruments))
        self.state.instruments = {each.market.partition(":")[2]: each for each in instruments}
        return []

    def _instrument(self, row: _Listed) -> Instrument | None:
        coin, linear = row.inst_id.partition("-")[0], row.ct_type == "linear"
        if row.state != "live" or row.ct_type not in {"linear", "inverse"}:
            return None
        if linear and row.ct_val_ccy != coin:
            return None
        contract, tick = _size(row.ct_val) * _size(row.ct_mult), _size(row.tick_sz)
        market = f"{self.name}:{row.inst_id}"
        return Instrument(market, coin, self.name, "perpetual", linear, contract, tick)

    def _keep(self, symbol: str, rows: list[_Tier], seen: int) -> list[Event]:
        if rows:
            tiers = sorted((row.max_sz, row.max_lever, row.mmr) for row in rows)
            self.state.steps[symbol] = tiers, seen
            self._table(symbol)
        return []

    def _table(self, symbol: str) -> None:
        """Turn kept tiers into notionals: quote currency at the mark, or coins where inverse."""
        if symbol not in self.state.instruments or symbol not in self.state.marks:
            return
        rows, seen = self.state.steps.pop(symbol)
        found, mark = self.state.instruments[symbol], self.state.marks[symbol]
        unit = found.contract * mark if found.linear else found.contract / mark
        caps = [contracts * unit for contracts, _, _ in rows]
        tiers = tuple(
            Tier(floor, cap, leverage, rate, 0.0)
            for floor, cap, (_, leverage, rate) in zip([0.0, *caps], caps, rows, strict=False)
        )
        self.state.tiers[symbol] = TierTable(
            self.name, symbol, "OKX v5 position-tiers", seen, tiers
        )

    def _ratio(self, symbol: str, rows: list[_Accounts], seen: int) -> list[Event]:
        """Return the new long shares; the answer repeats days of them."""
        last = self.state.ratios.get(symbol, -1)
        new = sorted((row.ts, row.longs) for row in rows if row.ts > last)
        if new:
            self.state.ratios[symbol] = new[-1][0]
        market = f"{self.name}:{symbol}"
        return [
            Ratio(market, ts * 1000, seen, "accounts", longs / (1 + longs)) for ts, longs in new
        ]

    def _candles(self, symbol: str, rows: list[_Kline], seen: int) -> list[Event]:
        bars: list[Bar] = [
            (row[0] * 1000, *row[1:5], row[6], row[6] / 2) for row in rows if row[8] == "1"
        ]
        starts = sorted({row[0] * 1000 for row in rows})
        span = min((after - before for before, after in pairwise(starts)), default=0)
        if span in {MINUTE, 5 * MINUTE}:
            return candles_from_rows(f"{self.name}:{symbol}", seen, span, bars, self._skip)
        if len(starts) > 1:
            raise ValueError(f"expected bars of one or five minutes, found {span} µs")
        self._skip("lone bar of unknown length", len(starts))
        return []

    def _interest(self, symbol: str, rows: list[_Interest], seen: int) -> list[Event]:
        market = f"{self.name}:{symbol}"
        readings = sorted((row.ts * 1000, row.coins) for row in rows)
        return [OpenInterest(market, at, seen, coins) for at, coins in readings]

    def _funding(self, symbol: str, rows: list[_Funded], seen: int) -> list[Event]:
        payments = [(row.funding_time * 1000, row.funding_rate) for row in rows]
        return funding_events(f"{self.name}:{symbol}", seen, payments, self.state.interval(symbol))


def coins(found: Instrument, contracts: float, price: float) -> float:
    """Return how much of the coin so many contracts are at a price."""
    return contracts * found.contract / (1.0 if found.linear else price)


def _size(text: str) -> float:
    value = float(text)
    if not 1e-12 < value < 1e12:
        raise ValueError(f"expected a contract or tick size, found {text[:24]!r}")
    return value


def polls(symbols: Sequence[str]) -> list[Poll]:
    """Return the repeated requests: instruments, clock, tiers and ratio of each symbol."""
    listed = channels(NAME, symbols, {"instruments": HOUR})
    clock = (Channel(NAME, "clock", MINUTE),)
    asked = [
        _poll("instruments", "public/instruments?instType=SWAP", HOUR, 1, listed),
        _poll("clock", "public/time", MINUTE, 2, clock),
    ]
    for each in symbols:
        family = each.removesuffix("-SWAP")
        tiers = f"public/position-tiers?instType=SWAP&tdMode=isolated&instFamily={family}"
        ratio = "rubik/stat/contracts/long-short-account-ratio"
        coin = f"ccy={family.partition('-')[0]}&period=5m"
        ratio_channels = channels(NAME, [each], {"ratio": 10 * MINUTE})
        asked.append(_poll(f"tiers:{each}", tiers, HOUR, 2))
        asked.append(_poll(f"ratio:{each}", f"{ratio}?{coin}", 5 * MINUTE, 4, ratio_channels))
    return asked


def past(symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for bars, open interest and funding; oldest first."""
    middle = min(until, max(since, -(-(until - _FINE) // (5 * MINUTE)) * 5 * MINUTE))
    asked: list[Poll] = []
    for bar, span, first, last in (
        ("5m", 5 * MINUTE, since, middle),
        ("1m", MINUTE, middle, until),
    ):
        for start, end in time_chunks(first, last, span, 300):
            times = f"after={end // 1000}&before={start // 1000 - 1}&limit=300"
            path = f"market/history-candles?instId={symbol}&bar={bar}&{times}"
            asked.append(_poll(f"candles:{symbol}", path))
    for start, end in time_chunks(max(since, until - _OLDEST), until, 5 * MINUTE, 100):
        times = f"begin={start // 1000}&end={end // 1000 - 1}&limit=100"
        path = f"rubik/stat/contracts/open-interest-history?instId={symbol}&period=5m&{times}"
        asked.append(_poll(f"interest:{symbol}", path, weight=2))
    path = f"public/funding-rate-history?instId={symbol}&limit=400"
    asked.append(_poll(f"funding:{symbol}", path, weight=2))
    return asked


def recent(symbol: str) -> list[Poll]:
    """Return the request for the latest five hundred trades."""
    return [_poll(f"trades:{symbol}", f"market/trades?instId={symbol}&limit=500")]


def _poll(
    channel: str, path: str, every: int = 0, weight: int = 1, provides: tuple[Channel, ...] = ()
) -> Poll:
    bucket = path.partition("?")[0]
    return Poll(channel, _REST + path, every=every, weight=weight, bucket=bucket, channels=provides)
