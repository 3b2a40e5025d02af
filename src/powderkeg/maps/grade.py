"""The grade of a coin's map, A to D: the worst of four things decides.

- *Interest*: open interest of the venues chosen. Little of it is noise.
- *Coverage*: the share of known open interest whose feeds are up.
- *Feed*: how long the slowest of them has been silent, in its own cadence.
- *Fit*: how long ago the weights were learned.

Source: requirement F13 and F14: below NZD 500 million a market is noise, from ten times that it is
good; high volatility raises the first by a step.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import DAY, SECOND
from powderkeg.maps.queries import STEPS
from powderkeg.maps.scene import Scene

Letter: TypeAlias = Literal["A", "B", "C", "D"]
LETTERS: tuple[Letter, ...] = ("A", "B", "C", "D")
LEAST = 500e6 * 0.5725
"""Dollars of open interest below which a market is noise: NZD 500 million at the reference rate of
30 October 2026."""
INTEREST = (10 * LEAST, math.sqrt(10) * LEAST, LEAST)
COVERAGE = (0.9, 0.7, 0.5)
FEED = (1.0, 2.0, 4.0)
"""Cadences of silence."""
FIT = (1 * DAY, 3 * DAY, 14 * DAY)
CADENCE = 10 * SECOND
"""A live market that is well says something at least this often."""
WINDOW = 48
"""Half hours of which the last is compared: a day."""
HIGH = 0.9
"""Share of half hours that must have moved less for volatility to be high."""


class Grade(Struct, frozen=True):
    """A letter, what each of the four gave, and why in words."""

    letter: Letter
    parts: dict[str, Letter]
    why: str


def grade(scene: Scene, interest: float, coverage: float, silence: float, fitted: int) -> Grade:
    """Return the grade of what is shown of a coin.

    Args:
        scene: The coin; its candles tell whether volatility is high.
        interest: Open interest of the venues chosen, dollars.
        coverage: Share of known open interest whose feeds are up, 0 to 1.
        silence: Time since the slowest of them was heard, µs.
        fitted: When the weights were last learned, µs; 0 for never.
    """
    place = _place(-interest, [-x for x in INTEREST])
    raised = 0 < place < len(INTEREST) and volatile(scene)
    places = {
        "interest": place - raised,
        "coverage": _place(-coverage, [-x for x in COVERAGE]),
        "feed": _place(silence / CADENCE, FEED),
        "fit": _place(scene.now - fitted, FIT) if fitted else len(FIT),
    }
    worst = max(places.values())
    reasons = {
        "interest": f"open interest of ${interest / 1e6:,.0f} million",
        "coverage": f"{coverage:.0%} of known open interest covered",
        "feed": f"silent for {silence / SECOND:,.0f} s",
        "fit": "weights never learned" if not fitted else "weights learned long ago",
    }
    why = ", ".join(text for part, text in reasons.items() if places[part] == worst and worst)
    return Grade(LETTERS[worst], {k: LETTERS[v] for k, v in places.items()}, why)


def _place(value: float, bounds: tuple[float, ...] | list[float]) -> int:
    """Return how many bounds a value that should be small exceeds."""
    return sum(value > bound for bound in bounds)


def volatile(scene: Scene) -> bool:
    """Tell whether the last half hour moved more than nine in ten of the day before."""
    ring = scene.prices[max(STEPS)]
    bars = ring.window(scene.now // ring.step, WINDOW + 1)
    moves = np.log(bars[:, 1] / bars[:, 2])
    known = moves[:-1][~np.isnan(moves[:-1])]
    if len(known) < WINDOW // 2 or math.isnan(moves[-1]):
        return False
    return bool((moves[-1] > known).mean() >= HIGH)
