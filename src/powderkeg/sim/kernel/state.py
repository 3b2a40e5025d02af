"""The complete state of a simulated market, as one structured row: copying it copies the market.

One row and not many arrays, because a kernel then passes one address: a tenth of the compile
time of a tuple of arrays, and no reference counting (measured: half the run time).

Prices lie on a ladder of half basis points (`TICK`) around `CENTRE`; the ladder spans a factor of
five either way. Agents trade a coin worth `BASE`; published data is scaled to the real coin.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.sim.kernel.rng import seed_words
from powderkeg.sim.world import World

TICK: Final = 0.5e-4
TICKS: Final = 65_536
CENTRE: Final = TICKS // 2
EDGE: Final = 300
"""Rungs at either end of the ladder that no price reaches."""
FAR: Final = 30_000
"""A trigger further than this from the centre waits at the end of the ladder."""
BASE: Final = 100_000.0

SLOTS: Final = 40_000
"""Maximum open positions; four times the most seen in an extreme market."""
MOST: Final = 8
"""Maximum number of venues."""
MAKERS: Final = 16
QUEUE: Final = 4_096
"""Waiting orders per venue and side; forty times the usual."""
RESTING: Final = 48
"""Maximum resting orders of book actors; three times the usual."""
TAKERS: Final = 32
"""Maximum market orders of book actors in one tick."""

CLOSED: Final = 0
OPEN: Final = 1
STAGED: Final = 2
"""Being liquidated in parts; such a position is not on the trigger lists."""

TURBULENCE: Final = 0
SENTIMENT: Final = 1
OPENING: Final = 2
CHURN: Final = 3
HEAT: Final = 4
LEVERAGE: Final = 5
DRIFT: Final = 6
REGIMES: Final = (
    (6.0, 0.55),
    (10.0, 1.0),
    (8.0, 0.7),
    (4.0, 0.7),
    (48.0, 0.6),
    (48.0, 0.6),
    (36.0, 1.0),
)
"""Slow regimes, each an Ornstein-Uhlenbeck process: hours of memory, deviation."""

Records: TypeAlias = Any
"""A structured array or a row of it. Kernels write through rows; NumPy's types cannot say so."""
State: TypeAlias = Any
"""All of a market: one row of `STATE`."""
Params: TypeAlias = Any
"""One row of `PARAMS`."""
Whole: TypeAlias = NDArray[np.int64]
Rungs: TypeAlias = NDArray[np.int32]
Reals: TypeAlias = NDArray[np.float64]

VENUE: Final = np.dtype(
    [
        ("oi", "f8"),
        ("mark", "f8"),
        ("low", "f8"),  # of mark, in the step
        ("high", "f8"),
        ("price", "f8"),  # of mark, as owners last saw it
        ("basis", "f8"),  # own premium over the common one
        ("buy", "f8"),  # taken in the step
        ("sell", "f8"),
    ],
    align=True,
)
POSITION: Final = np.dtype(
    [  # what an owner looks at each time comes first, to lie in one cache line
        ("entry", "f8"),
        ("leverage", "f8"),  # the setting, not the truth
        ("close_rate", "f8"),  # probability to close, per minute
        ("target", "f8"),  # return on margin that takes profit
        ("trigger", "i4"),
        ("stop", "i4"),  # -1: none
        ("status", "i1"),
        ("side", "i1"),
        ("venue", "i1"),
        ("cross", "i1"),
        ("topup", "i1"),
        ("kind", "i1"),
        ("size", "f8"),
        ("margin", "f8"),  # own
        ("extra", "f8"),  # rest of a cross account that stands behind it
        ("maintenance", "f8"),
        ("opened", "f8"),
        ("stage", "f8"),  # time of the last partial liquidation
        ("serial", "i8"),
        ("after", "i4"),  # neighbours in the list of its trigger
        ("before", "i4"),
        ("stop_after", "i4"),
        ("stop_before", "i4"),
    ],
    align=True,
)
ORDER: Final = np.dtype(
    [
        ("size", "f8"),
        ("placed", "f8"),
        ("leverage", "f8"),
        ("serial", "i8"),  # of the position it closes or has begun
        ("slot", "i4"),  # -1: has opened nothing yet
        ("closing", "i1"),
        ("kind", "i1"),
        ("cross", "i1"),
    ],
    align=True,
)
RESTING_ORDER: Final = np.dtype(
    [  # of a book actor
        ("size", "f8"),  # not taken yet, shown or not
        ("hedged", "f8"),  # taken in this tick by takers of other venues
        ("rung", "i8"),
        ("venue", "i8"),
        ("side", "i8"),  # 1 an ask, -1 a bid
    ],
    align=True,
)
TAKER_ORDER: Final = np.dtype([("size", "f8"), ("venue", "i8")])
"""A market order of a book actor; its size is positive where it buys."""
PRINT: Final = np.dtype([("step", "i8"), ("price", "f8"), ("size", "f8"), ("venue", "i8")])
LIQUIDATION: Final = np.dtype(
    [
        ("step", "i8"),
        ("venue", "i8"),
        ("side", "i8"),
        ("size", "f8"),
        ("fill", "f8"),
        ("bankruptcy", "f8"),
        ("trigger", "f8"),
        ("mark", "f8"),
        ("entry", "f8"),
        ("margin", "f8"),
        ("held", "f8"),
        ("leverage", "f8"),
        ("opened", "f8"),
        ("kind", "i8"),
        ("cross", "i8"),
    ]
)


