"""How an estimate learns, and what it had said before it knew."""

import numpy as np
import pytest

from powderkeg.engine.calibration.estimate import FRESH, REFIT
from powderkeg.engine.calibration.forecasts import FRESH as GROUND
from powderkeg.engine.calibration.forecasts import (
    HIGH,
    LOW,
    NO_MAP,
    PATH_ONLY,
    PREDICTED,
    REPORTED,
    STATIC,
)
from powderkeg.engine.calibration.pooling import PooledStats
from powderkeg.engine.calibration.sweeps import KEPT, QUARTER
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.history.snapshots import CODEC

from .made import STEP, M, T, bar, lent, liquidated, live, made


@pytest.fixture(scope="module")
def played():
    """Return a market after a day, and when that is."""
    estimate = made()
    return estimate, live(estimate, 3, 24)


def test_liquidations_teach_after_six_hours_and_not_before():
    estimate = made()
    at = live(estimate, 2, 5)
    assert estimate.prior_only
    assert estimate.new_liquidations == 0
    live(estimate, 3, 3, start=at)
    assert not estimate.prior_only
    assert estimate.confidence().max() > 0
    assert (estimate.fit.weights > 0).all()
    assert 0 < estimate.new_liquidations <= estimate.events


def test_a_refit_waits_six_hours_after_the_last_and_then_shows_at_once():
    estimate = made()
    at = live(estimate, 10, 7)
    fit, weights = estimate.fit, estimate.weights(at)
    over = estimate.fitted + REFIT
    while at < over - STEP:
        at = live(estimate, at // SECOND, STEP / HOUR, start=at)
        assert estimate.fit is fit
    for _ in range(3):
        at = live(estimate, 11, 1, start=at)
    assert estimate.fit is not fit
    assert not np.allclose(estimate.weights(at), weights, rtol=1e-3)
    shown = estimate.fit.weights * estimate.oi_cap_factor(at)[:, None]
    assert np.array_equal(estimate.weights(at), shown)


def test_the_minute_an_hour_waits_for_its_last_liquidations_teaches_nothing_yet():
    """Its liquidations and crossed exposure belong to the hour that the new weights forecast."""
    pair = made(), made()
    for estimate, closes in zip(pair, (0, 20), strict=True):
        at = live(estimate, 5, 13)
        over = (at // HOUR + 1) * HOUR
        estimate.flush(over - 1)
        estimate.move_mark(over - 1, estimate.mark * 0.99)
        estimate.move_mark(over + SECOND, estimate.mark * (0.98 if closes else 1.0))
        for _ in range(closes):  # of a size that does not change how grainy the volume is
            estimate.add_liquidation(liquidated(over + SECOND, estimate.dispersion))
        estimate._refit = over
        estimate.flush(over + MINUTE)
        assert estimate.fitted == over + MINUTE
    one, other = (estimate.fit.weights for estimate in pair)
    assert other == pytest.approx(one, rel=1e-9)


def test_two_hundred_liquidations_do_not_wait_for_six_hours():
    calm, violent = made(), made()
    for estimate, count in ((calm, FRESH // 2), (violent, FRESH)):
        at = live(estimate, 2, 1, kill=0.0)
        for _ in range(count):
            estimate.add_liquidation(liquidated(at - 1, 0.01))
        live(estimate, 2, 2, kill=0.0, start=at)
    assert calm.prior_only
    assert not violent.prior_only
    assert violent.new_liquidations == FRESH


def test_one_large_bar_counts_as_the_many_liquidations_it_must_hold():
    estimate = made()
    at = live(estimate, 2, 2, kill=0.0)
    estimate.add_liquidation_bar(bar(T, HOUR, 500.0, 500.0))
    estimate.flush(at + HOUR)
    assert not estimate.prior_only
    assert estimate.new_liquidations >= FRESH


def test_the_record_has_a_row_for_every_hour_since_the_first_fit(played):
    """The last hour is not closed yet: its last liquidations may come within a minute."""
    estimate, at = played
    hours = estimate.forecast_log.hours
    assert hours.tolist() == list(range(hours[0], at // HOUR - 1))
    assert T + REFIT <= hours[0] * HOUR <= T + REFIT + HOUR


def test_the_band_of_every_hour_holds_what_was_said(played):
    rows = played[0].forecast_log.rows
    assert (rows[:, LOW] <= rows[:, PREDICTED]).all()
    assert (rows[:, PREDICTED] <= rows[:, HIGH] * (1 + 1e-6)).all()
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()


def test_what_is_recorded_as_dead_is_what_died():
    estimate = made()
    at = live(estimate, 3, 12)
    hour = at // HOUR
    for minute, size, holder in ((0, 1.0, "long"), (59, 2.0, "long"), (30, 4.0, "short")):
        estimate.add_liquidation(liquidated(hour * HOUR + minute * MINUTE, size, holder))
    estimate.flush(at + 2)
    estimate.move_mark(at + 2, estimate.mark)
    estimate.flush((hour + 1) * HOUR + MINUTE)
    assert estimate.forecast_log.hours[-1] == hour
    assert estimate.forecast_log.rows[-1, REPORTED].tolist() == [3.0, 4.0]


def test_an_hour_is_closed_a_minute_late_so_that_its_last_liquidations_count():
    estimate = made()
    at = live(estimate, 5, 8)
    estimate.flush(at + 2 * MINUTE)
    estimate.move_mark(at + 2 * MINUTE, estimate.mark)
    count, over = estimate.forecast_log.count, (at // HOUR + 1) * HOUR
    estimate.flush(over + 30 * SECOND)
    assert estimate.forecast_log.count == count
    estimate.add_liquidation(liquidated(over - 1, 50.0))
    estimate.flush(over + MINUTE)
    assert estimate.forecast_log.count == count + 1
    assert estimate.forecast_log.rows[-1, REPORTED, 0] >= 50


def test_what_was_said_of_an_hour_rests_on_nothing_that_died_in_it_or_later():
    """Two markets diverge after sixteen hours, when one has a thousand times more liquidations.

    All rows before are alike, and so is what was said of the next hour.
    """
    pair = made(), made()
    for estimate in pair:
        at = live(estimate, 5, 16)
    common = pair[0].forecast_log.count
    for estimate, kill in zip(pair, (0.01, 10.0), strict=True):
        live(estimate, 6, 9, kill=kill, start=at)
    one, other = (estimate.forecast_log.rows for estimate in pair)
    assert np.array_equal(one[:common], other[:common])
    after = int(np.flatnonzero((one[:, REPORTED] != other[:, REPORTED]).any(axis=1))[0])
    for field in (PREDICTED, LOW, HIGH, STATIC, NO_MAP, PATH_ONLY, GROUND):
        assert np.array_equal(one[: after + 1, field], other[: after + 1, field])
    assert not np.array_equal(one[-1, PREDICTED], other[-1, PREDICTED])


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_a_prior_ten_times_wrong_recovers_after_a_few_fits(factor, monkeypatch):
    estimate = made()
    prior = type(estimate).prior
    monkeypatch.setattr(type(estimate), "prior", lambda *args: prior(*args) * factor)
    live(estimate, 7, 30)
    rows = estimate.forecast_log.rows[-12:].sum(axis=(0, 2))
    assert 0.5 < rows[PREDICTED] / rows[REPORTED] < 2


def test_while_the_mark_stands_still_nothing_is_expected_whatever_is_reported():
    """Two coins each hour, one a side, that no sweep explains."""
    estimate = made()
    at = live(estimate, 3, 8)
    still = estimate.mark
    for _ in range(20):
        for holder in ("long", "short"):
            estimate.add_liquidation(liquidated(at + 1, 1.0, holder))
        at += HOUR
        estimate.flush(at - 1)
        estimate.move_mark(at - 1, still)
    rows = estimate.forecast_log.rows[-10:]
    assert (rows[:, REPORTED] == 1).all()
    assert not rows[:, [PREDICTED, LOW, HIGH, PATH_ONLY]].any()
    assert np.isfinite(estimate.weights(at)).all()


def test_what_is_expected_of_hours_rests_on_borrowed_weights_until_something_is_learned():
    """The rows of the first hours are as they would be if nothing were ever learned."""
    pair = made(pretrained=lent(T)), made(pretrained=lent(T))
    one, other = pair[0], pair[1]
    for estimate in (one, other):
        estimate.flush(T, 1000.0)
    at = live(one, 5, 9)
    live(other, 5, 4)
    count = other.forecast_log.count
    assert count > 0
    assert one.forecast_log.count > count
    assert np.array_equal(one.forecast_log.rows[:count], other.forecast_log.rows[:count])
    assert one.fitted > 0
    assert at > one.fitted


def test_elders_teach_where_little_has_died():
    pair = made(), made()
    weight = np.zeros(TERMS)
    weight[5] = 1.0
    pair[1].peers = [PooledStats("okx:BTC", weight, np.ones(TERMS))]
    for estimate in pair:
        live(estimate, 3, 8, kill=1e-5)
    alone, helped = (e.fit.weights.mean(axis=0) / e.fit.weights.mean() for e in pair)
    assert helped[5] > 2 * alone[5]


def test_hours_that_a_long_silence_went_through_are_not_scored_and_forgotten():
    estimate = made()
    at = live(estimate, 4, 10)
    count = estimate.forecast_log.count
    estimate.flush(at + 10 * DAY, 1000.0)
    assert estimate.forecast_log.count <= count + 1
    assert not estimate._hours.crossed
    assert not estimate.baselines.hours.crossed


def test_what_died_before_the_longest_window_is_forgotten():
    estimate = made()
    live(estimate, 6, 7)
    later = T + KEPT + 2 * DAY
    estimate.add_liquidation(liquidated(later))
    live(estimate, 7, 8, start=later, kill=0.0)
    assert [start for start, _ in estimate._liquidations.spans] == [later // QUARTER * QUARTER]
    assert estimate.sweeps.quarters.min() >= T + 2 * DAY


def test_an_hour_of_which_no_bar_tells_is_not_recorded():
    estimate = made()
    at = live(estimate, 2, 8, kill=0.0)
    for hour in range(3):
        estimate.add_liquidation_bar(bar(T + hour * HOUR, HOUR, 1.0, 1.0))
    estimate.refit(at, at)
    assert not estimate.prior_only
    live(estimate, 3, 4, kill=0.0, start=at)
    assert estimate.forecast_log.count == 0
    estimate.add_liquidation_bar(bar(at + 3 * HOUR, HOUR, 1.0, 1.0))
    estimate.flush(at + 5 * HOUR)
    assert estimate.forecast_log.hours.tolist() == [at // HOUR + 3]


def test_the_same_market_twice_is_the_same_to_the_last_bit():
    digests = set()
    for _ in range(2):
        estimate = made("binance")
        estimate.peers = [PooledStats(M, np.ones(TERMS), np.ones(TERMS))]
        live(estimate, 9, 14)
        digests.add(CODEC.digest(estimate))
    assert len(digests) == 1


def test_a_recalibration_is_the_same_whenever_it_is_repeated():
    pair = made(), made()
    for estimate in pair:
        at = live(estimate, 9, 8)
        estimate.refit(at, at)
    assert CODEC.digest(pair[0]) == CODEC.digest(pair[1])
