"""Ground and relief."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.grid import BIN
from powderkeg.maps.heatmap.ground import WIDE, ground, window_rows
from powderkeg.maps.heatmap.scale import DOLLARS

SHARED = json.loads(Path(__file__).with_name("ground.json").read_text())
"""Columns of cells with their ground: the page's own tests read the same file."""
profiles = st.lists(st.floats(0, 1e9), min_size=1, max_size=120).map(np.array)
heights = st.sampled_from([BIN, 2 * BIN, WIDE, 1.0])


def by_definition(dollars, height):
    """Return the ground by its definition, window by window."""
    half, count = window_rows(height) // 2, len(dollars)
    about = [slice(max(i - half, 0), i + half + 1) for i in range(count)]
    low = np.array([dollars[part].min() for part in about])
    opened = np.array([low[part].max() for part in about])
    quarter = max(1, window_rows(height) // 4)
    near = [slice(max(i - quarter, 0), i + quarter + 1) for i in range(count)]
    means = np.array([opened[part].mean() for part in near])
    return np.maximum(np.minimum(means, dollars), opened)


@given(profiles, heights)
def test_the_ground_is_the_lowest_then_the_highest_or_the_mean_of_those(dollars, height):
    found = ground(dollars, height)
    assert found == pytest.approx(by_definition(dollars, height), rel=1e-6, abs=1e-3)


@given(profiles, heights)
def test_the_ground_is_never_more_than_what_there_is(dollars, height):
    found = ground(dollars, height)
    assert (found <= dollars).all()
    assert (found >= -1e-3).all()


@given(profiles, heights)
def test_the_ground_knows_no_up_and_down(dollars, height):
    turned = ground(dollars[::-1], height)[::-1]
    assert turned == pytest.approx(ground(dollars, height), rel=1e-6, abs=1e-2)


@given(st.floats(1, 1e9), st.integers(1, 200), heights)
def test_a_flat_map_is_all_ground(level, count, height):
    assert ground(np.full(count, level), height) == pytest.approx(np.full(count, level))


@given(st.integers(1, window_rows(BIN) - 1), st.integers(30, 120))
def test_a_band_narrower_than_the_window_has_no_ground(width, at):
    dollars = np.zeros(200)
    dollars[at : at + width] = 1e6
    assert ground(dollars, BIN) == pytest.approx(np.zeros(200), abs=1e-6)


@given(st.integers(window_rows(BIN), 100), st.integers(0, 100), st.floats(1, 1e9))
def test_a_slab_as_wide_as_the_window_is_all_ground(width, first, level):
    dollars = np.zeros(200)
    dollars[first : first + width] = level
    assert ground(dollars, BIN) == pytest.approx(dollars, rel=1e-6, abs=1e-6)


def test_a_band_on_a_slab_stands_above_the_slab():
    dollars = np.full(200, 1e6)
    dollars[100:110] += 3e6
    assert dollars - ground(dollars, BIN) == pytest.approx(np.where(dollars > 1e6, 3e6, 0.0))


def test_columns_are_told_one_by_one():
    columns = np.random.default_rng(1).exponential(1e6, (4, 3, 90))
    found = ground(columns, BIN)
    for i in np.ndindex(4, 3):
        assert found[i] == pytest.approx(ground(columns[i], BIN))
    assert ground(np.zeros((2, 0)), BIN).shape == (2, 0)


def test_the_window_is_an_odd_number_of_rows_three_at_least():
    assert [window_rows(n * BIN) for n in (1, 2, 8, 100)] == [25, 13, 3, 3]


@pytest.mark.parametrize("column", SHARED)
def test_page_and_server_find_the_same_ground(column):
    found = ground(DOLLARS[np.array(column["cells"])], column["dp"])
    assert found == pytest.approx(column["ground"], abs=0.01)
