"""Simulated Binance spot: one socket path for all streams, and neither marks nor liquidations.

Other than on the futures hosts: changes of the book follow by `U`, without `pu`; book tickers carry
no event and no time, REST books no time; prices and sizes are written with eight decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from powderkeg.simvenues.exchanges.binance import Binance
from powderkeg.simvenues.exchanges.binance_rest import aggregate, levels, refusal, snapshot
from powderkeg.simvenues.market.feed import LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import Frame, Query, Reply, Session, encode, number

_KINDS: Final = ("aggTrade", "trade", "depth", "bookTicker")
_LIMIT: Final = 6_000
_LEVELS: Final = 5_000
_DEPTHS: Final = ((100, 5), (500, 25), (1_000, 50), (_LEVELS, 250))
"""Weights of so many levels."""
_ROWS: Final = 1_000


class BinanceSpot(Binance):
    """The spot host."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve ``binance-spot``."""
        super().__init__(name, markets, clock)
        self.limit = _LIMIT
        root = "/api/v3"
        self.rest = {
            f"{root}/ping": lambda _q: Reply(b"{}"),
            f"{root}/time": lambda _q: Reply(encode({"serverTime": self.millis()})),
            f"{root}/exchangeInfo": self._instruments,
            f"{root}/depth": self._depth,
            f"{root}/klines": self._klines,
            f"{root}/aggTrades": self._recent,
        }

    # -- REST

    def _instruments(self, _query: Query) -> Reply:
        whole: dict[str, Any] = {
            "timezone": "UTC",
            "serverTime": self.millis(),
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": _LIMIT,
                }
            ],
            "exchangeFilters": [],
            "symbols": [_instrument(market.spec) for market in self.markets.values()],
        }
        return Reply(encode(whole), weight=20)

    def _depth(self, query: Query) -> Reply:
        market = self.market(query)
        limit = min(number(query, "limit", 100), _LEVELS)
        if limit < 1:
            raise refusal(-1100, "Illegal characters found in parameter 'limit'.")
        kept = self.flags.get("stale_snapshot", {}).get(market.spec.symbol)
        last, _, bids, asks = kept or snapshot(market)
        row: dict[str, Any] = {
            "lastUpdateId": last,
            "bids": levels(market.spec, bids[:limit]),
            "asks": levels(market.spec, asks[:limit]),
        }
        return Reply(encode(row), weight=next(w for most, w in _DEPTHS if limit <= most))

    def _klines(self, query: Query) -> Reply:
        limit = min(number(query, "limit", 500), _ROWS)
        return replace(self.candles({**query, "limit": str(limit)}), weight=2)

    def _recent(self, query: Query) -> Reply:
        rows = self.recent(query, min(number(query, "limit", 500), _ROWS))
        market = self.market(query)
        return Reply(encode([aggregate(market.spec, row) | {"M": True} for row in rows]), weight=4)

    # -- streams

    def connect(self, session: Session) -> bool:
        """Subscribe to the streams a path names."""
        parts = urlsplit(session.path)
        first, *names = parts.path.strip("/").split("/")
        if first not in {"ws", "stream"}:
            return False
        session.state["combined"] = first == "stream"
        for value in parse_qs(parts.query).get("streams", []):
            names += value.split("/")
        for name in names:
            self.listen(session, name)
        return True

    def listen(self, session: Session, name: str) -> None:
        """Subscribe; an unknown stream is accepted and stays silent."""
        kind = name.partition("@")[2].partition("@")[0]
        session.topics.add(name if kind in _KINDS else f"silent!{name}")

    def reported_liquidations(
        self, market: Market, market_update: MarketUpdate
    ) -> list[LiquidationFill]:
        """Return none: nothing is liquidated on spot."""
        del market, market_update
        return []

    def publish_update(
        self, market: Market, market_update: MarketUpdate, liquidations: list[LiquidationFill]
    ) -> Iterator[Frame]:
        """See `MockExchange.publish_update`."""
        del liquidations
        what, low = market.spec, market.spec.symbol.lower()
        many, each = f"{low}@aggTrade", f"{low}@trade"
        for fill in market_update.fills:
            row: dict[str, Any] = {"E": self.stamp(market_update.at), "s": what.symbol}
            if self.is_subscribed(many):
                body = {"e": "aggTrade", **row, **aggregate(what, fill)}
                body |= {"T": self.stamp(fill.at), "M": True}
                yield Frame(many, "trades", encode(body))
            if self.is_subscribed(each):
                body = {
                    "e": "trade", **row, "t": fill.last, "p": what.price(fill.ticks),
                    "q": what.size(fill.lots), "T": self.stamp(fill.at), "m": not fill.buy,
                    "M": True,
                }  # fmt: skip
                yield Frame(each, "trades", encode(body))
        yield from self._books(low, market, market_update)

    def _books(self, low: str, market: Market, market_update: MarketUpdate) -> Iterator[Frame]:
        change, what = market_update.change, market.spec
        if change is None:
            return
        row = {
            "e": "depthUpdate", "E": self.stamp(market_update.at), "s": what.symbol,
            "U": change.first, "u": change.last,
            "b": levels(what, change.bids), "a": levels(what, change.asks),
        }  # fmt: skip
        for topic in filter(self.is_subscribed, (f"{low}@depth@100ms", f"{low}@depth")):
            yield Frame(topic, "book", encode(row))
        top = f"{low}@bookTicker"
        if self.is_subscribed(top):
            (bid, bids), (ask, asks) = (
                market.sim_book.bids.rows(True, 1)[0],
                market.sim_book.asks.rows(False, 1)[0],
            )
            body = {
                "u": market.sim_book.last, "s": what.symbol, "b": what.price(bid),
                "B": what.size(bids), "a": what.price(ask), "A": what.size(asks),
            }  # fmt: skip
            yield Frame(top, "other", encode(body))


def _instrument(what: Spec) -> dict[str, Any]:
    lot, tick = what.size(1), what.price(1)
    return {
        "symbol": what.symbol,
        "status": "TRADING",
        "baseAsset": what.coin,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": lot,
                "maxQty": "9000.00000000",
                "stepSize": lot,
            },
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }
