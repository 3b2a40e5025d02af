"""Simulated OKX v5 public socket.

Sizes are contracts. A book chain is `prevSeqId` to `seqId`, which may be reset to lower numbers; a
heartbeat without levels repeats one id in both. Liquidations come as arrays of details, one in
five is never sent, and a new subscriber gets the last ones again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues.exchanges.okx_rest import Answers, family_of, levels
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.wire import Frame, Session, encode

_CHANNELS: Final = ("trades", "books", "open-interest", "mark-price", "funding-rate")
_WHOLE: Final = "liquidation-orders:SWAP"
_HIDDEN: Final = 5
"""One of so many forced closes is not reported."""


class Okx(Answers):
    """The public socket."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the swaps."""
        super().__init__(name, markets, clock)
        self._liquidation_count = 0
        self._shift = dict.fromkeys(self.markets, 0)
        """Subtracted from update ids since the last reset."""
        self._reset: dict[str, int] = {}
        self._oi: dict[str, str] = {}

    def connect(self, session: Session) -> bool:
        """Accept a connection on the public path."""
        session.state["id"] = f"{session.number:08x}"
        return session.path.partition("?")[0] == "/ws/v5/public"

    def on_message(self, session: Session, text: str) -> None:
        """Answer the text ping, subscribe and unsubscribe, one acknowledgement per channel."""
        if text == "ping":
            if not self.flags.get("pong_ignored"):
                session.send(b"pong")
            return
        try:
            request = msgspec.json.decode(text)
            op, names = request["op"], request["args"]
        except (msgspec.DecodeError, TypeError, KeyError):
            self._error(session, "60012", f"Illegal request: {text[:60]}")
            return
        if op not in {"subscribe", "unsubscribe"}:
            self._error(session, "60012", f"Illegal request: {text[:60]}")
            return
        for arg in names:
            self._switch(session, op, arg)

    def _switch(self, session: Session, op: str, arg: dict[str, str]) -> None:
        """Subscribe to or unsubscribe from one channel."""
        channel = arg.get("channel", "")
        topic = f"{channel}:{arg.get('instId', arg.get('instType', ''))}"
        if not self._known(topic):
            text = f"Wrong URL or channel:{channel},instId:{arg.get('instId')} doesn't exist."
            self._error(session, "60018", text)
            return
        session.send(encode({"event": op, "arg": arg, "connId": session.state["id"]}))
        if op == "unsubscribe":
            session.topics.discard(topic)
            return
        session.topics.add(topic)
        for body in self._initial_frames(topic):
            session.send(body)

    def _error(self, session: Session, code: str, text: str) -> None:
        session.send(
            encode({"event": "error", "code": code, "msg": text, "connId": session.state["id"]})
        )

    def _known(self, topic: str) -> bool:
        channel, _, name = topic.partition(":")
        if channel == "index-tickers":
            return any(family_of(m.spec) == name for m in self.markets.values())
        return topic == _WHOLE or (channel in _CHANNELS and name in self.markets)

    def _initial_frames(self, topic: str) -> Iterator[bytes]:
        """Yield the first frames of a new subscription."""
        channel, _, name = topic.partition(":")
        market = self.find(name)
        if topic == _WHOLE:
            for market, liquidation in self.replayed_liquidations():
                yield self._push(topic, [self._forced(market, [liquidation])])
        elif channel == "books" and market:
            sim_book = market.sim_book
            rows = self._levels(market, sim_book.bids.rows(True), sim_book.asks.rows(False))
            last = sim_book.last - self._shift[name]
            yield self._push(topic, [rows | {"seqId": last, "prevSeqId": -1}], "snapshot")
        elif channel == "open-interest" and market:
            yield self._push(topic, [self.interest(market)])
        elif channel == "mark-price" and market:
            yield self._push(topic, [self.mark(market)])
        elif channel == "funding-rate" and market:
            yield self._push(topic, [self.funding(market)])

    def _push(self, topic: str, data: list[Any], action: str = "") -> bytes:
        channel, _, name = topic.partition(":")
        where = "instType" if topic == _WHOLE else "instId"
        row: dict[str, Any] = {"arg": {"channel": channel, where: name}}
        if action:
            row["action"] = action
        return encode(row | {"data": data})

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return four of five forced closes."""
        del market
        out: list[LiquidationFill] = []
        for liquidation in market_update.liquidations:
            self._liquidation_count += 1
            if self._liquidation_count % _HIDDEN:
                out.append(liquidation)
        return out

    def restart(self, market: Market) -> Iterator[Frame]:
        """Number the next update lower than the one before it, as after maintenance."""
        self._reset[market.spec.symbol] = market.sim_book.last - 1_000
        yield from ()

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        symbol = market.spec.symbol
        topic = f"trades:{symbol}"
        if market_update.fills and self.is_subscribed(topic):
            rows = [self.trade(market.spec, fill) for fill in market_update.fills]
            yield Frame(topic, "trades", self._push(topic, rows))
        yield from self._publish_book(f"books:{symbol}", market, market_update)
        if liquidations:
            yield Frame(
                _WHOLE, "liquidations", self._push(_WHOLE, [self._forced(market, liquidations)])
            )
        if market_update.due(200_000):
            yield Frame(f"mark-price:{symbol}", "mark", self._mark(market))
            yield self._index(market)
        if market_update.due(3 * SECOND):
            yield from self._publish_interest(f"open-interest:{symbol}", market)
        if market_update.due(MINUTE):
            topic = f"funding-rate:{symbol}"
            yield Frame(topic, "other", self._push(topic, [self.funding(market)]))

    def _publish_book(
        self, topic: str, market: Market, market_update: MarketUpdate
    ) -> Iterator[Frame]:
        """Yield the update, and each minute a heartbeat; a reset shows in both ids at once."""
        symbol, change = market.spec.symbol, market_update.change
        if change is None:
            return
        previous = change.previous - self._shift[symbol]
        self._shift[symbol] = self._reset.pop(symbol, self._shift[symbol])
        if not self.is_subscribed(topic):
            return
        if market_update.due(MINUTE):
            still = self._levels(market, [], []) | {"seqId": previous, "prevSeqId": previous}
            yield Frame(topic, "other", self._push(topic, [still], "update"))
        ids = {"seqId": change.last - self._shift[symbol], "prevSeqId": previous}
        rows = self._levels(market, change.bids, change.asks)
        yield Frame(topic, "book", self._push(topic, [rows | ids], "update"))

    def _publish_interest(self, topic: str, market: Market) -> Iterator[Frame]:
        row = self.interest(market)
        if self._oi.get(market.spec.symbol) != row["oi"]:
            self._oi[market.spec.symbol] = row["oi"]
            yield Frame(topic, "other", self._push(topic, [row]))

    def _levels(self, market: Market, bids: Rows, asks: Rows) -> dict[str, Any]:
        return {
            "asks": levels(market.spec, asks),
            "bids": levels(market.spec, bids),
            "ts": str(self.stamp(market.now)),
            "checksum": 0,
        }

    def _mark(self, market: Market) -> bytes:
        return self._push(f"mark-price:{market.spec.symbol}", [self.mark(market)])

    def _index(self, market: Market) -> Frame:
        family, what = family_of(market.spec), market.spec
        _, _, high, low = market.day()
        price = f"{market.index:.{what.digits}f}"
        row = {
            "instId": family,
            "idxPx": price,
            "high24h": what.price(round(high / what.tick)),
            "low24h": what.price(round(low / what.tick)),
            "open24h": price,
            "sodUtc0": price,
            "sodUtc8": price,
            "ts": str(self.stamp(market.now)),
        }
        topic = f"index-tickers:{family}"
        return Frame(topic, "other", self._push(topic, [row]))

    def _forced(self, market: Market, liquidations: list[LiquidationFill]) -> dict[str, Any]:
        what = market.spec
        details = [
            {
                "bkLoss": "0",
                "bkPx": what.price(round(liquidation.bankruptcy / what.tick)),
                "ccy": "",
                "posSide": "long" if liquidation.long else "short",
                "side": "sell" if liquidation.long else "buy",
                "sz": what.size(liquidation.lots),
                "ts": str(self.stamp(liquidation.at)),
            }
            for liquidation in liquidations
        ]
        family = family_of(what)
        return {
            "details": details,
            "instFamily": family,
            "instId": what.symbol,
            "instType": "SWAP",
            "uly": family,
        }
