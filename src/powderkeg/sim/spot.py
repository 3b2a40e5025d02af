"""The spot market of a simulated coin: a tape and a book of its own around the index.

It only reads what the perpetuals publish and draws from a generator of its own, so the perpetuals
are the same to the bit with it or without. Nobody has leverage in it, so it has neither open
interest nor liquidations. Takers come at random, in moods of either side that last minutes;
arbitrageurs take what is more than a few levels from the index; makers follow the rest.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec.structs import replace

from powderkeg.events import SECOND, Floats
from powderkeg.sim.kernel.book import SHAPE
from powderkeg.sim.kernel.rng import seed_words
from powderkeg.sim.kernel.state import BASE, CENTRE, TICK
from powderkeg.sim.publish import Units
from powderkeg.sim.records import Ladder, MinuteHistory, Moment, Tape
from powderkeg.sim.world import World

SHARE: Final = 0.25
"""Its depth and volume, as a share of those of all perpetuals."""
RATE: Final = 5.0
"""Market orders a second, of both sides."""
_SIZE: Final = 0.05
"""Mean size of one, in full levels."""
_SPREAD: Final = 1.1
"""Deviation of the log of their sizes."""
_MOOD: Final = 240.0
"""Seconds over which a mood of one side is forgotten."""
_LEAN: Final = 0.25
"""Deviation of a mood: how much of the orders is of one side."""
_FREE: Final = 5.0
"""Levels from the index that no arbitrage pays for."""
_ARBITRAGE: Final = 0.3
"""Full levels that arbitrageurs take in a second for each level beyond that."""
_MOST: Final = 4.0
"""Full levels that they take in a step at most."""
_FOLLOW: Final = 2.0
"""Seconds in which makers follow the index."""
_REACH: Final = 60
"""Levels that one order takes from at most."""
_THINNEST: Final = 0.002
"""Share of its full size that an emptied level shows."""
_OFFSET: Final = 1e-4
"""Deviation of past spot prices from the perpetuals', a fraction."""
_FORGET: Final = 0.05
"""Share of that which a minute forgets."""


