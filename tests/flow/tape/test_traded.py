"""Volume by price and minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import DAY, MINUTE, Trade, Trades
from powderkeg.flow.tape.traded import Traded, step_for

M = "binance:BTCUSDT"
ROWS = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(90, 110), st.integers(-9, 9).filter(bool)),
    min_size=1,
)


def test_prints_are_kept_by_price_side_and_size():
    traded = Traded(1.0)
    traded.add(Trades.of(M, 9, [(0, 100.2, 1.0), (1, 100.9, -2.0), (2, 102.0, 4.0)]))
    traded.add(Trade(M, 3, 3, 100.0, 3.0, "sell"))
    rows = traded.rows(0, 100, 3, traded.step)
    assert rows.bought.tolist() == [1, 0, 4]
    assert rows.sold.tolist() == [5, 0, 0]
    assert rows.largest.tolist() == [3, 0, 4]
    assert rows.count.tolist() == [3, 0, 1]


@given(ROWS, st.integers(1, 7))
def test_rows_of_several_steps_hold_the_same_volume(rows, per_row):
    traded = Traded(1.0)
    traded.add(Trades.of(M, 9, [(t, float(p), float(s)) for t, p, s in rows]))
    found = traded.rows(0, 80 // per_row, 60, per_row * traded.step)
    assert found.bought.sum() == sum(s for _, _, s in rows if s > 0)
    assert found.sold.sum() == -sum(s for _, _, s in rows if s < 0)
    assert found.count.sum() == len(rows)
    assert found.step == per_row


@given(ROWS)
def test_prints_one_by_one_and_in_a_run_are_the_same(rows):
    run = Trades.of(M, 9, [(t, float(p), float(s)) for t, p, s in rows])
    bulk, single = Traded(1.0), Traded(1.0)
    bulk.add(run)
    for trade in run.singles():
        single.add(trade)
    for name in ("bought", "sold", "largest", "count"):
        ours, theirs = (getattr(each.rows(0, 90, 21, each.step), name) for each in (bulk, single))
        assert ours.tolist() == theirs.tolist()


def test_only_what_traded_since_a_time_is_returned_and_old_minutes_are_dropped():
    traded = Traded(1.0, keep=DAY)
    for minute in (0, 5, 1_441):
        traded.add(Trade(M, minute * MINUTE, 0, 100.0, 1.0, "buy"))
    assert traded.rows(0, 100, 1, traded.step).bought.tolist() == [2.0]
    assert traded.rows(6 * MINUTE, 100, 1, traded.step).bought.tolist() == [1.0]


@pytest.mark.parametrize(
    ("price", "expected"), [(100_000.0, 5.0), (3_500.0, 0.2), (0.1234, 1e-5), (150.0, 0.01)]
)
def test_a_step_is_round_and_near_half_a_basis_point(price, expected):
    assert step_for(price) == pytest.approx(expected)


@given(st.floats(1e-6, 1e6))
def test_a_step_is_one_two_or_five_times_a_power_of_ten(price):
    step = step_for(price)
    assert price * 5e-5 * (1 - 1e-9) <= step <= price * 5e-5 * 2.5 * (1 + 1e-9)
    assert f"{step:.0e}"[0] in "125"
