"""Where a planned position is liquidated, beside its stop."""

from __future__ import annotations

import pytest

from powderkeg.instruments import Tier, TierTable
from powderkeg.risk.costs import PlannedTrade
from powderkeg.risk.margin import flat_table, planned_liquidation

TABLE = flat_table(0.004)


def test_a_25x_long_of_105000_is_liquidated_at_101204_8():
    found = planned_liquidation(PlannedTrade("long", 105_000.0, 104_000.0), 25.0, TABLE)
    assert found.price == pytest.approx(101_204.8, abs=0.05)


def test_a_liquidation_is_measured_in_distances_to_the_stop():
    trade = PlannedTrade("long", 149_000.0, 147_800.0, 0.4167)
    found = planned_liquidation(trade, 10.0, TABLE)
    assert found.price == pytest.approx(134_639, abs=0.5)
    assert found.stops_away == pytest.approx(12.0, abs=0.05)
    assert found.beyond_stop == pytest.approx(found.stops_away - 1)
    assert found.safe_leverage is None


@pytest.mark.parametrize(("side", "stop"), [("long", 147_800.0), ("short", 150_200.0)])
def test_the_safe_leverage_is_the_greatest_whole_one_that_would_do(side, stop):
    trade = PlannedTrade(side, 149_000.0, stop, 0.4167)
    tight = planned_liquidation(trade, 100.0, TABLE)
    assert tight.beyond_stop < 1.5
    safe = planned_liquidation(trade, tight.safe_leverage, TABLE)
    more = planned_liquidation(trade, tight.safe_leverage + 1, TABLE)
    assert safe.beyond_stop >= 1.5 > more.beyond_stop


def test_where_no_leverage_would_do_none_is_named():
    trade = PlannedTrade("short", 100.0, 200.0)
    assert planned_liquidation(trade, 2.0, TABLE).safe_leverage is None


def test_a_leverage_that_is_not_allowed_says_why():
    table = TierTable("okx", "X", "answer", 0, (Tier(0, 1e9, 20, 0.01, 0.0),))
    found = planned_liquidation(PlannedTrade("long", 100.0, 99.0), 50.0, table)
    assert found.price is None
    assert found.why == "at most 20x at this size"
    assert found.source == "answer"
