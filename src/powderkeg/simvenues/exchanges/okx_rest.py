"""The REST side of the simulated OKX: everything is text, errors come with status 200 and a code.

Candles and rubik rows come newest first; `after` and `before` are exclusive bounds, and `after` is
the newer one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from powderkeg.events import HOUR, MINUTE
from powderkeg.simvenues.market.book import Rows
from powderkeg.simvenues.market.feed import Fill, Market
from powderkeg.simvenues.market.past import Bar
from powderkeg.simvenues.market.published import long_share, next_funding, prices_of
from powderkeg.simvenues.market.tiers import tiers
from powderkeg.simvenues.market.world import Spec
from powderkeg.simvenues.wire import MockExchange, Query, RefusedError, Reply, encode, number

_SPANS: Final = {"1m": 1, "5m": 5, "15m": 15, "1H": 60, "4H": 240, "1Dutc": 1440, "1D": 1440}
_INTERESTS: Final = 1_440
"""Rows of open interest that are kept."""

_Answer: TypeAlias = Callable[[Query], list[Any]]


class Answers(MockExchange):
    """The REST answers of OKX."""

    name = "okx"

    def __init__(self, name: str, markets: list[Market], clock: Callable[[], int]) -> None:
        """Serve the swaps."""
        super().__init__(markets, clock)
        self.name = name
        self._rest: dict[str, _Answer] = {
            "/api/v5/public/time": lambda _q: [{"ts": str(self.millis())}],
            "/api/v5/public/instruments": self._instruments,
            "/api/v5/public/position-tiers": self._tiers,
            "/api/v5/public/open-interest": self._interest,
            "/api/v5/public/mark-price": self._marks,
            "/api/v5/public/funding-rate-history": self._fundings,
            "/api/v5/market/candles": self._candles,
            "/api/v5/market/history-candles": self._candles,
            "/api/v5/market/trades": self._trades,
            "/api/v5/market/books": self._book,
            "/api/v5/rubik/stat/contracts/open-interest-history": self._interests,
            "/api/v5/rubik/stat/contracts/long-short-account-ratio": self._ratio,
        }

    def answer(self, path: str, query: Query, body: bytes) -> Reply:
        """See `MockExchange.answer`."""
        del body
        handle = self._rest.get(path)
        if handle is None:
            raise RefusedError(Reply(encode({"code": "404", "msg": "Not Found", "data": []}), 404))
        return Reply(encode({"code": "0", "msg": "", "data": handle(query)}))

    def refusal(self, code: str, text: str) -> RefusedError:
        """Return the error OKX would answer."""
        return RefusedError(Reply(encode({"code": code, "msg": text, "data": []})))

    def _market(self, query: Query) -> Market:
        market = self.find(query.get("instId", ""))
        if market is None:
            raise self.refusal("51001", "Instrument ID or Spread ID doesn't exist.")
        return market

    def _asked(self, query: Query) -> list[Market]:
        return [self._market(query)] if query.get("instId") else list(self.markets.values())

    def _instruments(self, query: Query) -> list[Any]:
        if query.get("instType") != "SWAP":
            return []
        return [_instrument(market.spec) for market in self._asked(query)]

    def _tiers(self, query: Query) -> list[Any]:
        family = query.get("instFamily", "")
        found = [m for m in self.markets.values() if family_of(m.spec) == family]
        if not found:
            raise self.refusal("51000", "Parameter instFamily error")
        market = found[0]
        per = market.spec.value * market.price
        return [
            {
                "baseMaxLoan": "",
                "imr": f"{1 / tier.leverage:.6g}",
                "instFamily": family,
                "instId": "",
                "maxLever": f"{tier.leverage:g}",
                "maxSz": f"{tier.cap / per:.0f}",
                "minSz": f"{tier.floor / per:.0f}",
                "mmr": f"{tier.rate:.6g}",
                "optMgnFactor": "0",
                "quoteMaxLoan": "",
                "tier": str(n),
                "uly": family,
            }
            for n, tier in enumerate(tiers(market.spec, market.price), 1)
        ]

    def _interest(self, query: Query) -> list[Any]:
        return [self.interest(market) for market in self._asked(query)]

    def _marks(self, query: Query) -> list[Any]:
        return [self.mark(market) for market in self._asked(query)]

    def _fundings(self, query: Query) -> list[Any]:
        market = self._market(query)
        until = number(query, "after", 10**14) * 1000 - 1
        rows = market.payments.between(number(query, "before", 0) * 1000 + 1, until, 8)
        return [
            {
                "formulaType": "withRate",
                "fundingRate": f"{rate:.10f}",
                "fundingTime": str(at // 1000),
                "instId": market.spec.symbol,
                "instType": "SWAP",
                "method": "current_period",
                "realizedRate": f"{rate:.10f}",
            }
            for at, rate in reversed(rows[-min(number(query, "limit", 400), 400) :])
        ]

    def _candles(self, query: Query) -> list[Any]:
        market = self._market(query)
        text = query.get("bar", "1m")
        if text not in _SPANS:
            raise self.refusal("51000", "Parameter bar error")
        span = _SPANS[text] * MINUTE
        limit = min(number(query, "limit", 100), 300)
        since = number(query, "before", -1) * 1000 + 1
        until = number(query, "after", 10**14) * 1000
        bars = market.past.bars(max(0, since), until, span, limit, newest=True)
        return [_candle(market.spec, bar) for bar in reversed(bars)]

    def _interests(self, query: Query) -> list[Any]:
        market = self._market(query)
        what = market.spec
        span = _SPANS.get(query.get("period", "5m"), 5) * MINUTE
        limit = min(number(query, "limit", 100), 100)
        since = max(number(query, "begin", 0) * 1000, market.now - _INTERESTS * span)
        until = number(query, "end", self.millis()) * 1000 + 1
        rows = market.past.interest(since, until, span)[-limit:]
        return [
            [str(at // 1000), *_amounts(what, base, price)] for at, base, price in reversed(rows)
        ]

    def _ratio(self, query: Query) -> list[Any]:
        coin = query.get("ccy", "")
        found = [m for m in self.markets.values() if m.spec.coin == coin]
        if not found:
            raise self.refusal("51000", "Parameter ccy error")
        span = _SPANS.get(query.get("period", "5m"), 5) * MINUTE
        at, long = found[0].now // span * span, long_share(found[0])
        ratio = f"{long / (1 - long):.4f}"
        return [[str(self.stamp(t)), ratio] for t in range(at, at - 100 * span, -span)]

    def _trades(self, query: Query) -> list[Any]:
        market = self._market(query)
        fills = list(market.tape)[-min(number(query, "limit", 100), 500) :]
        return [self.trade(market.spec, fill) for fill in reversed(fills)]

    def _book(self, query: Query) -> list[Any]:
        market = self._market(query)
        sim_book, limit = market.sim_book, min(number(query, "sz", 1), 400)
        bids, asks = sim_book.bids.rows(True, limit), sim_book.asks.rows(False, limit)
        row = {"asks": levels(market.spec, asks), "bids": levels(market.spec, bids)}
        return [row | {"ts": str(self.stamp(sim_book.at)), "seqId": sim_book.last}]

    # -- rows that are answered and pushed alike

    def interest(self, market: Market) -> dict[str, str]:
        """Return open interest in contracts, coins and dollars."""
        contracts, coins, dollars = _amounts(market.spec, market.oi, market.mark)
        return {
            "instId": market.spec.symbol,
            "instType": "SWAP",
            "oi": contracts,
            "oiCcy": coins,
            "oiUsd": dollars,
            "ts": str(self.stamp(market.now)),
        }

    def mark(self, market: Market) -> dict[str, str]:
        """Return the mark price."""
        return {
            "instId": market.spec.symbol,
            "instType": "SWAP",
            "markPx": f"{market.mark:.{market.spec.digits}f}",
            "ts": str(self.stamp(market.now)),
        }

    def funding(self, market: Market) -> dict[str, str]:
        """Return the rate of the running period."""
        due = next_funding(market.now, 8)
        return {
            "formulaType": "withRate",
            "fundingRate": f"{market.rate:.10f}",
            "fundingTime": str(due),
            "impactValue": "20000.0000000000000000",
            "instId": market.spec.symbol,
            "instType": "SWAP",
            "interestRate": "0.0001000000000000",
            "maxFundingRate": "0.00375",
            "method": "current_period",
            "minFundingRate": "-0.00375",
            "nextFundingRate": "",
            "nextFundingTime": str(due + 8 * HOUR // 1000),
            "premium": f"{market.mark / market.index - 1:.10f}",
            "settFundingRate": f"{market.paid:.10f}",
            "settState": "settled",
            "ts": str(self.stamp(market.now)),
        }

    def trade(self, what: Spec, fill: Fill) -> dict[str, Any]:
        """Return one print; sizes are contracts."""
        return {
            "instId": what.symbol,
            "tradeId": str(fill.id),
            "px": what.price(fill.ticks),
            "sz": what.size(fill.lots),
            "side": "buy" if fill.buy else "sell",
            "ts": str(self.stamp(fill.at)),
            "count": str(fill.last - fill.first + 1),
            "source": "0",
            "seqId": fill.last,
        }


def family_of(what: Spec) -> str:
    """Return the `instFamily` of a swap, which is also its index."""
    return what.symbol.removesuffix("-SWAP")


def levels(what: Spec, rows: Rows) -> list[list[str]]:
    """Return levels: price, contracts, a deprecated zero, and the number of orders."""
    return [
        [what.price(t), what.size(n) if n else "0", "0", str(n % 9 + 1 if n else 0)]
        for t, n in rows
    ]


def _amounts(what: Spec, base: float, price: float) -> tuple[str, str, str]:
    lots = round(what.lots(base, price))
    coins = what.base(lots, price)
    return what.size(lots), f"{coins:.6f}", f"{coins * price:.4f}"


def _candle(what: Spec, bar: Bar) -> list[str]:
    middle = (bar.open + bar.close) / 2
    lots = round(what.lots(bar.volume, middle))
    coins = what.base(lots, middle)
    return [
        str(bar.at // 1000),
        *prices_of(what, bar),
        what.size(lots),
        f"{coins:.6f}",
        f"{coins * middle:.4f}",
        "1" if bar.closed else "0",
    ]


def _instrument(what: Spec) -> dict[str, Any]:
    family = family_of(what)
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": "",
        "category": "1",
        "contTdSwTime": "1704876947000",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": f"{what.value:g}",
        "ctValCcy": what.coin,
        "expTime": "",
        "futureSettlement": False,
        "instFamily": family,
        "instId": what.symbol,
        "instIdCode": 10459,
        "instType": "SWAP",
        "lever": "125",
        "listTime": "1573557408000",
        "lotSz": what.size(1),
        "maxIcebergSz": "100000000.0000000000000000",
        "maxLmtAmt": "20000000",
        "maxLmtSz": "100000000",
        "maxMktAmt": "",
        "maxMktSz": "12000",
        "maxStopSz": "12000",
        "maxTriggerSz": "100000000.0000000000000000",
        "maxTwapSz": "100000000.0000000000000000",
        "minSz": what.size(1),
        "openType": "",
        "optType": "",
        "quoteCcy": "",
        "ruleType": "normal",
        "settleCcy": "USDT",
        "state": "live",
        "stk": "",
        "tickSz": what.price(1),
        "tradeQuoteCcyList": [],
        "uly": family,
    }
