"""What markets learn from each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.pooling import (
    GLOBAL,
    VENUE,
    PooledStats,
    PretrainedWeights,
    pooled_stats_of,
    prior_mean,
)
from powderkeg.engine.calibration.terms import PATH_ONLY, SHARES, TERMS
from powderkeg.engine.calibration.weights import Fit
from powderkeg.history.snapshots import CODEC

PRIOR = np.geomspace(0.01, 0.1, TERMS)
MUCH = 1.0
"""Exposure crossed, times open interest; far more than any prior's pseudo-volume."""


def centred(market_stats, market, prior=PRIOR, strength=GLOBAL):
    return prior_mean(market_stats, market, prior, strength)


def pooled_stats(market, weight, crossed=MUCH):
    """Return what a market says whose true weights, all terms alike, are `weight`."""
    exposure = np.full(TERMS, crossed)
    return PooledStats(market, exposure * weight, exposure)


def test_a_lesson_knows_its_venue():
    assert pooled_stats("bybit:BTCUSDT", 1.0).venue == "bybit"


def test_without_lessons_the_centre_is_the_prior():
    assert centred([], "binance:BTCUSDT") == pytest.approx(PRIOR, rel=1e-12)


def test_the_own_lesson_is_ignored():
    own = pooled_stats("binance:BTCUSDT", 9.0)
    assert centred([own], "binance:BTCUSDT") == pytest.approx(PRIOR, rel=1e-12)
    other = pooled_stats("binance:ETHUSDT", 0.3)
    assert np.array_equal(
        centred([own, other], "binance:BTCUSDT"),
        centred([other], "binance:BTCUSDT"),
    )


def test_a_market_without_own_evidence_is_centred_on_its_venue():
    market_stats = [
        pooled_stats("bybit:ETHUSDT", 0.2),
        pooled_stats("bybit:SOLUSDT", 0.2),
        pooled_stats("okx:ETH", 5.0),
    ]
    found = centred(market_stats, "bybit:BTCUSDT")
    assert found == pytest.approx(np.full(TERMS, 0.2), rel=0.01)


def test_a_venue_that_is_new_is_centred_on_all_markets():
    market_stats = [pooled_stats("bybit:ETHUSDT", 0.1), pooled_stats("okx:ETH", 0.3)]
    found = centred(market_stats, "gate:BTC_USDT")
    assert found == pytest.approx(np.full(TERMS, 0.2), rel=0.01)


def test_a_venue_that_has_seen_little_stays_near_all_markets():
    seen = VENUE / 1000
    market_stats = [pooled_stats("bybit:ETHUSDT", 0.5, crossed=seen), pooled_stats("okx:ETH", 0.1)]
    assert centred(market_stats, "bybit:BTCUSDT") == pytest.approx(np.full(TERMS, 0.1), rel=0.01)


def test_lessons_that_crossed_nothing_teach_nothing():
    market_stats = [pooled_stats("bybit:ETHUSDT", 0.5, crossed=0.0)]
    assert centred(market_stats, "bybit:BTCUSDT") == pytest.approx(PRIOR, rel=1e-12)


def test_a_class_none_has_crossed_keeps_its_prior():
    exposure = np.full(TERMS, MUCH)
    exposure[5] = 0.0
    market_stats = [PooledStats("bybit:ETHUSDT", exposure * 0.3, exposure)]
    found = centred(market_stats, "bybit:BTCUSDT")
    assert found[5] == pytest.approx(PRIOR[5], rel=1e-12)
    assert found[6] == pytest.approx(0.3, rel=0.01)


def test_the_more_the_prior_is_held_to_the_less_others_move_it():
    market_stats = [pooled_stats("okx:ETH", 5.0, crossed=1e-4)]
    found = [
        centred(market_stats, "bybit:BTCUSDT", strength=strength).mean()
        for strength in (1e-6, 1e-3, 1)
    ]
    assert found == sorted(found, reverse=True)
    assert centred(market_stats, "bybit:BTCUSDT", strength=1e3) == pytest.approx(PRIOR, rel=1e-3)


