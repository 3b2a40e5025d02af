"""Liquidity zones by time and price, runs of them, and clusters they shield."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from powderkeg.events import MINUTE, SECOND
from powderkeg.flow.books.window import ASK, BID
from powderkeg.flow.books.zones import (
    LiquidityZones,
    ZoneColumns,
    added_up,
    coalesce,
    shield,
    shield_of,
)
from powderkeg.flow.thresholds import DEFAULT

RULES = replace(DEFAULT.zones, rows=32)
START = 100 * MINUTE


def levels(*rows):
    return tuple(np.array(rows, np.float64).reshape(-1, 2).T)


def zones(rules=RULES) -> LiquidityZones:
    return LiquidityZones(1.0, rules)


def cell(columns: ZoneColumns, n: int, side: int, row: int) -> tuple[float, float]:
    at = n, side, row - columns.first
    return float(columns.mean[at]), float(columns.peak[at])


def test_a_size_counts_by_the_time_it_was_shown():
    map_ = zones()
    map_.load(START, levels((99, 6.0), (95, 1.0)), levels((101, 2.0)))
    map_.load(START + 45 * SECOND, levels((99, 2.0), (95, 1.0)), levels((101, 2.0)))
    map_.advance(START + MINUTE)
    found = map_.columns()
    assert cell(found, 0, BID, 99) == (5.0, 6.0)
    assert cell(found, 0, BID, 98) == (0.0, 0.0)
    assert cell(found, 0, BID, 100) == (0.0, 0.0)
    assert cell(found, 0, ASK, 101) == (2.0, 2.0)


def test_a_size_shown_across_columns_is_in_each_of_them():
    map_ = zones()
    map_.load(START + 30 * SECOND, levels((99, 6.0)), levels((101, 2.0)))
    map_.advance(START + 150 * SECOND)
    found = map_.columns()
    assert found.times.tolist() == [START, START + MINUTE, START + 2 * MINUTE]
    assert [cell(found, n, BID, 99) for n in range(3)] == [(6.0, 6.0)] * 3
    assert map_.columns(START + MINUTE).times.tolist() == found.times.tolist()[1:]


def test_bids_are_rounded_down_and_asks_up_and_sizes_of_a_row_add_up():
    map_ = zones()
    map_.load(START, levels((99.9, 1.0), (99.1, 2.0)), levels((100.1, 4.0), (101.0, 8.0)))
    map_.advance(START + SECOND)
    found = map_.columns()
    assert cell(found, 0, BID, 99)[0] == 3.0
    assert cell(found, 0, ASK, 101)[0] == 12.0


def test_rows_beyond_the_last_visible_level_are_unknown_not_empty():
    map_ = zones()
    map_.load(START, levels((99, 1.0), (97, 1.0)), levels((101, 1.0)))
    map_.advance(START + SECOND)
    found = map_.columns()
    assert cell(found, 0, BID, 98) == (0.0, 0.0)
    assert np.isnan(cell(found, 0, BID, 96)).all()
    assert np.isnan(cell(found, 0, ASK, 102)).all()


def test_time_without_a_book_does_not_count():
    map_ = zones()
    map_.load(START, levels((99, 6.0)), levels((101, 2.0)))
    map_.mark_gap(START + 15 * SECOND)
    map_.load(START + 45 * SECOND, levels((99, 2.0)), levels((101, 2.0)))
    map_.load(START + 60 * SECOND, levels(), levels((101, 2.0)))
    map_.load(START + 5 * MINUTE, levels((99, 2.0)), levels((101, 2.0)))
    map_.advance(START + 6 * MINUTE)
    found = map_.columns()
    assert cell(found, 0, BID, 99) == (4.0, 6.0)
    starts = [START, START + MINUTE, START + 5 * MINUTE, START + 6 * MINUTE]
    assert found.times.tolist() == starts
    assert np.isnan(found.mean[1]).all()
    assert cell(found, 2, BID, 99) == (2.0, 2.0)


def test_old_columns_give_their_place_to_new_ones():
    map_ = zones(replace(RULES, columns=3))
    map_.load(START, levels((99, 6.0)), levels((101, 2.0)))
    map_.advance(START + 50 * MINUTE)
    last = START + 50 * MINUTE
    assert map_.columns().times.tolist() == [last - 2 * MINUTE, last - MINUTE, last]
    assert zones().columns().times.tolist() == []


@pytest.mark.parametrize("jump", [10, -10, 500])
def test_rows_follow_the_price_and_columns_before_keep_theirs(jump):
    map_ = zones()
    map_.load(START, levels((99, 6.0)), levels((101, 2.0)))
    map_.load(START + 30 * SECOND, levels((99 + jump, 4.0)), levels((101 + jump, 2.0)))
    map_.advance(START + 90 * SECOND)
    found = map_.columns()
    assert cell(found, 1, BID, 99 + jump) == (4.0, 4.0)
    assert cell(found, 0, BID, 99 + jump)[1] == 4.0
    before = map_.columns(first=60, count=80)
    assert cell(before, 0, BID, 99)[1] == 6.0 or abs(jump) > RULES.rows


def test_any_rows_can_be_asked_for():
    map_ = zones()
    map_.load(START, levels((99, 6.0), (90, 1.0)), levels((101, 2.0)))
    map_.load(START + MINUTE, levels((199, 4.0)), levels((201, 2.0)))
    map_.advance(START + 90 * SECOND)
    found = map_.columns(first=95, count=110)
    assert found.mean.shape == (2, 2, 110)
    assert cell(found, 0, BID, 99)[1] == 6.0
    assert cell(found, 1, BID, 199)[1] == 4.0
    assert np.isnan(cell(found, 1, BID, 99)).all(), "it is beyond the last bid now"


BOOKS = st.lists(
    st.tuples(st.integers(1, 200), st.floats(0.1, 50.0), st.floats(0.1, 50.0)),
    min_size=1,
    max_size=20,
)


@given(BOOKS)
def test_the_mean_is_the_integral_of_the_size_over_time_and_never_above_the_peak(steps):
    map_, now = zones(), START
    integral: dict[int, float] = {}
    for tenths, size, ask in steps:
        map_.load(now, levels((99, size)), levels((101, ask)))
        for _ in range(tenths):
            column = now // MINUTE
            integral[column] = integral.get(column, 0.0) + size / 10
            now += SECOND // 10
    map_.advance(now)
    found = map_.columns()
    for n, start in enumerate(found.times.tolist()):
        seconds = (min(start + MINUTE, now) - max(start, START)) / SECOND
        mean, peak = cell(found, n, BID, 99)
        if seconds > 0:
            assert mean == pytest.approx(integral[start // MINUTE] / seconds)
            assert mean <= peak * (1 + 1e-9)


def column_sizes(*sizes, times=None) -> ZoneColumns:
    """Return columns of one row of bids, and one of asks that is never visible."""
    mean = np.full((len(sizes), 2, 1), np.nan)
    mean[:, BID, 0] = sizes
    at = np.arange(len(sizes)) if times is None else np.array(times)
    return ZoneColumns(START + at * MINUTE, 1.0, 99, mean, mean * 2)


def spans(columns: ZoneColumns) -> list[tuple[int, int, float]]:
    runs = coalesce(columns)
    return [
        ((int(start) - START) // MINUTE, (int(stop) - START) // MINUTE, float(mean))
        for start, stop, mean in zip(runs.start, runs.stop, runs.mean, strict=True)
    ]


def test_sizes_within_fifteen_percent_are_one_run():
    assert spans(column_sizes(10.0, 11.0, 11.5, 11.51)) == [(0, 3, 32.5 / 3), (3, 4, 11.51)]
    assert spans(column_sizes(11.5, 10.0)) == [(0, 2, 10.75)]


def test_a_slow_rise_is_no_single_run():
    assert len(spans(column_sizes(*(10.0 * 1.05**n for n in range(12))))) == 4


def test_empty_and_unseen_rows_and_missing_columns_end_a_run():
    assert spans(column_sizes(5.0, 0.0, 5.0)) == [(0, 1, 5.0), (2, 3, 5.0)]
    assert spans(column_sizes(5.0, np.nan, 5.0)) == [(0, 1, 5.0), (2, 3, 5.0)]
    assert spans(column_sizes(5.0, 5.0, times=[0, 2])) == [(0, 1, 5.0), (2, 3, 5.0)]
    assert spans(column_sizes()) == []


def test_a_run_has_the_peak_of_its_columns_and_rows_are_apart():
    map_ = zones()
    map_.load(START, levels((99, 6.0), (98, 50.0)), levels((101, 2.0)))
    map_.load(START + 65 * SECOND, levels((99, 6.5), (98, 1.0)), levels((101, 2.0)))
    map_.advance(START + 2 * MINUTE - 1)
    runs = map_.runs()
    rows = list(zip(runs.side.tolist(), runs.row.tolist(), runs.peak.tolist(), strict=True))
    assert rows == [(BID, 98, 50.0), (BID, 99, 6.5), (ASK, 101, 2.0), (BID, 98, 50.0)]


SIZES = st.lists(st.sampled_from([0.0, np.nan]) | st.floats(0.1, 9.0), min_size=1, max_size=40)


@given(SIZES)
def test_every_size_is_in_one_run_whose_mean_is_within_fifteen_percent(sizes):
    columns = column_sizes(*sizes)
    covered = np.zeros(len(sizes))
    for start, stop, mean in spans(columns):
        part = columns.mean[start:stop, BID, 0]
        covered[start:stop] += 1
        assert part.max() <= part.min() * (1 + RULES.alike)
        assert mean == pytest.approx(part.mean())
    assert covered.tolist() == (np.nan_to_num(columns.mean[:, BID, 0]) > 0).tolist()


BIDS = levels((100.0, 1.0), (99.0, 2.0), (97.0, 4.0))
ASKS = levels((102.0, 1.0), (103.0, 2.0), (105.0, 4.0))


def test_a_cluster_of_longs_is_shielded_by_bids_of_half_its_mass():
    found = shield(BIDS, ASKS, "long", 98.0, 100.0, 596.0)
    assert (found.passive, found.ratio, found.verdict) == (298.0, 0.5, "shielded")
    assert shield(BIDS, ASKS, "long", 98.0, 100.0, 596.1).verdict == "exposed"


def test_a_cluster_of_shorts_is_shielded_by_asks():
    assert shield(BIDS, ASKS, "short", 102.0, 103.0, 600.0).passive == 308.0
    assert shield(BIDS, ASKS, "short", 102.0, 103.0, 600.0).verdict == "shielded"
    assert shield(BIDS, ASKS, "short", 103.5, 104.5, 1.0).verdict == "exposed"


def test_a_band_beyond_what_is_visible_is_not_called_exposed():
    assert shield(BIDS, ASKS, "long", 90.0, 98.0, 1e9).verdict is None
    assert shield(BIDS, ASKS, "long", 90.0, 98.0, 388.0).verdict == "shielded", "already enough"
    assert shield(BIDS, ASKS, "short", 104.0, 106.0, 1e9).verdict is None
    assert shield(levels(), ASKS, "long", 90.0, 98.0, 1.0).verdict is None


def test_books_are_added_and_one_that_ends_within_the_band_makes_it_a_lower_bound():
    deep, short = (BIDS, ASKS), (levels((100.0, 3.0)), ASKS)
    both = shield_of([deep, short], "long", 98.0, 100.0, 1e4)
    assert (both.passive, both.verdict, both.complete) == (598.0, None, False)
    assert shield_of([deep, deep], "long", 98.0, 100.0, 1e4).verdict == "exposed"
    assert shield_of([deep, short], "long", 98.0, 100.0, 1e3).verdict == "shielded"
    assert shield_of([], "long", 98.0, 100.0, 1e3).verdict is None


def test_books_are_added_up_on_higher_rows_bids_down_and_asks_up():
    maps = zones(), zones()
    maps[0].load(START, levels((99, 6.0), (96, 1.0), (90, 1.0)), levels((101, 2.0), (105, 3.0)))
    maps[1].load(START + MINUTE, levels((98, 4.0), (95, 2.0)), levels((102, 8.0)))
    for each in maps:
        each.advance(START + 2 * MINUTE)
    found = added_up([each.kept(START) for each in maps], 5.0, 18, 4)
    assert found.times.tolist() == [START, START + MINUTE, START + 2 * MINUTE]
    assert cell(found, 0, BID, 19) == (7.0, 7.0)
    assert cell(found, 1, BID, 19) == (13.0, 13.0)
    assert cell(found, 0, ASK, 21) == (5.0, 5.0)
    assert cell(found, 1, ASK, 21) == (13.0, 13.0)
    assert cell(found, 0, BID, 18) == (1.0, 1.0)
    assert np.isnan(cell(added_up([maps[1].kept()], 5.0, 18, 4), 0, BID, 18)).all()
    assert added_up([], 5.0, 18, 4).mean.shape == (0, 2, 4)


def test_reading_the_map_does_not_change_it():
    one, other = zones(), zones()
    for each in (one, other):
        each.load(START, levels((99, 6.0)), levels((101, 2.0)))
        each.advance(START + 30 * SECOND)
    one.columns()
    for name in LiquidityZones.__slots__:
        mine, its = getattr(one, name), getattr(other, name)
        assert np.array_equal(mine, its, equal_nan=isinstance(mine, np.ndarray)) or mine == its


@pytest.mark.parametrize(("low", "high", "mass"), [(1.0, 2.0, 0.0), (2.0, 1.0, 5.0)])
def test_a_cluster_without_mass_or_band_is_refused(low, high, mass):
    with pytest.raises(ValueError, match="expected a mass above 0"):
        shield(BIDS, ASKS, "long", low, high, mass)
