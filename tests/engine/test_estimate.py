"""The living estimate: what it shows, and what it tells others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from powderkeg.engine.candidate import CANDIDATES, FIRST, USUAL, WINDOWS
from powderkeg.engine.censor import SAMPLED, Fraction
from powderkeg.engine.classes import CLASSES
from powderkeg.engine.contest import Contest
from powderkeg.engine.estimate import ENOUGH, deviance
from powderkeg.engine.exposure import Steps
from powderkeg.engine.record import DIED, PATH, SAID, STATIC
from powderkeg.engine.weights import LEAST_SHAPE, Fit
from powderkeg.events import HOUR, SECOND
from powderkeg.history.snapshots import CODEC

from .made import PLAIN, STEP, TWO, M, P, T, bar, died, live, made, part, walk

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def played():
    """Return a market after a day, and when that is."""
    estimate = made()
    return estimate, live(estimate, 3, 24)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=4), st.floats(1e-3, 1e6))
def test_deviance_is_least_where_the_guess_is_right(actual, expected):
    truth = np.array(actual)
    guess = np.full(len(truth), expected)
    assert deviance(truth, guess, 0.0) >= -1e-6 * max(truth.max(), expected)
    assert deviance(truth, truth, 1e-9) == pytest.approx(0, abs=1e-6)


def test_an_hour_of_which_nothing_was_said_is_not_infinitely_wrong():
    truth, nothing = np.array([5.0]), np.zeros(1)
    assert deviance(truth, nothing, 0.01) == deviance(truth, np.array([0.01]), 0.0)
    assert math.isfinite(deviance(truth, nothing, 0.0))


@pytest.mark.parametrize("actual", [5e-324, 1e-310])
def test_a_volume_too_small_to_divide_deviates_like_none(actual):
    two = np.array([2.0])
    assert deviance(np.array([actual]), two, 0.0) == pytest.approx(deviance(two * 0, two, 0.0))


def test_before_anything_has_died_the_prior_of_the_first_candidate_is_shown():
    estimate = made(CANDIDATES[:3])
    at = live(estimate, 1, 8, kill=0.0)
    assert estimate.best is estimate.candidates[FIRST]
    assert estimate.prior_only
    assert estimate.record.count == estimate.fitted == 0
    assert not estimate.confidence().any()
    prior = estimate.best.prior((at - T - STEP) / SECOND)
    assert estimate.weights(at) == pytest.approx(prior)


def test_what_nobody_knows_may_be_off_by_a_factor_of_ten_either_way():
    estimate = made()
    at = live(estimate, 1, 3, kill=0.0)
    spread = estimate.spread(np.eye(2, CLASSES), at)
    relative = spread.variance / spread.mean**2
    assert (relative >= 1 / LEAST_SHAPE).all()
    low, high = spread.band()
    assert (high / spread.mean > 3).all()
    assert (low < 0.1 * spread.mean).all()


def test_a_lone_candidate_is_always_the_one_shown():
    estimate = made(CANDIDATES[3:4])
    assert estimate.best is estimate.candidates[0]


def test_the_contest_counts_once_enough_has_died_and_a_newcomer_starts_with_the_usual_window():
    estimate = made(TWO)
    for _ in range(50):
        estimate.contest.add([1.0, 2.0])
        estimate.windows.add([1.0, 2.0, 2.0])
    estimate._choose()
    assert (estimate.contest.shown, estimate.windows.shown) == (FIRST, USUAL)
    estimate.events = ENOUGH
    estimate._choose()
    assert (estimate.contest.shown, estimate.windows.shown) == (0, USUAL)
    assert estimate.windows.hours == 0


def test_the_window_that_predicts_best_is_shown():
    estimate = made()
    live(estimate, 3, 8)
    estimate.windows, estimate.events = Contest(len(WINDOWS), USUAL), ENOUGH
    for _ in range(50):
        estimate.windows.add([1.0, 2.0, 3.0])
    estimate._choose()
    assert estimate.windows.shown == 0
    assert estimate.fit is estimate.best.fits[0]
    estimate.best.fits[0] = None
    assert estimate.fit is estimate.best.fits[USUAL]


def test_a_contest_in_which_one_has_nothing_to_say_is_not_scored():
    estimate = made(TWO)
    at = live(estimate, 3, 8)
    hours, estimate.candidates[0].fits[USUAL] = estimate.contest.hours, None
    live(estimate, 4, 2, start=at)
    assert estimate.record.count > hours
    assert estimate.contest.hours == hours


def test_only_the_one_shown_tries_all_windows():
    estimate = made(TWO)
    live(estimate, 3, 8)
    tried = [[fit is not None for fit in each.fits] for each in estimate.candidates]
    assert tried[FIRST] == [True] * len(WINDOWS)
    assert tried[0] == [window == USUAL for window in range(len(WINDOWS))]


def test_of_a_bar_before_open_interest_is_known_the_number_is_one():
    estimate = made()
    estimate.liquidated_bar(bar(T, HOUR, 500.0, 500.0))
    assert (estimate.events, estimate._fresh) == (1, 1)


@given(seeds)
def test_no_side_of_the_map_ever_exceeds_open_interest(seed):
    estimate = made(venue="binance")
    at = live(estimate, seed, 7, kill=1e3)
    sides = estimate.render(at).sum(axis=1)
    assert (sides <= estimate.oi * (1 + 1e-4)).all()
    static = (estimate.static_weights(at) * estimate.rivals.static.live()).sum(axis=1)
    assert (static <= estimate.oi * (1 + 1e-9)).all()


def test_weights_too_heavy_for_open_interest_are_scaled_until_a_side_is_all_of_it():
    estimate = made()
    at = live(estimate, 4, 7)
    heavy = np.full((2, CLASSES), 1e6)
    estimate.best.fits = [Fit(heavy, heavy, heavy, 1.0, heavy)] * len(WINDOWS)
    assert (estimate.strain(at) < 1).all()
    assert estimate.render(at).sum(axis=1) == pytest.approx(np.full(2, estimate.oi), rel=1e-4)
    assert np.ptp(estimate.weights(at), axis=1) == pytest.approx(np.zeros(2), abs=1e-12)


def test_open_interest_and_mark_are_those_that_were_told_last():
    estimate = made()
    assert math.isnan(estimate.oi)
    assert math.isnan(estimate.mark)
    estimate.flush(T, 1000.0)
    estimate.move_mark(T, P)
    assert (estimate.oi, estimate.mark) == (1000.0, pytest.approx(P))


def test_without_open_interest_nothing_is_strained_and_no_lesson_given():
    estimate = made()
    at = live(estimate, 2, 8, oi=math.nan)
    assert not estimate.prior_only
    assert estimate.strain(at).tolist() == [1.0, 1.0]
    assert np.isfinite(estimate.weights(at)).all()
    assert np.isfinite(estimate.static_weights(at)).all()
    assert estimate.lesson() is None


def test_without_open_interest_the_static_map_holds_what_opens_in_half_a_day():
    estimate = made()
    at = live(estimate, 2, 5, kill=0.0, oi=math.nan)
    static = (estimate.static_weights(at) * estimate.rivals.static.live()).sum(axis=1)
    assert static.max() == pytest.approx(estimate.best.interest((at - T) / SECOND), rel=0.2)


def test_a_market_in_which_nothing_was_ever_traded_learns_nothing():
    """Marks and liquidations alone: the openings are unknown, so no prior can be made."""
    estimate = made()
    for n in range(30):
        estimate.move_mark(T + n * HOUR, P * (1.01 if n % 2 else 1.0))
        estimate.liquidated(died(T + n * HOUR))
    assert estimate.prior_only
    assert estimate.lesson() is None
    assert np.isfinite(estimate.weights(T + 30 * HOUR)).all()


def test_the_grain_of_volume_is_the_size_of_the_close_a_typical_coin_died_in():
    """Of ten coins, eight died in one close and two in closes of one: 0.8 * 8 + 0.2 * 1."""
    estimate = made()
    assert estimate.dispersion == 0
    estimate.flush(T, 1000.0)
    for size in (8.0, 1.0, 1.0):
        estimate.liquidated(died(T, size))
    assert estimate.dispersion == 0, "the hour is not over"
    estimate.flush(T + HOUR + 61 * SECOND, 1000.0)
    assert estimate.dispersion == pytest.approx(6.6)


def test_where_no_open_interest_is_told_nothing_becomes_not_a_number():
    estimate = made()
    live(estimate, 3, 3, kill=0.0, oi=math.nan)
    assert np.isfinite(estimate.spread(estimate.best.exposure.live(), T).variance).all()
    for n in range(12):
        estimate.liquidated_bar(bar(T + n * HOUR, HOUR, 1.0, 1.0))
        estimate.move_mark(T + n * HOUR + 30 * 60 * SECOND, P * (1.01 if n % 2 else 1.0))
    assert math.isfinite(estimate.misfit.width)


def test_the_first_report_of_a_sampled_feed_does_not_make_the_prior_jump():
    estimate = made(venue="binance")
    at = live(estimate, 1, 3, kill=0.0)
    estimate.liquidated(died(at, 1e-6))
    before = estimate.weights(at + HOUR)
    estimate.flush(at + HOUR + 61 * SECOND, 1000.0)
    assert estimate.prior_only
    assert estimate.dispersion > 0
    assert estimate.weights(at + HOUR) == pytest.approx(before, rel=0.01)


def test_where_bars_alone_tell_of_deaths_no_share_is_unknown_and_no_weight_is_certain():
    estimate = made(venue="binance")
    for n in range(14):
        at = live(estimate, n, 1, kill=0.0, start=T + n * HOUR)
        estimate.liquidated_bar(bar(T + n * HOUR, HOUR, 1.0, 1.0))
    assert not estimate.prior_only
    assert (estimate.fit.variance() > 1e-9 * estimate.fit.weights**2).all()
    spread = estimate.spread(estimate.best.exposure.live(), at)
    assert spread.misfit == pytest.approx(spread.mean * estimate.misfit.width)


def test_strain_is_the_factor_that_the_weights_were_held_by():
    estimate = made(venue="binance")
    at = live(estimate, 4, 9, kill=50.0)
    held = estimate.weights(at) / (estimate.fit.weights / estimate.fraction.share)
    assert (estimate.strain(at) < 1).all()
    assert held == pytest.approx(np.tile(estimate.strain(at)[:, None], CLASSES))


def test_a_candidate_that_is_no_longer_shown_forgets_its_other_windows():
    estimate = made(TWO)
    live(estimate, 4, 9)
    old = estimate.best
    other = 1 - estimate.contest.shown
    estimate.contest.sums[:] = 1000.0
    estimate.contest.sums[other] = 1.0
    estimate.contest.products[:] = 1.0
    estimate.contest.hours = 500
    estimate.events = ENOUGH
    estimate._choose()
    assert estimate.best is not old
    assert [fit is not None for fit in old.fits] == [i == USUAL for i in range(len(WINDOWS))]


def test_a_band_is_drawn_around_what_the_map_says(played):
    estimate, at = played
    exposure = estimate.best.exposure.live()
    spread = estimate.spread(exposure, at)
    assert spread.mean == pytest.approx(estimate.render(at).sum(axis=1), rel=1e-4)
    low, high = spread.band()
    assert (low < spread.mean).all()
    assert (spread.mean < high).all()
    assert spread.misfit == pytest.approx(spread.mean * estimate.misfit.width)


def test_a_feed_that_may_tell_less_than_thought_widens_the_band(played):
    estimate, at = played
    exposure = estimate.best.exposure.live()
    sure = estimate.spread(exposure, at)
    estimate.fraction = Fraction(1.0, 0.8)
    unsure = estimate.spread(exposure, at)
    estimate.fraction = Fraction()
    assert (unsure.band()[1] > sure.band()[1]).all()


def test_a_lesson_is_what_was_learned_per_unit_of_open_interest(played):
    estimate, _ = played
    lesson, fit = estimate.lesson(), estimate.best.fits[USUAL]
    assert (lesson.market, lesson.venue) == (M, "bybit")
    assert lesson.credit * estimate.oi == pytest.approx(fit.evidence.sum(axis=0)[None])
    assert lesson.crossed * estimate.oi == pytest.approx(fit.crossed.sum(axis=0)[None])


def test_of_a_sampled_feed_a_lesson_and_the_map_are_of_all_that_dies():
    """The same tape and the same reports: behind a sample stands more than was told."""
    pair = made(), made(venue="binance")
    for estimate in pair:
        at = live(estimate, 3, 10, kill=1e-3)
    bybit, binance = pair
    assert (bybit.strain(at) == 1).all()
    assert binance.weights(at) == pytest.approx(bybit.weights(at) * SAMPLED["binance"])
    assert binance.lesson().credit == pytest.approx(bybit.lesson().credit * SAMPLED["binance"])
    told = [each.record.rows[:, [DIED, SAID, STATIC, PATH]] for each in pair]
    assert told[0] == pytest.approx(told[1], rel=1e-4)


def test_complete_feeds_of_elders_tell_what_share_a_sampled_feed_tells():
    """Bybit saw ten times more die of the same exposure, so less than the prior 1 / 2.8 is told."""
    bybit, binance, alone = made(), made(venue="binance"), made(venue="binance")
    live(bybit, 3, 10, kill=1e-2)
    binance.elders = [bybit.lesson()]
    for estimate in (binance, alone):
        live(estimate, 3, 10, kill=1e-3)
    assert not alone.fraction.measured
    assert binance.fraction.measured
    assert 0.1 < binance.fraction.share < alone.fraction.share


def test_candles_and_a_tape_are_swept_into_hours_and_quarters():
    n = 120 if PLAIN else 600
    told, ones = walk(n), np.ones(n)
    steps = Steps(
        told.times / SECOND + 60, np.arange(1, n + 1), 1000 + ones, told.close, told.close, ones
    )
    by_candles, by_tape = made(TWO), made(TWO)
    by_candles.add_candles(told, [n])
    records = by_tape.add_tape(steps)
    assert by_tape.best.sweeps.crossed.sum() == pytest.approx(records[:, 4:].sum())
    for estimate in (by_candles, by_tape):
        assert all(each.sweeps.crossed.sum() > 0 for each in estimate.candidates)
        assert all(len(each.hours.crossed) > 0 for each in estimate.candidates)
        assert estimate.rivals.static.live().sum() > 0
        assert estimate.rivals.path.hours


def test_nothing_is_learned_from_candles_whose_deaths_nobody_told():
    told = walk(120)
    heard, unheard = made(TWO), made(TWO)
    heard.add_candles(told, [120])
    unheard.add_candles(structs.replace(told, deaths=False), [120])
    for a, b in zip(heard.candidates, unheard.candidates, strict=True):
        assert a.sweeps.crossed.sum() > 0
        assert b.sweeps.crossed.sum() == 0
        assert np.array_equal(a.exposure.cells, b.exposure.cells)
    assert not unheard.rivals.path.hours


def test_the_one_shown_and_the_static_map_stand_at_each_stop_as_they_would_have_ended_there():
    n = 90 if PLAIN else 600
    stops = [n // 3, n * 3 // 4, n]
    told, whole, parts, drawn = walk(n), made(TWO), made(TWO), []
    whole.add_candles(
        told,
        stops,
        lambda stop: drawn.append((stop, whole.mark, whole.rivals.static.live().tolist())),
    )
    for start, stop in zip([0, *stops], stops, strict=False):
        parts.add_candles(part(told, start, stop), [stop - start])
        stood = (stop, parts.mark, parts.rivals.static.live().tolist())
        assert drawn[stops.index(stop)] == stood
    for a, b in zip(whole.candidates, parts.candidates, strict=True):
        assert np.array_equal(a.exposure.cells, b.exposure.cells)


@given(seeds)
def test_a_snapshot_restores_the_estimate_and_it_goes_on_alike(seed):
    estimate = made()
    at = live(estimate, seed, 7)
    copy = CODEC.unpack(CODEC.pack(estimate))
    for one in (estimate, copy):
        live(one, seed + 1, 2, start=at)
    assert CODEC.digest(copy) == CODEC.digest(estimate)


def test_a_market_that_is_told_no_deaths_is_weighted_by_what_others_have_learned():
    taught, silent = made(TWO), made(TWO, venue="hyperliquid")
    at = live(taught, 4, 12)
    live(silent, 4, 12, kill=0.0)
    alone = silent.weights(at)
    silent.elders = [taught.lesson()]
    helped = silent.weights(at)
    assert silent.prior_only
    near = np.abs(np.log(helped / taught.weights(at))).sum()
    assert near < np.abs(np.log(alone / taught.weights(at))).sum()
    silent.elders = [structs.replace(taught.lesson(), market=silent.market)]
    assert np.array_equal(silent.weights(at), alone), "nobody is his own elder"
