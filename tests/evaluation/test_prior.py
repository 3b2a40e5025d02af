"""Weights learned on stored hours: what is shipped, and what first days make of it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.engine.calibration.shipped import SHIPPED
from powderkeg.engine.calibration.terms import LENGTH, TERMS, in_coins
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.errors import ConfigError
from powderkeg.evaluation.hourly import first_days, hours, prior
from powderkeg.events import DAY, HOUR, MINUTE, Candles, Liquidation, LiquidationBar
from powderkeg.history.sources import load

FIVE = 5 * MINUTE
T = 1_767_225_600_000_000
FIRST = T // HOUR


def market(days, seed=1, name="v:BTC", oi=1000.0, kill=2e-3):
    """Return five-minute bars of a walk, and reports of a share of what their marks crossed."""
    chance = np.random.default_rng(seed)
    close = 100_000 * np.exp(np.cumsum(chance.normal(0, 0.0015, days * 288)))
    out = []
    for hour in range(days * 24):
        part = close[12 * hour : 12 * hour + 12]
        before = close[12 * hour - 1] if hour else part[0]
        start = T + hour * HOUR
        times = start + FIVE * np.arange(12)
        opened = np.concatenate(([before], part[:-1]))
        low, high, n = np.minimum(opened, part), np.maximum(opened, part), np.full(12, 20.0)
        end = start + HOUR
        out.append(
            Candles(
                name,
                end,
                end,
                FIVE,
                times,
                opened,
                high,
                low,
                part,
                n,
                n / 2,
                np.full(12, oi),
                low,
                high,
                part,
            )
        )
        moved = 1e5 * kill * np.abs(np.log([low.min() / before, high.max() / before]))
        out.append(LiquidationBar(name, start, end, HOUR, *(moved * chance.gamma(2, 0.5, 2))))
    return out


@pytest.fixture(scope="module")
def known():
    return prior.read(market(20))


def test_hours_hold_what_was_crossed_and_what_was_reported(known):
    assert known.crossed.shape == (20 * 24, 2, TERMS)
    assert np.isfinite(known.liquidated).all()
    assert (known.oi == 1000.0).all()
    lengths = known.crossed[:, :, LENGTH:].sum()
    bars = [event for event in market(20) if isinstance(event, Candles)]
    # every bar is swept from its open down to its low, up to its high and back to its close
    legs = sum(
        float(np.abs(np.diff(np.log([o, lo, hi, c]))).sum())
        for bar in bars
        for o, lo, hi, c in zip(bar.open, bar.low, bar.high, bar.close, strict=True)
    )
    assert lengths <= legs / 1e-3 * 1.001
    assert lengths > 0.5 * legs / 1e-3


def test_what_is_learned_expects_what_was_reported(known):
    found = prior.learn(known, FIRST, FIRST + 20 * 24, "BTC on V")
    assert found.weights.shape == (TERMS,)
    assert (found.weights > 0).all()
    assert (found.since, found.until) == (T, T + 20 * DAY)
    assert found.version == VERSION
    assert found.level >= prior.LEAST_LEVEL
    assert 10 < found.reports <= 2 * 20 * 24
    expected = (known.crossed @ in_coins(found.weights, 1000.0)).sum()
    assert expected == pytest.approx(known.liquidated.sum(), rel=0.05)


def test_weights_do_not_depend_on_the_size_of_a_market(known):
    def grown(event):
        if isinstance(event, LiquidationBar):
            return LiquidationBar(
                event.market,
                event.event_time,
                event.received_time,
                event.span,
                50 * event.long,
                50 * event.short,
            )
        return Candles(
            event.market, event.event_time, event.received_time, event.span, event.times,
            event.open, event.high, event.low, event.close, 50 * event.volume, 50 * event.buy,
            50 * event.oi, event.mark_low, event.mark_high, event.mark,
        )  # fmt: skip

    large = prior.read([grown(event) for event in market(20)])
    small, other = (prior.learn(k, FIRST, FIRST + 480, "") for k in (known, large))
    assert other.weights == pytest.approx(small.weights, rel=1e-3)


def test_hours_without_reports_or_of_several_markets_are_refused(known):
    with pytest.raises(ConfigError, match="expected liquidations to learn from"):
        prior.learn(known, 0, 10, "")
    with pytest.raises(ConfigError, match="expected bars of one market, found a:X, v:BTC"):
        prior.read([*market(1), *market(1, name="a:X")])


@pytest.mark.parametrize("size", [0.4, 5.0, 50.0])
def test_five_liquidations_move_the_map_by_no_more_than_its_band_said_before(size):
    """Five small or large reports on the first day: the level is held by what is borrowed."""
    start = SHIPPED.until + 10 * DAY
    estimate = Estimate(100_000.0, "bybit:BTCUSDT")
    chance = np.random.default_rng(4)
    price, at = 100_000.0, start
    for n in range(7 * 60):
        at = start + n * MINUTE
        price *= math.exp(chance.normal(0, 0.0008))
        estimate.add_trades(np.array([price]), np.array([chance.normal(0, 30.0)]))
        estimate.flush(at, 50_000.0 + 10 * n)
        estimate.move_mark(at, price)
    assert estimate.is_pretrained
    live = np.concatenate((estimate.exposure.live(), np.zeros((2, TERMS - CLASSES))), axis=1)
    low, high = estimate.uncertainty(live[:, None] * np.eye(2)[:, :, None], at).band()
    before = estimate.render(at).sum(axis=1)
    for n in range(5):
        holder = "long" if n % 2 else "short"
        estimate.add_liquidation(Liquidation("bybit:BTCUSDT", at, at, price, size, holder))
    estimate.flush(at + HOUR + 61_000_000, 54_200.0)
    estimate.refit((at // HOUR + 1) * HOUR, at + HOUR + 61_000_000)
    assert estimate.fit is not None
    after = estimate.render(at + HOUR).sum(axis=1)
    assert (after >= np.diagonal(low)).all()
    assert (after <= np.diagonal(high)).all()
    assert estimate.fit.reports <= 5.001
    assert (before > 0).all()


@pytest.mark.slow
def test_first_days_with_a_prior_of_the_months_before_miss_little(data, monkeypatch):
    monkeypatch.setenv("POWDERKEG_DATA", str(data))
    source = load(Path(__file__).parents[1] / "sources" / "btc_2026.toml")
    got = first_days.score(source, "BTC")
    assert got["prior_until"] == "2026-02-01T00:00Z"
    assert len(got["starts"]) == 9
    assert got["first_day_prior"] <= 0.75
    assert got["first_day_learning"] <= 0.75
    assert got["days_4_7"] <= 0.5
    assert (
        got["never_learning"]["day_2"]["poisson_deviance"]
        > got["learning"]["day_2"]["poisson_deviance"]
    )


def test_a_source_too_short_for_first_days_is_refused(monkeypatch):
    class Here:
        path = "short.toml"

    monkeypatch.setattr(first_days, "bar_events", lambda *_: market(20))
    with pytest.raises(ConfigError, match=r"short.toml: expected more than 56 days"):
        first_days.score(Here(), "BTC")


def test_a_start_is_played_as_a_newcomer_lives_it(known):
    """No report and no row from before the start: bars alone are given of the month before."""
    stream = market(20)
    lent = prior.learn(known, FIRST, FIRST + 5 * 24, "")
    start = T + 6 * DAY
    for kind in (first_days.Frozen, Estimate):
        since, reported, dollars = first_days._played(stream, lent, start, kind)
        assert since == start // HOUR
        assert reported[0] >= 0
        assert reported[-1] >= 13 * 24 - 2
        assert dollars.shape == (len(reported), 2, 2)
        assert (dollars[:, 1] > 0).any()
    assert hours.WARM_UP == 480


def test_a_frozen_estimate_keeps_its_weights():
    estimate = first_days.Frozen(100.0, "binance:BTCUSDT")
    before = estimate.baselines.weights(1.0)
    assert type(estimate).refit is not Estimate.refit
    estimate.refit(0, 0)
    assert estimate.fit is None
    assert (estimate.baselines.weights(1.0) == before).all()
