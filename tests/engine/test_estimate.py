"""The estimate of one market: its map, its weights and its statistics for others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from powderkeg.engine.calibration.forecasts import NO_MAP, PREDICTED, REPORTED, STATIC
from powderkeg.engine.calibration.forecasts import PATH_ONLY as BY_PATH
from powderkeg.engine.calibration.pooling import PooledStats
from powderkeg.engine.calibration.reporting import ReportingRate
from powderkeg.engine.calibration.terms import (
    LENGTH,
    PATH_ONLY,
    TERMS,
    as_terms,
    by_ground,
    in_coins,
    of_classes,
    per_oi,
)
from powderkeg.engine.calibration.weights import DARK, LEAST_SHAPE, Fit
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.exposure import Steps
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import DAY, HOUR, SECOND
from powderkeg.history.snapshots import CODEC
from powderkeg.venues import VENUES

from .made import PLAIN, STEP, M, P, T, bar, lent, liquidated, live, made, part, walk

seeds = st.integers(0, 2**32 - 1)
PIECES = 50
"""Reports a sweep: so fine that evidence outweighs what was assumed."""
compiled = pytest.mark.skipif(PLAIN, reason="a minute where kernels run as plain Python")


@pytest.fixture(scope="module")
def played():
    """Return a market after a day, and when that is."""
    estimate = made()
    return estimate, live(estimate, 3, 24)


def standing(estimate):
    """Return what stands on both sides in all bins as summed terms, shape (2, 98)."""
    sides = [estimate.exposure.standing(side, 0, BINS) for side in range(2)]
    return np.stack([as_terms(*each).sum(axis=0) for each in sides])


def test_before_anything_was_liquidated_the_prior_is_shown_on_both_sides():
    estimate = made()
    at = live(estimate, 1, 8, kill=0.0)
    assert estimate.prior_only
    assert not estimate.is_pretrained
    assert estimate.forecast_log.count == estimate.fitted == 0
    assert estimate.path_only is None
    assert estimate.confidence().shape == (2, TERMS)
    assert not estimate.confidence().any()
    assert estimate.weights(at) == pytest.approx(np.tile(estimate.prior(at), (2, 1)))


def test_what_nobody_knows_may_be_off_by_a_factor_of_ten_either_way():
    estimate = made()
    at = live(estimate, 1, 3, kill=0.0)
    spread = estimate.uncertainty(1e6 * np.eye(2, TERMS), at)
    relative = spread.variance / spread.mean**2
    assert (relative >= 1 / LEAST_SHAPE).all()
    low, high = spread.band()
    assert (high / spread.mean > 3).all()
    assert (low < 0.1 * spread.mean).all()


def test_of_a_bar_before_open_interest_is_known_the_number_is_one():
    estimate = made()
    estimate.add_liquidation_bar(bar(T, HOUR, 500.0, 500.0))
    assert (estimate.events, estimate._fresh) == (1, 1)


@given(seeds)
def test_no_side_of_the_map_ever_exceeds_open_interest(seed):
    """But by what stands on known ground, which is held as if it were fresh: next to nothing."""
    estimate = made("binance")
    at = live(estimate, seed, 7, kill=10.0, pieces=PIECES)
    weights = estimate.map_weights(at)
    assert weights.shape == (2, 2, CLASSES)
    held = (weights[:, 0] * estimate.exposure.live()).sum(axis=1)
    assert (held <= estimate.oi * (1 + 1e-9)).all()
    for side, drawn in enumerate(estimate.render(at).sum(axis=1)):
        exposure, known = estimate.exposure.standing(side, 0, BINS)
        beside = (exposure[known] * weights[side, 1]).sum()
        assert drawn <= estimate.oi * (1 + 1e-4) + beside
        assert beside <= 0.05 * estimate.oi


@given(seeds)
def test_no_side_of_the_static_map_ever_exceeds_open_interest(seed):
    estimate = made("binance")
    at = live(estimate, seed, 7, kill=10.0, pieces=PIECES)
    weights = estimate.static_weights(at)
    assert weights.shape == (2, 2, CLASSES)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    static = (weights[:, 0] * estimate.baselines.static.live()).sum(axis=1)
    assert (static <= estimate.oi * (1 + 1e-9)).all()


def test_weights_too_heavy_for_open_interest_are_scaled_until_a_side_is_all_of_it():
    estimate = made()
    at = live(estimate, 4, 7)
    heavy = of_classes(np.full((2, CLASSES), 1e6))
    estimate.fit = Fit(heavy, heavy, heavy[0], 1.0, heavy)
    assert (estimate.oi_cap_factor(at) < 1).all()
    assert estimate.render(at).sum(axis=1) == pytest.approx(np.full(2, estimate.oi), rel=1e-4)
    assert np.ptp(estimate.map_weights(at), axis=2) == pytest.approx(np.zeros((2, 2)), abs=1e-12)


def test_the_map_is_drawn_with_the_weights_of_the_terms(played):
    estimate, at = played
    weights = estimate.weights(at)
    assert weights.shape == (2, TERMS)
    assert np.array_equal(estimate.map_weights(at), by_ground(weights))
    drawn = estimate.exposure.render(by_ground(weights))
    assert np.array_equal(estimate.render(at), drawn)


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
    assert estimate.oi_cap_factor(at).tolist() == [1.0, 1.0]
    assert np.isfinite(estimate.weights(at)).all()
    assert np.isfinite(estimate.static_weights(at)).all()
    assert estimate.pooled_stats() is None


def test_what_no_open_interest_bounds_is_told_until_one_is_known():
    estimate = made()
    at = live(estimate, 2, 8, oi=math.nan)
    held = estimate.unbounded(at)
    prior_mean = estimate.render(at).sum(axis=1)
    assert held == pytest.approx(prior_mean, rel=0.2)
    estimate.flush(at, 1e9)
    assert estimate.unbounded(at).tolist() == [0.0, 0.0]


def test_without_open_interest_the_static_map_holds_what_opens_in_half_a_day():
    estimate = made()
    at = live(estimate, 2, 5, kill=0.0, oi=math.nan)
    weights = estimate.static_weights(at)[:, 0]
    static = (weights * estimate.baselines.static.live()).sum(axis=1)
    assert static.max() == pytest.approx(estimate.open_interest((at - T) / SECOND), rel=0.2)


def test_a_market_in_which_nothing_was_ever_traded_learns_nothing():
    """Marks and liquidations alone: the openings are unknown, so no prior can be made."""
    estimate = made()
    for n in range(30):
        estimate.move_mark(T + n * HOUR, P * (1.01 if n % 2 else 1.0))
        estimate.add_liquidation(liquidated(T + n * HOUR))
    assert estimate.prior_only
    assert estimate.pooled_stats() is None
    assert np.isfinite(estimate.weights(T + 30 * HOUR)).all()


def test_the_grain_of_volume_is_the_size_of_the_close_a_typical_coin_died_in():
    """Of ten coins, eight are one liquidation and two are liquidations of one: 0.8 * 8 + 0.2."""
    estimate = made()
    assert estimate.dispersion == 0
    estimate.flush(T, 1000.0)
    for size in (8.0, 1.0, 1.0):
        estimate.add_liquidation(liquidated(T, size))
    assert estimate.dispersion == 0, "the hour is not over"
    estimate.flush(T + HOUR + 61 * SECOND, 1000.0)
    assert estimate.dispersion == pytest.approx(6.6)


def test_where_no_open_interest_is_told_nothing_becomes_not_a_number():
    estimate = made()
    live(estimate, 3, 3, kill=0.0, oi=math.nan)
    assert np.isfinite(estimate.uncertainty(of_classes(estimate.exposure.live()), T).variance).all()
    for n in range(12):
        estimate.add_liquidation_bar(bar(T + n * HOUR, HOUR, 1.0, 1.0))
        estimate.move_mark(T + n * HOUR + 30 * 60 * SECOND, P * (1.01 if n % 2 else 1.0))
    assert math.isfinite(estimate.model_error.width)


def test_the_first_report_of_a_sampled_feed_does_not_make_the_prior_jump():
    estimate = made("binance")
    at = live(estimate, 1, 3, kill=0.0)
    estimate.add_liquidation(liquidated(at, 1e-6))
    before = estimate.weights(at + HOUR)
    estimate.flush(at + HOUR + 61 * SECOND, 1000.0)
    assert estimate.prior_only
    assert estimate.dispersion > 0
    assert estimate.weights(at + HOUR) == pytest.approx(before, rel=0.01)


def test_where_bars_alone_tell_of_deaths_no_share_is_unknown_and_no_weight_is_certain():
    estimate = made("binance")
    for n in range(14):
        at = live(estimate, n, 1, kill=0.0, start=T + n * HOUR)
        estimate.add_liquidation_bar(bar(T + n * HOUR, HOUR, 1.0, 1.0))
    assert not estimate.prior_only
    assert (estimate.fit.variance() > 1e-9 * estimate.fit.weights**2).all()
    spread = estimate.uncertainty(standing(estimate), at)
    assert spread.model_error == pytest.approx(spread.mean * estimate.model_error.width)


def test_strain_is_the_factor_that_the_weights_were_held_by():
    estimate = made("binance")
    at = live(estimate, 3, 10, kill=5.0, pieces=PIECES)
    held = estimate.weights(at) / (estimate.fit.weights / estimate.reporting_rate.share)
    assert (estimate.oi_cap_factor(at) < 1).all()
    assert held == pytest.approx(np.tile(estimate.oi_cap_factor(at)[:, None], TERMS))


def test_a_band_is_drawn_around_what_the_map_says(played):
    estimate, at = played
    spread = estimate.uncertainty(standing(estimate), at)
    assert spread.mean == pytest.approx(estimate.render(at).sum(axis=1), rel=1e-4)
    low, high = spread.band()
    assert (low < spread.mean).all()
    assert (spread.mean < high).all()
    assert spread.model_error == pytest.approx(spread.mean * estimate.model_error.width)


def test_a_feed_that_may_tell_less_than_thought_widens_the_band(played):
    estimate, at = played
    exposure = standing(estimate)
    sure = estimate.uncertainty(exposure, at)
    estimate.reporting_rate = ReportingRate(1.0, 0.8)
    unsure = estimate.uncertainty(exposure, at)
    estimate.reporting_rate = ReportingRate()
    assert (unsure.band()[1] > sure.band()[1]).all()


def test_a_lesson_is_what_was_learned_per_unit_of_open_interest(played):
    estimate, _ = played
    pooled_stats, fit = estimate.pooled_stats(), estimate.fit
    assert (pooled_stats.market, pooled_stats.venue) == (M, "bybit")
    assert pooled_stats.credit * estimate.oi == pytest.approx(fit.evidence.sum(axis=0))
    # weights of days and lengths are coins: divided by open interest they are the credit's
    expected = per_oi(fit.weights.mean(axis=0), estimate.oi) @ pooled_stats.crossed
    assert expected * estimate.oi == pytest.approx(
        (fit.crossed.sum(axis=0) * fit.weights.mean(axis=0)).sum()
    )


def test_of_a_sampled_feed_a_lesson_and_the_map_are_of_all_that_is_liquidated():
    """The same tape and the same reports: behind a sample stands more than was reported."""
    pair = made(), made("binance")
    for estimate in pair:
        at = live(estimate, 3, 10, pieces=PIECES)
        share = estimate.reporting_rate.share
        assert (estimate.oi_cap_factor(at) == 1).all()
        assert estimate.weights(at) * share == pytest.approx(estimate.fit.weights)
        credit = estimate.pooled_stats().credit * share * estimate.oi
        assert credit == pytest.approx(estimate.fit.evidence.sum(axis=0))
    bybit, binance = pair
    assert binance.reporting_rate.share == 1 / VENUES["binance"].liquidated_per_reported
    times = binance.weights(at) / bybit.weights(at)
    assert (times > 0.9).all()
    assert (times < VENUES["binance"].liquidated_per_reported * 1.1).all()
    assert np.median(times) == pytest.approx(VENUES["binance"].liquidated_per_reported, rel=0.15)
    expected = [(each.fit.crossed * each.weights(at)).sum() for each in pair]
    assert expected[1] / expected[0] == pytest.approx(
        VENUES["binance"].liquidated_per_reported, rel=0.03
    )
    reported = [each.forecast_log.rows[:, [REPORTED, STATIC, NO_MAP]] for each in pair]
    assert reported[0] == pytest.approx(reported[1], rel=1e-4)


def test_the_share_of_a_sampled_feed_is_measured_against_complete_feeds():
    """Bybit reports ten times more for the same exposure, so the share falls below 1 / 2.8."""
    bybit, binance, alone = made(), made("binance"), made("binance")
    live(bybit, 3, 10, kill=1e-2)
    binance.peers = [bybit.pooled_stats()]
    for estimate in (binance, alone):
        live(estimate, 3, 10, kill=1e-3)
    assert not alone.reporting_rate.measured
    assert binance.reporting_rate.measured
    assert 0.1 < binance.reporting_rate.share < alone.reporting_rate.share


def test_candles_and_a_tape_are_swept_into_hours_and_quarters():
    n = 120 if PLAIN else 600
    candles, ones = walk(n), np.ones(n)
    steps = Steps(
        candles.times / SECOND + 60,
        np.arange(1, n + 1),
        1000 + ones,
        candles.close,
        candles.close,
        ones,
    )
    by_candles, by_tape = made(), made()
    by_candles.add_candles(candles, [n])
    records = by_tape.add_tape(steps)
    by_class = by_tape.sweeps.crossed[..., :LENGTH].astype(np.float64)
    by_class[..., CLASSES:] *= RATES  # of a distance on known ground, the mean was kept
    assert by_class.sum() == pytest.approx(records[:, 4:].sum(), rel=1e-5)
    for estimate in (by_candles, by_tape):
        assert estimate.sweeps.crossed.sum() > 0
        assert len(estimate._hours.crossed) > 0
        assert estimate.baselines.static.live().sum() > 0
        assert estimate.baselines.path.hours


def test_nothing_is_learned_from_candles_whose_deaths_nobody_told():
    candles = walk(120)
    heard, unheard = made(), made()
    heard.add_candles(candles, [120])
    unheard.add_candles(structs.replace(candles, liquidations_known=False), [120])
    assert heard.sweeps.crossed.sum() > 0
    assert unheard.sweeps.crossed.sum() == 0
    assert np.array_equal(heard.exposure.cells, unheard.exposure.cells)
    assert not unheard.baselines.path.hours


def test_the_map_and_the_static_map_stand_at_each_stop_as_they_would_have_ended_there():
    n = 90 if PLAIN else 600
    stops = [n // 3, n * 3 // 4, n]
    candles, whole, parts, drawn = walk(n), made(), made(), []
    whole.add_candles(
        candles,
        stops,
        lambda stop: drawn.append((stop, whole.mark, whole.baselines.static.live().tolist())),
    )
    for start, stop in zip([0, *stops], stops, strict=False):
        parts.add_candles(part(candles, start, stop), [stop - start])
        stood = (stop, parts.mark, parts.baselines.static.live().tolist())
        assert drawn[stops.index(stop)] == stood
    assert np.array_equal(whole.exposure.cells, parts.exposure.cells)


@given(seeds)
def test_a_snapshot_restores_the_estimate_and_it_goes_on_alike(seed):
    estimate = made()
    at = live(estimate, seed, 7)
    copy = CODEC.unpack(CODEC.pack(estimate))
    for one in (estimate, copy):
        live(one, seed + 1, 2, start=at)
    assert CODEC.digest(copy) == CODEC.digest(estimate)


def test_a_market_that_is_told_no_deaths_is_weighted_by_what_others_have_learned():
    fitted, silent = made(), made("hyperliquid")
    at = live(fitted, 4, 12)
    live(silent, 4, 12, kill=0.0)
    alone = silent.weights(at)
    silent.peers = [fitted.pooled_stats()]
    helped = silent.weights(at)
    assert silent.prior_only
    near = np.abs(np.log(helped / fitted.weights(at))).sum()
    assert near < np.abs(np.log(alone / fitted.weights(at))).sum()
    silent.peers = [structs.replace(fitted.pooled_stats(), market=silent.market)]
    assert np.array_equal(silent.weights(at), alone), "a market is not pooled with itself"


def test_a_mark_with_its_extremes_sweeps_both_ways_and_is_seen_by_the_path():
    estimate = made()
    at = live(estimate, 3, 3, kill=0.0)
    before, mark = estimate.sweeps.crossed.sum(), estimate.mark
    records = estimate.move_mark(at + SECOND, mark, mark * 0.99, mark * 1.01)
    assert set(records[:, 1]) == {0.0, 1.0}
    assert estimate.mark == pytest.approx(mark)
    assert estimate.sweeps.crossed.sum() > before
    down, up = estimate.baselines.path.terms(at // HOUR)[:, 0]
    assert down > 0.9 * 10
    assert up > 0.9 * 10


def test_a_mark_that_crossed_nothing_leaves_nothing():
    estimate = made()
    estimate.flush(T, 1000.0)
    for _ in range(2):
        assert len(estimate.move_mark(T, P)) == 0
    assert not len(estimate.sweeps.quarters)
    assert not estimate._hours.crossed


def even(oi=1000.0, hours=1):
    """Return a market that has seen hours of even trading at one price."""
    estimate = made()
    for n in range(hours + 1):
        estimate.add_trades(np.array([P, P]), np.array([40.0, -40.0]))
        estimate.flush(T + n * HOUR, oi)
        estimate.move_mark(T + n * HOUR, P)
    return estimate


@compiled
def test_under_its_prior_the_map_settles_at_the_levered_part_of_open_interest():
    estimate = even(hours=24 * 90)
    weights = estimate.weights(T + 90 * DAY)[:, :CLASSES]
    sides = (weights * estimate.exposure.live()).sum(axis=1)
    assert sides == pytest.approx(np.full(2, 1000 * (1 - DARK)), rel=0.1)


def test_where_no_open_interest_is_reported_it_is_taken_for_half_a_day_of_openings():
    estimate, elapsed = even(oi=math.nan, hours=3), 3 * HOUR / SECOND
    opened = 4 * 0.2 * 80 / elapsed  # theta of what was traded, both sides together
    assert estimate.open_interest(elapsed) == pytest.approx(opened * 12 * 3600)
    known = even(oi=500.0, hours=3)
    assert known.open_interest(elapsed) == 500.0
    ratio = estimate.prior(T + 3 * HOUR) / estimate.open_interest(elapsed)
    assert ratio == pytest.approx(known.prior(T + 3 * HOUR) / 500.0)


def test_weights_are_borrowed_from_their_time_on_and_never_before():
    until = T + 4 * HOUR
    alone, estimate = made(), made(pretrained=lent(until))
    for each in (alone, estimate):
        at = live(each, 1, 3, kill=0.0)
    assert not estimate.is_pretrained
    assert np.array_equal(estimate.weights(at), alone.weights(at))
    estimate.flush(until + 30 * SECOND)
    assert not estimate.is_pretrained, "the hour before is not closed yet"
    estimate.flush(until + 60 * SECOND)
    assert estimate.is_pretrained
    assert estimate.prior_only
    found = estimate.weights(until) / estimate.oi_cap_factor(until)[:, None]
    pretrained = in_coins(estimate.pretrained.weights, estimate.oi)
    assert found == pytest.approx(np.tile(pretrained, (2, 1)))
    assert not alone.is_pretrained


def test_rows_are_written_while_weights_are_borrowed_and_of_no_hour_before():
    until = T + 3 * HOUR
    alone, estimate = made(), made(pretrained=lent(until))
    for each in (alone, estimate):
        live(each, 1, 6)
    assert (alone.prior_only, estimate.prior_only) == (True, True)
    assert alone.forecast_log.count == 0
    assert estimate.forecast_log.hours.tolist() == [until // HOUR, until // HOUR + 1]
    rows = estimate.forecast_log.rows
    assert (rows[:, PREDICTED].sum(axis=1) > 0).all()
    assert (rows[:, REPORTED].sum(axis=1) > 0).all()
    assert not rows[:, [BY_PATH, NO_MAP, STATIC]].any(), "none of them has learned anything"


def test_what_is_borrowed_is_as_uncertain_as_it_says():
    estimate = made(pretrained=lent(T))
    at = live(estimate, 1, 3, kill=0.0)
    assert estimate.is_pretrained
    assert estimate.relative_variance() == estimate.pretrained.variance
    spread = estimate.uncertainty(standing(estimate), at)
    wide = math.hypot(estimate.model_error.width, estimate.pretrained.level)
    assert spread.model_error == pytest.approx(spread.mean * wide)
    assert not estimate.confidence().any()


def test_what_was_borrowed_is_the_centre_of_the_first_fit_and_no_longer_shown_after_it():
    estimate = made(pretrained=lent(T))
    at = live(estimate, 1, 8)
    assert not estimate.prior_only
    assert not estimate.is_pretrained
    prior_mean = per_oi(estimate.fit.prior_mean, 1000.0)[:LENGTH]
    assert np.ptp(prior_mean[PATH_ONLY[:-2]]) <= 1e-9 * prior_mean.max(), (
        "all terms were lent alike"
    )
    spread = estimate.uncertainty(standing(estimate), at)
    assert spread.model_error == pytest.approx(spread.mean * estimate.model_error.width)


def test_other_markets_move_what_is_borrowed_by_as_much_as_it_is_held_to():
    found = []
    for strength in (5e-5, 5.0):
        estimate = made(pretrained=structs.replace(lent(T), strength=strength))
        at = live(estimate, 1, 2, kill=0.0)
        estimate.peers = [PooledStats("okx:BTC", np.full(TERMS, 0.1), np.full(TERMS, 0.1))]
        found.append(per_oi(estimate.prior(at), estimate.oi))
    assert found[0] == pytest.approx(np.ones(TERMS), rel=0.1), "they have learned one"
    assert found[1] == pytest.approx(np.full(TERMS, 0.01), rel=0.1), "it was lent a hundredth"


def moved(volume, seed=3, hours=10):
    """Return a market with marks and reports that are the same whatever its volume is."""
    estimate, chance = made(), np.random.default_rng(seed)
    price, at = P, T
    while at < T + hours * HOUR:
        at += STEP
        price *= math.exp(chance.normal(0, 0.004))
        sizes = chance.normal(0, 20, 2) * np.array([1.0, volume])
        estimate.add_trades(np.array([price, price * 1.0003]), sizes)
        estimate.flush(at, 1000.0)
        estimate.move_mark(at, price)
        for holder in ("long", "short"):
            estimate.add_liquidation(liquidated(at - 1, chance.exponential(0.2), holder))
    return estimate


def test_the_map_of_the_path_alone_knows_no_volume():
    one, other = moved(1.0), moved(30.0)
    assert one.path_only.weights.shape == (2, len(PATH_ONLY))
    assert np.array_equal(one.path_only.weights, other.path_only.weights)
    assert np.array_equal(one.path_only.crossed, other.path_only.crossed)
    assert not np.array_equal(one.fit.crossed, other.fit.crossed)
    assert not np.array_equal(one.fit.weights, other.fit.weights)


def test_what_the_path_alone_expects_does_not_change_when_volumes_do():
    one, other = (moved(volume).forecast_log.rows for volume in (1.0, 30.0))
    assert len(one) > 0
    assert (one[:, BY_PATH].sum(axis=1) > 0).all()
    assert np.array_equal(one[:, BY_PATH], other[:, BY_PATH])
    assert not np.array_equal(one[:, PREDICTED], other[:, PREDICTED])


def test_weights_that_are_borrowed_are_held_within_open_interest_too():
    estimate = made(pretrained=lent(T, weight=10.0))
    at = live(estimate, 4, 5, kill=0.0)
    assert estimate.is_pretrained
    assert (estimate.oi_cap_factor(at) < 1).all()
    assert (estimate.render(at).sum(axis=1) <= estimate.oi * (1 + 1e-4)).all()


def test_a_snapshot_keeps_what_is_borrowed():
    estimate = made(pretrained=lent(T))
    live(estimate, 1, 3)
    copy = CODEC.unpack(CODEC.pack(estimate))
    assert copy.is_pretrained
    assert np.array_equal(copy.pretrained.weights, estimate.pretrained.weights)
    assert CODEC.digest(copy) == CODEC.digest(estimate)