class SpotMarket:
    """The spot market of one coin, from a price on.

    Args:
        world: The coin's world.
        seed: Any integer. The coin's name is mixed in.
        price: The last price of its history.
    """

    __slots__ = ("_eaten", "_full", "_mood", "_place", "_refill", "_rng", "_units", "now")

    def __init__(self, world: World, seed: int, price: float) -> None:
        self._units = Units.of(world)
        self._rng = np.random.default_rng(seed_words(seed, f"{world.coin} spot"))
        self._full = world.depth * self._units.size * SHARE
        self._refill = world.refill
        self._place = self._rung(price)
        self._mood = 0.0
        self._eaten: dict[tuple[int, int], tuple[float, int]] = {}
        """By sign of the side and rung: coins taken from it, and when, µs."""
        self.now = 0

    @property
    def price(self) -> float:
        """The middle between its best prices, before rounding."""
        return BASE * self._units.price * math.exp((self._place - CENTRE) * TICK)

    def follow(self, moment: Moment) -> Moment:
        """Take the step that the perpetuals have taken, and return it as one of a single venue."""
        self.now = moment.at
        seconds = (moment.at - moment.since) / SECOND
        self._eaten = {key: eaten for key, eaten in self._eaten.items() if self._left(*key) > 0}
        fills = [fill for size in self._orders(moment.index, seconds) for fill in self._take(size)]
        apart = self._rung(moment.index) - self._place
        self._place += apart * -math.expm1(-seconds / _FOLLOW)
        times = np.sort(self._rng.integers(moment.since + 1, moment.at + 1, len(fills)))
        prices, sizes = np.array(fills, np.float64).reshape(-1, 2).T
        return replace(
            moment, tapes=[Tape(times.astype(np.int64), prices, sizes)],
            forced=[np.full(len(fills), -1, np.int64)], marks=np.array([self.price]),
            oi=np.zeros(1), rate=0.0, paid=None,
        )  # fmt: skip

    def ladder(self, levels: int) -> Ladder:
        """Return its book: the touch, then a level every half basis point."""
        bid, ask = self._touch()
        bids, asks = self._prices(-1, bid, levels), self._prices(1, ask, levels)
        return Ladder(bid, ask, bids, self._sizes(-1, levels), asks, self._sizes(1, levels))

    def _orders(self, index: float, seconds: float) -> list[float]:
        """Return the sizes of the step's market orders, positive where a buyer takes."""
        rng, kept = self._rng, math.exp(-seconds / _MOOD)
        self._mood = kept * self._mood + float(rng.normal(0.0, _LEAN * math.sqrt(1 - kept * kept)))
        count = int(rng.poisson(RATE * seconds))
        buys = rng.random(count) < 0.5 * (1 + max(-0.9, min(0.9, self._mood)))
        mean = _SIZE * self._full
        sizes = mean * rng.lognormal(-0.5 * _SPREAD * _SPREAD, _SPREAD, count)
        orders: list[float] = np.where(buys, sizes, -sizes).tolist()
        apart = self._rung(index) - self._place
        if abs(apart) > _FREE:
            levels = min(_MOST, _ARBITRAGE * seconds * (abs(apart) - _FREE))
            orders.append(math.copysign(levels * self._full, apart))
        return orders

    def _take(self, size: float) -> list[tuple[float, float]]:
        """Take from the book; return price and signed size of each print."""
        sign = 1 if size > 0 else -1
        rest, best, touch = abs(size), self._best(sign), self._touch()[sign > 0]
        out: list[tuple[float, float]] = []
        for k in range(_REACH):
            rung = best + sign * k
            there = self._shown(sign, k, rung)
            taken = min(rest, there)
            price = touch if k == 0 else float(self._units.at(np.array([rung], np.float64))[0])
            out.append((price, sign * taken))
            self._eaten[sign, rung] = self._left(sign, rung) + taken, self.now
            rest -= taken
            if taken < there:
                return out
            self._place = float(rung) + 0.25 * sign  # the next rung is best now
        return out

    def _prices(self, sign: int, best: float, levels: int) -> Floats:
        """Return the prices of a side, the best as given."""
        rungs = self._best(sign) + sign * np.arange(levels)
        prices = self._units.at(rungs.astype(np.float64))
        prices[0] = best
        return prices

    def _sizes(self, sign: int, levels: int) -> Floats:
        """Return what the levels of a side show."""
        best, sizes = self._best(sign), self._full * SHAPE[:levels]
        for side, rung in self._eaten:
            level = sign * (rung - best)
            if side == sign and 0 <= level < levels:
                sizes[level] = self._shown(sign, level, rung)
        return sizes

    def _shown(self, sign: int, level: int, rung: int) -> float:
        """Return what a rung shows, as the `level`-th of its side."""
        full = self._full * float(SHAPE[level])
        return max(full - self._left(sign, rung), _THINNEST * full)

    def _left(self, sign: int, rung: int) -> float:
        """Return what was taken from a rung and has not been refilled, in coins."""
        taken, at = self._eaten.get((sign, rung), (0.0, 0))
        left = taken * math.exp(-(self.now - at) / SECOND / self._refill)
        return left if left > _THINNEST * self._full else 0.0

    def _rung(self, price: float) -> float:
        return CENTRE + math.log(price / (BASE * self._units.price)) / TICK

    def _best(self, sign: int) -> int:
        """Return the rung of the best price of a side."""
        return math.floor(self._place) + (1 if sign > 0 else 0)

    def _touch(self) -> tuple[float, float]:
        """Return best bid and ask, a tick apart."""
        tick, digits = self._units.tick, self._units.digits
        bid = round(math.floor(self.price / tick) * tick, digits)
        return bid, round(bid + tick, digits)


def spot_history(world: World, seed: int, market: str, past: list[MinuteHistory]) -> MinuteHistory:
    """Return minutes of a spot market for the time of the perpetuals' history.

    Prices differ from the perpetuals' by about a basis point, volume is a share of theirs; there
    is nothing to be liquidated, and no funding.

    Args:
        world: The coin's world.
        seed: Any integer. The coin's name is mixed in.
        market: Id of the market.
        past: Histories of the perpetuals, at least one.
    """
    bars, units = past[0].candles, Units.of(world)
    n = len(bars.times)
    rng = np.random.default_rng(seed_words(seed, f"{world.coin} spot history"))
    offsets, steps = np.zeros(n + 1), rng.normal(0.0, _OFFSET * math.sqrt(2 * _FORGET), n)
    for k in range(n):
        offsets[k + 1] = (1 - _FORGET) * offsets[k] + steps[k]
    before, after = 1 + offsets[:-1], 1 + offsets[1:]
    most, least = np.maximum(before, after), np.minimum(before, after)
    columns = (bars.open * before, bars.high * most, bars.low * least, bars.close * after)
    opened, high, low, close = (
        np.round(np.round(each / units.tick) * units.tick, units.digits) for each in columns
    )
    volume = SHARE * rng.lognormal(-0.045, 0.3, n) * sum(each.candles.volume for each in past)
    lean = np.clip(0.5 + 0.08 * rng.normal(size=n), 0.05, 0.95)
    ohlcv = np.stack((opened, high, low, close, volume, volume * lean), axis=1)
    candles = type(bars).from_ohlcv(market, bars.received_time, bars.span, bars.times, ohlcv)
    return MinuteHistory(market, candles, [], [])
