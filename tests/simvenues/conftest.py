"""One simulated coin for all tests, and servers that begin from copies of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import msgspec
import pytest

from powderkeg.events import MINUTE
from powderkeg.sim import MinuteHistory, SimulatedMarket
from powderkeg.simvenues import Simulator, server
from powderkeg.simvenues.market.feed import Coin
from powderkeg.simvenues.market.world import WEIGHTS, make
from powderkeg.simvenues.server import EXCHANGES
from powderkeg.simvenues.wire import MockExchange

Made = tuple[SimulatedMarket, list[MinuteHistory]]
SEED = 5


@pytest.fixture(scope="session")
def made() -> Made:
    """A day of BTC at all venues, up to a moment ago. Do not step it: copy it."""
    until = time.time_ns() // 1000 // MINUTE * MINUTE
    return make("BTC", tuple(WEIGHTS), SEED, until, 1.0)


@pytest.fixture
def coin(made: Made) -> Coin:
    """A separate copy of the coin at the end of its history."""
    market, histories = made
    return Coin("BTC", market.copy(), histories, 0, SEED)


@pytest.fixture
def wires(coin: Coin) -> dict[str, MockExchange]:
    """Each venue's wire, whose clock is the market's."""
    return {
        market.spec.venue: EXCHANGES[market.spec.venue](
            market.spec.venue, [market], lambda market=market: market.now
        )
        for market in coin.markets
    }


Start = Callable[..., Awaitable[Simulator]]


@pytest.fixture
async def start(made: Made, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Return a function that starts a simulator of BTC at once; all are closed afterwards.

    Only faults cause liquidations there: which others would happen depends on the time of day.
    """
    begun: list[Simulator] = []

    async def ready(*_: Any) -> dict[str, Made]:
        market, histories = made
        calm = market.copy()
        calm._schedule.params["liquidations"] = 0
        return {"BTC": (calm, histories)}

    async def begin(rate: float = 0.0) -> Simulator:
        begun.append(await server.serve(["BTC"], days=1.0, rate=rate))
        return begun[-1]

    monkeypatch.setattr(server, "make_all", ready)
    yield begin
    for simulator in begun:
        await simulator.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def frames(
    ws: aiohttp.ClientWebSocketResponse, until: Callable[[Any], bool], seconds: float = 60.0
) -> list[Any]:
    """Return decoded frames up to the first that satisfies `until`, which is included."""
    out: list[Any] = []
    async with asyncio.timeout(seconds):
        async for message in ws:
            out.append(decoded(message.data))
            if until(out[-1]):
                return out
    raise AssertionError(f"expected a frame, the socket closed after {out[-3:]}")


def decoded(data: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data


SUBSCRIPTIONS: dict[str, tuple[str, Sequence[dict[str, Any]]]] = {
    "binance": ("/public/stream?streams=btcusdt@depth@100ms", ()),
    "binance-coin": ("/public/stream?streams=btcusd_perp@depth@100ms", ()),
    "bybit": ("/v5/public/linear", [{"op": "subscribe", "args": ["orderbook.200.BTCUSDT"]}]),
    "bybit-inverse": (
        "/v5/public/inverse",
        [{"op": "subscribe", "args": ["orderbook.200.BTCUSD"]}],
    ),
    "okx": (
        "/ws/v5/public",
        [{"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT-SWAP"}]}],
    ),
    "bitget": (
        "/v3/ws/public",
        [
            {
                "op": "subscribe",
                "args": [{"instType": "usdt-futures", "topic": "books", "symbol": "BTCUSDT"}],
            }
        ],
    ),
    "deribit": (
        "/ws/api/v2",
        [
            {
                "id": 1,
                "method": "public/subscribe",
                "params": {"channels": ["book.BTC-PERPETUAL.100ms"]},
            }
        ],
    ),
    "hyperliquid": (
        "/ws",
        [{"method": "subscribe", "subscription": {"type": "l2Book", "coin": "BTC"}}],
    ),
}
"""Path and messages that subscribe to each venue's book."""
SYMBOLS = {
    "binance": "BTCUSDT",
    "bybit": "BTCUSDT",
    "okx": "BTC-USDT-SWAP",
    "bitget": "BTCUSDT",
    "deribit": "BTC-PERPETUAL",
    "hyperliquid": "BTC",
    "binance-coin": "BTCUSD_PERP",
    "bybit-inverse": "BTCUSD",
}


Rows = tuple[Any, Any, bool, int, int]
"""Bids, asks, whether it is a snapshot, its id, the id before it."""


def _binance(frame: Any) -> Rows | None:
    data = frame.get("data", {})
    return (data["b"], data["a"], False, data["u"], data["pu"]) if "pu" in data else None


def _bybit(frame: Any) -> Rows | None:
    if "topic" not in frame:
        return None
    data = frame["data"]
    return data["b"], data["a"], frame["type"] == "snapshot", data["u"], data["u"] - 1


def _okx(frame: Any) -> Rows | None:
    if "action" not in frame:
        return None
    data = frame["data"][0]
    whole = frame["action"] == "snapshot"
    return data["bids"], data["asks"], whole, data["seqId"], data["prevSeqId"]


def _bitget(frame: Any) -> Rows | None:
    if "action" not in frame:
        return None
    data = frame["data"][0]
    return data["b"], data["a"], frame["action"] == "snapshot", data["seq"], data["pseq"]


def _deribit(frame: Any) -> Rows | None:
    if frame.get("method") != "subscription":
        return None
    data = frame["params"]["data"]
    bids, asks = ([row[1:] for row in data[name]] for name in ("bids", "asks"))
    whole = data["type"] == "snapshot"
    return bids, asks, whole, data["change_id"], data.get("prev_change_id", 0)


def _hyperliquid(frame: Any) -> Rows | None:
    if frame.get("channel") != "l2Book":
        return None
    bids, asks = ([(row["px"], row["sz"]) for row in side] for side in frame["data"]["levels"])
    return bids, asks, True, frame["data"]["time"], 0


ROWS: dict[str, Callable[[Any], Rows | None]] = {
    "binance": _binance,
    "binance-coin": _binance,
    "bybit": _bybit,
    "bybit-inverse": _bybit,
    "okx": _okx,
    "bitget": _bitget,
    "deribit": _deribit,
    "hyperliquid": _hyperliquid,
}


def book_rows(venue: str, frame: Any) -> Rows | None:
    """Return the book rows of a frame, if it has any."""
    return ROWS[venue](frame) if isinstance(frame, dict) else None


class Copy:
    """A book as a client rebuilds it."""

    def __init__(self) -> None:
        self.sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
        self.last = 0
        self.gaps = 0

    def take(self, bids: Any, asks: Any, whole: bool, last: int, previous: int) -> None:
        if whole:
            self.sides = ({}, {})
        elif self.last and previous != self.last:
            self.gaps += 1
        self.last = last
        for side, rows in zip(self.sides, (bids, asks), strict=True):
            for price, size, *_ in rows:
                side[float(price)] = float(size)
                if not float(size):
                    del side[float(price)]

    def top(self, n: int) -> tuple[list[Any], list[Any]]:
        bids, asks = self.sides
        return sorted(bids.items(), reverse=True)[:n], sorted(asks.items())[:n]
