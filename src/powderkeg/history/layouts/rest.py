"""Saved REST answers of venues.

Rows that are lists have no names, so their number and order identify them: twelve and a stamp first
are Binance's candles, seven are Bybit's or Bitget's (below `result.list` or `data`), nine are
OKX's. What an answer does not say (the market, mostly) the file's name must.

Source: developers.binance.com; bybit-exchange.github.io/docs/v5; okx.com/docs-v5;
bitget.com/api-doc; docs.deribit.com; hyperliquid.gitbook.io.
"""

from __future__ import annotations

from typing import Any

from powderkeg.history.importing.head import Peek
from powderkeg.history.layouts.ccxt import candles_fit
from powderkeg.history.layouts.layout import FileLayout, Part
from powderkeg.history.layouts.market import venue_of
from powderkeg.history.sources import RatioColumn

_ROW = {"open": "1", "high": "2", "low": "3", "close": "4"}
_BARS: dict[str, Any] = {"time": "0", "means": "from", "unless": "mark|index|premium|funding"}


def _inside(document: Any, *keys: str) -> bool:
    """Return whether a document has a nested member."""
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True


def _wide(n: int, venue: str = "", *below: str) -> Any:
    """Return a test for candles of so many values, below keys of the answer, of a venue."""

    def fits(peek: Peek) -> bool:
        found = venue_of(peek.path).partition("-")[0]
        return (
            peek.form in {"json", "jsonl"}
            and len(peek.names) == n
            and (not venue or found in {venue, ""})
            and (not below or _inside(peek.document, *below))
            and candles_fit(peek)
        )

    return fits


def _below_result(peek: Peek) -> bool:
    return _inside(peek.document, "result", "list")


def _four_below_data(peek: Peek) -> bool:
    return len(peek.names) == 4 and _inside(peek.document, "data")


