"""Quarter-hour sums of sweeps and liquidations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.sweeps import (
    KEPT,
    QUARTER,
    STROKE,
    Hours,
    LiquidationLog,
    Sweeps,
    tally,
)
from powderkeg.engine.calibration.terms import KNOWN, LENGTH, TEN, TERMS
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.marks import R_CLASSES, R_FRESH, R_LENGTH, R_SIDE, R_TIME, RECORD
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.grid import BIN

T = 1_767_225_600 * SECOND
ONES = np.ones((2, TERMS))


def records(*rows, fresh=1.0, length=0.0):
    """Return sweep records of (second, side, exposure of each class)."""
    out = np.zeros((len(rows), RECORD))
    for i, (second, side, crossed) in enumerate(rows):
        out[i, [R_TIME, R_SIDE, R_FRESH, R_LENGTH]] = second, side, fresh, length
        out[i, R_CLASSES:] = crossed
    return out


def swept(quarters):
    """Return sweeps that crossed one unit of term q in quarter q."""
    sweeps = Sweeps()
    for q in quarters:
        crossed = np.zeros((2, TERMS))
        crossed[:, q] = 1.0
        sweeps.add(T + q * QUARTER, crossed)
    return sweeps


def rows(log, sweeps, since=T, until=T + DAY):
    """Return the liquidated volume by the quarters that were crossed, as marked by `swept`."""
    crossed, liquidated = log.rows(sweeps, since, until)
    return {
        tuple(np.flatnonzero(row[0]).tolist()): volumes.tolist()
        for row, volumes in zip(crossed, liquidated, strict=True)
    }


@given(st.integers(0, 2**32 - 1))
def test_a_tally_keeps_every_crossed_unit_by_side_and_class(seed):
    chance = np.random.default_rng(seed)
    given_ = records(
        *(
            (s, chance.integers(2), chance.random(CLASSES))
            for s in np.sort(chance.integers(1, 5000, 30))
        )
    )
    slots, crossed = tally(given_)
    assert (np.diff(slots) > 0).all()
    for side in range(2):
        of_side = given_[given_[:, R_SIDE] == side, R_CLASSES:]
        assert crossed[:, side, :CLASSES].sum(axis=0) == pytest.approx(of_side.sum(axis=0))
    assert not crossed[:, :, CLASSES:].any()


def test_on_known_ground_the_closing_rates_of_a_distance_are_one_their_mean():
    row = np.arange(CLASSES, dtype=np.float64)
    _, crossed = tally(records((60, 1, row), (70, 1, row), fresh=0.0))
    assert not crossed[0, 0].any()
    assert not crossed[0, 1, :CLASSES].any()
    means = row.reshape(-1, RATES).mean(axis=1)
    assert crossed[0, 1, KNOWN:LENGTH] == pytest.approx(2 * means)


@pytest.mark.parametrize(("fresh", "term"), [(1.0, LENGTH), (0.0, LENGTH + 1)])
def test_lengths_of_fresh_and_of_known_ground_are_counted_in_tens_of_basis_points(fresh, term):
    assert pytest.approx(2 * BIN) == TEN
    _, crossed = tally(records((60, 0, 0.0), (70, 0, 0.0), fresh=fresh, length=7.0))
    assert crossed[0, 0, term] == pytest.approx(7.0)
    assert crossed.sum() == crossed[0, 0, term]


def test_a_tally_of_nothing_is_empty():
    slots, crossed = tally(records())
    assert slots.shape == (0,)
    assert crossed.shape == (0, 2, TERMS)


def test_a_sweep_at_the_stroke_of_a_quarter_belongs_to_the_quarter_that_ends():
    """Bars are stamped with their end."""
    seconds = np.array([899.0, 900.0, 900.0 + 2 * STROKE, 1800.0])
    slots, crossed = tally(records(*((s, 0, 1.0) for s in seconds)))
    assert slots.tolist() == [0, 1]
    assert crossed[:, 0, 0].tolist() == [2.0, 2.0]


def test_a_sweep_at_the_stroke_of_the_hour_belongs_to_the_hour_that_ends():
    hour, hours = T // HOUR, Hours()
    for slot, crossed in zip(*tally(records((T // SECOND, 1, 2.0))), strict=True):
        hours.add(int(slot), crossed)
    assert not hours.close(hour - 2).any()
    assert hours.close(hour - 1)[1, :CLASSES].tolist() == [2.0] * CLASSES


def test_sweeps_add_up_within_a_quarter():
    sweeps = Sweeps()
    for n in range(200):
        sweeps.add(T + n * QUARTER, ONES)
        sweeps.add(T + n * QUARTER, ONES)
    assert sweeps.quarters.tolist() == [T + n * QUARTER for n in range(200)]
    assert (sweeps.crossed == 2).all()


def test_what_comes_late_is_counted_in_the_last_quarter():
    sweeps = swept((0, 3))
    sweeps.add(T + QUARTER, ONES)
    assert sweeps.quarters.tolist() == [T, T + 3 * QUARTER]
    assert sweeps.crossed[1].sum() == 2 + 2 * TERMS


def test_trimmed_sweeps_forget_what_starts_earlier_and_nothing_else():
    sweeps = swept(range(10))
    sweeps.trim(T + 7 * QUARTER)
    assert sweeps.quarters.tolist() == [T + q * QUARTER for q in (7, 8, 9)]
    assert [row[0].argmax() for row in sweeps.crossed] == [7, 8, 9]


def test_a_long_past_is_kept_for_as_long_as_it_is_learned_from_and_little_longer():
    sweeps, most = Sweeps(), 2 * KEPT // QUARTER
    for n in range(int(most)):
        sweeps.add(T + n * QUARTER, ONES)
    newest = T + (most - 1) * QUARTER
    assert sweeps.quarters[0] <= newest - KEPT
    assert len(sweeps.quarters) < 1.5 * KEPT / QUARTER
    assert (np.diff(sweeps.quarters) == QUARTER).all()
    assert (sweeps.crossed == 1.0).all()


@given(st.lists(st.integers(0, 600), max_size=300))
def test_whatever_was_crossed_within_the_window_is_there(gaps):
    sweeps = Sweeps()
    starts = (T + np.cumsum(gaps, dtype=np.int64) * QUARTER).tolist()
    for n, start in enumerate(starts):
        sweeps.add(start, ONES * n)
    newest = starts[-1] if starts else 0
    wanted = {}
    for n, start in enumerate(starts):
        if start >= newest - KEPT:
            wanted[start] = wanted.get(start, 0) + n
    kept = dict(zip(sweeps.quarters.tolist(), sweeps.crossed[:, 0, 0].tolist(), strict=True))
    assert {start: kept.get(start) for start in wanted} == wanted


def test_the_four_quarters_of_an_hour_are_its_sum():
    hours, first = Hours(), T // QUARTER
    for n in range(5):
        hours.add(first + n, ONES * 10**n)
    assert (hours.close(T // HOUR) == 1111).all()
    assert (hours.close(T // HOUR + 1) == 10_000).all()


def test_an_hour_that_is_closed_is_forgotten_with_all_before_it():
    hours, hour = Hours(), T // HOUR
    for n in range(3):
        hours.add((T + n * HOUR) // QUARTER, ONES)
    hours.close(hour + 1)
    assert list(hours.crossed) == [hour + 2]
    assert not hours.close(hour).any()


def test_single_deaths_of_a_side_add_up_within_their_quarter():
    log = LiquidationLog()
    for side, volume in ((0, 1.0), (0, 2.0), (1, 4.0)):
        log.add(T, QUARTER, side, volume)
    assert log.within(T, T + HOUR).tolist() == [3.0, 4.0]
    assert log.within(T - HOUR, T).tolist() == [0.0, 0.0]


def test_an_hour_no_bar_tells_of_is_unknown_where_deaths_are_told_in_bars_alone():
    log = LiquidationLog()
    log.add(T, HOUR, 0, 5.0)
    assert log.within(T, T + HOUR).tolist() == [5.0, 0.0]
    assert log.within(T + HOUR, T + 2 * HOUR) is None


def test_an_hour_without_deaths_is_quiet_where_they_are_told_one_by_one():
    log = LiquidationLog()
    log.add(T, HOUR, 0, 5.0)
    log.add(T + 3 * HOUR, QUARTER, 0, 1.0)
    assert log.within(T + HOUR, T + 2 * HOUR).tolist() == [0.0, 0.0]


def test_before_anything_was_told_nothing_is_known():
    assert LiquidationLog().within(T, T + HOUR) is None


def test_trimmed_deaths_forget_what_starts_earlier():
    log = LiquidationLog()
    for n in range(4):
        log.add(T + n * HOUR, HOUR, 0, 1.0)
    log.trim(T + 2 * HOUR)
    assert [start for start, _ in log.spans] == [T + 2 * HOUR, T + 3 * HOUR]


def test_single_liquidations_belong_to_the_sweep_before_them():
    log = LiquidationLog()
    for q, volume in ((0, 1.0), (2, 2.0), (3, 4.0)):
        log.add(T + q * QUARTER, QUARTER, 0, volume)
    assert rows(log, swept((1, 2, 5))) == {(1,): [0, 0], (2,): [6, 0], (5,): [0, 0]}


def test_a_bar_of_liquidations_is_one_row_over_all_it_spans():
    log = LiquidationLog()
    for q, long, short in ((0, 3.0, 5.0), (8, 7.0, 0.0), (36, 9.0, 9.0)):
        log.add(T + q * QUARTER, HOUR, 0, long)
        log.add(T + q * QUARTER, HOUR, 1, short)
    log.add(T + 6 * QUARTER, QUARTER, 0, 2.0)
    found = rows(log, swept((0, 2, 3, 6, 9)))
    assert found == {(0, 2, 3): [3, 5], (6,): [2, 0], (9,): [7, 0]}


def test_what_no_bar_covers_is_left_out_where_deaths_are_told_in_bars_alone():
    log = LiquidationLog()
    log.add(T, HOUR, 1, 5.0)
    assert rows(log, swept((0, 3, 4, 9))) == {(0, 3): [0, 5]}


def test_a_bar_during_which_nothing_was_crossed_teaches_nothing():
    log = LiquidationLog()
    log.add(T, HOUR, 0, 3.0)
    assert rows(log, swept((8,))) == {}


def test_without_deaths_what_was_crossed_killed_nothing():
    assert rows(LiquidationLog(), swept((1, 2))) == {(1,): [0, 0], (2,): [0, 0]}


def test_without_sweeps_deaths_teach_nothing():
    log = LiquidationLog()
    log.add(T, QUARTER, 0, 1.0)
    log.add(T + HOUR, HOUR, 0, 1.0)
    assert rows(log, Sweeps()) == {}


def test_spans_before_since_and_from_until_on_are_left_out():
    log = LiquidationLog()
    for q in range(4):
        log.add(T + q * QUARTER, QUARTER, 0, 10.0**q)
    for n, volume in ((1, 5.0), (2, 7.0)):
        log.add(T + n * HOUR, HOUR, 1, volume)
    sweeps = swept(range(12))
    until = T + 2 * HOUR
    found = rows(log, sweeps, T + 2 * QUARTER, until)
    assert found == {(2,): [100, 0], (3,): [1000, 0], (4, 5, 6, 7): [0, 5]}


@given(st.integers(0, 2**32 - 1))
def test_every_row_is_what_was_crossed_in_spans_that_do_not_overlap(seed):
    chance = np.random.default_rng(seed)
    quarters = np.flatnonzero(chance.random(TERMS) < 0.6)
    log = LiquidationLog()
    for hour in np.flatnonzero(chance.random(4) < 0.5):
        log.add(T + int(hour) * HOUR, HOUR, 0, 1.0)
    log.add(T + int(chance.integers(16)) * QUARTER, QUARTER, 0, 1.0)
    crossed, liquidated = log.rows(swept(quarters), T, T + DAY)
    assert len(crossed) == len(liquidated)
    inside = [q for q in quarters if T + q * QUARTER < T + DAY]
    assert crossed[:, 0].sum(axis=0).tolist() == [float(q in inside) for q in range(TERMS)]


def test_bars_shorter_than_a_quarter_are_summed_into_it_and_longer_than_an_hour_tell_no_hour():
    log = LiquidationLog()
    for n in range(3):
        log.add(T + n * 5 * MINUTE, 5 * MINUTE, 0, 1.0)
    assert log.within(T, T + HOUR).tolist() == [3.0, 0.0]
    long = LiquidationLog()
    long.add(T, 4 * HOUR, 1, 8.0)
    assert long.within(T, T + HOUR) is None
    assert long.within(T, T + 4 * HOUR).tolist() == [0.0, 8.0]
