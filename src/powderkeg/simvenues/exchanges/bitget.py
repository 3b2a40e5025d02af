"""Simulated Bitget: the V3 public socket, and V2 REST.

Traps kept: the `amount` of a liquidation is in quote currency, its `side` that of the position, and
only the largest of each side, symbol and second is sent. The first trades after subscribing are
history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.published import long_share, next_funding, prices_of
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
    number,
)

_TYPE: Final = "usdt-futures"
_TOPICS: Final = ("publicTrade", "books", "ticker")
_WHOLE: Final = "liquidation:"
_HISTORY: Final = 50
_SPANS: Final = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1H": 60, "4H": 240, "1D": 1440}

_Answer: TypeAlias = Callable[[Query], Any]


class Bitget(MockExchange):
    """USDT futures."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the futures."""
        super().__init__(markets, clock)
        self.name = name
        self._batch: dict[str, list[LiquidationFill]] = {}
        self._rest: dict[str, _Answer] = {
            "/api/v2/public/time": lambda _q: {"serverTime": str(self.millis())},
            "/api/v2/mix/market/contracts": self._instruments,
            "/api/v2/mix/market/query-position-lever": self._tiers,
            "/api/v2/mix/market/account-long-short": self._ratio,
            "/api/v2/mix/market/candles": self._candles,
            "/api/v2/mix/market/history-fund-rate": self._funding,
            "/api/v2/mix/market/fills": self._trades,
            "/api/v2/mix/market/open-interest": self._interest,
        }

    # -- REST

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`."""
        del body
        handle = self._rest.get(path)
        if handle is None:
            raise self._refusal("40404", "Request URL NOT FOUND", 404)
        row = {"code": "00000", "msg": "success", "requestTime": self.millis()}
        return Reply(encode(row | {"data": handle(query)}))

    def _refusal(self, code: str, text: str, status: int = 400) -> RefusedError:
        row = {"code": code, "msg": text, "requestTime": self.millis(), "data": None}
        return RefusedError(Reply(encode(row), status))

    def _market(self, query: Query) -> Market:
        market = self.find(query.get("symbol", ""))
        if market is None:
            raise self._refusal("40034", f"Parameter {query.get('symbol', '')} does not exist")
        return market

    def _instruments(self, query: Query) -> list[Any]:
        if query.get("productType", "").lower() != _TYPE:
            raise self._refusal("40020", "Parameter productType error")
        asked = [self._market(query)] if query.get("symbol") else list(self.markets.values())
        return [_instrument(market.spec) for market in asked]

    def _tiers(self, query: Query) -> list[Any]:
        market = self._market(query)
        return [
            {
                "symbol": market.spec.symbol,
                "level": str(n),
                "startUnit": f"{tier.floor:.0f}",
                "endUnit": f"{tier.cap:.0f}",
                "leverage": f"{tier.leverage:g}",
                "keepMarginRate": f"{tier.rate:.6g}",
            }
            for n, tier in enumerate(tiers(market.spec, market.price), 1)
        ]

    def _ratio(self, query: Query) -> list[Any]:
        market = self._market(query)
        span = _SPANS.get(query.get("period", "5m"), 5) * MINUTE
        at, long = market.now // span * span, long_share(market)
        row = {
            "longAccountRatio": f"{long:.4f}",
            "shortAccountRatio": f"{1 - long:.4f}",
            "longShortAccountRatio": f"{long / (1 - long):.4f}",
        }
        return [row | {"ts": str(self.stamp(t))} for t in range(at - 29 * span, at + 1, span)]

    def _candles(self, query: Query) -> list[Any]:
        market = self._market(query)
        what = market.spec
        text = query.get("granularity", "")
        if text not in _SPANS:
            raise self._refusal("400171", "Parameter verification failed granularity")
        limit = min(number(query, "limit", 100), 1000)
        since = number(query, "startTime", 0) * 1000
        until = number(query, "endTime", 10**14) * 1000 + 1
        rows: list[list[str]] = []
        for bar in market.past.bars(since, until, _SPANS[text] * MINUTE, limit, newest=True):
            middle = (bar.open + bar.close) / 2
            lots = round(what.lots(bar.volume, middle))
            coins = what.base(lots, middle)
            row = [str(bar.at // 1000), *prices_of(what, bar), what.size(lots)]
            rows.append([*row, f"{coins * middle:.4f}"])
        return rows

    def _funding(self, query: Query) -> list[Any]:
        market = self._market(query)
        size = min(number(query, "pageSize", 20), 100)
        page = max(1, number(query, "pageNo", 1))
        rows = list(reversed(market.payments.between(0, market.now, 8)))
        return [
            {
                "symbol": market.spec.symbol,
                "fundingRate": f"{rate:.8f}",
                "fundingTime": str(at // 1000),
            }
            for at, rate in rows[(page - 1) * size : page * size]
        ]

    def _trades(self, query: Query) -> list[Any]:
        market = self._market(query)
        fills = list(market.tape)[-min(number(query, "limit", 100), 100) :]
        return [
            {
                "tradeId": str(fill.id),
                "price": market.spec.price(fill.ticks),
                "size": market.spec.size(fill.lots),
                "side": "buy" if fill.buy else "sell",
                "ts": str(self.stamp(fill.at)),
                "symbol": market.spec.symbol,
            }
            for fill in reversed(fills)
        ]

    def _interest(self, query: Query) -> Any:
        market = self._market(query)
        row = {"symbol": market.spec.symbol, "size": _amount(market)}
        return {"openInterestList": [row], "ts": str(self.stamp(market.now))}

    # -- socket

    def connect(self, session: Session) -> bool:
        """Accept a connection on the V3 public path."""
        return session.path.partition("?")[0] == "/v3/ws/public"

    def on_message(self, session: Session, text: str) -> None:
        """Answer the text ping, subscribe and unsubscribe."""
        if text == "ping":
            if not self.flags.get("pong_ignored"):
                session.send(b"pong")
            return
        try:
            request = msgspec.json.decode(text)
            op, names = request["op"], request["args"]
        except (msgspec.DecodeError, TypeError, KeyError):
            session.send(encode({"event": "error", "code": 30003, "msg": "Invalid request"}))
            return
        for arg in names:
            self._switch(session, op, arg)

    def _switch(self, session: Session, op: str, arg: dict[str, str]) -> None:
        topic = f"{arg.get('topic')}:{arg.get('symbol', '')}"
        kind, _, symbol = topic.partition(":")
        known = topic == _WHOLE or (kind in _TOPICS and symbol in self.markets)
        if arg.get("instType") != _TYPE or not known or op not in {"subscribe", "unsubscribe"}:
            text = f"instType:{arg.get('instType')},topic:{kind},symbol:{symbol} doesn't exist"
            session.send(encode({"event": "error", "arg": arg, "code": 30001, "msg": text}))
            return
        session.send(encode({"event": op, "arg": arg}))
        if op == "unsubscribe":
            session.topics.discard(topic)
            return
        session.topics.add(topic)
        for body in self._initial_frames(topic):
            session.send(body)

    def _initial_frames(self, topic: str) -> Iterator[bytes]:
        """Yield the first frames of a new subscription."""
        kind, _, symbol = topic.partition(":")
        market = self.find(symbol)
        if market is None:
            if self.replays_liquidations():
                rows = [
                    self._forced(m.spec, liquidation)
                    for m, liquidation in self.replayed_liquidations()
                ]
                yield self._push(topic, rows, self.clock())
            return
        if kind == "publicTrade":
            rows = [self._print(market.spec, fill) for fill in list(market.tape)[-_HISTORY:]]
            yield self._push(topic, rows[::-1], market.now, "snapshot")
        elif kind == "books":
            sim_book = market.sim_book
            row = self._levels(market, sim_book.bids.rows(True), sim_book.asks.rows(False))
            row |= {"seq": sim_book.last, "pseq": 0}
            yield self._push(topic, [row], market.now, "snapshot")
        else:
            yield self._push(topic, [_ticker(market)], market.now, "snapshot")

    def _push(self, topic: str, data: list[Any], at: int, action: str = "update") -> bytes:
        kind, _, symbol = topic.partition(":")
        arg = {"instType": _TYPE, "topic": kind} | ({"symbol": symbol} if symbol else {})
        return encode({"action": action, "arg": arg, "data": data, "ts": self.stamp(at) + 1})

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return the largest liquidated long and short of each second that is over."""
        batch = self._batch.setdefault(market.spec.symbol, [])
        batch += market_update.liquidations
        if not market_update.due(SECOND):
            return []
        self._batch[market.spec.symbol] = []
        sides = ([d for d in batch if d.long is long] for long in (True, False))
        return [max(side, key=lambda liquidation: liquidation.lots) for side in sides if side]

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        what = market.spec
        topic = f"publicTrade:{what.symbol}"
        if market_update.fills and self.is_subscribed(topic):
            rows = [self._print(what, fill) for fill in market_update.fills]
            yield Frame(topic, "trades", self._push(topic, rows, market_update.at))
        topic = f"books:{what.symbol}"
        if market_update.change and self.is_subscribed(topic):
            row = self._levels(market, market_update.change.bids, market_update.change.asks)
            row |= {"seq": market_update.change.last, "pseq": market_update.change.previous}
            yield Frame(topic, "book", self._push(topic, [row], market_update.at))
        topic = f"ticker:{what.symbol}"
        if market_update.due(200_000) and self.is_subscribed(topic):
            body = self._push(topic, [_ticker(market)], market_update.at, "snapshot")
            yield Frame(topic, "mark", body)
        if liquidations:
            rows = [self._forced(what, liquidation) for liquidation in liquidations]
            yield Frame(_WHOLE, "liquidations", self._push(_WHOLE, rows, market_update.at))

    def _print(self, what: Spec, fill: Fill) -> dict[str, str]:
        return {
            "i": str(fill.id),
            "p": what.price(fill.ticks),
            "v": what.size(fill.lots),
            "S": "buy" if fill.buy else "sell",
            "T": str(self.stamp(fill.at)),
            "L": str(fill.id + 1),
            "isRPI": "no",
        }

    def _levels(self, market: Market, bids: Rows, asks: Rows) -> dict[str, Any]:
        what = market.spec
        return {
            "a": [[what.price(t), what.size(n) if n else "0"] for t, n in asks],
            "b": [[what.price(t), what.size(n) if n else "0"] for t, n in bids],
            "checksum": 0,
            "ts": str(self.stamp(market.now)),
        }

    def _forced(self, what: Spec, liquidation: LiquidationFill) -> dict[str, str]:
        size = what.base(liquidation.lots, liquidation.bankruptcy)
        return {
            "symbol": what.symbol,
            "side": "buy" if liquidation.long else "sell",
            "price": f"{liquidation.bankruptcy:.12f}",
            "amount": f"{size * liquidation.bankruptcy:.12f}",
            "ts": str(self.stamp(liquidation.at)),
        }


def _amount(market: Market) -> str:
    return market.spec.size(round(market.spec.lots(market.oi, market.mark)))


def _ticker(market: Market) -> dict[str, str]:
    what = market.spec
    bid, ask = market.sim_book.bids.rows(True, 1)[0], market.sim_book.asks.rows(False, 1)[0]
    volume, quote, high, low = market.day()
    price = what.price(round(market.price / what.tick))
    return {
        "highPrice24h": what.price(round(high / what.tick)),
        "lowPrice24h": what.price(round(low / what.tick)),
        "openPrice24h": price,
        "lastPrice": price,
        "turnover24h": f"{quote:.5f}",
        "volume24h": f"{volume:.4f}",
        "bid1Price": what.price(bid[0]),
        "ask1Price": what.price(ask[0]),
        "bid1Size": what.size(bid[1]),
        "ask1Size": what.size(ask[1]),
        "price24hPcnt": "0.000",
        "indexPrice": f"{market.index:.16f}",
        "markPrice": f"{market.mark:.{what.digits}f}",
        "fundingRate": f"{market.rate:.8f}",
        "openInterest": _amount(market),
        "deliveryTime": "",
        "deliveryStartTime": "",
        "deliveryStatus": "",
        "nextFundingTime": str(next_funding(market.now, 8)),
    }


def _instrument(what: Spec) -> dict[str, Any]:
    return {
        "symbol": what.symbol,
        "baseCoin": what.coin,
        "quoteCoin": "USDT",
        "buyLimitPriceRatio": "0.05",
        "sellLimitPriceRatio": "0.05",
        "feeRateUpRatio": "0.005",
        "makerFeeRate": "0.0002",
        "takerFeeRate": "0.0006",
        "openCostUpRatio": "0.01",
        "supportMarginCoins": ["USDT"],
        "minTradeNum": what.size(1),
        "priceEndStep": "1",
        "volumePlace": str(what.places),
        "pricePlace": str(what.digits),
        "sizeMultiplier": what.size(1),
        "symbolType": "perpetual",
        "minTradeUSDT": "5",
        "symbolStatus": "normal",
        "offTime": "-1",
        "limitOpenTime": "-1",
        "deliveryTime": "",
        "launchTime": "",
        "fundInterval": "8",
        "minLever": "1",
        "maxLever": "125",
        "posLimit": "0.1",
        "maintainTime": "",
    }