BINANCE = (
    FileLayout(
        "Binance REST: klines",
        "/fapi/v1/klines",
        (Part("candles", _ROW | {"volume": "5", "buy": "9"}),),
        fits=_wide(12),
        **_BARS,
    ),
    FileLayout(
        "Binance REST: klines of mark or index",
        "/fapi/v1/markPriceKlines",
        (Part("mark", {"price": "4"}),),
        time="0",
        means="from",
        path="mark",
        fits=_wide(12),
    ),
    FileLayout(
        "Binance REST: aggTrades",
        "/fapi/v1/aggTrades",
        (Part("trades", {"price": "p", "size": "q", "id": "a", "maker": "m"}),),
        time="T",
        needs=("f", "l"),
    ),
    FileLayout(
        "Binance REST: trades",
        "/fapi/v1/trades",
        (Part("trades", {"price": "price", "size": "qty", "id": "id", "maker": "isBuyerMaker"}),),
        time="time",
    ),
    FileLayout(
        "Binance REST: openInterestHist",
        "/futures/data/openInterestHist",
        (
            Part(
                "open_interest",
                {
                    "size": "sumOpenInterest",
                    "price": RatioColumn("sumOpenInterestValue", "sumOpenInterest"),
                },
            ),
        ),
        time="timestamp",
        venue="binance",
        symbol="symbol",
    ),
    FileLayout(
        "Binance REST: fundingRate",
        "/fapi/v1/fundingRate",
        (Part("funding", {"rate": "fundingRate"}, span="8h"),),
        time="fundingTime",
        needs=("symbol",),
        lacks=("instId",),
        venue="binance",
        symbol="symbol",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "Binance REST: forceOrders",
        "/fapi/v1/forceOrders",
        (Part("liquidations", {"price": "averagePrice", "size": "executedQty", "side": "side"}),),
        time="time",
        venue="binance",
        symbol="symbol",
    ),
    FileLayout(
        "Binance REST: share of longs",
        "/futures/data/globalLongShortAccountRatio",
        (Part("ratios", {"accounts": "longShortRatio"}, {"accounts": "ratio"}),),
        time="timestamp",
        needs=("longAccount",),
        path="global",
        venue="binance",
        symbol="symbol",
    ),
)
BYBIT = (
    FileLayout(
        "Bybit REST: kline",
        "/v5/market/kline, newest first",
        (Part("candles", _ROW | {"volume": "5"}),),
        fits=_wide(7, "bybit", "result", "list"),
        venue="bybit",
        **_BARS,
    ),
    FileLayout(
        "Bybit REST: open interest",
        "/v5/market/open-interest",
        (Part("open_interest", {"size": "openInterest"}),),
        time="timestamp",
        lacks=("symbol",),
        venue="bybit",
        fits=_below_result,
    ),
    FileLayout(
        "Bybit REST: recent trades",
        "/v5/market/recent-trade",
        (Part("trades", {"price": "price", "size": "size", "side": "side", "id": "execId"}),),
        time="time",
        venue="bybit",
        symbol="symbol",
    ),
    FileLayout(
        "Bybit REST: funding",
        "/v5/market/funding/history",
        (Part("funding", {"rate": "fundingRate"}, span="8h"),),
        time="fundingRateTimestamp",
        venue="bybit",
        symbol="symbol",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
)
OKX = (
    FileLayout(
        "OKX REST: candles",
        "/api/v5/market/history-candles, newest first; column 6 is coins",
        (Part("candles", _ROW | {"volume": "6"}, {"volume": "base"}),),
        fits=_wide(9, "okx"),
        venue="okx",
        **_BARS,
    ),
    FileLayout(
        "OKX REST: trades",
        "/api/v5/market/history-trades",
        (Part("trades", {"price": "px", "size": "sz", "side": "side", "id": "tradeId"}),),
        time="ts",
        venue="okx",
        symbol="instId",
    ),
    FileLayout(
        "OKX REST: funding",
        "/api/v5/public/funding-rate-history",
        (Part("funding", {"rate": "realizedRate"}, span="8h"),),
        time="fundingTime",
        venue="okx",
        symbol="instId",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "OKX REST: open interest",
        "/api/v5/public/open-interest",
        (Part("open_interest", {"size": "oiCcy"}, {"size": "base"}),),
        time="ts",
        venue="okx",
        symbol="instId",
    ),
    FileLayout(
        "OKX REST: open interest, history",
        "/api/v5/rubik/stat/contracts/open-interest-history: time, contracts, coins, dollars",
        (Part("open_interest", {"size": "2", "price": RatioColumn("3", "2")}, {"size": "base"}),),
        time="0",
        venue="okx",
        path="open-?interest|\\boi\\b",
        fits=_four_below_data,
    ),
)
OTHERS = (
    FileLayout(
        "Bitget REST: candles",
        "/api/v2/mix/market/history-candles",
        (Part("candles", _ROW | {"volume": "5"}),),
        fits=_wide(7, "bitget", "data"),
        venue="bitget",
        **_BARS,
    ),
    FileLayout(
        "Bitget REST: trades",
        "/api/v2/mix/market/fills-history",
        (Part("trades", {"price": "price", "size": "size", "side": "side", "id": "tradeId"}),),
        time="ts",
        venue="bitget",
        symbol="symbol",
    ),
    FileLayout(
        "Bitget REST: funding",
        "/api/v2/mix/market/history-fund-rate",
        (Part("funding", {"rate": "fundingRate"}, span="8h"),),
        time="fundingTime",
        needs=("symbol",),
        path="bitget",
        venue="bitget",
        symbol="symbol",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "Deribit REST: trades",
        "public/get_last_trades_by_instrument",
        (
            Part(
                "trades",
                {"price": "price", "size": "amount", "side": "direction", "id": "trade_id"},
            ),
        ),
        time="timestamp",
        needs=("index_price",),
        venue="deribit",
        symbol="instrument_name",
    ),
    FileLayout(
        "Deribit REST: candles",
        "public/get_tradingview_chart_data: lists side by side",
        (
            Part(
                "candles",
                {n: n for n in ("open", "high", "low", "close", "volume")},
                {"volume": "base"},
            ),
        ),
        time="ticks",
        means="from",
        venue="deribit",
    ),
    FileLayout(
        "Deribit REST: funding",
        "public/get_funding_rate_history",
        (Part("funding", {"rate": "interest_1h"}, span="1h"),),
        time="timestamp",
        needs=("interest_8h",),
        venue="deribit",
    ),
    FileLayout(
        "Hyperliquid: candleSnapshot",
        "info endpoint, candleSnapshot",
        (
            Part(
                "candles",
                {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"},
            ),
        ),
        time="t",
        means="from",
        needs=("s", "i", "n"),
        venue="hyperliquid",
        symbol="s",
    ),
    FileLayout(
        "Hyperliquid: fundingHistory",
        "info endpoint, fundingHistory: hourly",
        (Part("funding", {"rate": "fundingRate"}, span="1h"),),
        time="time",
        needs=("premium",),
        venue="hyperliquid",
        symbol="coin",
    ),
    FileLayout(
        "Hyperliquid: trades",
        "WsTrade; B: a buyer took, A: a seller",
        (Part("trades", {"price": "px", "size": "sz", "side": "side"}),),
        time="time",
        needs=("hash",),
        lacks=("dir", "startPosition"),
        venue="hyperliquid",
        symbol="coin",
    ),
)
FORMS = BINANCE + BYBIT + OKX + OTHERS
