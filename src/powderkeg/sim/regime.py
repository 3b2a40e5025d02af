"""The laws a market lives by, tick by tick: its world's, the hour's, a crowd's, an episode's."""

from __future__ import annotations

from copy import deepcopy
from typing import Self

from powderkeg.events import HOUR
from powderkeg.sim.conditions import Conditions, session
from powderkeg.sim.episodes import Episode
from powderkeg.sim.kernel.state import Laws, State, params_of
from powderkeg.sim.steering import Steering
from powderkeg.sim.world import World


class Rules:
    """Laws as they are now. Copies of a market need copies of it."""

    __slots__ = ("_base", "_world", "crowd", "laws", "steering")

    def __init__(self, world: World) -> None:
        self._world = world
        self._base: Laws = params_of(world)
        self.laws: Laws = self._base.copy()
        """What kernels read, shape (1,) of `LAWS`."""
        self.crowd = Conditions()
        self.steering: Steering | None = None
        """The episode under way."""

    def copy(self) -> Self:
        """Return rules that will change as these will."""
        return deepcopy(self)

    def begin(self, episode: Episode, m: State, now: int) -> None:
        """Let an episode begin, after what another has left in the book is taken away."""
        self._end(m)
        self.steering = Steering(episode, now, float(m["mid"]), self._world.depth)

    def prepare(self, m: State, now: int, length: int, ticks: int) -> int:
        """Bring the laws to `now`; return how many ticks of `length` µs may be lived by them."""
        conditions = self.crowd
        if self._world.sessions:
            conditions = conditions.times(session(now))
            ticks = min(ticks, max(1, -(-(HOUR - now % HOUR) // length)))
        if self.steering is not None and self.steering.over(now):
            self._end(m)
        if self.steering is not None:
            conditions = conditions.times(self.steering.act(m, now, length))
            ticks = 1
        conditions.apply(self.laws, self._base)
        return ticks

    def _end(self, m: State) -> None:
        if self.steering is not None:
            self.steering.clear(m)
            self.steering = None
