"""The reporting rate of sampled feeds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.pooling import PooledStats
from powderkeg.engine.calibration.reporting import (
    BETWEEN,
    LEAST,
    PRIOR_SPREAD,
    ReportingRate,
    initial_rate,
    observed_rate,
    sampled,
    silent,
)
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.venues import VENUES

PRIOR = np.full(TERMS, 0.1)
KILLS = 0.05
"""What a unit of crossed exposure kills in truth, everywhere."""


def pooled_stats(market, share, reported=1.0, crossed=10.0):
    """Return the statistics of a market with `reported` of its liquidations, taken for `share`."""
    exposure = np.full(TERMS, crossed)
    return PooledStats(market, exposure * KILLS * reported / share, exposure)


COMPLETE = [pooled_stats("bybit:BTCUSDT", 1.0), pooled_stats("hyperliquid:BTC", 1.0)]


def seen(own, market_stats, share, grain=0.0):
    return observed_rate(own, market_stats, share, PRIOR, grain)


def middle(known, reported):
    """Return the share between two lognormal opinions, each weighed by how sure it is."""
    a, b = PRIOR_SPREAD**-2, BETWEEN**-2
    return math.exp((a * math.log(known) + b * math.log(reported)) / (a + b))


@pytest.mark.parametrize("venue", ["bybit", "hyperliquid", ""])
def test_a_complete_feed_has_share_one_and_no_spread(venue):
    assert initial_rate(venue) == ReportingRate(1.0, 0.0, measured=False)
    own = pooled_stats(f"{venue}:BTCUSDT", 1.0)
    assert seen(own, COMPLETE, 1.0) == ReportingRate(1.0, 0.0, measured=False)


@pytest.mark.parametrize("venue", [name for name in VENUES if sampled(name)])
def test_of_a_sampled_feed_only_the_prior_is_known_at_first(venue):
    known = initial_rate(venue)
    assert 0 < known.share < 1
    assert (known.spread, known.measured) == (PRIOR_SPREAD, False)


def test_a_venue_without_a_feed_of_liquidations_is_silent():
    assert [name for name in ("binance", "bybit", "hyperliquid", "unknown") if silent(name)] == [
        "hyperliquid"
    ]


def test_binance_is_taken_to_report_about_a_third():
    assert initial_rate("binance").share == pytest.approx(1 / 2.8)


def test_a_sampled_feed_told_a_third_is_found_near_a_third():
    share = initial_rate("binance").share
    found = seen(pooled_stats("binance:BTCUSDT", share, reported=1 / 3), COMPLETE, share)
    assert found.measured
    assert found.share == pytest.approx(1 / 3, rel=0.1)


@pytest.mark.parametrize("reported", [0.1, 0.2, 0.5, 0.9])
def test_what_is_told_moves_the_share_as_far_as_venues_are_alike(reported):
    share = initial_rate("binance").share
    found = seen(pooled_stats("binance:BTCUSDT", share, reported), COMPLETE, share).share
    assert found == pytest.approx(middle(share, reported), rel=0.02)


def test_the_share_it_was_learned_under_does_not_matter():
    """Statistics are of the complete volume, so a wrong share is in them and taken out again."""
    shares = [
        seen(pooled_stats("binance:BTCUSDT", share, reported=0.2), COMPLETE, share).share
        for share in (0.05, 0.36, 1.0)
    ]
    assert shares == pytest.approx([shares[0]] * 3)


def test_a_comparison_makes_it_surer_than_the_prior():
    share = initial_rate("okx").share
    found = seen(pooled_stats("okx:BTC", share, reported=0.5), COMPLETE, share)
    assert 0 < found.spread < PRIOR_SPREAD


def test_a_few_large_closes_prove_little():
    """The volume reported is 49, of typical closes of a ten-thousandth, or of 1000."""
    share = initial_rate("binance").share
    own = pooled_stats("binance:BTCUSDT", share, reported=0.05)
    fine, coarse = (seen(own, COMPLETE, share, grain) for grain in (1e-4, 1e3))
    assert coarse.share == pytest.approx(share, rel=0.02)
    assert fine.share < share / 1.5
    assert fine.spread < coarse.spread <= PRIOR_SPREAD


@given(st.floats(1e-9, 1e9), st.floats(1e-3, 1.0))
def test_no_feed_tells_more_than_all_or_less_than_a_broken_one(reported, share):
    found = seen(pooled_stats("binance:BTCUSDT", share, reported), COMPLETE, share)
    assert LEAST <= found.share <= 1.0


def test_a_feed_that_tells_more_than_all_tells_all():
    share = initial_rate("binance").share
    assert seen(pooled_stats("binance:BTCUSDT", share, reported=1e4), COMPLETE, share).share == 1.0


def test_a_feed_that_tells_next_to_nothing_is_broken_not_sampled():
    share = initial_rate("binance").share
    assert (
        seen(pooled_stats("binance:BTCUSDT", share, reported=1e-9), COMPLETE, share).share == LEAST
    )


def test_without_complete_feeds_nothing_is_measured():
    share = initial_rate("binance").share
    own = pooled_stats("binance:BTCUSDT", share, reported=0.1)
    for market_stats in (
        [],
        [own],
        [own, pooled_stats("okx:BTC", 0.5), pooled_stats("binance:ETHUSDT", share)],
    ):
        assert seen(own, market_stats, share) == initial_rate("binance")


def test_a_market_that_was_told_nothing_measures_nothing():
    own = pooled_stats("binance:BTCUSDT", 0.3, reported=0.0)
    assert seen(own, COMPLETE, 0.3) == initial_rate("binance")


def test_a_market_whose_sweeps_crossed_nothing_measures_nothing():
    own = PooledStats("binance:BTCUSDT", np.ones(TERMS), np.zeros(TERMS))
    assert seen(own, COMPLETE, 0.3) == initial_rate("binance")


def test_sampled_feeds_of_others_do_not_count():
    share = initial_rate("binance").share
    own = pooled_stats("binance:BTCUSDT", share, reported=0.1)
    wrong = pooled_stats("bitget:BTCUSDT", 1.0, reported=0.001)
    assert seen(own, [*COMPLETE, wrong], share) == seen(own, COMPLETE, share)
