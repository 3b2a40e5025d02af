"""The living estimate."""

import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from powderkeg.engine.classes import CLASSES
from powderkeg.engine.estimate import (
    CANDIDATES,
    ENOUGH,
    FIRST,
    LEAD,
    QUARTER,
    REFIT,
    WINDOW,
    Estimate,
    Sweeps,
    deviance,
    tally,
)
from powderkeg.engine.exposure import Spec, Steps
from powderkeg.engine.weights import Fit
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Candles, Liquidation, LiquidationBar
from powderkeg.history.snapshots import CODEC

seeds = st.integers(0, 2**32 - 1)
P = 100_000.0
T = 1_767_225_600 * SECOND
M = "binance:BTCUSDT"
TWO = CANDIDATES[:2]
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
compiled = pytest.mark.skipif(PLAIN, reason="a minute where kernels run as plain Python")


def died(at, size=1.0, holder="long"):
    return Liquidation(M, at, at, P, size, holder)


def bar(at, span, long, short):
    return LiquidationBar(M, at, at + span, span, long, short)


def live(estimate, seed, hours, kill=0.01, start=T, every=(60 if PLAIN else 10) * MINUTE):
    """Play a market in which a share `kill` of the exposure that is crossed dies."""
    chance = np.random.default_rng(seed)
    price, at, oi = P, start, 1000.0
    while at < start + hours * HOUR:
        at += every
        price *= math.exp(chance.normal(0, 0.004))
        oi += chance.normal(0, 3)
        estimate.add_trades(np.array([price, price * 1.0003]), chance.normal(0, 20, 2))
        estimate.flush(at, oi)
        for record in estimate.move_mark(at, price):
            size = float(record[4:].sum()) * kill
            if size > 0:
                estimate.liquidated(died(at, size, "long" if record[1] == 0 else "short"))
    return at


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_deviance_is_least_where_the_guess_is_right(actual, expected):
    assert deviance(actual, expected) >= -1e-6 * max(actual, expected, 1.0)
    assert deviance(actual, max(actual, 1e-9)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("actual", [5e-324, 1e-310])
def test_a_volume_too_small_to_divide_deviates_like_none(actual):
    assert deviance(actual, 2.0) == pytest.approx(deviance(0.0, 2.0))


@given(seeds)
def test_a_tally_keeps_every_crossed_unit_and_puts_it_into_its_span(seed):
    chance = np.random.default_rng(seed)
    records = np.zeros((30, 20))
    records[:, 0] = np.sort(chance.integers(0, 5000, 30))
    records[:, 1] = chance.integers(0, 2, 30)
    records[:, 4:] = chance.random((30, 16))
    weights = chance.random((2, 16))
    slots, crossed, said = tally(records, weights, 900.0)
    assert slots.tolist() == sorted(set((records[:, 0] // 900).astype(int).tolist()))
    assert crossed.sum() == pytest.approx(records[:, 4:].sum())
    assert said == pytest.approx((crossed * weights).sum(axis=2))


def test_sweeps_add_within_a_quarter_grow_without_end_and_forget_the_old():
    sweeps = Sweeps()
    ones = np.ones((2, CLASSES))
    for n in range(200):
        sweeps.add(n * QUARTER, ones)
        sweeps.add(n * QUARTER, ones)
    sweeps.add(3 * QUARTER, ones)
    assert len(sweeps.quarters) == 200
    assert sweeps.crossed.sum() == 401 * 32
    sweeps.trim(150 * QUARTER)
    assert sweeps.quarters.tolist() == [n * QUARTER for n in range(150, 200)]
    assert sweeps.crossed[:-1].sum() == 49 * 64
    assert sweeps.crossed[-1].sum() == 96


def test_before_anything_has_died_the_prior_of_the_first_candidate_is_shown():
    estimate = Estimate(P, "binance")
    live(estimate, 1, 8, kill=0.0)
    assert estimate.best is estimate.candidates[FIRST]
    assert estimate.prior_only
    assert not estimate.confidence().any()


def test_a_lone_candidate_is_always_the_one_shown():
    estimate = Estimate(P, specs=CANDIDATES[3:4])
    estimate.events = ENOUGH
    assert estimate.best is estimate.candidates[0]


def test_the_candidate_that_predicts_best_is_shown_once_enough_has_died():
    estimate = Estimate(P, specs=TWO)
    estimate.candidates[0].deviance, estimate.candidates[1].deviance = 1.0, 2.0
    estimate._choose()
    assert estimate.best is estimate.candidates[FIRST]
    estimate.events = ENOUGH
    estimate._choose()
    assert estimate.best is estimate.candidates[0]


def test_a_candidate_that_leads_by_a_hair_is_not_shown_so_that_the_map_does_not_flicker():
    estimate = Estimate(P, specs=TWO)
    estimate.events = ENOUGH
    estimate.candidates[0].deviance, estimate.candidates[1].deviance = 1.0, 1.0 + LEAD / 2
    estimate._choose()
    assert estimate.best is estimate.candidates[FIRST]


def test_a_fit_takes_effect_bit_by_bit_until_the_next():
    estimate = Estimate(P, specs=TWO)
    live(estimate, 3, 8)
    best = estimate.best
    parts = [estimate._raw(best, best.fitted + n * REFIT // 4) for n in (0, 2, 4, 8)]
    assert np.array_equal(parts[0], best.before)
    assert parts[1] == pytest.approx((best.before + best.fit.weights) / 2)
    assert parts[2] == pytest.approx(best.fit.weights)
    assert np.array_equal(parts[3], parts[2])


def test_liquidations_teach_after_six_hours_and_not_before():
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, 2, 5)
    assert estimate.prior_only
    live(estimate, 3, 3, start=at)
    assert not estimate.prior_only
    assert estimate.confidence().max() > 0
    assert (estimate.best.fit.weights > 0).all()


@given(seeds)
def test_no_side_of_the_map_ever_exceeds_open_interest(seed):
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, seed, 7, every=30 * MINUTE)
    sides = estimate.render(at).sum(axis=1)
    assert (sides <= estimate.oi * (1 + 1e-4)).all()
    assert (estimate.strain(at) <= 1).all()


def test_weights_too_heavy_for_open_interest_are_scaled_until_a_side_is_all_of_it():
    """The prior never is; a fit of a market whose open interest has since fallen may be."""
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, 4, 7)
    heavy = np.full((2, CLASSES), 1e6)
    for candidate in estimate.candidates:
        candidate.before = heavy
        candidate.fit = Fit(heavy, heavy, heavy, 1.0)
    assert (estimate.strain(at) < 1).all()
    assert estimate.render(at).sum(axis=1) == pytest.approx(np.full(2, estimate.oi), rel=1e-4)
    assert np.ptp(estimate.weights(at), axis=1) == pytest.approx(np.zeros(2), abs=1e-12)


def test_open_interest_and_mark_are_those_that_were_told_last():
    estimate = Estimate(P, specs=TWO)
    assert math.isnan(estimate.oi)
    assert math.isnan(estimate.mark)
    estimate.flush(T, 1000.0)
    estimate.move_mark(T, P)
    assert (estimate.oi, estimate.mark) == (1000.0, pytest.approx(P))


def test_candles_that_cross_nothing_say_that_nothing_should_have_died():
    estimate = Estimate(P, specs=TWO)
    one = np.array([P])
    told = Candles(
        M, T + MINUTE, T + MINUTE, MINUTE, np.array([T]), one, one, one, one, one, one, one, one,
        one, one,
    )  # fmt: skip
    estimate.add_candles(told, [1])
    assert all(not candidate.expected for candidate in estimate.candidates)


def test_without_open_interest_nothing_is_strained():
    estimate = Estimate(P, specs=TWO)
    estimate.add_trades(np.array([P]), np.array([5.0]))
    estimate.flush(T)
    estimate.move_mark(T, P)
    assert estimate.strain(T).tolist() == [1.0, 1.0]
    assert np.isfinite(estimate.weights(T)).all()


@given(seeds)
def test_a_snapshot_restores_the_estimate_and_it_goes_on_alike(seed):
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, seed, 7, every=30 * MINUTE)
    copy = CODEC.unpack(CODEC.pack(estimate))
    for one in (estimate, copy):
        live(one, seed + 1, 2, start=at, every=30 * MINUTE)
    assert CODEC.digest(copy) == CODEC.digest(estimate)


def test_a_market_in_which_nothing_was_ever_traded_learns_nothing():
    """Marks and liquidations alone: the openings are unknown, so no prior can be made."""
    estimate = Estimate(P, specs=TWO)
    for n in range(30):
        estimate.move_mark(T + n * HOUR, P * (1.01 if n % 2 else 1.0))
        estimate.liquidated(died(T + n * HOUR))
    assert estimate.prior_only
    assert np.isfinite(estimate.weights(T + 30 * HOUR)).all()


def test_marks_that_never_move_leave_nothing_to_learn_from():
    estimate = Estimate(P, specs=TWO)
    for n in range(9):
        estimate.add_trades(np.array([P]), np.array([1.0]))
        estimate.flush(T + n * HOUR, 1000.0)
        estimate.move_mark(T + n * HOUR, P)
        estimate.liquidated(died(T + n * HOUR))
    assert estimate.prior_only


def test_predictions_of_hours_that_are_over_are_forgotten():
    """Also of hours that a long block of candles went through unscored."""
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, 4, 30)
    estimate.add_trades(np.array([P]), np.array([1.0]))
    estimate.flush(at + 10 * DAY, 1000.0)
    assert all(not candidate.expected for candidate in estimate.candidates)


def test_an_hour_is_scored_a_minute_late_so_that_its_last_liquidations_count():
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, 5, 8)
    estimate.flush(at + 2 * MINUTE)
    before = [candidate.deviance for candidate in estimate.candidates]
    over = (at // HOUR + 1) * HOUR
    estimate.flush(over + 30 * SECOND)
    assert [candidate.deviance for candidate in estimate.candidates] == before
    estimate.liquidated(died(over - 1, 50.0))
    estimate.flush(over + MINUTE)
    assert all(c.deviance > b for c, b in zip(estimate.candidates, before, strict=True))


def test_what_died_before_the_window_is_forgotten():
    estimate = Estimate(P, specs=TWO)
    live(estimate, 6, 7)
    assert estimate._died
    estimate.liquidated(died(T + WINDOW + 2 * DAY))
    live(estimate, 7, 8, start=T + WINDOW + 2 * DAY, kill=0.0)
    assert all(since >= T + 2 * DAY for since, _ in estimate._died)
    assert all(c.sweeps.quarters.min() >= T + 2 * DAY for c in estimate.candidates)


def swept(quarters):
    """Return sweeps that crossed one unit of class q in quarter q."""
    sweeps = Sweeps()
    for q in quarters:
        crossed = np.zeros((2, CLASSES))
        crossed[:, q] = 1.0
        sweeps.add(T + q * QUARTER, crossed)
    return sweeps


def test_single_liquidations_belong_to_the_sweep_before_them():
    estimate = Estimate(P, specs=TWO)
    for q, size in ((0, 1.0), (2, 2.0), (3, 4.0)):
        estimate.liquidated(died(T + q * QUARTER + 5, size))
    crossed, volumes = estimate._rows(swept((1, 2, 5)))
    assert crossed.shape == (3, 2, CLASSES)
    assert volumes[:, 0].tolist() == [0.0, 6.0, 0.0]


def test_a_bar_of_liquidations_is_one_row_over_all_it_spans():
    estimate = Estimate(P, specs=TWO)
    estimate.liquidated_bar(bar(T, HOUR, 3.0, 5.0))
    estimate.liquidated_bar(bar(T + 2 * HOUR, HOUR, 7.0, 0.0))
    estimate.liquidated_bar(bar(T + 9 * HOUR, HOUR, 9.0, 9.0))
    estimate.liquidated(died(T + 6 * QUARTER, 2.0))
    crossed, volumes = estimate._rows(swept((0, 2, 3, 6, 9)))
    rows = {
        tuple(np.flatnonzero(c[0]).tolist()): v.tolist()
        for c, v in zip(crossed, volumes, strict=True)
    }
    assert rows == {(0, 2, 3): [3.0, 5.0], (6,): [2.0, 0.0], (9,): [7.0, 0.0]}


def test_a_bar_during_which_nothing_was_crossed_teaches_nothing():
    estimate = Estimate(P, specs=TWO)
    estimate.liquidated_bar(bar(T, HOUR, 3.0, 5.0))
    crossed, volumes = estimate._rows(swept((8,)))
    assert crossed.shape == (1, 2, CLASSES)
    assert not volumes.any()


def test_a_bar_of_a_quarter_counts_as_the_liquidations_of_that_quarter():
    one, other = Estimate(P, specs=TWO), Estimate(P, specs=TWO)
    one.liquidated_bar(bar(T, QUARTER, 3.0, 0.0))
    other.liquidated(died(T + 5, 3.0))
    sweeps = swept((0, 1))
    assert all(
        np.array_equal(a, b) for a, b in zip(one._rows(sweeps), other._rows(sweeps), strict=True)
    )


def test_candles_and_a_tape_say_what_should_have_died():
    n = 600
    told = _walk(n)
    times, close, ones = told.times, told.close, np.ones(n)
    steps = Steps(times / SECOND, np.arange(1, n + 1), 1000 + ones, close, close, ones)
    by_candles, by_tape = Estimate(P, specs=TWO), Estimate(P, specs=TWO)
    by_candles.add_candles(told, [n])
    records = by_tape.add_tape(steps)
    assert by_tape.best.sweeps.crossed.sum() == pytest.approx(records[:, 4:].sum())
    for estimate in (by_candles, by_tape):
        assert estimate.best.sweeps.crossed.sum() > 0
        assert sum(both.sum() for both in estimate.best.expected.values()) > 0


def test_nothing_is_learned_from_candles_whose_deaths_nobody_told():
    told = _walk(600)
    silent = structs.replace(told, deaths=False)
    heard, unheard = Estimate(P, specs=TWO), Estimate(P, specs=TWO)
    heard.add_candles(told, [600])
    unheard.add_candles(silent, [600])
    assert heard.best.sweeps.crossed.sum() > 0
    assert unheard.best.sweeps.crossed.sum() == 0
    assert (heard.best.exposure.cells == unheard.best.exposure.cells).all()


def test_the_candidate_shown_stands_at_each_stop_as_it_would_have_ended_there():
    told = _walk(600)
    whole, drawn = Estimate(P, specs=TWO), []
    whole.add_candles(
        told, [200, 450, 600], lambda stop: drawn.append((stop, whole.mark, whole.oi))
    )
    stood = [(n, pytest.approx(told.mark[n - 1]), told.oi[n - 1]) for n in (200, 450, 600)]
    assert drawn == stood
    parts = Estimate(P, specs=TWO)
    for start, stop in ((0, 200), (200, 450), (450, 600)):
        parts.add_candles(_part(told, start, stop), [stop - start])
    for a, b in zip(whole.candidates, parts.candidates, strict=True):
        assert (a.exposure.cells == b.exposure.cells).all()


def _part(told, start, stop):
    columns = {
        name: getattr(told, name)[start:stop]
        for name in told.__struct_fields__
        if isinstance(getattr(told, name), np.ndarray)
    }
    return structs.replace(told, **columns)


def _walk(n):
    close = P * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.003, n)))
    times = T + np.arange(n) * MINUTE
    ones = np.ones(n)
    return Candles(
        M, int(times[-1]) + MINUTE, int(times[-1]) + MINUTE, MINUTE, times, close, close, close,
        close, ones, ones / 2, 1000 + ones, close, close, close,
    )  # fmt: skip


