"""Funding per eight hours, percentiles, crowding, and what open interest and price did."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.events import HOUR
from powderkeg.flow.crowding import (
    basis,
    crowding_index,
    per_eight_hours,
    percentile,
    regime,
)


def test_funding_of_any_interval_is_per_eight_hours():
    assert per_eight_hours(0.0001, 8 * HOUR) == pytest.approx(0.0001)
    assert per_eight_hours(0.0001, HOUR) == pytest.approx(0.0008)


def test_basis_is_mark_over_index():
    assert basis(101.0, 100.0) == pytest.approx(0.01)
    assert math.isnan(basis(101.0, math.nan))


def test_a_percentile_is_the_share_of_known_readings_below():
    history = np.array([*range(100), math.nan], np.float64)
    assert percentile(49.5, history) == 50.0
    assert percentile(99.0, history) == 99.5
    assert percentile(-1.0, history) == 0.0
    assert math.isnan(percentile(1.0, np.full(3, math.nan)))
    assert math.isnan(percentile(math.nan, history))


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
