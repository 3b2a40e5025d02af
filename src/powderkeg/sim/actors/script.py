"""The script of book actors: what is placed, cancelled and taken, and when.

Its own generator decides, so a market without actors draws the same numbers as before there were
any. Time is that of the market.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Final, Self

import numpy as np

from powderkeg.events import SECOND, Floats, Side
from powderkeg.sim.actors.orders import ActiveOrder, OrderBook
from powderkeg.sim.actors.records import (
    Labels,
    OrderKind,
    RestingOrder,
    ShownOrder,
    TakerFlow,
)
from powderkeg.sim.kernel.book import SHAPE
from powderkeg.sim.kernel.rng import seed_words
from powderkeg.sim.kernel.state import TAKERS, State
from powderkeg.sim.publish import Units
from powderkeg.sim.world import World

EVERY: Final[dict[str, float]] = {
    "wall": 30.0, "pulled": 40.0, "burst": 75.0, "large_print": 20.0, "refill": 45.0,
}  # fmt: skip
"""Mean seconds between two of a kind, over all venues."""
_BURST: Final = 20.0
"""Seconds of takers of one side."""
_BURST_RATE: Final = 6.0
"""Their orders a second."""
_SMALL_RATE: Final = 10.0
"""Small market orders a second of either side, at all venues. Without them a quiet hour has so few
prints that no burst stands out of their chance."""
_SMALL_SIZE: Final = 0.02
"""Mean size of one, in ordinary levels of all venues together."""
_PAUSE: Final = 45.0
"""Least seconds from one burst to the next."""
_CLEAR: Final = 10.0
"""Rungs in which no wall may stand before a burst that is not absorbed."""
_HELD: Final = 16.0
"""Rungs from last within which a wall is not cancelled: it is there to trade."""
_LEAST_SHARE: Final = 0.1
"""Share of all flow from which a venue may own an absorber: small ones hold no burst."""


def _side(sign: int) -> Side:
    return "sell" if sign > 0 else "buy"


class Actors:
    """The book actors of one market. Copies of the market need copies of them."""

    __slots__ = ("_book", "_flow", "_next", "_rate", "_rng", "_units", "_world", "labels")

    def __init__(self, world: World, units: Units, seed: int) -> None:
        """Start without an order, in a world with actors or not."""
        self._world = world
        self._units = units
        self._rng = np.random.default_rng(seed_words(seed, f"{world.coin} actors"))
        self._book = OrderBook()
        self._flow: TakerFlow | None = None
        """The burst under way."""
        self._rate = 0.0
        """Mean size of its orders, agents' coin."""
        self._next: dict[str, int] = {}
        self.labels = Labels([], [])
        """The truth about every actor."""

    def copy(self) -> Self:
        """Return a copy that will act in the same way."""
        return deepcopy(self)

    def shown(self) -> list[ShownOrder]:
        """Return what stands in the published books."""
        return self._book.shown()

    def act(self, m: State, now: int, seconds: float) -> None:
        """Script the tick that begins: cancel and place orders, and choose takers."""
        if not self._next:
            self._next = {kind: now + self._wait(mean) for kind, mean in EVERY.items()}
        self._cancel(m, now)
        for kind in ("wall", "pulled", "refill"):
            if self._due(kind, now):
                self._place_order(m, now, kind)
        takers: list[tuple[float, int]] = []
        if self._due("large_print", now):
            takers.append(self._large_print(now))
        if self._due("burst", now):
            self._begin_burst(m, now)
        takers += self._small_orders(seconds) + self._burst_orders(now, seconds)
        m["taking"] = len(takers[:TAKERS])
        for k, (size, venue) in enumerate(takers[:TAKERS]):
            m["takers"][k]["size"], m["takers"][k]["venue"] = size, venue

    def settle(self, m: State, now: int) -> None:
        """Read what the tick did to the orders."""
        self._book.settle(m, now)

    def withdraw(self, m: State, now: int) -> None:
        """Cancel all, before coarse ticks or a written episode."""
        for order in list(self._book.orders):
            self._book.remove(m, order, "cancelled", now)
        if self._flow is not None:
            self._flow.stop, self._flow = now, None
        self._next = {}

    # -- when

    def _wait(self, mean: float) -> int:
        return round(float(self._rng.exponential(mean)) * SECOND)

    def _due(self, kind: str, now: int) -> bool:
        if now < self._next[kind]:
            return False
        least = round(_PAUSE * SECOND) if kind == "burst" else 0
        mean = EVERY[kind] - least / SECOND
        self._next[kind] = now + least + self._wait(mean)
        return True

    def _cancel(self, m: State, now: int) -> None:
        mid = float(m["mid"])
        for order in list(self._book.orders):
            away = order.distance(mid)
            if away <= order.near:
                self._book.remove(m, order, "pulled", now)
            elif now >= order.until and (order.record.kind != "wall" or away > _HELD):
                self._book.remove(m, order, "cancelled", now)

    # -- resting orders

    def _usual(self, venue: int, distance: int) -> float:
        """Return what a level of a venue usually holds at a distance, agents' coin."""
        return self._world.depth * self._world.shares[venue] * float(SHAPE[distance])

    def _venue(self, least: float = 0.0) -> int:
        shares: Floats = np.array(self._world.shares)
        shares[shares < least] = 0.0
        if not shares.any():
            shares[:] = self._world.shares
        return int(self._rng.choice(len(shares), p=shares / shares.sum()))

    def _place_order(self, m: State, now: int, kind: OrderKind) -> None:
        """Place a wall, or a small order that refills."""
        rng = self._rng
        side, venue = int(rng.choice((-1, 1))), self._venue()
        low, high = {"wall": (8, 36), "pulled": (8, 19), "refill": (2, 6)}[kind]
        away = int(rng.integers(low, high))
        level = self._usual(venue, away)
        life, times, near = rng.uniform(40, 240), rng.uniform(25, 60), rng.uniform(2, 5)
        shown, hidden = times * level, 0.0
        if kind == "refill":
            life, shown = rng.uniform(20, 60), rng.uniform(1.5, 3.0) * level
            hidden = rng.uniform(3.0, 6.0) * shown
        self._place(
            m, now, kind, side, venue, away, shown + hidden, shown, float(life),
            float(near) if kind == "pulled" else -1.0,
        )  # fmt: skip

    def _place(
        self, m: State, now: int, kind: OrderKind, side: int, venue: int, away: int, size: float,
        peak: float, life: float, near: float = -1.0,
    ) -> RestingOrder | None:  # fmt: skip
        """Place an order `away` rungs behind last; None where another stands there already."""
        mid = float(m["mid"])
        rung = round(mid) + side * away
        if self._book.full or m["resting_at"][rung]:
            return None
        scale = self._units.size
        price = float(self._units.at(np.array([rung], np.float64))[0])
        record = RestingOrder(
            kind, self._world.venues[venue], _side(side), price, size * scale, peak * scale, now
        )
        order = ActiveOrder(
            record, self._book.free_row(), rung, side, venue, size, peak,
            now + round(life * SECOND), near,
        )  # fmt: skip
        self._book.place(m, order)
        self.labels.orders.append(record)
        return record

    # -- takers

    def _large_print(self, now: int) -> tuple[float, int]:
        """Return a single market order that takes a few levels, and its venue."""
        rng, venue = self._rng, self._venue()
        sign = int(rng.choice((-1, 1)))
        size = float(rng.uniform(1.0, 4.0)) * self._world.depth * float(SHAPE[0])
        name, amount = self._world.venues[venue], size * self._units.size
        self.labels.flows.append(TakerFlow("large_print", _side(-sign), now, now, amount, name))
        return sign * size, venue

    def _begin_burst(self, m: State, now: int) -> None:
        """Begin a burst of takers, half of which meet an absorber; sellers press on bids."""
        rng, mid = self._rng, float(m["mid"])
        pressed, absorbed = int(rng.choice((-1, 1))), self._next_absorbed()
        if not absorbed and not self._book.clear_near(mid, pressed, _CLEAR):
            pressed = -pressed
        size = float(rng.uniform(25.0, 45.0)) * self._world.depth * float(SHAPE[0])
        absorber = None
        if absorbed:
            venue = self._venue(_LEAST_SHARE)
            peak = float(rng.uniform(3.0, 5.0)) * self._usual(venue, 2)
            absorber = self._place(
                m, now, "absorber", pressed, venue, 2, 3.0 * size, peak, _BURST + 5.0
            )
        self._rate = size / (_BURST * _BURST_RATE)
        self._flow = TakerFlow(
            "burst", _side(-pressed), now, now + round(_BURST * SECOND), size * self._units.size,
            absorber=absorber,
        )  # fmt: skip
        self.labels.flows.append(self._flow)

    def _next_absorbed(self) -> bool:
        """Return whether the next burst is absorbed: one of every two, in either order."""
        flows = [flow for flow in self.labels.flows if flow.kind == "burst"]
        if len(flows) % 2:
            return flows[-1].absorber is None
        return bool(self._rng.integers(2))

    def _burst_orders(self, now: int, seconds: float) -> list[tuple[float, int]]:
        """Return the market orders of a burst in a tick of so many seconds, and their venues."""
        if self._flow is None:
            return []
        if now >= self._flow.stop:
            self._flow = None
            return []
        sign = 1 if self._flow.side == "buy" else -1
        return self._orders(sign, _BURST_RATE * seconds, self._rate)

    def _small_orders(self, seconds: float) -> list[tuple[float, int]]:
        """Return the small market orders of a tick, and their venues."""
        size = _SMALL_SIZE * self._world.depth * float(SHAPE[0])
        rate = 0.5 * _SMALL_RATE * seconds
        return self._orders(1, rate, size) + self._orders(-1, rate, size)

    def _orders(self, sign: int, count: float, mean: float) -> list[tuple[float, int]]:
        """Return about `count` market orders of a mean size, and their venues."""
        sizes = mean * self._rng.lognormal(-0.32, 0.8, int(self._rng.poisson(count)))
        return [(sign * size, self._venue()) for size in sizes.tolist()]
