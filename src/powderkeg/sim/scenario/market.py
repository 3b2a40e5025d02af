"""A scripted market as venues publish it: prints, quotes that refill, liquidations, readings.

It has the interface that simulated venues use of `SimulatedMarket`. A script says what happens in a
second; here a *beat* of two seconds is played: quotes move, takers trade for half a second at the
best prices, what resting orders put back comes within a tenth of a second of each print, and then
there is quiet. A reader of the wire counts as refilled what comes back at a price within a second
of the last print there, so quotes that moved each second would hide what the script says.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec.structs import replace

from powderkeg.events import SECOND, Floats, Times
from powderkeg.sim.actors.records import ShownOrder
from powderkeg.sim.records import (
    Ladder,
    LiquidationRecords,
    MinuteHistory,
    Moment,
    Tape,
    Truth,
)
from powderkeg.sim.scenario.past import histories, plan_of, rate_of
from powderkeg.sim.scenario.play import QUIET_REFILL, played
from powderkeg.sim.scenario.script import Scenario
from powderkeg.sim.world import DEMO, World

BEAT: Final = 2 * SECOND
"""µs from one move of the quotes to the next."""
PRINTS: Final = (150_000, 250_000, 350_000, 450_000)
"""µs from the start of a beat to its prints."""
BACK: Final = 100_000
"""µs from a print to what comes back."""
RUNG: Final = 5e-5
"""Fraction of price between two levels of the book."""
INTEREST: Final = 1.0
"""Open interest before clusters open, in hours of the usual volume."""
LOST: Final = 0.005
"""Fraction of price from the liquidation to the bankruptcy of a position."""
BID, ASK = 0, 1
SIGNS: Final = (-1, 1)
"""Side of an order: bids, asks."""


class ScenarioMarket:
    """One coin at several venues, played from a script.

    Args:
        scenario: The script.
        world: Venues and their shares; see `world_of`.
        start: µs at which the script begins, a whole minute.
        lead: Seconds of quiet trading before it, beats.
    """

    __slots__ = (
        "_back", "_bought", "_first", "_forced", "_order", "_price", "_rate", "_sold", "grid",
        "now", "oi", "scenario", "start", "world",
    )  # fmt: skip

    def __init__(self, scenario: Scenario, world: World, start: int, lead: int = 0) -> None:
        self.scenario, self.world = scenario, world
        self.start = start
        self._first = start - lead * SECOND
        self.now = self._first
        self.grid = 10 * world.tick
        """Quotes are multiples of it: a price of every venue."""
        script = played(scenario)
        size = BEAT // SECOND
        beats = len(script.price) // size
        calm = lead // size
        shape = (beats, size)
        count = beats * size
        quiet = np.full(calm, scenario.volume * size / 2)

        def each(values: Floats) -> Floats:
            return values[..., :count].reshape(*values.shape[:-1], *shape).sum(axis=-1)

        forced = each(script.liquidated)
        self._forced: Floats = np.concatenate((np.zeros((len(forced), calm)), forced), axis=1)
        """Quote currency of each cluster, shape (clusters, beats)."""
        self._sold: Floats = np.concatenate((quiet, each(script.sold)))
        self._bought: Floats = np.concatenate((quiet, each(script.bought)))
        lead_in = _calm(scenario, calm)
        self._price: Floats = np.concatenate((lead_in, script.price[:count:size]))
        self._back: Floats = self._refills(calm, beats)
        """Share of what is taken that comes back, shape (2, beats): bids, asks."""
        self._order = calm + round(60 / size) if scenario.order else -1
        self._rate = rate_of(scenario)
        base = INTEREST * 3_600 * scenario.volume
        plan = plan_of(scenario)
        self.oi = base / plan.price[0] + float((plan.opened / plan.price[1:]).sum())
        """Open interest of all venues, base coin."""

    def _refills(self, calm: int, beats: int) -> Floats:
        """Return the share of what is taken that comes back: an actor's, and for the rest usual."""
        out = np.full((2, calm + beats), QUIET_REFILL)
        seconds = (np.arange(calm + beats) - calm) * BEAT / SECOND
        for actor in self.scenario.actors:
            here = (seconds >= actor.start * 60) & (seconds < actor.end * 60)
            here &= np.abs(self._price - actor.price) <= actor.band
            side = BID if actor.side == "bid" else ASK
            out[side, here] = actor.share * actor.refill + (1 - actor.share) * QUIET_REFILL
        return out

    @property
    def end(self) -> int:
        """When the script ends, µs; after it there is quiet trading about its last price."""
        return self._first + len(self._price) * BEAT

    def truth(self) -> Truth:
        """Return no position: a script says what is liquidated, not who holds it."""
        none, whole = np.zeros(0), np.zeros(0, np.int64)
        count = len(self.world.venues)
        return Truth(
            at=self.now, marks=np.full(count, self._at(self._beat(self.now))),
            oi=self.oi * np.array(self.world.shares), makers=np.zeros((count, 0)),
            prices=none, sizes=none, sides=whole, leverages=none, settings=none,
            stop_in_front=whole, staged=whole, venues=whole, entries=none, serials=whole,
        )  # fmt: skip

    # -- beats

    def _beat(self, at: int) -> int:
        return (at - self._first) // BEAT

    def _at(self, beat: int) -> float:
        last = len(self._price) - 1
        # a market that stood still would send no marks, and its socket would count as silent
        after = self.scenario.noise * math.sin(beat) if beat > last else 0.0
        return float(self._price[min(max(beat, 0), last)]) + after

    def _quotes(self, beat: int) -> tuple[float, float]:
        """Return best bid and best ask."""
        bid = math.floor(self._at(beat) / self.grid + 1e-9) * self.grid
        return round(bid, 8), round(bid + self.grid, 8)

    def _taken(self, beat: int) -> tuple[float, float, Floats]:
        """Return quote currency sold and bought by takers, and of it liquidated by cluster."""
        if not 0 <= beat < len(self._price):
            usual = self.scenario.volume * BEAT / SECOND / 2
            return usual, usual, np.zeros(len(self._forced))
        sold = float(self._sold[beat])
        if beat == self._order:
            sold += self.scenario.order * self._at(beat)
        return sold, float(self._bought[beat]), self._forced[:, beat]

    def _shares_back(self, beat: int) -> tuple[float, float]:
        if not 0 <= beat < len(self._price):
            return QUIET_REFILL, QUIET_REFILL
        return float(self._back[BID, beat]), float(self._back[ASK, beat])

    # -- what venues publish

    def moment(self, dt: float) -> Moment:
        """Advance by `dt` seconds and return what happened."""
        before, self.now = self.now, self.now + round(dt * SECOND)
        rows: list[tuple[int, float, float, int]] = []
        for beat in range(self._beat(before), self._beat(self.now) + 1):
            rows += [row for row in self._prints(beat) if before < row[0] <= self.now]
        gone = sum(abs(size) for _, _, size, side in rows if side)
        self.oi = max(self.oi - gone, 0.0)
        forced = [row for row in rows if row[3]]
        count, price = len(self.world.venues), self._at(self._beat(self.now))
        columns = [np.array([row[n] for row in rows], np.float64) for n in (1, 2)]
        times: Times = np.array([row[0] for row in rows], np.int64)
        causes = np.full(len(rows), -1, np.int64)
        causes[[n for n, row in enumerate(rows) if row[3]]] = np.arange(len(forced))
        return Moment(
            since=before, at=self.now,
            tapes=[Tape(times, columns[0], columns[1] * share) for share in self.world.shares],
            forced=[causes] * count, liquidation_rows=_records(forced),
            marks=np.full(count, price), oi=self.oi * np.array(self.world.shares), index=price,
            rate=self._rate, paid=None,
        )  # fmt: skip

    def _prints(self, beat: int) -> list[tuple[int, float, float, int]]:
        """Return prints: time, price, signed base coin, and 1 for a liquidated long, -1 a short."""
        begun, (bid, ask) = self._first + beat * BEAT, self._quotes(beat)
        sold, bought, forced = self._taken(beat)
        rows: list[tuple[int, float, float, int]] = []
        for cluster, amount in zip(self.scenario.clusters, forced.tolist(), strict=True):
            if amount > 0 and cluster.side == "long":
                sold -= amount
                rows.append((begun + PRINTS[0], bid, -amount / bid, 1))
            elif amount > 0:
                bought -= amount
                rows.append((begun + PRINTS[0], ask, amount / ask, -1))
        for offset in PRINTS:
            rows.append((begun + offset, bid, -sold / len(PRINTS) / bid, 0))
            rows.append((begun + offset, ask, bought / len(PRINTS) / ask, 0))
        return sorted(rows, key=lambda row: row[0])

    def ladder(self, levels: int) -> Ladder:
        """Return the book: even levels, and at the best prices what takers take and leave."""
        beat = self._beat(self.now)
        bid, ask = self._quotes(beat)
        each = self.scenario.depth * 100 * RUNG / bid
        sizes = np.full(levels, each)
        sizes[0] = 0.0
        away = np.arange(levels, dtype=np.float64) * (bid * RUNG)
        bids: Floats = np.subtract(bid, away, dtype=np.float64)
        asks: Floats = np.add(ask, away, dtype=np.float64)
        best = self._best(beat, each)
        orders = tuple(
            ShownOrder(venue, SIGNS[side], 0, (bid, ask)[side], best[side] * share)
            for venue, share in enumerate(self.world.shares)
            for side in (BID, ASK)
        )
        return Ladder(bid, ask, bids, sizes, asks, sizes, orders)

    def _best(self, beat: int, each: float) -> tuple[float, float]:
        """Return what rests at the best bid and ask now, base coin."""
        taken, back = np.zeros(2), np.zeros(2)
        for at, _, size, _ in self._prints(beat):
            side = BID if size < 0 else ASK
            taken[side] += abs(size) * (at <= self.now)
            back[side] += abs(size) * (at + BACK <= self.now)
        sold, bought, _ = self._taken(beat)
        whole = np.array((sold, bought)) / self._at(beat)
        shown = each + whole - taken + back * np.array(self._shares_back(beat))
        return float(shown[BID]), float(shown[ASK])


