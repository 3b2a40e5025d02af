"""The surviving share of the depth: prior, quantiles, and what sweeps tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.engine.overshoot.path import OutwardPath, ends, grid
from powderkeg.engine.overshoot.survival import LEAST, MOST, NARROWEST, DepthSurvival

U = grid()
ONES = np.ones_like(U)
LEVEL = 0.01
PATH = OutwardPath(U, np.where(U >= 0.008, 50.0, 0.0), 4_000.0 * U, ONES, ONES)


def swept(share: float) -> float:
    """Return where a sweep ends with a share of the depth."""
    return float(ends(PATH, LEVEL, np.array([share]))[0][0])


def test_it_starts_at_a_quarter_with_the_least_spread():
    fresh = DepthSurvival()
    assert fresh.median == pytest.approx(0.25)
    assert fresh.spread == NARROWEST
    assert fresh.sweeps == 0


def test_quantiles_are_cut_off():
    fresh = DepthSurvival()
    found = fresh.quantiles(np.array([0.0, 0.5, 1.0]), 1.0)
    assert found[0] == pytest.approx(LEAST, rel=1e-6)
    assert found[1] == pytest.approx(0.25, abs=0.01)
    assert found[2] == pytest.approx(MOST, rel=1e-6)


def test_equal_shares_give_equal_bits():
    points = np.linspace(0.01, 0.99, 9)
    one, other = (DepthSurvival().quantiles(points, 1.0) for _ in range(2))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.8])
def test_many_sweeps_of_one_share_are_learned(share):
    known = DepthSurvival()
    for _ in range(200):
        assert known.learn(PATH, LEVEL, swept(share))
    assert known.median == pytest.approx(share, rel=0.1)
    assert known.sweeps == 200
    assert known.spread == NARROWEST


def test_one_sweep_moves_it_a_little():
    known = DepthSurvival()
    known.learn(PATH, LEVEL, swept(0.05))
    assert 0.15 < known.median < 0.25


def test_a_path_on_which_nothing_is_liquidated_tells_nothing():
    known = DepthSurvival()
    empty = OutwardPath(U, np.zeros_like(U), 4_000.0 * U, ONES, ONES)
    assert not known.learn(empty, LEVEL, 0.02)
    assert known.sweeps == 0
    assert known.median == pytest.approx(0.25)


def test_an_end_beyond_the_displayed_books_tells_only_that_the_share_was_small():
    near = OutwardPath(U, PATH.forced, PATH.depth, ONES, ONES, visible=0.03)
    one, other = DepthSurvival(), DepthSurvival()
    assert one.learn(near, LEVEL, 0.05)
    assert other.learn(near, LEVEL, 0.2)
    assert one.median == other.median < 0.25


def test_an_end_at_the_level_tells_that_the_share_was_large():
    known = DepthSurvival()
    wide = OutwardPath(U, np.where(U >= 0.008, 5.0, 0.0), 4_000.0 * U, ONES, ONES)
    assert known.learn(wide, LEVEL, LEVEL)
    assert known.median > 0.25


def test_what_price_moves_by_itself_is_not_taken_for_a_small_share():
    calm, wild = DepthSurvival(), DepthSurvival()
    calm.learn(PATH, LEVEL, swept(0.25) + 0.01)
    wild.learn(PATH, LEVEL, swept(0.25) + 0.01, drift=0.02)
    assert calm.median < wild.median


def test_an_end_no_share_explains_counts_as_the_nearest():
    known = DepthSurvival()
    assert known.learn(PATH, LEVEL, 0.24)
    assert math.log(known.median) == pytest.approx(
        (8 * math.log(0.25) + math.log(0.0544)) / 9, abs=0.05
    )
