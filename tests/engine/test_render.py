"""How the table is read."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure import Exposure
from powderkeg.engine.render import render, render_tiers
from powderkeg.engine.table import BINS, FLUSHED, LIVE, SCALE, decay

seeds = st.integers(0, 2**32 - 1)
GROUPS = 5
FIRST, LAST = 1900, 2200
"""Where the bins that are filled lie, so that tiers need not be read where there is nothing."""


def close(a, b, rel=1e-5, floor=1e-9):
    """Hold maps equal; every bin counts, and approx is slow on many thousands of them."""
    return bool((np.abs(a - b) <= np.maximum(rel * np.abs(b), floor)).all())


def filled(seed):
    """Return a table with some bins filled and lazy factors that are not one."""
    e = Exposure(100_000.0)
    chance = np.random.default_rng(seed)
    bins = chance.choice(np.arange(FIRST, LAST), 40, replace=False)
    e.cells[:, bins] = chance.random((2, 40, 16))
    e.number[SCALE : SCALE + 16] = chance.uniform(1e-3, 1.0, 16)
    return e


def chosen(seed):
    return np.random.default_rng(seed).random((2, 16)).astype(np.float32)


def whole(e, weights):
    out = np.full((2, BINS), math.nan, np.float32)
    render(e.cells, e.number, weights, out)
    return out


def tiered(e, weights, low=FIRST, high=LAST):
    out = np.full((GROUPS, 2, high - low), math.nan, np.float32)
    render_tiers(e.cells, e.number, weights, e.basis.tiers, low, high, out)
    return out


@given(seeds)
def test_a_map_is_the_weighted_sum_of_its_classes_bin_by_bin(seed):
    e, weights = filled(seed), chosen(seed)
    real = e.cells.astype(np.float64) * e.number[SCALE : SCALE + 16]
    assert close(whole(e, weights), np.einsum("sbk,sk->sb", real, weights))


@given(seeds)
def test_the_map_of_two_weightings_together_is_the_sum_of_their_maps(seed):
    e = filled(seed)
    one, other = chosen(seed), chosen(seed + 1)
    assert close(whole(e, one + other), whole(e, one) + whole(e, other))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("k", [0, 7, 15])
def test_the_weight_of_one_class_and_side_shows_that_class_and_side_alone(side, k):
    e = filled(1)
    weights = np.zeros((2, 16), np.float32)
    weights[side, k] = 2.0
    out = whole(e, weights)
    assert close(out[side], 2 * e.number[SCALE + k] * e.cells[side, :, k])
    assert not out[1 - side].any()


def test_an_empty_table_makes_an_empty_map():
    e = Exposure(100_000.0)
    assert not whole(e, chosen(1)).any()
    assert not tiered(e, chosen(1)).any()


def test_a_class_that_has_half_decayed_is_half_as_bright():
    e = filled(2)
    e.ledger[LIVE] = 1.0
    e.number[FLUSHED] = 0.0
    weights = np.zeros((2, 16), np.float32)
    weights[:, 9] = 1.0
    before = whole(e, weights)
    decay(e.cells, e.ledger, e.number, math.log(2) / float(e.hazards[9]))
    assert close(whole(e, weights), before / 2)


def test_reading_the_table_changes_nothing_in_it():
    e = filled(3)
    before = e.cells.tobytes(), e.number.tobytes()
    whole(e, chosen(3))
    tiered(e, chosen(3))
    assert (e.cells.tobytes(), e.number.tobytes()) == before


@given(seeds)
def test_tiers_add_up_to_the_map(seed):
    e, weights = filled(seed), chosen(seed)
    drawn = whole(e, weights)[:, FIRST:LAST]
    assert close(tiered(e, weights).sum(axis=0), drawn)


@given(seeds, st.integers(0, GROUPS - 1))
def test_a_tier_is_the_map_of_its_own_classes(seed, group):
    e, weights = filled(seed), chosen(seed)
    own = whole(e, np.where(e.basis.tiers == group, weights, 0).astype(np.float32))
    assert close(tiered(e, weights)[group], own[:, FIRST:LAST])


@given(seeds, st.integers(FIRST, LAST - 1), st.integers(1, 60))
def test_a_window_is_cut_out_of_the_whole(seed, low, width):
    e, weights = filled(seed), chosen(seed)
    high = min(low + width, LAST)
    part = tiered(e, weights)[:, :, low - FIRST : high - FIRST]
    assert np.array_equal(tiered(e, weights, low, high), part)


@pytest.mark.parametrize(("low", "inside"), [(-10, slice(10, 20)), (BINS - 10, slice(0, 10))])
def test_tiers_beyond_the_grid_are_empty(low, inside):
    e = filled(6)
    e.cells[:] = 1.0
    e.number[SCALE : SCALE + 16] = 1.0
    out = tiered(e, np.ones((2, 16), np.float32), low, low + 20)
    assert out[:, :, inside].sum() == out.sum() == 2 * 10 * 16
