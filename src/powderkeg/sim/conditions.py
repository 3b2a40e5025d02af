"""By what the laws of a world are scaled for a while: hours of the day, a crowd, an episode."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, HOUR
from powderkeg.sim.kernel.state import Laws

_HOURS: Final = (
    *(0.85, 0.95, 0.95, 0.85, 0.80, 0.75),  # Tokyo, Hong Kong
    *(0.80, 1.00, 1.15, 1.10, 0.95, 0.80),  # London opens, and has lunch
    *(0.95, 1.45, 1.75, 1.65, 1.40, 1.15),  # New York opens while London trades
    *(1.00, 1.00, 0.95, 0.80, 0.65, 0.65),
)
"""Activity by hour of the UTC day; the mean is about one."""
_WEEKDAYS: Final = (1.10, 1.12, 1.12, 1.12, 1.08, 0.72, 0.72)
"""Activity by weekday from Monday on; the mean is about one."""
_THURSDAY: Final = 3
"""Weekday of 1 January 1970."""


class Conditions(Struct, frozen=True):
    """Factors on the laws of a world, and what takers do beside them."""

    noise: float = 1.0
    """Factor on the rate of orders that open nothing for long."""
    opening: float = 1.0
    """Factor on the rate of openers."""
    volatility: float = 1.0
    depth: float = 1.0
    lean: float = 0.0
    """Added to the chance, one half, that a noise order buys; from -0.5 to 0.5."""
    order: float = 0.0
    """Signed size taken at once in each tick, a multiple of `depth` of the world."""

    def apply(self, law: Laws, base: Laws) -> None:
        """Write the scaled laws; `law` and `base` have shape (1,) of `LAWS`."""
        law["noise_rate"] = base["noise_rate"] * self.noise
        law["open_rate"] = base["open_rate"] * self.opening
        law["volatility"] = base["volatility"] * self.volatility
        law["depth"] = base["depth"] * self.depth
        law["lean"] = self.lean
        law["order"] = self.order * base["depth"]

    def times(self, other: Conditions) -> Conditions:
        """Return both at once."""
        return Conditions(
            self.noise * other.noise,
            self.opening * other.opening,
            self.volatility * other.volatility,
            self.depth * other.depth,
            self.lean + other.lean,
            self.order + other.order,
        )


def session(at: int) -> Conditions:
    """Return what the hour of the UTC day and the weekday of `at`, µs, do to a market.

    Volatility goes with the square root of activity: variance follows volume.
    """
    activity = _HOURS[at % DAY // HOUR] * _WEEKDAYS[(at // DAY + _THURSDAY) % 7]
    return Conditions(noise=activity, opening=activity, volatility=activity**0.5)
