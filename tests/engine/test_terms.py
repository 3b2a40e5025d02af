"""The terms of the fit, and the map they are drawn as."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.sweeps import tally
from powderkeg.engine.calibration.terms import (
    KNOWN,
    LENGTH,
    PATH_ONLY,
    PLACED,
    SHARES,
    TERMS,
    as_terms,
    by_ground,
    in_coins,
    of_classes,
    per_oi,
)
from powderkeg.engine.exposure.classes import CLASSES, DISTANCES, GROUP, RATES, TIME, VOLUME
from powderkeg.engine.exposure.marks import R_CLASSES, R_FRESH, R_LENGTH, R_SIDE, R_TIME, RECORD

seeds = st.integers(0, 2**32 - 1)


def drawn(seed, *shape):
    return np.random.default_rng(seed).exponential(1.0, shape)


def test_the_terms_are_64_classes_32_distances_of_known_ground_and_two_lengths():
    assert (KNOWN, LENGTH, TERMS) == (CLASSES, CLASSES + CLASSES // RATES, 98)
    assert LENGTH - KNOWN == 2 * DISTANCES == 32
    assert PLACED.sum() == LENGTH
    assert not PLACED[LENGTH:].any()


def test_weights_of_the_volume_group_are_shares_and_all_others_know_only_the_path():
    volume = [*range(GROUP), *range(KNOWN, KNOWN + DISTANCES)]
    assert VOLUME < TIME
    assert np.flatnonzero(SHARES).tolist() == volume
    assert sorted([*volume, *PATH_ONLY]) == list(range(TERMS))
    assert {LENGTH, LENGTH + 1} < set(PATH_ONLY.tolist())


@given(seeds, st.floats(1e-6, 1e9))
def test_weights_per_unit_of_open_interest_and_in_coins_are_inverses(seed, oi):
    weights = drawn(seed, 3, 2, TERMS)
    assert in_coins(per_oi(weights, oi), oi) == pytest.approx(weights, rel=1e-12)
    assert per_oi(in_coins(weights, oi), oi) == pytest.approx(weights, rel=1e-12)


def test_shares_are_the_same_whatever_open_interest_is():
    weights = drawn(1, TERMS)
    assert np.array_equal(in_coins(weights, 1e5)[SHARES], weights[SHARES])
    assert np.array_equal(in_coins(weights, 1e5)[PATH_ONLY], weights[PATH_ONLY] * 1e5)


@given(seeds)
def test_weights_of_classes_are_found_again_on_either_ground(seed):
    """Classes of a distance count alike on known ground, so it is their mean that is found."""
    weights = drawn(seed, 2, CLASSES)
    terms = of_classes(weights)
    assert terms.shape == (2, TERMS)
    assert not terms[:, LENGTH:].any()
    fresh, known = np.moveaxis(by_ground(terms), -2, 0)
    assert np.array_equal(fresh, weights)
    means = weights.reshape(2, -1, RATES).mean(axis=2)
    assert known == pytest.approx(np.repeat(means, RATES, axis=1))


@given(seeds)
def test_the_map_weights_of_terms_carry_each_of_them_once(seed):
    terms = drawn(seed, 2, TERMS)
    ground = by_ground(terms)
    assert ground.shape == (2, 2, CLASSES)
    assert np.array_equal(ground[:, 0], terms[:, :CLASSES])
    rows = ground[:, 1].reshape(2, -1, RATES)
    assert (rows == rows[..., :1]).all()
    assert rows.sum(axis=2) == pytest.approx(terms[:, KNOWN:LENGTH])


@given(seeds)
def test_exposure_as_terms_times_their_weights_is_the_map_bin_by_bin(seed):
    exposure, weights = drawn(seed, 20, CLASSES), drawn(seed + 1, TERMS)
    known = np.random.default_rng(seed).random(20) < 0.5
    terms = as_terms(exposure, known)
    assert not terms[:, LENGTH:].any()
    assert not terms[known, :KNOWN].any()
    assert not terms[~known, KNOWN:].any()
    ground = by_ground(weights)
    cells = (exposure * ground[known.astype(int)]).sum(axis=1)
    assert terms @ weights == pytest.approx(cells)


@given(seeds)
def test_the_expected_volume_of_a_crossing_is_the_sum_over_the_cells_it_crossed(seed):
    """By terms, as hours and fits have it, and by map weights, as the map is drawn."""
    chance = np.random.default_rng(seed)
    n = 30
    records = np.zeros((n, RECORD))
    records[:, R_TIME] = np.sort(chance.integers(1, 5000, n))
    records[:, R_SIDE] = chance.integers(0, 2, n)
    records[:, R_FRESH] = chance.integers(0, 2, n)
    records[:, R_LENGTH] = chance.random(n)
    records[:, R_CLASSES:] = chance.exponential(1.0, (n, CLASSES))
    weights = drawn(seed, 2, TERMS)
    _, crossed = tally(records)
    placed = (crossed * np.where(PLACED, weights, 0.0)).sum(axis=(0, 2))
    ground, cells = by_ground(weights), np.zeros(2)
    for record in records:
        side, known = int(record[R_SIDE]), 1 - int(record[R_FRESH])
        cells[side] += record[R_CLASSES:] @ ground[side, known]
    assert placed == pytest.approx(cells)


@given(seeds)
def test_of_classes_and_tally_agree_on_what_known_ground_holds(seed):
    """A class's weight on known ground is that of its distance, shared by its closing rates."""
    weights, exposure = drawn(seed, CLASSES), drawn(seed + 1, 1, CLASSES)
    means = exposure.reshape(-1, RATES).mean(axis=1)
    sums = weights.reshape(-1, RATES).sum(axis=1)
    found = as_terms(exposure, np.array([True])) @ of_classes(weights)
    assert found[0] == pytest.approx(float(means @ sums))
