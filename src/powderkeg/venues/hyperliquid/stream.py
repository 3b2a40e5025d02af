"""Hyperliquid perpetuals: one public socket, and one REST URL that takes POST requests.

Traps:
- The first `trades` message after subscribing is history, and so is ``recentTrades``. They are used
  as far as they are new: rows older than the newest known trade of the coin, and rows whose `tid`
  was read before, are left out. So a reconnect fills its own gap as far as that history reaches.
- `tid` is unique but not sequential, and nothing else numbers trades: gaps cannot be detected.
- ``side`` is the taker's: B bought, A sold. `users` (buyer, seller) are public addresses and may
  be absent; we do not read them.
- ``l2Book`` is the whole book each time, 20 levels a side, without a number.
- ``activeAssetCtx`` carries no time: `at` is when we saw it. Its open interest is coins, each
  contract once; its funding is the rate of one hour.
- There is no liquidation feed, no history of open interest, and no server time.
- Of each candle interval only the newest 5,000 bars exist, so an older past has coarser bars.
- Builder-deployed exchanges exist beside Hyperliquid's own: their coins are named ``xyz:TSLA``, and
  each has a `meta` of its own.
- Low-priced coins are traded by the thousand, as ``kPEPE``.
- ``meta`` gives leverage, not margin: maintenance is half the initial margin at the greatest
  leverage of the tier.

Source: Hyperliquid docs, "Websocket", "Info endpoint", "Rate limits" and "Margin tiers", read
2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    BookSnapshot,
    Event,
    Funding,
    Mark,
    OpenInterest,
)
from powderkeg.instruments import Instrument, Tier, TierTable
from powderkeg.venues.base import (
    Amount,
    Channel,
    ChannelKind,
    Completeness,
    Deduplicator,
    Limits,
    Millis,
    Poll,
    Positive,
    Print,
    Rate,
    Stream,
    Update,
    candles_from_rows,
    time_chunks,
    trades_from_rows,
)
from powderkeg.venues.hyperliquid import accounts
from powderkeg.venues.reader import Reader, decoder, of_each

_SOCKET = "wss://api.hyperliquid.xyz/ws"
_INFO = "https://api.hyperliquid.xyz/info"
_Coin = Annotated[str, Meta(min_length=1, max_length=40)]
_TOPICS = ("trades", "l2Book", "activeAssetCtx")
_EXPECTED: dict[ChannelKind, int] = {
    "trades": 5 * MINUTE,
    "book": 5 * SECOND,
    "mark": 10 * SECOND,
    "funding": 10 * SECOND,
    "oi": 10 * SECOND,
}
_BARS = 5_000
_QUARTER = 15 * MINUTE
_INTERVALS = (("15m", _QUARTER), ("5m", 5 * MINUTE), ("1m", MINUTE))
"""The 5,000 newest of each reach 52, 17 and 3 days back."""


class _Trade(Struct, gc=False):
    coin: _Coin
    side: Literal["A", "B"]
    px: Positive
    sz: Positive
    time: Millis
    tid: Update


class _Level(Struct, gc=False):
    px: Positive
    sz: Amount


class _Book(Struct):
    coin: _Coin
    time: Millis
    levels: tuple[list[_Level], list[_Level]]


class _Context(Struct, gc=False, rename="camel"):
    mark_px: Positive
    oracle_px: Positive
    funding: Rate
    open_interest: Amount


class _Asset(Struct, gc=False):
    coin: _Coin
    ctx: _Context


class _Trades(Struct, tag="trades", tag_field="channel"):
    data: list[_Trade]


class _Snapshot(Struct, tag="l2Book", tag_field="channel"):
    data: _Book


class _Active(Struct, tag="activeAssetCtx", tag_field="channel"):
    data: _Asset


class _Refused(Struct, tag="error", tag_field="channel"):
    data: str


_Frame: TypeAlias = _Trades | _Snapshot | _Active | _Refused


class _Head(Struct):
    channel: str = ""
    data: Raw = Raw()


class _Candle(Struct, gc=False):
    t: Millis
    T: Millis
    o: Positive
    h: Positive
    l: Positive  # noqa: E741  # theirs
    c: Positive
    v: Amount


class _Funding(Struct, gc=False, rename="camel"):
    coin: _Coin
    funding_rate: Rate
    time: Millis


_Row = TypeVar("_Row", _Trade, _Funding)


class _Step(Struct, gc=False, rename="camel"):
    lower_bound: Amount
    max_leverage: Annotated[float, Meta(ge=1, le=1000)]


class _Table(Struct, rename="camel"):
    margin_tiers: list[_Step]


class _Perpetual(Struct, rename="camel"):
    name: _Coin
    sz_decimals: Annotated[int, Meta(ge=0, le=6)]
    max_leverage: Annotated[float, Meta(ge=1, le=1000)]
    is_delisted: bool | None = None
    margin_table_id: int = -1


class _Meta(Struct, rename="camel"):
    universe: Raw
    margin_tables: list[tuple[int, _Table]] = []


_frame: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame, strict=False)
_head = msgspec.json.Decoder(_Head)
_encode = msgspec.json.encode


class Hyperliquid(Reader):
    """Reader of the perpetuals of Hyperliquid and of its builder-deployed exchanges."""

    __slots__ = ("_held", "_ids", "_listed", "_newest", "_traded")
    STATE_FIELDS = ("_held", "_ids", "_newest", "instruments", "tiers")
    name: str = "hyperliquid"
    limits: Limits = Limits(1200, MINUTE)
    liquidations: Completeness = "none"

    def __init__(self) -> None:
        super().__init__(
            {
                "instruments": (decoder(_Meta), self._meta),
                "candles": (self._rows(_Candle), self._candles),
                "funding": (self._rows(_Funding), self._fundings),
                "trades": (self._rows(_Trade), self._recent),
                "positions": (accounts.STATE, self._account),
            }
        )
        self._held: accounts.Held = {}
        """Coins each watched account had positions in at its last answer."""
        self._ids = Deduplicator()
        self._listed, self._traded = self._rows(_Perpetual), self._rows(_Trade)
        self._newest: dict[str, int] = {}

    def symbol(self, coin: str) -> str:
        """Return the coin: a market has no other name here."""
        return coin

    def streams(self, symbols: Sequence[str]) -> list[Stream]:
        """Return the one socket: trades, book and context of each coin."""
        asked = ({"type": topic, "coin": coin} for coin in symbols for topic in _TOPICS)
        subscribe = [_encode({"method": "subscribe", "subscription": each}) for each in asked]
        channels = self._channels(symbols, _EXPECTED)
        ping = b'{"method":"ping"}'
        # 2,000 messages a minute are allowed
        return [Stream(_SOCKET, channels, tuple(subscribe), SECOND // 30, ping, 30 * SECOND)]

    def polls(self, symbols: Sequence[str]) -> list[Poll]:
        """Return the requests for instruments and tiers, one per exchange."""
        polls: list[Poll] = []
        for dex in dict.fromkeys(["", *map(_dex, symbols)]):
            markets = [f"{self.name}:{coin}" for coin in symbols if _dex(coin) == dex]
            provides = tuple([Channel(market, "instruments", HOUR) for market in markets])
            name, asked = (
                ("instruments", {"type": "meta"})
                if not dex
                else (f"instruments:{dex}", {"type": "meta", "dex": dex})
            )
            polls.append(Poll(name, _INFO, _encode(asked), HOUR, 20, provides))
        return polls

    def watch(self, addresses: Sequence[str]) -> list[Poll]:
        """Return the requests for the positions of accounts; see `accounts.watch`."""
        return accounts.watch(_INFO, addresses)

    def past(self, symbol: str, since: int, until: int) -> list[Poll]:
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

    def recent(self, symbol: str) -> list[Poll]:
        """Return the request for the latest trades."""
        return [_post(f"trades:{symbol}", {"type": "recentTrades", "coin": symbol}, 20)]

    def snapshot(self, symbol: str) -> tuple[bytes, ...]:  # noqa: ARG002  # every book frame is a snapshot
        """Return nothing: the next frame is the whole book anyway."""
        return ()

    def _live(self, raw: bytes, seen: int) -> list[Event]:
        try:
            frame = _frame.decode(raw)
        except msgspec.ValidationError:
            head = _head.decode(raw)
            if head.channel == "trades":
                return self._trades(self._traded.decode(head.data), seen)
            if head.channel in (*_TOPICS, "error"):
                raise
            return self._skip(f"channel {head.channel[:24]}" if head.channel else "no channel")
        if isinstance(frame, _Trades):
            return self._trades(frame.data, seen)
        if isinstance(frame, _Snapshot):
            return self._book(frame.data, seen)
        if isinstance(frame, _Active):
            return self._context(frame.data, seen)
        return self._refused(frame.data, seen)

    def _trades(self, rows: list[_Trade], seen: int) -> list[Event]:
        new: dict[str, list[Print]] = {}
        newest = dict(self._newest)
        for row, fresh in zip(rows, self._ids.is_new([each.tid for each in rows]), strict=True):
            at = row.time * 1000
            if not fresh:
                self._skip("duplicate trade")
            elif at < self._newest.get(row.coin, 0):
                self._skip("trade older than the newest known")
            else:
                size = row.sz if row.side == "B" else -row.sz
                new.setdefault(row.coin, []).append((at, row.px, size))
                newest[row.coin] = max(at, newest.get(row.coin, 0))
        self._newest = newest
        return [
            event
            for coin, prints in new.items()
            for event in trades_from_rows(f"{self.name}:{coin}", seen, prints)
        ]

    def _recent(self, symbol: str, rows: list[_Trade], seen: int) -> list[Event]:
        return self._trades(self._own(symbol, rows), seen)

    def _book(self, book: _Book, seen: int) -> list[Event]:
        bids, asks = (tuple([(level.px, level.sz) for level in side]) for side in book.levels)
        return [BookSnapshot(f"{self.name}:{book.coin}", book.time * 1000, seen, bids, asks)]

    def _context(self, asset: _Asset, seen: int) -> list[Event]:
        market, ctx = f"{self.name}:{asset.coin}", asset.ctx
        return [
            Mark(market, seen, seen, ctx.mark_px, ctx.oracle_px),
            Funding(market, seen, seen, ctx.funding, HOUR),
            OpenInterest(market, seen, seen, ctx.open_interest),
        ]

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
        return accounts.position_events(self.name, self._held, account, state, seen)

    def _meta(self, dex: str, meta: _Meta, seen: int) -> list[Event]:
        listed = [one for one in self._listed.decode(meta.universe) if not one.is_delisted]
        steps = {number: table.margin_tiers for number, table in meta.margin_tables}
        others = {name: one for name, one in self.instruments.items() if _dex(name) != dex}
        tables = of_each(listed, lambda one: [_tiers(one, steps, seen)], self._skip)
        tiers = {table.symbol: table for table in tables}
        self.tiers = {name: one for name, one in self.tiers.items() if name in others} | tiers
        self.instruments = others | {one.name: _instrument(one) for one in listed}
        return []


def _dex(coin: str) -> str:
    """Return the exchange a coin is traded on, empty for Hyperliquid's own."""
    return coin.rpartition(":")[0]


def _instrument(listed: _Perpetual) -> Instrument:
    tick = 10.0 ** (listed.sz_decimals - 6)  # and at most five digits that count
    market = f"hyperliquid:{listed.name}"
    return Instrument(market, listed.name, "hyperliquid", "perpetual", True, 1.0, tick)


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
    return TierTable("hyperliquid", listed.name, "Hyperliquid meta", seen, tuple(tiers))


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
    return Poll(channel, _INFO, _encode(body), weight=weight)
