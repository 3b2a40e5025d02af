"""Hyperliquid over its one REST URL: requests, the decoder of their answers, and trades.

Traps:
- ``recentTrades`` is history, and so is the first `trades` message after subscribing. They are used
  as far as they are new: rows older than the newest known trade of the coin, and rows whose `tid`
  was read before, are left out. So a reconnect fills its own gap as far as that history reaches.
- `tid` is unique but not sequential, and nothing else numbers trades: gaps cannot be detected.
- ``side`` is the taker's: B bought, A sold. `users` (buyer, seller) are public addresses and may
  be absent; we do not read them.
- There is no history of open interest, and no server time.
- Of each candle interval only the newest 5,000 bars exist, so an older past has coarser bars.
- Builder-deployed exchanges exist beside Hyperliquid's own: their coins are named ``xyz:TSLA``, and
  each has a `meta` of its own.
- Low-priced coins are traded by the thousand, as ``kPEPE``.
- ``meta`` gives leverage, not margin: maintenance is half the initial margin at the greatest
  leverage of the tier.

Source: Hyperliquid docs, "Info endpoint", "Rate limits" and "Margin tiers", read 2026-11;
docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import DAY, HOUR, MINUTE, Event, Funding
from powderkeg.instruments import Instrument, Tier, TierTable
from powderkeg.venues.base import (
    Amount,
    Deduplicator,
    Millis,
    Poll,
    Positive,
    Print,
    Rate,
    Update,
    candles_from_rows,
    channels,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.hyperliquid import accounts
from powderkeg.venues.reader import Makers, VenueState, decoder, of_each

NAME = "hyperliquid"
INFO = "https://api.hyperliquid.xyz/info"
Coin = Annotated[str, Meta(min_length=1, max_length=40)]
_BARS = 5_000
_QUARTER = 15 * MINUTE
_INTERVALS = (("15m", _QUARTER), ("5m", 5 * MINUTE), ("1m", MINUTE))
"""The 5,000 newest of each reach 52, 17 and 3 days back."""


class Trade(Struct, gc=False):
    """One print, of the socket or of an answer."""

    coin: Coin
    side: Literal["A", "B"]
    px: Positive
    sz: Positive
    time: Millis
    tid: Update


class _Candle(Struct, gc=False):
    t: Millis
    T: Millis
    o: Positive
    h: Positive
    l: Positive  # noqa: E741  # theirs
    c: Positive
    v: Amount


class _Funding(Struct, gc=False, rename="camel"):
    coin: Coin
    funding_rate: Rate
    time: Millis


_Row = TypeVar("_Row", Trade, _Funding)


class _Step(Struct, gc=False, rename="camel"):
    lower_bound: Amount
    max_leverage: Annotated[float, Meta(ge=1, le=1000)]


class _Table(Struct, rename="camel"):
    margin_tiers: list[_Step]


class _Perpetual(Struct, rename="camel"):
    name: Coin
    sz_decimals: Annotated[int, Meta(ge=0, le=6)]
    max_leverage: Annotated[float, Meta(ge=1, le=1000)]
    is_delisted: bool | None = None
    margin_table_id: int = -1


class _Meta(Struct, rename="camel"):
    universe: Raw
    margin_tables: list[tuple[int, _Table]] = []


_encode = msgspec.json.encode


class State(VenueState):
    """State of Hyperliquid."""

    __slots__ = ("held", "ids", "newest")
    STATE_FIELDS = ("_held", "_ids", "_newest", "instruments", "tiers")

    def __init__(self) -> None:
        super().__init__(NAME)
        self.held: accounts.Held = {}
        """Coins each watched account had positions in at its last answer."""
        self.ids = Deduplicator()
        self.newest: dict[str, int] = {}
        """Time of the newest known trade by coin, µs."""


class RestDecoder:
    """Decodes the REST answers, and trades from wherever they come."""

    __slots__ = ("_listed", "_skip", "answers", "name", "state")

    def __init__(self, state: State) -> None:
        self.state, self.name, self._skip = state, state.name, state.skip
        self._listed = state.rows(_Perpetual)
        self.answers: Makers = {
            "instruments": (decoder(_Meta), self._meta),
            "candles": (state.rows(_Candle), self._candles),
            "funding": (state.rows(_Funding), self._fundings),
            "trades": (state.rows(Trade), self._recent),
            "positions": (accounts.STATE, self._account),
        }

    def trades(self, rows: list[Trade], seen: int) -> list[Event]:
        """Return the prints that are new, by coin."""
        new: dict[str, list[Print]] = {}
        newest, is_new = dict(self.state.newest), self.state.ids.is_new([row.tid for row in rows])
        for row, fresh in zip(rows, is_new, strict=True):
            at = row.time * 1000
            if not fresh:
                self._skip("duplicate trade")
            elif at < self.state.newest.get(row.coin, 0):
                self._skip("trade older than the newest known")
            else:
                size = row.sz if row.side == "B" else -row.sz
                new.setdefault(row.coin, []).append((at, row.px, size))
                newest[row.coin] = max(at, newest.get(row.coin, 0))
        self.state.newest = newest
        return [
            event
            for coin, prints in new.items()
            for event in trades_from_rows(f"{self.name}:{coin}", seen, prints)
        ]

    def _recent(self, symbol: str, rows: list[Trade], seen: int) -> list[Event]:
        return self.trades(self._own(symbol, rows), seen)

    def _candles(self, symbol: str, rows: list[_Candle], seen: int) -> list[Event]:
        spans = {(row.T - row.t + 1) * 1000 for row in rows} or {MINUTE}
        if len(spans) > 1 or not spans <= {span for _, span in _INTERVALS}:
            raise ValueError(f"expected bars of one length, found {sorted(spans)[:9]} µs")
        bars = ((row.t * 1000, row.o, row.h, row.l, row.c, row.v, row.v / 2) for row in rows)
        return candles_from_rows(f"{self.name}:{symbol}", seen, spans.pop(), bars, self._skip)

    def _fundings(self, symbol: str, rows: list[_Funding], seen: int) -> list[Event]:
        return [
            Funding(f"{self.name}:{row.coin}", row.time * 1000, seen, row.funding_rate, HOUR)
            for row in self._own(symbol, rows)
        ]

    def _own(self, symbol: str, rows: list[_Row]) -> list[_Row]:
        """Return the rows of the coin that was asked for; count the others."""
        own = [row for row in rows if row.coin == symbol]
        if rows and not own:
            found = sorted({row.coin for row in rows})
            raise ValueError(f"expected rows of {symbol}, found {found[:3]}")
        self._skip("row of another coin", len(rows) - len(own))
        return own

    def _account(self, account: str, state: accounts.State, seen: int) -> list[Event]:
        return accounts.position_events(self.name, self.state.held, account, state, seen)

    def _meta(self, dex: str, meta: _Meta, seen: int) -> list[Event]:
        listed = [one for one in self._listed.decode(meta.universe) if not one.is_delisted]
        steps = {number: table.margin_tiers for number, table in meta.margin_tables}
        others = {name: one for name, one in self.state.instruments.items() if _dex(name) != dex}
        tables = of_each(listed, lambda one: [_tiers(one, steps, seen)], self._skip)
        tiers = {table.symbol: table for table in tables}
        old = {name: one for name, one in self.state.tiers.items() if name in others}
        self.state.tiers = old | tiers
        self.state.instruments = others | {one.name: _instrument(one) for one in listed}
        return []


def _dex(coin: str) -> str:
    """Return the exchange a coin is traded on, empty for Hyperliquid's own."""
    return coin.rpartition(":")[0]


