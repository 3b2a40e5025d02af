"""Each fault does what its name says, and ends by itself."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import aiohttp
import msgspec
import pytest

from powderkeg.simvenues import Simulator

from .conftest import SUBSCRIPTIONS, SYMBOLS, book_rows, decoded, frames

CHAINED = sorted(set(SUBSCRIPTIONS) - {"hyperliquid"})


async def ask(simulator: Simulator, http: aiohttp.ClientSession, **fault: Any) -> dict[str, Any]:
    async with http.post(f"{simulator.control}/faults", json=fault) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def connected(
    simulator: Any, http: Any, venue: str, path: str = "", *subscription: Any
) -> Any:
    own, first = SUBSCRIPTIONS[venue]
    ws = await http.ws_connect(f"ws://{simulator.addresses[venue]}{path or own}")
    for message in subscription or (() if path else first):
        text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        await ws.send_str(text)
    return ws


async def ids(ws: Any, venue: str, count: int) -> list[tuple[int, int]]:
    """Return the id and the id before it of so many book changes."""
    out: list[tuple[int, int]] = []
    while len(out) < count:
        rows = book_rows(venue, decoded(await ws.receive_str(timeout=60)))
        if rows is not None and not rows[2]:
            out.append((rows[3], rows[4]))
    return out


def breaks(chain: list[tuple[int, int]]) -> int:
    return sum(b[1] != a[0] for a, b in pairwise(chain))


async def test_dropped_diffs_break_every_chain_once(start, http):
    simulator = await start()

    async def drop(venue: str) -> None:
        ws = await connected(simulator, http, venue)
        chain = await ids(ws, venue, 5)
        assert breaks(chain) == 0, venue
        await ask(simulator, http, venue=venue, fault="drop", n=2)
        assert breaks(chain + await ids(ws, venue, 8)) == 1, venue

    await asyncio.gather(*map(drop, CHAINED))


async def test_a_doubled_diff_comes_twice(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "binance")
    await ask(simulator, http, venue="binance", fault="duplicate", n=1)
    chain = await ids(ws, "binance", 6)
    assert len(chain) == len(set(chain)) + 1


async def test_reordered_diffs_change_places(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "okx")
    await ask(simulator, http, venue="okx", fault="reorder", n=1)
    chain = await ids(ws, "okx", 6)
    assert sorted(chain) != chain
    assert breaks(sorted(chain)) == 0


async def test_a_fault_of_one_symbol_spares_others(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "bybit")
    await ask(simulator, http, venue="bybit", fault="drop", n=5, symbol="ETHUSDT")
    assert breaks(await ids(ws, "bybit", 6)) == 0


async def test_a_silent_venue_keeps_the_socket_and_sends_nothing(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "bybit")
    await ids(ws, "bybit", 2)
    chain: list[tuple[int, int]] = []
    stamps: list[int] = []

    async def on_message() -> None:
        frame = decoded(await ws.receive_str(timeout=60))
        chain.append((frame["data"]["u"], frame["data"]["u"] - 1))
        stamps.append(frame["ts"])

    await on_message()
    before = time.monotonic()
    await ask(simulator, http, venue="bybit", fault="silent", seconds=1.2)
    while time.monotonic() - before < 1.4 or len(chain) < 4:
        await on_message()
    assert max(later - at for at, later in pairwise(stamps)) > 1000, "by the clock of the venue, ms"
    assert breaks(chain) == 1
    assert not ws.closed


async def test_a_slow_venue_delivers_late_and_in_order(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "bybit")
    await ids(ws, "bybit", 2)
    await ask(simulator, http, venue="bybit", fault="slow", seconds=0.8, delay=1.0)
    chain, late = [], 0.0
    end = time.monotonic() + 2.5
    while late <= 0.8 or time.monotonic() < end:
        frame = decoded(await ws.receive_str(timeout=60))
        chain.append((frame["data"]["u"], frame["data"]["u"] - 1))
        late = max(late, simulator.clock() / 1e6 - frame["ts"] / 1e3)
    assert breaks(chain) == 0


@pytest.mark.parametrize("fault", ["close", "close_24h"])
async def test_a_cut_socket_can_come_back(fault, start, http):
    simulator = await start()
    ws = await connected(simulator, http, "binance")
    await ids(ws, "binance", 2)
    await ask(simulator, http, venue="binance", fault=fault, seconds=0.5)
    with pytest.raises(TypeError):
        await ids(ws, "binance", 500)
    await asyncio.sleep(0.6)
    again = await connected(simulator, http, "binance")
    assert breaks(await ids(again, "binance", 3)) == 0


PINGS: dict[str, tuple[str, Any]] = {
    "bybit": ('{"op":"ping"}', "pong"),
    "okx": ("ping", "pong"),
    "bitget": ("ping", "pong"),
    "hyperliquid": ('{"method":"ping"}', "pong"),
    "deribit": ('{"id":9,"method":"public/test"}', "1.2.26"),
}


async def test_a_ping_is_answered_unless_ignored(start, http):
    simulator = await start()

    async def ping(venue: str) -> None:
        text, pong = PINGS[venue]
        ws = await connected(simulator, http, venue, SUBSCRIPTIONS[venue][0], text)
        assert pong in await ws.receive_str(timeout=60), venue
        await ask(simulator, http, venue=venue, fault="pong_ignored", seconds=600)
        await ws.send_str(text)
        with pytest.raises(asyncio.TimeoutError):
            await ws.receive_str(timeout=0.3)

    await asyncio.gather(*map(ping, PINGS))


async def test_bybit_restarts_with_a_snapshot_whose_u_is_one(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "bybit")
    await ids(ws, "bybit", 2)
    await ask(simulator, http, venue="bybit", fault="seq_reset")
    seen = await frames(ws, lambda f: f.get("type") == "snapshot" and f["data"]["u"] == 1)
    assert len(seen[-1]["data"]["b"]) == 200
    assert (await ids(ws, "bybit", 2))[0] == (2, 1)


async def test_okx_continues_from_a_lower_id_without_a_gap(start, http):
    simulator = await start()
    ws = await connected(simulator, http, "okx")
    await ids(ws, "okx", 2)
    await ask(simulator, http, venue="okx", fault="seq_reset")
    chain = await ids(ws, "okx", 6)
    assert breaks(chain) == 0
    assert any(last < previous for last, previous in chain)


async def test_a_stale_snapshot_is_older_than_any_diff_since(start, http):
    simulator = await start()
    url = f"http://{simulator.addresses['binance']}/fapi/v1/depth?symbol=BTCUSDT&limit=100"
    await ask(simulator, http, venue="binance", fault="stale_snapshot", seconds=600)
    ws = await connected(simulator, http, "binance")
    await ids(ws, "binance", 1)
    (last, _), *_ = await ids(ws, "binance", 1)

    async def shown() -> int:
        async with http.get(url) as answer:
            return (await answer.json())["lastUpdateId"]

    assert await shown() < last - 1
    await ask(simulator, http, venue="binance", fault="stale_snapshot", seconds=1e-6)
    async with asyncio.timeout(60):
        while await shown() <= last:
            pass


FORCED: dict[str, tuple[str, Any]] = {
    "binance": ("/market/stream?streams=btcusdt@forceOrder", None),
    "bybit": ("/v5/public/linear", {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}),
    "okx": (
        "/ws/v5/public",
        {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]},
    ),
    "bitget": (
        "/v3/ws/public",
        {"op": "subscribe", "args": [{"instType": "usdt-futures", "topic": "liquidation"}]},
    ),
    "deribit": (
        "/ws/api/v2",
        {
            "id": 1,
            "method": "public/subscribe",
            "params": {"channels": ["trades.BTC-PERPETUAL.100ms"]},
        },
    ),
}


def forced(venue: str, frame: Any) -> list[Any]:
    """Return the liquidations of a frame."""
    if not isinstance(frame, dict):
        return []
    if venue == "binance":
        return [frame["data"]["o"]]
    if venue == "okx":
        return [row for part in frame.get("data", []) for row in part["details"]]
    if venue == "deribit":
        rows = frame.get("params", {}).get("data", [])
        return [row for row in rows if "liquidation" in row]
    return frame.get("data", [])


REPORTED = {"binance": 1, "bybit": 6, "okx": 5, "bitget": 2, "deribit": 6}
"""Of six at once: the latest, all, four of five, the largest of each side, all."""


async def test_each_venue_censors_a_batch_of_liquidations_in_its_own_way(start, http):
    simulator = await start()

    async def batch(venue: str) -> None:
        path, subscription = FORCED[venue]
        ws = await connected(
            simulator, http, venue, path, *([subscription] if subscription else [])
        )
        await asyncio.sleep(0.2)
        await ask(simulator, http, venue=venue, fault="liquidation_batch", n=6)
        seen = await frames(ws, lambda frame: bool(forced(venue, frame)))
        assert len(forced(venue, seen[-1])) == REPORTED[venue], venue
        rows = [r for r in simulator.log.rows if r.venue == venue and r.kind == "liquidation"]
        assert len(rows) == REPORTED[venue], venue

    await asyncio.gather(*map(batch, FORCED))


async def test_a_late_liquidation_comes_late(start, http):
    simulator = await start()
    path, subscription = FORCED["bybit"]
    ws = await connected(simulator, http, "bybit", path, subscription)
    await ask(simulator, http, venue="bybit", fault="late_liquidation", seconds=600, delay=1.5)
    await ask(simulator, http, venue="bybit", fault="liquidation_batch", n=1)
    seen = await frames(ws, lambda frame: bool(forced("bybit", frame)))
    assert simulator.clock() // 1000 - forced("bybit", seen[-1])[0]["T"] > 1400


@pytest.mark.parametrize("venue", ["okx", "bitget"])
async def test_old_liquidations_are_replayed_to_new_subscribers(venue, start, http):
    simulator = await start()
    path, subscription = FORCED[venue]
    first = await connected(simulator, http, venue, path, subscription)
    await ask(simulator, http, venue=venue, fault="liquidation_batch", n=2)
    stamps = forced(venue, (await frames(first, lambda frame: bool(forced(venue, frame))))[-1])
    if venue == "bitget":  # OKX always does
        await ask(simulator, http, venue=venue, fault="replay_on_subscribe", seconds=600)
    second = await connected(simulator, http, venue, path, subscription)
    seen = await frames(second, lambda frame: bool(forced(venue, frame)))
    assert forced(venue, seen[-1])[0] in stamps


async def test_rest_is_refused_for_a_while(start, http):
    simulator = await start()

    async def refuse(venue: str, path: str, status: int) -> None:
        url = f"http://{simulator.addresses[venue]}{path}"
        await ask(simulator, http, venue=venue, fault=f"http_{status}", seconds=600)
        async with http.get(url) as answer:
            assert answer.status == status
            assert answer.headers["Retry-After"] == "600"
        await ask(simulator, http, venue=venue, fault=f"http_{status}", seconds=1e-6)
        async with http.get(url) as answer:
            assert answer.status == 200

    await asyncio.gather(
        refuse("binance", "/fapi/v1/time", 429),
        refuse("bybit", "/v5/market/time", 418),
        refuse("okx", "/api/v5/public/time", 451),
        refuse("bitget", "/api/v2/public/time", 403),
    )


async def test_a_blocked_country_cannot_even_open_a_socket(start, http):
    simulator = await start()
    await ask(simulator, http, venue="binance", fault="http_451", seconds=600)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await connected(simulator, http, "binance")


async def test_a_skewed_clock_stamps_everything_wrong(start, http):
    simulator = await start()
    await ask(simulator, http, venue="okx", fault="clock_skew", seconds=600, skew=3600)
    async with http.get(f"http://{simulator.addresses['okx']}/api/v5/public/time") as answer:
        stamps = int((await answer.json())["data"][0]["ts"])
    assert stamps - simulator.clock() // 1000 == pytest.approx(3_600_000, abs=1000)
    ws = await connected(simulator, http, "okx")
    seen = await frames(ws, lambda frame: "action" in frame)
    assert int(seen[-1]["data"][0]["ts"]) > simulator.clock() // 1000 + 3_500_000


def stamps(frame: dict[str, Any]) -> set[str]:
    """Return the times of an OKX frame of forced closes."""
    return {row["ts"] for order in frame.get("data", ()) for row in order.get("details", ())}


async def test_replayed_liquidations_keep_their_original_stamps(start, http):
    simulator = await start()
    channel = {"channel": "liquidation-orders", "instType": "SWAP"}
    subscription = {"op": "subscribe", "args": [channel]}
    ws = await connected(simulator, http, "okx", "", subscription)
    await ask(simulator, http, venue="okx", fault="liquidation_batch", n=3)
    first = stamps((await frames(ws, stamps))[-1])
    await ask(simulator, http, venue="okx", fault="clock_skew", seconds=600, skew=3600)
    again = await connected(simulator, http, "okx", "", subscription)
    assert await frames(again, lambda frame: first & stamps(frame))


async def test_coin_margined_rows_are_marked_by_st(start, http):
    simulator = await start()
    await ask(simulator, http, venue="binance", fault="coinm_rows", seconds=600)
    path = "/market/stream?streams=btcusdt@markPrice@1s"
    ws = await connected(simulator, http, "binance", path, *())
    seen = await frames(ws, lambda frame: frame["data"]["st"] == 2)
    assert seen[-1]["data"]["s"] == "BTCUSD_PERP"


SILENT = (
    "/market/stream?streams=btcusdt@depth@100ms",
    "/public/stream?streams=btcusdt@markPrice@1s",
    "/stream?streams=btcusdt@depth@100ms",
    "/ws/btcusdt@depth@100ms",
    "/public/stream?streams=BTCUSDT@depth@100ms",
    "/public/stream?streams=btcusdt@depth@250ms",
)


async def test_wrong_routes_connect_and_stay_silent(start, http):
    simulator = await start()

    async def listen(path: str) -> None:
        ws = await http.ws_connect(f"ws://{simulator.addresses['binance']}{path}")
        with pytest.raises(asyncio.TimeoutError):
            await ws.receive_str(timeout=1.3)

    await asyncio.gather(*map(listen, SILENT))


async def test_an_unknown_fault_is_refused(start, http):
    simulator = await start()
    for body in (
        {"venue": "okx", "fault": "gremlins"},
        {"venue": "x", "fault": "drop"},
        {"venue": "deribit", "fault": "seq_reset"},
        {"venue": "okx", "fault": "silent", "seconds": 1e9},
        {"n": 1},
    ):
        async with http.post(f"{simulator.control}/faults", json=body) as answer:
            assert answer.status == 400
            assert "expected" in (await answer.json())["error"]


async def test_a_stopped_venue_comes_back_on_its_port(start, http):
    simulator = await start()
    url = f"http://{simulator.addresses['bitget']}/api/v2/public/time"
    ws = await connected(simulator, http, "bitget")
    async with http.post(f"{simulator.control}/stop", json={"venue": "bitget"}) as answer:
        assert await answer.json() == {"listening": False}
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(url)
    while not ws.closed:
        await ws.receive(timeout=60)
    async with http.post(f"{simulator.control}/start", json={"venue": "bitget"}) as answer:
        assert (await answer.json())["listening"]
    async with http.get(url) as answer:
        assert answer.status == 200
    assert SYMBOLS["bitget"] in simulator.hosts["bitget"].wire.markets
