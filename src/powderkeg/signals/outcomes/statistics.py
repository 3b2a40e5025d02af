"""Statistics of outcomes: by month, and whether frequencies came true that were said beforehand.

Source: docs/signals.md, "Statistics".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.signals.contract import Kind
from powderkeg.signals.outcomes.base_rate import Case
from powderkeg.signals.outcomes.touches import OUTCOMES, Touch, TouchOutcome

BINS: Final = 10
"""Of the frequencies said beforehand."""


class MonthCount(Struct, frozen=True):
    """Episodes of one signal that ended in one month."""

    type: Kind
    """Which signal."""
    month: str
    """Such as 2026-06, UTC."""
    n: int
    """Number of episodes that ask the question."""
    hits: int
    """Number of them with the outcome."""
    placebo_n: int
    """Number of levels without a cluster."""
    placebo_hits: int
    """Number of those with the outcome."""


class ReliabilityBin(Struct, frozen=True):
    """Episodes whose base rate, as it was said before they ended, lay in one tenth."""

    n: int
    """Number of episodes."""
    said: float
    """Mean base rate before each of them ended, a fraction."""
    came: float
    """Fraction of them that had the outcome."""


class TouchCount(Struct, frozen=True):
    """Touches with one outcome."""

    outcome: TouchOutcome
    """What followed."""
    n: int
    """Number of large clusters."""
    placebo_n: int
    """Number of levels without a cluster."""


def by_month(cases: Sequence[Case]) -> list[MonthCount]:
    """Return counts by signal and month, in that order."""
    counted = Counter((c.kind, _month(c.time), c.placebo, c.hit) for c in cases)
    out: list[MonthCount] = []
    for case in {(c.kind, _month(c.time)): c for c in cases}.values():
        kind, month = case.kind, _month(case.time)
        hits, misses, placebo_hits, placebo_misses = (
            counted[kind, month, placebo, hit] for placebo in (False, True) for hit in (True, False)
        )
        out.append(
            MonthCount(
                kind, month, hits + misses, hits, placebo_hits + placebo_misses, placebo_hits
            )
        )
    return sorted(out, key=lambda each: (each.type, each.month))


def reliability(cases: Sequence[Case]) -> list[ReliabilityBin]:
    """Return the tenths in which there is an episode, rising: what was said, and what came.

    Cases of levels without a cluster, and those before which nothing could be said, are left out.
    """
    known = [c for c in cases if not c.placebo and not math.isnan(c.said)]
    said, came = np.array([c.said for c in known]), np.array([c.hit for c in known], np.float64)
    places = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return [
        ReliabilityBin(int(inside.sum()), float(said[inside].mean()), float(came[inside].mean()))
        for inside in (places == place for place in np.unique(places))
    ]


def touch_counts(touches: Sequence[Touch]) -> list[TouchCount]:
    """Return how many touches had each outcome, those that none had as 0."""
    counted = Counter((t.outcome, t.placebo) for t in touches)
    return [TouchCount(o, counted[o, False], counted[o, True]) for o in OUTCOMES]


def _month(time: int) -> str:
    return str(np.datetime64(time, "us").astype("datetime64[M]"))
