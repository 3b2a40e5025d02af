"""The process: its output, its log, and its end."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from powderkeg.errors import ConfigError
from powderkeg.sim import EPISODES, SimulatedMarket
from powderkeg.simvenues import serve

from .conftest import SUBSCRIPTIONS, SYMBOLS, book_rows, decoded


async def test_all_that_was_logged_was_sent(start, http):
    simulator = await start()
    address = simulator.addresses["binance"]
    ws = await http.ws_connect(f"ws://{address}/market/stream?streams=btcusdt@aggTrade")
    seen = []
    end = time.monotonic() + 2
    while time.monotonic() < end or len(seen) < 3:
        seen.append(decoded(await ws.receive_str(timeout=60))["data"])
    params = {"venue": "binance", "symbol": "BTCUSDT"}
    async with http.get(f"{simulator.control}/log", params=params) as answer:
        rows = {row["id"]: row for row in await answer.json()}
    body = [rows[row["a"]] for row in seen]
    assert [row["id"] for row in body] == list(range(body[0]["id"], body[-1]["id"] + 1))
    assert [row["price"] for row in body] == [float(row["p"]) for row in seen]
    assert [row["size"] for row in body] == pytest.approx([float(row["q"]) for row in seen])
    assert all(b["f"] == a["l"] + 1 for a, b in pairwise(seen))


async def test_an_episode_waits_for_the_first_connection(start, http, monkeypatch):
    begun = []
    monkeypatch.setattr(SimulatedMarket, "script", lambda _, episode: begun.append(episode))
    simulator = await start()
    simulator.script()
    await asyncio.sleep(0.5)
    assert begun == []
    for path in ("/market/stream?streams=btcusdt@aggTrade", "/public/stream?streams=btcusdt@depth"):
        ws = await http.ws_connect(f"ws://{simulator.addresses['binance']}{path}")
        await ws.receive_str(timeout=60)
        assert begun == [EPISODES["BTC"]], "it happens once"
        await ws.close()


async def test_the_truth_names_book_sums_and_positions(start, http):
    simulator = await start()
    for venue, symbol in SYMBOLS.items():
        params = {"venue": venue, "symbol": symbol}
        async with http.get(f"{simulator.control}/truth", params=params) as answer:
            body = await answer.json()
        assert body["book"]["bids"][0][0] < body["book"]["asks"][0][0]
        assert body["positions"]["count"] > 0
        # Market makers' inventories are open interest too, but no positions.
        assert 0 < body["positions"]["long"] < 1.000001 * body["open_interest"]
        assert 0 < body["positions"]["short"] < 1.000001 * body["open_interest"]
        assert {"trades", "base", "liquidations", "last_trade"} <= set(body["sent"])


async def test_the_truth_of_what_is_not_simulated_is_refused(start, http):
    simulator = await start()
    for params in ({"venue": "binance", "symbol": "X"}, {"venue": "x", "symbol": "X"}):
        async with http.get(f"{simulator.control}/truth", params=params) as answer:
            assert answer.status == 400


async def test_padding_reaches_the_rate_and_stays_true(start, http):
    simulator = await start(rate=400.0)
    sockets = []
    for venue, (path, subscription) in SUBSCRIPTIONS.items():
        ws = await http.ws_connect(f"ws://{simulator.addresses[venue]}{path}")
        for message in subscription:
            await ws.send_str(msgspec.json.encode(message).decode())
        sockets.append((venue, ws))
    count = dict.fromkeys(SUBSCRIPTIONS, 0)
    gaps = 0

    async def listen(venue: str, ws: Any) -> None:
        nonlocal gaps
        last = 0
        async for message in ws:
            rows = book_rows(venue, decoded(message.data))
            if rows is not None:
                count[venue] += 1
                gaps += venue != "hyperliquid" and not rows[2] and last not in {0, rows[4]}
                last = rows[3]

    listening = [asyncio.ensure_future(listen(venue, ws)) for venue, ws in sockets]
    await asyncio.sleep(0.5)
    rates: list[float] = []
    while not any(320 < rate < 480 for rate in rates):  # a busy machine misses some seconds
        assert len(rates) < 60, rates
        before, began = sum(count.values()), time.monotonic()
        await asyncio.sleep(1.0)
        rates.append((sum(count.values()) - before) / (time.monotonic() - began))
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    assert gaps == 0


@pytest.mark.parametrize("wrong", [{"coins": ["DOGE"]}, {"coins": []}, {"venues": ["kraken"]}])
async def test_what_is_not_simulated_is_refused(wrong):
    with pytest.raises(ConfigError, match="expected coins"):
        await serve(**{"coins": ["BTC"], "days": 1.0, **wrong})


async def test_the_program_prints_its_addresses_and_ends_with_its_parent(http):
    arguments = ("-m", "powderkeg.simvenues", "--coins", "SOL", "--days", "1", "--with-parent")
    program = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdin is not None
    assert program.stdout is not None
    async with asyncio.timeout(60):
        body = json.loads(await program.stdout.readline())
        async with http.get(f"http://{body['hosts']['bybit']}/v5/market/time") as answer:
            assert (await answer.json())["retCode"] == 0
        program.stdin.close()
        assert await program.wait() == 0


async def test_a_market_that_was_left_behind_catches_up_without_a_gap(coin):
    binance = coin.markets[0]
    chain = [
        update.change
        for market, update in coin.advance(coin.simulation.now + 400_000_000)
        if market is binance
    ]
    known = [change for change in chain if change]
    assert coin.simulation.now == binance.now
    assert all(b.previous == a.last for a, b in pairwise(known))
