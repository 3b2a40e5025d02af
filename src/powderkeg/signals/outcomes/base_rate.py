"""What became of episodes, counted beside levels without a cluster, and what that says.

A frequency is shrunk towards that of the levels without one: with few episodes it says little else.
The interval is that of a beta distribution. It is a frequency of the past, not a forecast.

Source: docs/signals.md, "Base rates".
"""

from __future__ import annotations

import math
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.maps.field_types import OptionalFloat
from powderkeg.signals.contract import Episode, Kind, Question
from powderkeg.signals.specs import ZONE_SIGNALS

PRIOR: Final = 20.0
"""Episodes that the frequency of levels without a cluster counts as."""
ENOUGH: Final = 30
"""Episodes from which a frequency is compared."""
COVERS: Final = 0.9
"""Of the interval."""
GRID: Final = 4_001
"""Points of the distribution of a frequency."""
Verdict: TypeAlias = Literal["not enough yet", "no edge shown", "differs"]
QUESTIONS: Final[dict[Kind, Question]] = {
    **{s.kind: s.question for s in ZONE_SIGNALS if s.question is not None},
    "wick": Question("", "", "a long wick ended at a cluster of the map before it"),
}
"""By signal; a wick's placebo is the same distance on the other side of the open."""


class Tally:
    """Counts of one signal."""

    __slots__ = ("cases", "hits", "placebo_cases", "placebo_hits")

    def __init__(self) -> None:
        """Start at zero."""
        self.cases = 0
        """Episodes that reached the state asked about."""
        self.hits = 0
        """Of them, those with the outcome."""
        self.placebo_cases = 0
        self.placebo_hits = 0


class Case(Struct, frozen=True):
    """One episode that was counted."""

    kind: Kind
    time: int
    """When it ended, µs UTC."""
    hit: bool
    """Whether it had the outcome."""
    placebo: bool
    """Whether it is of a level without a cluster."""
    said: float
    """Base rate before it was counted, a fraction; NaN where nothing could be said."""


class Outcomes:
    """Counts of every signal that asks a question, and each case: nothing is taken away."""

    __slots__ = ("cases", "tallies")

    def __init__(self) -> None:
        """Start at zero."""
        self.cases: list[Case] = []
        """By time."""
        self.tallies: dict[str, Tally] = {}

    def add(self, episode: Episode) -> None:
        """Count an episode that ended and reached the state asked about."""
        question = QUESTIONS.get(episode.kind)
        if question is None or episode.time_of(question.given) is None:
            return
        hit = episode.time_of(question.outcome) is not None
        self.count(episode.kind, episode.since, hit=hit, placebo=episode.placebo)

    def count(self, kind: Kind, time: int, *, hit: bool, placebo: bool) -> None:
        """Count a case that ended at `time`, µs, and whether it had the outcome."""
        known = base_rate(kind, self)
        said = math.nan if known is None else known.frequency
        self._take(Case(kind, time, hit, placebo, said))

    def _take(self, case: Case) -> None:
        self.cases.append(case)
        tally = self.tallies.setdefault(case.kind, Tally())
        if case.placebo:
            tally.placebo_cases += 1
            tally.placebo_hits += case.hit
        else:
            tally.cases += 1
            tally.hits += case.hit

    def until(self, time: int) -> Outcomes:
        """Return what had been counted by a time, µs."""
        then = Outcomes()
        for case in self.cases:
            if case.time <= time:
                then._take(case)
        return then


class BaseRate(Struct, frozen=True):
    """How often episodes like it had an outcome."""

    words: str
    """The question in words."""
    n: int
    """Number of episodes counted."""
    frequency: OptionalFloat
    """Shrunk frequency, a fraction; null without a placebo and an episode."""
    low: OptionalFloat
    """Low end of the 90 % interval, a fraction."""
    high: OptionalFloat
    """High end of the 90 % interval, a fraction."""
    placebo: OptionalFloat
    """Frequency of levels without a cluster, a fraction; null before any."""
    placebo_n: int
    """Number of such levels counted."""
    verdict: Verdict
    """Whether the interval and that of the placebo lie apart; under 30 episodes it says nothing."""


def base_rate(kind: Kind, outcomes: Outcomes) -> BaseRate | None:
    """Return the base rate of a signal; None where it asks no question."""
    question = QUESTIONS.get(kind)
    if question is None:
        return None
    tally = outcomes.tallies.get(kind) or Tally()
    return rate(
        question.words, (tally.hits, tally.cases), (tally.placebo_hits, tally.placebo_cases)
    )


def rate(words: str, counts: tuple[int, int], placebo: tuple[int, int]) -> BaseRate:
    """Return a base rate.

    Args:
        words: The question.
        counts: Hits and cases.
        placebo: The same of levels without a cluster.
    """
    hits, cases = counts
    expected = placebo[0] / placebo[1] if placebo[1] else math.nan
    shrunk_to = (placebo[0] + 0.5) / (placebo[1] + 1)
    frequency = (PRIOR * shrunk_to + hits) / (PRIOR + cases)
    low, high = interval(hits, cases, shrunk_to)
    verdict: Verdict = "not enough yet"
    if cases >= ENOUGH and placebo[1] >= ENOUGH:
        least, most = middle(placebo[0] + 0.5, placebo[1] - placebo[0] + 0.5)
        verdict = "no edge shown" if low <= most and least <= high else "differs"
    if not cases + placebo[1]:
        frequency, low, high = math.nan, math.nan, math.nan
    return BaseRate(words, cases, frequency, low, high, expected, placebo[1], verdict)


def interval(hits: int, cases: int, expected: float) -> tuple[float, float]:
    """Return the 90 % interval of a shrunk frequency.

    Args:
        hits: Episodes with the outcome.
        cases: All of them.
        expected: Frequency that it is shrunk towards.
    """
    a = max(PRIOR * expected + hits, 1e-3)
    return middle(a, max(PRIOR * (1 - expected) + cases - hits, 1e-3))


def middle(a: float, b: float) -> tuple[float, float]:
    """Return the middle 90 % of the beta distribution of shapes `a` and `b`, both above 0."""
    x = np.linspace(0, 1, GRID + 1)[:-1] + 0.5 / GRID
    logs = (a - 1) * np.log(x) + (b - 1) * np.log1p(-x)
    running = np.cumsum(np.exp(logs - logs.max()))
    tail = (1 - COVERS) / 2
    low, high = np.interp([tail, 1 - tail], running / running[-1], x).tolist()
    return low, high
