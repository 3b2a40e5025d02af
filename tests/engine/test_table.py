"""How the table decays, and what it buries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure import Exposure, Spec
from powderkeg.engine.table import (
    BINS,
    DECAYED,
    FLUSHED,
    LIVE,
    SCALE,
    SWEPT,
    TINY,
    decay,
    rescale,
    settle,
)

seeds = st.integers(0, 2**32 - 1)
DAY = 86_400.0


def filled(seed, spec=None):
    """Return a table with some bins filled and a ledger that says so."""
    e = Exposure(100_000.0, spec)
    chance = np.random.default_rng(seed)
    bins = chance.choice(BINS, 40, replace=False)
    e.cells[:, bins] = chance.random((2, 40, 16))
    e.ledger[LIVE] = e.cells.sum(axis=1, dtype=np.float64)
    e.number[FLUSHED] = 0.0
    return e


def live(e):
    return np.einsum("sbk,k->sk", e.cells.astype(np.float64), e.number[SCALE : SCALE + 16])


@given(seeds, st.floats(1.0, 40 * DAY), st.floats(0.01, 0.99))
def test_decay_composes_two_waits_are_one_long_wait(seed, span, part):
    once, twice = filled(seed), filled(seed)
    decay(once.cells, once.ledger, once.number, span)
    decay(twice.cells, twice.ledger, twice.number, span * part)
    decay(twice.cells, twice.ledger, twice.number, span)
    assert live(twice) == pytest.approx(live(once), rel=1e-6, abs=1e-12)
    assert twice.ledger == pytest.approx(once.ledger, rel=1e-9, abs=1e-12)


@given(seeds, st.floats(1.0, 40 * DAY))
def test_what_decays_is_entered_in_the_ledger(seed, span):
    e = filled(seed)
    before = e.ledger[LIVE].copy()
    decay(e.cells, e.ledger, e.number, span)
    assert e.ledger[LIVE] + e.ledger[DECAYED] == pytest.approx(before, rel=1e-12)
    assert e.ledger[LIVE] == pytest.approx(live(e), rel=1e-5, abs=1e-9)


def test_a_class_halves_in_its_life_times_the_logarithm_of_two():
    e = filled(1)
    before = live(e)
    span = math.log(2) / float(e.hazards[5])
    decay(e.cells, e.ledger, e.number, span)
    assert live(e)[:, 5] == pytest.approx(before[:, 5] / 2, rel=1e-6)


@pytest.mark.parametrize("days", [30, 60, 400, 4000])
def test_a_long_silence_empties_the_table_and_leaves_no_denormal_number(days):
    e = filled(2, Spec(multiplier=5.0))
    decay(e.cells, e.ledger, e.number, days * DAY)
    decay(e.cells, e.ledger, e.number, 2 * days * DAY)
    tiny = (e.cells > 0) & (e.cells < np.finfo(np.float32).tiny)
    assert not tiny.any()
    assert np.isfinite(e.cells).all()
    assert np.isfinite(e.number[SCALE : SCALE + 64]).all()


def test_the_first_flush_and_one_that_is_late_close_nothing():
    e = filled(3)
    for start in (math.nan, 100.0):
        e.number[FLUSHED] = start
        before = e.cells.copy(), e.ledger.copy()
        decay(e.cells, e.ledger, e.number, 50.0)
        assert np.array_equal(e.cells, before[0])
        assert np.array_equal(e.ledger, before[1])


def test_equal_spans_decay_by_equal_factors():
    e = filled(4)
    shares = []
    for n in range(1, 4):
        before = live(e)
        decay(e.cells, e.ledger, e.number, n * 60.0)
        shares.append((live(e) / before).ravel())
    assert shares[1] == pytest.approx(shares[0], rel=1e-12)
    assert shares[2] == pytest.approx(shares[0], rel=1e-12)


@given(seeds)
def test_a_rescale_moves_the_lazy_factors_into_the_cells_and_changes_nothing_else(seed):
    e = filled(seed)
    e.number[SCALE : SCALE + 16] = np.random.default_rng(seed).uniform(1e-3, 1.0, 16)
    before = live(e)
    rescale(e.cells, e.number)
    assert live(e) == pytest.approx(before, rel=1e-6)
    assert (e.number[SCALE : SCALE + 16] == 1).all()


def test_a_rescale_empties_cells_too_small_to_matter():
    e = filled(5)
    e.cells[0, 7] = 2 * TINY
    e.number[SCALE : SCALE + 16] = 0.25
    rescale(e.cells, e.number)
    assert not e.cells[0, 7].any()


@given(seeds, st.integers(0, BINS - 1))
def test_settling_empties_the_wrong_side_of_a_mark_into_the_ledger(seed, mark):
    e = filled(seed)
    settle(e.cells, e.ledger, e.number, mark)
    assert not e.cells[0, mark + 1 :].any()
    assert not e.cells[1, :mark].any()
    assert e.ledger[LIVE] == pytest.approx(live(e), abs=1e-5)
    assert e.ledger[LIVE] + e.ledger[SWEPT] == pytest.approx(filled(seed).ledger[LIVE], rel=1e-9)
