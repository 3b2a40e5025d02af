"""Simulated Binance futures: USD-M, and with other units COIN-M.

Traps kept: a socket on the wrong route connects and stays silent; an unknown stream is acknowledged
and stays silent; of liquidations only the latest of each second and symbol is sent.
The reply to a REST request carries the weight used in the running UTC minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from powderkeg.events import SECOND
from powderkeg.simvenues.exchanges.binance_rest import Answers, aggregate, levels, pair_of, snapshot
from powderkeg.simvenues.faults import Fault
from powderkeg.simvenues.market.feed import LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.published import next_funding
from powderkeg.simvenues.wire import Frame, Session, encode

_PUBLIC: Final = ("depth", "bookTicker", "trade")
_MARKET: Final = ("aggTrade", "markPrice", "forceOrder")


class Binance(Answers):
    """One of the two futures hosts."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve ``binance`` or ``binance-coin``."""
        super().__init__(name, markets, clock)
        self._second_latest: dict[str, LiquidationFill] = {}

    def connect(self, session: Session) -> bool:
        """Subscribe to the streams a path names; the route decides which of them send anything."""
        parts = urlsplit(session.path)
        steps = parts.path.strip("/").split("/")
        route = steps.pop(0) if steps and steps[0] in {"public", "market", "private"} else ""
        if not steps or steps[0] not in {"ws", "stream"}:
            return False
        session.state["combined"] = steps[0] == "stream"
        session.state["route"] = route
        names = steps[1:]
        for value in parse_qs(parts.query).get("streams", []):
            names += value.split("/")
        for name in names:
            self.listen(session, name)
        return True

    def listen(self, session: Session, name: str) -> None:
        """Subscribe; a stream of another route is accepted and stays silent."""
        kind = name.partition("@")[2].partition("@")[0]
        allowed = {"public": _PUBLIC, "market": _MARKET}.get(session.state["route"], ())
        session.topics.add(name if kind in allowed else f"{session.state['route']}!silent!{name}")

    def on_message(self, session: Session, text: str) -> None:
        """Answer SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS."""
        try:
            request = msgspec.json.decode(text)
            method, names, ident = request["method"], request.get("params", []), request.get("id")
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            session.send(encode({"error": {"code": 2, "msg": "Invalid request: bad JSON"}}))
            return
        result: list[str] | None = None
        for name in names or ():
            if method == "SUBSCRIBE":
                self.listen(session, name)
            elif method == "UNSUBSCRIBE":
                session.topics = {t for t in session.topics if t.rpartition("!")[2] != name}
        if method == "LIST_SUBSCRIPTIONS":
            result = sorted(session.topics)
        session.send(encode({"result": result, "id": ident}))

    def begin_fault(self, asked: Fault) -> None:
        """See `MockExchange.begin_fault`; a stale snapshot is the book as it is now."""
        super().begin_fault(asked)
        if asked.fault == "stale_snapshot":
            self.flags["stale_snapshot"] = {s: snapshot(m) for s, m in self.markets.items()}

    def encode_frame(self, session: Session, frame: Frame) -> bytes:
        """Wrap a frame where the socket asked for combined streams."""
        if not session.state["combined"]:
            return frame.body
        return b'{"stream":"%b","data":%b}' % (frame.topic.encode(), frame.body)

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        low = market.spec.symbol.lower()
        yield from self._publish_trades(f"{low}@aggTrade", f"{low}@trade", market, market_update)
        yield from self._publish_book(low, market, market_update)
        if market_update.due(SECOND):
            yield from self._publish_mark(f"{low}@markPrice@1s", market, market_update)
        if market_update.due(3 * SECOND):
            yield from self._publish_mark(f"{low}@markPrice", market, market_update)
        for liquidation in liquidations:
            yield Frame(
                f"{low}@forceOrder",
                "liquidations",
                self._forced(market, liquidation, market_update.at),
            )

    def _head(self, kind: str, market: Market, at: int) -> dict[str, Any]:
        head: dict[str, Any] = {"e": kind, "E": self.stamp(at), "s": market.spec.symbol}
        if self.coin:
            head["ps"] = pair_of(market.spec)
        return head | {"st": 2 if self.coin else 1}

    def _publish_trades(
        self, many: str, each: str, market: Market, market_update: MarketUpdate
    ) -> Iterator[Frame]:
        if self.is_subscribed(many):
            head = self._head("aggTrade", market, market_update.at)
            for fill in market_update.fills:
                row = head | aggregate(market.spec, fill)
                row["nq"] = row["q"]
                row["T"] = self.stamp(fill.at)
                yield Frame(many, "trades", encode(row))
        if self.is_subscribed(each):
            for fill in market_update.fills:
                row = self._head("trade", market, market_update.at) | {
                    "T": self.stamp(fill.at),
                    "t": fill.last,
                    "p": market.spec.price(fill.ticks),
                    "q": market.spec.size(fill.lots),
                    "X": "MARKET",
                    "m": not fill.buy,
                }
                yield Frame(each, "trades", encode(row))

    def _publish_book(
        self, low: str, market: Market, market_update: MarketUpdate
    ) -> Iterator[Frame]:
        change = market_update.change
        if change is None:
            return
        topics = [f"{low}@depth@100ms", f"{low}@depth"]
        if any(map(self.is_subscribed, topics)):
            row = self._head("depthUpdate", market, market_update.at) | {
                "T": self.stamp(market_update.at),
                "U": change.first,
                "u": change.last,
                "pu": change.previous,
                "b": levels(market.spec, change.bids),
                "a": levels(market.spec, change.asks),
            }
            body = encode(row)
            for topic in filter(self.is_subscribed, topics):
                yield Frame(topic, "book", body)
        top = f"{low}@bookTicker"
        if self.is_subscribed(top):
            yield Frame(top, "other", encode(self._top(market, market_update.at)))

    def _top(self, market: Market, at: int) -> dict[str, Any]:
        what = market.spec
        (bid, bids), (ask, asks) = (
            market.sim_book.bids.rows(True, 1)[0],
            market.sim_book.asks.rows(False, 1)[0],
        )
        return self._head("bookTicker", market, at) | {
            "u": market.sim_book.last,
            "b": what.price(bid),
            "B": what.size(bids),
            "a": what.price(ask),
            "A": what.size(asks),
            "T": self.stamp(at),
        }

    def _publish_mark(
        self, topic: str, market: Market, market_update: MarketUpdate
    ) -> Iterator[Frame]:
        if not self.is_subscribed(topic):
            return
        row = self._head("markPriceUpdate", market, market_update.at) | {
            "p": f"{market.mark:.8f}",
            "ap": f"{market.mark:.8f}",
            "P": f"{market.index:.8f}",
            "i": f"{market.index:.8f}",
            "r": f"{market.rate:.8f}",
            "T": next_funding(market_update.at, 8),
        }
        yield Frame(topic, "mark", encode(row))
        if self.flags.get("coinm_rows") and not self.coin:
            pair = f"{market.spec.coin}USD"
            other = row | {"s": f"{pair}_PERP", "ps": pair, "st": 2}
            yield Frame(topic, "other", encode(other))

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return the latest forced close of each second that is over."""
        symbol = market.spec.symbol
        out: list[LiquidationFill] = []
        for liquidation in market_update.liquidations:
            held = self._second_latest.get(symbol)
            if held is not None and held.at // SECOND != liquidation.at // SECOND:
                out.append(held)
            self._second_latest[symbol] = liquidation
        held = self._second_latest.get(symbol)
        if held is not None and held.at // SECOND < market_update.at // SECOND:
            out.append(self._second_latest.pop(symbol))
        return out

    def _forced(self, market: Market, liquidation: LiquidationFill, at: int) -> bytes:
        what = market.spec
        size = what.size(liquidation.lots)
        order: dict[str, Any] = {
            "s": what.symbol,
            "S": "SELL" if liquidation.long else "BUY",
            "o": "LIMIT",
            "f": "IOC",
            "q": size,
            "p": what.price(round(liquidation.bankruptcy / what.tick)),
            "ap": what.price(liquidation.ticks),
            "X": "FILLED",
            "l": size,
            "z": size,
            "T": self.stamp(liquidation.at),
        }
        if self.coin:
            order["ps"] = pair_of(what)
        return encode(
            {"e": "forceOrder", "E": self.stamp(at), "o": order, "st": 2 if self.coin else 1}
        )
