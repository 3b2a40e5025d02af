"""The weights that are shipped."""

import numpy as np

from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.engine.calibration.shipped import SHIPPED
from powderkeg.engine.calibration.terms import LENGTH, TERMS, by_ground
from powderkeg.events import DAY, HOUR

RELEASED = 1_795_824_000_000_000
"""µs; 28 November 2026: when this test was written. Weights of later times could not be used."""


def test_there_is_a_finite_weight_above_zero_for_every_term():
    assert SHIPPED.weights.shape == (TERMS,) == (98,)
    assert np.isfinite(SHIPPED.weights).all()
    assert (SHIPPED.weights > 0).all()


def test_they_are_of_whole_hours_in_order_and_of_at_least_a_month():
    assert 0 < SHIPPED.since < SHIPPED.until
    assert SHIPPED.until - SHIPPED.since >= 30 * DAY
    assert SHIPPED.since % HOUR == SHIPPED.until % HOUR == 0


def test_what_they_were_learned_from_was_over_before_they_are_used():
    assert SHIPPED.until < RELEASED
    estimate = Estimate(100_000.0, "binance:BTCUSDT")
    assert estimate.pretrained is SHIPPED
    estimate.flush(SHIPPED.until - HOUR)
    assert not estimate.is_pretrained
    estimate.flush(SHIPPED.until + 2 * HOUR)
    assert estimate.is_pretrained


def test_they_are_of_this_version_of_the_model():
    assert SHIPPED.version == VERSION


def test_they_say_where_they_come_from_and_how_sure_they_are():
    assert " on " in SHIPPED.market
    assert SHIPPED.reports > 30
    assert 0 < SHIPPED.level < 2
    assert 0 < SHIPPED.variance < 4
    assert 0 < SHIPPED.strength < 1


def test_no_place_on_the_map_is_without_weight():
    assert (by_ground(SHIPPED.weights) > 0).all()
    assert (SHIPPED.weights[LENGTH:] < 1e-3).all(), "lengths liquidate little by themselves"
