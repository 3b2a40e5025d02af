"""Bands of 80 %."""

import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration.uncertainty import (
    COVERED,
    FIRST_MODEL_ERROR,
    LEAST_MODEL_ERROR,
    NOTHING,
    PATIENCE,
    ROWS,
    TAIL,
    ModelError,
    Uncertainty,
    Z,
    band,
    quantile,
)

PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
LEVEL = 0.8
"""What bands claim to cover."""
ends = st.floats(0.02, 0.98)
ROWS_PLAYED = 600 if PLAIN else 1600
amounts = st.floats(1e-3, 1e6)


def one(mean, variance, model_error=0.0):
    """Return the ends of a single band as floats."""
    low, high = band(np.array([mean]), np.array([variance]), np.array([model_error]))
    return float(low[0]), float(high[0])


def played(errors, seed=0):
    """Return coverage and width where hours of all sizes are wrong by these factors.

    Each band uses the model error of earlier rows; the first quarter of the rows is not counted.
    """
    chance = np.random.default_rng(seed)
    means = chance.lognormal(2.0, 1.5, len(errors))
    variances = means**2 * chance.uniform(0.05, 1.0, len(errors))
    model_error, held = ModelError(), []
    for mean, variance, error in zip(means, variances, errors, strict=True):
        low, high = one(mean, variance, mean * model_error.hourly)
        held.append(low <= mean * error <= high)
        model_error.update(mean * error, mean, variance)
    return np.mean(held[len(held) // 4 :]), model_error.hourly


@given(ends)
def test_of_shape_one_the_quantile_is_that_of_the_exponential(p):
    assert quantile(p, 1.0) == pytest.approx(-math.log(1 - p), rel=1e-6)


@given(ends)
def test_of_shape_two_the_quantile_inverts_the_erlang(p):
    """Of two exponential stages, 1 - (1 + x) e^-x, with mean two."""
    x = 2 * quantile(p, 2.0)
    assert 1 - (1 + x) * math.exp(-x) == pytest.approx(p, rel=1e-6)


@given(ends)
def test_of_shape_one_half_the_quantile_is_that_of_a_squared_normal(p):
    """Chi-square of one degree, mean one: P(|N| < sqrt(x)) = erf(sqrt(x / 2))."""
    assert math.erf(math.sqrt(quantile(p, 0.5) / 2)) == pytest.approx(p, rel=1e-6)


def test_of_a_large_shape_the_quantile_is_that_of_the_normal():
    k = 1e3
    for p, sign in ((TAIL, -1), (1 - TAIL, 1)):
        assert quantile(p, k) == pytest.approx(1 + sign * Z / math.sqrt(k), abs=1e-3)


def test_far_beyond_the_grid_a_quantile_is_still_that_of_the_normal():
    """Where the fraction would need more than its five hundred terms."""
    k = 1e7
    for p, normal in ((1 - TAIL, Z), (0.505, 0.0125)):
        assert quantile(p, k) == pytest.approx(1 + normal / math.sqrt(k), abs=1e-4)


@pytest.mark.parametrize("k", [1e-3, 1e-2])
def test_of_a_small_shape_nearly_all_is_nothing(k):
    assert quantile(TAIL, k) < NOTHING
    assert quantile(LEVEL, k) < NOTHING


def covered(k):
    """Return the share of draws of a gamma variable of shape `k` that its band holds."""
    draws = np.random.default_rng(1).gamma(k, 1 / k, 20_000)
    low, high = one(1.0, 1 / k)
    return np.mean((draws >= low) & (draws <= high))


@pytest.mark.parametrize("k", [1.0, 7.0, 300.0])
def test_eight_in_ten_draws_of_a_gamma_lie_in_its_band(k):
    assert covered(k) == pytest.approx(LEVEL, abs=0.02)


def test_where_nothing_is_likely_the_band_begins_at_nothing_and_holds_nine_in_ten():
    assert covered(0.2) == pytest.approx(1 - TAIL, abs=0.02)


@given(amounts, st.floats(0.01, 30.0))
def test_a_band_scales_with_its_unit(mean, relative):
    low, high = one(mean, relative * mean**2, 0.5 * mean)
    small, large = one(1.0, relative, 0.5)
    assert (low, high) == (pytest.approx(mean * small), pytest.approx(mean * large))


@given(st.floats(0.05, 300.0), st.floats(0, 2), st.floats(0, 2))
def test_a_band_widens_with_misfit_on_both_ends(k, model_error, more):
    low, high = one(1.0, 1 / k, model_error)
    lower, higher = one(1.0, 1 / k, model_error + more)
    assert lower <= low
    assert higher >= high


@given(st.floats(0.05, 100.0))
def test_a_band_widens_with_variance(variance):
    low, high = one(1.0, variance)
    assert low < high
    assert one(1.0, variance / 2)[0] >= low


def test_a_misfit_of_one_z_stretches_each_end_by_e():
    low, high = one(1.0, 0.1)
    assert one(1.0, 0.1, 1 / Z) == (pytest.approx(low / math.e), pytest.approx(high * math.e))


def test_what_is_certain_has_no_band():
    assert one(5.0, 0.0) == (pytest.approx(5.0, rel=0.05), pytest.approx(5.0, rel=0.05))


def test_a_low_end_of_next_to_nothing_is_nothing():
    assert one(1.0, 100.0)[0] == 0.0


@given(st.floats(1e-3, 1e4), st.floats(0, 3))
def test_what_is_expected_never_lies_above_its_band(variance, model_error):
    """Of very grainy volume nine in ten outcomes are less than the mean."""
    assert one(1.0, variance, model_error)[1] >= 1.0


def test_of_nothing_nothing_is_expected():
    assert one(0.0, 0.0) == (0.0, 0.0)


@given(st.lists(amounts, min_size=6, max_size=6))
def test_means_variances_and_misfits_add_up(six):
    a, b = (Uncertainty(*(np.array([x]) for x in part)) for part in (six[:3], six[3:]))
    both = a.plus(b)
    assert [float(x[0]) for x in (both.mean, both.variance, both.model_error)] == [
        six[i] + six[i + 3] for i in range(3)
    ]


def test_grain_averages_out_over_many_markets_and_misfit_does_not():
    grainy = Uncertainty(np.ones(1), np.ones(1), np.zeros(1))
    wrong = Uncertainty(np.ones(1), np.full(1, 1e-6), np.ones(1))
    widths = []
    for each in (grainy, wrong):
        total = each
        for _ in range(99):
            total = total.plus(each)
        (low,), (high,) = total.band()
        widths.append((math.log(high / low), *each.band()))
    assert widths[0][0] < 0.3
    low, high = wrong.band()
    assert widths[1][0] == pytest.approx(math.log(high[0] / low[0]), rel=0.05)


def test_in_dollars_a_band_is_the_band_times_the_price():
    coins = Uncertainty(np.array([2.0]), np.array([0.5]), np.array([0.4]))
    ends_ = [float(end[0]) for end in coins.times(100_000.0).band()]
    assert ends_ == [pytest.approx(1e5 * float(end[0])) for end in coins.band()]


def test_before_anything_was_measured_the_misfit_is_the_first_guess():
    assert ModelError().hourly == ModelError().width == pytest.approx(FIRST_MODEL_ERROR)


def test_the_first_guess_is_outweighed_by_as_many_rows_as_it_stands_for():
    model_error, widths = ModelError(), []
    for _ in range(PATIENCE):
        model_error.update(1.0, 1.0, 1.0)
        widths.append(model_error.hourly)
    assert widths[0] == pytest.approx(FIRST_MODEL_ERROR)
    assert widths[-1] == 0


def test_places_on_the_map_are_never_as_sure_as_the_best_hours():
    model_error = ModelError()
    for _ in range(PATIENCE):
        model_error.update(1.0, 1.0, 1.0)
    assert (model_error.hourly, model_error.width) == (0, LEAST_MODEL_ERROR)
    for _ in range(ROWS):
        model_error.update(1e3, 1.0, 1.0)
    assert model_error.width == model_error.hourly > LEAST_MODEL_ERROR


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=200))
def test_the_hourly_width_would_have_covered_its_share_of_the_hours_before(volumes):
    model_error = ModelError()
    for volume in volumes:
        model_error.update(volume, 10.0, 5.0)
    low, high = one(10.0, 5.0, 10.0 * model_error.hourly)
    floor = NOTHING * 10.0
    held = [low <= max(v, floor) * 1.000001 and v <= high * 1.000001 for v in volumes]
    first = max(PATIENCE - len(volumes), 0)
    assert sum(held) + first >= COVERED * (len(volumes) + first) - 1


