"""History of simulated markets, played as if it had been recorded, so that weights are learned.

What the simulated venues published, with the liquidations they reported, is played hour by hour in
worker processes, market by market; each market joins its coin's desk as soon as it is done.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from powderkeg.desk import Desk
from powderkeg.engine.calibration.sweeps import KEPT
from powderkeg.events import MINUTE, SECOND, Liquidation
from powderkeg.feed.drive import drive
from powderkeg.feed.joining import adopt
from powderkeg.history.snapshots import CODEC
from powderkeg.live.network.semaphore import PrioritySemaphore
from powderkeg.log import configure
from powderkeg.serve.startup.simulated import events_of
from powderkeg.serve.startup.warm import warm
from powderkeg.settings import Settings
from powderkeg.sim import MinuteHistory
from powderkeg.simvenues import cache
from powderkeg.simvenues.market.world import kept_until
from powderkeg.venues import VENUES

MAKING: Final = 0.5
"""Share of the progress that is generating the history; the rest is playing it."""
UNREPORTED: Final = 5
"""OKX reports four of five liquidations."""


class Recorded:
    """Plays the history of simulated coins into desks."""

    def __init__(
        self, desks: dict[str, Desk], settings: Settings, seed: int, warmed: Awaitable[None]
    ) -> None:
        """Play into `desks`.

        Args:
            desks: By coin; those named first are played first.
            settings: Settings of the desks.
            seed: Seed of the markets.
            warmed: Done once all kernels are compiled; the processes then load them from the cache.
        """
        self._desks = desks
        self._settings = settings
        self._seed = seed
        self._ranks = {coin: rank for rank, coin in enumerate(desks)}
        cores = os.cpu_count() or 1
        self._gate = PrioritySemaphore(cores)
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(cores, spawn, initializer=configure)
        self._ready = asyncio.ensure_future(self._warm(warmed, cores))
        self.played: set[str] = set()
        """Markets whose history is in their coin's desk."""
        self._generated: dict[str, float] = {}

    async def _warm(self, warmed: Awaitable[None], cores: int) -> None:
        await warmed
        for _ in range(cores):
            self._pool.submit(warm)

    def set_generated(self, coin: str, share: float) -> None:
        """Record how much of a coin's history is generated, 0 to 1."""
        self._generated[coin] = share

    def share(self, coin: str, market: str) -> float:
        """Return the progress of a market: half is generating its history, half playing it."""
        return 1.0 if market in self.played else MAKING * self._generated.get(coin, 0.0)

    async def play(self, coin: str, path: Path) -> None:
        """Play a coin's history, the largest market first."""
        await self._ready
        count = len(await asyncio.to_thread(_read, path))
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._play_one(coin, path, number))

    async def _play_one(self, coin: str, path: Path, number: int) -> None:
        loop = asyncio.get_running_loop()
        async with self._gate.slot(self._ranks[coin]):
            raw = await loop.run_in_executor(
                self._pool, play_one, coin, path, number, self._settings, self._seed
            )
        played: Desk = CODEC.unpack(raw)
        desk = self._desks[coin]
        adopt(desk, played)
        desk.now = max(desk.now, played.now)
        self.played |= played.markets.keys()

    def close(self) -> None:
        """Stop the processes."""
        self._ready.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)


def play_one(coin: str, path: Path, number: int, settings: Settings, seed: int) -> bytes:
    """Return a packed desk to which one market's history was applied by the ordinary path.

    Its state at the last midnight is cached, as is the market's; so nothing up to then may depend
    on when after it the history ends. What is older than the model learns from is applied in one
    block, without liquidations.

    Args:
        coin: Such as BTC.
        path: File of the coin's history, one `MinuteHistory` per market.
        number: Index of the market.
        settings: Settings of the desk.
        seed: Seed of the market.
    """
    history = as_published(coin, _read(path)[number])
    first, end = int(history.candles.times[0]), int(history.candles.times[-1]) + MINUTE
    midnight = kept_until(end)
    events = sorted(events_of(history, midnight - KEPT), key=lambda event: event.received_time)
    key = f"{history.market} {seed} {first} {midnight} {settings}"
    name = f"desk-{history.market.replace(':', '-')}"
    kept = cache.load(name, key)
    if kept is not None:
        desk = CODEC.unpack(kept)
    else:
        desk = Desk(coin, settings, horizon=midnight)
        drive(desk, (event for event in events if event.received_time <= midnight))
        cache.save(name, key, CODEC.pack(desk))
    desk.backfill_until = end
    drive(desk, (event for event in events if event.received_time > midnight))
    return CODEC.pack(desk)


def as_published(coin: str, history: MinuteHistory) -> MinuteHistory:
    """Return a market's history under the venue's own symbol, with the liquidations it reports.

    The rules are those of the simulated streams: Binance the last of each second, Bitget the
    largest of each second and side, OKX four of five, Hyperliquid none; the others all of them.
    """
    venue = history.market.partition(":")[0]
    name = f"{venue}:{VENUES[venue].reader('').symbol(coin)}"
    reported = _RULES.get(venue, list)(history.liquidations)
    return MinuteHistory(
        market=name,
        candles=replace(history.candles, market=name),
        liquidations=[replace(each, market=name) for each in reported],
        funding=[replace(each, market=name) for each in history.funding],
    )


def _last_of_seconds(events: list[Liquidation]) -> list[Liquidation]:
    return list({event.event_time // SECOND: event for event in events}.values())


def _largest_of_seconds(events: list[Liquidation]) -> list[Liquidation]:
    largest: dict[tuple[int, str], Liquidation] = {}
    for event in events:
        key = event.event_time // SECOND, event.position_side
        if key not in largest or event.size > largest[key].size:
            largest[key] = event
    return sorted(largest.values(), key=lambda event: event.event_time)


def _four_of_five(events: list[Liquidation]) -> list[Liquidation]:
    return [event for number, event in enumerate(events, 1) if number % UNREPORTED]


_RULES: Final[dict[str, Callable[[list[Liquidation]], list[Liquidation]]]] = {
    "binance": _last_of_seconds,
    "bitget": _largest_of_seconds,
    "okx": _four_of_five,
    "hyperliquid": lambda _: [],
}


def _read(path: Path) -> list[MinuteHistory]:
    """Read what the simulated venues, our own process, wrote into a folder of ours."""
    return pickle.loads(path.read_bytes())  # noqa: S301  as above
