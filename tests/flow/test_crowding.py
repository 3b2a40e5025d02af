"""Funding per eight hours, percentiles, crowding, and what open interest and price did."""

from __future__ import annotations

import math

import pytest

from powderkeg.events import DAY, HOUR
from powderkeg.flow.crowding import (
    Percentiles,
    basis,
    crowding_index,
    per_eight_hours,
    regime,
)


def test_funding_of_any_interval_is_per_eight_hours():
    assert per_eight_hours(0.0001, 8 * HOUR) == pytest.approx(0.0001)
    assert per_eight_hours(0.0001, HOUR) == pytest.approx(0.0008)


def test_basis_is_mark_over_index():
    assert basis(101.0, 100.0) == pytest.approx(0.01)
    assert math.isnan(basis(101.0, math.nan))


def test_a_percentile_is_the_share_of_the_last_ninety_days_below():
    ranks = Percentiles()
    for hour in range(100):
        ranks.add(hour * HOUR, float(hour))
    now = 99 * HOUR
    assert ranks.count(now) == 100
    assert ranks.rank(49.5, now) == 50.0
    assert ranks.rank(99.0, now) == 99.5
    assert ranks.rank(-1.0, now) == 0.0
    assert math.isnan(Percentiles().rank(1.0, now))
    assert math.isnan(ranks.rank(math.nan, now))


def test_the_last_reading_of_an_hour_counts_once_and_old_ones_are_dropped():
    ranks = Percentiles()
    ranks.add(0, 5.0)
    ranks.add(HOUR // 2, 7.0)
    ranks.add(HOUR // 2, math.nan)
    assert ranks.count(0) == 1
    assert ranks.rank(6.0, 0) == 0.0
    assert ranks.count(90 * DAY + HOUR) == 0


def test_crowding_needs_three_inputs():
    assert crowding_index({"funding": 95.0, "basis": 85.0, "accounts": 90.0}).value == 90.0
    few = crowding_index({"funding": 95.0, "basis": 85.0, "accounts": math.nan})
    assert few.value is None
    assert few.inputs == {"funding": 95.0, "basis": 85.0}


@pytest.mark.parametrize(
    ("interest", "price", "expected"),
    [
        (0.01, 0.02, "new positions, price up"),
        (0.01, -0.02, "new positions, price down"),
        (-0.01, 0.02, "short covering"),
        (-0.01, -0.02, "long unwinding"),
        (0.004, 0.02, "neutral"),
        (0.01, 0.002, "neutral"),
    ],
)
def test_open_interest_and_price_together(interest, price, expected):
    assert regime(interest, price, 0.01) == expected
