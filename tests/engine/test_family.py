"""What markets learn from each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.family import GLOBAL, VENUE, Lesson, centre

PRIOR = np.geomspace(0.01, 0.1, 16)
MUCH = 1.0
"""Exposure crossed, times open interest; far more than any prior's pseudo-volume."""


def lesson(market, weight, crossed=MUCH, candidates=2):
    """Return what a market says whose true weights, all classes alike, are `weight`."""
    exposure = np.full((candidates, 16), crossed)
    return Lesson(market, exposure * weight, exposure)


def test_a_lesson_knows_its_venue():
    assert lesson("bybit:BTCUSDT", 1.0).venue == "bybit"


def test_without_lessons_the_centre_is_the_prior():
    assert centre([], "binance:BTCUSDT", 0, PRIOR) == pytest.approx(PRIOR, rel=1e-12)


def test_the_own_lesson_is_ignored():
    own = lesson("binance:BTCUSDT", 9.0)
    assert centre([own], "binance:BTCUSDT", 0, PRIOR) == pytest.approx(PRIOR, rel=1e-12)
    other = lesson("binance:ETHUSDT", 0.3)
    assert np.array_equal(
        centre([own, other], "binance:BTCUSDT", 0, PRIOR),
        centre([other], "binance:BTCUSDT", 0, PRIOR),
    )


def test_a_market_without_own_evidence_is_centred_on_its_venue():
    lessons = [lesson("bybit:ETHUSDT", 0.2), lesson("bybit:SOLUSDT", 0.2), lesson("okx:ETH", 5.0)]
    found = centre(lessons, "bybit:BTCUSDT", 0, PRIOR)
    assert found == pytest.approx(np.full(16, 0.2), rel=0.01)


def test_a_venue_that_is_new_is_centred_on_all_markets():
    lessons = [lesson("bybit:ETHUSDT", 0.1), lesson("okx:ETH", 0.3)]
    found = centre(lessons, "gate:BTC_USDT", 0, PRIOR)
    assert found == pytest.approx(np.full(16, 0.2), rel=0.01)


def test_a_venue_that_has_seen_little_stays_near_all_markets():
    seen = VENUE / 1000
    lessons = [lesson("bybit:ETHUSDT", 0.5, crossed=seen), lesson("okx:ETH", 0.1)]
    assert centre(lessons, "bybit:BTCUSDT", 0, PRIOR) == pytest.approx(np.full(16, 0.1), rel=0.01)


def test_lessons_that_crossed_nothing_teach_nothing():
    lessons = [lesson("bybit:ETHUSDT", 0.5, crossed=0.0)]
    assert centre(lessons, "bybit:BTCUSDT", 0, PRIOR) == pytest.approx(PRIOR, rel=1e-12)


def test_a_class_none_has_crossed_keeps_its_prior():
    exposure = np.full((1, 16), MUCH)
    exposure[:, 5] = 0.0
    lessons = [Lesson("bybit:ETHUSDT", exposure * 0.3, exposure)]
    found = centre(lessons, "bybit:BTCUSDT", 0, PRIOR)
    assert found[5] == pytest.approx(PRIOR[5], rel=1e-12)
    assert found[6] == pytest.approx(0.3, rel=0.01)


def test_each_candidate_is_taught_by_its_like():
    exposure = np.full((2, 16), MUCH)
    lessons = [Lesson("okx:ETH", exposure * [[0.2], [0.6]], exposure)]
    for candidate, weight in enumerate((0.2, 0.6)):
        found = centre(lessons, "bybit:BTCUSDT", candidate, PRIOR)
        assert found == pytest.approx(np.full(16, weight), rel=0.01)


@given(st.floats(1e-4, 10.0), st.floats(0.0, 10.0), st.floats(0.0, 10.0))
def test_the_centre_lies_between_the_prior_and_what_was_learned(weight, seen, more):
    found = centre(
        [lesson("okx:ETH", weight, seen * GLOBAL), lesson("bybit:ETHUSDT", weight, more * VENUE)],
        "bybit:BTCUSDT", 0, PRIOR,
    )  # fmt: skip
    assert (found >= np.minimum(PRIOR, weight) * (1 - 1e-9)).all()
    assert (found <= np.maximum(PRIOR, weight) * (1 + 1e-9)).all()


def test_the_order_of_lessons_does_not_matter():
    lessons = [lesson("okx:ETH", 0.2), lesson("bybit:ETHUSDT", 0.4), lesson("bybit:SOL", 0.7)]
    assert centre(lessons, "bybit:BTCUSDT", 0, PRIOR) == pytest.approx(
        centre(lessons[::-1], "bybit:BTCUSDT", 0, PRIOR)
    )
