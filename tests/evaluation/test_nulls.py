"""Maps at past moments, and the maps ours has to beat."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.evaluation import nulls as n
from powderkeg.evaluation.nulls import HALF, WIDTH, Stack, makers, play
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, LiquidationBar

T = 1_767_225_600 * SECOND


def bars(prices, volume, start=T):
    """Return minute candles that walk through `prices`."""
    count = len(prices) - 1
    old, new = np.array(prices[:-1], float), np.array(prices[1:], float)
    low, high = np.minimum(old, new), np.maximum(old, new)
    times = start + MINUTE * np.arange(count)
    end = int(times[-1]) + MINUTE
    volume = np.broadcast_to(np.asarray(volume, float), count).copy()
    return Candles(
        "a:BTC", end, end, MINUTE, times, old, high, low, new, volume, volume / 2,
        np.full(count, 1e5), low, high, new,
    )  # fmt: skip


def walk(hours=30, seed=3):
    """Return a random walk of minutes about 100,000."""
    steps = np.random.default_rng(seed).normal(0, 5e-4, hours * 60)
    return 100_000 * np.exp(np.concatenate(([0.0], np.cumsum(steps))))


def stack(count=200, seed=1):
    """Return random maps at wandering marks."""
    chance = np.random.default_rng(seed)
    marks = 100_000 * np.exp(np.cumsum(chance.normal(0, 0.003, count)))
    density = chance.exponential(1.0, (count, 2, 2 * HALF + 1)).astype(np.float32)
    density[:, 0, HALF + 1 :] = 0
    density[:, 1, :HALF] = 0
    return Stack(T + HOUR * np.arange(count), marks, density)


@pytest.fixture(scope="module")
def run():
    prices = walk()
    chance = np.random.default_rng(4)
    return play([bars(prices, chance.exponential(100.0, len(prices) - 1))], makers())


def test_a_map_is_kept_at_every_full_hour_with_the_mark_of_that_hour(run):
    stacks, path = run
    assert set(stacks) == {"ours", "static", "path_only"}
    for each in stacks.values():
        assert each.times.tolist() == [T + HOUR * (i + 1) for i in range(30)]
        assert each.density.shape == (30, 2, 2 * HALF + 1)
        assert np.isfinite(each.density).all()
        assert each.marks[-1] == path.close[-1]


def test_longs_stand_below_the_mark_and_shorts_above_on_every_map(run):
    for each in run[0].values():
        assert each.density[:, 0, HALF + 1 :].sum() == 0
        assert each.density[:, 1, :HALF].sum() == 0
        assert each.density.sum() > 0


def test_what_was_said_does_not_depend_on_what_came_later():
    prices = walk()
    whole, _ = play([bars(prices, 100.0)], makers())
    half, _ = play([bars(prices[: 15 * 60 + 1], 100.0)], makers())
    for name, each in half.items():
        assert np.array_equal(each.density, whole[name].density[:15])


def test_the_cut_of_the_stream_into_runs_changes_nothing():
    prices = walk(10)
    whole, path = play([bars(prices, 100.0)], makers())
    cut = 250
    parts, parted = play(
        [bars(prices[: cut + 1], 100.0), bars(prices[cut:], 100.0, T + cut * MINUTE)], makers()
    )
    assert np.array_equal(path.low, parted.low)
    for name, each in whole.items():
        assert np.allclose(each.density, parts[name].density, rtol=1e-4, atol=1e-6)


def test_the_map_of_the_path_alone_does_not_know_volume_and_ours_does():
    prices = walk(12)
    chance = np.random.default_rng(6)
    one, _ = play([bars(prices, 100.0)], makers())
    other, _ = play([bars(prices, chance.exponential(100.0, len(prices) - 1))], makers())
    assert np.array_equal(one["path_only"].density, other["path_only"].density)
    assert not np.array_equal(one["ours"].density, other["ours"].density)


def test_liquidation_bars_teach_the_calibrated_maps_only():
    prices = walk(30)
    runs = [bars(prices[60 * i : 60 * i + 61], 100.0, T + i * HOUR) for i in range(30)]
    reported = [
        each
        for i, run in enumerate(runs)
        for each in (run, LiquidationBar("x:BTC", T + i * HOUR, T + (i + 1) * HOUR, HOUR, 5.0, 5.0))
    ]
    with_them, _ = play(reported, makers(calibrated=True))
    without, _ = play(runs, makers(calibrated=True))
    for name in makers():
        assert np.array_equal(with_them[name].density, without[name].density)
    for name in set(makers(calibrated=True)) - set(makers()):
        assert not np.array_equal(with_them[name].density[-1], without[name].density[-1])


def test_the_prior_is_that_of_the_venue_and_the_static_map_knows_none():
    prices = walk(6)
    one, _ = play([bars(prices, 100.0)], makers("binance"))
    other, _ = play([bars(prices, 100.0)], makers("hyperliquid"))
    assert not np.array_equal(one["ours"].density, other["ours"].density)
    assert np.array_equal(one["static"].density, other["static"].density)


def test_no_bars_are_no_maps():
    stacks, path = play([], makers())
    assert len(path.ends) == 0
    assert all(len(each.times) == 0 for each in stacks.values())


def test_a_path_has_no_holes_between_bars():
    jump = [bars([100.0, 101.0], 1.0), bars([110.0, 111.0], 1.0, T + MINUTE)]
    _, path = play(jump, makers())
    assert path.low.tolist() == [100.0, 101.0]
    assert path.high.tolist() == [101.0, 111.0]


def test_near_spot_fades_with_distance_alike_on_both_sides():
    density = n.near_spot(stack()).density
    assert (np.diff(density[:, 1, HALF:]) < 0).all()
    assert np.array_equal(density, density[:, :, ::-1])
    assert density[0, 0, HALF - 20] / density[0, 0, HALF] == pytest.approx(
        math.exp(-20 * WIDTH / n.SPOT), rel=1e-5
    )


def test_the_map_about_a_moving_average_is_densest_there():
    count = 60
    marks = np.concatenate((np.full(40, 100_000.0), np.full(20, 102_000.0)))
    flat = np.ones((count, 2, 2 * HALF + 1), np.float32)
    centred = n.ma_centred(Stack(T + HOUR * np.arange(count), marks, flat))
    densest = centred.density[45, 0].argmax() + centred.centres[45] - HALF
    mean = np.log(marks[45 - n.AVERAGE + 1 : 46]).mean()
    assert densest == math.floor(mean / WIDTH)


def test_mirrored_twice_is_the_map_itself_and_once_exchanges_the_sides():
    each = stack()
    once = n.mirrored(each)
    assert np.array_equal(n.mirrored(once).density, each.density)
    assert np.array_equal(once.density[:, 1, HALF + 7], each.density[:, 0, HALF - 7])


def test_the_shifted_map_is_that_of_days_before_at_the_same_distances():
    each = stack()
    late = n.shifted(each, 72)
    assert np.array_equal(late.density[100], each.density[28])
    assert np.array_equal(late.density[10], each.density[0])
    assert np.array_equal(late.marks, each.marks)


def test_a_profile_is_the_mean_of_the_week_before():
    each = stack()
    mean = n.profile(each).density
    assert mean[190] == pytest.approx(each.density[190 - n.WEEK + 1 : 191].mean(axis=0), abs=1e-4)
    assert mean[5] == pytest.approx(each.density[:6].mean(axis=0), abs=1e-5)


def test_no_null_knows_the_future():
    each = stack()
    changed = each.density.copy()
    changed[101:] = 7.0
    other = Stack(each.times, np.where(np.arange(200) > 100, 1e5, each.marks), changed)
    for name, null in n.beside(each).items():
        assert np.array_equal(null.density[:101], n.beside(other)[name].density[:101]), name