def _calm(scenario: Scenario, count: int) -> Floats:
    """Return prices of quiet beats that end at the first of the script."""
    rng = np.random.default_rng(scenario.seed + 3)
    walk = np.cumsum(rng.normal(0, scenario.noise, count))
    return scenario.price[0][1] + (walk - walk[-1] if count else walk)


def _records(rows: list[tuple[int, float, float, int]]) -> LiquidationRecords:
    """Return forced closes as records; of a script only the times, sides, sizes and prices say."""
    times = np.array([row[0] for row in rows], np.int64)
    fills, sizes = (np.array([row[n] for row in rows], np.float64) for n in (1, 2))
    sides = np.array([row[3] for row in rows], np.int64)
    broke = fills * (1 - LOST * sides)
    none = np.zeros(len(rows))
    return LiquidationRecords(
        times=times, venues=np.zeros(len(rows), np.int64), sides=sides, sizes=np.abs(sizes),
        fills=fills, bankruptcies=broke, triggers=fills, marks=fills, entries=none, margins=none,
        held=np.abs(sizes), settings=none, opened=times,
    )  # fmt: skip


def world_of(scenario: Scenario, venues: tuple[str, ...], shares: tuple[float, ...]) -> World:
    """Return the world of a scenario: the coin's, at the script's price."""
    usual = DEMO[scenario.coin]
    price = scenario.price[0][1]
    return replace(usual, venues=venues, shares=shares, price=price, censor=False, actors=False)


def scripted_market(
    scenario: Scenario, world: World, start: int, lead: int = 0
) -> tuple[ScenarioMarket, list[MinuteHistory]]:
    """Return a scenario's market, and the history of each venue up to its first beat."""
    market = ScenarioMarket(scenario, world, start, lead)
    base = INTEREST * 3_600 * scenario.volume
    return market, histories(scenario, world, market.now, base)
