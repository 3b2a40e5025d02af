"""Quantiles of an end over fixed draws."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.engine.overshoot.forecast import band_factors, forecast
from powderkeg.engine.overshoot.path import OutwardPath, grid
from powderkeg.engine.overshoot.survival import DepthSurvival

U = grid()
ONES = np.ones_like(U)
LEVEL = 0.01
PATH = OutwardPath(U, np.where(U >= 0.008, 10.0, 0.0), 4_000.0 * U, ONES, ONES)
SURVIVAL = DepthSurvival()


def test_the_median_end_is_that_of_the_median_share():
    found = forecast(PATH, LEVEL, SURVIVAL)
    assert found.end[1] == pytest.approx(LEVEL + 10 / 4_000 / 0.25, abs=1e-3)
    assert (np.diff(found.end) > 0).all()
    assert found.forced.tolist() == [10.0] * 3
    assert found.beyond == pytest.approx(0.75, abs=0.03)
    assert found.unseen == 0.0


def test_equal_questions_have_equal_bits():
    one, other = (forecast(PATH, LEVEL, SURVIVAL, 1e-3) for _ in range(2))
    assert one.end.tobytes() == other.end.tobytes()


def test_nothing_to_liquidate_leaves_what_price_moves_by_itself():
    empty = replace(PATH, forced=np.zeros_like(U))
    still, moving = forecast(empty, LEVEL, SURVIVAL), forecast(empty, LEVEL, SURVIVAL, 2e-3)
    assert still.end == pytest.approx([LEVEL] * 3, abs=1e-9)
    assert still.beyond == 0.0
    assert moving.end[1] == pytest.approx(LEVEL + 0.6745 * 2e-3, abs=5e-5)


def test_the_band_of_the_map_is_the_band_of_the_volume():
    wide = replace(PATH, low=0.8 * ONES, high=1.3 * ONES)
    assert forecast(wide, LEVEL, SURVIVAL).forced == pytest.approx([8.0, 10.0, 13.0], rel=0.03)


def test_a_band_wider_than_sweeps_have_shown_is_narrowed():
    wide = replace(PATH, low=0.01 * ONES, high=100.0 * ONES)
    low, _, high = np.log(forecast(wide, LEVEL, SURVIVAL).forced / 10).tolist()
    assert (high - low) / (2 * 1.2816) == pytest.approx(1.1 * 0.5**0.5, rel=0.1)


def test_factors_meet_the_ends_of_the_band_at_their_percentiles():
    wide = replace(PATH, low=0.5 * ONES, high=3.0 * ONES)
    factors = band_factors(wide, np.array([-1.2815515655446004, 0.0, 1.2815515655446004]))
    assert factors[:, 7] == pytest.approx([0.5, 1.0, 3.0])


def test_draws_that_end_beyond_the_displayed_books_are_counted():
    near = replace(PATH, visible=0.02)
    assert forecast(near, LEVEL, SURVIVAL).unseen == pytest.approx(0.5, abs=0.03)


def test_the_greatest_end_is_that_of_the_path():
    endless = replace(PATH, forced=PATH.forced * 1e6)
    assert forecast(endless, LEVEL, SURVIVAL).end == pytest.approx([U[-1]] * 3)
