"""Honest questions: made series where the answer is known, and where there is nothing to know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.evaluation.nulls import HALF, WIDTH, Path, Stack, mirrored
from powderkeg.evaluation.questions import (
    answer,
    answered,
    ask,
    crossed_mass,
    first_touch,
    goes_to_bright,
    hours,
    in_zones,
    moves,
    rank,
    spot,
    wick_hits,
)
from powderkeg.evaluation.recall import MapRecall, Recall, Share
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.history.sources import load

T = 1_767_225_600 * SECOND
FIVE = 5 * MINUTE


def walk(days, seed, spread=0.0012):
    """Return a driftless walk in bars of five minutes."""
    chance = np.random.default_rng(seed)
    return path_of(np.cumsum(chance.normal(0, spread, int(days * 288))))


def path_of(logs):
    close = 100_000 * np.exp(np.asarray(logs, float))
    before = np.concatenate((close[:1], close[:-1]))
    ends = T + FIVE * np.arange(1, len(close) + 1)
    low, high = np.minimum(close, before), np.maximum(close, before)
    return Path(ends, low, high, close, np.full(len(close), 10.0))


def maps(path, seed=None):
    """Return hourly maps along a path: empty, or by chance."""
    times = T + HOUR * np.arange(1, len(path.ends) // 12)
    marks = path.close[np.searchsorted(path.ends, times, side="right") - 1]
    shape = (len(times), 2, 2 * HALF + 1)
    density = np.zeros(shape, np.float32)
    if seed is not None:
        density = np.random.default_rng(seed).exponential(1.0, shape).astype(np.float32)
        density[:, 0, HALF:] = 0
        density[:, 1, : HALF + 1] = 0
    return Stack(times, marks, density)


def with_magnet(days=120, seed=5):
    """Return a path drawn to the brighter of two spots, 1 % above and below, and its maps."""
    chance = np.random.default_rng(seed)
    stack_rows, logs, price = [], [], 0.0
    for _ in range(days * 4):
        up = chance.random() < 0.5
        bright = HALF + (10 if up else -10)
        dark = 2 * HALF - bright
        stack_rows += [(bright, dark)] * 6
        goes = up if chance.random() < 0.9 else not up
        steps = np.linspace(0, 0.013 if goes else -0.013, 72) + price
        logs += steps.tolist()
        price = steps[-1]
    path = path_of(logs)
    stack = maps(path)
    # the path of six hours begins at the map of its first hour
    rows = stack_rows[1 : len(stack.times) + 1]
    for i, (bright, dark) in enumerate(rows):
        stack.density[i, int(bright > HALF), bright] = 2.0
        stack.density[i, int(dark > HALF), dark] = 1.0
    return stack, path


def test_a_market_drawn_to_bright_spots_is_found_out():
    got = goes_to_bright(*with_magnet())
    assert got.value > 0.6
    assert got.placebo < 0.4
    assert got.verdict == "edge shown"


def test_a_walk_without_memory_goes_to_no_bright_cluster_more_often_than_chance_lets_it():
    """Of walks without memory 2.5 in a hundred look drawn: one of eight may, two may not."""
    got = []
    for seed in range(8):
        path = walk(90, seed)
        got.append(goes_to_bright(maps(path, seed + 50), path))
    assert min(each.n for each in got) > 60
    assert [each.verdict for each in got].count("edge shown") <= 1
    assert abs(np.mean([each.value - each.placebo for each in got])) < 0.06


def test_maps_without_a_brighter_side_ask_nothing():
    path = walk(5, 1)
    got = goes_to_bright(maps(path), path)
    assert got.n == 0
    assert math.isnan(got.value)
    assert got.verdict == "no edge shown"


def test_the_first_touch_is_that_of_the_path_and_both_in_one_bar_is_neither():
    path = path_of([0.0, 0.002, -0.004, 0.006, 0.006])
    assert first_touch(path, T, 100_000.0, 0.0015, 0.003) == (1, T + 2 * FIVE)
    assert first_touch(path, T, 100_000.0, 0.003, 0.003) == (-1, T + 3 * FIVE)
    assert first_touch(path, T + 2 * FIVE, 100_000.0, 0.001, 0.003)[0] == 0
    assert first_touch(path, T, 100_000.0, 0.05, 0.05) == (0, T + DAY)


def test_a_driftless_walk_hits_first_what_is_nearer_by_the_ratio_of_distances():
    hits = [first_touch(walk(1, seed), T, 100_000.0, 0.005, 0.015)[0] for seed in range(600)]
    up, down = hits.count(1), hits.count(-1)
    assert up / (up + down) == pytest.approx(0.75, abs=0.05)


def test_the_nearest_cluster_is_told_by_its_distance_and_mass():
    row = np.zeros((2, 2 * HALF + 1), np.float32)
    row[1, HALF + 1 :] = row[0, :HALF] = 0.1
    row[1, HALF + 12] = 3.0
    row[1, HALF + 40] = 9.0  # brighter, but behind the first
    row[0, HALF - 30] = 4.0
    for side, distance, mass in ((1, 12, 3.4), (0, 30, 4.4)):
        away, got = spot(row, side)
        assert abs(away - distance) <= 2
        assert got == pytest.approx(mass, rel=1e-5)


def test_a_map_without_mass_has_a_cluster_of_none():
    assert spot(np.zeros((2, 2 * HALF + 1), np.float32), 1)[1] == 0


def turns(bright_at_turns, days=60, seed=9):
    """Return a see-saw path of 36 hours and maps that are bright at its ends or anywhere."""
    chance = np.random.default_rng(seed)
    tops = chance.uniform(0.01, 0.03, days)
    logs = np.concatenate(
        [np.concatenate((np.linspace(0, t, 216), np.linspace(t, 0, 216))) for t in tops]
    )
    path = path_of(logs)
    stack = maps(path, seed)
    if bright_at_turns:
        reported = hours(stack, path)
        for i in range(len(stack.times)):
            place = math.floor(math.log(reported.high[i]) / WIDTH) - int(stack.centres[i]) + HALF
            if HALF < place <= 2 * HALF:
                stack.density[i, 1, place] += 20
    return stack, path


def test_turning_points_on_bright_ground_are_found_out_and_on_random_ground_are_not():
    stack, path = turns(bright_at_turns=True)
    got = wick_hits(stack, path, mirrored(stack))
    assert got.value > 0.7  # highs always, lows as chance will have it
    assert got.verdict == "edge shown"
    stack, path = turns(bright_at_turns=False)
    got = wick_hits(stack, path, mirrored(stack))
    assert got.verdict == "no edge shown"
    assert got.value == pytest.approx(0.5, abs=0.1)


def test_a_map_is_no_better_than_itself():
    stack, path = turns(bright_at_turns=True)
    got = wick_hits(stack, path, stack)
    assert (got.low, got.high) == (0, 0)
    assert got.verdict == "no edge shown"


def test_a_rank_is_half_where_all_is_equal_and_one_on_the_densest_place():
    flat = np.ones(2 * HALF + 1, np.float32)
    assert rank(flat, 1, HALF + 20) == 0.5
    flat[HALF + 20] = 2
    assert rank(flat, 1, HALF + 20) == 1
    assert rank(flat, 1, HALF + 21) < 0.5


def test_mass_in_the_way_is_what_stands_between_mark_and_reach_on_that_side():
    path = walk(2, 1)
    stack = maps(path, 3)
    n = len(stack.times)
    for side in (0, 1):
        got = crossed_mass(stack, np.full(n, side), np.full(n, 7))
        part = slice(HALF + 1, HALF + 8) if side else slice(HALF - 7, HALF)
        assert got == pytest.approx(stack.density[:, side, part].sum(axis=1), rel=1e-5)
    assert crossed_mass(stack, np.zeros(n, np.int64), np.zeros(n, np.int64)).sum() == 0


def bursts(fuelled, seed=21, days=60):
    """Return a walk with sudden falls, and maps with or without mass before each of them."""
    chance = np.random.default_rng(seed)
    steps = chance.normal(0, 4e-4, days * 288)
    falls = np.arange(9 * 288 + 12, days * 288 - 12, 3 * 288 + 12 * 7)
    for start in falls:
        steps[start : start + 12] -= 0.004
    path = path_of(np.cumsum(steps))
    stack = maps(path, seed)
    if fuelled:
        for start in falls:
            stack.density[start // 12 - 1, 0, HALF - 40 : HALF] *= 10
    return stack, path


def test_moves_with_more_in_their_way_are_found_out_and_others_are_not():
    for fuelled in (True, False):
        stack, path = bursts(fuelled)
        usual = {"other": [maps(path, 77), maps(path, 78)]}
        drive, explain = moves(stack, path, usual)
        assert drive.question == "drive_moves_other"
        assert drive.verdict == ("edge shown" if fuelled else "no edge shown")
        assert 0 <= explain.placebo <= 1
        assert 0 <= explain.value <= 1
        assert (explain.value > explain.placebo * 1.2) == fuelled


def test_a_week_of_maps_is_needed_to_ask_about_moves():
    path = walk(3, 2)
    assert moves(maps(path, 1), path, {}) == []


def test_days_and_not_cases_are_resampled():
    """A hundred copies of the same day are one observation, so nothing is shown."""
    few = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    got = answered("q", np.repeat(few, 100, axis=0), np.repeat(np.arange(3), 100), "")
    assert got.n == 300
    assert got.low <= -1 + 1e-9
    assert got.verdict == "no edge shown"


def test_a_few_cases_show_nothing_whatever_they_say():
    sure = np.tile([[1.0, 0.0]], (5, 1))
    got = answered("q", sure, np.arange(5), "")
    assert (got.low, got.high) == (1, 1)
    assert got.verdict == "no edge shown"


@pytest.mark.parametrize(
    ("above", "verdict"), [((0.01, 0.3), "edge shown"), ((-0.01, 0.3), "no edge shown")]
)
def test_zones_are_an_edge_only_where_the_interval_says_so(above, verdict):
    share = Share(0.3, (0.2, 0.4), {"near_spot": above})
    null = MapRecall(Share(0.1, (0.1, 0.1), {}), Share(0.1, (0.1, 0.1), {}), 0.0)
    found = Recall(100, 90, 10, 0.1, 12, {"ours": MapRecall(share, share, 0.5), "near_spot": null})
    got = in_zones(found)
    assert (got.value, got.placebo, got.low, got.high) == (0.3, 0.1, *above)
    assert got.verdict == verdict
    assert "10 of 100 events" in got.note


def test_events_of_a_few_blocks_show_no_edge_however_many_they_are():
    share = Share(0.3, (0.2, 0.4), {"near_spot": (0.1, 0.3)})
    found = Recall(5000, 5000, 0, 0.0, 3, {"ours": MapRecall(share, share, 0.5)})
    found.maps["near_spot"] = found.maps["ours"]
    assert in_zones(found).verdict == "no edge shown"


def test_answers_are_the_same_each_time():
    path = walk(30, 3)
    stack = maps(path, 8)
    assert answer(stack, path, maps(path, 9)) == answer(stack, path, maps(path, 9))


@pytest.mark.slow
def test_real_maps_answer_every_question_beside_its_placebo(recorded):
    answers = {each.question: each for each in ask(load(recorded / "btc_2026.toml"), "BTC")}
    assert {
        "goes_to_bright",
        "wick_hits_mirrored",
        "wick_hits_path_only",
        "drive_moves_shifted",
    } <= set(answers)
    for each in answers.values():
        assert each.n >= 20
        assert each.low <= each.value - each.placebo <= each.high
        assert (each.verdict == "edge shown") == (each.low > 0)
    assert answers["goes_to_bright"].verdict == "no edge shown"  # fuel, not a magnet


@pytest.mark.slow
def test_a_list_with_prices_answers_about_zones_too(recorded):
    answers = {each.question: each for each in ask(load(recorded / "minutes_2025.toml"), "SOL")}
    assert answers["in_zones_near_spot"].verdict == "edge shown"
    assert answers["in_zones_near_spot"].n == 371
