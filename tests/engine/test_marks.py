"""What the mark crosses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure import table as t
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.marks import (
    FRESH,
    R_CLASSES,
    R_FRESH,
    R_LENGTH,
    R_SIDE,
    R_TIME,
    RECORD,
    ROWS_PER_MOVE,
)

from .raw import P, at_bin, flush, lived, sweep, trade

seeds = st.integers(0, 2**32 - 1)


def test_a_record_is_four_columns_and_one_for_each_class():
    assert (RECORD, R_CLASSES) == (4 + CLASSES, 4)
    assert sorted((R_TIME, R_SIDE, R_LENGTH, R_FRESH)) == [0, 1, 2, 3]


@given(seeds)
def test_the_same_mark_twice_sweeps_nothing_the_second_time(kit, seed):
    e = Exposure(P)
    for step in lived(e, kit.make(seed)):
        assert np.isnan(step.mark) or len(sweep(e, step.at, step.mark)) == 0


@given(seeds)
def test_what_a_move_records_is_what_the_table_lost_and_the_ledger_entered(kit, seed):
    e = kit.wide()
    for step in kit.make(seed, 8):
        trade(e, step.prices, step.sizes)
        flush(e, float(step.at), step.oi)
        before, swept = kit.real(e).sum(axis=1), e.ledger[t.SWEPT].copy()
        records = np.zeros((0, RECORD)) if np.isnan(step.mark) else sweep(e, step.at, step.mark)
        assert len(records) <= ROWS_PER_MOVE
        if not len(records):
            continue
        gone = np.zeros((2, CLASSES))
        for record in records:
            gone[int(record[R_SIDE])] += record[R_CLASSES:]
        scale = max(before.max(), 1e-9)
        assert np.abs(before - kit.real(e).sum(axis=1) - gone).max() <= 1e-9 * scale
        assert np.abs(e.ledger[t.SWEPT] - swept - gone).max() <= 1e-9 * scale


def table_of_ones():
    e = Exposure(P)
    sweep(e, 0, at_bin(e, 2048.5))
    e.cells[0, :2048] = 1.0
    e.cells[1, 2049:] = 1.0
    e.count[[t.LOWEST, t.HIGHEST]] = 0, t.BINS - 1
    return e


def test_a_fall_takes_the_bins_it_crosses_and_the_part_of_the_last_one():
    e = table_of_ones()
    (record,) = sweep(e, 7200, at_bin(e, 2040.25))
    assert record[R_CLASSES:] == pytest.approx(np.full(CLASSES, 7.75), rel=1e-6)
    assert record[R_LENGTH] == pytest.approx(8.25)
    assert (record[R_SIDE], record[R_TIME]) == (0, 7200)
    assert e.cells[0, 2040] == pytest.approx(np.full(CLASSES, 0.25))
    assert e.cells[1].sum() == CLASSES * 2047


def test_a_rise_mirrors_a_fall():
    e = table_of_ones()
    (record,) = sweep(e, 7200, at_bin(e, 2056.75))
    assert record[R_CLASSES:] == pytest.approx(np.full(CLASSES, 7.75), rel=1e-6)
    assert record[R_LENGTH] == pytest.approx(8.25)
    assert record[R_SIDE] == 1


def test_a_record_counts_exposure_as_it_has_decayed():
    e = table_of_ones()
    e.number[t.SCALE : t.SCALE + CLASSES] = np.linspace(0.1, 1.0, CLASSES)
    e.number[t.INVERSE : t.INVERSE + CLASSES] = 1 / np.linspace(0.1, 1.0, CLASSES)
    (record,) = sweep(e, 7200, at_bin(e, 2040.25))
    assert record[R_CLASSES:] == pytest.approx(7.75 * np.linspace(0.1, 1.0, CLASSES), rel=1e-6)
    assert e.ledger[t.SWEPT, 0] == pytest.approx(record[R_CLASSES:])
    assert e.ledger[t.LIVE, 0] == pytest.approx(np.full(CLASSES, -7.75), rel=1e-6)


def test_the_range_of_the_mark_is_remembered_until_time_is_laid():
    e = table_of_ones()
    for b in (2040.25, 2060.5, 2050.5):
        sweep(e, 1, at_bin(e, b))
    assert e.number[[t.MARK_LOW, t.MARK_HIGH]] == pytest.approx([2040.25, 2060.5])


def test_ground_crossed_for_the_first_time_is_all_fresh():
    """A pair of bins is fresh or known as a whole, also to the second of its bins."""
    for target in (2028.5, 2029.5, 2068.5, 2069.5):
        e = table_of_ones()
        records = sweep(e, 7200, at_bin(e, target))
        assert records[:, R_FRESH].tolist() == [1.0]


def test_ground_crossed_again_is_known_for_half_an_hour():
    for wait, fresh in ((60, 0.0), (FRESH + 60, 1.0)):
        e = table_of_ones()
        sweep(e, 7200, at_bin(e, 2030.5))
        sweep(e, 7200, at_bin(e, 2048.5))
        record = sweep(e, 7200 + wait, at_bin(e, 2031.5))[0]
        assert (record[R_FRESH], record[R_SIDE]) == (fresh, 0)


def test_a_move_over_known_and_fresh_ground_is_two_records():
    e = table_of_ones()
    sweep(e, 7200, at_bin(e, 2040.5))
    sweep(e, 7260, at_bin(e, 2048.5))
    known, fresh = sweep(e, 7320, at_bin(e, 2030.5))
    assert (known[R_FRESH], fresh[R_FRESH]) == (0, 1)
    assert known[R_LENGTH] + fresh[R_LENGTH] == pytest.approx(18.0)


def test_a_mark_that_creeps_inside_its_bin_takes_only_ground_it_has_not_crossed():
    e = table_of_ones()
    e.cells[:, 2048] = 1.0
    assert sweep(e, 1, at_bin(e, 2048.25))[0, R_LENGTH] == pytest.approx(0.25)
    assert len(sweep(e, 2, at_bin(e, 2048.4))) == 0
    assert sweep(e, 3, at_bin(e, 2048.75))[0, R_LENGTH] == pytest.approx(0.25)
    assert e.cells[:, 2048] == pytest.approx(np.full((2, CLASSES), 0.5))


def test_no_path_down_a_bin_takes_more_or_less_than_another():
    """Once there, it does not matter in how many steps the mark came."""
    straight, slow = table_of_ones(), table_of_ones()
    sweep(straight, 1, at_bin(straight, 2040.25))
    total = 0.0
    for x in np.linspace(2048.5, 2040.25, 50)[1:]:
        total += sweep(slow, 1, at_bin(slow, x))[:, R_CLASSES].sum()
    assert total == pytest.approx(7.75, rel=1e-5)
    assert np.abs(slow.cells - straight.cells).max() <= 1e-5


def test_the_first_mark_empties_what_stood_on_its_wrong_side_already(kit):
    e = Exposure(P)
    trade(e, [P, P * 1.1], [1.0, 1.0])
    flush(e, 0.0)
    before = kit.real(e).sum()
    assert len(sweep(e, 1, P * 1.05)) == 0
    b = int(e.number[t.MARK])
    assert not e.cells[0, b + 1 :].any()
    assert not e.cells[1, :b].any()
    assert e.ledger[t.SWEPT].sum() == pytest.approx(before - kit.real(e).sum(), rel=1e-6)
    assert e.ledger[t.SWEPT, :, :12].min() > 0


def test_a_mark_beyond_the_grid_empties_all_there_is_on_its_way():
    e = table_of_ones()
    sweep(e, 1, P * 1e-6)
    assert not e.cells[0, 1:].any()
    sweep(e, 2, P * 1e6)
    assert not e.cells[1, :4095].any()
