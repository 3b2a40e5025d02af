"""Trade imbalance of the last seconds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, SECOND, Trade, Trades
from powderkeg.flow.tape.imbalance import LONGEST, TradeImbalance

M = "binance:BTCUSDT"
ROWS = st.lists(
    st.tuples(st.integers(0, 200 * SECOND), st.just(5.0), st.floats(-9, 9).filter(bool)),
    min_size=1,
    max_size=50,
)


def test_it_is_bought_less_sold_over_both_of_the_last_minute():
    flow = TradeImbalance()
    flow.add(Trades.of(M, 9, [(0, 5.0, 90.0), (SECOND, 5.0, 3.0), (60 * SECOND, 5.0, -1.0)]))
    assert flow.volumes(60 * SECOND) == (3.0, 1.0)
    assert flow.read(60 * SECOND) == 0.5
    assert flow.read(59 * SECOND) == 1.0, "what comes later does not count"


def test_equal_sides_are_zero_one_side_is_one_and_none_is_unknown():
    flow = TradeImbalance()
    assert math.isnan(flow.read(0))
    flow.add(Trade(M, 0, 0, 5.0, 2.0, "buy"))
    assert flow.read(0) == 1.0
    flow.add(Trade(M, 0, 0, 5.0, 2.0, "sell"))
    assert flow.read(0) == 0.0
    assert math.isnan(flow.read(2 * MINUTE))


def test_a_second_that_comes_round_again_starts_empty_and_one_that_is_over_stays_so():
    flow = TradeImbalance(10)
    flow.add(Trade(M, 0, 0, 5.0, 2.0, "buy"))
    flow.add(Trade(M, 10 * SECOND, 0, 5.0, 1.0, "sell"))
    flow.add(Trade(M, SECOND - 1, 0, 5.0, 9.0, "buy"))
    assert flow.volumes(10 * SECOND, 10 * SECOND) == (0.0, 1.0)


@pytest.mark.parametrize("window", [0, SECOND - 1, (LONGEST + 1) * SECOND])
def test_a_window_that_is_not_remembered_is_refused(window):
    with pytest.raises(ValueError, match=r"expected a window of 1 to 3600 s, found"):
        TradeImbalance().read(0, window)


@given(ROWS, st.integers(0, 220), st.integers(1, 100))
def test_it_is_the_imbalance_of_the_prints_of_those_seconds(rows, last, seconds):
    run = Trades.of(M, 9, rows)
    flow = TradeImbalance()
    flow.add(run)
    at = run.times // SECOND
    sizes = run.sizes[(at > last - seconds) & (at <= last)]
    bought, sold = flow.volumes(last * SECOND, seconds * SECOND)
    assert bought == pytest.approx(sizes[sizes > 0].sum(), abs=1e-9)
    assert sold == pytest.approx(-sizes[sizes < 0].sum(), abs=1e-9)
    read = flow.read(last * SECOND, seconds * SECOND)
    assert math.isnan(read) == (len(sizes) == 0)
    assert math.isnan(read) or -1 <= read <= 1
