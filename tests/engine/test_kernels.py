"""The inner loops: volume, deposits, and what the mark crosses."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from powderkeg.engine import kernels as k
from powderkeg.engine.classes import BIN
from powderkeg.engine.exposure import Exposure, Spec

seeds = st.integers(0, 2**32 - 1)
P = 100_000.0


def flush(e, at, oi=math.nan):
    k.flush(e.cells, e.volume, e.waiting, e.touched, e.offsets, e.ledger, e.number, e.count, at, oi)


def trade(e, prices, sizes):
    prices, sizes = np.atleast_1d(np.float64(prices)), np.atleast_1d(np.float64(sizes))
    k.add_trades(e.volume, e.touched, e.number, e.count, prices, sizes, 0, len(prices))


def sweep(e, at, price):
    records = np.zeros((2, k.RECORD))
    n = k.move_mark(e.cells, e.visited, e.ledger, e.number, e.count, float(at), price, records, 0)
    return records[:n]


def lived(e, tape):
    """Play a tape and stop after each step."""
    for step in tape:
        trade(e, step.prices, step.sizes)
        flush(e, float(step.at), step.oi)
        if not math.isnan(step.mark):
            sweep(e, step.at, step.mark)
        yield step


def unclosed(kit, e):
    """Return the largest part of the ledger of a class that does not add up."""
    out = e.ledger[k.SWEPT] + e.ledger[k.LOST] + e.ledger[k.DECAYED] + kit.real(e).sum(axis=1)
    return np.abs(e.ledger[k.DEPOSITED] - out).max() / max(out.max(), 1e-9)


def prints(seed, count=60):
    chance = np.random.default_rng(seed)
    prices = P * np.exp(np.cumsum(chance.normal(0, 2e-4, count)))
    return prices, chance.exponential(1.0, count) * chance.choice([-1.0, 1.0], count)


def at_bin(e, x):
    """Return the price at bin `x` (with its fraction) of the grid."""
    return math.exp((e.base + x) * BIN)


def deposited(kit, prices, sizes, rise=10.0, spec=None, *, wide=True):
    e = kit.wide(spec=spec) if wide else Exposure(P, spec)
    flush(e, 0.0, 1000.0)
    trade(e, prices, sizes)
    flush(e, 1.0, 1000.0 + rise)
    return e


@pytest.mark.parametrize("price", [1e-9, 40_000.0, 99_999.9, P, 250_000.0, 1e9])
def test_a_price_lies_between_the_edges_of_its_bin(price):
    e = Exposure(P)
    b = k.place(price, e.number, e.count)
    assert 0 <= b < k.BINS
    assert e.number[k.LOW] <= price < e.number[k.HIGH]


@given(seeds)
def test_all_volume_is_found_in_some_bin_and_every_bin_is_listed_once(seed):
    e = Exposure(P)
    prices, sizes = prints(seed)
    trade(e, prices[:30], sizes[:30])
    trade(e, prices[30:], sizes[30:])
    listed = e.touched[0, : e.count[k.TOUCHED]]
    assert sorted(listed) == np.flatnonzero(e.volume.sum(axis=1)).tolist()
    assert e.volume[:, 0].sum() == pytest.approx(sizes[sizes > 0].sum())
    assert e.volume[:, 1].sum() == pytest.approx(-sizes[sizes < 0].sum())


@given(seeds)
def test_volume_added_bin_by_bin_is_the_same_as_its_prints(seed):
    a, b = Exposure(P), Exposure(P)
    prices, sizes = prints(seed, 20)
    trade(a, prices, sizes)
    for price, size in zip(prices, sizes, strict=True):
        place = k.place(price, b.number, b.count)
        k.add_volume(b.volume, b.touched, b.count, place, max(size, 0.0), max(-size, 0.0))
    assert np.abs(b.volume - a.volume).max() <= 1e-12 * a.volume.max()
    assert b.count[k.TOUCHED] == a.count[k.TOUCHED]


def test_nothing_traded_lists_no_bin():
    e = Exposure(P)
    k.add_volume(e.volume, e.touched, e.count, 5, 0.0, 0.0)
    trade(e, [P, P * 1.01, P * 1.02], [0.0, 0.0, 0.0])
    assert e.count[k.TOUCHED] == 0


@given(seeds)
def test_the_order_of_trades_inside_an_interval_does_not_matter(kit, seed):
    prices, sizes = prints(seed)
    order = np.random.default_rng(seed).permutation(len(prices))
    a, b = deposited(kit, prices, sizes), deposited(kit, prices[order], sizes[order])
    assert np.abs(a.cells - b.cells).max() <= 1e-9 * a.cells.max()


def test_the_order_does_not_matter_for_an_interval_that_touches_many_bins(kit):
    prices = P * np.exp(np.linspace(-0.05, 0.05, 300))
    a = deposited(kit, prices, np.ones(300))
    b = deposited(kit, prices[::-1].copy(), np.ones(300))
    assert a.count[k.TURN] > 48
    assert np.abs(a.cells - b.cells).max() <= 1e-9 * a.cells.max()


@given(seeds, st.sampled_from([0.25, 2.0, 1024.0]))
def test_twice_the_volume_and_rise_of_open_interest_is_twice_the_exposure(kit, seed, times):
    prices, sizes = prints(seed)
    one = deposited(kit, prices, sizes, 10.0, wide=False)
    more = deposited(kit, prices, sizes * times, 10.0 * times, wide=False)
    assert np.array_equal(more.cells, one.cells * np.float32(times))


@given(seeds)
def test_five_hundred_prints_of_one_are_two_thousand_of_a_quarter(kit, seed):
    prices, sizes = prints(seed, 50)
    sizes = np.sign(sizes)
    a = deposited(kit, np.repeat(prices, 10), np.repeat(sizes, 10))
    b = deposited(kit, np.repeat(prices, 40), np.repeat(sizes, 40) * 0.25)
    assert np.array_equal(a.cells, b.cells)


@given(seeds, st.floats(0, 50), st.floats(0, 50))
def test_more_open_interest_never_lowers_any_bin(kit, seed, less, more):
    assume(less <= more)
    prices, sizes = prints(seed)
    a, b = deposited(kit, prices, sizes, less), deposited(kit, prices, sizes, more)
    assert (b.cells >= a.cells).all()


@given(seeds, st.floats(0.0, 100.0))
def test_a_reading_opens_its_rise_and_theta_of_the_volume_on_both_sides_together(kit, seed, rise):
    prices, sizes = prints(seed)
    e = deposited(kit, prices, sizes, rise)
    opened = 0.2 * np.abs(sizes).sum() + rise
    assert e.ledger[k.DEPOSITED].sum(axis=0) == pytest.approx(np.full(16, opened))
    assert e.number[k.OPENED] == pytest.approx(opened)


def test_falling_open_interest_opens_no_less_than_flat(kit):
    prices, sizes = prints(1)
    a, b = deposited(kit, prices, sizes, 0.0), deposited(kit, prices, sizes, -500.0)
    assert np.array_equal(a.cells, b.cells)


@given(seeds, st.floats(0.5, 100.0))
def test_a_late_reading_opens_as_much_as_if_it_had_come_at_once(kit, seed, rise):
    prices, sizes = prints(seed)
    late = kit.wide()
    flush(late, 0.0, 1000.0)
    for part in (slice(0, 20), slice(20, 40), slice(40, 60)):
        trade(late, prices[part], sizes[part])
        flush(late, 0.0)
    flush(late, 0.0, 1000.0 + rise)
    at_once = deposited(kit, prices, sizes, rise)
    assert late.ledger[k.DEPOSITED] == pytest.approx(at_once.ledger[k.DEPOSITED])
    assert late.count[k.WAITING] == 0
    assert not late.waiting.any()


def test_volume_before_and_after_a_gap_of_readings_shares_one_rise(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    trade(e, [P, P * 1.02], [1.0, 1.0])
    flush(e, 1.0)
    trade(e, [P, P * 1.04], [1.0, 1.0])
    flush(e, 2.0, 1030.0)
    assert e.ledger[k.DEPOSITED].sum(axis=0) == pytest.approx(np.full(16, 0.2 * 4 + 30))
    assert e.count[k.WAITING] == 0


def test_a_reading_that_does_not_rise_ends_the_wait(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    trade(e, P, 1.0)
    flush(e, 1.0)
    flush(e, 2.0, 1000.0)
    flush(e, 3.0, 1100.0)
    assert e.ledger[k.DEPOSITED].sum(axis=0) == pytest.approx(np.full(16, 0.2))


def test_a_rise_without_any_volume_opens_nothing_anywhere(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    flush(e, 1.0, 2000.0)
    assert not e.ledger[k.DEPOSITED].any()


def test_a_buyers_volume_opens_mostly_longs_and_a_sellers_mostly_shorts(kit):
    for size, side in ((1.0, 0), (-1.0, 1)):
        both = deposited(kit, P, size).ledger[k.DEPOSITED, :, 0]
        assert both[side] / both.sum() == pytest.approx(0.7)


@given(seeds)
def test_a_mirrored_tape_makes_the_mirrored_map_to_one_bin(kit, seed):
    """Price p becomes 1/p around the middle of the grid, and buyers become sellers."""
    a, b = kit.wide(spec=Spec(multiplier=0.0)), kit.wide(spec=Spec(multiplier=0.0))
    middle = at_bin(a, k.BINS / 2)
    for price, size in zip(*prints(seed, 20), strict=True):
        trade(a, price, size)
        trade(b, middle * middle / price, -size)
        flush(a, 1.0)
        flush(b, 1.0)
    straight = np.cumsum(a.cells, axis=1)
    mirrored = np.cumsum(b.cells[::-1, ::-1], axis=1)
    slack = 1e-9 * straight.max()
    assert (mirrored[:, 2:] >= straight[:, :-2] - slack).all()
    assert (straight[:, 2:] >= mirrored[:, :-2] - slack).all()


@given(seeds)
def test_nothing_ever_stands_on_the_wrong_side_of_the_mark(kit, seed):
    e = Exposure(P)
    for _ in lived(e, kit.make(seed)):
        b = int(e.number[k.MARK]) if not math.isnan(e.number[k.MARK]) else -1
        assert b < 0 or not (e.cells[0, b + 1 :].any() or e.cells[1, :b].any())


@given(seeds)
def test_the_same_mark_twice_sweeps_nothing_the_second_time(kit, seed):
    e = Exposure(P)
    for step in lived(e, kit.make(seed)):
        assert math.isnan(step.mark) or len(sweep(e, step.at, step.mark)) == 0


@given(seeds)
def test_the_ledger_of_every_class_closes(kit, seed):
    e, wide = Exposure(P), kit.wide()
    tape = kit.make(seed)
    assert len(list(lived(e, tape))) == len(list(lived(wide, tape)))
    assert unclosed(kit, e) <= 1e-6
    assert unclosed(kit, wide) <= 1e-12


@given(seeds)
def test_no_cell_is_ever_negative_infinite_or_denormal(kit, seed):
    e = Exposure(P, Spec(multiplier=5.0))
    tape = kit.make(seed)
    for _ in lived(e, tape):
        assert np.isfinite(e.cells).all()
        assert (e.cells >= 0).all()
    flush(e, tape[-1].at + 1e8)
    assert not ((e.cells > 0) & (e.cells < np.finfo(np.float32).tiny)).any()


@given(seeds, st.floats(1.0, 1e6), st.floats(0.01, 0.99))
def test_two_flushes_without_trades_are_one(kit, seed, span, part):
    prices, sizes = prints(seed)
    once, twice = deposited(kit, prices, sizes), deposited(kit, prices, sizes)
    flush(once, 1.0 + span)
    flush(twice, 1.0 + span * part)
    flush(twice, 1.0 + span)
    assert np.abs(kit.real(twice) - kit.real(once)).max() <= 1e-9 * kit.real(once).max()


def test_volume_too_small_for_the_waiting_table_is_not_listed_in_it():
    """Listed at every flush, it would be written past the end of the list."""
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    for n in range(1, 4):
        trade(e, P, 1e-60)
        flush(e, float(n))
    assert e.count[k.WAITING] == 0
    flush(e, 4.0, 1010.0)
    assert e.ledger[k.DEPOSITED].max() <= 1e-59


def test_a_position_that_opens_behind_the_mark_is_dead_at_once():
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    sweep(e, 0, P)
    trade(e, [P * 1.1, P * 0.9], [1.0, -1.0])
    flush(e, 1.0)
    assert e.ledger[k.SWEPT, 0, 0] > 0
    assert e.ledger[k.SWEPT, 1, 0] > 0


def test_a_position_that_would_die_off_the_grid_is_entered_as_lost():
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    trade(e, [at_bin(e, 3.5), at_bin(e, 4092.5)], [1.0, -1.0])
    flush(e, 1.0)
    assert e.ledger[k.LOST].sum() > 0
    assert (e.ledger[k.LIVE] >= -1e-12).all()


def table_of_ones():
    e = Exposure(P)
    sweep(e, 0, at_bin(e, 2048.5))
    e.cells[0, :2048] = 1.0
    e.cells[1, 2049:] = 1.0
    return e


def test_a_fall_takes_the_bins_it_crosses_and_the_part_of_the_last_one():
    e = table_of_ones()
    (record,) = sweep(e, 7200, at_bin(e, 2040.25))
    assert record[k.R_CLASSES :] == pytest.approx(np.full(16, 7.75), rel=1e-6)
    assert record[k.R_LENGTH] == pytest.approx(8.25)
    assert (record[k.R_SIDE], record[k.R_TIME]) == (0, 7200)
    assert e.cells[0, 2040] == pytest.approx(np.full(16, 0.25))
    assert e.cells[1].sum() == 16 * 2047


def test_a_rise_mirrors_a_fall():
    e = table_of_ones()
    (record,) = sweep(e, 7200, at_bin(e, 2056.75))
    assert record[k.R_CLASSES :] == pytest.approx(np.full(16, 7.75), rel=1e-6)
    assert record[k.R_LENGTH] == pytest.approx(8.25)
    assert record[k.R_SIDE] == 1


def test_ground_crossed_for_the_first_time_is_all_fresh():
    """A pair of bins is fresh or known as a whole, also to the second of its bins."""
    for target in (2028.5, 2029.5, 2068.5, 2069.5):
        e = table_of_ones()
        records = sweep(e, 7200, at_bin(e, target))
        assert records[:, k.R_FRESH].tolist() == [1.0]


def test_ground_crossed_again_is_known_for_half_an_hour():
    for wait, fresh in ((60, 0.0), (k.FRESH + 60, 1.0)):
        e = table_of_ones()
        sweep(e, 7200, at_bin(e, 2030.5))
        sweep(e, 7200, at_bin(e, 2048.5))
        record = sweep(e, 7200 + wait, at_bin(e, 2031.5))[0]
        assert (record[k.R_FRESH], record[k.R_SIDE]) == (fresh, 0)


def test_a_move_over_known_and_fresh_ground_is_two_records():
    e = table_of_ones()
    sweep(e, 7200, at_bin(e, 2040.5))
    sweep(e, 7260, at_bin(e, 2048.5))
    known, fresh = sweep(e, 7320, at_bin(e, 2030.5))
    assert (known[k.R_FRESH], fresh[k.R_FRESH]) == (0, 1)
    assert known[k.R_LENGTH] + fresh[k.R_LENGTH] == pytest.approx(18.0)


def test_a_mark_that_creeps_inside_its_bin_takes_only_ground_it_has_not_crossed():
    e = table_of_ones()
    e.cells[:, 2048] = 1.0
    assert sweep(e, 1, at_bin(e, 2048.25))[0, k.R_LENGTH] == pytest.approx(0.25)
    assert len(sweep(e, 2, at_bin(e, 2048.4))) == 0
    assert sweep(e, 3, at_bin(e, 2048.75))[0, k.R_LENGTH] == pytest.approx(0.25)
    assert e.cells[:, 2048] == pytest.approx(np.full((2, 16), 0.5))


def test_no_path_down_a_bin_takes_more_or_less_than_another():
    """Once there, it does not matter in how many steps the mark came."""
    straight, slow = table_of_ones(), table_of_ones()
    sweep(straight, 1, at_bin(straight, 2040.25))
    total = 0.0
    for x in np.linspace(2048.5, 2040.25, 50)[1:]:
        total += sweep(slow, 1, at_bin(slow, x))[:, k.R_CLASSES].sum()
    assert total == pytest.approx(7.75, rel=1e-5)
    assert np.abs(slow.cells - straight.cells).max() <= 1e-5


def test_the_first_mark_buries_what_stood_on_its_wrong_side_already(kit):
    e = Exposure(P)
    trade(e, [P, P * 1.1], [1.0, 1.0])
    flush(e, 0.0)
    before = kit.real(e).sum()
    assert len(sweep(e, 1, P * 1.05)) == 0
    b = int(e.number[k.MARK])
    assert not e.cells[0, b + 1 :].any()
    assert not e.cells[1, :b].any()
    assert e.ledger[k.SWEPT].sum() == pytest.approx(before - kit.real(e).sum(), rel=1e-6)
    assert e.ledger[k.SWEPT, :, :9].min() > 0


def test_a_mark_beyond_the_grid_empties_all_there_is_on_its_way():
    e = table_of_ones()
    sweep(e, 1, P * 1e-6)
    assert not e.cells[0, 1:].any()
    sweep(e, 2, P * 1e6)
    assert not e.cells[1, :4095].any()
