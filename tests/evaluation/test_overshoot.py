"""Touches of simulated markets, and the scores of what was expected of them."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.engine.overshoot.forecast import forecast
from powderkeg.engine.overshoot.path import OutwardPath, ends, grid
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.evaluation.overshoot import scoring
from powderkeg.evaluation.overshoot.touches import BOOKS, LEVELS, Touch, touches

U = grid()
ONES = np.ones_like(U)


def drawn(count: int, share: float, seed: int = 3) -> list[Touch]:
    """Return touches in a world where the surviving share is known up to its spread."""
    chance = np.random.default_rng(seed)
    out: list[Touch] = []
    for n in range(count):
        mass = float(chance.uniform(1, 60))
        path = OutwardPath(U, np.where(U >= 0.008, mass, 0.0), 4_000.0 * U, ONES, ONES)
        here = share * np.exp(chance.normal(0, 1.1))
        end, forced = ends(path, 0.01, np.clip(np.array([here]), 0.03, 5))
        out.append(Touch(n // 5, path, 0.01, 1.0, 1e-4, float(end[0]), float(forced[0])))
    return out


def test_where_the_world_is_as_assumed_the_band_covers_eighty_percent():
    rows = scoring.scored(drawn(600, 0.15, seed=4), scoring.learned(drawn(400, 0.15)))
    found = scoring.figures(rows)
    assert 0.75 < found["end_coverage_80"] < 0.88
    assert found["forced_coverage_80"] == 1.0
    assert found["brier"] < found["brier_climatology"]


def test_a_share_is_learned_from_touches():
    assert scoring.learned(drawn(400, 0.15)).median == pytest.approx(0.15, rel=0.25)


def test_a_market_is_forecast_before_it_is_learned_from():
    found, survival = drawn(20, 0.1), DepthSurvival()
    rows = scoring.followed(found, survival)
    first = forecast(found[0].path, 0.01, DepthSurvival(), found[0].drift)
    assert rows[0].expected.end.tolist() == first.end.tolist()
    assert len(rows) == 20
    assert survival.sweeps > 0


def test_a_push_that_did_not_reach_its_level_is_left_out_and_counted():
    found = drawn(40, 0.2)
    found[3] = replace(found[3], end=0.009)
    report = scoring.report(drawn(40, 0.2, seed=9), [found])
    assert report["not_reached"] == 1
    assert report["touches"] == 39
    assert len(report["reliability"]) == scoring.GROUPS
    assert report["per_market"][0] == {k: report[k] for k in report["per_market"][0]}


def test_an_end_outside_its_band_is_not_covered():
    touch = drawn(1, 0.2)[0]
    expected = forecast(touch.path, 0.01, DepthSurvival(), touch.drift)
    far = replace(touch, end=0.2, forced=1e6)
    row = scoring.Scored(far, expected)
    assert not row.end_covered
    assert not row.forced_covered
    assert row.overshot


@pytest.mark.slow
def test_a_simulated_market_is_pushed_from_both_sides_into_three_books():
    found = list(touches(11, 0.75, 0.5))
    assert len(found) == 2 * 2 * len(BOOKS) * len(LEVELS)
    assert {touch.book for touch in found} == set(BOOKS)
    for touch in found:
        assert (np.diff(touch.path.forced) >= -1e-9).all()
        assert (np.diff(touch.path.depth) >= 0).all()
        assert touch.forced >= 0
    deep = next(t for t in found if t.book == 1.0)
    thin = next(t for t in found if t.book == 0.2)
    at = deep.path.at(deep.path.depth, 0.02)
    assert thin.path.at(thin.path.depth, 0.02) == pytest.approx(0.2 * at, rel=0.15)