STATE: Final = np.dtype(
    [
        ("count", "i8"),  # venues
        ("mid", "f8"),  # last price, ladder
        ("index", "f8"),
        ("premium", "f8"),  # of last over index, 20 s average
        ("carry", "f8"),  # the same over 4 h: what funding follows
        ("hour", "f8"),  # 1 h average of last
        ("thin", "f8"),  # share of the book that stays when news is fast
        ("low", "f8"),  # of last, in the step
        ("high", "f8"),
        ("dip", "f8"),  # of news under both ends of a coarse tick
        ("rise", "f8"),
        ("news", "f8"),  # the step's move, in its own deviations
        ("visits", "f8"),  # fraction of a visit still owed
        ("rate", "f8"),  # funding as predicted now
        ("funding", "f8"),  # last rate paid
        ("cursor", "i8"),  # next position to visit
        ("room", "i8"),  # unused slots
        ("staging", "i8"),  # positions being liquidated in parts
        ("top", "i8"),  # slots ever used
        ("serial", "i8"),  # positions ever opened
        ("refused", "i8"),  # openings for which there was no slot
        ("dropped", "i8"),  # waiting orders pushed out of a full queue
        ("prints", "i8"),
        ("liquidation_rows", "i8"),
        ("lost", "i8"),  # rows for which an output had no room: must stay 0
        ("regimes", "f8", (len(REGIMES),)),
        ("rng", "u8", (4,)),
        ("venues", VENUE, (MOST,)),
        ("makers", "f8", (MOST, MAKERS)),  # signed inventories
        ("positions", POSITION, (SLOTS,)),
        ("free", "i4", (SLOTS,)),  # stack of unused slots
        ("staged", "i4", (SLOTS,)),  # slots being liquidated in parts
        ("triggers", "i4", (2, MOST, TICKS)),  # first position to liquidate at each rung, or -1
        ("frontier", "i8", (2, MOST)),  # no trigger lies nearer to mark than this rung
        ("stops", "i4", (2, TICKS)),  # first stop at each rung, or -1
        ("eaten", "f8", (TICKS,)),  # taken from each rung and not refilled, as of `eaten_at`
        ("eaten_at", "f8", (TICKS,)),
        ("waiting", ORDER, (MOST, 2, QUEUE)),  # rings
        ("ends", "i8", (MOST, 2, 2)),  # head and tail of each ring
        ("standing", "i8"),  # whether book actors have orders: at 0 the next two are not read
        ("resting", RESTING_ORDER, (RESTING,)),
        ("resting_at", "i1", (TICKS,)),  # 1 + row in `resting` of the order at each rung, or 0
        ("taking", "i8"),  # orders in `takers`
        ("takers", TAKER_ORDER, (TAKERS,)),
    ],
    align=True,
)
"""The state kept from step to step. Side 0 is long or buy, side 1 short or sell."""

PARAMS: Final = np.dtype(
    [
        ("volatility", "f8"),  # rungs per square root of a second
        ("trend", "f8"),  # rungs per second
        ("jump_rate", "f8"),
        ("jump_size", "f8"),  # rungs
        ("noise_rate", "f8"),
        ("noise_size", "f8"),
        ("lean", "f8"),  # added to the probability that noise buys
        ("order", "f8"),  # signed size taken at once in each tick
        ("open_rate", "f8"),
        ("patience", "f8"),
        ("depth", "f8"),
        ("refill", "f8"),
        ("pull", "f8"),
        ("impact", "f8"),
        ("thinning", "f8"),
        ("waiting_share", "f8"),
        ("liquidations", "i8"),
        ("stops", "i8"),
        ("topups", "f8"),
        ("momentum", "f8"),
        ("actors", "i8"),
        ("mix", "f8", (3,)),
        ("shares", "f8", (MOST,)),  # cumulative
    ],
    align=True,
)
"""The numbers of a `World` that kernels need."""


def new_state(world: World, seed: int) -> State:
    """Return the market before its first trade, shape (1,) of `STATE`: no position, a full book."""
    state: State = np.zeros(1, STATE)
    m = state[0]
    m["count"] = len(world.venues)
    for name in ("mid", "index", "hour", "low", "high"):
        m[name] = CENTRE
    for name in ("mark", "low", "high"):
        m["venues"][name] = CENTRE
    m["thin"] = 1.0
    m["room"] = SLOTS
    m["free"] = np.arange(SLOTS - 1, -1, -1)
    m["triggers"] = -1
    m["stops"] = -1
    m["frontier"][1] = TICKS - 1
    m["rng"] = seed_words(seed, world.coin)
    return state


def params_of(world: World) -> Records:
    """Return the numbers of a world, shape (1,) of `PARAMS`."""
    params: Records = np.zeros(1, PARAMS)
    same = set(PARAMS.names or ()) - {"volatility", "trend", "jump_size", "shares", "lean", "order"}
    for name in sorted(same):
        params[name] = getattr(world, name)
    params["volatility"] = world.day_volatility / math.sqrt(86_400) / TICK
    params["trend"] = world.trend / 86_400 / TICK
    params["jump_size"] = world.jump_size / TICK
    params["shares"] = 1.0
    params["shares"][0, : len(world.shares) - 1] = np.cumsum(world.shares)[:-1]
    return params


@njit
def price_at(rung: float) -> float:
    """Return the base price of a rung."""
    return BASE * math.exp((rung - CENTRE) * TICK)


@njit
def rung_of(price: float) -> float:
    """Return the rung of a base price."""
    return CENTRE + math.log(price / BASE) / TICK
