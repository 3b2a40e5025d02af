"""Funding per eight hours, percentiles, crowding, and what open interest and price did."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import HOUR
from powderkeg.flow.crowding import (
    basis,
    crowding_index,
    mean_of,
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


def test_funding_of_venues_is_weighted_by_open_interest_and_per_eight_hours():
    rates = [per_eight_hours(0.0001, 8 * HOUR), per_eight_hours(0.00005, HOUR)]
    (mean,) = mean_of(np.array(rates)[:, None], np.array([300.0, 100.0]))
    assert mean == pytest.approx((0.0001 * 300 + 0.0004 * 100) / 400)


def test_a_weighted_mean_leaves_out_what_is_not_known():
    rows = np.array([[1.0, math.nan, math.nan], [3.0, 5.0, math.nan]])
    mean = mean_of(rows, np.array([3.0, 1.0]))
    assert mean[:2].tolist() == [1.5, 5.0]
    assert math.isnan(mean[2])
    assert math.isnan(mean_of(rows[:, :1], np.zeros(2))[0])
    assert math.isnan(mean_of(np.empty((0, 1)), np.empty(0))[0])


@given(
    st.lists(
        st.tuples(st.floats(-0.01, 0.01), st.integers(1, 8), st.floats(0.001, 1e6)), min_size=1
    )
)
def test_a_weighted_mean_lies_between_the_rates_it_is_made_of(rows):
    rates = [per_eight_hours(rate, hours * HOUR) for rate, hours, _ in rows]
    (mean,) = mean_of(np.array(rates)[:, None], np.array([oi for *_, oi in rows]))
    assert min(rates) - 1e-12 <= mean <= max(rates) + 1e-12
