"""Episodes as data: the path of the index, the taker flow, and the walls in the book.

Times are seconds since an episode begins, prices fractions of the price at that moment. The
market decides the rest: who is liquidated, what is traded, how deep price dips.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Final

from msgspec import Struct

from powderkeg.errors import ConfigError
from powderkeg.sim.conditions import Conditions


class KeyFrame(Struct, frozen=True):
    """The index at a time. Between two frames its logarithm is interpolated linearly."""

    at: float
    price: float


class Phase(Struct, frozen=True):
    """Conditions from `start` to `end`."""

    start: float
    end: float
    conditions: Conditions


class MarketOrder(Struct, frozen=True):
    """One market order."""

    at: float
    size: float
    """Signed, as a multiple of the depth within one percent of the price on one side."""


class Wall(Struct, frozen=True):
    """Extra resting orders in a price range, refilled when filled."""

    side: int
    """1 for bids, -1 for asks."""
    low: float
    high: float
    depth: float
    """Depth of each level, as a multiple of the ordinary depth."""
    refill: float
    """Share of what is filled that is put back: 1 keeps the wall as it is."""
    start: float
    end: float


class Episode(Struct, frozen=True, kw_only=True):
    """A scripted sequence of events in one market."""

    name: str
    side: int
    """1 where longs are in danger, -1 where shorts are."""
    frames: tuple[KeyFrame, ...] = ()
    phases: tuple[Phase, ...] = ()
    orders: tuple[MarketOrder, ...] = ()
    walls: tuple[Wall, ...] = ()

    def __post_init__(self) -> None:
        """Check the episode.

        Raises:
            ConfigError: Key frames are not in order of time, do not begin at the opening price, or
                have no positive price; or a wall has no extent.
        """
        times = [frame.at for frame in self.frames]
        if times != sorted(set(times)) or any(frame.price <= 0 for frame in self.frames):
            raise ConfigError(f"expected rising times and positive prices, found {self.frames}")
        if self.frames and (self.frames[0].at, self.frames[0].price) != (0.0, 1.0):
            raise ConfigError(f"expected a first key frame of (0, 1), found {self.frames[0]}")
        for wall in self.walls:
            if not (wall.low < wall.high and wall.start < wall.end and abs(wall.side) == 1):
                raise ConfigError(f"expected a wall with a side, a range and a time, found {wall}")

    @property
    def length(self) -> float:
        """Seconds until the episode is over."""
        ends = [frame.at for frame in self.frames] + [order.at for order in self.orders]
        return max(ends + [part.end for part in (*self.phases, *self.walls)], default=0.0)

    def offset(self, t: float) -> float | None:
        """Return the logarithm of the index over the opening price, or None where it is not set."""
        k = bisect_right(self.frames, t, key=lambda frame: frame.at)
        if k == 0 or k == len(self.frames):
            return None
        a, b = self.frames[k - 1], self.frames[k]
        way = (t - a.at) / (b.at - a.at)
        return (1 - way) * math.log(a.price) + way * math.log(b.price)

    def conditions(self, t: float) -> Conditions:
        """Return the combined conditions of the phases at a time."""
        now = Conditions()
        for phase in self.phases:
            if phase.start <= t < phase.end:
                now = now.times(phase.conditions)
        return now


def _frames(*pairs: tuple[float, float]) -> tuple[KeyFrame, ...]:
    return tuple(KeyFrame(at, price) for at, price in pairs)


SWEEP_AND_RECLAIM: Final = Episode(
    name="T1 sweep and reclaim",
    side=1,
    frames=_frames(
        (0, 1.0), (25, 0.999), (60, 0.9925), (100, 0.9860), (130, 0.9852), (165, 0.9880),
        (215, 0.9960), (255, 1.0020), (300, 1.0030),
    ),
    phases=(
        Phase(25, 60, Conditions(noise=4.0, lean=-0.14)),
        Phase(60, 130, Conditions(noise=6.0, lean=-0.14)),
        Phase(130, 165, Conditions(noise=5.0, lean=-0.05)),
        Phase(165, 240, Conditions(noise=4.0, lean=0.10)),
        Phase(240, 300, Conditions(noise=2.0, lean=0.04)),
    ),
    walls=(Wall(1, 0.9815, 0.9865, 6.0, 0.9, 50, 200),),
)  # fmt: skip
"""Longs are liquidated below the price, an absorbing bid wall stops it, price comes back."""
LIQUIDATION_HUNT: Final = Episode(
    name="T2 liquidation hunt",
    side=-1,
    frames=_frames(
        (0, 1.0), (60, 1.002), (150, 1.0075), (230, 1.0105), (300, 1.0100), (360, 1.0050),
        (450, 0.9950), (540, 0.9890), (600, 0.9885),
    ),
    phases=(
        Phase(60, 150, Conditions(noise=6.0, lean=0.10)),
        Phase(150, 300, Conditions(noise=9.0, lean=0.13)),
        Phase(300, 480, Conditions(noise=6.0, lean=-0.10)),
        Phase(480, 600, Conditions(noise=2.0, lean=-0.05)),
    ),
    walls=(
        Wall(-1, 1.0110, 1.0170, 9.0, 1.1, 120, 420),
        Wall(1, 0.9780, 0.9870, 4.0, 0.9, 380, 600),
    ),
)  # fmt: skip
"""A push into shorts above meets an ask wall that refills faster than it is bought."""
CASCADE: Final = Episode(
    name="T3 cascade",
    side=1,
    frames=_frames(
        (0, 1.0), (60, 0.998), (110, 0.9915), (180, 0.9905), (230, 0.9845), (320, 0.9835),
        (370, 0.9770), (420, 0.9750), (600, 0.9800),
    ),
    phases=(
        Phase(40, 420, Conditions(depth=0.6)),
        Phase(60, 110, Conditions(noise=6.0, lean=-0.10)),
        Phase(110, 180, Conditions(noise=3.0, lean=-0.06)),
        Phase(180, 230, Conditions(noise=5.0, lean=-0.10)),
        Phase(230, 320, Conditions(noise=3.0, lean=-0.06)),
        Phase(320, 420, Conditions(noise=6.0, lean=-0.10)),
        Phase(420, 600, Conditions(noise=2.0, lean=0.03)),
    ),
    orders=(MarketOrder(60, -0.15),),
    walls=(
        Wall(1, 0.9830, 0.9895, 3.0, 0.6, 50, 178),
        Wall(1, 0.9765, 0.9825, 3.0, 0.6, 178, 318),
        Wall(1, 0.9640, 0.9745, 5.0, 0.9, 318, 600),
    ),
)  # fmt: skip
"""One large sale in a thin book, three steps down, each onto the next longs, then exhaustion."""
EPISODES: Final[dict[str, Episode]] = {
    "BTC": SWEEP_AND_RECLAIM,
    "ETH": LIQUIDATION_HUNT,
    "SOL": CASCADE,
}
"""The demo's episodes, by coin."""
