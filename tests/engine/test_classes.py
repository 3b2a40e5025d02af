"""Distance classes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from powderkeg.engine.classes import (
    BASES,
    BIN,
    CLASSES,
    DITHER,
    MAINTENANCE,
    TIERS,
    four_tiers,
    generic,
    hazard,
    sharp_and_broad,
    tier_of,
)
from powderkeg.engine.margin import distance

names = pytest.mark.parametrize("name", BASES)


@names
def test_a_basis_is_named_as_it_is_found(name):
    assert BASES[name]().name == name


@names
def test_every_offset_lies_on_its_side_of_the_entry(name):
    offsets = BASES[name]().offsets
    assert offsets.shape == (DITHER, CLASSES, 2)
    assert (offsets[:, :, 0] > -1).all()
    assert (offsets[:, :, 1] > 0).all()


@names
def test_every_class_belongs_to_the_tier_of_its_centre(name):
    basis = BASES[name]()
    tiers = list(TIERS)
    assert [tiers[i] for i in basis.tiers] == [tier_of(d) for d in basis.distances.tolist()]


def test_the_tiers_cover_every_distance_once():
    edges = list(TIERS.values())
    assert edges[0][0] == 0
    assert math.isinf(edges[-1][1])
    assert all(a[1] == b[0] for a, b in pairwise(edges))


@pytest.mark.parametrize("leverage", [100, 50, 25, 10, 5])
def test_a_tier_is_named_for_a_leverage_that_falls_into_it(leverage):
    at_entry = float(distance(leverage, MAINTENANCE, "long"))
    assert tier_of(-math.log(1 - at_entry)) == leverage


def test_generic_classes_are_a_ladder_of_equal_steps_from_three_tenths_of_a_percent():
    distances = generic().distances
    assert distances[0] == pytest.approx(0.003, rel=0.01)
    assert np.diff(np.log(distances)) == pytest.approx(np.full(15, math.log(1.36)))


def test_the_bands_of_a_ladder_meet_without_a_hole():
    spread = generic().offsets[:, :, 1] * BIN
    shift = ((np.arange(DITHER) * 0.6180339887498949) % 1.0 * BIN)[:, None]
    low, high = (spread - shift).min(axis=0), (spread - shift).max(axis=0)
    assert low[1:] / high[:-1] == pytest.approx(np.full(15, 1.36 ** (1 / DITHER)), rel=1e-6)


def test_every_prefix_of_a_bands_offsets_is_spread_over_the_whole_band():
    spread = generic().offsets[:, -1, 1]
    width = spread.max() - spread.min()
    assert all(np.ptp(spread[:n]) > (1 - 2 / n) * width for n in (4, 8, 16, 32))


def test_a_sharp_class_dies_where_an_isolated_position_of_its_leverage_does():
    offsets = sharp_and_broad().offsets
    shift = (np.arange(DITHER) * 0.6180339887498949) % 1.0
    for k, leverage in enumerate((125, 100, 75, 50, 25, 20, 15, 10, 5, 3)):
        down = 1 - np.exp(-(offsets[:, k, 0] + shift) * BIN)
        up = np.exp((offsets[:, k, 1] - shift) * BIN) - 1
        assert down == pytest.approx(float(distance(leverage, MAINTENANCE, "long")), rel=1e-9)
        assert up == pytest.approx(float(distance(leverage, MAINTENANCE, "short")), rel=1e-9)


def test_the_rivals_four_tiers_die_at_the_published_prices_and_never_close():
    basis = four_tiers("four-static", 0.0)
    shift = (np.arange(DITHER) * 0.6180339887498949) % 1.0
    deaths = np.exp(-(basis.offsets[:, :4, 0] + shift[:, None]) * BIN)
    assert deaths == pytest.approx(np.tile([0.99, 0.98, 0.96, 0.90], (DITHER, 1)))
    assert not basis.hazards.any()


def test_positions_far_from_their_death_are_kept_longer():
    lives = [1 / hazard(d) for d in (0.003, 0.01, 0.03, 0.1, 0.4)]
    assert lives == sorted(lives)
    assert 1 / hazard(0.01) == pytest.approx(27 * 3600)
