"""Instruments of the simulated venues, in each venue's own units, and their market histories.

The unit arithmetic is deliberately not shared with the readers: sharing it would share its
mistakes. A size is kept as a whole number of lots, so what is sent is exactly what is true.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct, convert
from msgspec.structs import replace

from powderkeg.errors import ConfigError
from powderkeg.events import DAY, HOUR, SECOND
from powderkeg.sim import (
    DEMO,
    EPISODES,
    MinuteHistory,
    SimulatedMarket,
    World,
    joined_history,
    spot_history,
)
from powderkeg.sim.scenario.market import ScenarioMarket, scripted_market, world_of
from powderkeg.sim.scenario.script import Scenario
from powderkeg.simvenues import cache

Unit: TypeAlias = Literal["base", "contract", "usd"]
"""What a venue counts sizes in: coins, contracts of coins, or contracts of dollars."""

WEIGHTS: Final[dict[str, float]] = {
    "binance": 0.34,
    "bybit": 0.20,
    "okx": 0.17,
    "bitget": 0.12,
    "deribit": 0.05,
    "hyperliquid": 0.12,
    "binance-coin": 0.04,
    "bybit-inverse": 0.03,
}
"""Of traders and flow, scaled to the venues that are simulated."""
SPOT: Final = ("binance-spot",)
"""Venues without leverage: the same traders are there with them or without."""
PARTS: Final = 10
"""Parts a history is computed in, so that progress can be reported."""
CROWD: Final = 2 * HOUR
"""How long before an episode its crowd builds up, µs."""
COINS: Final = tuple(DEMO)
Done: TypeAlias = Callable[[str, list[MinuteHistory]], None]
"""Called with a coin and its history."""


class Spec(Struct, frozen=True):
    """One market as its venue describes it."""

    venue: str
    coin: str
    symbol: str
    tick: float
    digits: int
    """Decimals of a price."""
    lot: float
    """Least step of a size, in the venue's unit."""
    places: int
    """Decimals of a size."""
    unit: Unit = "base"
    value: float = 1.0
    """Coins or dollars in one of the venue's units."""

    @property
    def inverse(self) -> bool:
        """Whether sizes are dollars."""
        return self.unit == "usd"

    def lots(self, size: float, price: float) -> float:
        """Return a size in base coin as lots, not rounded."""
        if self.unit == "usd":
            return size * price / (self.value * self.lot)
        return size / (self.value * self.lot)

    def base(self, lots: float, price: float) -> float:
        """Return lots as base coin."""
        amount = lots * self.lot * self.value
        return amount / price if self.unit == "usd" else amount

    def price(self, ticks: int) -> str:
        """Return a price in ticks as the venue writes it."""
        return f"{ticks * self.tick:.{self.digits}f}"

    def size(self, lots: float) -> str:
        """Return lots as the venue writes sizes."""
        return f"{lots * self.lot:.{self.places}f}"


_TABLE: Final = """
venue          coin  symbol              tick  digits  lot      places  unit      value
binance        BTC   BTCUSDT             0.1   2       0.001    3       base      1
binance        ETH   ETHUSDT             0.01  2       0.001    3       base      1
binance        SOL   SOLUSDT             0.01  4       0.01     2       base      1
binance-coin   BTC   BTCUSD_PERP         0.1   1       1        0       usd       100
binance-coin   ETH   ETHUSD_PERP         0.01  2       1        0       usd       10
binance-coin   SOL   SOLUSD_PERP         0.01  2       1        0       usd       10
bybit          BTC   BTCUSDT             0.1   2       0.001    3       base      1
bybit          ETH   ETHUSDT             0.01  2       0.01     2       base      1
bybit          SOL   SOLUSDT             0.01  3       0.1      1       base      1
bybit-inverse  BTC   BTCUSD              0.1   2       1        0       usd       1
bybit-inverse  ETH   ETHUSD              0.01  2       1        0       usd       1
bybit-inverse  SOL   SOLUSD              0.01  3       1        0       usd       1
binance-spot   BTC   BTCUSDT             0.01  8       0.00001  8       base      1
binance-spot   ETH   ETHUSDT             0.01  8       0.0001   8       base      1
binance-spot   SOL   SOLUSDT             0.01  8       0.001    8       base      1
okx            BTC   BTC-USDT-SWAP       0.1   1       0.01     2       contract  0.01
okx            ETH   ETH-USDT-SWAP       0.01  2       0.01     2       contract  0.1
okx            SOL   SOL-USDT-SWAP       0.01  2       0.01     2       contract  1
bitget         BTC   BTCUSDT             0.1   1       0.0001   4       base      1
bitget         ETH   ETHUSDT             0.01  2       0.01     2       base      1
bitget         SOL   SOLUSDT             0.01  3       0.1      1       base      1
deribit        BTC   BTC-PERPETUAL       0.5   1       10       0       usd       1
deribit        ETH   ETH-PERPETUAL       0.05  2       1        0       usd       1
deribit        SOL   SOL_USDC-PERPETUAL  0.01  2       0.1      1       base      1
hyperliquid    BTC   BTC                 1     1       0.00001  5       base      1
hyperliquid    ETH   ETH                 0.1   1       0.0001   4       base      1
hyperliquid    SOL   SOL                 0.01  2       0.01     2       base      1
"""
"""The fields of each `Spec`, under their names."""


