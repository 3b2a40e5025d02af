"""All simulated venues in one process, kept in step with the clock."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from aiohttp import web

from powderkeg.errors import ConfigError
from powderkeg.events import MINUTE
from powderkeg.sim import EPISODES, SimulatedMarket
from powderkeg.sim.scenario.script import Scenario
from powderkeg.simvenues.control import Control, Log
from powderkeg.simvenues.exchanges.binance import Binance
from powderkeg.simvenues.exchanges.binance_spot import BinanceSpot
from powderkeg.simvenues.exchanges.bitget import Bitget
from powderkeg.simvenues.exchanges.bybit import Bybit
from powderkeg.simvenues.exchanges.deribit import Deribit
from powderkeg.simvenues.exchanges.hyperliquid import Hyperliquid
from powderkeg.simvenues.exchanges.okx import Okx
from powderkeg.simvenues.host import Host
from powderkeg.simvenues.market.book import LEVELS
from powderkeg.simvenues.market.feed import STEP, Coin, Market
from powderkeg.simvenues.market.world import (
    COINS,
    SPOT,
    WEIGHTS,
    Done,
    leveraged,
    make_all,
    make_scenario,
)
from powderkeg.simvenues.pace import Pace
from powderkeg.simvenues.wire import MockExchange

BEAT: Final = 0.01
"""Seconds between two passes of the main loop."""
_BURST: Final = 0.1
"""Seconds of padding that may be caught up at once."""
_PARTS: Final = 4
"""Into how many prints each is cut when the load is raised."""

EXCHANGES: Final[dict[str, Callable[[str, list[Market], Callable[[], int]], MockExchange]]] = {
    "binance": Binance,
    "bybit": Bybit,
    "okx": Okx,
    "bitget": Bitget,
    "deribit": Deribit,
    "hyperliquid": Hyperliquid,
    "binance-coin": Binance,
    "bybit-inverse": Bybit,
    "binance-spot": BinanceSpot,
}


class Clock:
    """The system clock at its creation, monotonic from then on."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def __call__(self) -> int:
        """Return now, µs UTC."""
        return (time.monotonic_ns() + self._offset) // 1000


