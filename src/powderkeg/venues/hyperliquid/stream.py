"""Hyperliquid perpetuals: one public socket.

Traps:
- ``l2Book`` is the whole book each time, 20 levels a side, without a number.
- ``activeAssetCtx`` carries no time: `at` is when we saw it. Its open interest is coins, each
  contract once; its funding is the rate of one hour.
- There is no liquidation feed.
- Trades: see `rest`.

Source: Hyperliquid docs, "Websocket", read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct

from powderkeg.events import HOUR, MINUTE, SECOND, BookSnapshot, Event, Funding, Mark, OpenInterest
from powderkeg.venues.base import (
    Amount,
    ChannelKind,
    Limits,
    Millis,
    Positive,
    Rate,
    Stream,
    channels,
)
from powderkeg.venues.hyperliquid import accounts, rest
from powderkeg.venues.hyperliquid.rest import NAME, Coin, RestDecoder, Trade
from powderkeg.venues.reader import RefusalError, VenueReader

_SOCKET = "wss://api.hyperliquid.xyz/ws"
_TOPICS = ("trades", "l2Book", "activeAssetCtx")
_EXPECTED: dict[ChannelKind, int] = {
    "trades": 5 * MINUTE,
    "book": 5 * SECOND,
    "mark": 10 * SECOND,
    "funding": 10 * SECOND,
    "oi": 10 * SECOND,
}


class _Level(Struct, gc=False):
    px: Positive
    sz: Amount


class _Book(Struct):
    coin: Coin
    time: Millis
    levels: tuple[list[_Level], list[_Level]]


class _Context(Struct, gc=False, rename="camel"):
    mark_px: Positive
    oracle_px: Positive
    funding: Rate
    open_interest: Amount


class _Asset(Struct, gc=False):
    coin: Coin
    ctx: _Context


class _Trades(Struct, tag="trades", tag_field="channel"):
    data: list[Trade]


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


_frame: msgspec.json.Decoder[_Frame] = msgspec.json.Decoder(_Frame, strict=False)
_head = msgspec.json.Decoder(_Head)
_encode = msgspec.json.encode


def hyperliquid_reader() -> VenueReader:
    """Return a reader of the perpetuals of Hyperliquid and of its builder-deployed exchanges."""
    state = rest.State()
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=NAME, limits=Limits(1200, MINUTE), state=state,
        stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers,
        symbol=str, streams=streams, polls=rest.polls, past=rest.past, recent=rest.recent,
        snapshot=lambda _: (),  # the next frame is the whole book anyway
        watch=lambda addresses: accounts.watch(rest.INFO, addresses),
    )  # fmt: skip


def streams(symbols: Sequence[str]) -> list[Stream]:
    """Return the one socket: trades, book and context of each coin."""
    asked = ({"type": topic, "coin": coin} for coin in symbols for topic in _TOPICS)
    subscribe = [_encode({"method": "subscribe", "subscription": each}) for each in asked]
    carried, ping = channels(NAME, symbols, _EXPECTED), b'{"method":"ping"}'
    # 2,000 messages a minute are allowed
    return [Stream(_SOCKET, carried, tuple(subscribe), SECOND // 30, ping, 30 * SECOND)]


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_skip", "_traded", "_trades", "name")

    def __init__(self, answers: RestDecoder) -> None:
        self.name, self._skip, self._trades = NAME, answers.state.skip, answers.trades
        self._traded = answers.state.rows(Trade)

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of one frame."""
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
        raise RefusalError(frame.data)

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