def test_of_what_was_not_expected_nothing_is_learned():
    model_error = ModelError()
    for _ in range(500):
        model_error.update(1e9, 0.0, 0.0)
    assert model_error.hourly == pytest.approx(FIRST_MODEL_ERROR)


@pytest.mark.parametrize("truth", [0.0, NOTHING / 1e6, NOTHING])
def test_volumes_below_a_thousandth_of_what_was_expected_count_as_nothing(truth):
    model_error, nothing = ModelError(), ModelError()
    for _ in range(PATIENCE):
        model_error.update(truth, 1.0, 0.01)
        nothing.update(0.0, 1.0, 0.01)
    assert model_error.hourly == nothing.hourly < math.inf


def test_only_the_last_rows_count():
    model_error = ModelError()
    for _ in range(ROWS):
        model_error.update(1e3, 1.0, 1.0)
    assert model_error.hourly > 2
    for _ in range(ROWS):
        model_error.update(1.0, 1.0, 1.0)
    assert model_error.hourly == 0


SHAPES = {
    "log-normal": lambda chance, n: np.exp(chance.normal(0, 1.2, n)),
    "half too high, half too low": lambda chance, n: np.where(chance.random(n) < 0.5, 0.1, 6.0),
    "mostly nothing": lambda chance, n: chance.exponential(4.0, n) * (chance.random(n) < 0.25),
    "heavy tail": lambda chance, n: 0.3 * chance.pareto(1.1, n),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1.0, 0.1, 10.0])
def test_with_the_learned_misfit_bands_cover_what_they_claim_whatever_the_shape_of_error(
    shape, scale
):
    """Before the fact, and also where all that was expected was tenfold wrong."""
    errors = SHAPES[shape](np.random.default_rng(3), ROWS_PLAYED) * scale
    assert played(errors)[0] >= LEVEL - 0.04


@pytest.mark.parametrize("shape", ["log-normal", "heavy tail"])
def test_bands_are_no_wider_than_they_must_be(shape):
    held, width = played(SHAPES[shape](np.random.default_rng(4), ROWS_PLAYED))
    assert held <= LEVEL + 0.05
    assert width > 0


def test_after_a_prior_ten_times_wrong_the_width_recovers():
    """The rows of the wrong weights are forgotten once as many good ones came after."""
    model_error, chance = ModelError(), np.random.default_rng(6)
    for truth in chance.gamma(2.0, 0.5, 300):
        model_error.update(truth / 10, 1.0, 0.5)
    wrong = model_error.hourly
    for truth in chance.gamma(2.0, 0.5, ROWS):
        model_error.update(truth, 1.0, 0.5)
    assert wrong > 1.0
    assert model_error.hourly < 0.1
    assert model_error.width == LEAST_MODEL_ERROR
