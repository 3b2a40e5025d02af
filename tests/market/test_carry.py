"""Mark, index, funding and open interest of one market."""

import math

import pytest

from powderkeg.events import HOUR, MINUTE, SECOND, Funding, Mark, OpenInterest
from powderkeg.market.carry import Carry

M = "binance:BTCUSDT"


def mark(at, price, index=None):
    return Mark(M, at, at, price, index)


def oi(at, size):
    return OpenInterest(M, at, at, size)


def test_nothing_is_known_at_first():
    carry = Carry(M)
    assert all(math.isnan(v) for v in (carry.mark, carry.index, carry.funding, carry.oi))
    assert carry.interval == 0
    assert carry.ages(SECOND) == {}


def test_readings_are_kept_with_their_age():
    carry = Carry(M)
    assert carry.apply(mark(SECOND, 100.0, 100.5)) == mark(SECOND, 100.0, 100.5)
    carry.apply(Funding(M, 2 * SECOND, 0, 0.0001, 8 * HOUR))
    carry.apply(oi(3 * SECOND, 1000.0))
    assert (carry.mark, carry.index, carry.oi) == (100.0, 100.5, 1000.0)
    assert carry.ages(4 * SECOND) == pytest.approx({"mark": 3.0, "funding": 2.0, "oi": 1.0})


def test_a_mark_without_an_index_leaves_the_last_index():
    carry = Carry(M)
    carry.apply(mark(1, 100.0, 100.5))
    carry.apply(mark(2, 101.0))
    assert (carry.mark, carry.index) == (101.0, 100.5)


def test_one_funding_rate_means_nothing_without_its_interval():
    """0.01 % an hour is eight times 0.01 % in eight hours: both are kept (trap 3)."""
    binance, hyperliquid = Carry("binance:BTCUSDT"), Carry("hyperliquid:BTC")
    binance.apply(Funding("binance:BTCUSDT", 1, 1, 0.0001, 8 * HOUR))
    hyperliquid.apply(Funding("hyperliquid:BTC", 1, 1, 0.0001, HOUR))
    yearly = [c.funding * 365 * 24 * HOUR / c.interval for c in (binance, hyperliquid)]
    assert yearly[1] == pytest.approx(8 * yearly[0])


def test_a_mark_two_percent_off_waits_for_a_second():
    carry = Carry(M)
    carry.apply(mark(1, 100.0))
    assert carry.apply(mark(2, 102.5)) is None
    assert carry.mark == 100.0
    assert carry.apply(mark(3, 102.6)) is not None
    assert carry.mark == 102.6


def test_open_interest_may_jump_a_fifth_only_if_a_second_reading_agrees():
    carry = Carry(M)
    carry.apply(oi(1, 1000.0))
    assert carry.apply(oi(2, 1250.0)) is None
    assert carry.oi == 1000.0
    assert carry.apply(oi(3, 1010.0)) is not None
    assert (carry.oi, carry.dropped) == (1010.0, 1)
    assert carry.apply(oi(4, 500.0)) is None
    assert carry.apply(oi(5, 510.0)) is not None
    assert carry.oi == 510.0


def test_after_an_hour_without_open_interest_nothing_is_a_jump():
    carry = Carry(M)
    carry.apply(oi(0, 1000.0))
    assert carry.apply(oi(HOUR + 1, 2000.0)) is not None


def test_state_tells_apart_what_comes_next():
    one, two = Carry(M), Carry(M)
    assert one.state() == two.state()
    one.apply(mark(MINUTE, 100.0))
    assert one.state() != two.state()
    two.apply(mark(MINUTE, 100.0))
    one.apply(mark(2 * MINUTE, 150.0))
    assert one.state() != two.state(), "a held reading decides what comes next"
