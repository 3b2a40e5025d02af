"""Simulated Deribit: JSON-RPC over one socket, and the same methods by GET.

Amounts of BTC and ETH are dollars. A forced close is a flag on the trade it made: `T`, since here
it is always the taker who is liquidated. A client that enabled heartbeats and leaves a
`test_request` unanswered is disconnected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import Frame, MockExchange, RefusedError, Reply, Session, encode

_KINDS: Final = ("trades", "book", "ticker")
_SPANS: Final = {"1": 1, "3": 3, "5": 5, "10": 10, "15": 15, "30": 30, "60": 60, "1D": 1440}
_ROWS: Final = 5_000

_Params: TypeAlias = dict[str, Any]
_Method: TypeAlias = Callable[[_Params], Any]


class _ParamsError(Exception):
    """Parameters the venue refuses; the text names the first wrong one."""


class Deribit(MockExchange):
    """The venue."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the perpetuals."""
        super().__init__(markets, clock)
        self.name = name
        self._known: dict[str, tuple[set[int], set[int]]] = {
            symbol: (set(m.sim_book.bids.ticks.tolist()), set(m.sim_book.asks.ticks.tolist()))
            for symbol, m in self.markets.items()
        }
        """Ticks of the levels sent, to distinguish a new level from a changed one."""
        self._methods: dict[str, _Method] = {
            "public/get_time": lambda _p: self.millis(),
            "public/test": lambda _p: {"version": "1.2.26"},
            "public/get_instruments": self._instruments,
            "public/get_tradingview_chart_data": self._candles,
            "public/get_funding_rate_history": self._funding,
            "public/get_last_trades_by_instrument": self._trades,
            "public/ticker": lambda p: self._ticker(self._market(p)),
        }

    # -- requests

    def answer(self, path: str, query: Any, body: bytes) -> Reply:
        """See `MockExchange.answer`."""
        del body
        name = path.removeprefix("/api/v2/")
        method = self._methods.get(name)
        if method is None:
            raise RefusedError(Reply(encode(self._error(None, -32601, "Method not found")), 404))
        params = {key: _plain(value) for key, value in query.items()}
        try:
            return Reply(encode(self._envelope() | {"result": method(params)}))
        except _ParamsError as why:
            raise RefusedError(
                Reply(encode(self._error(None, -32602, "Invalid params", why)), 400)
            ) from why

    def _envelope(self) -> dict[str, Any]:
        now = self.millis() * 1000
        return {"jsonrpc": "2.0", "usIn": now, "usOut": now + 100, "usDiff": 100, "testnet": False}

    def _error(
        self, ident: object, code: int, text: str, why: Exception | None = None
    ) -> dict[str, Any]:
        error: dict[str, Any] = {"message": text, "code": code}
        if why:
            error["data"] = {"reason": "wrong format", "param": str(why)}
        return self._envelope() | {"error": error} | ({} if ident is None else {"id": ident})

    def _market(self, params: _Params) -> Market:
        market = self.find(str(params.get("instrument_name", "")))
        if market is None:
            raise _ParamsError("instrument_name")
        return market

    def _instruments(self, params: _Params) -> list[Any]:
        coin = params.get("currency", "any")
        if params.get("kind", "future") != "future":
            return []
        return [
            _instrument(market.spec)
            for market in self.markets.values()
            if coin in {"any", market.spec.coin if market.spec.inverse else "USDC"}
        ]

    def _candles(self, params: _Params) -> dict[str, Any]:
        market = self._market(params)
        what = market.spec
        span = _SPANS.get(str(params.get("resolution")), 0) * MINUTE
        if not span:
            raise _ParamsError("resolution")
        since, until = (_whole(params, f"{name}_timestamp") for name in ("start", "end"))
        bars = market.past.bars(since * 1000, until * 1000 + 1, span, _ROWS, newest=True)
        middles = [(bar.open + bar.close) / 2 for bar in bars]
        rows: dict[str, Any] = {
            name: [_price(what, getattr(bar, name)) for bar in bars]
            for name in ("open", "high", "low", "close")
        }
        return rows | {
            "ticks": [bar.at // 1000 for bar in bars],
            "volume": [round(bar.volume, 8) for bar in bars],
            "cost": [round(b.volume * m, 2) for b, m in zip(bars, middles, strict=True)],
            "status": "ok" if bars else "no_data",
        }

    def _funding(self, params: _Params) -> list[Any]:
        market = self._market(params)
        since, until = (_whole(params, f"{name}_timestamp") for name in ("start", "end"))
        rows = market.payments.between(since * 1000, until * 1000, 1)
        index = round(market.index, 2)
        return [
            {
                "timestamp": at // 1000,
                "interest_8h": rate,
                "interest_1h": rate / 8,
                "index_price": index,
                "prev_index_price": index,
            }
            for at, rate in rows
        ]

    def _trades(self, params: _Params) -> dict[str, Any]:
        market = self._market(params)
        count = min(int(params.get("count", 10)), 1000)
        first = int(params.get("start_seq", 0))
        fills = [fill for fill in market.tape if fill.id >= first]
        chosen = fills[:count] if first else fills[-count:]
        rows = [self._print(market, fill) for fill in chosen]
        if params.get("sorting", "default") in {"default", "desc"}:
            rows.reverse()
        return {"trades": rows, "has_more": len(fills) > count}

    # -- socket

    def connect(self, session: Session) -> bool:
        """Accept a connection on the one path."""
        session.state.update(every=0, asked=0, due=0)
        return session.path.partition("?")[0] == "/ws/api/v2"

    def on_message(self, session: Session, text: str) -> None:
        """Answer one JSON-RPC request."""
        try:
            request = msgspec.json.decode(text)
            method, params = request["method"], request.get("params") or {}
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            session.send(encode(self._error(None, -32700, "Parse error")))
            return
        ident = request.get("id")
        own: dict[str, Callable[[Session, _Params], Any]] = {
            "public/subscribe": self._subscribe,
            "public/unsubscribe": self._unsubscribe,
            "public/set_heartbeat": self._heartbeat,
        }
        if method == "public/test":
            session.state["asked"] = 0
        try:
            if method in own:
                result = own[method](session, params)
            elif method in self._methods:
                result = self._methods[method](params)
            else:
                session.send(encode(self._error(ident, -32601, "Method not found")))
                return
        except _ParamsError as why:
            session.send(encode(self._error(ident, -32602, "Invalid params", why)))
            return
        if method == "public/test" and self.flags.get("pong_ignored"):
            return
        session.send(encode(self._envelope() | {"id": ident, "result": result}))
        if method == "public/subscribe":
            for topic in result:
                self._send_initial_frame(session, topic)

    def _subscribe(self, session: Session, params: _Params) -> list[str]:
        """Subscribe to the channels that exist, and return them."""
        taken = [name for name in params.get("channels", []) if self._known_channel(name)]
        session.topics.update(taken)
        return taken

    def _unsubscribe(self, session: Session, params: _Params) -> list[str]:
        gone = [name for name in params.get("channels", []) if name in session.topics]
        session.topics.difference_update(gone)
        return gone

    def _heartbeat(self, session: Session, params: _Params) -> str:
        every = int(params.get("interval", 0))
        if every < 10:
            raise _ParamsError("interval")
        session.state.update(every=every * SECOND, asked=0, due=self.clock() + every * SECOND)
        return "ok"

    def on_timer(self, session: Session) -> bool:
        """Send a heartbeat each interval; disconnect a client that did not answer the last one."""
        state = session.state
        if not state["every"] or self.clock() < state["due"]:
            return True
        if state["asked"]:
            return False
        state.update(asked=1, due=self.clock() + state["every"])
        for kind in ("heartbeat", "test_request"):
            row = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}
            session.send(encode(row))
        return True

    def _known_channel(self, name: str) -> bool:
        parts = name.split(".")
        return (
            len(parts) == 3
            and parts[0] in _KINDS
            and parts[1] in self.markets
            and parts[2] == "100ms"
        )

    def _send_initial_frame(self, session: Session, topic: str) -> None:
        """Send the first frame of a new subscription."""
        kind, symbol, _ = topic.split(".")
        market = self.markets[symbol]
        if kind == "book":
            sim_book = market.sim_book
            sides = sim_book.bids.rows(True), sim_book.asks.rows(False)
            rows = [[["new", *_level(market.spec, *row)] for row in side] for side in sides]
            session.send(self._push(topic, self._change(market, "snapshot", rows)))
        elif kind == "ticker":
            session.send(self._push(topic, self._ticker(market)))

    def _push(self, topic: str, data: object) -> bytes:
        params = {"channel": topic, "data": data}
        return encode({"jsonrpc": "2.0", "method": "subscription", "params": params})

    def _change(self, market: Market, kind: str, rows: list[list[list[Any]]]) -> dict[str, Any]:
        return {
            "type": kind,
            "timestamp": self.stamp(market.now),
            "instrument_name": market.spec.symbol,
            "change_id": market.sim_book.last,
            "bids": rows[0],
            "asks": rows[1],
        }

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        del liquidations  # sent as flags on the trades
        symbol = market.spec.symbol
        topic = f"trades.{symbol}.100ms"
        if market_update.fills and self.is_subscribed(topic):
            rows = [self._print(market, fill) for fill in market_update.fills]
            yield Frame(topic, "trades", self._push(topic, rows))
        topic = f"book.{symbol}.100ms"
        if market_update.change:
            change = market_update.change
            sides = zip(self._known[symbol], (change.bids, change.asks), strict=True)
            rows = [self._actions(market.spec, known, side) for known, side in sides]
            if self.is_subscribed(topic):
                row = self._change(market, "change", rows) | {"prev_change_id": change.previous}
                yield Frame(topic, "book", self._push(topic, row))
        topic = f"ticker.{symbol}.100ms"
        if self.is_subscribed(topic):
            yield Frame(topic, "mark", self._push(topic, self._ticker(market)))

    def _actions(self, what: Spec, known: set[int], rows: Rows) -> list[list[Any]]:
        """Return levels with their action, and remember which exist."""
        out: list[list[Any]] = []
        for ticks, lots in rows:
            action = "delete" if not lots else "change" if ticks in known else "new"
            (known.add if lots else known.discard)(ticks)
            out.append([action, *_level(what, ticks, lots)])
        return out

    def _print(self, market: Market, fill: Fill) -> dict[str, Any]:
        what = market.spec
        amount = float(what.size(fill.lots))
        row: dict[str, Any] = {
            "trade_seq": fill.id,
            "trade_id": str(fill.id + 200_000_000),
            "timestamp": self.stamp(fill.at),
            "tick_direction": 1 if fill.buy else 3,
            "price": float(what.price(fill.ticks)),
            "mark_price": round(market.mark, 2),
            "instrument_name": what.symbol,
            "index_price": round(market.index, 2),
            "direction": "buy" if fill.buy else "sell",
            "contracts": amount / what.lot,
            "amount": amount,
        }
        return row | ({"liquidation": "T"} if fill.liquidated else {})

    def _ticker(self, market: Market) -> dict[str, Any]:
        what = market.spec
        bid, ask = market.sim_book.bids.rows(True, 1)[0], market.sim_book.asks.rows(False, 1)[0]
        volume, quote, high, low = market.day()
        best_bid, best_ask = _level(what, *bid), _level(what, *ask)
        index = round(market.index, 2)
        return {
            "timestamp": self.stamp(market.now),
            "state": "open",
            "stats": {
                "high": _price(what, high),
                "low": _price(what, low),
                "price_change": 0.0,
                "volume": round(volume, 8),
                "volume_usd": round(quote, 2),
                "volume_notional": round(quote, 2),
            },
            "settlement_price": index,
            "open_interest": float(what.size(round(what.lots(market.oi, market.mark)))),
            "min_price": _price(what, market.mark * 0.985),
            "max_price": _price(what, market.mark * 1.015),
            "mark_price": round(market.mark, 2),
            "last_price": _price(what, market.price),
            "interest_value": market.rate,
            "instrument_name": what.symbol,
            "index_price": index,
            "funding_8h": round(market.paid, 8),
            "estimated_delivery_price": index,
            "current_funding": round(market.rate, 8),
            "best_bid_price": best_bid[0],
            "best_bid_amount": best_bid[1],
            "best_ask_price": best_ask[0],
            "best_ask_amount": best_ask[1],
        }


