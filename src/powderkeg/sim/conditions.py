"""Temporary factors on a world's parameters: time of day, a crowd, an episode."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, HOUR
from powderkeg.sim.kernel.state import Params

_HOURS: Final = (
    *(0.85, 0.95, 0.95, 0.85, 0.80, 0.75),  # Tokyo, Hong Kong
    *(0.80, 1.00, 1.15, 1.10, 0.95, 0.80),  # London opens, then lunch
    *(0.95, 1.45, 1.75, 1.65, 1.40, 1.15),  # New York opens while London trades
    *(1.00, 1.00, 0.95, 0.80, 0.65, 0.65),
)
"""Activity by hour of the UTC day; the mean is about one."""
_WEEKDAYS: Final = (1.10, 1.12, 1.12, 1.12, 1.08, 0.72, 0.72)
"""Activity by weekday from Monday on; the mean is about one."""
_THURSDAY: Final = 3
"""Weekday of 1 January 1970."""


class Conditions(Struct, frozen=True):
    """Factors on a world's parameters, and extra taker flow."""

    noise: float = 1.0
    """Factor on the rate of noise orders."""
    opening: float = 1.0
    """Factor on the rate of openers."""
    volatility: float = 1.0
    depth: float = 1.0
    lean: float = 0.0
    """Added to the probability, one half, that a noise order buys; from -0.5 to 0.5."""
    order: float = 0.0
    """Signed size taken at once in each tick, a multiple of `depth` of the world."""

    def apply(self, params: Params, base: Params) -> None:
        """Write the scaled parameters; `params` and `base` have shape (1,) of `PARAMS`."""
        params["noise_rate"] = base["noise_rate"] * self.noise
        params["open_rate"] = base["open_rate"] * self.opening
        params["volatility"] = base["volatility"] * self.volatility
        params["depth"] = base["depth"] * self.depth
        params["lean"] = self.lean
        params["order"] = self.order * base["depth"]

    def times(self, other: Conditions) -> Conditions:
        """Return both combined."""
        return Conditions(
            self.noise * other.noise,
            self.opening * other.opening,
            self.volatility * other.volatility,
            self.depth * other.depth,
            self.lean + other.lean,
            self.order + other.order,
        )


def session(at: int) -> Conditions:
    """Return the conditions of the UTC hour and weekday of `at`, µs.

    Volatility goes with the square root of activity: variance follows volume.
    """
    activity = _HOURS[at % DAY // HOUR] * _WEEKDAYS[(at // DAY + _THURSDAY) % 7]
    return Conditions(noise=activity, opening=activity, volatility=activity**0.5)
