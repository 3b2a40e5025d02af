"""How the table is read."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.marks import FRESH
from powderkeg.engine.exposure.render import ground, render, render_tiers
from powderkeg.engine.exposure.table import BINS, FLUSHED, HIGHEST, LIVE, LOWEST, MARK, SCALE, decay

seeds = st.integers(0, 2**32 - 1)
GROUPS = 5
NOW = 1_767_225_600
"""Seconds."""
FIRST, LAST = 1900, 2200
"""Where the bins that are filled lie, so that tiers need not be read where there is nothing."""


def close(a, b, rel=1e-5, floor=1e-9):
    """Hold maps equal; every bin counts, and approx is slow on many thousands of them."""
    return bool((np.abs(a - b) <= np.maximum(rel * np.abs(b), floor)).all())


def filled(seed):
    """Return a table with some bins filled, lazy factors that are not one, and known ground."""
    e = Exposure(100_000.0)
    chance = np.random.default_rng(seed)
    bins = chance.choice(np.arange(FIRST, LAST), 40, replace=False)
    e.cells[:, bins] = chance.random((2, 40, CLASSES))
    e.number[SCALE : SCALE + CLASSES] = chance.uniform(1e-3, 1.0, CLASSES)
    e.count[[LOWEST, HIGHEST]] = bins.min(), bins.max()
    e.number[FLUSHED] = NOW
    e.last_crossed[:, FIRST // 2 : LAST // 2] = NOW - chance.integers(0, 2 * FRESH, 150)
    return e


def known(e):
    """Return for each side and bin whether the mark was there within the last half hour."""
    return np.repeat(e.number[FLUSHED] - e.last_crossed, 2, axis=1) <= FRESH


def summed(e, weights):
    """Return the map bin by bin from what it means, float64 (2, 4096)."""
    real = e.cells.astype(np.float64) * e.scale
    by_cell = np.where(known(e)[:, :, None], weights[:, 1, None], weights[:, 0, None])
    return (real * by_cell).sum(axis=2)


def chosen(seed):
    return np.random.default_rng(seed).random((2, 2, CLASSES))


def whole(e, weights):
    out = np.full((2, BINS), math.nan, np.float32)
    render(e.cells, e.last_crossed, e.number, e.count, weights, out)
    return out


def tiered(e, weights, low=FIRST, high=LAST):
    out = np.full((GROUPS, 2, high - low), math.nan, np.float32)
    render_tiers(e.cells, e.last_crossed, e.number, e.count, weights, e.basis.tiers, low, high, out)
    return out


@given(seeds)
def test_a_map_is_the_weighted_sum_of_its_classes_bin_by_bin(seed):
    e, weights = filled(seed), chosen(seed)
    assert close(whole(e, weights), summed(e, weights))


def test_ground_is_known_for_half_an_hour_after_the_mark_has_left_it():
    e = Exposure(100_000.0)
    e.number[FLUSHED] = NOW
    for since, wanted in ((0, 1), (FRESH, 1), (FRESH + 1, 0)):
        e.last_crossed[0, 1000] = NOW - since
        assert [ground(e.number, e.last_crossed, 0, b) for b in (2000, 2001)] == [wanted] * 2
    assert ground(e.number, e.last_crossed, 1, 2000) == 0, "the other side knows nothing of it"


def test_known_ground_shows_its_own_weights_and_fresh_ground_its_own():
    e = filled(4)
    for g in range(2):
        weights = np.zeros((2, 2, CLASSES))
        weights[:, g] = 1.0
        shown = whole(e, weights) > 0
        assert shown.any()
        assert not shown[known(e) != bool(g)].any()


def test_a_map_is_read_on_each_side_of_the_mark_only():
    e = filled(4)
    e.number[MARK] = 2050.5
    e.cells[0, 2051:] = e.cells[1, :2050] = 0
    drawn = whole(e, chosen(4))
    assert close(drawn, summed(e, chosen(4)))
    assert drawn[0, :2051].any()
    assert drawn[1, 2050:].any()


@given(seeds)
def test_the_map_of_two_weightings_together_is_the_sum_of_their_maps(seed):
    e = filled(seed)
    one, other = chosen(seed), chosen(seed + 1)
    assert close(whole(e, one + other), whole(e, one) + whole(e, other))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("k", [0, 7, 15, 40])
def test_the_weight_of_one_class_and_side_shows_that_class_and_side_alone(side, k):
    e = filled(1)
    weights = np.zeros((2, 2, CLASSES))
    weights[side, :, k] = 2.0
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
    weights = np.zeros((2, 2, CLASSES))
    weights[:, :, 9] = 1.0
    before = whole(e, weights)
    decay(e.cells, e.ledger, e.number, e.count, NOW + math.log(2) / float(e.hazards[9]))
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
    own = whole(e, np.where(e.basis.tiers == group, weights, 0.0))
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
    e.count[[LOWEST, HIGHEST]] = 0, BINS - 1
    e.number[SCALE : SCALE + CLASSES] = 1.0
    out = tiered(e, np.ones((2, 2, CLASSES)), low, low + 20)
    assert out[:, :, inside].sum() == out.sum() == 2 * 10 * CLASSES
