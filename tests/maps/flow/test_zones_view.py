"""Resting orders by minute, and the clusters they shield, on a coin whose numbers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.maps.flow.coin import NOW, SPOT, M, N, coin, snapshot

from powderkeg.desk import Desk
from powderkeg.events import MINUTE, SECOND, Trade
from powderkeg.maps.flow.queries import ZonesQuery
from powderkeg.maps.flow.zones import shields_of, zone_books, zones_of
from powderkeg.maps.views.clusters import Cluster
from powderkeg.settings import Settings


@pytest.fixture
def desk():
    """Return the coin three minutes later: its books stood for two of them, then one grew."""
    desk = coin()
    bids, asks = {99_990.0: 1.0, 99_981.0: 2.0}, {100_010.0: 4.0, 100_019.0: 8.0}
    desk.apply(snapshot(M, NOW + SECOND, bids, asks))
    desk.apply(snapshot(M, NOW + 2 * MINUTE, {**bids, 99_990.0: 9.0}, asks))
    desk.apply(snapshot(M, NOW + 3 * MINUTE, {**bids, 99_990.0: 9.0}, asks))
    desk.apply(Trade(M, NOW + 3 * MINUTE, NOW + 3 * MINUTE + SECOND, 100_000.0, 0.1, "sell"))
    return desk


def zones(desk, **query):
    asked = ZonesQuery(**{"row": 10.0, "rows": 20, "centre": 100_000.0, **query})
    return zones_of(zone_books(desk, asked), asked)


def runs(found, side):
    """Return price, minute since `NOW`, minutes and mean of each run of a side."""
    rows = zip(found.side, found.row, found.start, found.length, found.mean, strict=True)
    minute = (NOW - found.t0) // MINUTE
    return [
        ((found.first + int(row)) * found.step, int(start) - minute, int(length), float(mean))
        for which, row, start, length, mean in rows
        if which == side
    ]


def test_what_rested_is_answered_as_runs_on_the_rows_of_a_ladder(desk):
    found = zones(desk, venues=("binance",))
    assert found.markets == [M]
    assert (99_980.0, 0, 3, 2.0) in runs(found, 0)
    assert (99_990.0, 0, 2, 1.0) in runs(found, 0)
    assert (99_990.0, 2, 1, 9.0) in runs(found, 0)
    assert (100_020.0, 0, 3, 8.0) in runs(found, 1)
    assert found.cols == 240
    assert found.left_out == 0


def test_what_is_not_visible_is_unknown(desk):
    found = zones(desk, venues=("binance",))
    column = (NOW - found.t0) // MINUTE
    assert found.lowest[column] == 99_980.0
    assert found.highest[column] == 100_020.0
    assert math.isnan(found.lowest[column - 1])


def test_books_are_added_up_and_venues_are_chosen(desk):
    assert set(zones(desk).markets) == {M, N}
    at = [
        mean for price, minute, _, mean in runs(zones(desk), 0) if price == 100_000 and not minute
    ]
    assert at == [2.0], "99,990 and 99,981 of the other book, 20 dollars higher"
    assert zones(desk, venues=("okx",)).markets == []


def test_only_the_largest_runs_are_returned_and_the_others_counted(desk):
    every, some = zones(desk), zones(desk, limit=2)
    assert len(some.mean) == 2
    assert some.left_out == len(every.mean) - 2
    assert sorted(some.mean) == sorted(every.mean)[-2:]
    assert (np.diff(every.start.astype(int)) >= 0).all()


def test_a_row_is_a_multiple_of_the_one_kept(desk):
    kept = desk.flow.zones[0].step
    assert zones(desk, row=0.0).step == kept
    assert zones(desk, row=kept * 2.5).step == kept * 3


def test_a_coin_without_books_has_no_zones():
    found = zones(Desk("BTC", Settings()), row=0.0)
    assert (found.markets, len(found.mean), found.step) == ([], 0, 1.0)


def cluster(side, floor, top, notional):
    return Cluster(side, floor, top, (floor + top) / 2, notional, 0.0, 0.0, 50, {}, math.nan)


def test_each_cluster_says_what_rests_before_it_and_the_nearest_comes_first(desk):
    near = cluster("long", 99_985.0, 99_995.0, 1e6)
    far = cluster("short", 100_015.0, 100_030.0, 1e9)
    found = shields_of(desk, (), [far, near])
    assert [each.side for each in found] == ["long", "short"]
    assert found[0].resting == 9 * 99_990.0
    assert (found[0].state, found[0].complete) == ("shielded", False)
    assert found[1].state == "unknown", "both books end within it"


def test_books_in_which_nothing_is_liquidated_shield_nothing(desk):
    desk.apply(snapshot(SPOT, NOW + 3 * MINUTE, {99_990.0: 100.0}, {100_010.0: 100.0}))
    band = [cluster("long", 99_985.0, 99_995.0, 1e6)]
    assert shields_of(desk, (), band)[0].resting == 9 * 99_990.0
    assert shields_of(desk, ("bybit",), band)[0].resting == 0.0
    assert shields_of(desk, ("binance-spot",), band)[0].state == "unknown"
