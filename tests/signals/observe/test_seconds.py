"""The last minutes second by second."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.signals.observe.seconds import BOUGHT, SUMS, Seconds


def _filled(count: int, price: float = 100.0) -> Seconds:
    seconds = Seconds()
    for n in range(count):
        row = np.zeros(SUMS)
        row[BOUGHT] = n
        seconds.add(n, row, price + n, (price + n - 1, price + n + 1))
    return seconds


@pytest.mark.parametrize("count", [10, 600, 3_000])
def test_sums_are_those_of_the_last_seconds_however_long_it_runs(count):
    seconds = _filled(count)
    assert seconds.sums(5)[BOUGHT] == sum(range(count - 5, count))
    assert seconds.price_before(3) == 100 + count - 4
    assert seconds.extremes(4) == (100 + count - 5, 100 + count)


def test_seconds_without_a_print_hold_the_price_and_no_volume():
    seconds = _filled(10)
    seconds.add(60, np.ones(SUMS), 200.0, (150.0, 250.0))
    assert seconds.sums(50)[BOUGHT] == 1
    assert seconds.price_before(1) == 109
    assert seconds.extremes(2) == (109, 250)


def test_after_a_long_pause_it_begins_anew():
    seconds = _filled(10)
    seconds.add(10_000, np.zeros(SUMS), 500.0, (500.0, 500.0))
    assert seconds.sums(500)[BOUGHT] == 0
    assert seconds.price_before(400) == 500


def test_the_usual_hour_is_not_known_before_half_an_hour_and_leaves_out_the_last_minutes():
    seconds = Seconds()
    ones = np.zeros(SUMS)
    ones[BOUGHT] = 2.0
    for n in range(30 * 60):
        seconds.add(n, ones, 100.0, (100.0, 100.0))
    assert math.isnan(seconds.usual_hour())
    for n in range(30 * 60, 40 * 60):
        seconds.add(n, ones, 100.0, (100.0, 100.0))
    assert seconds.usual_hour() == pytest.approx(7_200)
    for n in range(40 * 60, 45 * 60):
        seconds.add(n, ones * 50, 100.0, (100.0, 100.0))
    assert seconds.usual_hour() == pytest.approx(7_200, rel=0.02)


def test_volatility_is_that_of_four_hours():
    rng, seconds = np.random.default_rng(1), Seconds()
    price = 100.0
    for n in range(0, 6 * 3_600, 60):
        price *= math.exp(rng.normal(0, 0.001))
        seconds.add(n, np.zeros(SUMS), price, (price, price))
    assert seconds.volatility() == pytest.approx(0.001 * math.sqrt(240), rel=0.15)
