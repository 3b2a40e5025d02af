"""Costs: every figure of the specification, to the cent."""

from __future__ import annotations

import pytest

from powderkeg.events import DAY, HOUR, MINUTE
from powderkeg.risk.costs import (
    Costs,
    PlannedTrade,
    break_even,
    expected_r,
    funding_boundaries,
    funding_payment,
    outcome,
    reward_to_risk,
    shrunk,
    size_for,
)

T1 = PlannedTrade("long", 149_000.0, 147_800.0)
TARGET = 153_000.0


def both(rate: float, slippage: float = 0.0, fundings: int = 0) -> Costs:
    """Return costs with one fee on both sides and funding of a basis point."""
    return Costs(rate, rate, slippage, 1e-4, fundings)


def test_the_first_trade_is_3_333_before_costs():
    assert reward_to_risk(T1, TARGET) == pytest.approx(10 / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("costs", "net"),
    [
        (both(0.0005), 2.854), (both(0.0005, 0.0001, 3), 2.739),
        (both(0.0005, 0.0002), 2.691), (both(0.00055, 0.0001, 3), 2.699),
    ],
)  # fmt: skip
def test_the_first_trade_after_costs(costs, net):
    assert reward_to_risk(T1, TARGET, costs) == pytest.approx(net, abs=5e-4)


def test_the_second_trade_is_5_36_gross_and_4_60_net():
    t2 = PlannedTrade("short", 6_245.0, 6_300.0)
    assert reward_to_risk(t2, 5_950.0) == pytest.approx(5.36, abs=5e-3)
    assert reward_to_risk(t2, 5_950.0, both(0.0005, 0.0001)) == pytest.approx(4.60, abs=5e-3)


def test_the_third_trade_is_2_60_gross():
    assert reward_to_risk(PlannedTrade("short", 140_200.0, 142_200.0), 135_000.0) == 2.6


def test_half_a_percent_of_equity_risked_over_1200_is_0_4167_coins():
    size = size_for(500.0, 149_000.0, 147_800.0)
    assert size == pytest.approx(0.4167, abs=5e-5)
    assert size * 149_000 == pytest.approx(62_083, abs=0.5)
    assert size * 149_000 / 50_000 == pytest.approx(1.24, abs=5e-3)


def test_a_stop_at_the_entry_has_no_size():
    assert size_for(500.0, 100.0, 100.0) != size_for(500.0, 100.0, 100.0)


MAKER_IN_TAKER_OUT = Costs(entry_fee=0.0002, exit_fee=0.0005)


def test_a_stopped_trade_loses_1_09_r_with_its_fees():
    lost = outcome(
        PlannedTrade("long", 149_000.0, 147_800.0, 0.4167), 147_800.0, MAKER_IN_TAKER_OUT
    )
    assert lost.gross == pytest.approx(-500.04, abs=5e-3)
    assert lost.costs == pytest.approx(12.42 + 30.79, abs=1e-2)
    assert lost.net == pytest.approx(-543.25, abs=5e-3)
    assert lost.net_r == pytest.approx(-1.09, abs=5e-3)


def test_a_stop_that_was_jumped_over_loses_1_3_r():
    trade = PlannedTrade("long", 149_000.0, 147_800.0, 0.4167)
    lost = outcome(trade, 147_500.0, MAKER_IN_TAKER_OUT)
    assert lost.gross == pytest.approx(-625.05, abs=5e-3)
    assert lost.net_r == pytest.approx(-1.3, abs=5e-2)


def test_funding_is_owed_at_a_gain_and_where_it_is_said():
    costs = Costs(funding=1e-4, fundings=3)
    assert outcome(T1, 153_000.0, costs).costs == pytest.approx(3 * 14.9)
    assert outcome(T1, 147_800.0, costs).costs == 0
    assert outcome(T1, 147_800.0, costs, fundings=1).costs == pytest.approx(14.9)


def test_one_funding_payment_of_a_basis_point_is_6_21():
    assert funding_payment("long", 62_083.0, 1e-4) == pytest.approx(6.21, abs=5e-3)
    assert funding_payment("short", 62_083.0, 1e-4) == pytest.approx(-6.21, abs=5e-3)


@pytest.mark.parametrize(
    ("opened", "closed", "count"),
    [
        (7 * HOUR + 30 * MINUTE, DAY + HOUR + 30 * MINUTE, 3), (HOUR, 19 * HOUR, 2),
        (8 * HOUR, 16 * HOUR, 1), (8 * HOUR + 1, 16 * HOUR - 1, 0),
    ],
)  # fmt: skip
def test_eighteen_hours_cross_two_or_three_payments_by_the_clock(opened, closed, count):
    assert funding_boundaries(opened, closed) == count


@pytest.mark.parametrize(
    ("ratio", "rate"), [(2.7, 0.270), (10 / 3, 0.231), (0.25, 0.80), (0.0, 1.0), (-1.0, 1.0)]
)
def test_a_break_even_win_rate_is_one_over_one_plus_the_ratio(ratio, rate):
    assert break_even(ratio) == pytest.approx(rate, abs=5e-4)


def test_at_the_break_even_rate_nothing_is_expected():
    assert expected_r(2.7, break_even(2.7)) == pytest.approx(0.0, abs=1e-12)
    assert expected_r(1.0, 0.6) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("wins", "episodes", "rate"), [(8, 10, 0.45), (5, 10, 0.35), (20, 48, 0.37)]
)
def test_a_win_rate_is_drawn_to_its_base_rate(wins, episodes, rate):
    assert shrunk(wins, episodes, 0.27) == pytest.approx(rate, abs=5e-3)