class Simulator:
    """The running venues. Use as an asynchronous context, or call `close`."""

    def __init__(self, coins: list[Coin], port: int, clock: Callable[[], int], rate: float) -> None:
        """Serve these coins; see `serve`."""
        self.clock = clock
        self.coins = coins
        self.log = Log()
        self.hosts: dict[str, Host] = {}
        listed = [[*coin.markets, *(market for market, _ in coin.spots)] for coin in coins]
        for v, markets in enumerate(map(list, zip(*listed, strict=True))):
            venue = markets[0].spec.venue
            wire = EXCHANGES[venue](venue, markets, clock)
            self.hosts[venue] = Host(wire, port + 1 + v if port else 0, self.log.record)
        self.rate = rate
        self._started_at = time.monotonic()
        self._turn = 0
        self._scripted: list[Coin] = []
        """Coins whose episode waits for the first socket."""
        for coin in coins:
            for market in coin.markets:  # not spot: a coin's load is that of its perpetuals
                market.parts = _PARTS if rate else 1
        self.control = ""
        self._port = port
        self._runner: web.AppRunner | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Address and port of each venue."""
        return {name: f"127.0.0.1:{host.port}" for name, host in self.hosts.items()}

    async def start(self) -> None:
        """Catch up with the clock, then listen."""
        self._advance()
        for host in self.hosts.values():
            await host.start()
        app = Control(self.hosts, self.coins, self.log).app()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self.control = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop the main loop and close all connections.

        Raises:
            Exception: The error that stopped the main loop before.
        """
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        for host in self.hosts.values():
            await host.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        if task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def failed(self) -> None:
        """Wait until the main loop fails, and raise its error."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def script(self) -> None:
        """Schedule each coin's episode for the first connection."""
        self._scripted = list(self.coins)

    def _begin(self) -> None:
        """Begin the scheduled episodes once a socket is open."""
        if self._scripted and any(host.sockets for host in self.hosts.values()):
            for coin in self._scripted:
                if isinstance(coin.simulation, SimulatedMarket):
                    coin.simulation.script(EPISODES[coin.name])
            self._scripted = []

    async def _run(self) -> None:
        """Advance the markets in step with the clock."""
        while True:
            self._begin()
            self._advance()
            self._pad()
            for host in self.hosts.values():
                host.on_timer()
            await asyncio.sleep(BEAT)

    def _pad(self) -> None:
        """Repeat true levels until this pass's share of `rate` is published."""
        if not any(host.sockets for host in self.hosts.values()):
            return
        owed = self.rate * (time.monotonic() - self._started_at) - self._frames()
        owed = min(owed, self.rate * _BURST)
        for _ in range(2 * max(0, round(owed))):
            if owed < 1:
                return
            self._turn += 1
            coin = self.coins[self._turn % len(self.coins)]
            market = coin.markets[self._turn // len(self.coins) % len(coin.markets)]
            host = self.hosts[market.spec.venue]
            before = host.frames
            host.publish(market, market.restated(self._turn % LEVELS), padding=True)
            owed -= host.frames - before

    def _frames(self) -> int:
        return sum(host.frames for host in self.hosts.values())

    def _advance(self) -> None:
        for coin in self.coins:
            for market, market_update in coin.advance(self.clock()):
                self.hosts[market.spec.venue].publish(market, market_update)


async def serve_scenario(
    scenario: Scenario, pace: Pace, lead: int, *, port: int = 0, venues: Sequence[str] = ("bybit",)
) -> Simulator:
    """Start venues that play a scenario.

    Args:
        scenario: The script.
        pace: The time of the venues; its past ends where it begins.
        lead: Seconds of quiet trading before the script.
        port: See `serve`.
        venues: Which to simulate.

    Raises:
        ConfigError: A venue is not simulated, or none has leverage.
    """
    ordered = [venue for venue in WEIGHTS if venue in venues]
    if not ordered or set(venues) - set(EXCHANGES):
        raise ConfigError(f"expected venues of {tuple(EXCHANGES)}, found {venues}")
    market, histories = make_scenario(scenario, ordered, pace.begin, lead)
    coin = Coin(scenario.coin, market, histories, 0, scenario.seed)
    simulator = Simulator([coin], port, pace, 0.0)
    try:
        await simulator.start()
    except BaseException:
        await simulator.close()
        raise
    return simulator


async def serve(
    coins: Sequence[str] = ("BTC",),
    *,
    port: int = 0,
    seed: int = 7,
    days: float = 30.0,
    venues: Sequence[str] = tuple(EXCHANGES),
    rate: float = 0.0,
    done: Done | None = None,
) -> Simulator:
    """Compute the history of some coins, then start the venues.

    Args:
        coins: Coins of the demo worlds.
        port: Port of the control API; the venues take the next ones. 0 for free ones.
        seed: Seed of the markets.
        days: Length of the history.
        venues: Which to simulate.
        rate: Frames a second to publish at least, over all venues and coins; 0 for no padding.
        done: Called with each coin's history as soon as it is ready; its episode is scheduled then.

    Raises:
        ConfigError: A coin or venue is not simulated, there is none, or only spot venues.
    """
    if (
        not coins
        or not leveraged(venues)
        or set(coins) - set(COINS)
        or set(venues) - set(EXCHANGES)
    ):
        raise ConfigError(
            f"expected coins of {COINS} and venues of {tuple(EXCHANGES)}, found {coins}, {venues}"
        )
    ordered = [venue for venue in (*WEIGHTS, *SPOT) if venue in venues]
    clock = Clock()
    until = clock() // MINUTE * MINUTE
    markets = await make_all(coins, ordered, seed, until, days, done)
    simulated = [
        Coin(coin, market, histories, k * STEP // len(coins), seed)
        for k, (coin, (market, histories)) in enumerate(markets.items())
    ]
    simulator = Simulator(simulated, port, clock, rate)
    try:
        await simulator.start()
        if done is not None:  # the history was recorded: now comes the episode it leads up to
            simulator.script()
    except BaseException:
        await simulator.close()
        raise
    return simulator
