"""What opens: volume and time laid into the table."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from powderkeg.engine.exposure import table as t
from powderkeg.engine.exposure.classes import DISTANCES, GROUP, RATES, TIME, VOLUME
from powderkeg.engine.exposure.deposits import DAY, PERIOD, SPREAD, add_volume, place
from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.grid import BIN

from .raw import P, at_bin, deposited, flush, lived, prints, sweep, trade

seeds = st.integers(0, 2**32 - 1)
VOLUMES = slice(VOLUME * GROUP, (VOLUME + 1) * GROUP)
TIMES = slice(TIME * GROUP, (TIME + 1) * GROUP)


def total(e, group=VOLUMES):
    """Return what was deposited in each class of a group, both sides together, shape (32,)."""
    return e.ledger[t.DEPOSITED, :, group].sum(axis=0)


def each(amount):
    return np.full(GROUP, amount)


@pytest.mark.parametrize("price", [1e-9, 40_000.0, 99_999.9, P, 250_000.0, 1e9])
def test_a_price_lies_between_the_edges_of_its_bin(price):
    e = Exposure(P)
    b = place(price, e.number, e.count)
    assert 0 <= b < t.BINS
    assert e.number[t.LOW] <= price < e.number[t.HIGH]


@given(seeds)
def test_all_volume_is_found_in_some_bin_and_every_bin_is_listed_once(seed):
    e = Exposure(P)
    prices, sizes = prints(seed)
    trade(e, prices[:30], sizes[:30])
    trade(e, prices[30:], sizes[30:])
    listed = e.active_bins[0, : e.count[t.TOUCHED]]
    assert sorted(listed) == np.flatnonzero(e.volume.sum(axis=1)).tolist()
    assert e.volume[:, 0].sum() == pytest.approx(sizes[sizes > 0].sum())
    assert e.volume[:, 1].sum() == pytest.approx(-sizes[sizes < 0].sum())


@given(seeds)
def test_volume_added_bin_by_bin_is_the_same_as_its_prints(seed):
    a, b = Exposure(P), Exposure(P)
    prices, sizes = prints(seed, 20)
    trade(a, prices, sizes)
    for price, size in zip(prices, sizes, strict=True):
        found = place(price, b.number, b.count)
        add_volume(b.volume, b.active_bins, b.count, found, max(size, 0.0), max(-size, 0.0))
    assert np.abs(b.volume - a.volume).max() <= 1e-12 * a.volume.max()
    assert b.count[t.TOUCHED] == a.count[t.TOUCHED]


def test_nothing_traded_lists_no_bin():
    e = Exposure(P)
    add_volume(e.volume, e.active_bins, e.count, 5, 0.0, 0.0)
    trade(e, [P, P * 1.01, P * 1.02], [0.0, 0.0, 0.0])
    assert e.count[t.TOUCHED] == 0


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
    assert a.count[t.TURN] > 48
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
    assert total(e) == pytest.approx(each(opened))
    assert e.number[t.OPENED] == pytest.approx(opened)


def test_volume_opens_in_the_volume_group_alone(kit):
    e = deposited(kit, *prints(2))
    assert kit.real(e)[:, :, VOLUMES].any()
    assert not e.cells[:, :, TIMES].any()
    assert not total(e, TIMES).any()


def test_what_opens_at_a_price_is_laid_into_every_distance_on_both_sides_of_it(kit):
    e = deposited(kit, P, 1.0)
    entry = math.floor(math.log(P) / BIN) - e.base
    offsets = e.offsets[0, VOLUME]
    for d in range(DISTANCES):
        for k in range(RATES * d, RATES * (d + 1)):
            down, up = entry - offsets[d, 0], entry + offsets[d, 1]
            assert np.flatnonzero(e.cells[0, :, k]).tolist() == [down]
            assert np.flatnonzero(e.cells[1, :, k]).tolist() == [up]


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
    assert late.ledger[t.DEPOSITED] == pytest.approx(at_once.ledger[t.DEPOSITED])
    assert late.count[t.WAITING] == 0
    assert not late.pending.any()


def test_volume_before_and_after_a_gap_of_readings_shares_one_rise(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    trade(e, [P, P * 1.02], [1.0, 1.0])
    flush(e, 1.0)
    trade(e, [P, P * 1.04], [1.0, 1.0])
    flush(e, 2.0, 1030.0)
    assert total(e) == pytest.approx(each(0.2 * 4 + 30))
    assert e.count[t.WAITING] == 0


def test_volume_of_one_bin_that_waited_shares_the_rise_with_no_other(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    trade(e, P, 1.0)
    flush(e, 1.0)
    flush(e, 2.0, 1030.0)
    assert total(e) == pytest.approx(each(0.2 + 30))


def test_a_reading_that_does_not_rise_ends_the_wait(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    trade(e, P, 1.0)
    flush(e, 1.0)
    flush(e, 2.0, 1000.0)
    flush(e, 3.0, 1100.0)
    assert total(e) == pytest.approx(each(0.2))


def test_a_rise_without_any_volume_opens_nothing_anywhere(kit):
    e = kit.wide()
    flush(e, 0.0, 1000.0)
    flush(e, 1.0, 2000.0)
    assert not e.ledger[t.DEPOSITED].any()


def test_a_buyers_volume_opens_mostly_longs_and_a_sellers_mostly_shorts(kit):
    for size, side in ((1.0, 0), (-1.0, 1)):
        both = deposited(kit, P, size).ledger[t.DEPOSITED, :, 0]
        assert both[side] / both.sum() == pytest.approx(0.7)


@given(seeds)
def test_a_mirrored_tape_makes_the_mirrored_map_to_one_bin(kit, seed):
    """Price p becomes 1/p around the middle of the grid, and buyers become sellers.

    A point is not as far below as it is above, so only the bands are held to it.
    """
    a, b = kit.wide(), kit.wide()
    middle = at_bin(a, t.BINS / 2)
    for price, size in zip(*prints(seed, 20), strict=True):
        trade(a, price, size)
        trade(b, middle * middle / price, -size)
        flush(a, 1.0)
        flush(b, 1.0)
    banded = slice(RATES * 10, GROUP)
    straight = np.cumsum(a.cells[:, :, banded], axis=1)
    mirrored = np.cumsum(b.cells[::-1, ::-1, banded], axis=1)
    slack = 1e-9 * straight.max()
    assert (mirrored[:, 2:] >= straight[:, :-2] - slack).all()
    assert (straight[:, 2:] >= mirrored[:, :-2] - slack).all()


@given(seeds)
def test_nothing_ever_stands_on_the_wrong_side_of_the_mark(kit, seed):
    e = Exposure(P)
    for _ in lived(e, kit.make(seed)):
        b = int(e.number[t.MARK]) if not math.isnan(e.number[t.MARK]) else -1
        assert b < 0 or not (e.cells[0, b + 1 :].any() or e.cells[1, :b].any())


@given(seeds)
def test_nothing_ever_stands_outside_of_the_extent(kit, seed):
    e = Exposure(P)
    for _ in lived(e, kit.make(seed)):
        assert kit.outside(e) == 0


@given(seeds)
def test_the_ledger_of_every_class_closes(kit, seed):
    for e, slack in ((Exposure(P), 1e-6), (kit.wide(), 1e-12)):
        assert list(lived(e, kit.make(seed)))
        opened = e.ledger[t.DEPOSITED]
        gap = np.abs(e.live() - kit.real(e).sum(axis=1))
        assert (gap <= slack * np.maximum(opened, 1e-9)).all()
        assert (e.decayed() >= -slack * opened).all()


@given(seeds)
def test_no_cell_is_ever_negative_infinite_or_denormal(kit, seed):
    e = Exposure(P)
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
    assert e.count[t.WAITING] == 0
    flush(e, 4.0, 1010.0)
    assert e.ledger[t.DEPOSITED].max() <= 1e-59


def test_a_position_that_opens_behind_the_mark_is_liquidated_at_once():
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    sweep(e, 0, P)
    trade(e, [P * 1.1, P * 0.9], [1.0, -1.0])
    flush(e, 1.0)
    assert e.ledger[t.SWEPT, 0, 0] > 0
    assert e.ledger[t.SWEPT, 1, 0] > 0


def test_a_position_that_would_be_liquidated_off_the_grid_is_entered_as_lost():
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    trade(e, [at_bin(e, 3.5), at_bin(e, 4092.5)], [1.0, -1.0])
    flush(e, 1.0)
    assert e.ledger[t.LOST].sum() > 0
    assert (e.ledger[t.LIVE] >= -1e-12).all()


def quiet(spec=None, marks=(P,)):
    """Return a table whose mark was at these prices, and no print was ever seen."""
    e = Exposure(P, spec)
    for price in marks:
        sweep(e, 0, price)
    flush(e, 0.0, 1000.0)
    return e


def entries(e, side=1, d=DISTANCES - 1):
    """Return the bins at which time was laid, by where its last distance is liquidated.

    Holds where all turns have one and the same offset, see `undithered`.
    """
    k = TIME * GROUP + RATES * d
    return np.flatnonzero(e.cells[side, :, k]) - int(e.offsets[0, TIME, d, 1])


def undithered(e):
    e.offsets = np.repeat(e.offsets[:1], len(e.offsets), axis=0)
    return e


def test_a_quiet_market_gains_exposure_in_the_time_group_only_equal_on_both_sides_and_in_days():
    e = quiet()
    for n in range(1, 25):
        flush(e, n * 3600.0)
    assert e.ledger[t.DEPOSITED, :, TIMES] == pytest.approx(np.ones((2, GROUP)))
    assert e.live()[0, TIMES] == pytest.approx(e.live()[1, TIMES])
    assert (e.live()[:, TIMES] > 0).all()
    assert not e.ledger[:, :, VOLUMES].any()
    assert not e.cells[:, :, VOLUMES].any()
    assert e.number[t.OPENED] == 0, "positions are counted where volume says so"


def test_time_is_laid_once_its_period_has_passed_and_not_before():
    e = quiet()
    flush(e, PERIOD - 1)
    assert not e.ledger[t.DEPOSITED].any()
    flush(e, PERIOD)
    assert total(e, TIMES) == pytest.approx(each(2 * PERIOD / DAY))
    flush(e, 2 * PERIOD - 1)
    assert total(e, TIMES) == pytest.approx(each(2 * PERIOD / DAY))
    flush(e, 2 * PERIOD + 7)
    assert total(e, TIMES) == pytest.approx(each(2 * (2 * PERIOD + 7) / DAY))


@given(st.lists(st.floats(1.0, 5e4), min_size=1, max_size=12))
def test_no_second_is_laid_twice_or_never_however_often_the_table_is_flushed(spans):
    e = quiet()
    ends = np.cumsum(spans)
    for at in ends.tolist():
        flush(e, at)
    last = float(ends[-1]) + PERIOD + 1.0  # a second more: sums of floats are not exact
    flush(e, last)
    assert total(e, TIMES) == pytest.approx(each(2 * last / DAY))


def test_a_market_that_is_not_timed_has_no_time_group():
    e = quiet(Spec(timed=False))
    for n in range(1, 25):
        sweep(e, n * 3600, P * (1 + 0.001 * n))
        flush(e, n * 3600.0)
    assert not e.ledger.any()
    assert not e.cells.any()


def test_time_before_the_first_mark_is_not_laid_anywhere():
    e = Exposure(P)
    flush(e, 0.0, 1000.0)
    flush(e, 10 * PERIOD)
    assert not e.ledger.any()
    sweep(e, 11 * PERIOD, P)
    flush(e, 11 * PERIOD)
    flush(e, 12 * PERIOD)
    assert total(e, TIMES) == pytest.approx(each(2 * PERIOD / DAY))


@pytest.mark.parametrize("width", [0, 1, 3, 6, 7, 8, 20, 333])
def test_time_is_laid_evenly_where_the_mark_has_been_at_no_more_than_a_few_places(width):
    e = quiet(marks=())
    undithered(e)
    for b in (2048.5, 2048.5 + width, 2048.5):
        sweep(e, 0, at_bin(e, b))
    flush(e, 0.0)
    flush(e, PERIOD)
    found = entries(e)
    places = min(width + 1, SPREAD)
    assert e.count[t.TURN + TIME] == places == len(found)
    assert found.min() >= 2048
    assert found.max() <= 2048 + width
    assert np.ptp(np.diff(found)) <= 1 if places > 1 else found.tolist() == [2048]
    assert found.mean() == pytest.approx(2048 + width / 2, abs=1)
    k = TIME * GROUP + GROUP - RATES
    laid = e.cells[1, found + e.offsets[0, TIME, -1, 1], k] * e.scale[k]
    assert laid == pytest.approx(np.full(places, PERIOD / DAY / places), rel=1e-6)


def test_each_time_is_laid_where_the_mark_has_been_since_the_last():
    e = undithered(quiet(marks=()))
    for at, b in ((0, 2048.5), (0, 2056.5), (PERIOD, 2056.5), (2 * PERIOD, 2060.5)):
        sweep(e, at, at_bin(e, b))
        flush(e, float(at))
    moved = e.cells[1].copy()
    last = entries(e)
    assert set(range(2057, 2061)) <= set(last.tolist()) <= set(range(2048, 2061))
    flush(e, 3 * PERIOD)
    later = np.flatnonzero((e.cells[1] != moved)[:, -RATES]) - int(e.offsets[0, TIME, -1, 1])
    assert later.tolist() == [2060], "the mark has stood still since"


def test_time_laid_behind_the_mark_is_liquidated_at_once_and_entered_so():
    e = quiet(marks=(P, P * 1.05, P))
    flush(e, PERIOD)
    swept = e.ledger[t.SWEPT]
    assert swept[0, TIMES][0] > 0
    assert swept[1].sum() == 0
    assert e.live() + swept + e.ledger[t.LOST] == pytest.approx(e.ledger[t.DEPOSITED])


def test_time_passes_at_the_edge_of_the_grid_too():
    e = quiet(marks=())
    sweep(e, 0, at_bin(e, 4090.5))
    flush(e, 0.0)
    flush(e, PERIOD)
    assert e.ledger[t.LOST, 1].sum() > 0
    assert e.ledger[t.LOST, 0].sum() == 0
    assert e.live() + e.ledger[t.LOST] == pytest.approx(e.ledger[t.DEPOSITED])
