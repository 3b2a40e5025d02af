"""Saved answers of ccxt, and the files of programs built on it (freqtrade).

Candles of ccxt are lists of six numbers without names; trades, funding and open interest are
dicts. Sizes of trades are what the venue counts in: contracts of OKX stay contracts (`amount`);
volumes of candles are coins everywhere. Freqtrade writes ``BTC_USDT_USDT-1h-futures.feather``, and
beside it ``-mark`` and ``-funding_rate``, candles as well: of a funding file the rate is `open`.

Source: docs.ccxt.com, "Structures"; freqtrade docs, "Data Downloading".
"""

from __future__ import annotations

from powderkeg.history.importing.head import Peek
from powderkeg.history.importing.intervals import moment
from powderkeg.history.layouts.layout import FileLayout, Part

_OHLCV = {"open": "1", "high": "2", "low": "3", "close": "4", "volume": "5"}


def candles_fit(peek: Peek) -> bool:
    """Return whether rows are unnamed candles: a stamp, then prices, the second the highest."""
    good = 0
    for row in peek.rows[:50]:
        try:
            opened, high, low, close = (float(row[str(n)]) for n in (1, 2, 3, 4))
        except (KeyError, TypeError, ValueError):
            return False
        if not (low <= min(opened, close) and max(opened, close) <= high and low > 0):
            return False
        good += moment(row["0"]) is not None
    return good > 0 and good == len(peek.rows[:50])


def _six(peek: Peek) -> bool:
    return len(peek.names) == 6 and candles_fit(peek)


_FEATHER = ("date", "open", "high", "low", "close", "volume")
FORMS = (
    FileLayout(
        "ccxt: fetchOHLCV",
        "docs.ccxt.com, OHLCV structure",
        (Part("candles", _OHLCV, {"volume": "base"}),),
        time="0",
        means="from",
        fits=_six,
        unless="open-?interest|funding|premium|\\boi\\b|liquid",
    ),
    FileLayout(
        "ccxt: fetchTrades",
        "docs.ccxt.com, trade structure",
        (Part("trades", {"price": "price", "size": "amount", "side": "side", "id": "id"}),),
        time="timestamp",
        needs=("symbol", "datetime"),
        symbol="symbol",
        perpetual=True,
    ),
    FileLayout(
        "ccxt: fetchFundingRateHistory",
        "docs.ccxt.com, funding rate history structure",
        (Part("funding", {"rate": "fundingRate"}, span="8h"),),
        time="timestamp",
        needs=("symbol", "datetime"),
        symbol="symbol",
        perpetual=True,
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "ccxt: fetchOpenInterestHistory",
        "docs.ccxt.com, open interest structure",
        (Part("open_interest", {"size": "openInterestAmount"}),),
        time="timestamp",
        needs=("symbol", "datetime"),
        symbol="symbol",
        perpetual=True,
    ),
    FileLayout(
        "ccxt: fetchLiquidations",
        "docs.ccxt.com, liquidation structure",
        (Part("liquidations", {"price": "price", "size": "contracts", "side": "side"}),),
        time="timestamp",
        needs=("symbol", "datetime", "contractSize"),
        symbol="symbol",
        perpetual=True,
    ),
    FileLayout(
        "freqtrade: funding",
        "freqtrade docs, data download, candle type funding_rate",
        (Part("funding", {"rate": "open"}, means="at", span="8h"),),
        time="date",
        needs=_FEATHER,
        path="funding-rate",
        note="taken for a payment each 8 hours: change span where the market pays at other times",
    ),
    FileLayout(
        "freqtrade: mark",
        "freqtrade docs, data download, candle type mark",
        (Part("mark", {"price": "close"}),),
        time="date",
        means="from",
        needs=_FEATHER,
        path="-mark\\b",
    ),
    FileLayout(
        "freqtrade: index",
        "freqtrade docs, data download, candle type index",
        (Part("index", {"price": "close"}),),
        time="date",
        means="from",
        needs=_FEATHER,
        path="-index\\b",
    ),
    FileLayout(
        "freqtrade: premium",
        "freqtrade docs, data download, candle type premiumIndex",
        (),
        needs=_FEATHER,
        path="premium",
        note="the premium of the perpetual over the index: it has no event",
    ),
    FileLayout(
        "freqtrade: candles",
        "freqtrade docs, data download",
        (Part("candles", {n: n for n in _FEATHER[1:]}, {"volume": "base"}),),
        time="date",
        means="from",
        needs=_FEATHER,
        path="-\\d+[mhd]-(futures|spot)\\b|-\\d+[mhd]\\.(feather|parquet|json)",
    ),
)
