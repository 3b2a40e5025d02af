"""Position classes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from powderkeg.engine.exposure.classes import (
    BASES,
    BIN,
    CLASSES,
    CLOSING,
    DISTANCES,
    DITHER,
    GOLDEN,
    GROUP,
    GROUPS,
    MAINTENANCE,
    RATES,
    STATIC,
    TIERS,
    TIME,
    VOLUME,
    bands,
    four_tiers,
    hazard,
    learned,
    points_and_bands,
    tier_of,
)
from powderkeg.engine.exposure.margin import distance

names = pytest.mark.parametrize("name", BASES)
SHIFT = (np.arange(DITHER) * GOLDEN) % 1.0
"""Where in its bin the entry of each turn lies."""
LEVERAGES = (125, 100, 75, 50, 25, 20, 15, 10, 5, 3)


def bins(leverage, side, rate=MAINTENANCE):
    """Return how many bins from entry an isolated position is liquidated."""
    far = float(distance(leverage, rate, side))
    return (-math.log(1 - far) if side == "long" else math.log(1 + far)) / BIN


@names
def test_a_basis_is_named_as_it_is_found(name):
    assert BASES[name]().name == name


@names
def test_a_basis_has_two_groups_of_sixteen_distances_with_two_closing_rates(name):
    basis = BASES[name]()
    assert (GROUPS, DISTANCES, RATES) == (2, 16, 2)
    assert CLASSES == GROUPS * GROUP == 64
    assert basis.offsets.shape == (DITHER, GROUPS, DISTANCES, 2)
    assert basis.distances.shape == basis.hazards.shape == basis.tiers.shape == (CLASSES,)
    pairs = basis.distances.reshape(-1, RATES)
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


@names
def test_every_offset_lies_on_its_side_of_the_entry(name):
    assert (BASES[name]().offsets > 0).all()


@names
def test_the_reach_of_a_basis_is_beyond_all_its_offsets(name):
    basis = BASES[name]()
    assert basis.reach == basis.offsets.max() + 1


@names
def test_every_class_belongs_to_the_tier_of_its_centre(name):
    basis = BASES[name]()
    tiers = list(TIERS)
    assert [tiers[i] for i in basis.tiers] == [tier_of(d) for d in basis.distances.tolist()]


def test_each_distance_is_closed_at_its_hazard_and_fifteen_times_as_fast():
    basis = learned()
    once = np.array([hazard(d) for d in basis.distances.tolist()])
    assert basis.hazards == pytest.approx(once * np.tile(CLOSING, CLASSES // RATES))
    assert CLOSING[0] == 1.0
    assert 10 <= CLOSING[1] / CLOSING[0] <= 25


def test_the_tiers_cover_every_distance_once():
    edges = list(TIERS.values())
    assert edges[0][0] == 0
    assert math.isinf(edges[-1][1])
    assert all(a[1] == b[0] for a, b in pairwise(edges))


@pytest.mark.parametrize("leverage", [100, 50, 25, 10, 5])
def test_a_tier_is_named_for_a_leverage_that_falls_into_it(leverage):
    at_entry = float(distance(leverage, MAINTENANCE, "long"))
    assert tier_of(-math.log(1 - at_entry)) == leverage


def test_the_time_group_is_a_ladder_of_equal_steps_from_three_tenths_of_a_percent():
    distances = learned().distances.reshape(GROUPS, DISTANCES, RATES)[TIME, :, 0]
    assert distances[0] == pytest.approx(0.003, rel=0.01)
    assert np.diff(np.log(distances)) == pytest.approx(np.full(15, math.log(1.36)))


def test_the_bands_of_the_ladder_meet_without_a_hole():
    ladder = np.array([short for _, short in bands()])
    low, high = ladder.min(axis=1), ladder.max(axis=1)
    assert low[1:] / high[:-1] == pytest.approx(np.full(15, 1.36 ** (1 / DITHER)), rel=1e-6)
    laid = learned().offsets[:, TIME, :, 1]
    wide = high[:-1] * (1.36 ** (1 / DITHER) - 1) / BIN
    assert (laid[:, 1:].min(axis=0) - laid[:, :-1].max(axis=0) <= wide + 2).all()


def test_every_prefix_of_a_bands_offsets_is_spread_over_the_whole_band():
    for group in (VOLUME, TIME):
        spread = learned().offsets[:, group, -1, 1].astype(int)
        width = np.ptp(spread)
        assert all(np.ptp(spread[:n]) > (1 - 2 / n) * width for n in (4, 8, 16, 32))


@pytest.mark.parametrize(("side", "name"), [(0, "long"), (1, "short")])
def test_a_point_is_liquidated_where_an_isolated_position_of_its_leverage_is(side, name):
    """In whole bins from an entry that lies anywhere in its own: dithered, they are exact."""
    offsets = learned().offsets[:, VOLUME, :, side]
    for d, leverage in enumerate(LEVERAGES):
        exact = bins(leverage, name)
        ends = SHIFT - exact if side == 0 else SHIFT + exact
        signed = -offsets[:, d] if side == 0 else offsets[:, d]
        assert np.array_equal(signed, np.floor(ends))
        assert offsets[:, d].mean() == pytest.approx(exact, abs=0.05)


def test_the_volume_group_is_ten_leverages_and_six_broad_bands_that_meet():
    group = points_and_bands()
    assert len(group) == DISTANCES
    assert all(len(set(long)) == 1 for long, _ in group[:10])
    for (near, _), (far, _) in pairwise(group[10:]):
        assert max(near) < min(far) < max(near) * 1.1
    assert min(group[10][0]) == pytest.approx(0.005, rel=0.02)
    assert max(group[15][0]) == pytest.approx(0.40, rel=0.02)


def test_the_four_tiers_are_liquidated_at_the_published_prices_and_never_close():
    basis = four_tiers("four-static", 0.0)
    down = basis.offsets[:, VOLUME, :4, 0]
    exact = -np.log([0.99, 0.98, 0.96, 0.90]) / BIN
    assert down.mean(axis=0) == pytest.approx(exact, abs=0.05)
    assert not basis.hazards.any()


def test_the_static_classes_are_those_of_the_four_tiers():
    basis = four_tiers("four-static", 0.0)
    assert len(STATIC) == 4
    exact = [-math.log(1 - 1 / x) for x in (100, 50, 25, 10)]
    assert basis.distances[STATIC] == pytest.approx(exact)


def test_with_a_maintenance_rate_the_four_tiers_are_liquidated_sooner():
    as_published, earlier = (BASES[name]() for name in ("four-static", "four-maintenance"))
    mean = [each.offsets[:, VOLUME, :4, 0].mean(axis=0) for each in (as_published, earlier)]
    exact = [bins(x, "long") for x in (100, 50, 25, 10)]
    assert (mean[1] < mean[0]).all()
    assert mean[1] == pytest.approx(exact, abs=0.05)


def test_positions_far_from_their_liquidation_are_kept_longer():
    lives = [1 / hazard(d) for d in (0.003, 0.01, 0.03, 0.1, 0.4)]
    assert lives == sorted(lives)
    assert 1 / hazard(0.01) == pytest.approx(27 * 3600)
