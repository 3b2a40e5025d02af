"""The price-time ring."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.table import OI
from powderkeg.events import MINUTE
from powderkeg.grid import BIN
from powderkeg.history.snapshots import CODEC
from powderkeg.maps.heatmap.ring import EMPTY, FILLED, HOLE, ROWS, Ring, column_boundaries

from .conftest import ONES

T = 1_767_225_600_000_000
ALL, BOTH = np.ones(5, np.bool_), np.ones(2, np.bool_)


def write(ring, known, at):
    ring.write(at, known.estimate.exposure, ONES)


def seen(ring, until, columns=1, first=None, tiers=ALL, sides=BOTH):
    out = np.zeros((columns, ROWS))
    start = int(ring.firsts[until % ring.size]) if first is None else first
    ring.blend(until, columns, start, tiers, sides, out)
    return out


@pytest.mark.parametrize("per_row", [1, 2])
def test_a_level_is_drawn_in_its_row_at_its_dollars(stand, per_row):
    known = stand({-30: 5.0, 40: 7.0})
    ring = Ring(MINUTE, 10, per_row)
    write(ring, known, T)
    (row,) = seen(ring, T // MINUTE)
    centre = math.floor(math.log(100_000.0) / BIN)
    first = int(ring.firsts[T // MINUTE % 10])
    for away, coins in ((-30, 5.0), (40, 7.0)):
        price = math.exp((centre + away + 0.5) * BIN)
        assert row[(centre + away) // per_row - first] == pytest.approx(coins * price, rel=0.024)
    assert np.count_nonzero(row) == 2


def test_a_swept_level_ends_in_the_column_in_which_price_took_it(stand):
    known = stand({-30: 5.0})
    ring = Ring(MINUTE, 10)
    for n in range(6):
        if n == 3:
            known.estimate.move_mark(T + n * MINUTE, 100_000 * math.exp(-60 * BIN))
        write(ring, known, T + n * MINUTE)
    stands = seen(ring, T // MINUTE + 5, 6, int(ring.firsts[T // MINUTE % 10])).any(axis=1)
    assert stands.tolist() == [True, True, True, False, False, False]


def test_longs_and_shorts_in_the_row_of_the_mark_are_kept_apart(stand):
    known = stand({-1: 5.0, 0: 7.0})
    ring = Ring(MINUTE, 10, per_row=800)
    write(ring, known, T)
    longs, shorts = (
        seen(ring, T // MINUTE, sides=np.array(side))[0] for side in ([True, False], [False, True])
    )
    assert (longs.sum(), shorts.sum()) == (
        pytest.approx(5e5, rel=0.2),
        pytest.approx(7e5, rel=0.2),
    )
    assert np.flatnonzero(longs) == np.flatnonzero(shorts) == [ROWS // 2]
    assert seen(ring, T // MINUTE).sum() == pytest.approx(longs.sum() + shorts.sum())


def test_only_the_tiers_and_sides_that_are_chosen_are_blended(stand):
    known = stand({-30: 5.0, 0: 3.0, 40: 7.0})
    tier = int(known.estimate.exposure.basis.tiers[3])
    ring = Ring(MINUTE, 10)
    write(ring, known, T)
    only = np.arange(5) == tier
    whole = seen(ring, T // MINUTE)
    assert np.array_equal(seen(ring, T // MINUTE, tiers=only), whole)
    assert not seen(ring, T // MINUTE, tiers=~only).any()
    parts = [
        seen(ring, T // MINUTE, sides=np.array(side)) for side in ([True, False], [False, True])
    ]
    assert np.allclose(sum(parts), whole)
    assert parts[0].any()
    assert parts[1].any()


def test_a_blend_of_venues_is_their_sum(stand):
    rings = []
    for venue, price in (("binance", 100_000.0), ("bybit", 100_300.0)):
        ring = Ring(MINUTE, 10)
        write(ring, stand({-30: 5.0, -36: 2.0, 40: 7.0}, venue=venue, price=price), T)
        rings.append(ring)
    first = int(rings[0].firsts[T // MINUTE % 10])
    both = np.zeros((1, ROWS))
    for ring in rings:
        ring.blend(T // MINUTE, 1, first, ALL, BOTH, both)
    single = [seen(ring, T // MINUTE, first=first) for ring in rings]
    assert both == pytest.approx(single[0] + single[1], rel=1e-9)


def test_rows_beyond_the_picture_are_cut_off(stand):
    known = stand({-30: 5.0})
    ring = Ring(MINUTE, 10)
    write(ring, known, T)
    first = int(ring.firsts[T // MINUTE % 10])
    for shift in (-900, 900):
        assert not seen(ring, T // MINUTE, first=first + shift).any()


def test_the_edge_of_the_exposure_grid_is_drawn_as_nothing(stand):
    known = stand({})
    exposure = known.estimate.exposure
    exposure.cells[1, 4000:] = 1.0
    known.estimate.move_mark(T, math.exp((exposure.base + 3050) * BIN))
    ring = Ring(MINUTE, 10, per_row=3)
    write(ring, known, T)
    assert seen(ring, T // MINUTE).any()


def test_a_gap_is_hatched_and_never_filled(stand):
    known = stand({-30: 5.0})
    ring = Ring(MINUTE, 10)
    now = T // MINUTE
    write(ring, known, T)
    ring.mark_gap(T + MINUTE, T + 3 * MINUTE)
    write(ring, known, T + 5 * MINUTE)
    assert ring.gaps(now + 5, 6).tolist() == [False, True, True, True, False, False]
    stands = seen(ring, now + 5, 6, int(ring.firsts[now % 10])).any(axis=1)
    assert stands.tolist() == [True, False, False, False, False, True]


def test_a_column_with_any_data_in_it_is_no_gap(stand):
    ring = Ring(MINUTE, 10)
    write(ring, stand({}), T + MINUTE)
    ring.mark_gap(T, T + 2 * MINUTE)
    assert ring.gaps(T // MINUTE + 2, 3).tolist() == [True, False, True]
    write(ring, stand({}), T + 2 * MINUTE)
    assert not ring.gaps(T // MINUTE + 2, 1).any()


def test_a_gap_told_late_marks_the_columns_nobody_wrote(stand):
    ring = Ring(MINUTE, 10)
    write(ring, stand({}), T)
    write(ring, stand({}), T + 4 * MINUTE)
    ring.mark_gap(T + MINUTE, T + 2 * MINUTE)
    assert ring.gaps(T // MINUTE + 4, 5).tolist() == [False, True, True, False, False]


def test_a_gap_longer_than_the_ring_marks_all_of_it():
    ring = Ring(MINUTE, 10)
    ring.mark_gap(0, T)
    assert ring.gaps(T // MINUTE, 10).all()
    assert not ring.gaps(T // MINUTE, 11)[0]


def test_a_column_that_has_left_the_ring_is_not_drawn_over_a_newer_one(stand):
    ring = Ring(MINUTE, 4)
    known = stand({-30: 5.0})
    write(ring, known, T)
    before = CODEC.digest(ring)
    known.estimate.move_mark(T, 120_000.0)
    write(ring, known, T - 4 * MINUTE)
    assert CODEC.digest(ring) == before
    write(ring, known, T - 3 * MINUTE)
    assert ring.states.tolist().count(FILLED) == 2
    assert ring.last == T // MINUTE


def test_columns_that_were_skipped_are_empty_not_old(stand):
    ring = Ring(MINUTE, 4)
    known = stand({-30: 5.0})
    for n in range(4):
        write(ring, known, T + n * MINUTE)
    write(ring, known, T + 6 * MINUTE)
    now = T // MINUTE + 6
    assert [int(ring.states[c % 4]) for c in range(now - 3, now + 1)] == [
        FILLED, EMPTY, EMPTY, FILLED,
    ]  # fmt: skip
    assert HOLE not in ring.states


def test_a_column_is_due_when_it_is_over_or_half_old(stand):
    ring = Ring(6 * MINUTE, 4)
    assert ring.due(T + 1)
    write(ring, stand({}), T + 1)
    assert not ring.due(T + 3 * MINUTE)
    assert ring.due(T + 3 * MINUTE + 1)
    assert ring.due(T + 6 * MINUTE)


@given(st.integers(1, 300), st.sampled_from([1, 3]), st.integers(2, 50))
def test_cuts_are_where_a_column_of_some_ring_is_over(count, minutes, size):
    span = minutes * MINUTE
    ends = T + np.arange(1, count + 1) * span
    until = int(ends[-1])
    rings = {step * MINUTE: Ring(step * MINUTE, size) for step in (1, 5, 30)}
    for stop in column_boundaries(ends, rings, until, span):
        assert any(
            step >= span
            and int(ends[stop - 1]) > until - step * size
            and (stop == count or (ends[stop - 1] - 1) // step < (ends[stop] - 1) // step)
            for step in rings
        )
    assert column_boundaries(ends, rings, until, span)[-1:] == [count]


def test_what_was_drawn_before_open_interest_was_known_is_held_within_the_first_reading(stand):
    known = stand({-30: 6.0, 40: 2.0})
    ring = Ring(MINUTE, 10)
    ring.write(T, known.estimate.exposure, ONES, np.array([6.0, 2.0]))
    ring.write(T + MINUTE, known.estimate.exposure, ONES)
    first = int(ring.firsts[T // MINUTE % 10])
    before = seen(ring, T // MINUTE + 1, 2, first)
    assert np.array_equal(before[0], before[1])
    ring.bound = 3.0
    held = seen(ring, T // MINUTE + 1, 2, first)
    assert np.array_equal(held[1], before[1])
    for row in np.flatnonzero(before[0]):
        share = 0.5 if row < ring.fronts[T // MINUTE % 10] else 1.0
        assert held[0, row] == pytest.approx(before[0, row] * share)


@given(st.floats(0.01, 100), st.floats(0, 100), st.floats(0, 100))
def test_no_side_of_a_column_counts_more_than_the_bound(bound, long, short):
    ring = Ring(MINUTE, 4)
    ring.unbounded[1], ring.bound = (long, short), bound
    shares = ring.shares(np.array([0, 1]))
    assert (shares[0] == 1).all()
    assert (shares[1] * (long, short) <= bound * (1 + 1e-9)).all()
    assert (shares <= 1).all()


def scaled(stand, k, last=0):
    """Return a ring of a map in `k` times as many coins, drawn in every column."""
    known = stand({-30: 5.0 * k, 40: 7.0 * k, 41: 0.02 * k})
    known.estimate.exposure.number[OI] = 2.5e4 * k  # 2.5 billion dollars, times k
    ring = Ring(MINUTE, 100)
    for n in range(last + 1):
        write(ring, known, T + n * MINUTE)
    return ring, known


@pytest.mark.parametrize("k", [1e-6, 1e-4, 1e-1, 1e2, 1e4])
def test_open_interest_times_k_gives_the_same_bytes_and_dollars_times_k(stand, k):
    (one, _), (other, _) = scaled(stand, 1.0), scaled(stand, k)
    assert np.array_equal(one.column(T // MINUTE), other.column(T // MINUTE))
    assert seen(other, T // MINUTE) == pytest.approx(seen(one, T // MINUTE) * k)
    assert np.count_nonzero(seen(other, T // MINUTE)) == 2


def test_a_ring_whose_market_grows_tenfold_keeps_its_past_within_a_step(stand):
    ring, known = scaled(stand, 0.1, last=70)
    first = int(ring.firsts[T // MINUTE % ring.size])
    before = seen(ring, T // MINUTE + 70, 71, first)
    known.estimate.exposure.number[OI] *= 10
    write(ring, known, T + 71 * MINUTE)
    assert ring.unit == pytest.approx(1.0)
    after = seen(ring, T // MINUTE + 70, 71, first)
    kept = before >= 1e4
    assert np.count_nonzero(kept) > 71
    assert after[kept] == pytest.approx(before[kept], rel=0.047)
    assert seen(ring, T // MINUTE + 71).sum() == pytest.approx(before[-1].sum(), rel=0.03)
