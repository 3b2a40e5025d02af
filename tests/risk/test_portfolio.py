"""Open risk over several coins."""

from __future__ import annotations

import numpy as np

from powderkeg.risk.portfolio import OpenRisk, correlations, groups_of, portfolio

GROUPS = {"BTC": 0, "ETH": 0, "SOL": 1}


def test_coins_that_move_together_share_a_cap():
    found = portfolio(
        [OpenRisk("BTC", "long", 2.0), OpenRisk("ETH", "long", 1.5), OpenRisk("SOL", "long", 1.0)],
        GROUPS,
    )
    assert found.total == 4.5
    assert not found.exceeded
    assert [(row.coins, row.r, row.exceeded) for row in found.groups] == [
        (["BTC", "ETH"], 3.5, True), (["SOL"], 1.0, False)
    ]  # fmt: skip


def test_opposite_sides_are_not_set_off():
    found = portfolio([OpenRisk("BTC", "long", 2.0), OpenRisk("ETH", "short", 2.0)], GROUPS)
    assert found.total == 4.0
    assert [row.exceeded for row in found.groups] == [False, False]


def test_a_coin_without_a_group_stands_alone_and_the_total_has_a_cap():
    found = portfolio([OpenRisk(name, "long", 2.5) for name in ("BTC", "XRP", "DOGE")], GROUPS)
    assert len(found.groups) == 3
    assert found.exceeded


def test_coins_are_grouped_by_the_correlation_of_their_returns():
    chance = np.random.default_rng(1)
    market, other = chance.normal(size=(2, 500))
    noise = chance.normal(size=(500, 3)) * 0.3
    returns = np.column_stack((market, other, market, market)) + np.pad(noise, ((0, 0), (0, 1)))
    found = groups_of(["A", "B", "C", "D"], correlations(returns))
    assert found["A"] == found["C"] == found["D"] != found["B"]


def test_a_coin_that_has_not_moved_is_correlated_with_none():
    moving = np.random.default_rng(1).normal(size=(50, 1))
    table = correlations(np.hstack((moving, np.zeros((50, 1)), moving)))
    assert np.isnan(table[1]).all()
    assert groups_of(["A", "B", "C"], table) == {"A": 0, "B": 1, "C": 0}


def test_nothing_open_risks_nothing():
    found = portfolio([], {})
    assert found.total == 0
    assert found.groups == []
