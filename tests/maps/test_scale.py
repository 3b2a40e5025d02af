"""The money scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.maps.scale import DOLLARS, FLOOR, TOP, decode, encode, settle, to_byte


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
