"""Skill over a map of the path alone, and its interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.forecasts import FIELDS, PATH_ONLY, PREDICTED, REPORTED
from powderkeg.evaluation.metrics import poisson_deviance
from powderkeg.maps.views.grade import Skill, deviance, jackknife, over_path_only

volumes = st.lists(st.floats(0, 1e3), min_size=1, max_size=20).filter(lambda v: sum(v) > 1e-3)


def rows(reported, predicted, path_only):
    """Return rows of equal sides, shape (n, 8, 2)."""
    out = np.zeros((len(reported), len(FIELDS), 2))
    for field, values in ((REPORTED, reported), (PREDICTED, predicted), (PATH_ONLY, path_only)):
        out[:, field] = np.asarray(values)[:, None]
    return out


def days(count, seed=1, better=1.0):
    """Return hours and rows of days in which the path alone is `better` times as far off as we."""
    chance = np.random.default_rng(seed)
    reported = chance.exponential(10.0, 24 * count)
    off = np.exp(chance.normal(0, 0.5, (2, 24 * count)))
    some = rows(reported, reported * off[0], reported * off[1] ** better)
    return 10_000 * 24 + np.arange(24 * count), some


@given(volumes, st.integers(0, 1000))
def test_its_mean_over_the_mean_volume_is_the_score_that_is_published(reported, seed):
    reported = np.array(reported)
    predicted = reported * np.random.default_rng(seed).exponential(1.0, len(reported))
    assert deviance(reported, predicted).mean() / reported.mean() == pytest.approx(
        poisson_deviance(reported, predicted), abs=1e-9
    )


@given(volumes)
def test_the_deviance_is_least_where_the_volume_was_expected(reported):
    reported = np.array(reported)
    assert deviance(reported, reported) == pytest.approx(0, abs=2e-3 * reported.mean())
    for factor in (0.5, 2.0):
        assert (deviance(reported, reported * factor) >= deviance(reported, reported) - 1e-9).all()


def test_a_perfect_map_has_all_the_skill_and_the_null_itself_none():
    hours, some = days(5)
    perfect = over_path_only(
        hours, rows(some[:, REPORTED, 0], some[:, REPORTED, 0], some[:, PREDICTED, 0])
    )
    assert perfect.value > 0.99
    same = over_path_only(
        hours, rows(some[:, REPORTED, 0], some[:, PREDICTED, 0], some[:, PREDICTED, 0])
    )
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_what_is_surely_better_or_worse_is_told_from_what_is_not():
    assert over_path_only(*days(10, better=3.0)).low > 0
    assert over_path_only(*days(10, better=0.2)).high < 0


def test_an_interval_holds_nothing_about_as_often_as_it_says_where_there_is_no_skill():
    reported = [over_path_only(*days(20, seed)) for seed in range(100)]
    assert 85 <= sum(each.low < 0 < each.high for each in reported) <= 99


def test_two_days_give_no_interval():
    short = over_path_only(*days(2, better=3.0))
    assert short.value > 0
    assert (short.low, short.high) == (-math.inf, math.inf)
    assert math.isfinite(over_path_only(*days(3)).low)


def test_hours_before_the_null_model_had_learned_anything_do_not_count():
    hours, some = days(6)
    early = some.copy()
    early[:48, PATH_ONLY] = 0
    assert over_path_only(hours, early) == over_path_only(hours[48:], some[48:])


@pytest.mark.parametrize("field", [REPORTED, PATH_ONLY])
def test_where_nothing_was_reported_or_the_null_never_spoke_nothing_is_known(field):
    hours, some = days(5)
    some[:, field] = 0
    reported = over_path_only(hours, some)
    assert math.isnan(reported.value)
    assert (reported.low, reported.high) == (-math.inf, math.inf)
    assert math.isnan(over_path_only(hours[:0], some[:0]).value)


def test_the_interval_is_what_leaving_out_each_day_says():
    ours, null = np.array([1.0, 2.0, 6.0, 3.0]), np.array([2.0, 5.0, 7.0, 4.0])
    without = np.array([1 - np.delete(ours, i).sum() / np.delete(null, i).sum() for i in range(4)])
    error = math.sqrt(3 / 4 * ((without - without.mean()) ** 2).sum())
    reported = jackknife(ours, null)
    assert reported.value == pytest.approx(1 - 12 / 18)
    assert reported.high - reported.value == pytest.approx(1.96 * error, rel=1e-4)
    assert reported.value - reported.low == pytest.approx(1.96 * error, rel=1e-4)
    assert jackknife(ours[:2], null[:2]) == Skill(1 - 3 / 7)
