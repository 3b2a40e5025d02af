"""How much less a market's map misses than a map of the path alone: what its grade rests on.

Computed from rows that were written when their hour was over, see `engine.record`. Days are the
unit of chance: hours of one day are alike, so an interval leaves out whole days, one at a time.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from powderkeg.engine.record import DIED, PATH_ONLY, SAID
from powderkeg.events import DAY, HOUR, Floats, Times

FLOOR = 1e-3
"""What an hour is expected to bring counts as this share of the mean at least."""
NORMAL = 1.959963984540054
"""The normal quantile of 97.5 %."""
DAYS = 3
"""Days without which there is no interval."""


class Skill(Struct, frozen=True):
    """One minus our deviance over that of the null model; 0 is no better than it."""

    value: float = math.nan
    """NaN where nothing was reported, or the null model has not spoken yet."""
    low: float = -math.inf
    """End of the 95 % interval; infinite where it is not known."""
    high: float = math.inf


def deviance(reported: Floats, expected: Floats) -> Floats:
    """Return the Poisson deviance of each volume, in its unit, >= 0, the same shape.

    Args:
        reported: Volumes, not all of them zero.
        expected: Held above a thousandth of the mean of `reported`.
    """
    mean = np.maximum(expected, FLOOR * reported.mean())
    ratio = np.where(reported > 0, reported, 1.0) / mean
    return 2 * (np.where(reported > 0, reported * np.log(ratio), 0.0) - reported + mean)


def over_path_only(hours: Times, rows: Floats) -> Skill:
    """Return the skill over a map of the path alone, since that map first expected anything.

    Args:
        hours: Since 1970, rising, shape (n,).
        rows: See `engine.record.FIELDS`, shape (n, 8, 2), base coin.
    """
    spoken = np.flatnonzero(rows[:, PATH_ONLY].any(axis=1))
    start = int(spoken[0]) if len(spoken) else len(rows)
    hours, rows = hours[start:], rows[start:]
    reported = rows[:, DIED]
    if not reported.any():
        return Skill()
    days = hours // (DAY // HOUR)
    ours, null = (_by_day(days, deviance(reported, rows[:, k])) for k in (SAID, PATH_ONLY))
    return jackknife(ours, null)


def jackknife(ours: Floats, null: Floats) -> Skill:
    """Return one minus a ratio of sums, with its interval by leaving out one day at a time.

    Args:
        ours: Our deviance by day, shape (days,).
        null: That of the null model, all > 0.
    """
    value, days = float(1 - ours.sum() / null.sum()), len(ours)
    if days < DAYS:
        return Skill(value)
    without = 1 - (ours.sum() - ours) / (null.sum() - null)
    spread = math.sqrt((days - 1) * float(without.var()))
    return Skill(value, value - NORMAL * spread, value + NORMAL * spread)


def _by_day(days: Times, values: Floats) -> Floats:
    """Return the sums of each day, sides together."""
    _, place = np.unique(days, return_inverse=True)
    return np.bincount(place, values.sum(axis=1)).astype(np.float64)
