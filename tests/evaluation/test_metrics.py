"""Scores."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.marks import R_CLASSES, R_LENGTH
from powderkeg.evaluation.metrics import (
    correlation,
    earth_movers,
    information_gain,
    lift,
    overlap,
    poisson_deviance,
    top_share,
)
from powderkeg.events import SECOND
from powderkeg.grid import BIN

seeds = st.integers(0, 2**32 - 1)


def records(seed, n=400, blocks=4):
    """Return lengths, block labels and a random density of swept records."""
    chance = np.random.default_rng(seed)
    return (
        chance.uniform(0.1, 2.0, n),
        np.repeat(np.arange(blocks), n // blocks).astype(float),
        chance.exponential(1.0, n),
    )


@given(seeds)
def test_a_map_that_is_the_uniform_guess_gains_nothing(seed):
    lengths, blocks, density = records(seed)
    bits, scored = information_gain(3.0 * lengths, density, lengths, blocks)
    assert bits == pytest.approx(0.0, abs=1e-9 * scored)


@given(seeds)
def test_no_map_gains_on_a_tape_whose_volume_fell_evenly(seed):
    """Volume in proportion to length: whatever is predicted, nothing can be won."""
    lengths, blocks, density = records(seed)
    bits, scored = information_gain(density * lengths, lengths, lengths, blocks)
    assert bits <= 1e-9 * scored


def test_the_map_of_a_tape_that_traded_evenly_gains_nothing_where_deaths_are_even():
    """The same volume at every price for 60 % around: the map is flat, so it knows no place."""
    table = Exposure(100_000.0)
    prices = 100_000.0 * np.exp((np.arange(-1200, 1199) + 0.5) * BIN)
    for _ in range(16):  # several, so that the dither of a single opening is evened out
        table.add_trades(np.repeat(prices, 2), np.tile([1.0, -1.0], len(prices)))
        table.flush(SECOND, 1e6)
    table.move_mark(SECOND, 100_000.0)
    steps = [
        table.move_mark((2 + n) * SECOND, 100_000.0 * math.exp(-(n + 1) * BIN)) for n in range(400)
    ]
    swept = np.concatenate(steps)
    lengths, expected = swept[:, R_LENGTH], swept[:, R_CLASSES : R_CLASSES + 16].sum(axis=1)
    liquidated = np.random.default_rng(5).poisson(50.0 * lengths / lengths.mean()).astype(float)
    bits, scored = information_gain(expected, liquidated, lengths, np.zeros(len(lengths)))
    assert abs(bits / scored) < 0.01


@given(seeds)
def test_the_truth_gains_more_than_any_other_map(seed):
    lengths, blocks, density = records(seed)
    other = np.random.default_rng(seed + 1).exponential(1.0, len(lengths))
    volumes = density * lengths
    truth, scored = information_gain(volumes, volumes, lengths, blocks)
    assert truth >= information_gain(other * lengths, volumes, lengths, blocks)[0]
    assert truth > 0
    assert scored == pytest.approx(volumes.sum())


@given(seeds, st.floats(0.01, 100.0))
def test_the_scale_of_a_map_does_not_matter_to_where(seed, scale):
    lengths, blocks, density = records(seed)
    volumes = np.random.default_rng(seed + 1).exponential(1.0, len(lengths))
    one = information_gain(density, volumes, lengths, blocks)
    assert information_gain(density * scale, volumes, lengths, blocks) == pytest.approx(one)


def test_volume_where_the_map_said_none_costs_a_bounded_number_of_bits():
    lengths, blocks = np.ones(10), np.zeros(10)
    expected, volumes = np.eye(10)[0], np.eye(10)[1]
    bits, _ = information_gain(expected, volumes, lengths, blocks)
    assert bits == pytest.approx(math.log2(0.05))


def test_a_map_that_says_nothing_is_scored_as_the_uniform_guess():
    assert information_gain(np.zeros(10), np.ones(10), np.ones(10), np.zeros(10)) == (0.0, 10.0)


def test_blocks_of_few_records_or_no_volume_are_not_scored():
    lengths = np.ones(14)
    blocks = np.array([0.0] * 4 + [1.0] * 10)
    volumes = np.array([1.0] * 4 + [0.0] * 10)
    assert information_gain(lengths, volumes, lengths, blocks) == (0.0, 0.0)


@given(seeds)
def test_deviance_is_zero_for_the_truth_and_above_for_all_else(seed):
    actual = np.random.default_rng(seed).exponential(1.0, 50) + 0.01
    assert poisson_deviance(actual, actual) == pytest.approx(0, abs=1e-12)
    assert poisson_deviance(actual, actual * 1.5) > 0
    assert poisson_deviance(actual, actual * 0.5) > 0


@given(seeds)
def test_the_least_deviance_of_a_constant_is_at_the_mean(seed):
    actual = np.random.default_rng(seed).exponential(1.0, 50)
    at = [poisson_deviance(actual, np.full(50, actual.mean() * f)) for f in (0.9, 1.0, 1.1)]
    assert at[1] == min(at)


def test_a_prediction_of_nothing_is_held_at_the_floor():
    actual = np.array([0.0, 2.0])
    assert poisson_deviance(actual, np.zeros(2)) == poisson_deviance(actual, np.full(2, 1e-3))


@given(seeds)
def test_the_earth_is_moved_by_a_distance_a_metric(seed):
    a, b, c = np.random.default_rng(seed).random((3, 30)) + 1e-6
    assert earth_movers(a, a, 1.0) == 0
    assert earth_movers(a, b, 1.0) == pytest.approx(earth_movers(b, a, 1.0))
    there = earth_movers(a, b, 1.0) + earth_movers(b, c, 1.0)
    assert earth_movers(a, c, 1.0) <= there + 1e-9


def test_a_point_moved_by_five_bins_of_ten_basis_points_is_moved_by_half_a_percent():
    eye = np.eye(20)
    assert earth_movers(eye[3], eye[8] * 7.0, 1e-3) == pytest.approx(5e-3)


@given(seeds)
def test_maps_overlap_wholly_with_themselves_and_not_at_all_with_the_rest(seed):
    a = np.random.default_rng(seed).random(20)
    assert overlap(a, 3 * a) == pytest.approx(1.0)
    assert overlap(np.eye(4)[0], np.eye(4)[3]) == 0.0


@given(seeds)
def test_the_scale_of_a_map_does_not_matter_to_its_correlation(seed):
    a, b = np.random.default_rng(seed).random((2, 40))
    assert correlation(a, a) == pytest.approx(1.0)
    assert correlation(a, 5 * b) == pytest.approx(correlation(a, b))


def test_a_flat_map_has_no_correlation():
    assert math.isnan(correlation(np.zeros(10), np.arange(10.0)))
    assert math.isnan(correlation(np.arange(10.0), np.zeros(10)))


def test_lift_is_one_for_a_map_that_knows_nothing_and_ten_for_one_that_knows_all():
    n = 1000
    lengths = np.ones(n)
    volumes = np.zeros(n)
    volumes[:50] = 1.0
    assert lift(volumes, volumes, lengths) == pytest.approx(10.0)
    assert lift(np.random.default_rng(1).random(n), lengths, lengths) == pytest.approx(1.0)


@given(seeds)
def test_an_even_map_has_a_tenth_of_its_mass_in_a_tenth_of_its_bins(seed):
    assert top_share(np.full(100, 3.0)) == pytest.approx(0.1)
    masses = np.random.default_rng(seed).exponential(1.0, 100)
    assert 0.1 <= top_share(masses) <= 1
    assert top_share(masses, 1.0) == pytest.approx(1)
    assert top_share(np.eye(100)[0]) == 1
