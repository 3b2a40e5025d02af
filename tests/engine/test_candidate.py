"""One of the candidates."""

import math

import numpy as np
import pytest

from powderkeg.engine.candidate import (
    CANDIDATES,
    FIRST,
    USUAL,
    WINDOWS,
    Candidate,
    Taught,
)
from powderkeg.engine.classes import CLASSES
from powderkeg.engine.exposure import Exposure, Spec
from powderkeg.engine.family import Lesson
from powderkeg.engine.kernels import RECORD
from powderkeg.engine.sweeps import KEPT, QUARTER, Deaths
from powderkeg.engine.weights import DARK
from powderkeg.events import DAY, HOUR, SECOND

T = 1_767_225_600 * SECOND
P = 100_000.0
M = "binance:BTCUSDT"


def opened(oi=1000.0, hours=1):
    """Return a candidate that has seen an hour of even trading."""
    candidate = Candidate(Exposure(P, CANDIDATES[FIRST]), "binance")
    for n in range(hours + 1):
        candidate.exposure.add_trades(np.array([P, P]), np.array([40.0, -40.0]))
        candidate.exposure.flush(T + n * HOUR, oi)
    return candidate


def swept(candidate, since, until, step=6 * HOUR, crossed=10.0):
    """Let a candidate cross the same of every class each six hours."""
    for at in range(since, until, step):
        records = np.full((2, RECORD), crossed)
        records[:, 0], records[:, 1] = at / SECOND + 60, (0, 1)
        candidate.take(records)


def taught(deaths, at, lessons=(), share=1.0, dispersion=0.0):
    return Taught(at, M, deaths, list(lessons), share, dispersion, 3)


