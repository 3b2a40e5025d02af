"""Applies an episode to a market between ticks: index, price, parameters and resting depth."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from powderkeg.events import SECOND
from powderkeg.sim.conditions import Conditions
from powderkeg.sim.episodes import Episode, Wall
from powderkeg.sim.kernel.book import SHAPE
from powderkeg.sim.kernel.state import TICK, Reals, State, Whole

_HOLD: Final = 20.0
"""Seconds in which the index returns to its key frames: news may move it in between."""
_PERCENT: Final = float(SHAPE[: round(0.01 / TICK)].sum())
"""Depth within one percent, as a multiple of a level's."""


class _ActiveWall:
    """A wall in the book: the size of each level, shown on its side of the price only."""

    __slots__ = ("held", "rungs", "shown", "wall")

    def __init__(self, wall: Wall, opening: float, depth: float) -> None:
        low, high = (opening + math.log(price) / TICK for price in (wall.low, wall.high))
        self.wall = wall
        self.rungs: Whole = np.arange(round(low), round(high) + 1)
        self.held: Reals = np.full(self.rungs.size, wall.depth * depth)
        self.shown = np.zeros(self.rungs.size, np.bool_)

    def withdraw(self, m: State) -> None:
        """Remove the wall from the book, count what was filled, and refill its share."""
        shown = self.shown
        rungs = self.rungs[shown]
        left = np.minimum(self.held[shown], np.maximum(0.0, -m["eaten"][rungs]))
        self.held[shown] = left + self.wall.refill * (self.held[shown] - left)
        m["eaten"][rungs] = np.maximum(0.0, m["eaten"][rungs])
        shown[:] = False

    def show(self, m: State, at: float) -> None:
        """Put it in the book. Extra depth is negative in `eaten` and does not decay."""
        away = self.wall.side * (round(float(m["mid"])) - self.rungs)
        self.shown = (away > 0) & (self.held > 0)
        rungs = self.rungs[self.shown]
        m["eaten"][rungs] = -self.held[self.shown]
        m["eaten_at"][rungs] = at

    def stop(self, mid: float, shift: float) -> float:
        """Return a price move clipped at the near edge: only trades go through a wall."""
        side = self.wall.side
        room = side * (mid - (self.rungs[-1] if side > 0 else self.rungs[0]))
        return shift if side * shift >= 0 else -side * min(abs(shift), max(0.0, room))


class Steering:
    """An episode under way in one market. Copies of the market need copies of it.

    Args:
        episode: The episode.
        since: µs at which it begins.
        opening: Rung of the price at that time.
        depth: Ordinary depth of a level.
    """

    __slots__ = ("_depth", "_opening", "_since", "_walls", "episode")

    def __init__(self, episode: Episode, since: int, opening: float, depth: float) -> None:
        self.episode = episode
        self._since = since
        self._opening = opening
        self._depth = depth
        self._walls: dict[int, _ActiveWall] = {}

    def over(self, now: int) -> bool:
        """Return whether the episode is over."""
        return now - self._since > self.episode.length * SECOND

    def clear(self, m: State) -> None:
        """Remove every wall from the book."""
        for wall in self._walls.values():
            wall.withdraw(m)
        self._walls.clear()

    def apply(self, m: State, now: int, length: int) -> Conditions:
        """Prepare the market for a tick of `length` µs from `now` on; return its conditions."""
        t = (now - self._since) / SECOND
        dt = length / SECOND
        for wall in self._walls.values():
            wall.withdraw(m)
        self._build(t)
        self._move(m, t, dt)
        for wall in self._walls.values():
            wall.show(m, now / SECOND)
        size = sum(order.size for order in self.episode.orders if t <= order.at < t + dt)
        return self.episode.conditions(t).times(Conditions(order=size * _PERCENT))

    def _build(self, t: float) -> None:
        """Add walls that start, and drop those that have ended."""
        for k, wall in enumerate(self.episode.walls):
            if not wall.start <= t < wall.end:
                self._walls.pop(k, None)
            elif k not in self._walls:
                self._walls[k] = _ActiveWall(wall, self._opening, self._depth)

    def _move(self, m: State, t: float, dt: float) -> None:
        """Move index and price towards the key frames."""
        here, there = self.episode.offset(t), self.episode.offset(t + dt)
        if here is None or there is None:
            return
        gap = self._opening + here / TICK - float(m["index"])
        shift = (there - here) / TICK + gap * min(1.0, dt / _HOLD)
        m["index"] += shift
        for wall in self._walls.values():
            shift = wall.stop(float(m["mid"]), shift)
        m["mid"] += shift
