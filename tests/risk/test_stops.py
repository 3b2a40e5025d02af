"""Where a stop goes."""

from __future__ import annotations

import math

import pytest

from powderkeg.risk.fuel import PriceCluster
from powderkeg.risk.stops import buffer_of, protective, reclaim_of, stop_beyond

LONG = PriceCluster("long", 148_500.0, 149_200.0, 180e6)
SHORT = PriceCluster("short", 6_250.0, 6_400.0, 120e6)


def test_the_stop_beneath_148_500_is_147_800():
    stop = stop_beyond(LONG, "long", buffer_of(148_500.0))
    assert stop == 147_800.0
    assert (148_500 - stop) / 148_500 == pytest.approx(0.00471, abs=5e-6)


def test_a_stop_above_a_cluster_is_rounded_up():
    stop = stop_beyond(SHORT, "short", buffer_of(6_400.0))
    assert stop == pytest.approx(6_430.1)
    assert stop >= 6_400 * 1.0047


@pytest.mark.parametrize(
    ("atr", "spread", "buffer"),
    [
        (0.0, 0.0, 470.0), (1_000.0, 1.0, 500.0), (100.0, 400.0, 800.0),
        (math.nan, math.nan, 470.0), (900.0, math.nan, 470.0),
    ],
)  # fmt: skip
def test_a_buffer_is_the_largest_of_047_percent_half_the_range_and_two_spreads(atr, spread, buffer):
    assert buffer_of(100_000.0, atr, spread) == pytest.approx(buffer)


def test_the_protective_cluster_is_the_nearest_of_the_own_side_or_the_one_around_the_entry():
    deep = PriceCluster("long", 140_000.0, 141_000.0, 400e6)
    above = PriceCluster("long", 150_000.0, 150_100.0, 1e6)
    other = PriceCluster("short", 148_000.0, 148_900.0, 1e6)
    assert protective([deep, above, other, LONG], "long", 149_000.0) == LONG
    assert protective([deep, above, other, LONG], "long", 145_000.0) == deep
    assert protective([other], "long", 149_000.0) is None
    assert protective([SHORT], "short", 6_245.0) == SHORT
    assert protective([SHORT], "short", 6_500.0) is None


def test_a_reclaim_is_half_a_percent_beyond_the_near_edge():
    assert reclaim_of(LONG, "long") == pytest.approx(149_946.0)
    assert reclaim_of(SHORT, "short") == pytest.approx(6_218.75)
