"""The weights of the classes."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.classes import generic, sharp_and_broad
from powderkeg.engine.weights import (
    DARK,
    LEAST_SHAPE,
    Fit,
    climb,
    fit,
    log_posterior,
    prior,
    raised,
    shares,
    strain,
)

seeds = st.integers(0, 2**32 - 1)
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
compiled = pytest.mark.skipif(PLAIN, reason="a minute where kernels run as plain Python")


def problem(seed, rows=12 if PLAIN else 60):
    """Return crossed exposure, dead volume, start and prior weights of a random problem."""
    chance = np.random.default_rng(seed)
    crossed = chance.exponential(10.0, (rows, 16)) * (chance.random((rows, 16)) < 0.3)
    died = chance.exponential(1.0, rows) * (chance.random(rows) < 0.5)
    return crossed, died, chance.exponential(0.1, 16) + 1e-4, chance.exponential(0.1, 16) + 1e-4


@pytest.mark.parametrize("basis", [generic(), sharp_and_broad()])
@pytest.mark.parametrize("venue", ["", "binance", "hyperliquid"])
def test_prior_shares_leave_the_dark_part_of_open_interest_unexplained(basis, venue):
    wanted = shares(basis, venue)
    assert wanted.sum() == pytest.approx(1 - DARK)
    assert (wanted > 0).all()


def test_hyperliquid_holds_more_far_from_its_death_than_the_others():
    basis = generic()
    assert shares(basis, "hyperliquid")[-4:].sum() > shares(basis, "binance")[-4:].sum()


def test_under_its_prior_a_class_settles_at_its_share_of_open_interest():
    """Opening at a steady rate and closing at its hazard, exposure settles at rate over hazard."""
    basis, rate, oi = generic(), np.array([0.4, 0.1]), 90_000.0
    wanted = shares(basis)
    settled = rate[:, None] / basis.hazards
    weights = prior(wanted, oi, rate, basis.hazards)
    assert weights * settled == pytest.approx(np.tile(wanted * oi, (2, 1)))


@given(seeds, st.floats(0.01, 100.0))
def test_every_round_of_the_climb_raises_the_posterior_and_keeps_weights_above_zero(seed, strength):
    crossed, died, weights, centre = problem(seed)
    before = log_posterior(crossed, died, weights, centre, strength)
    for _ in range(3 if PLAIN else 30):
        weights, _ = climb(crossed, died, weights, centre, strength, iterations=1)
        now = log_posterior(crossed, died, weights, centre, strength)
        assert now >= before - 1e-9 * abs(before)
        assert (weights > 0).all()
        before = now


@given(seeds)
def test_the_credit_of_all_classes_is_the_volume_that_died_on_crossed_ground(seed):
    crossed, died, start, centre = problem(seed)
    _, credit = climb(crossed, died, start, centre, 1.0)
    assert credit.sum() == pytest.approx(died[crossed.any(axis=1)].sum())


@compiled
@given(seeds)
def test_known_weights_are_recovered_from_synthetic_poisson_deaths(seed):
    chance = np.random.default_rng(seed)
    truth = 0.02 * np.exp(chance.normal(0, 0.7, 16))
    crossed = chance.exponential(200.0, (4000, 16)) * (chance.random((4000, 16)) < 0.15)
    died = chance.poisson(crossed @ truth).astype(float)
    centre = np.full(16, 0.02)
    found, _ = climb(crossed, died, centre, centre, 0.5, iterations=600)
    information = crossed.T @ (crossed / np.maximum(crossed @ truth, 1e-12)[:, None])
    width = np.sqrt(np.diag(np.linalg.inv(information)))
    assert (np.abs(found - truth) < 6 * width).all()
    assert np.mean(np.abs(found - truth) < 2 * width) > 0.5


def test_what_was_never_crossed_keeps_its_prior():
    crossed, died, start, centre = problem(3)
    crossed[:, 5] = 0.0
    found, credit = climb(crossed, died, start, centre, 1.0)
    assert found[5] == pytest.approx(centre[5])
    assert credit[5] == 0


@pytest.mark.parametrize("volume", [1.0, 1e9, 1e15])
def test_deaths_where_nothing_was_crossed_teach_nothing(volume):
    """Cheap coins die by the billion; such a row once turned all weights into NaN."""
    crossed, died, start, centre = problem(4)
    rows = np.concatenate((crossed, np.zeros((1, 16)))), np.append(died, volume)
    assert climb(*rows, start, centre, 1.0)[0] == pytest.approx(
        climb(crossed, died, start, centre, 1.0)[0], rel=1e-12
    )


def sides(seed):
    crossed, died, _, centre = problem(seed)
    return crossed.reshape(-1, 2, 16), died.reshape(-1, 2), centre


@given(seeds)
def test_both_sides_alike_learn_alike(seed):
    crossed, died, centre = sides(seed)
    crossed[:, 1], died[:, 1] = crossed[:, 0], died[:, 0]
    found = fit(crossed, died, centre, 1e5)
    assert found.weights[0] == pytest.approx(found.weights[1])


@given(seeds)
def test_the_more_a_fit_is_pooled_the_nearer_its_sides_are(seed):
    crossed, died, centre = sides(seed)
    gaps = []
    for oi in (1e3, 1e9):
        weights = fit(crossed, died, centre, oi).weights
        gaps.append(np.abs(np.log(weights[0] / weights[1])).max())
    assert gaps[1] <= gaps[0] + 1e-9


@given(seeds)
def test_a_warm_start_goes_on_from_where_the_last_fit_was(seed):
    crossed, died, centre = sides(seed)
    first = fit(crossed, died, centre, 1e5)
    again = fit(crossed, died, centre, 1e5, start=first.weights, dispersion=0.0, events=7)
    assert again.weights == pytest.approx(first.weights, rel=0.5)
    assert again.events == 7


def test_without_deaths_and_sweeps_both_sides_keep_the_centre():
    centre = np.geomspace(0.01, 1.0, 16)
    found = fit(np.zeros((1, 2, 16)), np.zeros((1, 2)), centre, 1e5)
    assert found.weights == pytest.approx(np.stack((centre, centre)))
    assert not found.evidence.any()


def test_with_deaths_without_end_the_centre_is_forgotten():
    crossed = np.full((50, 2, 16), 1e6)
    died = (crossed * 0.02).sum(axis=2)
    found = fit(crossed, died, np.full(16, 5.0), 1e3)
    assert found.weights == pytest.approx(np.full((2, 16), 0.02), rel=1e-3)


def test_a_fit_knows_what_it_rests_on():
    crossed, died, centre = sides(2)
    found = fit(crossed, died, centre, 1e5, dispersion=0.5, events=7)
    assert found.crossed == pytest.approx(crossed.sum(axis=0))
    assert found.evidence.sum(axis=1) == pytest.approx(died.sum(axis=0), rel=0.2)
    assert np.array_equal(found.prior, centre)
    assert (found.grain, found.events) == (0.5, 7)


def test_confidence_is_the_share_of_a_weight_that_deaths_speak_for():
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
def test_the_prior_is_brought_to_the_level_of_what_died(seed):
    crossed, died, centre = sides(seed)
    both, oi = np.stack((centre, centre)), 1e-6
    died = died + 0.1
    middle = raised(both * 30, crossed, died, oi)
    assert (crossed @ middle).sum() == pytest.approx(died.sum(), rel=1e-6)


def test_without_deaths_the_prior_falls_as_more_is_crossed():
    crossed, _, centre = sides(3)
    both, none = np.stack((centre, centre)), np.zeros((len(crossed), 2))
    assert raised(both, crossed * 0.0, none, 1e5) == pytest.approx(centre)
    levels = [float((raised(both, crossed * x, none, 1e5) / centre).mean()) for x in (1, 10, 100)]
    assert 1 > levels[0] > levels[1] > levels[2] > 0


def test_a_raised_prior_keeps_its_shape_between_the_sides():
    crossed, died, centre = sides(4)
    middle = raised(np.stack((centre * 4, centre)), crossed, died, 1e5)
    assert middle / middle[0] == pytest.approx(centre / centre[0])


def test_a_grainy_volume_convinces_less():
    crossed, died, centre = sides(1)
    fine = fit(crossed, died, centre, 1e5).confidence()
    grainy = fit(crossed, died, centre, 1e5, dispersion=5.0).confidence()
    assert grainy.sum() < fine.sum()


def test_one_huge_close_says_next_to_nothing_of_where_positions_stand():
    crossed, died, centre = sides(1)
    assert fit(crossed, died, centre, 1e-3, dispersion=1e9).weights == pytest.approx(
        np.stack((centre, centre)), rel=1e-3
    )


@given(seeds, st.floats(0.1, 1e4))
def test_after_strain_no_side_holds_more_than_open_interest(seed, oi):
    chance = np.random.default_rng(seed)
    weights, live = chance.exponential(1.0, (2, 16)), chance.exponential(100.0, (2, 16))
    factor = strain(weights, live, oi)
    assert ((weights * live).sum(axis=1) * factor <= oi * (1 + 1e-12)).all()
    assert (factor <= 1).all()


def test_an_empty_table_is_not_strained():
    assert strain(np.ones((2, 16)), np.zeros((2, 16)), 1.0).tolist() == [1.0, 1.0]


def test_the_posterior_counts_what_cannot_be_as_all_but_impossible():
    ones = np.ones(16)
    possible = log_posterior(np.ones((1, 16)), np.ones(1), ones, ones, 1.0)
    assert log_posterior(np.zeros((1, 16)), np.ones(1), ones, ones, 1.0) < possible - 100
