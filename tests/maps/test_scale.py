"""The money scale."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.maps.heatmap.scale import (
    DOLLARS,
    FLOOR,
    TOP,
    decode,
    encode,
    moved,
    settle,
    to_byte,
    unit_for,
)


@given(st.floats(FLOOR, TOP))
def test_an_amount_comes_back_within_two_point_three_percent(dollars):
    assert DOLLARS[to_byte(dollars)] == pytest.approx(dollars, rel=0.023)


@given(st.floats(0, TOP), st.floats(0, TOP))
def test_more_money_is_never_a_smaller_byte(a, b):
    assert (to_byte(a) <= to_byte(b)) == (a <= b) or to_byte(a) == to_byte(b)


@pytest.mark.parametrize("byte", [0, 1, 2, 100, 254, 255])
def test_every_byte_is_its_own_amount(byte):
    assert to_byte(float(DOLLARS[byte])) == byte


def test_nothing_is_below_the_floor_and_no_byte_above_the_top():
    assert (to_byte(0.0), to_byte(FLOOR * 0.999), to_byte(FLOOR)) == (0, 0, 1)
    assert (to_byte(TOP), to_byte(TOP * 1e6)) == (255, 255)


@given(st.lists(st.floats(0, 1e12), max_size=20))
def test_an_array_is_encoded_amount_by_amount(amounts):
    cells = np.empty(len(amounts), np.uint8)
    encode(np.array(amounts), cells)
    assert cells.tolist() == [to_byte(a) for a in amounts]
    assert decode(cells).tolist() == [float(DOLLARS[b]) for b in cells]


@given(st.integers(0, 2**32 - 1))
def test_a_settled_picture_is_within_a_step_of_what_it_was_and_changes_less(seed):
    chance = np.random.default_rng(seed)
    walk = np.cumsum(chance.integers(-2, 3, (2, 40, 7)), axis=1) + 100
    walk[chance.random(walk.shape) < 0.1] = 0
    cells = walk.astype(np.uint8)
    settled = cells.copy()
    settle(settled)
    assert np.abs(settled.astype(int) - cells).max(initial=0) <= 1
    before, after = (np.count_nonzero(np.diff(x.astype(int), axis=1)) for x in (cells, settled))
    assert after <= before


def test_a_market_of_some_billions_has_unit_one_and_others_a_power_of_ten():
    assert [unit_for(x) for x in (3e6, 2.5e7, 1e9, 8e9, 3e10, 1e11)] == [1e-3, 1e-2, 1, 1, 10, 100]
    assert [unit_for(0.0), unit_for(0.0, 1e-2), unit_for(math.nan)] == [1, 1e-2, 1]


@given(st.floats(1e3, 1e13), st.integers(-6, 4))
def test_every_market_has_its_floor_far_below_and_its_top_near_its_open_interest(interest, power):
    unit = unit_for(interest, 10.0**power)
    assert FLOOR * unit <= interest * 4e-5
    assert TOP * unit >= interest * 0.04
    assert unit_for(interest * 1.5, unit_for(interest)) in {
        unit_for(interest),
        unit_for(interest * 1.5),
    }


@given(st.floats(1e3, 1e13))
def test_a_unit_is_kept_while_open_interest_halves_or_doubles(interest):
    unit = unit_for(interest, 1e6)
    assert unit_for(interest / 2, unit) == unit_for(interest * 2, unit) == unit


@pytest.mark.parametrize("to", [0.1, 10.0])
def test_bytes_moved_to_another_unit_mean_the_same_within_a_step(to):
    bytes_ = moved(1.0, to)
    fits = (FLOOR * to <= DOLLARS) & (TOP * to >= DOLLARS)
    assert DOLLARS[bytes_[fits]] * to == pytest.approx(DOLLARS[fits], rel=0.023)
    assert (bytes_[FLOOR * to * 0.977 > DOLLARS] == 0).all()
    assert (bytes_[TOP * to < DOLLARS] == 255).all()
