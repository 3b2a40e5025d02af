"""Every fault a venue can have, in an order chosen by a seed, against a whole collector.

The short form takes under three minutes; ``POWDERKEG_SOAK=3600`` (seconds) is the long one, and
``POWDERKEG_SEED`` another order.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections import Counter, defaultdict
from contextlib import AsyncExitStack

import aiohttp
import pytest

from powderkeg.desk import Desk
from powderkeg.events import SECOND, Gap, Liquidation, Trade, Trades
from powderkeg.live.collector import Collector
from powderkeg.live.timekeeping.clock import now
from powderkeg.settings import Settings
from powderkeg.simvenues.faults import COUNTED, INSTANT, ONLY, TIMED
from powderkeg.store.folder import Store

SECONDS = float(os.environ.get("POWDERKEG_SOAK", "100"))
SEED = int(os.environ.get("POWDERKEG_SEED", "11"))
VENUES = ("binance", "bybit", "okx", "bitget", "deribit", "hyperliquid")
QUIET = 240.0
"""Seconds after the last fault in which everything has come back, however busy the machine is."""
EDGE = SECOND
"""µs around a gap in which a print may fall: it is sent and seen at different moments."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(SECONDS + 3 * QUIET)]


class Witness:
    """What was applied, by market: prints and forced closes counted, gaps remembered."""

    def __init__(self):
        self.seen = defaultdict(Counter)
        self.gaps = defaultdict(list)

    def __call__(self, event):
        if isinstance(event, Trade):
            size = event.size if event.taker == "buy" else -event.size
            self.seen[event.market][key(event.price, size)] += 1
        elif isinstance(event, Trades):
            for price, size in zip(event.prices, event.sizes, strict=True):
                self.seen[event.market][key(price, size)] += 1
        elif isinstance(event, Liquidation):
            size = event.size if event.position_side == "long" else -event.size
            self.seen[event.market]["liquidated", f"{size:.9g}"] += 1
        elif isinstance(event, Gap):
            self.gaps[event.market].append((event.since - EDGE, event.event_time + EDGE))


def key(price, size):
    return f"{price:.10g}", f"{size:.9g}"


def reported(row):
    size = row["size"] if row["side"] in ("buy", "long") else -row["size"]
    return (
        ("liquidated", f"{size:.9g}") if row["kind"] == "liquidation" else key(row["price"], size)
    )


async def simulator(stack):
    command = [
        sys.executable, "-m", "powderkeg.simvenues", "--with-parent", "--coins", "BTC",
        "--days", "1", "--rate", "300", "--venues", *VENUES,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    return json.loads(await process.stdout.readline())


async def throw_faults(http, control, seconds):
    """Throw every switch at least once, then go on by chance until the time is over."""
    chance = random.Random(SEED)
    pairs = [
        (venue, fault)
        for fault in (*COUNTED, *TIMED, *INSTANT)
        for venue in ONLY.get(fault, VENUES)
        if venue in VENUES
    ]
    once = [chance.choice([p for p in pairs if p[1] == f]) for f in sorted({f for _, f in pairs})]
    chance.shuffle(once)
    end = asyncio.get_running_loop().time() + seconds
    thrown = Counter()
    while once or asyncio.get_running_loop().time() < end:
        venue, fault = once.pop() if once else chance.choice(pairs)
        body = {"venue": venue, "fault": fault, "seconds": chance.uniform(2, 5), "n": 3}
        if fault == "silent":
            body["seconds"] = 16.0
        elif fault in ("slow", "late_liquidation"):
            body["delay"] = 3.0
        elif fault == "clock_skew":
            body["skew"] = chance.uniform(-2, 2)
        async with http.post(f"{control}/faults", json=body) as answer:
            assert answer.status == 200, await answer.text()
        thrown[fault] += 1
        if chance.random() < 0.15:
            await http.post(f"{control}/stop", json={"venue": venue})
            await asyncio.sleep(2)
            await http.post(f"{control}/start", json={"venue": venue})
        await asyncio.sleep(chance.uniform(1.0, 3.0))
    return thrown


async def get(http, url, **query):
    async with http.get(url, params=query) as answer:
        assert answer.status == 200
        return await answer.json()


def base(venue, price, size):
    """Turn the venue's own unit into the coin: contracts at OKX, dollars at Deribit."""
    return {"okx": size * 0.01, "deribit": size / price}.get(venue, size)


def levels(book, side, top):
    prices, sizes = book.depth(side)
    return [(f"{p:.9g}", f"{s:.6g}") for p, s in zip(prices[:top], sizes[:top], strict=True)]


async def book_equals_truth(http, control, desk, venue, symbol):
    """Compare at a moment at which both stand at the same update; there is one soon."""
    book = desk.markets[f"{venue}:{symbol}"].book
    end = asyncio.get_running_loop().time() + QUIET
    while asyncio.get_running_loop().time() < end:
        if book.status == "live":
            truth = (await get(http, f"{control}/truth", venue=venue, symbol=symbol))["book"]
            same = [
                levels(book, side, 20)
                == [(f"{p:.9g}", f"{base(venue, p, s):.6g}") for p, s in truth[name][:20]]
                for side, name in (("buy", "bids"), ("sell", "asks"))
            ]
            if all(same):
                return True
        await asyncio.sleep(0.037)
    return False


async def test_nothing_is_lost_or_doubled_whatever_the_venues_do(tmp_path):
    async with AsyncExitStack() as stack:
        sim = await simulator(stack)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        store = Store(tmp_path)
        stack.callback(store.close)
        desk = Desk("BTC", Settings(draw=SECOND, flush=SECOND))
        collector = Collector({"BTC": desk}, VENUES, hosts=sim["hosts"], store=store)
        witness, health = Witness(), collector.status.received

        def watch(event):
            witness(event)
            health(event)

        collector.feed.watch = watch
        task = asyncio.ensure_future(collector.run())
        stack.callback(task.cancel)
        while collector.feed.waiting or not collector.applied:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.2)
        await asyncio.sleep(3)
        began = now()
        thrown = await throw_faults(http, sim["control"], SECONDS)
        end = asyncio.get_running_loop().time() + QUIET
        while set(collector.status.states.values()) != {"up"}:
            assert asyncio.get_running_loop().time() < end, collector.status.states
            await asyncio.sleep(0.5)
        await asyncio.sleep(5)
        assert not task.done(), task.exception()
        symbols = {venue: names["BTC"] for venue, names in collector.symbols.items()}
        wrong = [
            venue
            for venue, symbol in symbols.items()
            if not await book_equals_truth(http, sim["control"], desk, venue, symbol)
        ]
        assert wrong == [], {v: desk.markets[f"{v}:{symbols[v]}"].book.counts for v in wrong}
        ended = now() - 2 * SECOND
        lost, doubled = [], []
        for venue, symbol in symbols.items():
            market = f"{venue}:{symbol}"
            rows = await get(http, f"{sim['control']}/log", venue=venue, symbol=symbol)
            sent = defaultdict(list)
            for row in rows:
                sent[reported(row)].append(row["sent"])
            for what, count in witness.seen[market].items():
                if what in sent and count > len(sent[what]):
                    doubled.append((market, what, count, len(sent[what])))
            for what, times in sent.items():
                missing = len(times) - witness.seen[market][what]
                out = [
                    t for t in times
                    if began < t < ended
                    and not any(a <= t <= b for a, b in witness.gaps[market])
                ]  # fmt: skip
                if missing > 0 and len(out) > len(times) - missing:
                    lost.append((market, what, out))
        assert thrown
        assert doubled == []
        assert lost == []
        assert collector.feed.unread == {}
