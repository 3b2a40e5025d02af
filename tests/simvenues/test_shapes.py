"""What is served has the keys and kinds of values of what the venues were recorded to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from powderkeg.simvenues.market.feed import Coin
from powderkeg.simvenues.wire import MockExchange, Session

from .conftest import SYMBOLS, decoded

TARDIS, NAUTILUS = "wire/messages_tardis", "wire/messages_nautilus"
SUBSCRIPTIONS: dict[str, list[Any]] = {
    "binance": [],
    "binance-coin": [],
    "bybit": [
        {
            "op": "subscribe",
            "args": [
                f"{kind}.BTCUSDT"
                for kind in ("orderbook.200", "publicTrade", "tickers", "allLiquidation")
            ],
        }
    ],
    "okx": [
        {
            "op": "subscribe",
            "args": [
                *(
                    {"channel": channel, "instId": "BTC-USDT-SWAP"}
                    for channel in (
                        "trades",
                        "books",
                        "open-interest",
                        "mark-price",
                        "funding-rate",
                    )
                ),
                {"channel": "index-tickers", "instId": "BTC-USDT"},
                {"channel": "liquidation-orders", "instType": "SWAP"},
            ],
        }
    ],
    "bitget": [
        {
            "op": "subscribe",
            "args": [
                *(
                    {"instType": "usdt-futures", "topic": topic, "symbol": "BTCUSDT"}
                    for topic in ("publicTrade", "books", "ticker")
                ),
                {"instType": "usdt-futures", "topic": "liquidation"},
            ],
        }
    ],
    "deribit": [
        {
            "id": 1,
            "method": "public/subscribe",
            "params": {
                "channels": [f"{kind}.BTC-PERPETUAL.100ms" for kind in ("trades", "book", "ticker")]
            },
        }
    ],
    "hyperliquid": [
        {"method": "subscribe", "subscription": {"type": kind, "coin": "BTC"}}
        for kind in ("trades", "l2Book", "activeAssetCtx")
    ],
}
PATHS = {
    "binance": "/market/stream?streams=btcusdt@aggTrade",
    "binance-coin": "/market/stream?streams=btcusd_perp@aggTrade",
    "bybit": "/v5/public/linear",
    "okx": "/ws/v5/public",
    "bitget": "/v3/ws/public",
    "deribit": "/ws/api/v2",
    "hyperliquid": "/ws",
}


@pytest.fixture
def published(coin: Coin, wires: dict[str, MockExchange]) -> dict[str, list[Any]]:
    """All that venues publish in four seconds, two of them with forced closes."""
    out: dict[str, list[Any]] = {venue: [] for venue in wires}
    for venue, path in PATHS.items():
        session = Session(
            lambda body, venue=venue: out[venue].append(decoded(body.decode())), path, 1
        )
        assert wires[venue].connect(session)
        for message in SUBSCRIPTIONS[venue]:
            wires[venue].on_message(session, json.dumps(message))
    for market in coin.markets:
        market.forced += [(True, 5), (False, 6), (True, 7), (False, 8)]
    for market, update in coin.advance(coin.simulation.now + 4_000_000):
        wire = wires[market.spec.venue]
        for frame in wire.publish_update(
            market, update, wire.reported_liquidations(market, update)
        ):
            out[market.spec.venue].append(decoded(frame.body.decode()))
    return out


def kinds(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path in a message with the kind of value there; lists by their first entry."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from kinds(part, f"{where}.{key}")
    elif isinstance(value, list):
        if value:
            yield from kinds(value[0], f"{where}[]")
    elif value is not None and value != "":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        yield where, "number" if number else type(value).__name__


def lines(data: Path, name: str) -> list[Any]:
    text = (data / TARDIS / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def same(recorded: Any, served: Any, but: frozenset[str] = frozenset()) -> None:
    """Assert that all that was recorded is served, as the same kind."""
    have = dict(kinds(served))
    want = {where: kind for where, kind in kinds(recorded) if where.split(".")[-1] not in but}
    assert {where: have.get(where) for where in want} == want


def first(messages: list[Any], **wish: Any) -> Any:
    """Return the first message whose entries, `__` deep, contain what is wished."""
    for message in messages:
        if isinstance(message, dict) and all(
            value in str(at(message, key.split("__"))) for key, value in wish.items()
        ):
            return message
    raise AssertionError(f"expected a message with {wish}, found none of {len(messages)}")


def at(message: Any, path: list[str]) -> Any:
    for key in path:
        message = message.get(key, "") if isinstance(message, dict) else ""
    return message


@pytest.mark.parametrize(
    "kind",
    ["aggTrade", "depthUpdate", "markPriceUpdate", "bookTicker", "trade", "forceOrder"],
)
def test_binance_streams(kind, data, published):
    recorded = first(lines(data, "binance_usdm"), data__e=kind)["data"]
    mine = [m for m in published["binance"] if m.get("e") == kind]
    # a diff may well have changed one side only
    served = first([m for m in mine if m.get("a", True) and m.get("b", True)] or mine, e=kind)
    same(recorded, served)


@pytest.mark.parametrize("kind", ["depthUpdate", "bookTicker", "forceOrder"])
def test_coin_margined_streams(kind, data, published):
    recorded = first(lines(data, "binance_coinm"), data__e=kind)["data"]
    mine = [m for m in published["binance-coin"] if m.get("e") == kind]
    whole = [m for m in mine if m.get("a", True) and m.get("b", True)] or mine
    same(recorded, first(whole, e=kind))


@pytest.mark.parametrize("topic", ["publicTrade", "orderbook", "tickers.BTCUSDT", "allLiquidation"])
def test_bybit_topics(topic, data, published):
    kind = "snapshot" if topic.startswith("tickers") else ""
    recorded = first(lines(data, "bybit")[-20:], topic=topic, type=kind)
    same(recorded, first(published["bybit"], topic=topic, type=kind))


@pytest.mark.parametrize(
    "channel",
    ["trades", "index-tickers", "mark-price", "open-interest", "funding-rate"],
)
def test_okx_channels(channel, data, published):
    recorded = first(lines(data, "okx_swap"), arg__channel=channel)
    gone = frozenset({"nextFundingRate"})  # empty since rates are of the running period
    same(recorded, first(published["okx"], arg__channel=channel, data="["), gone)


def test_okx_books(data, published):
    recorded = first(lines(data, "okx_swap"), arg__channel="books-l2-tbt")
    updates = [m for m in published["okx"] if m.get("action") == "update"]
    books = [m for m in updates if at(m, ["arg", "channel"]) == "books"]
    # an update may change one side only
    same(recorded, next(m for m in books if m["data"][0]["asks"] and m["data"][0]["bids"]))


def test_okx_liquidations_are_arrays_of_details(published):
    message = first(published["okx"], arg__channel="liquidation-orders", data="details")
    details = message["data"][0]["details"]
    assert len(details) > 1
    assert {row["posSide"] for row in details} == {"long", "short"}
    assert all(row["side"] == {"long": "sell", "short": "buy"}[row["posSide"]] for row in details)


@pytest.mark.parametrize("topic", ["publicTrade", "books", "ticker", "liquidation"])
def test_bitget_topics(topic, data, published):
    recorded = first(lines(data, "bitget_futures_v3"), arg__topic=topic)
    served = [m for m in published["bitget"] if m.get("action") and m["arg"]["topic"] == topic]
    same(recorded, next(m for m in served if m["data"]))


@pytest.mark.parametrize("kind", ["trades", "book"])
def test_deribit_channels(kind, data, published):
    file = data / NAUTILUS / "deribit" / f"ws_{'book_delta' if kind == 'book' else 'trades'}.json"
    recorded = json.loads(file.read_text())
    served = [
        m for m in published["deribit"] if at(m, ["params", "channel"]).startswith(f"{kind}.")
    ]
    same(recorded, served[-1], frozenset({"combo_trade_id"}))


def test_deribit_ticker(data, published):
    recorded = json.loads((data / NAUTILUS / "deribit" / "ws_ticker.json").read_text())
    same(recorded, first(published["deribit"], params__channel="ticker"))


def test_deribit_books_begin_with_a_snapshot_and_name_new_levels_as_new(published):
    books = [m for m in published["deribit"] if "book." in at(m, ["params", "channel"])]
    whole, *changes = [m["params"]["data"] for m in books]
    assert whole["type"] == "snapshot"
    assert "prev_change_id" not in whole
    known = [{row[1] for row in whole[side]} for side in ("bids", "asks")]
    for change in changes:
        for levels, side in zip(known, ("bids", "asks"), strict=True):
            for action, price, amount in change[side]:
                assert (action == "new") == (price not in levels)
                assert (action == "delete") == (amount == 0)
                (levels.discard if action == "delete" else levels.add)(price)


@pytest.mark.parametrize("channel", ["trades", "l2Book", "activeAssetCtx"])
def test_hyperliquid_channels(channel, data, published):
    recorded = [m for m in lines(data, "hyperliquid") if m["channel"] == channel]
    message = next(m for m in recorded if channel != "l2Book" or m["data"]["levels"][0])
    same(message, [m for m in published["hyperliquid"] if m["channel"] == channel][-1])


BTC = "symbol=BTCUSDT"
SWAP = "instId=BTC-USDT-SWAP"
PERPETUAL = "instrument_name=BTC-PERPETUAL"
ANSWERS = [
    ("binance", "/fapi/v1/klines", f"{BTC}&interval=1m", "klines"),
    ("binance", "/fapi/v1/aggTrades", BTC, "agg_trades"),
    ("binance", "/fapi/v1/openInterest", BTC, "open_interest"),
    ("binance", "/futures/data/openInterestHist", f"{BTC}&period=5m", "open_interest_historical"),
    (
        "binance",
        "/futures/data/globalLongShortAccountRatio",
        f"{BTC}&period=5m",
        "global_long_short_account_ratio",
    ),
    ("binance", "/fapi/v1/fundingRate", BTC, "funding_rate"),
    ("binance", "/fapi/v1/premiumIndex", BTC, "premium_index"),
    ("binance", "/fapi/v1/exchangeInfo", "", "exchange_info"),
    ("bybit", "/v5/market/kline", f"{BTC}&interval=1", "klines_linear"),
    ("bybit", "/v5/market/recent-trade", BTC, "trades_recent"),
    ("bybit", "/v5/market/funding/history", BTC, "funding_history"),
    ("bybit", "/v5/market/instruments-info", "", "instruments_linear"),
    ("bybit", "/v5/market/orderbook", BTC, "orderbook"),
    ("okx", "/api/v5/market/history-candles", SWAP, "candlesticks_full"),
    ("okx", "/api/v5/market/trades", SWAP, "trades"),
    ("okx", "/api/v5/public/funding-rate-history", SWAP, "funding_rate_history"),
    ("okx", "/api/v5/public/instruments", "instType=SWAP", "instruments_swap"),
    ("okx", "/api/v5/public/mark-price", "", "mark_price"),
    ("okx", "/api/v5/public/position-tiers", "instFamily=BTC-USDT", "position_tiers"),
    ("deribit", "/api/v2/public/get_last_trades_by_instrument", PERPETUAL, "last_trades"),
    ("deribit", "/api/v2/public/get_instruments", "kind=future", "instruments"),
    (
        "deribit",
        "/api/v2/public/get_tradingview_chart_data",
        f"{PERPETUAL}&resolution=1&start_timestamp=0&end_timestamp=9999999999999",
        "tradingview_chart_data",
    ),
    ("hyperliquid", "/info", '{"type":"recentTrades","coin":"BTC"}', "recent_trades_btc"),
    ("hyperliquid", "/info", '{"type":"meta"}', "meta_perp_sample"),
    (
        "hyperliquid",
        "/info",
        '{"type":"fundingHistory","coin":"BTC","startTime":0}',
        "funding_history",
    ),
]
FOLDERS = {
    "binance": "binance_futures/http_futures_market_",
    "bybit": "bybit_v5/http_get_",
    "okx": "okx_v5/http_get_",
    "deribit": "deribit/http_get_",
    "hyperliquid": "hyperliquid/http_",
}
UNSERVED = frozenset({
    # Request ids, and what only other kinds of instrument carry or no reader could use.
    "id", "baseMaxLoan", "quoteMaxLoan", "instId", "maxSz", "max_non_default_leverage", "asset",
    "deliveryFeeRate", "marginAvailable", "autoAssetExchange", "settlePlan", "testnet",
    "interval", "limit", "intervalNum",
})  # fmt: skip


@pytest.mark.parametrize(("venue", "path", "query", "file"), ANSWERS, ids=lambda x: str(x)[:40])
def test_answers(venue, path, query, file, data, published, wires):
    del published  # so that there have been trades
    recorded = json.loads((data / NAUTILUS / f"{FOLDERS[venue]}{file}.json").read_text())
    body = query.encode() if venue == "hyperliquid" else b""
    asked = {} if body else dict(parse_qsl(query))
    same(recorded, json.loads(wires[venue].answer(path, asked, body).body), UNSERVED)


def test_every_venue_names_its_perpetual_as_documented(wires):
    assert {venue: next(iter(wire.markets)) for venue, wire in wires.items()} == SYMBOLS
