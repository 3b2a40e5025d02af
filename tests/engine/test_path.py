"""The way outward: ends of a touch, acceleration and chances, on paths known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from powderkeg.engine.overshoot.path import (
    OutwardPath,
    acceleration,
    continued,
    ends,
    grid,
    pass_probability,
)

U = grid()
ONES = np.ones_like(U)
LEVEL = 0.01


def path(mass: float = 50.0, at: float = 0.008, density: float = 4_000.0) -> OutwardPath:
    """Return a path with one cluster before the level, and a book of even density."""
    return OutwardPath(U, np.where(at <= U, mass, 0.0), density * U, ONES, ONES)


def test_price_ends_where_the_depth_beyond_the_level_has_absorbed_what_was_liquidated():
    end, forced = ends(path(), LEVEL, np.array([1.0, 0.5, 0.25]))
    assert end == pytest.approx(LEVEL + np.array([0.0125, 0.025, 0.05]), abs=2e-4)
    assert forced.tolist() == [50.0] * 3


def test_a_cluster_on_the_way_carries_price_further():
    two = replace(path(), forced=np.where(U >= 0.02, 90.0, np.where(U >= 0.008, 50.0, 0.0)))
    end, forced = ends(two, LEVEL, np.array([1.0]))
    assert end[0] == pytest.approx(LEVEL + 90 / 4_000, abs=2e-4)
    assert forced[0] == 90.0


def test_where_nothing_is_liquidated_price_ends_at_the_level():
    end, forced = ends(path(0.0), LEVEL, np.array([0.03, 5.0]))
    assert end == pytest.approx([LEVEL, LEVEL], abs=1e-12)
    assert forced.tolist() == [0.0, 0.0]


def test_a_book_that_never_absorbs_leaves_price_at_the_end_of_the_path():
    end, forced = ends(path(1e6), LEVEL, np.array([1.0]))
    assert end[0] == U[-1]
    assert forced[0] == 1e6


def test_a_factor_of_the_forced_volume_counts_by_draw_and_distance():
    factors = np.stack((ONES, 2 * ONES))
    end, forced = ends(path(), LEVEL, np.array([1.0, 1.0]), factors)
    assert end[1] - LEVEL == pytest.approx(2 * (end[0] - LEVEL), abs=4e-4)
    assert forced.tolist() == [50.0, 100.0]


@given(
    mass=st.floats(0, 500), extra=st.floats(0, 500), density=st.floats(100, 1e5),
    more=st.floats(1, 10), share=st.floats(0.03, 5),
)  # fmt: skip
def test_an_end_grows_with_the_map_and_shrinks_with_the_depth(mass, extra, density, more, share):
    shares = np.array([share])
    end, _ = ends(path(mass, density=density), LEVEL, shares)
    assert end[0] >= LEVEL
    assert ends(path(mass + extra, density=density), LEVEL, shares)[0][0] >= end[0]
    assert ends(path(mass, density=density * more), LEVEL, shares)[0][0] <= end[0]


def test_with_endless_depth_price_ends_at_the_level():
    end, _ = ends(path(1_000.0), LEVEL, np.array([1e12]))
    assert end[0] - LEVEL <= 2e-4 + 1e-12


def test_acceleration_is_what_is_liquidated_over_what_is_used_up():
    even = OutwardPath(U, 1_000.0 * U, 4_000.0 * U, ONES, ONES)
    assert acceleration(even, 0.25) == pytest.approx(1.0)
    assert acceleration(path(0.0), 1.0).max() == 0.0
    empty = replace(even, depth=np.zeros_like(U))
    assert np.isinf(acceleration(empty, 1.0)).all()


def test_the_chance_to_pass_is_one_up_to_the_level_and_falls_from_there():
    chance = pass_probability(path(), LEVEL, 0.25, 1.0)
    assert chance[U < LEVEL].tolist() == [1.0] * int((U < LEVEL).sum())
    assert (np.diff(chance) <= 0).all()
    # at 0.05 beyond, the depth of 200 times 0.25 equals the 50 liquidated: an even chance
    assert float(np.interp(LEVEL + 0.05, U, chance)) == pytest.approx(0.5, abs=5e-3)


def test_a_wider_band_of_the_map_widens_the_chance():
    wide = replace(path(), low=0.2 * ONES, high=5.0 * ONES)
    near = [pass_probability(each, LEVEL, 0.25, 0.5) for each in (path(), wide)]
    at = int(np.searchsorted(U, LEVEL + 0.1))
    assert near[1][at] > near[0][at]


def test_depth_beyond_what_is_displayed_goes_on_at_the_density_before():
    seen = np.minimum(U, 0.02) * 1_000
    on = continued(seen, U, 0.02)
    assert float(np.interp(0.04, U, on)) == pytest.approx(40.0)
    assert continued(seen, U, 0.0) is seen
    assert continued(seen, U, math.inf) is seen


def test_a_column_is_read_between_its_points():
    assert path().at(path().depth, 0.0051) == pytest.approx(20.4)
