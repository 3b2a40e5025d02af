"""What a market learns from what it crossed and what was liquidated meanwhile."""

import math

import numpy as np
import pytest

from powderkeg.engine.calibration.pooling import PooledStats
from powderkeg.engine.calibration.reporting import ReportingRate
from powderkeg.engine.calibration.sweeps import KEPT, QUARTER
from powderkeg.engine.calibration.terms import LENGTH, TERMS
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.marks import R_CLASSES, R_FRESH, R_SIDE, R_TIME, RECORD
from powderkeg.events import DAY, HOUR, SECOND

from .made import PLAIN, STEP, P, T, bar, made

compiled = pytest.mark.skipif(PLAIN, reason="a minute where kernels run as plain Python")
EACH = 10.0
"""Exposure of every class that `swept` crosses at a time, on either side."""


def opened(oi=1000.0):
    """Return a market that has seen an hour of even trading."""
    estimate = made("binance")
    for n in range(2):
        estimate.add_trades(np.array([P, P]), np.array([40.0, -40.0]))
        estimate.flush(T + n * HOUR, oi)
    return estimate


def swept(estimate, since, until, step=6 * HOUR):
    """Let a market cross the same of every class each six hours, on fresh ground."""
    for at in range(since, until, step):
        records = np.zeros((2, RECORD))
        records[:, R_CLASSES:] = EACH
        records[:, R_TIME], records[:, R_SIDE], records[:, R_FRESH] = at / SECOND + 60, (0, 1), 1
        estimate._add_sweeps(records)


def liquidated(estimate, rate, since, until, step=6 * HOUR):
    """Report a share `rate` of all that `swept` crosses."""
    for at in range(since, until, step):
        for side in range(2):
            estimate._liquidations.add(
                at // QUARTER * QUARTER, QUARTER, side, rate * EACH * CLASSES
            )


def learned(estimate, rate=0.02, days=6):
    """Return the fit after days in which a share `rate` was liquidated."""
    end = T + days * DAY
    swept(estimate, T, end)
    liquidated(estimate, rate, T, end)
    estimate.refit(end, end)
    return estimate.fit


def level(fit):
    """Return the mean weight of the classes on fresh ground."""
    return fit.weights[:, :CLASSES].mean()