def _plain(text: str) -> Any:
    return int(text) if text.lstrip("-").isdigit() else text


def _whole(params: _Params, name: str) -> int:
    value = params.get(name)
    if not isinstance(value, int):
        raise _ParamsError(name)
    return value


def _price(what: Spec, price: float) -> float:
    return float(what.price(round(price / what.tick)))


def _level(what: Spec, ticks: int, lots: int) -> list[float]:
    return [float(what.price(ticks)), float(what.size(lots))]


def _instrument(what: Spec) -> dict[str, Any]:
    money = "USD" if what.inverse else "USDC"
    return {
        "price_index": f"{what.coin}_{money}".lower(),
        "kind": "future",
        "instrument_name": what.symbol,
        "max_leverage": 50,
        "maker_commission": 0.0,
        "taker_commission": 0.0005,
        "instrument_type": "reversed" if what.inverse else "linear",
        "expiration_timestamp": 32503708800000,
        "creation_timestamp": 1534167754000,
        "is_active": True,
        "state": "open",
        "tick_size": what.tick,
        "contract_size": what.lot,
        "instrument_id": 124972,
        "min_trade_amount": what.lot,
        "future_type": "reversed" if what.inverse else "linear",
        "max_liquidation_commission": 0.0075,
        "block_trade_commission": 0.00025,
        "block_trade_min_trade_amount": 200000,
        "block_trade_tick_size": 0.01,
        "settlement_currency": what.coin if what.inverse else "USDC",
        "settlement_period": "perpetual",
        "base_currency": what.coin,
        "counter_currency": money,
        "quote_currency": money,
        "tick_size_steps": [],
    }