def _crossed(candidate):
    """Return what a candidate's sweeps have crossed so far, long and short."""
    return candidate.sweeps.crossed.sum(axis=(0, 2))


@compiled
@pytest.mark.parametrize("truth", [1, 2])
def test_the_competition_finds_the_closing_hazard_of_a_synthetic_market(truth):
    """Eight days in which a tenth of what one candidate says was crossed dies, a bar a quarter."""
    estimate = Estimate(P, specs=[Spec(multiplier=m) for m in (0.1, 1.0, 10.0)])
    model = estimate.candidates[truth]
    chance = np.random.default_rng(9)
    price, at = P, T
    while at < T + 8 * DAY:
        at += 10 * MINUTE
        price *= math.exp(chance.normal(0, 0.004))
        estimate.add_trades(np.array([price]), chance.normal(0, 200, 1))
        estimate.flush(at, 2e4)
        before = _crossed(model)
        estimate.move_mark(at, price)
        long, short = 0.1 * np.maximum(_crossed(model) - before, 0.0)
        estimate.liquidated_bar(bar(at // QUARTER * QUARTER, QUARTER, long, short))
    assert estimate.best is model


def test_a_refit_waits_six_hours_after_the_last():
    estimate = Estimate(P, specs=TWO)
    at = live(estimate, 10, 7)
    fit = estimate.best.fit
    live(estimate, 11, 4, start=at)
    assert estimate.best.fit is fit
    assert REFIT == 6 * HOUR
