"""Candles on the columns of the ring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, SECOND, Candles
from powderkeg.maps.heatmap.prices import CLOSE, HIGH, LOW, OPEN, VOLUME, PriceRing

seeds = st.integers(0, 2**32 - 1)


def run(seed, n=200):
    chance = np.random.default_rng(seed)
    times = np.sort(chance.integers(0, 30 * MINUTE, n)) + 1000 * MINUTE
    return times, 100 * np.exp(np.cumsum(chance.normal(0, 0.01, n))), chance.exponential(1.0, n)


def bars(start, count, span=MINUTE):
    times = (start + np.arange(count)) * span
    rising = 100.0 + np.arange(count)
    ones = np.ones(count)
    return Candles(
        "m", int(times[-1]) + span, int(times[-1]) + span, span, times, rising, rising + 3,
        rising - 2, rising + 1, ones, ones / 2, ones, ones, ones, ones,
    )  # fmt: skip


@given(seeds, st.integers(1, 199))
def test_prints_in_two_runs_are_prints_in_one(seed, cut):
    one, two = PriceRing(MINUTE, 50), PriceRing(MINUTE, 50)
    columns = run(seed)
    one.add_run(*columns)
    two.add_run(*(column[:cut] for column in columns))
    two.add_run(*(column[cut:] for column in columns))
    assert one.last == two.last
    assert np.allclose(one.values, two.values, rtol=1e-12, equal_nan=True)


@given(seeds)
def test_a_column_holds_what_was_traded_in_it(seed):
    ring = PriceRing(MINUTE, 50)
    times, prices, sizes = run(seed)
    ring.add_run(times, prices, sizes)
    window = ring.window(ring.last, 50)
    for column, bar in zip(range(ring.last - 49, ring.last + 1), window, strict=True):
        here = times // MINUTE == column
        if not here.any():
            assert np.isnan(bar).all()
            continue
        assert (bar[OPEN], bar[CLOSE]) == (prices[here][0], prices[here][-1])
        assert (bar[HIGH], bar[LOW]) == (prices[here].max(), prices[here].min())
        assert bar[VOLUME] == pytest.approx(sizes[here].sum())


def test_finer_candles_make_a_coarser_one():
    ring = PriceRing(5 * MINUTE, 10)
    ring.add_bars(bars(5, 5))
    assert ring.window(1, 1)[0].tolist() == [100.0, 107.0, 98.0, 105.0, 5.0]


def test_the_oldest_columns_make_room_and_what_comes_too_late_is_left_out():
    ring = PriceRing(MINUTE, 4)
    ring.add_bars(bars(100, 6))
    before = ring.values.copy()
    ring.add_bars(bars(101, 1))
    assert np.array_equal(before, ring.values)
    assert np.isnan(ring.window(101, 2)).all()
    assert not np.isnan(ring.window(105, 4)).any()


def test_a_late_print_within_the_ring_is_added_to_its_column():
    ring = PriceRing(MINUTE, 4)
    ring.add_bars(bars(100, 3))
    ring.add_run(np.array([100 * MINUTE + SECOND]), np.array([1.0]), np.array([5.0]))
    assert ring.window(100, 1)[0, [LOW, VOLUME]].tolist() == [1.0, 6.0]
    assert ring.last == 102


def test_columns_that_were_skipped_are_empty_not_old():
    ring = PriceRing(MINUTE, 4)
    ring.add_bars(bars(100, 4))
    ring.add_bars(bars(106, 1))
    assert np.isnan(ring.window(106, 4)[:, OPEN]).tolist() == [False, True, True, False]


def test_nothing_is_known_before_the_first_and_after_the_last_column():
    ring = PriceRing(MINUTE, 4)
    assert np.isnan(ring.window(3, 10)).all()
    ring.add_bars(bars(100, 1))
    assert np.isnan(ring.window(101, 1)).all()
