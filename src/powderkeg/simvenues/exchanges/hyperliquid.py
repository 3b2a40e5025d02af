"""Simulated Hyperliquid: one POST endpoint, one socket.

Books are whole snapshots of twenty levels without ids. The first trades after subscribing are
history. A context carries no time, funding is hourly, and there is no market-wide liquidation feed.
Candles reach back 5,000 bars of an interval and no further.

Positions of an account are public. Agents of a simulated market have no accounts, so an address is
mapped to one of `_ACCOUNTS`, which holds of each coin the oldest position whose number maps to it:
a true one, with the price at which the simulated market will liquidate it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import numpy as np

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues.market.feed import Fill, LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.past import Bar
from powderkeg.simvenues.market.published import prices_of
from powderkeg.simvenues.market.tiers import tiers
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import (
    Frame,
    MockExchange,
    Query,
    RefusedError,
    Reply,
    Session,
    encode,
)

_KINDS: Final = ("trades", "l2Book", "activeAssetCtx")
_SPANS: Final = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}
_BARS: Final = 5_000
_LEVELS: Final = 20
_HISTORY: Final = 10
_FUNDINGS: Final = 500
_BOOK_EVERY: Final = 500_000
_ACCOUNTS: Final = 997
"""Accounts of the venue; every address maps to one of them."""


class Hyperliquid(MockExchange):
    """The venue."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the perpetuals; symbols are coins."""
        super().__init__(markets, clock)
        self.name = name
        self._info: dict[str, Callable[[dict[str, Any]], Any]] = {
            "meta": lambda _a: self._meta(),
            "spotMeta": lambda _a: {"tokens": [], "universe": []},
            "perpDexs": lambda _a: [None],
            "allMids": lambda _a: {s: self._mid(m) for s, m in self.markets.items()},
            "metaAndAssetCtxs": lambda _a: [
                self._meta(),
                [self._context(m) for m in self.markets.values()],
            ],
            "l2Book": lambda asked: self._book(self._market(asked)),
            "recentTrades": self._recent,
            "candleSnapshot": self._candles,
            "fundingHistory": self._funding,
            "clearinghouseState": self._state,
        }

    # -- requests

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`; the request is in the body."""
        del query
        try:
            asked = msgspec.json.decode(body)
            handle = self._info[asked["type"]] if path == "/info" else None
        except (msgspec.DecodeError, KeyError, TypeError) as why:
            text = b"Failed to deserialize the JSON body into the target type"
            raise RefusedError(Reply(text, 422)) from why
        if handle is None:
            raise RefusedError(Reply(b"", 404))
        try:
            return Reply(encode(handle(asked)))
        except (KeyError, TypeError, ValueError) as why:
            text = b"Failed to deserialize the JSON body into the target type"
            raise RefusedError(Reply(text, 422)) from why

    def _market(self, asked: dict[str, Any]) -> Market:
        market = self.find(asked["coin"])
        if market is None:
            raise RefusedError(Reply(b"null", 500))
        return market

    def _meta(self) -> dict[str, Any]:
        universe: list[dict[str, Any]] = []
        tables: list[Any] = []
        for n, market in enumerate(self.markets.values(), 50):
            brackets = tiers(market.spec, market.price)
            universe.append(
                {
                    "szDecimals": market.spec.places,
                    "name": market.spec.coin,
                    "maxLeverage": round(brackets[0].leverage),
                    "marginTableId": n,
                }
            )
            rows = [
                {"lowerBound": f"{b.floor:.1f}", "maxLeverage": round(0.5 / b.rate)}
                for b in brackets
            ]
            tables.append([n, {"description": f"tiers of {market.spec.coin}", "marginTiers": rows}])
        return {"universe": universe, "marginTables": tables, "collateralToken": 0}

    def _recent(self, asked: dict[str, Any]) -> list[Any]:
        market = self._market(asked)
        fills = list(market.tape)[-_HISTORY:]
        return [self._print(market.spec, fill) for fill in reversed(fills)]

    def _candles(self, asked: dict[str, Any]) -> list[Any]:
        subscription = asked["req"]
        market = self._market(subscription)
        span = _SPANS[subscription["interval"]] * MINUTE
        oldest = market.now // span * span - (_BARS - 1) * span
        since = max(oldest, int(subscription["startTime"]) * 1000)
        until = int(subscription.get("endTime", self.millis())) * 1000 + 1
        bars = market.past.bars(since, until, span, _BARS, newest=True)
        return [_candle(market.spec, bar, span, subscription["interval"]) for bar in bars]

    def _funding(self, asked: dict[str, Any]) -> list[Any]:
        market = self._market(asked)
        until = int(asked.get("endTime", self.millis())) * 1000
        rows = market.payments.between(int(asked["startTime"]) * 1000, until, 1)[:_FUNDINGS]
        return [
            {
                "coin": market.spec.coin,
                "fundingRate": f"{rate / 8:.10f}",
                "premium": f"{rate:.8f}",
                "time": at // 1000,
            }
            for at, rate in rows
        ]

    def _state(self, asked: dict[str, Any]) -> dict[str, Any]:
        number = int(asked["user"], 16) % _ACCOUNTS
        held = [row for m in self.markets.values() if (row := _position(m, number)) is not None]
        value = sum(float(row["positionValue"]) for row in held)
        used = sum(float(row["marginUsed"]) for row in held)
        summary = {
            "accountValue": f"{used:.6f}",
            "totalNtlPos": f"{value:.6f}",
            "totalRawUsd": f"{used - value:.6f}",
            "totalMarginUsed": f"{used:.6f}",
        }
        return {
            "marginSummary": summary,
            "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": f"{used / 2:.6f}",
            "withdrawable": "0.0",
            "assetPositions": [{"type": "oneWay", "position": row} for row in held],
            "time": self.millis(),
        }

    # -- socket

    def connect(self, session: Session) -> bool:
        """Accept a connection on the one path."""
        return session.path.partition("?")[0] == "/ws"

    def on_message(self, session: Session, text: str) -> None:
        """Answer ping, subscribe and unsubscribe."""
        try:
            request = msgspec.json.decode(text)
            method = request["method"]
        except (msgspec.DecodeError, TypeError, KeyError):
            session.send(
                encode({"channel": "error", "data": f"Error parsing JSON into valid: {text}"})
            )
            return
        if method == "ping":
            if not self.flags.get("pong_ignored"):
                session.send(b'{"channel":"pong"}')
            return
        subscription = request.get("subscription") or {}
        topic = f"{subscription.get('type')}:{subscription.get('coin')}"
        good = subscription.get("type") in _KINDS and subscription.get("coin") in self.markets
        if method not in {"subscribe", "unsubscribe"} or not good:
            session.send(encode({"channel": "error", "data": f"Invalid subscription {text}"}))
            return
        session.send(encode({"channel": "subscriptionResponse", "data": request}))
        if method == "unsubscribe":
            session.topics.discard(topic)
            return
        session.topics.add(topic)
        session.send(self._initial_frame(topic))

    def _initial_frame(self, topic: str) -> bytes:
        """Return the first frame of a new subscription; for trades it is history."""
        kind, _, symbol = topic.partition(":")
        market = self.markets[symbol]
        if kind == "trades":
            fills = list(market.tape)[-_HISTORY:]
            return _push(kind, [self._print(market.spec, fill) for fill in reversed(fills)])
        if kind == "l2Book":
            return _push(kind, self._book(market))
        return _push(kind, {"coin": symbol, "ctx": self._context(market)})

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return nothing: there is no feed of liquidations."""
        del market, market_update
        return []

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        del liquidations
        coin = market.spec.coin
        topic = f"trades:{coin}"
        if market_update.fills and self.is_subscribed(topic):
            rows = [self._print(market.spec, fill) for fill in market_update.fills]
            yield Frame(topic, "trades", _push("trades", rows))
        topic = f"l2Book:{coin}"
        if market_update.due(_BOOK_EVERY) and self.is_subscribed(topic):
            yield Frame(topic, "book", _push("l2Book", self._book(market)))
        topic = f"activeAssetCtx:{coin}"
        if market_update.due(SECOND) and self.is_subscribed(topic):
            row = {"coin": coin, "ctx": self._context(market)}
            yield Frame(topic, "mark", _push("activeAssetCtx", row))

    def _book(self, market: Market) -> dict[str, Any]:
        what, sim_book = market.spec, market.sim_book
        sides = sim_book.bids.rows(True, _LEVELS), sim_book.asks.rows(False, _LEVELS)
        levels = [
            [{"px": what.price(t), "sz": what.size(n), "n": n % 7 + 1} for t, n in side]
            for side in sides
        ]
        return {"coin": what.coin, "time": self.stamp(market.now), "levels": levels}

    def _mid(self, market: Market) -> str:
        bid, ask = (
            market.sim_book.bids.rows(True, 1)[0][0],
            market.sim_book.asks.rows(False, 1)[0][0],
        )
        return f"{(bid + ask) / 2 * market.spec.tick:.{market.spec.digits + 1}f}"

    def _context(self, market: Market) -> dict[str, Any]:
        what = market.spec
        bid, ask = (
            market.sim_book.bids.rows(True, 1)[0][0],
            market.sim_book.asks.rows(False, 1)[0][0],
        )
        volume, quote, _, _ = market.day()
        return {
            "funding": f"{market.rate / 8:.10f}",
            "openInterest": f"{market.oi:.{what.places}f}",
            "prevDayPx": what.price(round(market.price / what.tick)),
            "dayNtlVlm": f"{quote:.6f}",
            "premium": f"{market.mark / market.index - 1:.8f}",
            "oraclePx": f"{market.index:.{what.digits}f}",
            "markPx": f"{market.mark:.{what.digits}f}",
            "midPx": self._mid(market),
            "impactPxs": [what.price(bid), what.price(ask)],
            "dayBaseVlm": f"{volume:.5f}",
        }

    def _print(self, what: Spec, fill: Fill) -> dict[str, Any]:
        # A trade id there is a hash: it does not rise.
        ident = fill.id * 0x9E3779B97F4A7C15 % 2**50
        return {
            "coin": what.coin,
            "side": "B" if fill.buy else "A",
            "px": what.price(fill.ticks),
            "sz": what.size(fill.lots),
            "time": self.stamp(fill.at),
            "hash": f"0x{fill.id:064x}",
            "tid": ident,
            "users": [f"0x{ident % 997:040x}", f"0x{ident % 991:040x}"],
        }


def _position(market: Market, number: int) -> dict[str, Any] | None:
    """Return an account's position in a coin, or None."""
    if market.truth is None:
        return None
    truth, what = market.truth(), market.spec
    mine = np.flatnonzero(
        (truth.venues == market.venue_index) & (truth.serials % _ACCOUNTS == number)
    )
    if not len(mine):
        return None
    i = mine[truth.serials[mine].argmin()]
    size, side, entry = float(truth.sizes[i]), int(truth.sides[i]), float(truth.entries[i])
    price, leverage = float(truth.prices[i]), float(truth.leverages[i])
    gain = side * size * (market.mark - entry)
    margin = entry * size / leverage
    return {
        "coin": what.coin,
        "szi": f"{side * size:.{what.places}f}",
        "leverage": {"type": "cross", "value": max(1, round(float(truth.settings[i])))},
        "entryPx": f"{entry:.{what.digits}f}",
        "positionValue": f"{size * market.mark:.6f}",
        "unrealizedPnl": f"{gain:.6f}",
        "returnOnEquity": f"{gain / margin:.10f}",
        "liquidationPx": f"{price:.10f}" if price > 0 else None,
        "marginUsed": f"{margin:.6f}",
        "maxLeverage": round(tiers(what, market.price)[0].leverage),
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }


def _push(channel: str, data: object) -> bytes:
    return encode({"channel": channel, "data": data})


def _candle(what: Spec, bar: Bar, span: int, interval: str) -> dict[str, Any]:
    opened, high, low, close = prices_of(what, bar)
    return {
        "t": bar.at // 1000,
        "T": (bar.at + span) // 1000 - 1,
        "s": what.coin,
        "i": interval,
        "o": opened,
        "c": close,
        "h": high,
        "l": low,
        "v": f"{bar.volume:.{what.places}f}",
        "n": max(1, int(bar.volume)),
    }