def _instrument(listed: _Perpetual) -> Instrument:
    tick = 10.0 ** (listed.sz_decimals - 6)  # and at most five digits that count
    market = f"{NAME}:{listed.name}"
    return Instrument(market, listed.name, NAME, "perpetual", True, 1.0, tick)


def _tiers(listed: _Perpetual, tables: dict[int, list[_Step]], seen: int) -> TierTable:
    """Return the tiers of a margin table; one tier where the coin names none that is known."""
    tiers: list[Tier] = []
    steps = tables.get(listed.margin_table_id) or [_Step(0.0, listed.max_leverage)]
    floors = [step.lower_bound for step in steps]
    if floors[0] != 0 or floors != sorted(set(floors)):
        raise ValueError(f"expected margin tiers that rise from 0, found {floors[:9]}")
    rate = deduction = 0.0
    for step, cap in zip(steps, [*floors[1:], 1e12], strict=True):
        rate, before = 0.5 / step.max_leverage, rate
        deduction += step.lower_bound * (rate - before)
        tiers.append(Tier(step.lower_bound, cap, step.max_leverage, rate, deduction))
    return TierTable(NAME, listed.name, "Hyperliquid meta", seen, tuple(tiers))


def polls(symbols: Sequence[str]) -> list[Poll]:
    """Return the requests for instruments and tiers, one per exchange."""
    polls: list[Poll] = []
    for dex in dict.fromkeys(["", *map(_dex, symbols)]):
        asked = {"type": "meta", "dex": dex} if dex else {"type": "meta"}
        name = f"instruments:{dex}" if dex else "instruments"
        coins = [coin for coin in symbols if _dex(coin) == dex]
        provides = channels(NAME, coins, {"instruments": HOUR})
        polls.append(Poll(name, INFO, _encode(asked), HOUR, 20, provides))
    return polls


def past(symbol: str, since: int, until: int) -> list[Poll]:
    """Return the requests for candles, coarser the older they are, and hourly funding."""
    polls: list[Poll] = []
    for interval, span, first, last in _stretches(since, until):
        for start, end in time_chunks(first, last, span, _BARS):
            asked = {"coin": symbol, "interval": interval, **_times(start, end)}
            body = {"type": "candleSnapshot", "req": asked}
            polls.append(_post(f"candles:{symbol}", body, 20 + (end - start) // span // 60))
    for start, end in time_chunks(since, until, HOUR, 500):
        body = {"type": "fundingHistory", "coin": symbol, **_times(start, end)}
        polls.append(_post(f"funding:{symbol}", body, 20 + (end - start) // HOUR // 20))
    return polls


def recent(symbol: str) -> list[Poll]:
    """Return the request for the latest trades."""
    return [_post(f"trades:{symbol}", {"type": "recentTrades", "coin": symbol}, 20)]


def _stretches(since: int, until: int) -> list[tuple[str, int, int, int]]:
    """Return interval, span, start and end of the stretches of a past, oldest first."""
    oldest = max(since, until - 52 * DAY)
    # they meet at a quarter of an hour, so that no bar lies across two
    cuts = [(until - reach) // _QUARTER * _QUARTER for reach in (17 * DAY, 3 * DAY)]
    ends = [oldest, *(max(oldest, cut) for cut in cuts), until]
    return [
        (interval, span, first, last)
        for (interval, span), first, last in zip(_INTERVALS, ends, ends[1:], strict=False)
        if first < last
    ]


def _times(start: int, end: int) -> dict[str, int]:
    return {"startTime": start // 1000, "endTime": end // 1000 - 1}


def _post(channel: str, body: object, weight: int) -> Poll:
    return Poll(channel, INFO, _encode(body), weight=weight)
