"""A served session whose desk has episodes: scripted trades, played through the real machines."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import numpy as np
import uvicorn
from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.evaluation.signals.scripted import scenes, start_of
from powderkeg.events import HOUR, MINUTE, Candles
from powderkeg.feed.drive import drive
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Hub
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.context.wick import Wick
from powderkeg.signals.contract import Evidence
from powderkeg.signals.zones import Stretch
from powderkeg.sim.scenario.play import played
from powderkeg.sim.scenario.script import Scenario, named

MARKET = "binance:BTCUSDT"
BEFORE = 8
"""Hours of quiet candles before the script."""
ABSORBING = 66
"""Minute of the script at which the sweep is being absorbed."""
LEFT = 1_200, 155_000.0
"""Minute and price at which the cluster of a sweep, three days before, has been left."""


def desk_of(minutes: int = ABSORBING) -> Desk:
    """Return a desk at a minute of a sweep; before it one failed, and one was reclaimed."""
    scenario = named("t1-sweep-and-reclaim")
    desk = Desk("BTC")
    drive(desk, _candles(scenario, minutes))
    desk.signals = _until(scenario, minutes)
    before = _until(replace(named("t1-floor-breaks"), begins="2026-11-22T06:25:00Z"), 90)
    for episode in reversed(before.ended):
        desk.signals.ended.appendleft(episode)
        desk.signals.outcomes.add(episode)
    script = replace(scenario, begins="2026-11-20T06:25:00Z", price=(*scenario.price, LEFT))
    desk.signals.touches += _until(script, LEFT[0]).touches
    return desk


def add_wick(desk: Desk, minutes: int) -> float:
    """Add a long lower wick to the candle of a quarter hour that ends at a minute; its end."""
    scenario = named("t1-sweep-and-reclaim")
    seconds, signals = played(scenario), CoinSignals()
    at = start_of(scenario) + minutes * MINUTE
    scene = next(each for each in scenes(scenario, seconds, signals) if each.now >= at)
    end = float(seconds.price[(minutes - 15) * 60 : minutes * 60].min())
    evidence = (Evidence("ends at", end, math.nan, "price", met=True),)
    cluster = Stretch("long", end * 0.999, end * 1.001, 5e6, (5e6,))
    wick = Wick("MAP_ONLY", "long", evidence, cluster, mirror=False)
    desk.signals.add_wick(wick, scene)
    return end


def _until(scenario: Scenario, minutes: int) -> CoinSignals:
    """Return the signals of a scenario at a minute of it."""
    signals = CoinSignals()
    until = start_of(scenario) + minutes * MINUTE
    for scene in scenes(scenario, played(scenario), signals):
        if scene.now > until:
            break
        signals.step(scene)
    return signals


def _candles(scenario: Scenario, minutes: int) -> Iterator[Candles]:
    """Yield the candles of a scenario after quiet hours, in blocks of an hour."""
    seconds = played(scenario)
    price = seconds.price[: minutes * 60].reshape(minutes, 60)
    volume = (seconds.bought + seconds.sold)[: minutes * 60].reshape(minutes, 60).sum(axis=1)
    quiet = BEFORE * 60
    noise = np.random.default_rng(scenario.seed).normal(0, 25.0, quiet)
    closes = np.concatenate((price[0, 0] + noise, price[:, -1]))
    opens = np.concatenate(([price[0, 0]], closes[:-1]))
    highs, lows = np.maximum(opens, closes) + 10, np.minimum(opens, closes) - 10
    highs[quiet:] = np.maximum(highs[quiet:] - 10, price.max(axis=1))
    lows[quiet:] = np.minimum(lows[quiet:] + 10, price.min(axis=1))
    size = np.concatenate((np.full(quiet, 400.0), volume / closes[quiet:]))
    rows = np.stack((opens, highs, lows, closes, size, size / 2), axis=1)
    times = start_of(scenario) - BEFORE * HOUR + np.arange(len(rows)) * MINUTE
    for first in range(0, len(rows), 60):
        part = slice(first, first + 60)
        end = int(times[part][-1]) + MINUTE
        yield Candles.from_ohlcv(MARKET, end, MINUTE, times[part], rows[part])


@contextmanager
def serving(desk: Desk) -> Generator[str]:
    """Serve a desk as it stands on a free port of loopback; the address."""
    session = Session("replay", {desk.coin: desk}, lambda: desk.now)
    app = make_app(session, Hub(session))
    config = uvicorn.Config(app, log_level="error", ws="websockets-sansio", lifespan="off")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        server.should_exit = True
        thread.join()
