"""Binance's public archive, as it names its files, and its tables under other names.

Files that keep the archive's names become one series of kind ``zip`` for each market: what is in
them, `history.archive` knows. Candles of trades, mark, index and premium share one file name; where
the folder is lost their volume distinguishes them from candles of trades.

Source: binance/binance-public-data, README, and data.binance.vision.
"""

from __future__ import annotations

import re

from powderkeg.history.importing.head import Peek
from powderkeg.history.importing.intervals import moment
from powderkeg.history.layouts.layout import Ask, FileLayout, Found, Part, Unknown, headless
from powderkeg.history.layouts.market import Market, market, venue_of
from powderkeg.history.sources import RatioColumn, Series

_NAME = re.compile(
    r"^([A-Z0-9]{3,}(?:_[A-Z0-9]+)?)-(aggTrades|trades|metrics|fundingRate|bookDepth|bookTicker|"
    r"liquidationSnapshot|BVOLIndex|EOHSummary|\d{1,2}(?:s|m|h|d|w|mo))-\d{4}-\d{2}(?:-\d{2})?\."
)
_UNUSED = {
    "bookDepth": "depth in percent of the price, without levels: it has no event",
    "bookTicker": "best bid and ask only: they have no event",
    "BVOLIndex": "an index of volatility: it has no event",
    "EOHSummary": "sums of options: they have no event",
    "premiumIndexKlines": "the premium of the perpetual over the index: it has no event",
}
_CANDLES = ("markPriceKlines", "indexPriceKlines", "premiumIndexKlines")
_LOST = (
    "its volume is 0 throughout, so these are candles of the mark, the index or the premium: put "
    "them into a folder named markPriceKlines, indexPriceKlines or premiumIndexKlines, as the "
    "archive does"
)
_MAYBE_SPOT = "taken for USD-M futures; if it is spot, put it below a folder named spot"


def archive(peek: Peek, ask: Ask) -> Found | Unknown | None:
    """Return the series of a file named as in the archive, None if it is not."""
    found = _NAME.match(peek.path.name)
    if not found or "okx" in peek.path.as_posix().lower():
        return None
    kind = _kind(found[2], peek)
    form = f"Binance archive: {kind}"
    if kind in _UNUSED:
        return Found(form, (), _UNUSED[kind])
    if kind == "klines" and peek.rows and _no_volume(peek):
        return Unknown(_LOST)
    if found[2] in {"1mo", "1w"}:
        return Found(form, (), "candles of weeks or months add nothing to shorter ones")
    place, sure = _market(found[1], kind, peek)
    if ask.coin and place.coin != ask.coin:
        return Found(form, (), f"it is of {place.coin}, where {ask.coin} is asked for")
    unit: dict[str, str] = {}
    if place.unit != "base":
        unit = dict.fromkeys(("size", "volume", "buy"), place.unit)
    one = Series(
        place.venue, place.symbol, "zip", (peek.path.as_posix(),), coin=place.coin, unit=unit
    )
    return Found(form, (one,), "" if sure else _MAYBE_SPOT, sure)


def _kind(word: str, peek: Peek) -> str:
    if not word[0].isdigit():
        return word
    return next((kind for kind in _CANDLES if kind in peek.path.parts), "klines")


def _no_volume(peek: Peek) -> bool:
    column = "5" if headless(peek) else "volume"
    volumes = peek.column(column)
    return len(volumes) > 1 and all(float(v) == 0 for v in volumes if _number(v))


def _number(text: object) -> bool:
    return re.fullmatch(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", str(text), re.IGNORECASE) is not None


def _market(symbol: str, kind: str, peek: Peek) -> tuple[Market, bool]:
    """Return the market of an archive file, and whether futures or spot is sure."""
    venue = venue_of(peek.path)
    if venue.startswith("binance") and venue != "binance":
        return market(venue, symbol), True
    futures = re.search(r"futures/um|\bum\b|fapi|futures|usdm", peek.path.as_posix().lower())
    place = market("binance", symbol)
    if place.venue == "binance-coin" or futures or kind in {"metrics", "fundingRate", *_CANDLES}:
        return place, True
    if kind == "liquidationSnapshot":
        return place, True
    if _spot(kind, peek):
        return market("binance-spot", symbol), True
    return place, not headless(peek)


def _spot(kind: str, peek: Peek) -> bool:
    """Return whether a file is spot: only its files have one column more, and stamps in µs."""
    if len(peek.names) == {"aggTrades": 8, "trades": 7}.get(kind):
        return True
    first = next(iter(peek.rows), {})
    return any(str(v).isdigit() and len(str(v)) == 16 and moment(v) for v in first.values())


_BY_COIN = {"size": "base"}
FORMS = (
    FileLayout(
        "Binance: metrics",
        "binance-public-data, data/futures/um/daily/metrics",
        (
            Part(
                "open_interest",
                {
                    "size": "sum_open_interest",
                    "price": RatioColumn("sum_open_interest_value", "sum_open_interest"),
                },
                _BY_COIN,
            ),
            Part(
                "ratios",
                {
                    "accounts": "count_long_short_ratio",
                    "top_accounts": "count_toptrader_long_short_ratio",
                    "top_positions": "sum_toptrader_long_short_ratio",
                    "taker": "sum_taker_long_short_vol_ratio",
                },
                dict.fromkeys(("accounts", "top_accounts", "top_positions", "taker"), "ratio"),
            ),
        ),
        time="create_time",
        venue="binance",
        symbol="symbol",
    ),
    FileLayout(
        "Binance: aggregated trades",
        "binance-public-data, aggTrades",
        (
            Part(
                "trades",
                {
                    "price": "price",
                    "size": "quantity",
                    "id": "agg_trade_id",
                    "maker": "is_buyer_maker",
                },
            ),
        ),
        time="transact_time",
    ),
    FileLayout(
        "Binance: funding",
        "binance-public-data, fundingRate",
        (
            Part(
                "funding",
                {"rate": "last_funding_rate", "interval": "funding_interval_hours"},
                {"interval": "h"},
            ),
        ),
        time="calc_time",
    ),
    FileLayout(
        "Binance: liquidation orders",
        "binance-public-data, liquidationSnapshot; a recorder of !forceOrder@arr",
        (
            Part(
                "liquidations",
                {"price": "average_price", "size": "accumulated_fill_quantity", "side": "side"},
            ),
        ),
        time="time",
        symbol="symbol",
    ),
    FileLayout(
        "Binance: liquidation orders, recorded",
        "Moon Dev's liquidation files; fields of !forceOrder@arr",
        (
            Part(
                "liquidations",
                {
                    "price": "average_price",
                    "size": "order_filled_accumulated_quantity",
                    "side": "side",
                },
            ),
        ),
        time="order_trade_time",
        venue="binance",
        symbol="symbol",
    ),
)
