"""What is liquidated between two prices."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.risk.fuel import Fuel, PriceCluster, fuel_of, large_from

LONG = PriceCluster("long", 148_500.0, 149_200.0, 180e6)
SHORT = PriceCluster("short", 149_000.0, 153_200.0, 70e6)


def test_a_cluster_is_evenly_spread_over_its_prices():
    fuel = fuel_of([LONG, SHORT])
    assert fuel.between("long", 149_000.0, 147_800.0) == pytest.approx(180e6 * 500 / 700)
    assert fuel.between("long", 140_000.0, 160_000.0) == pytest.approx(180e6)
    assert fuel.between("short", 151_100.0, 153_200.0) == pytest.approx(35e6)


def test_a_bin_of_the_map_is_split_where_a_price_cuts_it():
    fuel = Fuel(np.array([10.0, 20.0, 30.0]), np.array([[4.0, 8.0], [0.0, 1.0]]))
    assert fuel.between("long", 25.0, 15.0) == pytest.approx(2.0 + 4.0)


def test_no_cluster_holds_nothing():
    assert fuel_of([]).between("long", 1.0, 2.0) == 0.0
    assert large_from([]) == 0.0


def test_a_cluster_without_extent_holds_nothing_by_price():
    assert fuel_of([PriceCluster("long", 5.0, 5.0, 1.0)]).between("long", 0.0, 9.0) == 0.0


def test_a_large_cluster_is_one_of_the_tenth_that_hold_most():
    held = [PriceCluster("long", 1.0, 2.0, float(n)) for n in range(11)]
    assert large_from(held) == 9.0


@pytest.mark.parametrize(
    ("price", "near"), [(140_000, 148_500), (148_700, 148_700), (1e6, 149_200)]
)
def test_the_edge_that_price_meets_first(price, near):
    assert LONG.near(float(price)) == near
