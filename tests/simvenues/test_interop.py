"""Libraries that others wrote, unmodified but for their addresses, see what is true.

So the simulator is not merely consistent with our own understanding of the venues.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from powderkeg.simvenues import Simulator
from powderkeg.simvenues.control import book_of

pro: Any = pytest.importorskip("ccxt.pro")
info: Any = pytest.importorskip("hyperliquid.info")

pytestmark = [
    pytest.mark.slow,
    # Both leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
COIN = "BTC/USDT:USDT"
SYMBOLS = {"binance": "BTCUSDT", "bybit": "BTCUSDT", "okx": "BTC-USDT-SWAP"}
CLASSES = {"binance": "binanceusdm", "bybit": "bybit", "okx": "okx"}
UNITS = {"binance": 1.0, "bybit": 1.0, "okx": 0.01}
"""Coins in one of what the library gives."""
OPTIONS: dict[str, dict[str, Any]] = {
    "binance": {"fetchMarkets": {"types": ["linear"]}, "watchTrades": {"name": "aggTrade"}},
    "bybit": {"fetchMarkets": {"types": ["linear"]}},
    "okx": {"fetchMarkets": {"types": ["swap"]}},
}


def _point(node: dict[str, Any], host: str) -> None:
    """Put one host into every address of a tree."""
    for key, value in node.items():
        if isinstance(value, dict):
            _point(value, host)
        elif isinstance(value, str):
            address = urlsplit(value.replace("{hostname}", "x"))
            scheme = "ws" if address.scheme.startswith("ws") else "http"
            node[key] = f"{scheme}://{host}{address.path}"


def _library(venue: str, simulator: Simulator) -> Any:
    host = simulator.addresses[venue]
    library = getattr(pro, CLASSES[venue])({"options": OPTIONS[venue]})
    _point(library.urls["api"], host)
    library.has["fetchCurrencies"] = False
    if venue == "okx":
        library.get_url = lambda *_a, **_k: f"ws://{host}/ws/v5/public"
    return library


async def _soon(what: Any) -> Any:
    return await asyncio.wait_for(what, 60)


@pytest.mark.parametrize("venue", sorted(CLASSES))
async def test_ccxt_sees_the_true_market(venue, start):
    simulator = await start()
    market = simulator.hosts[venue].wire.markets[SYMBOLS[venue]]
    library = _library(venue, simulator)
    try:
        markets = await library.load_markets()
        assert markets[COIN]["contractSize"] == UNITS[venue]
        await _candles_agree(library, market, venue)
        answer = await library.fetch_open_interest(COIN)
        expected = market.oi
        if venue == "bybit":  # asked as history, and both sides
            at = answer["timestamp"] * 1000
            expected = 2 * market.past.interest(at, at + 1, 60_000_000)[0][1]
        assert answer["openInterestAmount"] * UNITS[venue] == pytest.approx(expected, rel=0.005)
        await _trades_agree(library, simulator, venue)
        await _book_agrees(library, market, venue)
    finally:
        await library.close()


async def _candles_agree(library: Any, market: Any, venue: str) -> None:
    minute = 60_000
    until = market.now // 1000 // minute * minute
    rows = await library.fetch_ohlcv(COIN, "1m", since=until - 5 * minute, limit=4)
    assert len(rows) == 4
    for at, opened, high, low, close, volume in rows:
        bar = market.past.bars(at * 1000, at * 1000 + 1, 60_000_000, 1, newest=False)[0]
        assert (opened, high, low, close) == pytest.approx((bar.open, bar.high, bar.low, bar.close))
        assert volume == pytest.approx(bar.volume, abs=0.002), venue


async def _trades_agree(library: Any, simulator: Simulator, venue: str) -> None:
    seen: dict[int, Any] = {}
    while len(seen) < 3:
        for trade in await _soon(library.watch_trades(COIN)):
            seen[trade["timestamp"]] = trade
    rows = {r.at // 1000: r for r in simulator.log.rows if r.venue == venue and r.kind == "trade"}
    for at, trade in seen.items():
        row = rows[at]
        assert trade["price"] == row.price
        assert trade["amount"] * UNITS[venue] == pytest.approx(row.size)
        assert trade["side"] == row.side


async def _book_agrees(library: Any, market: Any, venue: str) -> None:
    """Compare whenever nothing newer was shown than the library has applied."""
    limit = 200 if venue == "bybit" else None
    equal = 0
    for _ in range(60):
        book = await _soon(library.watch_order_book(COIN, limit))
        if book["timestamp"] not in {None, market.now // 1000}:
            continue
        truth = book_of(market)
        levels = [[*map(float, row[:2])] for row in book["bids"][:10]]
        equal += levels == truth["bids"][:10]
        if equal == 3:
            return
    raise AssertionError(f"expected three equal books of sixty, found {equal}")


@pytest.mark.parametrize("venue", sorted(CLASSES))
async def test_ccxt_receives_a_liquidation_with_its_raw_side(venue, start):
    """Bybit sends the side of the position, the others that of the order; ccxt passes it on."""
    simulator = await start()
    market = simulator.hosts[venue].wire.markets[SYMBOLS[venue]]
    library = _library(venue, simulator)
    try:
        await library.load_markets()
        waiting = asyncio.ensure_future(library.watch_liquidations(COIN))
        await asyncio.sleep(1.0)
        market.forced.append((True, 50))
        size, sides = pytest.approx(0.5 if venue == "okx" else 0.05), set[str]()
        while not sides:  # the market's own liquidations come too
            answer = await _soon(waiting)
            sides = {each["side"] for each in answer if each["contracts"] == size}
            waiting = asyncio.ensure_future(library.watch_liquidations(COIN))
        waiting.cancel()
    finally:
        await library.close()
    assert sides == {"buy" if venue == "bybit" else "sell"}


async def test_the_official_hyperliquid_client_sees_the_true_market(start):
    simulator = await start()
    market = simulator.hosts["hyperliquid"].wire.markets["BTC"]
    received: list[Any] = []

    def use() -> tuple[Any, Any, Any]:
        client = info.Info(f"http://{simulator.addresses['hyperliquid']}")
        try:
            client.subscribe({"type": "trades", "coin": "BTC"}, received.append)
            client.subscribe({"type": "l2Book", "coin": "BTC"}, received.append)
            until = market.now // 1000
            candles = client.candles_snapshot("BTC", "1m", until - 600_000, until)
            return client.meta(), client.l2_snapshot("BTC"), candles
        finally:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(3.0), loop).result()
            client.disconnect_websocket()

    loop = asyncio.get_running_loop()
    meta, book, candles = await asyncio.to_thread(use)
    assert meta["universe"][0]["name"] == "BTC"
    assert len(book["levels"][0]) == 20
    assert len(candles) >= 9
    bar = market.past.bars(
        candles[0]["t"] * 1000, candles[0]["t"] * 1000 + 1, 60_000_000, 1, newest=False
    )[0]
    assert float(candles[0]["v"]) == pytest.approx(bar.volume, abs=1e-4)
    channels = {message["channel"] for message in received}
    assert channels == {"trades", "l2Book"}
    prints = {
        (t["time"], float(t["px"])) for m in received if m["channel"] == "trades" for t in m["data"]
    }
    known = {(f.at // 1000, f.ticks * market.spec.tick) for f in market.tape}
    assert prints <= known
