"""How the table decays, what it empties, and where it looks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.table import (
    BINS,
    DEPOSITED,
    FLUSHED,
    HIGHEST,
    INVERSE,
    LIVE,
    LOWEST,
    MARK,
    RESCALE,
    SCALE,
    SWEPT,
    TINY,
    clear_crossed,
    decay,
    extent,
    rescale,
)

seeds = st.integers(0, 2**32 - 1)
DAY = 86_400.0


def lazy(e, factors):
    """Give a table these lazy factors."""
    e.number[SCALE : SCALE + CLASSES] = factors
    e.number[INVERSE : INVERSE + CLASSES] = 1 / e.scale


def filled(seed):
    """Return a table with some bins filled, and a ledger and extent that say so."""
    e = Exposure(100_000.0)
    chance = np.random.default_rng(seed)
    bins = chance.choice(np.arange(1000, 3000), 40, replace=False)
    e.cells[:, bins] = chance.random((2, 40, CLASSES))
    e.ledger[LIVE] = e.cells.sum(axis=1, dtype=np.float64)
    e.ledger[DEPOSITED] = e.ledger[LIVE]
    e.count[[LOWEST, HIGHEST]] = bins.min(), bins.max()
    e.number[FLUSHED] = 0.0
    return e


def wait(e, time):
    decay(e.cells, e.ledger, e.number, e.count, time)


def live(e):
    return np.einsum("sbk,k->sk", e.cells.astype(np.float64), e.scale)


@given(seeds, st.floats(1.0, 40 * DAY), st.floats(0.01, 0.99))
def test_decay_composes_two_waits_are_one_long_wait(seed, span, part):
    once, twice = filled(seed), filled(seed)
    wait(once, span)
    wait(twice, span * part)
    wait(twice, span)
    assert live(twice) == pytest.approx(live(once), rel=1e-6, abs=1e-12)
    assert twice.live() == pytest.approx(once.live(), rel=1e-9, abs=1e-12)
    assert twice.decayed() == pytest.approx(once.decayed(), rel=1e-9, abs=1e-12)


@given(seeds, st.floats(1.0, 40 * DAY))
def test_what_decays_is_entered_in_the_ledger(seed, span):
    e = filled(seed)
    before = live(e)
    wait(e, span)
    assert e.live() + e.decayed() == pytest.approx(before, rel=1e-6)
    assert (e.decayed() >= 0).all()
    assert e.live() == pytest.approx(live(e), rel=1e-5, abs=1e-9)
    assert e.live() == pytest.approx(before * np.exp(-e.hazards * span), rel=1e-6, abs=1e-9)


def test_a_class_halves_in_its_life_times_the_logarithm_of_two():
    for k in (5, 8, 40):
        e = filled(1)
        before = live(e)
        wait(e, math.log(2) / float(e.hazards[k]))
        assert live(e)[:, k] == pytest.approx(before[:, k] / 2, rel=1e-6)


@pytest.mark.parametrize("days", [30, 60, 400, 4000])
def test_a_long_silence_empties_the_table_and_leaves_no_denormal_number(days):
    e = filled(2)
    wait(e, days * DAY)
    wait(e, 2 * days * DAY)
    tiny = (e.cells > 0) & (e.cells < np.finfo(np.float32).tiny)
    assert not tiny.any()
    assert np.isfinite(e.cells).all()
    assert np.isfinite(e.number[SCALE:]).all()


def test_the_first_flush_and_one_that_is_late_close_nothing():
    e = filled(3)
    for start in (math.nan, 100.0):
        e.number[FLUSHED] = start
        before = e.cells.copy(), e.ledger.copy()
        wait(e, 50.0)
        assert np.array_equal(e.cells, before[0])
        assert np.array_equal(e.ledger, before[1])


def test_equal_spans_decay_by_equal_factors():
    e = filled(4)
    shares = []
    for n in range(1, 4):
        before = live(e)
        wait(e, n * 60.0)
        shares.append((live(e) / before).ravel())
    assert shares[1] == pytest.approx(shares[0], rel=1e-12)
    assert shares[2] == pytest.approx(shares[0], rel=1e-12)


def test_lazy_factors_are_multiplied_in_before_float32_ends():
    e = filled(4)
    span = -math.log(RESCALE) / float(e.hazards.max()) / 4
    least = []
    for n in range(1, 12):
        wait(e, n * span)
        least.append(float(e.scale.min()))
        assert e.number[INVERSE : INVERSE + CLASSES] == pytest.approx(1 / e.scale)
    assert min(least) >= RESCALE
    assert 1.0 in least


@given(seeds)
def test_a_rescale_moves_the_lazy_factors_into_the_cells_and_changes_nothing_else(seed):
    e = filled(seed)
    lazy(e, np.random.default_rng(seed).uniform(1e-3, 1.0, CLASSES))
    before, entered = live(e), e.live()
    rescale(e.cells, e.ledger, e.number, e.count)
    assert live(e) == pytest.approx(before, rel=1e-6)
    assert e.live() == pytest.approx(entered)
    assert (e.scale == 1).all()
    assert (e.number[INVERSE : INVERSE + CLASSES] == 1).all()


def test_a_rescale_empties_cells_too_small_to_matter():
    e = filled(5)
    e.cells[0, 2007] = 2 * TINY
    lazy(e, 0.25)
    rescale(e.cells, e.ledger, e.number, e.count)
    assert not e.cells[0, 2007].any()


@given(seeds, st.integers(0, BINS - 1))
def test_settling_empties_the_wrong_side_of_a_mark_into_the_ledger(seed, mark):
    e = filled(seed)
    clear_crossed(e.cells, e.ledger, e.number, e.count, mark)
    assert not e.cells[0, mark + 1 :].any()
    assert not e.cells[1, :mark].any()
    assert e.ledger[LIVE] == pytest.approx(live(e), abs=1e-5)
    assert e.ledger[LIVE] + e.ledger[SWEPT] == pytest.approx(filled(seed).ledger[LIVE], rel=1e-9)


def test_settling_counts_what_it_empties_as_it_has_decayed():
    e = filled(6)
    lazy(e, 0.25)
    before = e.live()
    clear_crossed(e.cells, e.ledger, e.number, e.count, 2000)
    assert e.ledger[SWEPT].sum() > 0
    assert e.live() + e.ledger[SWEPT] == pytest.approx(before)


def test_an_empty_table_has_no_extent():
    e = Exposure(100_000.0)
    for mark in (math.nan, 5.0, 2048.5, 4090.0):
        e.number[MARK] = mark
        for side in range(2):
            start, stop = extent(e.number, e.count, side)
            assert stop <= start


def test_without_a_mark_both_sides_extend_over_all_that_was_laid():
    e = filled(7)
    span = int(e.count[LOWEST]), int(e.count[HIGHEST]) + 1
    assert [extent(e.number, e.count, side) for side in range(2)] == [span, span]


@given(seeds, st.floats(0, BINS - 1e-6))
def test_longs_extend_up_to_the_mark_and_shorts_from_it(seed, mark):
    e = filled(seed)
    e.number[MARK] = mark
    low, high = int(e.count[LOWEST]), int(e.count[HIGHEST]) + 1
    b = int(mark)
    assert extent(e.number, e.count, 0) == (low, min(b + 1, high))
    assert extent(e.number, e.count, 1) == (max(b, low), high)


@given(seeds, st.integers(500, 3500))
def test_a_settled_table_has_nothing_outside_of_its_extent(kit, seed, mark):
    e = filled(seed)
    clear_crossed(e.cells, e.ledger, e.number, e.count, mark)
    e.number[MARK] = mark + 0.5
    assert kit.outside(e) == 0


def test_rescaling_where_nothing_stands_outside_of_the_extent_leaves_no_cell_behind(kit):
    e = filled(8)
    clear_crossed(e.cells, e.ledger, e.number, e.count, 2000)
    e.number[MARK] = 2000.5
    lazy(e, 0.5)
    before = e.cells.copy()
    rescale(e.cells, e.ledger, e.number, e.count)
    assert np.array_equal(e.cells, before * np.float32(0.5))
    assert kit.outside(e) == 0
