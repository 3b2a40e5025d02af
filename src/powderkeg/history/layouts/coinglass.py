"""Answers of CoinGlass v4, saved as JSON or as tables of the same names.

Bars are stamped with their start; funding is percent. Open interest and funding have the columns of
price candles (open, high, low, close); they are recognised by the file's name, else by the size of
the values.

Source: coinglass-api/coinglass-api-docs, API v4, Futures.
"""

from __future__ import annotations

import math
from typing import Any

from powderkeg.history.importing.head import Peek
from powderkeg.history.layouts.layout import FileLayout, Part
from powderkeg.history.layouts.market import words_of

_DOCS = "coinglass-api-docs v4: "
_USD = {"long": "quote", "short": "quote"}
_OHLC = {"open": "open", "high": "high", "low": "low", "close": "close"}


def _answer(peek: Peek) -> bool:
    """Return whether a document is an answer of CoinGlass, by its envelope."""
    document = peek.document
    enveloped = isinstance(document, dict) and "code" in document and "data" in document
    return enveloped or "coinglass" in words_of(peek.path)


def _numbers(peek: Peek, name: str) -> list[float]:
    out: list[float] = []
    for value in peek.column(name):
        try:
            out.append(float(value))
        except (TypeError, ValueError):
            continue
    return out


def _dollars(peek: Peek) -> bool:
    """Return whether values are open interest in dollars: no price or coin count is so large."""
    closes = _numbers(peek, "close")
    return _answer(peek) and bool(closes) and min(closes) > 5e6


def _rates(peek: Peek) -> bool:
    """Return whether values are funding: percent per interval, around zero."""
    closes = _numbers(peek, "close")
    small = bool(closes) and max(map(abs, closes)) < 5 and min(closes) < 0.05
    return _answer(peek) and small and ("funding" in words_of(peek.path) or _signs(closes))


def _signs(values: list[float]) -> bool:
    return len({math.copysign(1, v) for v in values if v}) > 1


def _in_coin(peek: Peek) -> bool:
    return _answer(peek) and not _dollars(peek)


_COLUMNS: dict[str, Any] = {"time": "time", "means": "from", "lacks": ("volume", "volume_usd")}
FORMS = (
    FileLayout(
        "CoinGlass: liquidations of all venues",
        _DOCS + "futures/liquidation/aggregated-history",
        (
            Part(
                "liquidation_bars",
                {
                    "long": "aggregated_long_liquidation_usd",
                    "short": "aggregated_short_liquidation_usd",
                },
                _USD,
            ),
        ),
        time="time",
        means="from",
        venue="aggregate",
    ),
    FileLayout(
        "CoinGlass: liquidations of a market",
        _DOCS + "futures/liquidation/history",
        (
            Part(
                "liquidation_bars",
                {"long": "long_liquidation_usd", "short": "short_liquidation_usd"},
                _USD,
            ),
        ),
        time="time",
        means="from",
    ),
    FileLayout(
        "CoinGlass: liquidation orders",
        _DOCS + "futures/liquidation/order; side 1 is a buy, so a short was liquidated",
        tuple(
            Part(
                "liquidations",
                {"price": "price", "size": "usd_value", "side": sign},
                {"size": "quote"},
                where={"side": word},
            )
            for word, sign in ((1, 1), (2, -1))
        ),
        time="time",
        needs=("side", "base_asset"),
        symbol="symbol",
        exchange="exchange_name",
        perpetual=True,
    ),
    FileLayout(
        "CoinGlass: price candles",
        _DOCS + "futures/price/history",
        (Part("candles", _OHLC | {"volume": "volume_usd"}, {"volume": "quote"}),),
        time="time",
        means="from",
    ),
    FileLayout(
        "CoinGlass: funding",
        _DOCS + "futures/funding-rate/history, percent",
        (Part("funding", {"rate": "close"}, {"rate": "percent"}, means="at", span="8h"),),
        needs=("open", "high", "low"),
        unless="open-?interest|\\boi\\b|price|liquid",
        fits=_rates,
        note="taken for percent each 8 hours: change span where the market pays at other times",
        **_COLUMNS,
    ),
    FileLayout(
        "CoinGlass: open interest in dollars",
        _DOCS + "futures/open-interest/history, unit usd",
        (),
        needs=("open", "high", "low", "close"),
        path="open-?interest|\\boi\\b",
        fits=_dollars,
        note="dollars without a price beside them cannot become coins: ask with unit=coin",
        refused=True,
        **_COLUMNS,
    ),
    FileLayout(
        "CoinGlass: open interest in coin",
        _DOCS + "futures/open-interest/history, unit coin",
        (Part("open_interest", {"size": "close"}, {"size": "base"}, means="from"),),
        needs=("open", "high", "low"),
        path="open-?interest|\\boi\\b",
        fits=_in_coin,
        **_COLUMNS,
    ),
    FileLayout(
        "CoinGlass: shares of longs",
        _DOCS + "futures/global-long-short-account-ratio/history",
        (
            Part(
                "ratios",
                {"accounts": "global_account_long_short_ratio"},
                {"accounts": "ratio"},
            ),
        ),
        time="time",
        means="at",
    ),
)