@given(st.floats(1e-3, 1e6), st.floats(0.01, 1.0))
def test_a_lesson_is_of_all_that_was_liquidated_per_unit_of_open_interest(oi, share):
    chance = np.random.default_rng(5)
    evidence, crossed = chance.random((2, TERMS)), chance.random((2, TERMS))
    fit = Fit(np.ones((2, TERMS)), evidence, np.ones(TERMS), 1.0, crossed)
    made = pooled_stats_of("okx:ETH", fit, oi, share)
    assert (made.market, made.venue) == ("okx:ETH", "okx")
    assert made.credit * oi * share == pytest.approx(evidence.sum(axis=0))
    assert made.crossed[SHARES] * oi == pytest.approx(crossed.sum(axis=0)[SHARES])
    assert np.array_equal(made.crossed[PATH_ONLY], crossed.sum(axis=0)[PATH_ONLY])


def test_markets_of_any_size_whose_weights_are_the_same_per_unit_of_open_interest_agree():
    """Ten times the open interest: ten times the coins, and as many days and lengths."""
    weight, market_stats = 0.3, []
    for oi in (10.0, 1000.0):
        crossed = np.where(SHARES, oi, 1.0) * np.ones((2, TERMS))
        evidence = weight * oi * np.ones((2, TERMS))
        fit = Fit(crossed, evidence, np.ones(TERMS), 1.0, crossed)
        market_stats.append(pooled_stats_of(f"okx:{oi}", fit, oi, 1.0))
    assert market_stats[0].credit == pytest.approx(market_stats[1].credit)
    assert market_stats[0].crossed == pytest.approx(market_stats[1].crossed)
    assert centred(market_stats, "okx:ETH") == pytest.approx(np.full(TERMS, weight), rel=0.01)


@given(st.floats(1e-4, 10.0), st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_the_centre_lies_between_the_prior_and_what_was_learned(weight, seen, more):
    found = centred(
        [pooled_stats("okx:ETH", weight, seen * GLOBAL), pooled_stats("bybit:ETHUSDT", weight,
        more * VENUE)], "bybit:BTCUSDT",
    )  # fmt: skip
    assert (found >= np.minimum(PRIOR, weight) * (1 - 1e-9)).all()
    assert (found <= np.maximum(PRIOR, weight) * (1 + 1e-9)).all()


def test_the_order_of_lessons_does_not_matter():
    market_stats = [
        pooled_stats("okx:ETH", 0.2),
        pooled_stats("bybit:ETHUSDT", 0.4),
        pooled_stats("bybit:SOL", 0.7),
    ]
    assert centred(market_stats, "bybit:BTCUSDT") == pytest.approx(
        centred(market_stats[::-1], "bybit:BTCUSDT")
    )


def pretrained():
    return PretrainedWeights(
        weights=np.geomspace(1e-6, 1.0, TERMS), since=1, until=2, market="BTC on Binance",
        reports=300.0, level=0.5, variance=0.4, strength=5e-5, version=4,
    )  # fmt: skip


def test_borrowed_weights_say_what_they_come_from_and_how_far_they_may_be_off():
    weights = pretrained()
    assert (weights.market, weights.since, weights.until) == ("BTC on Binance", 1, 2)
    assert (weights.level, weights.variance, weights.strength) == (0.5, 0.4, 5e-5)
    assert (weights.reports, weights.version) == (300.0, 4)


def test_borrowed_weights_cannot_be_exchanged():
    with pytest.raises(AttributeError):
        pretrained().weights = np.ones(TERMS)


def test_borrowed_weights_are_part_of_a_snapshot_to_the_bit():
    weights = pretrained()
    copy = CODEC.unpack(CODEC.pack(weights))
    assert copy.weights.tobytes() == weights.weights.tobytes()
    assert (copy.until, copy.market, copy.version) == (2, "BTC on Binance", 4)
    assert CODEC.digest(copy) == CODEC.digest(weights)
