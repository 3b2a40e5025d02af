"""Clusters."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.grid import BIN
from powderkeg.maps.heatmap.coin_view import TIER_NAMES, PriceProfile
from powderkeg.maps.heatmap.ground import ground
from powderkeg.maps.views.clusters import (
    APART,
    NEAR,
    REACH,
    TIMES,
    WIDEST,
    clusters,
    standing,
    within_reach,
)

seeds = st.integers(0, 2**32 - 1)
BASE = 23_000
MARK = math.exp((BASE + 400.5) * BIN)


def bumps(seed):
    """Return a map of smooth bumps of random place, width, height and tier."""
    chance = np.random.default_rng(seed)
    dollars = np.zeros((5, 2, 800))
    x = np.arange(800)
    for _ in range(12):
        at, width = chance.uniform(100, 700), chance.uniform(2, 40)
        bump = chance.exponential(1e6) * np.exp(-((x - at) ** 2) / width**2)
        side = 0 if at < 400 else 1
        dollars[chance.integers(0, 5), side] += bump
    dollars[:, 0, 401:] = 0.0
    dollars[:, 1, :400] = 0.0
    return PriceProfile(BASE, dollars)


def bins(cluster):
    """Return the first bin and the one after the last."""
    return tuple(round(math.log(p) / BIN) - BASE for p in (cluster.floor, cluster.top))


@given(seeds)
def test_a_cluster_is_a_stretch_of_prices_around_its_peak(seed):
    for cluster in clusters(bumps(seed), MARK):
        start, stop = bins(cluster)
        assert cluster.floor <= cluster.peak <= cluster.top
        assert 0 < stop - start <= 2 * WIDEST + 1


@given(seeds)
def test_the_mass_of_a_cluster_is_all_that_stands_inside_it(seed):
    part = bumps(seed)
    for cluster in clusters(part, MARK):
        start, stop = bins(cluster)
        side = 0 if cluster.side == "long" else 1
        assert cluster.notional == pytest.approx(part.by_side()[side, start:stop].sum())
        assert sum(cluster.tiers.values()) == pytest.approx(cluster.notional)
        assert cluster.tiers[str(cluster.tier)] == max(cluster.tiers.values())


@given(seeds)
def test_no_two_clusters_of_a_side_share_a_price(seed):
    found = clusters(bumps(seed), MARK, most=99)
    for side in ("long", "short"):
        spans = sorted(bins(cluster) for cluster in found if cluster.side == side)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        assert len(found) == 0 or sum(cluster.notional for cluster in found) > 0


@given(seeds)
def test_a_cluster_holds_half_as_much_again_as_its_ground(seed):
    part = bumps(seed)
    under = ground(part.by_side(), BIN)
    for cluster in standing(part, MARK):
        side = 0 if cluster.side == "long" else 1
        start, stop = bins(cluster)
        assert cluster.ground == pytest.approx(under[side, start:stop].sum())
        assert cluster.notional >= TIMES * cluster.ground


@given(st.floats(1, 1e9), st.integers(0, 4))
def test_a_flat_map_has_no_cluster(level, tier):
    dollars = np.zeros((5, 2, 800))
    dollars[tier] = level
    assert clusters(PriceProfile(BASE, dollars), MARK) == []


@given(st.integers(30, 200), st.integers(110, 195), st.floats(1e4, 1e9))
def test_a_slab_has_no_cluster_and_neither_have_its_edges(width, first, level):
    dollars = np.zeros((5, 2, 800))
    dollars[1, 0, first : first + width] = level
    dollars[1, 0, 401:] = 0
    assert clusters(PriceProfile(BASE, dollars), MARK) == []


@given(seeds)
def test_speckle_alone_has_no_cluster(seed):
    part = PriceProfile(BASE, np.random.default_rng(seed).uniform(0.9e6, 1.1e6, (5, 2, 800)))
    assert clusters(part, MARK) == []


def test_a_band_on_a_slab_is_the_only_cluster():
    dollars = np.zeros((5, 2, 800))
    dollars[1, 0, :401] = 1e5
    dollars[1, 0, 200:210] = 1e6
    (cluster,) = clusters(PriceProfile(BASE, dollars), MARK)
    start, stop = bins(cluster)
    assert (abs(start - 200), abs(stop - 210)) <= (1, 1)
    assert cluster.tier == TIER_NAMES[1]
    assert cluster.ground == pytest.approx(1e5 * (stop - start))


def test_a_peak_on_the_shoulder_of_another_is_part_of_it():
    dollars = np.zeros((5, 2, 800))
    dollars[0, 0, 200:206] = 1e6
    dollars[0, 0, 206:212] = 0.8e6
    dollars[0, 0, 209] = 0.9e6
    (cluster,) = clusters(PriceProfile(BASE, dollars), MARK)
    assert cluster.notional > 0.9 * dollars.sum()


def test_what_is_less_than_the_least_share_of_its_side_is_no_cluster():
    dollars = np.zeros((5, 2, 800))
    dollars[0, 0, 150:400] = 1e6
    dollars[0, 0, 392:401] = 0.0
    dollars[0, 0, 396:399] = 0.3e6
    assert clusters(PriceProfile(BASE, dollars), MARK) == []


@given(seeds)
def test_longs_cluster_below_the_mark_and_shorts_above_nearest_first(seed):
    found = clusters(bumps(seed), MARK)
    for side, sign in (("long", -1), ("short", 1)):
        away = [cluster.distance * sign for cluster in found if cluster.side == side]
        assert all(d >= -2 * BIN for d in away)
        assert [abs(d) for d in away] == sorted(abs(d) for d in away)
        assert all(d <= math.expm1(REACH) + BIN for d in away)


def test_what_stands_out_and_is_near_is_kept_when_there_are_too_many():
    whole = clusters(bumps(3), MARK, most=99)
    some = clusters(bumps(3), MARK, most=1)
    for side in ("long", "short"):
        rank = {
            c.floor: (c.notional - c.ground) / (abs(c.distance) + NEAR)
            for c in whole
            if c.side == side
        }
        assert [c.floor for c in some if c.side == side] == [max(rank, key=rank.__getitem__)]


def test_far_mass_does_not_hide_a_near_cluster():
    dollars = np.zeros((5, 2, 800))
    dollars[4, 0, 105:190] = 5e6
    dollars[0, 0, 360:364] = 1e6
    (cluster,) = clusters(PriceProfile(BASE, dollars), MARK, most=1)
    assert bins(cluster)[0] >= 350


@given(seeds)
def test_two_peaks_stand_eight_tenths_of_a_percent_apart_or_are_one(seed):
    part = PriceProfile(BASE, np.random.default_rng(seed).exponential(1e5, (5, 2, 800)))
    found = clusters(part, MARK, most=99)
    for side in ("long", "short"):
        count = sum(cluster.side == side for cluster in found)
        assert count <= REACH / BIN / APART + 2


def test_two_levels_a_few_bins_apart_are_one_cluster():
    dollars = np.zeros((5, 2, 800))
    dollars[0, 0, [200, 203]] = 1e6
    assert len(clusters(PriceProfile(BASE, dollars), MARK)) == 1


@pytest.mark.parametrize("count", [1, 4, 8, 9])
def test_a_strip_narrower_than_the_average_still_has_its_clusters_inside(count):
    part = PriceProfile(BASE, np.ones((5, 2, count)))
    for cluster in clusters(part, math.exp((BASE + count // 2 + 0.5) * BIN)):
        start, stop = bins(cluster)
        assert 0 <= start < stop <= count


@given(seeds, st.floats(0.5, 2))
def test_clusters_are_looked_for_within_reach_of_the_mark(seed, times):
    part = bumps(seed)
    for side, reach in zip((0, 1), within_reach(part, MARK * times), strict=True):
        assert 0 <= reach.start <= reach.stop <= 800 or reach.start >= 800
        held = part.by_side()[side, reach].sum()
        mine = [c for c in standing(part, MARK * times) if c.side == ("long", "short")[side]]
        assert sum(c.notional for c in mine) <= held * (1 + 1e-9)


@pytest.mark.parametrize("mark", [MARK, MARK * 10, MARK / 10])
def test_there_is_no_cluster_where_there_is_no_money(mark):
    assert clusters(PriceProfile(0, np.zeros((5, 2, 0))), mark) == []
    assert clusters(PriceProfile(BASE, np.zeros((5, 2, 800))), mark) == []
