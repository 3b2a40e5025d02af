"""The REST side of the simulated Binance futures, USD-M and with other units COIN-M.

Every reply carries the weight used in the running UTC minute; refused requests cost weight too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from powderkeg.events import DAY, MINUTE, SECOND
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, Market
from powderkeg.simvenues.market.past import Bar
from powderkeg.simvenues.market.published import long_share, next_funding, prices_of
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import MockExchange, Query, RefusedError, Reply, encode, number

_SPANS: Final = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_DEPTHS: Final = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
_LIMIT: Final = 2_400

Answer: TypeAlias = Callable[[Query], Reply]
"""Answers one kind of request."""


def refusal(code: int, text: str, status: int = 400) -> RefusedError:
    """Return the error Binance would answer."""
    return RefusedError(Reply(encode({"code": code, "msg": text}), status))


class Answers(MockExchange):
    """The REST answers of one of the two futures hosts; spot answers in part as they do."""

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve ``binance`` or ``binance-coin``."""
        super().__init__(markets, clock)
        self.name = name
        self.coin = name == "binance-coin"
        self.limit = _LIMIT
        """Weight of requests a minute."""
        root = "/dapi/v1" if self.coin else "/fapi/v1"
        self._minute = (0, 0)
        self.rest: dict[str, Answer] = {
            f"{root}/ping": lambda _q: Reply(b"{}"),
            f"{root}/time": lambda _q: Reply(encode({"serverTime": self.millis()})),
            f"{root}/exchangeInfo": self._instruments,
            f"{root}/fundingInfo": self._intervals,
            f"{root}/openInterest": self._interest,
            f"{root}/premiumIndex": self._premium,
            f"{root}/depth": self._depth,
            f"{root}/klines": self.candles,
            f"{root}/fundingRate": self._funding,
            f"{root}/aggTrades": self._trades,
            "/futures/data/openInterestHist": self._interests,
            "/futures/data/globalLongShortAccountRatio": self._ratio,
        }

    # -- REST

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`; refused requests cost weight too."""
        del body
        handle = self.rest.get(path)
        if handle is None:
            raise RefusedError(Reply(b"<html>404 Not Found</html>", 404))
        try:
            reply = handle(query)
        except RefusedError as no:
            used = self._used(no.reply.weight)
            raise RefusedError(msgspec.structs.replace(no.reply, headers=used)) from no
        return msgspec.structs.replace(reply, headers=self._used(reply.weight))

    def _used(self, weight: int) -> tuple[tuple[str, str], ...]:
        """Add to the current minute's weight and return the header that reports it.

        Raises:
            RefusedError: More than the limit was used.
        """
        minute = self.clock() // MINUTE
        used = weight + (self._minute[1] if self._minute[0] == minute else 0)
        self._minute = (minute, used)
        headers = (("X-MBX-USED-WEIGHT-1M", str(used)),)
        if used > self.limit:
            wait = 60 - self.clock() // SECOND % 60
            words = f"Too many requests; current limit is {self.limit}."
            text = encode({"code": -1003, "msg": words})
            raise RefusedError(Reply(text, 429, headers=(*headers, ("Retry-After", str(wait)))))
        return headers

    def market(self, query: Query) -> Market:
        """Return the market that a request names.

        Raises:
            RefusedError: It names none, or an unknown one.
        """
        symbol = query.get("symbol", "")
        if not symbol:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            raise refusal(-1102, text)
        market = self.find(symbol)
        if market is None:
            raise refusal(-1121, "Invalid symbol.")
        return market

    def _instruments(self, _query: Query) -> Reply:
        limits = [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 2400,
            }
        ]
        rows = [_instrument(market.spec) for market in self.markets.values()]
        whole: dict[str, Any] = {
            "timezone": "UTC",
            "serverTime": self.millis(),
            "futuresType": "COIN_MARGINED" if self.coin else "U_MARGINED",
            "rateLimits": limits,
            "exchangeFilters": [],
            "assets": [],
            "symbols": rows,
        }
        return Reply(encode(whole))

    def _intervals(self, _query: Query) -> Reply:
        return Reply(
            encode(
                [
                    {
                        "symbol": symbol,
                        "adjustedFundingRateCap": "0.02000000",
                        "adjustedFundingRateFloor": "-0.02000000",
                        "fundingIntervalHours": 8,
                        "disclaimer": False,
                    }
                    for symbol in self.markets
                ]
            )
        )

    def _interest(self, query: Query) -> Reply:
        market = self.market(query)
        row: dict[str, Any] = {
            "openInterest": _amount(market, market.oi),
            "symbol": market.spec.symbol,
            "time": self.stamp(market.now),
        }
        if self.coin:
            row |= {"pair": pair_of(market.spec), "contractType": "PERPETUAL"}
        return Reply(encode(row))

    def _premium(self, query: Query) -> Reply:
        if query.get("symbol"):
            return Reply(encode(self._premium_row(self.market(query))))
        return Reply(encode([self._premium_row(m) for m in self.markets.values()]), weight=10)

    def _premium_row(self, market: Market) -> dict[str, Any]:
        return {
            "symbol": market.spec.symbol,
            "markPrice": f"{market.mark:.8f}",
            "indexPrice": f"{market.index:.8f}",
            "estimatedSettlePrice": f"{market.index:.8f}",
            "lastFundingRate": f"{market.rate:.8f}",
            "interestRate": "0.00010000",
            "nextFundingTime": next_funding(market.now, 8),
            "time": self.stamp(market.now),
        }

    def _depth(self, query: Query) -> Reply:
        market = self.market(query)
        limit = number(query, "limit", 500)
        if limit not in _DEPTHS:
            raise refusal(-4021, f"'{limit}' is not valid depth limit.")
        kept = self.flags.get("stale_snapshot", {}).get(market.spec.symbol)
        last, at, bids, asks = kept or snapshot(market)
        row: dict[str, Any] = {
            "lastUpdateId": last,
            "E": self.stamp(at),
            "T": self.stamp(at),
            "bids": levels(market.spec, bids[:limit]),
            "asks": levels(market.spec, asks[:limit]),
        }
        if self.coin:
            row |= {"symbol": market.spec.symbol, "pair": pair_of(market.spec)}
        return Reply(encode(row), weight=_DEPTHS[limit])

    def _span(self, query: Query) -> int:
        text = query.get("interval", query.get("period", ""))
        if text not in _SPANS:
            raise refusal(-1120, "Invalid interval.")
        return _SPANS[text] * MINUTE

    def candles(self, query: Query) -> Reply:
        """Answer ``klines``."""
        market = self.market(query)
        limit = min(number(query, "limit", 500), 1500)
        since = number(query, "startTime", -1)
        until = number(query, "endTime", 10**14)
        bars = market.past.bars(
            max(0, since * 1000), until * 1000 + 1, self._span(query), limit, newest=since < 0
        )
        span = self._span(query)
        rows = [_candle(market.spec, bar, span) for bar in bars]
        return Reply(
            encode(rows), weight=1 if limit < 100 else 2 if limit < 500 else 5 + 5 * (limit > 1000)
        )

    def _statistics(self, query: Query) -> Market:
        """Return the market of a statistics request: COIN-M names the pair."""
        if not self.coin:
            return self.market(query)
        pair = query.get("pair", "")
        for market in self.markets.values():
            if pair_of(market.spec) == pair:
                return market
        raise refusal(-1121, "Invalid symbol.")

    def _interests(self, query: Query) -> Reply:
        market = self._statistics(query)
        span = self._span(query)
        limit = min(number(query, "limit", 30), 500)
        since = number(query, "startTime", -1) * 1000
        until = number(query, "endTime", self.millis()) * 1000 + 1
        oldest = self.clock() - 30 * DAY
        if since >= 0 and since < oldest - DAY:
            raise refusal(-1130, "parameter 'startTime' is invalid.")
        rows = market.past.interest(max(since, oldest), until, span)
        # As the venue does it: the newest of the range where there are more than asked for.
        return Reply(encode([_interest_row(market, *row) for row in rows[-limit:]]))

    def _funding(self, query: Query) -> Reply:
        market = self.market(query)
        limit = min(number(query, "limit", 100), 1000)
        since = number(query, "startTime", 0)
        until = number(query, "endTime", 10**14)
        rows = market.payments.between(since * 1000, until * 1000, 8)
        rows = rows[:limit] if since else rows[-limit:]
        out = [
            {
                "symbol": market.spec.symbol,
                "fundingTime": at // 1000,
                "fundingRate": f"{rate:.8f}",
                "markPrice": f"{market.mark:.8f}",
            }
            for at, rate in rows
        ]
        return Reply(encode(out))

    def _trades(self, query: Query) -> Reply:
        rows = self.recent(query, min(number(query, "limit", 500), 1000))
        market = self.market(query)
        return Reply(encode([aggregate(market.spec, fill) for fill in rows]), weight=20)

    def recent(self, query: Query, limit: int) -> list[Fill]:
        """Return the prints that a request for ``aggTrades`` means, so many at most."""
        rows = list(self.market(query).tape)
        since = number(query, "fromId", -1)
        if since >= 0:
            rows = [fill for fill in rows if fill.id >= since][:limit]
        return rows[-limit:]

    def _ratio(self, query: Query) -> Reply:
        market = self._statistics(query)
        span = self._span(query)
        limit = min(number(query, "limit", 30), 500)
        at = market.now // span * span
        long = long_share(market)
        row = {
            "pair" if self.coin else "symbol": pair_of(market.spec),
            "longAccount": f"{long:.4f}",
            "longShortRatio": f"{long / (1 - long):.4f}",
            "shortAccount": f"{1 - long:.4f}",
        }
        times = range(at - (limit - 1) * span, at + 1, span)
        return Reply(encode([row | {"timestamp": str(self.stamp(t))} for t in times]))


Snapshot: TypeAlias = tuple[int, int, Rows, Rows]
"""Update id, time, bids and asks of a book."""


def snapshot(market: Market) -> Snapshot:
    """Return the current book."""
    sim_book = market.sim_book
    return sim_book.last, sim_book.at, sim_book.bids.rows(True), sim_book.asks.rows(False)


def pair_of(what: Spec) -> str:
    """Return the `pair` of COIN-M."""
    return what.symbol.partition("_")[0]


def levels(what: Spec, rows: Rows) -> list[list[str]]:
    """Return levels as Binance writes them."""
    return [[what.price(ticks), what.size(lots)] for ticks, lots in rows]


def _amount(market: Market, base: float) -> str:
    return market.spec.size(round(market.spec.lots(base, market.mark)))


def aggregate(what: Spec, fill: Fill) -> dict[str, Any]:
    """Return one aggregate trade."""
    return {
        "a": fill.id,
        "p": what.price(fill.ticks),
        "q": what.size(fill.lots),
        "f": fill.first,
        "l": fill.last,
        "T": fill.at // 1000,
        "m": not fill.buy,
    }


def _candle(what: Spec, bar: Bar, span: int) -> list[Any]:
    prices = prices_of(what, bar)
    middle = (bar.open + bar.close) / 2
    own = [what.size(round(what.lots(x, middle))) for x in (bar.volume, bar.buy)]
    far = [bar.volume, bar.buy] if what.inverse else [bar.volume * middle, bar.buy * middle]
    return [
        bar.at // 1000,
        *prices,
        own[0],
        (bar.at + span) // 1000 - 1,
        f"{far[0]:.8f}",
        max(1, int(bar.volume)),
        own[1],
        f"{far[1]:.8f}",
        "0",
    ]


def _interest_row(market: Market, at: int, base: float, price: float) -> dict[str, Any]:
    what = market.spec
    if what.inverse:
        contracts = what.size(round(what.lots(base, price)))
        row = {"pair": pair_of(what), "contractType": "PERPETUAL", "sumOpenInterest": contracts}
        return row | {"sumOpenInterestValue": f"{base:.8f}", "timestamp": str(at // 1000)}
    return {
        "symbol": what.symbol,
        "sumOpenInterest": f"{base:.8f}",
        "sumOpenInterestValue": f"{base * price:.8f}",
        "timestamp": str(at // 1000),
    }


def _instrument(what: Spec) -> dict[str, Any]:
    asset = what.coin if what.inverse else "USDT"
    row: dict[str, Any] = {
        "symbol": what.symbol,
        "pair": pair_of(what) if what.inverse else what.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "baseAsset": what.coin,
        "quoteAsset": "USD" if what.inverse else "USDT",
        "marginAsset": asset,
        "pricePrecision": what.digits,
        "quantityPrecision": what.places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "filters": _filters(what),
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
    if what.inverse:
        return row | {
            "contractStatus": "TRADING",
            "contractSize": int(what.value),
            "equalQtyPrecision": 4,
        }
    return row | {"status": "TRADING"}


def _filters(what: Spec) -> list[dict[str, Any]]:
    lot, tick = what.size(1), what.price(1)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "4529764", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "1000000", "stepSize": lot},
        {"filterType": "MARKET_LOT_SIZE", "minQty": lot, "maxQty": "1000", "stepSize": lot},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
    ]
