"""Scores of the overshoot forecast on pushed markets: A is learned on some seeds, tested on others.

Everything was settled on the seeds A is learned on; 401 to 404 were looked at once, with a narrower
spread of A, so they no longer count as untouched. Only pushes that reached their level count: a
forecast is asked for a touch. The others are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.engine.overshoot.forecast import BEYOND, Forecast, forecast
from powderkeg.engine.overshoot.path import STEP
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.evaluation.overshoot.touches import Touch, touches
from powderkeg.events import Floats

FIT: Final = (11, 12, 13, 14)
TEST: Final = (501, 502, 503, 504)
DAYS: Final = 8.0
WARM_UP: Final = 3.0
GROUPS: Final = 5
"""Of a reliability diagram, equally large."""
EXACT: Final = 0.3
"""Base coin within which a forced volume counts as inside its band: a typical position."""


class Scored(Struct, frozen=True, eq=False):
    """One touch beside its forecast."""

    touch: Touch
    expected: Forecast

    @property
    def end_covered(self) -> bool:
        """Whether the end lies in its 80 % band, to half a step of the grid."""
        low, _, high = self.expected.end.tolist()
        return low - STEP / 2 <= self.touch.end <= high + STEP / 2

    @property
    def forced_covered(self) -> bool:
        """Whether the forced volume lies in its 80 % band, to a typical position."""
        low, _, high = self.expected.forced.tolist()
        return low - EXACT <= self.touch.forced <= high + EXACT

    @property
    def overshot(self) -> bool:
        """Whether price went at least 0.5 % beyond the level."""
        return self.touch.end >= self.touch.level + BEYOND


def played(seed: int, days: float = DAYS, warm_up: float = WARM_UP) -> list[Touch]:
    """Return the touches of one market, those that did not reach their level included."""
    return list(touches(seed, days, warm_up))


def reached(found: Iterable[Touch]) -> list[Touch]:
    """Return the touches whose push reached its level."""
    return [touch for touch in found if touch.end >= touch.level]


def learned(found: Iterable[Touch]) -> DepthSurvival:
    """Return the belief about A after touches."""
    survival = DepthSurvival()
    for touch in reached(found):
        survival.learn(touch.path, touch.level, touch.end, touch.drift)
    return survival


def scored(found: Iterable[Touch], survival: DepthSurvival) -> list[Scored]:
    """Return each touch that reached its level beside its forecast."""
    return [
        Scored(touch, forecast(touch.path, touch.level, survival, touch.drift))
        for touch in reached(found)
    ]


def followed(found: Iterable[Touch], survival: DepthSurvival) -> list[Scored]:
    """Return each touch beside its forecast, with A learned on from the market's earlier moments.

    Args:
        found: Touches of one market, in order of time.
        survival: Belief to start from; it is changed.
    """
    rows: list[Scored] = []
    for _, moment in groupby(reached(found), key=lambda touch: touch.at):
        here = list(moment)
        rows += scored(here, survival)
        for touch in here:
            survival.learn(touch.path, touch.level, touch.end, touch.drift)
    return rows


def report(fit: list[Touch], test: list[list[Touch]]) -> dict[str, Any]:
    """Return the scores over all test markets, and by market.

    Args:
        fit: Touches that A is learned from.
        test: Touches of each test market.
    """
    survival = learned(fit)
    rows = [scored(found, survival) for found in test]
    every = [each for row in rows for each in row]
    chances, happened = _chances(every)
    return {
        **figures(every),
        "reliability": [
            f"{chances[part].mean():.2f} expected, {happened[part].mean():.2f} happened"
            for part in np.array_split(np.argsort(chances, kind="stable"), GROUPS)
        ],
        "not_reached": sum(len(found) for found in test) - len(every),
        "survival_median": survival.median,
        "survival_spread": survival.spread,
        "sweeps": survival.sweeps,
        "untrained": figures([e for found in test for e in scored(found, DepthSurvival())]),
        "learning_on": figures([e for found in test for e in followed(found, DepthSurvival())]),
        "per_market": [figures(row) for row in rows],
    }


def figures(rows: list[Scored]) -> dict[str, float]:
    """Return coverage of both 80 % bands, the Brier score beside climatology, and errors."""
    chances, happened = _chances(rows)
    base = float(happened.mean())
    guess = np.array([float(each.expected.forced[1]) for each in rows])
    truth = np.array([each.touch.forced for each in rows])
    off = np.abs(np.log((guess + EXACT) / (truth + EXACT)))
    return {
        "touches": len(rows),
        "end_coverage_80": float(np.mean([each.end_covered for each in rows])),
        "forced_coverage_80": float(np.mean([each.forced_covered for each in rows])),
        "brier": float(np.mean((chances - happened) ** 2)),
        "brier_climatology": base * (1 - base),
        "overshot": base,
        "forced_log_error": float(np.median(off)),
    }


def _chances(rows: list[Scored]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the chance of an overshoot and whether it happened, of each row."""
    return (
        np.array([each.expected.beyond for each in rows]),
        np.array([each.overshot for each in rows]),
    )
