"""Spread and depth, their recovery, and thin hours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from powderkeg.events import HOUR, MINUTE, SECOND, BookSnapshot
from powderkeg.flow.books.depth import HourlyDepth, Recovery, book_depth, depth_of
from powderkeg.flow.thresholds import DEFAULT
from powderkeg.market.book import Book

RULES = DEFAULT.depth
WEEK = 168 * HOUR
SIDE = st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.001, 9.0)), min_size=1, max_size=30)


def levels(*rows):
    return tuple(np.array(rows, np.float64).reshape(-1, 2).T)


def test_depth_is_what_rests_within_each_distance_of_the_mid_its_edge_included():
    bids = levels((99.95, 1.0), (99.9, 2.0), (99.5, 4.0), (98.0, 8.0))
    asks = levels((100.05, 1.0), (100.1, 0.5), (102.0, 3.0), (102.1, 99.0))
    found = book_depth(bids, asks)
    assert found.mid == 100.0
    assert found.spread == pytest.approx(0.1)
    assert found.coins[:, 0].tolist() == [3.0, 7.0, 7.0, 15.0]
    assert found.coins[:, 1].tolist() == [1.5, 1.5, 1.5, 4.5]
    assert found.notional[0].tolist() == pytest.approx([99.95 + 2 * 99.9, 100.05 + 50.05])


def test_the_order_of_levels_and_how_they_come_does_not_matter():
    bids, asks = ((99.0, 1.0), (98.0, 2.0)), ((101.0, 1.0), (102.0, 2.0))
    book = Book("binance:BTCUSDT")
    book.apply(BookSnapshot(book.market, 1, 1, bids, asks))
    one, other = depth_of(book), book_depth(levels(*bids[::-1]), levels(*asks[::-1]))
    assert one.coins.tolist() == other.coins.tolist()
    assert one.notional.tolist() == other.notional.tolist()


def test_depth_beyond_the_last_visible_level_is_called_incomplete():
    found = book_depth(levels((99.99, 1.0), (99.4, 1.0)), levels((100.01, 1.0), (100.2, 1.0)))
    assert found.reach == pytest.approx((0.006, 0.002))
    assert found.complete.tolist() == [[True, True], [True, False], [False, False], [False, False]]


def test_an_empty_side_leaves_depth_unknown():
    found = book_depth(levels((99.0, 1.0)), levels())
    assert math.isnan(found.spread)
    assert np.isnan(found.coins).all()
    assert not found.complete.any()


@given(SIDE, SIDE)
def test_depth_never_falls_with_distance_and_holds_all_levels_in_the_end(bids, asks):
    below = levels(*((99.0 - away, size) for away, size in bids))
    above = levels(*((101.0 + away, size) for away, size in asks))
    found = book_depth(below, above, (0.001, 0.02, 0.2))
    assert (np.diff(found.coins, axis=0) >= 0).all()
    assert found.coins[-1] == pytest.approx([below[1].sum(), above[1].sum()])
    assert found.notional[-1] == pytest.approx([below[0] @ below[1], above[0] @ above[1]])


def usual(measure, value: float = 10.0) -> tuple[Recovery, int]:
    """Return a recovery that has read the same for a minute, and the time."""
    tracker = Recovery(measure)
    for second in range(60):
        tracker.add(second * SECOND, value)
    return tracker, 60 * SECOND


def test_recovery_is_timed_from_the_shock_to_nine_tenths_of_the_median_before():
    tracker, now = usual("depth")
    for at, value in ((0, 5.0), (2, 3.0), (4, 8.9), (7, 9.0)):
        tracker.add(now + at * SECOND, value)
    (shock,) = tracker.shocks
    assert (shock.start, shock.usual, shock.worst, shock.seconds) == (now, 10.0, 3.0, 7.0)
    assert tracker.shock is None


def test_a_spread_is_in_shock_at_four_times_the_median_and_back_at_a_ninth_more():
    tracker, now = usual("spread")
    tracker.add(now, 39.0)
    assert tracker.shock is None
    tracker.add(now + SECOND, 40.0)
    tracker.add(now + 2 * SECOND, 50.0)
    tracker.add(now + 3 * SECOND, 11.2)
    assert tracker.shock is not None
    tracker.add(now + 4 * SECOND, 11.1)
    assert [(s.worst, s.seconds) for s in tracker.shocks] == [(50.0, 3.0)]


def test_recovery_time_is_none_while_it_has_not_recovered():
    tracker, now = usual("depth")
    tracker.add(now, 0.0)
    assert tracker.shock is not None
    assert tracker.shock.seconds is None
    assert list(tracker.shocks) == []


def test_a_shock_that_lasts_is_the_new_usual_and_has_no_end():
    tracker, now = usual("depth")
    tracker.add(now, 4.0)
    tracker.add(now + RULES.longest + 1, 4.0)
    assert [s.end for s in tracker.shocks] == [None]
    assert math.isnan(tracker.usual)
    for second in range(RULES.warm_up):
        tracker.add(now + RULES.longest + (2 + second) * SECOND, 4.0)
    assert tracker.usual == 4.0


def test_nothing_is_a_shock_before_the_usual_is_known_or_after_a_gap():
    tracker = Recovery("depth")
    for second in range(RULES.warm_up - 1):
        tracker.add(second * SECOND, 10.0)
    tracker.add(RULES.warm_up * SECOND, math.nan)
    tracker.add((RULES.warm_up - 2) * SECOND + 1, 0.1)  # a second counts once
    assert tracker.shock is None
    tracker, now = usual("depth")
    tracker.add(now + RULES.before, 9.0)  # all others are older than the window
    assert math.isnan(tracker.usual)


def test_a_reading_in_shock_is_not_learned():
    tracker, now = usual("depth")
    for second in range(20):
        tracker.add(now + second * SECOND, 1.0)
    tracker.add(now + 20 * SECOND, 9.5)
    assert tracker.usual == 10.0


@given(st.floats(0.01, 1e6), st.floats(0.01, 0.49), st.floats(0.91, 9.0))
def test_recovery_does_not_depend_on_the_unit(scale, drop, back):
    shocks = []
    for unit in (1.0, scale):
        tracker, now = usual("depth", 10.0 * unit)
        tracker.add(now, 10.0 * unit * drop)
        tracker.add(now + 5 * SECOND, 10.0 * unit * back)
        shocks.append([(s.start, s.end) for s in tracker.shocks])
    assert shocks[0] == shocks[1]


def hourly(depths, hour: int = 7) -> HourlyDepth:
    """Return what has read one hour of each of several weeks at a depth each."""
    out = HourlyDepth()
    for week, depth in enumerate(depths):
        for minute in range(60):
            out.add(week * WEEK + hour * HOUR + minute * MINUTE, depth)
    return out


def test_an_hour_is_thin_below_half_the_median_of_that_hour_of_other_weeks():
    known = hourly([10.0, 30.0, 20.0, 1.0])
    now = 3 * WEEK + 7 * HOUR
    assert known.read(now, 9.9).thin is True
    assert known.read(now, 10.0).thin is False
    assert known.read(now, 10.0).share == 0.5
    assert known.read(now, 10.0).usual == 20.0


def test_it_is_not_known_yet_before_three_of_that_hour():
    known = hourly([10.0, 10.0, 10.0])
    at = 2 * WEEK + 7 * HOUR
    assert known.read(at, 1.0).thin is None, "an hour that is not over does not count"
    known.add(at + HOUR, 5.0)
    assert known.read(at + WEEK, 1.0).thin is True
    assert known.read(at + WEEK + HOUR, 1.0).thin is None, "another hour has not been seen"
    assert known.read(at + WEEK, math.nan).thin is None


def test_weeks_that_are_too_old_no_longer_count():
    known = hourly([10.0] * 5)
    later = (RULES.weeks + 2) * WEEK + 7 * HOUR
    known.add(later + HOUR, 5.0)
    assert known.read(later, 1.0).usual == 10.0
    assert known.read(later + WEEK, 1.0).thin is None


def test_a_minute_counts_once_and_an_empty_usual_book_is_never_thin():
    known = HourlyDepth(replace(RULES, least_weeks=1))
    for second in range(60):
        known.add(second * SECOND, 0.0 if second == 0 else 100.0)
    known.add(HOUR, 5.0)
    found = known.read(WEEK, 1.0)
    assert (found.usual, found.share, found.thin) == (0.0, math.inf, False)