def test_what_was_crossed_is_remembered_by_the_quarter_and_by_the_hour():
    estimate = opened()
    swept(estimate, T, T + DAY)
    assert len(estimate.sweeps.quarters) == 4
    assert estimate.sweeps.crossed.sum() == 4 * 2 * CLASSES * EACH
    assert estimate._hours.close(T // HOUR).sum() == 2 * CLASSES * EACH


def test_a_market_learns_what_share_of_the_crossed_is_liquidated():
    fit = learned(opened(), rate=0.02)
    sides = fit.weights[:, :CLASSES].mean(axis=1)
    assert sides == pytest.approx([0.02, 0.02], rel=0.05)
    assert fit.crossed[:, :CLASSES] == pytest.approx(np.full((2, CLASSES), 24 * EACH))


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_a_prior_ten_times_wrong_is_brought_to_the_level_of_what_was_liquidated(
    factor, monkeypatch
):
    estimate = opened()
    prior = type(estimate).prior
    monkeypatch.setattr(type(estimate), "prior", lambda *args: prior(*args) * factor)
    assert level(learned(estimate)) == pytest.approx(0.02, rel=0.1)


def test_only_the_last_three_weeks_are_learned_from():
    """Of 28 days, ten in which a fiftieth was liquidated and before them a fifth."""
    estimate, end = opened(), T + 28 * DAY
    swept(estimate, T, end)
    liquidated(estimate, 0.2, T, end - 10 * DAY)
    liquidated(estimate, 0.02, end - 10 * DAY, end)
    estimate.refit(end, end)
    assert KEPT == 21 * DAY
    assert level(estimate.fit) == pytest.approx((10 * 0.02 + 11 * 0.2) / 21, rel=0.1)


def test_what_comes_after_the_time_it_learns_at_changes_nothing():
    pair, until = (opened(), opened()), T + 2 * DAY
    for estimate, later in zip(pair, (0.0, 50.0), strict=True):
        swept(estimate, T, T + 3 * DAY)
        liquidated(estimate, 0.02, T, until)
        estimate._liquidations.add(until, QUARTER, 0, later)
        estimate.refit(until, until)
    assert np.array_equal(pair[0].fit.weights, pair[1].fit.weights)
    assert np.array_equal(pair[0].path_only.weights, pair[1].path_only.weights)


def test_a_market_that_crossed_nothing_learns_nothing():
    estimate = opened()
    liquidated(estimate, 0.1, T, T + DAY)
    estimate.refit(T + DAY, T + DAY)
    assert estimate.fit is estimate.path_only is None
    assert estimate.fitted == 0


def test_a_market_whose_openings_are_unknown_learns_nothing():
    assert learned(made("binance")) is None


def test_without_open_interest_a_market_learns_nevertheless():
    assert level(learned(opened(oi=np.nan))) == pytest.approx(0.02, rel=0.1)


def test_a_refit_goes_on_from_the_last_one():
    """Few rounds suffice then, and many refits end where one from scratch does."""
    estimate, end = opened(), T + 6 * DAY
    first = learned(estimate)
    for _ in range(20):
        estimate.refit(end, end)
    assert estimate.fit is not first
    assert estimate.fit.weights == pytest.approx(first.weights, rel=0.05)


def pooled_stats(weight):
    """Return what another venue's market learned: only what stands in class five is liquidated."""
    credit = np.zeros(TERMS)
    credit[5] = weight
    return PooledStats("bybit:BTCUSDT", credit, np.ones(TERMS))


def test_where_reports_say_little_other_markets_say_where():
    alone, helped = opened(), opened()
    helped.peers = [pooled_stats(1.0)]
    fits = [learned(each, rate=1e-6) for each in (alone, helped)]
    shares = [fit.weights.mean(axis=0) / fit.weights.mean() for fit in fits]
    assert shares[1][5] > 3 * shares[0][5]


def test_a_market_to_which_a_third_is_reported_expects_a_third_of_what_others_saw():
    """Only the share changes the lengths; no level is fitted for them."""
    centres = []
    for share in (1.0, 1 / 3):
        estimate = opened()
        estimate.peers = [pooled_stats(1.0)]
        estimate.reporting_rate, estimate._sizes = ReportingRate(share), 1e-6
        estimate._squares = 1e-12
        centres.append(learned(estimate).prior_mean)
    assert centres[1][LENGTH:] / centres[0][LENGTH:] == pytest.approx(np.full(2, 1 / 3))


def test_the_path_alone_learns_the_same_level_from_the_same_reports():
    estimate = opened()
    fit = learned(estimate)
    only = estimate.path_only
    reported = 24 * 2 * 0.02 * EACH * CLASSES
    for each in (fit, only):
        assert (each.crossed * each.weights).sum() == pytest.approx(reported, rel=0.05)


@compiled
@pytest.mark.parametrize("truth", range(RATES))
def test_the_fit_finds_how_long_positions_of_a_simulated_market_are_held(truth):
    """Eight days in which a tenth of the crossed classes of one closing rate is liquidated."""
    estimate, chance = made(), np.random.default_rng(9)
    price, at = P, T
    while at < T + 8 * DAY:
        at += STEP
        price *= math.exp(chance.normal(0, 0.004))
        estimate.add_trades(np.array([price]), chance.normal(0, 200, 1))
        estimate.flush(at, 2e4)
        volumes = [0.0, 0.0]
        for record in estimate.move_mark(at, price):
            if record[R_FRESH]:
                volumes[int(record[R_SIDE])] += 0.1 * record[R_CLASSES + truth :: RATES].sum()
        estimate.add_liquidation_bar(bar((at - 1) // QUARTER * QUARTER, QUARTER, *volumes))
    found = estimate.fit.evidence[:, :CLASSES].sum(axis=0).reshape(-1, RATES).sum(axis=0)
    assert found.argmax() == truth
    assert found[truth] > 0.7 * estimate.fit.evidence.sum()
