"""Per-tick coefficients: every rate of the market, scaled to the length of the tick."""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np

from powderkeg.sim.kernel.state import REGIMES, Params

COARSE: Final = 10.0
"""Longest tick, s. Longer steps are cut into such ticks, so a minute has six of them."""
LUMPED: Final = 1.5
"""Above this tick noise is taken in one order per side, and the path inside it is bridged."""
VISIT: Final = 60.0
"""Seconds between two reviews of a position by its owner."""
LUMPED_VISIT: Final = 600.0
"""The same in coarse ticks: reviews are their main cost, and positions last hours."""
_BASIS_MEMORY: Final = 120.0
_BASIS_SPREAD: Final = 1.5
"""Deviation of a venue's own premium in rungs: 0.75 bp. 0 with one venue."""


PACE: Final = np.dtype(
    [
        ("tick", "f8"),  # seconds
        ("root", "f8"),  # square root of that
        ("lumped", "i8"),
        ("keep", "f8", (len(REGIMES),)),  # of each regime, what stays
        ("fresh", "f8", (len(REGIMES),)),  # and what is newly drawn
        ("basis_keep", "f8"),
        ("basis_fresh", "f8"),
        ("pull", "f8"),
        ("impact", "f8"),
        ("thin", "f8"),
        ("hour", "f8"),
        ("premium", "f8"),
        ("carry", "f8"),
        ("looks", "f8"),  # visits per tick and used slot
        ("patience", "f8"),  # a visit interval, in the 60 s the hazards are written for
        ("halve", "f8"),  # probability per visit to close half
        ("topup", "f8"),
        ("drift", "f8"),  # probability per visit that the rest of a cross account changes
        ("swing", "f8"),  # by how much of its margin
    ],
    align=True,
)
Pace: TypeAlias = Any
"""One row of `PACE`."""


def _within(span: float, memory: float) -> float:
    return -math.expm1(-span / memory)


def _probability(each: float, times: float) -> float:
    return 1 - (1 - each) ** times


def pace(params: Params, tick: float, venues: int) -> Pace:
    """Return the coefficients of a tick of so many seconds, shape (1,) of `PACE`."""
    lumped = tick > LUMPED
    memory = np.array([hours * 3600 for hours, _ in REGIMES])
    spread = np.array([spread for _, spread in REGIMES])
    visit = LUMPED_VISIT if lumped else VISIT
    times = visit / VISIT
    basis = _BASIS_SPREAD if venues > 1 else 0.0
    out: Pace = np.zeros(1, PACE)
    out["tick"] = tick
    out["root"] = math.sqrt(tick)
    out["lumped"] = lumped
    out["keep"] = np.exp(-tick / memory)
    out["fresh"] = spread * np.sqrt(-np.expm1(-2 * tick / memory))
    out["basis_keep"] = math.exp(-tick / _BASIS_MEMORY)
    out["basis_fresh"] = basis * math.sqrt(_within(2 * tick, _BASIS_MEMORY))
    out["pull"] = _within(tick, 1 / float(params["pull"][0]))
    out["impact"] = _within(tick, 1 / float(params["impact"][0]))
    out["thin"] = _within(tick, 10.0)
    out["hour"] = _within(tick, 3600.0)
    out["premium"] = _within(tick, 20.0)
    out["carry"] = _within(tick, 4 * 3600.0)
    out["looks"] = tick / visit
    out["patience"] = times
    out["halve"] = _probability(0.0008, times)
    out["topup"] = _probability(0.35, times)
    out["drift"] = 0.05
    out["swing"] = 0.09 * math.sqrt(times)
    return out


def ticks_of(dt: float) -> int:
    """Return the number of equal ticks in a step of `dt` seconds."""
    return max(1, math.ceil(dt / COARSE - 1e-9))
