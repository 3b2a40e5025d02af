"""Where a session's events come from when no venue is asked: a made market that runs by the clock.

Each coin's past is lived through in a process of its own, so that the server answers meanwhile.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

import msgspec
import numpy as np

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Candles, Funding, Liquidation, Tick
from powderkeg.serve.hub import BEAT, Hub
from powderkeg.serve.session import Session
from powderkeg.settings import Settings
from powderkeg.sim import DEMO, MadeMarket, MinuteHistory

PAST = 30.0
"""Days a demo opens on."""
STEP = 0.1
"""Seconds a made market lives at a time."""


def clock() -> int:
    """Return now, µs UTC."""
    return time.time_ns() // 1000


def prepare(
    coin: str, seed: int, until: int, days: float, settings: Settings
) -> tuple[MadeMarket, Desk]:
    """Live through a coin's past and return its market and the desk that watched it.

    Args:
        coin: One of the demo worlds.
        seed: Of the market.
        until: µs at which the past ends, a whole minute.
        days: Length of the past.
        settings: Of the desk.
    """
    market = MadeMarket(DEMO[coin], seed, until - round(days * DAY))
    desk = Desk(coin, settings, horizon=until)
    told = [event for history in market.history(days) for event in _told(history)]
    for event in sorted(told, key=lambda event: event.seen):
        desk.apply(event)
    return market, desk


def _told(history: MinuteHistory) -> list[Candles | Liquidation | Funding]:
    """Return a venue's past as events, its candles in blocks of an hour.

    Within a block nothing can be learned from what died, so blocks are no longer than that.
    """
    bars = history.candles
    hours = bars.times // HOUR
    starts = np.flatnonzero(np.concatenate(([True], hours[1:] > hours[:-1]))).tolist()
    blocks = [
        cut(bars, start, stop)
        for start, stop in zip(starts, [*starts[1:], len(hours)], strict=True)
    ]
    return [*blocks, *history.liquidations, *history.funding]


def cut(bars: Candles, start: int, stop: int) -> Candles:
    """Return the candles `start` to `stop`."""
    part = slice(start, stop)
    columns = {
        name: getattr(bars, name)[part]
        for name in bars.__struct_fields__
        if isinstance(getattr(bars, name), np.ndarray)
    }
    end = int(columns["times"][-1]) + bars.span
    return msgspec.structs.replace(bars, at=end, seen=end, **columns)


class MadeFeed:
    """Made markets of several coins, kept in step with the clock."""

    def __init__(self, session: Session, hub: Hub, coins: list[str], seed: int) -> None:
        """Feed `session` and beat `hub`."""
        self.session = session
        self.hub = hub
        self.coins = coins
        self.seed = seed
        self.markets: dict[str, MadeMarket] = {}
        self.settings = Settings(draw=SECOND, flush=SECOND)

    async def run(self) -> None:
        """Make the past of every coin, then live on until cancelled."""
        making = asyncio.ensure_future(self._make())
        try:
            while not making.done() or self.markets:
                if making.done():
                    making.result()
                self._live()
                self.hub.beat()
                await asyncio.sleep(BEAT - (clock() / SECOND) % BEAT)
        finally:
            making.cancel()

    async def _make(self) -> None:
        """Make pasts side by side and let each coin in as it is ready, the first one first."""
        loop = asyncio.get_running_loop()
        spawn = multiprocessing.get_context("spawn")
        self.session.progress = f"making {PAST:.0f} days of {self.coins[0]}"
        with ProcessPoolExecutor(min(len(self.coins), os.cpu_count() or 1), spawn) as pool:
            until = clock() // MINUTE * MINUTE
            jobs = {
                coin: loop.run_in_executor(
                    pool, prepare, coin, self.seed, until, PAST, self.settings
                )
                for coin in self.coins
            }
            for coin, job in jobs.items():
                self.session.progress = f"making {PAST:.0f} days of {coin}"
                self.markets[coin], self.session.desks[coin] = await job
        self.session.progress = ""
        self.session.ready = True

    def _live(self) -> None:
        """Let every made market live up to now."""
        now = clock()
        for coin, market in self.markets.items():
            desk = self.session.desks[coin]
            while market.now + STEP * SECOND <= now:
                for event in market.step(STEP):
                    desk.apply(event)
            desk.apply(Tick(market.now))


def made_session(coins: list[str], seed: int) -> tuple[Session, Hub, MadeFeed]:
    """Return a simulated session, its hub, and the feed to run beside the server."""
    session = Session("simulated", {coin: Desk(coin) for coin in coins}, clock)
    hub = Hub(session)
    return session, hub, MadeFeed(session, hub, coins, seed)