def killed(rate, since, until, step=6 * HOUR):
    """Return deaths of a share `rate` of all that `swept` crosses."""
    deaths = Deaths()
    for at in range(since, until, step):
        for side in range(2):
            deaths.add(at // QUARTER * QUARTER, QUARTER, side, rate * 10.0 * CLASSES)
    return deaths


def learned(candidate, rate=0.02, days=6, window=USUAL, **told):
    """Return the fit after days in which a share `rate` died."""
    swept(candidate, T, T + days * DAY)
    end = T + days * DAY
    candidate.learn(
        taught(killed(rate, T, end), end, **told), candidate.prior(3600.0), window, FIRST
    )
    return candidate.fits[window]


def test_eight_candidates_differ_in_basis_or_closing():
    assert len(set(CANDIDATES)) == 8
    assert {spec.basis for spec in CANDIDATES} == {"generic-16", "sharp-10-broad-6"}
    assert CANDIDATES[FIRST] == Spec()


def test_the_usual_window_is_three_weeks_and_the_longest_is_all_that_is_kept():
    assert WINDOWS[USUAL] == 21 * DAY
    assert max(WINDOWS) == KEPT


def test_what_was_crossed_is_remembered_by_the_quarter_and_by_the_hour():
    candidate = opened()
    swept(candidate, T, T + DAY)
    assert len(candidate.sweeps.quarters) == 4
    assert candidate.sweeps.crossed.sum() == 4 * 2 * CLASSES * 10
    assert candidate.hours.close(T // HOUR).sum() == 2 * CLASSES * 10


def test_a_mark_that_crossed_nothing_leaves_nothing():
    candidate = opened()
    candidate.take(np.zeros((0, RECORD)))
    assert not len(candidate.sweeps.quarters)
    assert not candidate.hours.crossed


def test_under_its_prior_the_map_settles_at_the_levered_part_of_open_interest():
    candidate = opened(oi=1000.0, hours=24 * 90)
    elapsed = 24 * 90 * HOUR / SECOND
    sides = (candidate.prior(elapsed) * candidate.exposure.live()).sum(axis=1)
    assert sides == pytest.approx(np.full(2, 1000 * (1 - DARK)), rel=0.1)


def test_without_open_interest_it_is_taken_for_half_a_day_of_openings():
    told, untold = opened(oi=500.0), opened(oi=math.nan)
    elapsed = HOUR / SECOND
    rate = untold.exposure.ledger[0, :, 0] / elapsed
    half = float(rate.sum()) * 12 * 3600
    ratio = untold.prior(elapsed) * rate[:, None] / half
    rate = told.exposure.ledger[0, :, 0] / elapsed
    assert ratio == pytest.approx(told.prior(elapsed) * rate[:, None] / 500.0)


def test_a_candidate_learns_what_share_of_the_crossed_died():
    fit = learned(opened(), rate=0.02)
    assert (fit.weights.sum(axis=1) / CLASSES) == pytest.approx([0.02, 0.02], rel=0.05)
    assert fit.events == 3


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_a_prior_ten_times_wrong_is_brought_to_the_level_of_what_died(factor):
    candidate = opened()
    swept(candidate, T, T + 6 * DAY)
    end = T + 6 * DAY
    candidate.learn(
        taught(killed(0.02, T, end), end), candidate.prior(3600.0) * factor, USUAL, FIRST
    )
    assert candidate.fits[USUAL].weights.mean() == pytest.approx(0.02, rel=0.1)


def test_a_window_learns_from_its_own_days_only():
    candidate, end = opened(), T + 28 * DAY
    swept(candidate, T, end)
    deaths = killed(0.2, T, end - 10 * DAY)
    for (start, _), volume in killed(0.02, end - 10 * DAY, end).spans.items():
        for side in range(2):
            deaths.add(start, QUARTER, side, volume[side])
    for window in range(len(WINDOWS)):
        candidate.learn(taught(deaths, end), candidate.prior(3600.0), window, FIRST)
    week, three, all_ = (fit.weights.mean() for fit in candidate.fits)
    assert week == pytest.approx(0.02, rel=0.1)
    assert three == pytest.approx((10 * 0.02 + 11 * 0.2) / 21, rel=0.1)
    assert all_ == pytest.approx((10 * 0.02 + 18 * 0.2) / 28, rel=0.1)


def test_what_comes_after_the_time_it_is_taught_at_changes_nothing():
    pair = opened(), opened()
    for candidate, later in zip(pair, (0.0, 50.0), strict=True):
        swept(candidate, T, T + 3 * DAY)
        deaths = killed(0.02, T, T + 2 * DAY)
        deaths.add(T + 2 * DAY, QUARTER, 0, later)
        told = taught(deaths, T + 2 * DAY)
        candidate.learn(told, candidate.prior(3600.0), USUAL, FIRST)
    assert np.array_equal(pair[0].fits[USUAL].weights, pair[1].fits[USUAL].weights)


def test_a_candidate_that_crossed_nothing_learns_nothing():
    candidate = opened()
    candidate.learn(taught(killed(0.1, T, T + DAY), T + DAY), candidate.prior(1.0), USUAL, FIRST)
    assert candidate.fits == [None] * len(WINDOWS)


def test_a_candidate_whose_openings_are_unknown_learns_nothing():
    candidate = Candidate(Exposure(P), "binance")
    assert learned(candidate) is None


def test_without_open_interest_a_candidate_learns_nevertheless():
    fit = learned(opened(oi=math.nan))
    assert fit.weights.mean() == pytest.approx(0.02, rel=0.1)


def test_a_refit_goes_on_from_the_last_one():
    """Few rounds suffice then, and many refits end where one from scratch does."""
    candidate, end = opened(), T + 6 * DAY
    first = learned(candidate)
    for _ in range(20):
        told = taught(killed(0.02, T, end), end)
        candidate.learn(told, candidate.prior(3600.0), USUAL, FIRST)
    assert candidate.fits[USUAL] is not first
    assert candidate.fits[USUAL].weights == pytest.approx(first.weights, rel=0.05)


def lesson(weight):
    """Return what another venue's market learned: class five alone kills."""
    crossed = np.ones((len(CANDIDATES), CLASSES))
    credit = np.zeros_like(crossed)
    credit[:, 5] = weight
    return Lesson("bybit:BTCUSDT", credit, crossed)


def test_where_deaths_say_little_other_markets_say_where():
    alone = learned(opened(), rate=1e-6)
    helped = learned(opened(), rate=1e-6, lessons=[lesson(1.0)])
    shares = [fit.weights.mean(axis=0) / fit.weights.mean() for fit in (alone, helped)]
    assert shares[1][5] > 3 * shares[0][5]


def test_a_market_told_a_third_expects_a_third_of_what_others_saw_die():
    found = [
        learned(opened(), lessons=[lesson(1.0)], share=share).prior[5] for share in (1.0, 1 / 3)
    ]
    assert found == pytest.approx([1.0, 1 / 3], rel=0.01)
