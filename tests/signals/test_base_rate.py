"""Base rates: shrunk frequencies beside their placebo."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.signals.outcomes.base_rate import Outcomes, base_rate, interval, rate


@pytest.mark.parametrize(
    ("hits", "cases", "shrunk", "low", "high"),
    [(8, 10, 0.45, 0.30, 0.60), (5, 10, 0.35, 0.21, 0.49), (20, 48, 0.37, 0.28, 0.47)],
)
def test_a_frequency_is_shrunk_towards_the_placebo(hits, cases, shrunk, low, high):
    found = rate("", (hits, cases), (27, 100))
    assert found.frequency == pytest.approx(shrunk, abs=0.005)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


def test_under_thirty_episodes_nothing_is_said():
    assert rate("", (10, 10), (0, 100)).verdict == "not enough yet"
    assert rate("", (100, 100), (0, 10)).verdict == "not enough yet"


def test_intervals_that_overlap_show_no_edge():
    assert rate("", (30, 100), (27, 100)).verdict == "no edge shown"
    assert rate("", (70, 100), (27, 100)).verdict == "differs"
    assert rate("", (0, 119), (0, 119)).verdict == "no edge shown"
    assert rate("", (0, 1_000), (27, 100)).verdict == "differs"


def test_before_any_episode_nothing_is_known():
    found = base_rate("sweep_reclaim", Outcomes())
    assert found is not None
    assert found.n == 0
    assert math.isnan(found.frequency)
    assert base_rate("large_print", Outcomes()) is None


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.01, 0.99))
def test_the_interval_holds_the_shrunk_frequency(hits, misses, expected):
    cases = hits + misses
    low, high = interval(hits, cases, expected)
    assert 0 <= low <= (20 * expected + hits) / (20 + cases) + 0.02
    assert high >= (20 * expected + hits) / (20 + cases) - 0.02
    assert low < high <= 1
