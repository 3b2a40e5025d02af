"""Simulated Gate.io: USDT perpetuals.

Traps kept: sizes are contracts, with a sign; REST times are seconds, those of the socket ms; the
book begins with a REST answer; at most one liquidation a second is sent, the latest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, LiquidationFill, Market, MarketUpdate
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

_CHANNELS: Final = ("trades", "tickers", "public_liquidates", "order_book_update")
_ROOT: Final = "/api/v4/"
_MOST: Final = 2000


class Gate(MockExchange):
    """The venue."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the perpetuals."""
        super().__init__(markets, clock)
        self.name = name
        self._latest: dict[str, LiquidationFill] = {}
        self._answers: dict[str, Callable[[Market, Query], object]] = {
            "candlesticks": self._candles,
            "contract_stats": self._stats,
            "funding_rate": self._payments,
            "trades": lambda market, _: [
                _print(market.spec, f, 1e6) for f in reversed(market.tape)
            ],
            "order_book": lambda market, _: self._book(market),
        }

    # -- requests

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`."""
        del body
        name = path.removeprefix(_ROOT)
        if name == "spot/time":
            return Reply(encode({"server_time": self.millis()}))
        if name == "futures/usdt/contracts":
            return Reply(encode([_contract(market) for market in self.markets.values()]))
        make = self._answers.get(name.removeprefix("futures/usdt/"))
        market = self.find(query.get("contract", ""))
        if make is None:
            raise _refused("NOT_FOUND", "no such path", 404)
        if market is None:
            raise _refused("CONTRACT_NOT_FOUND", "contract not found", 400)
        return Reply(encode(make(market, query)))

    def _candles(self, market: Market, query: Query) -> list[Any]:
        since, until = (number(query, name, 0) * SECOND for name in ("from", "to"))
        bars = market.past.bars(since, until + 1, MINUTE, _MOST, newest=True)
        return [
            {
                "t": bar.at // SECOND, "v": _contracts(market.spec, bar.volume),
                "o": _price(market.spec, bar.open), "h": _price(market.spec, bar.high),
                "l": _price(market.spec, bar.low), "c": _price(market.spec, bar.close),
            }
            for bar in bars
        ]  # fmt: skip

    def _stats(self, market: Market, query: Query) -> list[Any]:
        since, span = number(query, "from", 0) * SECOND, 5 * MINUTE
        until = since + span * number(query, "limit", 30)
        return [
            {
                "time": at // SECOND,
                "open_interest": _contracts(market.spec, size),
                "mark_price": close,
            }
            for at, size, close in market.past.interest(since, until, span)
        ]

    def _payments(self, market: Market, query: Query) -> list[Any]:
        since, until = (number(query, name, 0) * SECOND for name in ("from", "to"))
        rows = market.payments.between(since, until, 8)
        return [{"t": at // SECOND, "r": f"{rate:.6f}"} for at, rate in reversed(rows)]

    def _book(self, market: Market) -> dict[str, Any]:
        book, now = market.sim_book, self.stamp(market.now) / 1000
        bids, asks = book.bids.rows(True), book.asks.rows(False)
        return {
            "id": book.last, "current": now, "update": now,
            "bids": _levels(market.spec, bids), "asks": _levels(market.spec, asks),
        }  # fmt: skip

    # -- socket

    def connect(self, session: Session) -> bool:
        """Accept a connection on the path of USDT contracts."""
        return session.path.partition("?")[0] == "/v4/ws/usdt"

    def on_message(self, session: Session, text: str) -> None:
        """Answer a ping or a subscription; an unknown contract refuses all of it."""
        try:
            request = msgspec.json.decode(text)
            channel, event = request["channel"], request.get("event", "")
            payload = request.get("payload", [])
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            session.send(self._frame("", "", None, {"code": 1, "message": "invalid argument"}))
            return
        name = channel.removeprefix("futures.")
        if name == "ping":
            session.send(self._frame("futures.pong", "", None))
            return
        symbols = payload[:1] if name == "order_book_update" else payload
        if name not in _CHANNELS or not all(symbol in self.markets for symbol in symbols):
            refused = {"code": 2, "message": f"unknown contract or channel: {channel}"}
            session.send(self._frame(channel, event, None, refused))
            return
        change = session.topics.update if event == "subscribe" else session.topics.difference_update
        change(f"{name}.{symbol}" for symbol in symbols)
        session.send(self._frame(channel, event, {"status": "success"}))

    def _frame(self, channel: str, event: str, result: object, error: object = None) -> bytes:
        now = self.millis()
        row: dict[str, Any] = {"time": now // 1000, "time_ms": now, "channel": channel}
        return encode(row | {"event": event, "error": error, "result": result})

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        what, symbol = market.spec, market.spec.symbol
        if market_update.fills:
            rows = [_print(what, fill, 1e3) for fill in market_update.fills]
            yield self._update("trades", symbol, "trades", rows)
        if change := market_update.change:
            row: dict[str, Any] = {
                "t": self.stamp(market_update.at), "s": symbol,
                "U": change.first, "u": change.last,
                "b": _levels(what, change.bids), "a": _levels(what, change.asks),
            }  # fmt: skip
            yield self._update("order_book_update", symbol, "book", row)
        yield self._update("tickers", symbol, "mark", [_ticker(market)])
        if liquidations:
            rows = [_forced(what, each) for each in liquidations]
            yield self._update("public_liquidates", symbol, "liquidations", rows)

    def _update(self, name: str, symbol: str, kind: Any, result: object) -> Frame:
        return Frame(f"{name}.{symbol}", kind, self._frame(f"futures.{name}", "update", result))

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return the latest forced close of each second that is over."""
        if market_update.liquidations:
            self._latest[market.spec.symbol] = market_update.liquidations[-1]
        if not market_update.due(SECOND):
            return []
        latest = self._latest.pop(market.spec.symbol, None)
        return [latest] if latest else []


def _refused(label: str, message: str, status: int) -> RefusedError:
    return RefusedError(Reply(encode({"label": label, "message": message}), status))


def _price(what: Spec, price: float) -> str:
    return what.price(round(price / what.tick))


def _contracts(what: Spec, size: float) -> int:
    return round(what.lots(size, 1.0))


def _levels(what: Spec, rows: Rows) -> list[dict[str, Any]]:
    return [{"p": what.price(ticks), "s": lots} for ticks, lots in rows]


def _print(what: Spec, fill: Fill, unit: float) -> dict[str, Any]:
    """Return a print, its time in units of so many µs: 1e3 on the socket, 1e6 in answers."""
    return {
        "id": fill.id, "contract": what.symbol, "price": what.price(fill.ticks),
        "size": fill.lots if fill.buy else -fill.lots,
        "create_time": fill.at // SECOND, "create_time_ms": round(fill.at // 1000 * 1e3 / unit, 3),
    }  # fmt: skip


def _forced(what: Spec, liquidation: LiquidationFill) -> dict[str, Any]:
    return {
        "contract": what.symbol, "price": float(what.price(liquidation.ticks)),
        "size": liquidation.lots if liquidation.long else -liquidation.lots,
        "time": liquidation.at // SECOND, "time_ms": liquidation.at // 1000,
    }  # fmt: skip


def _ticker(market: Market) -> dict[str, Any]:
    what = market.spec
    return {
        "contract": what.symbol, "last": _price(what, market.price),
        "mark_price": f"{market.mark:.2f}", "index_price": f"{market.index:.2f}",
        "funding_rate": f"{market.rate:.6f}", "total_size": str(_contracts(what, market.oi)),
    }  # fmt: skip


def _contract(market: Market) -> dict[str, Any]:
    what = market.spec
    return {
        "name": what.symbol, "type": "direct", "quanto_multiplier": str(what.value),
        "order_price_round": str(what.tick), "mark_type": "index", "funding_interval": 28800,
        "leverage_max": "100", "maintenance_rate": "0.005", "in_delisting": False,
        "mark_price": f"{market.mark:.2f}", "position_size": _contracts(what, market.oi),
    }  # fmt: skip
