"""Volume by price, with hand-made cells."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import Trades
from powderkeg.flow.tape.profile import naked, value_area, volume_profile

M = "binance:BTCUSDT"


def test_prints_fall_into_rows_by_price_and_side():
    rows = [(0, 100.0, 1.0), (1, 100.4, -2.0), (2, 101.0, 3.0), (3, 103.9, -4.0)]
    profile = volume_profile(Trades.of(M, 9, rows), 1.0)
    assert profile.first == 100
    assert profile.bought.tolist() == [1.0, 3.0, 0.0, 0.0]
    assert profile.sold.tolist() == [2.0, 0.0, 0.0, 4.0]
    assert profile.volume.tolist() == [3.0, 3.0, 0.0, 4.0]


def test_a_price_on_an_edge_belongs_to_the_row_that_begins_there():
    profile = volume_profile(Trades.of(M, 9, [(0, 0.3, 1.0), (1, 0.7, 1.0)]), 0.1)
    assert (profile.first, len(profile.volume)) == (3, 5)


def test_the_value_area_grows_by_the_larger_neighbour():
    area = value_area(np.array([1.0, 2, 10, 4, 3]))
    assert area is not None
    assert (area.poc, area.low, area.high) == (2, 2, 3)
    assert area.share == pytest.approx(14 / 20)


def test_of_equal_neighbours_the_nearer_is_taken_and_then_the_lower():
    area = value_area(np.array([5.0, 5, 10, 5, 5]), 0.5)
    assert area is not None
    assert (area.low, area.high) == (1, 2)
    area = value_area(np.array([5.0, 5, 10, 5, 5]), 0.6)
    assert area is not None
    assert (area.low, area.high) == (1, 3)


def test_the_value_area_crosses_empty_rows():
    area = value_area(np.array([0.0, 10, 0, 0, 8]), 0.9)
    assert area is not None
    assert (area.poc, area.low, area.high) == (1, 0, 4)


def test_of_equal_peaks_the_one_nearest_to_the_mean_is_the_point_of_control():
    area = value_area(np.array([7.0, 0, 7, 5, 7]))
    assert area is not None
    assert area.poc == 2


def test_without_volume_there_is_no_value_area():
    assert value_area(np.zeros(3)) is None
    assert value_area(np.zeros(0)) is None


@given(st.lists(st.floats(0, 1e6), min_size=1).filter(any), st.floats(0.01, 1))
def test_the_value_area_holds_its_share_and_the_point_of_control(volume, share):
    area = value_area(np.array(volume), share)
    assert area is not None
    assert 0 <= area.low <= area.poc <= area.high < len(volume)
    inside = sum(volume[area.low : area.high + 1])
    assert inside >= share * sum(volume) * (1 - 1e-9)
    assert area.share == pytest.approx(inside / sum(volume))
    assert volume[area.poc] == max(volume)


def test_a_point_of_control_is_naked_until_price_returns():
    assert naked([5.0, 9.0, 7.0], [4, 4, 6], [6, 10, 8]) == [1, 2]
    assert naked([5.0, math.nan], [4, 7], [6, 8]) == [0]
    assert naked([], [], []) == []
