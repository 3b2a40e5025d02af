"""Simulated Bybit v5: linear, and with other units inverse.

Traps kept: `S` of a liquidation is the side of the position, and `p` its bankruptcy price; all are
sent, in batches of half a second. `openInterest` counts both sides. A ticker delta names only what
changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from powderkeg.simvenues.exchanges.bybit_rest import Answers, ident, ticker
from powderkeg.simvenues.market.feed import Fill, LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import Frame, Session, encode

_BATCH: Final = 500_000
_TOPICS: Final = ("orderbook.200", "publicTrade", "tickers", "allLiquidation")


class Bybit(Answers):
    """One category."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve ``bybit`` or ``bybit-inverse``."""
        super().__init__(name, markets, clock)
        self._batch: dict[str, list[LiquidationFill]] = {}
        self._ticker: dict[str, dict[str, str]] = {}

    def connect(self, session: Session) -> bool:
        """Accept a connection on this category's path."""
        session.state["id"] = str(uuid.UUID(int=session.number))
        return session.path.partition("?")[0] == f"/v5/public/{self.category}"

    def on_message(self, session: Session, text: str) -> None:
        """Answer ping, subscribe and unsubscribe; one bad topic refuses the whole message."""
        try:
            request = msgspec.json.decode(text)
            op, names = request["op"], request.get("args") or []
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            self._ack(session, {}, "", "error:invalid message")
            return
        if op == "ping":
            if not self.flags.get("pong_ignored"):
                self._ack(session, request, "ping", "", "pong")
            return
        wrong = [name for name in names if not self._known(name)]
        if op not in {"subscribe", "unsubscribe"} or wrong:
            why = f"error:handler not found,topic:{','.join(wrong)}" if wrong else f"error:op:{op}"
            self._ack(session, request, op, why)
            return
        self._ack(session, request, op, "")
        for name in names:
            if op == "unsubscribe":
                session.topics.discard(name)
            else:
                self._begin(session, name)

    def _ack(
        self, session: Session, request: dict[str, Any], op: str, why: str, good: str = ""
    ) -> None:
        row: dict[str, Any] = {
            "success": not why,
            "ret_msg": why or good,
            "conn_id": session.state["id"],
        }
        if "req_id" in request:
            row["req_id"] = request["req_id"]
        session.send(encode(row | {"op": op}))

    def _known(self, name: str) -> bool:
        kind, _, symbol = name.rpartition(".")
        return kind in _TOPICS and symbol in self.markets

    def _begin(self, session: Session, name: str) -> None:
        """Subscribe, with a snapshot first where the topic has one."""
        session.topics.add(name)
        kind, _, symbol = name.rpartition(".")
        market = self.markets[symbol]
        if kind == "orderbook.200":
            session.send(self._frame(name, "snapshot", market.now, self.snapshot(market, 200)))
        elif kind == "tickers":
            session.send(self._frame(name, "snapshot", market.now, ticker(market)))

    def _frame(self, topic: str, kind: str, at: int, data: object) -> bytes:
        row = {"topic": topic, "type": kind, "ts": self.stamp(at), "data": data}
        if topic.startswith("orderbook"):
            row["cts"] = self.stamp(at) - 1
        elif topic.startswith("tickers"):
            row["cs"] = at // 1000
        return encode(row)

    def restart(self, market: Market) -> Iterator[Frame]:
        """Yield what a restarted service sends: a snapshot whose `u` is 1."""
        self.first_number[market.spec.symbol] = market.sim_book.count - 1
        topic = f"orderbook.200.{market.spec.symbol}"
        body = self._frame(topic, "snapshot", market.now, self.snapshot(market, 200))
        yield Frame(topic, "other", body)

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        symbol = market.spec.symbol
        topic = f"publicTrade.{symbol}"
        if market_update.fills and self.is_subscribed(topic):
            rows = [self._print(market.spec, fill) for fill in market_update.fills]
            yield Frame(topic, "trades", self._frame(topic, "snapshot", market_update.at, rows))
        topic = f"orderbook.200.{symbol}"
        if market_update.change and self.is_subscribed(topic):
            rows = self.rows(market, market_update.change.bids, market_update.change.asks)
            yield Frame(topic, "book", self._frame(topic, "delta", market_update.at, rows))
        topic = f"tickers.{symbol}"
        if self.is_subscribed(topic):
            yield from self._publish_ticker(topic, market, market_update)
        topic = f"allLiquidation.{symbol}"
        if liquidations and self.is_subscribed(topic):
            rows = [self._forced(market.spec, liquidation) for liquidation in liquidations]
            yield Frame(
                topic, "liquidations", self._frame(topic, "snapshot", market_update.at, rows)
            )

    def _publish_ticker(
        self, topic: str, market: Market, market_update: MarketUpdate
    ) -> Iterator[Frame]:
        now = ticker(market)
        old = self._ticker.get(market.spec.symbol, {})
        changed = {name: value for name, value in now.items() if old.get(name) != value}
        self._ticker[market.spec.symbol] = now
        if changed:
            row = {"symbol": market.spec.symbol} | changed
            yield Frame(topic, "mark", self._frame(topic, "delta", market_update.at, row))

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return all forced closes of each half second that is over."""
        batch = self._batch.setdefault(market.spec.symbol, [])
        batch += market_update.liquidations
        if not market_update.due(_BATCH):
            return []
        self._batch[market.spec.symbol] = []
        return batch

    def _forced(self, what: Spec, liquidation: LiquidationFill) -> dict[str, Any]:
        return {
            "T": self.stamp(liquidation.at),
            "s": what.symbol,
            "S": "Buy" if liquidation.long else "Sell",
            "v": what.size(liquidation.lots),
            "p": what.price(round(liquidation.bankruptcy / what.tick)),
        }

    def _print(self, what: Spec, fill: Fill) -> dict[str, Any]:
        return {
            "T": self.stamp(fill.at),
            "s": what.symbol,
            "S": "Buy" if fill.buy else "Sell",
            "v": what.size(fill.lots),
            "p": what.price(fill.ticks),
            "L": "PlusTick" if fill.buy else "MinusTick",
            "i": ident(what, fill),
            "BT": False,
            "RPI": False,
            "seq": fill.id,
        }