def _specs() -> dict[tuple[str, str], Spec]:
    names, *rows = (line.split() for line in _TABLE.strip().splitlines())
    specs = [convert(dict(zip(names, row, strict=True)), Spec, strict=False) for row in rows]
    return {(each.venue, each.coin): each for each in specs}


_SPECS: Final = _specs()


def spec(venue: str, coin: str) -> Spec:
    """Return how a venue describes its market of a coin.

    Raises:
        ConfigError: The venue or the coin is not simulated.
    """
    found = _SPECS.get((venue, coin))
    if found is None:
        venues = tuple(dict.fromkeys(each for each, _ in _SPECS))
        raise ConfigError(
            f"expected a venue of {venues} and a coin of {COINS}, found {venue}, {coin}"
        )
    return found


def world(coin: str, venues: Sequence[str]) -> World:
    """Return the demo world of a coin, shared by the perpetuals of venues, censored by none."""
    venues = leveraged(venues)
    whole = sum(WEIGHTS[venue] for venue in venues)
    shares = tuple(WEIGHTS[venue] / whole for venue in venues)
    return replace(DEMO[coin], venues=tuple(venues), shares=shares, censor=False)


def leveraged(venues: Sequence[str]) -> tuple[str, ...]:
    """Return those of the venues that trade perpetuals."""
    return tuple(venue for venue in venues if venue not in SPOT)


def make_scenario(
    scenario: Scenario, venues: Sequence[str], until: int, lead: int
) -> tuple[ScenarioMarket, list[MinuteHistory]]:
    """Return the market of a scenario at `until`, a whole minute, and its venues' histories.

    Args:
        scenario: The script.
        venues: Those with leverage are simulated.
        until: Where the quiet trading before the script begins, µs.
        lead: Seconds of it.
    """
    usual = world(scenario.coin, venues)
    own = world_of(scenario, usual.venues, usual.shares)
    return scripted_market(scenario, own, until + lead * SECOND, lead)


def make(
    coin: str, venues: Sequence[str], seed: int, until: int, days: float, *, crowd: bool = False
) -> tuple[SimulatedMarket, list[MinuteHistory]]:
    """Return a coin's market at `until`, a whole minute, and its venues' histories, spot last.

    A history of days is computed up to a midnight UTC, cached for the day, and continued from
    there; one under a day is not cached. With a crowd, the last two hours lead up to the coin's
    episode.
    """
    market, past = _perpetuals(coin, leveraged(venues), seed, until, days, crowd=crowd)
    spot = [
        spot_history(market.world, seed, f"{venue}:{market.world.symbol}", past)
        for venue in venues
        if venue in SPOT
    ]
    return market, past + spot


def _perpetuals(
    coin: str, venues: Sequence[str], seed: int, until: int, days: float, *, crowd: bool
) -> tuple[SimulatedMarket, list[MinuteHistory]]:
    """Return a coin's market and the histories of its perpetuals."""
    if days < 1:
        market = SimulatedMarket(world(coin, venues), seed, until - round(days * DAY))
        return market, market.history(days)
    midnight, calm = kept_until(until), until - (CROWD if crowd else 0)
    market, past = _until_midnight(coin, venues, seed, midnight, days, report=crowd)
    if calm > midnight:
        past = joined_history(past, market.history((calm - midnight) / DAY))
    if until > calm:
        with market.crowd(EPISODES[coin].side):
            past = joined_history(past, market.history((until - calm) / DAY))
    return market, past


def kept_until(until: int) -> int:
    """Return the midnight up to which a history that ends at `until` is cached, µs."""
    return (until - CROWD) // DAY * DAY


def _until_midnight(
    coin: str, venues: Sequence[str], seed: int, midnight: int, days: float, *, report: bool
) -> tuple[SimulatedMarket, list[MinuteHistory]]:
    """Return a market at midnight and its history; report progress on standard output."""
    name, key = f"market-{coin}", f"{tuple(venues)} {seed} {midnight} {days}"
    kept = cache.load(name, key)
    if kept is not None:
        return pickle.loads(kept)  # noqa: S301  written by this code, for this user
    market = SimulatedMarket(world(coin, venues), seed, midnight - round(days * DAY))
    past = market.history(days / PARTS)
    for part in range(1, PARTS):
        if report:
            write_line({"coin": coin, "share": part / PARTS})
        past = joined_history(past, market.history(days / PARTS))
    cache.save(name, key, pickle.dumps((market, past), protocol=5))
    return market, past


def write_line(message: dict[str, Any]) -> None:
    """Write a line of JSON for the parent process."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def make_all(
    coins: Sequence[str], venues: Sequence[str], seed: int, until: int, days: float,
    done: Done | None = None,
) -> dict[str, tuple[SimulatedMarket, list[MinuteHistory]]]:  # fmt: skip
    """Return the markets and histories of all coins, each computed in its own process if several.

    `done` is called with each coin's history as soon as it is ready; with it, a crowd builds up.
    """
    out: dict[str, tuple[SimulatedMarket, list[MinuteHistory]]] = {}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(coins), os.cpu_count() or 1), spawn) as pool:

        async def one(coin: str) -> None:
            # one coin alone needs no process of its own
            where = pool if len(coins) > 1 else None
            loop = asyncio.get_running_loop()
            job = partial(make, coin, tuple(venues), seed, until, days, crowd=done is not None)
            out[coin] = await loop.run_in_executor(where, job)
            if done is not None:
                done(coin, out[coin][1])

        await asyncio.gather(*(one(coin) for coin in coins))
    return {coin: out[coin] for coin in coins}
