"""The market's parameters tick by tick: of its world, the hour, a crowd and an episode."""

from __future__ import annotations

from copy import deepcopy
from typing import Self

from powderkeg.events import HOUR
from powderkeg.sim.conditions import Conditions, session
from powderkeg.sim.episodes import Episode
from powderkeg.sim.kernel.state import Params, State, params_of
from powderkeg.sim.steering import Steering
from powderkeg.sim.world import World


class ParamSchedule:
    """Current parameters of a market. Copies of a market need copies of it."""

    __slots__ = ("_base", "_world", "crowd", "params", "steering")

    def __init__(self, world: World) -> None:
        self._world = world
        self._base: Params = params_of(world)
        self.params: Params = self._base.copy()
        """What kernels read, shape (1,) of `PARAMS`."""
        self.crowd = Conditions()
        self.steering: Steering | None = None
        """The episode under way."""

    def copy(self) -> Self:
        """Return a copy that will change in the same way."""
        return deepcopy(self)

    def begin(self, episode: Episode, m: State, now: int) -> None:
        """Begin an episode, after removing the walls of the previous one."""
        self._end(m)
        self.steering = Steering(episode, now, float(m["mid"]), self._world.depth)

    def prepare(self, m: State, now: int, length: int, ticks: int) -> int:
        """Update the parameters to `now`; return for how many ticks of `length` µs they hold."""
        conditions = self.crowd
        if self._world.sessions:
            conditions = conditions.times(session(now))
            ticks = min(ticks, max(1, -(-(HOUR - now % HOUR) // length)))
        if self.steering is not None and self.steering.over(now):
            self._end(m)
        if self.steering is not None:
            conditions = conditions.times(self.steering.apply(m, now, length))
            ticks = 1
        conditions.apply(self.params, self._base)
        return ticks

    def _end(self, m: State) -> None:
        if self.steering is not None:
            self.steering.clear(m)
            self.steering = None
