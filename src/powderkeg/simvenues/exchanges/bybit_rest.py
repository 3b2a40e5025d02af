"""The REST side of the simulated Bybit: errors come with status 200 and a code."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from powderkeg.events import MINUTE
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, Market
from powderkeg.simvenues.market.published import long_share, next_funding, prices_of
from powderkeg.simvenues.market.tiers import tiers
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import MockExchange, Query, RefusedError, Reply, encode, number

_SPANS: Final = {"1": 1, "5": 5, "15": 15, "60": 60, "240": 240, "D": 1440}
_PERIODS: Final = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1440}

_Answer: TypeAlias = Callable[[Query], dict[str, Any]]


class Answers(MockExchange):
    """The REST answers of one category."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve ``bybit`` or ``bybit-inverse``."""
        super().__init__(markets, clock)
        self.name = name
        self.category = "inverse" if name == "bybit-inverse" else "linear"
        self.first_number: dict[str, int] = {}
        self._rest: dict[str, _Answer] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/tickers": self._tickers,
            "/v5/market/account-ratio": self._ratio,
            "/v5/market/risk-limit": self._tiers,
            "/v5/market/kline": self._candles,
            "/v5/market/open-interest": self._interest,
            "/v5/market/funding/history": self._funding,
            "/v5/market/recent-trade": self._trades,
            "/v5/market/orderbook": self._book,
        }

    # -- REST

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`; errors come with status 200 and a code."""
        del body
        handle = self._rest.get(path)
        if handle is None:
            raise RefusedError(Reply(encode({"retCode": 404, "retMsg": "not found"}), 404))
        return self._reply(0, "OK", handle(query))

    def _reply(self, code: int, text: str, result: dict[str, Any]) -> Reply:
        whole = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}}
        return Reply(encode(whole | {"time": self.millis()}))

    def _market(self, query: Query) -> Market:
        category, symbol = query.get("category", "linear"), query.get("symbol", "")
        market = self.find(symbol)
        if category != self.category:
            raise RefusedError(self._reply(10001, "params error: Category is invalid", {}))
        if market is None:
            raise RefusedError(self._reply(10001, "params error: Symbol Invalid", {}))
        return market

    def _time(self, _query: Query) -> dict[str, Any]:
        now = self.millis()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def _instruments(self, query: Query) -> dict[str, Any]:
        asked = query.get("category", "linear")
        rows = (
            [_instrument(m.spec) for m in self.markets.values()] if asked == self.category else []
        )
        if query.get("symbol"):
            rows = [row for row in rows if row["symbol"] == query["symbol"]]
        return {"category": asked, "list": rows, "nextPageCursor": ""}

    def _tickers(self, query: Query) -> dict[str, Any]:
        markets = [self._market(query)] if query.get("symbol") else list(self.markets.values())
        return {"category": self.category, "list": [ticker(m) for m in markets]}

    def _ratio(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        span = _PERIODS.get(query.get("period", ""), 5) * MINUTE
        limit = min(number(query, "limit", 50), 500)
        at, long = market.now // span * span, long_share(market)
        row = {
            "symbol": market.spec.symbol,
            "buyRatio": f"{long:.4f}",
            "sellRatio": f"{1 - long:.4f}",
        }
        times = range(at, at - limit * span, -span)
        return {
            "list": [row | {"timestamp": str(self.stamp(t))} for t in times],
            "nextPageCursor": "",
        }

    def _tiers(self, query: Query) -> dict[str, Any]:
        markets = [self._market(query)] if query.get("symbol") else list(self.markets.values())
        rows: list[dict[str, Any]] = []
        for market in markets:
            for n, tier in enumerate(tiers(market.spec, market.price), 1):
                row = {
                    "id": n,
                    "symbol": market.spec.symbol,
                    "riskLimitValue": f"{tier.cap:.0f}"
                    if not market.spec.inverse
                    else f"{tier.cap:.4f}",
                    "maintenanceMargin": f"{tier.rate:.4g}",
                    "initialMargin": f"{1 / tier.leverage:.4g}",
                    "isLowestRisk": int(n == 1),
                    "maxLeverage": f"{tier.leverage:.2f}",
                    "mmDeduction": f"{tier.deduction:.8g}",
                }
                rows.append(row)
        return {"category": self.category, "list": rows, "nextPageCursor": ""}

    def _candles(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        what = market.spec
        text = query.get("interval", "")
        if text not in _SPANS:
            raise RefusedError(self._reply(10001, "params error: Interval Is Invalid", {}))
        limit = min(number(query, "limit", 200), 1000)
        since = number(query, "start", 0) * 1000
        until = number(query, "end", 10**14) * 1000 + 1
        # As the venue does it: the newest of the range, newest first.
        bars = market.past.bars(since, until, _SPANS[text] * MINUTE, limit, newest=True)
        rows: list[list[str]] = []
        for bar in reversed(bars):
            prices = prices_of(what, bar)
            middle = (bar.open + bar.close) / 2
            own = what.size(round(what.lots(bar.volume, middle)))
            turnover = bar.volume if what.inverse else bar.volume * middle
            rows.append([str(bar.at // 1000), *prices, own, f"{turnover:.8g}"])
        return {"category": self.category, "symbol": what.symbol, "list": rows}

    def _interest(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        span = _PERIODS.get(query.get("intervalTime", ""), 0) * MINUTE
        if not span:
            raise RefusedError(self._reply(10001, "params error: IntervalTime is invalid", {}))
        limit = min(number(query, "limit", 50), 200)
        until = number(query, "endTime", self.millis()) * 1000 + 1
        rows = market.past.interest(number(query, "startTime", 0) * 1000, until, span)[-limit:]
        out = [
            {
                "openInterest": _amount(market.spec, 2 * base, price),
                "singleOpenInterest": _amount(market.spec, base, price),
                "timestamp": str(at // 1000),
            }
            for at, base, price in reversed(rows)
        ]
        return {
            "symbol": market.spec.symbol,
            "category": self.category,
            "list": out,
            "nextPageCursor": "",
        }

    def _funding(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        limit = min(number(query, "limit", 200), 200)
        since = number(query, "startTime", 0) * 1000
        rows = market.payments.between(since, number(query, "endTime", 10**14) * 1000, 8)[-limit:]
        symbol = market.spec.symbol
        out = [
            {
                "symbol": symbol,
                "fundingRate": f"{rate:.8f}",
                "fundingRateTimestamp": str(at // 1000),
            }
            for at, rate in reversed(rows)
        ]
        return {"category": self.category, "list": out}

    def _trades(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        fills = list(market.tape)[-min(number(query, "limit", 500), 1000) :]
        rows = [
            {
                "execId": ident(market.spec, fill),
                "symbol": market.spec.symbol,
                "price": market.spec.price(fill.ticks),
                "size": market.spec.size(fill.lots),
                "side": "Buy" if fill.buy else "Sell",
                "time": str(self.stamp(fill.at)),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(fill.id),
            }
            for fill in reversed(fills)
        ]
        return {"category": self.category, "list": rows}

    def _book(self, query: Query) -> dict[str, Any]:
        market = self._market(query)
        limit = min(number(query, "limit", 25), 200)
        return self.snapshot(market, limit) | {"ts": self.millis(), "cts": self.stamp(market.now)}

    def snapshot(self, market: Market, limit: int) -> dict[str, Any]:
        """Return the whole book."""
        sim_book = market.sim_book
        return self.rows(market, sim_book.bids.rows(True, limit), sim_book.asks.rows(False, limit))

    def rows(self, market: Market, bids: Rows, asks: Rows) -> dict[str, Any]:
        """Return levels with their update id; a size of 0 is written without decimals."""
        what = market.spec
        return {
            "s": what.symbol,
            "b": [[what.price(t), what.size(n) if n else "0"] for t, n in bids],
            "a": [[what.price(t), what.size(n) if n else "0"] for t, n in asks],
            "u": market.sim_book.count - self.first_number.get(what.symbol, -1000),
            "seq": market.sim_book.last,
        }


def ident(what: Spec, fill: Fill) -> str:
    """Return the id of a trade, which is text and does not rise."""
    return str(uuid.UUID(int=(zlib.crc32(what.symbol.encode())) << 64 | fill.id))


def _amount(what: Spec, base: float, price: float) -> str:
    return what.size(round(what.lots(base, price)))


def ticker(market: Market) -> dict[str, str]:
    """Return all fields of a market's ticker; `openInterest` is both sides."""
    what = market.spec
    bid, ask = market.sim_book.bids.rows(True, 1)[0], market.sim_book.asks.rows(False, 1)[0]
    volume, quote, high, low = market.day()
    both, single = (_amount(what, n * market.oi, market.mark) for n in (2, 1))
    value = market.oi if what.inverse else market.oi * market.mark
    own, turnover = (quote, volume) if what.inverse else (volume, quote)
    price = what.price(round(market.price / what.tick))
    return {
        "symbol": what.symbol,
        "tickDirection": "PlusTick",
        "price24hPcnt": "0.000000",
        "lastPrice": price,
        "prevPrice24h": price,
        "highPrice24h": what.price(round(high / what.tick)),
        "lowPrice24h": what.price(round(low / what.tick)),
        "prevPrice1h": price,
        "markPrice": f"{market.mark:.{what.digits}f}",
        "indexPrice": f"{market.index:.{what.digits}f}",
        "openInterest": both,
        "openInterestValue": f"{2 * value:.4f}",
        "singleOpenInterest": single,
        "singleOpenInterestValue": f"{value:.4f}",
        "turnover24h": f"{turnover:.4f}",
        "volume24h": f"{own:.4f}",
        "nextFundingTime": str(next_funding(market.now, 8)),
        "fundingRate": f"{market.rate:.8f}",
        "fundingIntervalHour": "8",
        "fundingCap": "0.005",
        "bid1Price": what.price(bid[0]),
        "bid1Size": what.size(bid[1]),
        "ask1Price": what.price(ask[0]),
        "ask1Size": what.size(ask[1]),
    }


def _instrument(what: Spec) -> dict[str, Any]:
    lot = what.size(1)
    return {
        "symbol": what.symbol,
        "contractType": "InversePerpetual" if what.inverse else "LinearPerpetual",
        "status": "Trading",
        "baseCoin": what.coin,
        "quoteCoin": "USD" if what.inverse else "USDT",
        "launchTime": "1584230400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(what.digits),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "125.00", "leverageStep": "0.01"},
        "priceFilter": {
            "minPrice": what.price(1),
            "maxPrice": "1999999.80",
            "tickSize": what.price(1),
        },
        "lotSizeFilter": {
            "maxOrderQty": "1190.000",
            "minOrderQty": lot,
            "qtyStep": lot,
            "postOnlyMaxOrderQty": "1190.000",
            "maxMktOrderQty": "119.000",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": what.coin if what.inverse else "USDT",
        "copyTrading": "none",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "symbolType": "",
    }
