"""Every threshold of the order-flow reads, in one versioned place.

They were fitted on labelled synthetic books and are refitted on recordings; a change of any of them
is a new `VERSION`, because recorded reads and their statistics belong to the thresholds of their
time.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from powderkeg.events import DAY, HOUR, MINUTE, SECOND

VERSION: Final = 1


class WallRules(Struct, frozen=True):
    """Large resting size at one price."""

    z: float = 3.5
    """Robust deviations of log size above the baseline at this distance from the best price."""
    times: float = 6.0
    """Multiple of the baseline."""
    share: float = 0.06
    """Least share of all that rests on its side within reach."""
    persist: int = 3 * SECOND
    """µs a candidate stands before it is a wall."""
    gone: float = 0.35
    """Share of its greatest size below which a wall has ended."""
    learning: float = 0.02
    """Weight of one frame in the baseline."""
    smooth: int = 7
    """Steps on either side over which the baseline's median is taken."""


class PullRules(Struct, frozen=True):
    """Walls that were cancelled as price came near. Intent is not observable."""

    cancelled: float = 0.75
    """Least share of the size that vanished without trading."""
    near: int = 6
    """Steps from the best price within which it was removed."""
    approach: int = 3
    """Steps that price came nearer while it stood."""
    born: int = 5
    """Least distance in steps from the best price at which it was placed."""
    life: int = 10 * MINUTE
    """µs beyond which a removal is no pull."""
    repeats: int = 2
    """Pulls alike from which they are repeated."""
    repeat_size: float = 0.15
    """Part of a pull's size within which another is alike."""
    repeat_within: int = 10 * MINUTE
    """µs between the first and the last of them."""
    layers: int = 3
    """Walls that vanish together from which they were layered."""
    layer_spread: float = 0.2
    """Standard deviation over mean of their sizes, below it."""
    layer_within: int = SECOND
    """µs in which they vanish."""


class AbsorptionRules(Struct, frozen=True):
    """Pressure that moves price less than it usually does."""

    window: int = 20 * SECOND
    """µs over which pressure and displacement are summed."""
    ratio: float = 0.6
    """Least absorption ratio."""
    refill: float = 0.6
    """Least share of the volume taken that came back."""
    grace: int = SECOND
    """µs after a trade within which new size at its price is a refill. Without it the refill ratio
    ranks backwards, because size comes back after the frame that took it."""
    pause: int = 10 * SECOND
    """µs between two books beyond which what traded meanwhile is not read."""
    pressure: float = 3.5
    """Robust standard deviations of log volume above the usual window from which it is pressure."""
    pressed_every: int = 4
    """Of windows under pressure one in so many is learned: bursts do not become usual at once."""
    alike: float = 1 / 3
    """Share of a window's volume from which another window says how far such volume moves price."""
    prior: float = 3.0
    """Windows that one over the depth shown counts as."""
    sample: int = 5 * SECOND
    """µs between two windows that the usual one is learned from."""
    refresh: int = 20 * SECOND
    """µs between two updates of the volume that is pressure."""
    memory: int = 1_024
    """Windows that are remembered for it."""
    warm_up: int = 24
    """Windows from which it is known."""


class DepthRules(Struct, frozen=True):
    """Depth of a book, and its recovery."""

    shock: float = 0.5
    """Share of its usual depth that is a shock."""
    spread_shock: float = 0.25
    """Usual spread over the spread that is a shock: a spread of one tick often doubles."""
    recovered: float = 0.9
    """The same shares from which they have recovered."""
    before: int = 5 * MINUTE
    """µs over which the usual is a median."""
    sample: int = SECOND
    """µs between two readings of it."""
    warm_up: int = 30
    """Readings from which it is known."""
    longest: int = 10 * MINUTE
    """µs after which a shock is what is usual now."""
    shocks: int = 200
    """Shocks that are remembered."""
    weeks: int = 8
    """Weeks over which an hour of the week is compared."""
    least_weeks: int = 3
    """Of them, from which its usual depth is known."""
    thin: float = 0.5
    """Share of that depth below which the hour is thin."""


class ZoneRules(Struct, frozen=True):
    """Map of resting size by time and price."""

    column: int = MINUTE
    """µs of a column."""
    columns: int = 240
    """Columns that are remembered."""
    rows: int = 256
    """Rows around the mid."""
    alike: float = 0.15
    """Part by which the greatest size of a run exceeds its least, at most."""
    shield: float = 0.5
    """Share of a cluster's mass from which what rests within its band shields it."""


class WhaleRules(Struct, frozen=True):
    """Resting whales: the largest of the walls."""

    quantile: float = 0.995
    """Of the notionals of walls seen."""
    persist: int = MINUTE
    """µs a wall stands before it is one."""
    memory: int = 4_096
    """Walls that are remembered."""
    warm_up: int = 200
    """Walls from which the quantile is known."""


class PrintRules(Struct, frozen=True):
    """Prints of one taker, merged."""

    merge: int = 50_000
    """µs between prints of one side and market that are one order."""
    floor: float = 50_000.0
    """Quote currency: never call less a large print."""
    quantile: float = 0.999
    """Of the merged prints of `window`."""
    window: int = DAY
    """µs."""


class FlowRules(Struct, frozen=True):
    """Delta, footprint and profile."""

    lookback: int = 20
    """Bars of which price makes a new extreme before divergence is looked for."""
    slack: float = 0.25
    """Standard deviations of CVD within which its own extreme counts as reached."""
    imbalance: float = 3.0
    """Multiple of the diagonal neighbour from which a footprint cell is imbalanced."""
    stacked: int = 3
    """Adjacent imbalanced cells that are a stack."""
    trade_window: int = MINUTE
    """µs over which the trade imbalance is taken."""
    value_area: float = 0.7
    """Share of volume inside the value area."""


class CrowdRules(Struct, frozen=True):
    """Positioning."""

    history: int = 90 * DAY
    """µs of readings that percentiles are taken over."""
    every: int = HOUR
    """µs between two of those readings."""
    least: int = 3
    """Inputs from which there is a crowding index."""
    oi_band: float = 0.005
    """Relative change of open interest, in coins, that is no change."""
    price_band: float = 0.3
    """Standard deviations of price that are no change."""


class Thresholds(Struct, frozen=True):
    """All of them."""

    version: int = VERSION
    walls: WallRules = WallRules()
    pulls: PullRules = PullRules()
    absorption: AbsorptionRules = AbsorptionRules()
    depth: DepthRules = DepthRules()
    zones: ZoneRules = ZoneRules()
    whales: WhaleRules = WhaleRules()
    prints: PrintRules = PrintRules()
    flow: FlowRules = FlowRules()
    crowd: CrowdRules = CrowdRules()


DEFAULT: Final = Thresholds()
RULES: Final = (
    Thresholds,
    *(type(getattr(DEFAULT, name)) for name in DEFAULT.__struct_fields__[1:]),
)
"""Every class of thresholds: reads keep those they were made with."""
