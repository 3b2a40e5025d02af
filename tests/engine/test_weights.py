"""The weights of the terms."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.terms import KNOWN, LENGTH, PATH_ONLY, TERMS
from powderkeg.engine.calibration.weights import (
    BY_VOLUME,
    DARK,
    EVIDENCE,
    LEAST_SHAPE,
    LENGTHS,
    LEVEL,
    SHAPES,
    Fit,
    em,
    fit,
    log_posterior,
    oi_cap_factor,
    prior,
    rescale_prior,
    shares,
)
from powderkeg.engine.exposure.classes import CLASSES, GROUP, RATES, TIME, VOLUME, learned

seeds = st.integers(0, 2**32 - 1)
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
compiled = pytest.mark.skipif(PLAIN, reason="a minute where kernels run as plain Python")


def problem(seed, rows=12 if PLAIN else 60, n=16):
    """Return crossed exposure, liquidated volume, start and prior weights of a random problem."""
    chance = np.random.default_rng(seed)
    crossed = chance.exponential(10.0, (rows, n)) * (chance.random((rows, n)) < 0.3)
    liquidated = chance.exponential(1.0, rows) * (chance.random(rows) < 0.5)
    return crossed, liquidated, chance.exponential(0.1, n) + 1e-4, chance.exponential(0.1, n) + 1e-4


venues = pytest.mark.parametrize("venue", ["", "binance", "hyperliquid"])


@venues
def test_prior_shares_leave_the_dark_part_of_open_interest_unexplained(venue):
    wanted = shares(learned(), venue)
    assert wanted.shape == (CLASSES,)
    assert wanted.sum() == pytest.approx(1 - DARK)
    assert (wanted > 0).all()


@venues
def test_the_groups_hold_their_parts_and_the_closing_rates_of_a_distance_as_much_as_each_other(
    venue,
):
    wanted = shares(learned(), venue).reshape(2, -1, RATES)
    assert wanted[VOLUME].sum() == pytest.approx(BY_VOLUME * (1 - DARK))
    assert wanted[TIME].sum() == pytest.approx((1 - BY_VOLUME) * (1 - DARK))
    assert np.array_equal(wanted[..., 0], wanted[..., 1])


@venues
def test_shares_rise_with_distance_up_to_the_turn_of_their_shape_and_fall_from_there(venue):
    shape, basis = SHAPES.get(venue, SHAPES[""]), learned()
    for group in (VOLUME, TIME):
        part = slice(group * GROUP, (group + 1) * GROUP, RATES)
        order = np.argsort(basis.distances[part])
        far, held = basis.distances[part][order], shares(basis, venue)[part][order]
        steps = np.diff(np.log(far)) / np.log(1.36)
        growth = np.diff(np.log(held)) / steps
        near, beyond = far[1:] < shape.turn, far[:-1] >= shape.turn
        assert near.any()
        assert beyond.any()
        assert growth[near] == pytest.approx(np.full(near.sum(), np.log(shape.growth)))
        assert growth[beyond] == pytest.approx(np.full(beyond.sum(), np.log(shape.decline)))


def test_hyperliquid_holds_less_near_its_liquidation_and_in_the_farthest_classes_than_others():
    basis = learned()
    ours, others = shares(basis, "hyperliquid"), shares(basis, "binance")
    near, far = basis.distances < 0.03, basis.distances > 0.25
    assert ours[near].sum() < others[near].sum()
    assert ours[far].sum() < others[far].sum()
    assert np.array_equal(others, shares(basis))


def test_under_its_prior_a_class_settles_at_its_share_of_open_interest():
    """Opening at a steady rate and closing at its hazard, exposure settles at rate over hazard."""
    basis, rates, oi = learned(), np.array([0.4, 1 / 86_400]), 90_000.0
    wanted = shares(basis)
    settled = np.repeat(rates, GROUP) / basis.hazards
    weights = prior(wanted, oi, rates, basis.hazards)
    assert weights.shape == (TERMS,)
    assert weights[:CLASSES] * settled == pytest.approx(wanted * oi)


def test_the_prior_of_known_ground_is_that_of_its_distances_and_lengths_are_shares_of_oi():
    basis, oi = learned(), 90_000.0
    weights = prior(shares(basis), oi, np.array([0.4, 1e-5]), basis.hazards)
    sums = weights[:CLASSES].reshape(-1, RATES).sum(axis=1)
    assert weights[KNOWN:LENGTH] == pytest.approx(sums)
    assert weights[LENGTH:] == pytest.approx(np.array(LENGTHS) * oi)


def test_where_nothing_opens_the_prior_is_finite():
    basis = learned()
    assert np.isfinite(prior(shares(basis), 1.0, np.zeros(2), basis.hazards)).all()


@given(seeds, st.floats(0.01, 100.0))
def test_every_round_of_the_climb_raises_the_posterior_and_keeps_weights_above_zero(seed, strength):
    crossed, liquidated, weights, prior_mean = problem(seed)
    before = log_posterior(crossed, liquidated, weights, prior_mean, strength)
    for _ in range(3 if PLAIN else 30):
        weights, _ = em(crossed, liquidated, weights, prior_mean, strength, iterations=1)
        now = log_posterior(crossed, liquidated, weights, prior_mean, strength)
        assert now >= before - 1e-9 * abs(before)
        assert (weights > 0).all()
        before = now


@given(seeds)
def test_the_credit_of_all_classes_is_the_volume_that_died_on_crossed_ground(seed):
    crossed, liquidated, start, prior_mean = problem(seed)
    _, credit = em(crossed, liquidated, start, prior_mean, 1.0)
    assert credit.sum() == pytest.approx(liquidated[crossed.any(axis=1)].sum())


@compiled
@given(seeds)
def test_known_weights_are_recovered_from_synthetic_poisson_deaths(seed):
    chance = np.random.default_rng(seed)
    truth = 0.02 * np.exp(chance.normal(0, 0.7, 16))
    crossed = chance.exponential(200.0, (4000, 16)) * (chance.random((4000, 16)) < 0.15)
    liquidated = chance.poisson(crossed @ truth).astype(float)
    prior_mean = np.full(16, 0.02)
    found, _ = em(crossed, liquidated, prior_mean, prior_mean, 0.5, iterations=600)
    information = crossed.T @ (crossed / np.maximum(crossed @ truth, 1e-12)[:, None])
    width = np.sqrt(np.diag(np.linalg.inv(information)))
    assert (np.abs(found - truth) < 6 * width).all()
    assert np.mean(np.abs(found - truth) < 2 * width) > 0.5


def test_what_was_never_crossed_keeps_its_prior():
    crossed, liquidated, start, prior_mean = problem(3)
    crossed[:, 5] = 0.0
    found, credit = em(crossed, liquidated, start, prior_mean, 1.0)
    assert found[5] == pytest.approx(prior_mean[5])
    assert credit[5] == 0


@pytest.mark.parametrize("volume", [1.0, 1e9, 1e15])
def test_deaths_where_nothing_was_crossed_teach_nothing(volume):
    """Cheap coins die by the billion; such a row once turned all weights into NaN."""
    crossed, liquidated, start, prior_mean = problem(4)
    rows = np.concatenate((crossed, np.zeros((1, 16)))), np.append(liquidated, volume)
    assert em(*rows, start, prior_mean, 1.0)[0] == pytest.approx(
        em(crossed, liquidated, start, prior_mean, 1.0)[0], rel=1e-12
    )


@compiled
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_learned_from_volumes_of_known_weights_recovers_what_they_expect(seed):
    """Of rows it has not seen, and on either side."""
    chance = np.random.default_rng(seed)
    truth = 0.02 * np.exp(chance.normal(0, 0.7, TERMS))
    busy = chance.exponential(3.0, (4000, 2, 1))
    crossed = busy * chance.exponential(20.0, (4000, 2, TERMS))
    crossed *= chance.random(crossed.shape) < 0.15
    liquidated = chance.poisson(crossed @ truth).astype(float)
    found = fit(crossed[:3000], liquidated[:3000], np.full(TERMS, 0.02), 1e4)
    for side in range(2):
        expected = crossed[3000:, side] @ found.weights[side]
        wanted = crossed[3000:, side] @ truth
        assert expected.sum() == pytest.approx(wanted.sum(), rel=0.02)
        assert np.abs(expected - wanted).sum() < 0.1 * wanted.sum()
        static = crossed[3000:, side] @ np.full(TERMS, 0.02)
        assert np.abs(expected - wanted).sum() < 0.5 * np.abs(static - wanted).sum()


def sides(seed):
    crossed, liquidated, _, prior_mean = problem(seed)
    return crossed.reshape(-1, 2, 16), liquidated.reshape(-1, 2), prior_mean


@given(seeds)
def test_both_sides_alike_learn_alike(seed):
    crossed, liquidated, prior_mean = sides(seed)
    crossed[:, 1], liquidated[:, 1] = crossed[:, 0], liquidated[:, 0]
    found = fit(crossed, liquidated, prior_mean, 1e5)
    assert found.weights[0] == pytest.approx(found.weights[1])


@given(seeds)
def test_the_more_a_fit_is_pooled_the_nearer_its_sides_are(seed):
    crossed, liquidated, prior_mean = sides(seed)
    gaps = []
    for oi in (1e3, 1e9):
        weights = fit(crossed, liquidated, prior_mean, oi).weights
        gaps.append(np.abs(np.log(weights[0] / weights[1])).max())
    assert gaps[1] <= gaps[0] + 1e-9


@given(seeds)
def test_a_warm_start_goes_on_from_where_the_last_fit_was(seed):
    crossed, liquidated, prior_mean = sides(seed)
    first = fit(crossed, liquidated, prior_mean, 1e5)
    again = fit(crossed, liquidated, prior_mean, 1e5, start=first.weights, dispersion=0.0)
    assert again.weights == pytest.approx(first.weights, rel=0.5)


def test_without_deaths_and_sweeps_both_sides_keep_the_centre():
    prior_mean = np.geomspace(0.01, 1.0, 16)
    found = fit(np.zeros((1, 2, 16)), np.zeros((1, 2)), prior_mean, 1e5)
    assert found.weights == pytest.approx(np.stack((prior_mean, prior_mean)))
    assert not found.evidence.any()


def test_with_deaths_without_end_the_centre_is_forgotten():
    crossed = np.full((50, 2, 16), 1e6)
    liquidated = (crossed * 0.02).sum(axis=2)
    found = fit(crossed, liquidated, np.full(16, 5.0), 1e3)
    assert found.weights == pytest.approx(np.full((2, 16), 0.02), rel=1e-3)


def test_a_fit_knows_what_it_rests_on():
    crossed, liquidated, prior_mean = sides(2)
    found = fit(crossed, liquidated, prior_mean, 1e5, dispersion=0.5)
    assert found.crossed == pytest.approx(crossed.sum(axis=0))
    assert found.evidence.sum(axis=1) == pytest.approx(liquidated.sum(axis=0), rel=0.2)
    assert np.array_equal(found.prior_mean, prior_mean)
    assert (found.dispersion, found.reports) == (0.5, pytest.approx(liquidated.sum() / 0.5))


def test_where_only_sums_are_reported_the_grain_is_a_bound_and_reports_are_counted_by_rows():
    """Of sixteen equal volumes, there were sixteen reports."""
    crossed = np.ones((8, 2, 16))
    found = fit(crossed, np.full((8, 2), 3.0), np.ones(16), 1e5)
    assert found.dispersion == pytest.approx(EVIDENCE / 4 * 1e5)
    assert found.reports == pytest.approx(16)
    assert fit(crossed, np.zeros((8, 2)), np.ones(16), 1e5).reports == 0


def test_confidence_is_the_share_of_a_weight_that_reports_speak_for():
    weights = np.ones((2, 16))
    made = Fit(weights, weights * 3.0, weights, 1.0, weights)
    assert made.confidence() == pytest.approx(weights * 0.75)


def made(evidence, dispersion, weight=2.0):
    """Return a fit with the same of all in every class."""
    ones = np.ones((2, 16))
    return Fit(ones * weight, ones * evidence, ones, 1.0, ones, dispersion)


def test_a_weight_is_as_uncertain_as_the_number_of_closes_it_rests_on():
    """Of 25 closes of equal size the mean errs by a fifth."""
    found = made(evidence=49.0, dispersion=2.0)
    assert np.sqrt(found.variance()) / found.weights == pytest.approx(np.full((2, 16), 0.2))


def test_no_weight_is_less_certain_than_the_least_shape():
    assert made(0.0, 1e9).variance() == pytest.approx(np.full((2, 16), 4.0 / LEAST_SHAPE))


@given(seeds)
def test_the_prior_is_brought_to_the_level_of_what_was_liquidated(seed):
    crossed, liquidated, prior_mean = sides(seed)
    liquidated = liquidated + 0.1
    middle = rescale_prior(prior_mean * 30, crossed, liquidated, 1e-6)
    assert (crossed[..., :-2] @ middle[:-2]).sum() == pytest.approx(liquidated.sum(), rel=1e-6)


@given(seeds, st.floats(1e-3, 1e3))
def test_raising_the_prior_moves_all_terms_alike_but_neither_of_the_two_lengths(seed, factor):
    crossed, liquidated, prior_mean = sides(seed)
    middle = rescale_prior(prior_mean * factor, crossed, liquidated, 1e5)
    assert np.array_equal(middle[-2:], prior_mean[-2:] * factor)
    level = middle[:-2] / (prior_mean[:-2] * factor)
    assert level == pytest.approx(np.full(14, level[0]))


def test_the_lengths_stay_also_where_only_the_path_is_fitted():
    crossed, liquidated, _, prior_mean = problem(1, n=TERMS)
    some = prior_mean[PATH_ONLY]
    rows = crossed.reshape(-1, 2, TERMS)[..., PATH_ONLY]
    middle = rescale_prior(some, rows, liquidated.reshape(-1, 2) + 5.0, 1.0)
    assert set(PATH_ONLY[-2:]) == {LENGTH, LENGTH + 1}
    assert np.array_equal(middle[-2:], some[-2:])
    assert not np.array_equal(middle[:-2], some[:-2])


def test_without_liquidations_the_prior_falls_as_more_is_crossed():
    crossed, _, prior_mean = sides(3)
    none = np.zeros((len(crossed), 2))
    assert rescale_prior(prior_mean, crossed * 0.0, none, 1e5) == pytest.approx(prior_mean)
    levels = [
        float((rescale_prior(prior_mean, crossed * x, none, 1e5) / prior_mean)[0])
        for x in (1, 10, 100)
    ]
    assert 1 > levels[0] > levels[1] > levels[2] > 0


def test_a_large_liquidation_says_less_of_the_level_than_many_small_ones():
    crossed, liquidated, prior_mean = sides(3)
    fine, coarse = (
        rescale_prior(prior_mean, crossed, liquidated * 100, 1.0, d)[0] for d in (0.0, 10.0)
    )
    assert abs(np.log(coarse / prior_mean[0])) < abs(np.log(fine / prior_mean[0]))


@pytest.mark.parametrize("wrong", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("dispersion", [0.0, 1.0])
@given(seeds)
def test_five_small_reports_move_neither_the_level_beyond_its_band_nor_a_weight_to_nothing(
    wrong, dispersion, seed
):
    """The first six hours, by a prior that may be ten times wrong either way."""
    chance, oi, basis = np.random.default_rng(seed), 1e5, learned()
    prior_mean = prior(shares(basis), oi, np.array([0.2, 1 / 86_400]), basis.hazards)
    crossed = chance.exponential(1.0, (24, 2, TERMS)) * (chance.random((24, 2, TERMS)) < 0.2)
    total = 0.05 * LEVEL * oi
    crossed *= total * wrong / (crossed @ prior_mean).sum()
    liquidated = np.zeros((24, 2))
    np.add.at(liquidated, (chance.integers(0, 24, 5), chance.integers(0, 2, 5)), total / 5)
    found = fit(
        crossed, liquidated, rescale_prior(prior_mean, crossed, liquidated, oi, dispersion), oi
    )
    level = np.log((crossed * found.weights).sum() / (crossed @ prior_mean).sum())
    assert abs(level) < 1.28 * 0.6
    assert (found.weights > 0.1 * prior_mean).all()
    assert (found.weights < 10 * prior_mean).all()


def test_a_grainy_volume_convinces_less():
    crossed, liquidated, prior_mean = sides(1)
    fine = fit(crossed, liquidated, prior_mean, 1e5).confidence()
    grainy = fit(crossed, liquidated, prior_mean, 1e5, dispersion=5.0).confidence()
    assert grainy.sum() < fine.sum()


def test_one_huge_close_says_next_to_nothing_of_where_positions_stand():
    crossed, liquidated, prior_mean = sides(1)
    assert fit(crossed, liquidated, prior_mean, 1e-3, dispersion=1e9).weights == pytest.approx(
        np.stack((prior_mean, prior_mean)), rel=1e-3
    )


@given(seeds, st.floats(0.1, 1e4))
def test_after_strain_no_side_holds_more_than_open_interest(seed, oi):
    chance = np.random.default_rng(seed)
    weights, live = chance.exponential(1.0, (2, TERMS)), chance.exponential(100.0, (2, CLASSES))
    factor = oi_cap_factor(weights, live, oi)
    mass = (weights[:, :CLASSES] * live).sum(axis=1)
    assert (mass * factor <= oi * (1 + 1e-12)).all()
    assert factor[mass <= oi] == pytest.approx(1.0)
    assert (factor <= 1).all()


def test_an_empty_table_is_not_strained():
    assert oi_cap_factor(np.ones((2, TERMS)), np.zeros((2, CLASSES)), 1.0).tolist() == [1.0, 1.0]


def test_the_posterior_counts_what_cannot_be_as_all_but_impossible():
    ones = np.ones(16)
    possible = log_posterior(np.ones((1, 16)), np.ones(1), ones, ones, 1.0)
    assert log_posterior(np.zeros((1, 16)), np.ones(1), ones, ones, 1.0) < possible - 100
