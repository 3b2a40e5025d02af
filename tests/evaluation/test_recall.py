"""Event recall: conditional on crossing, and fair to maps that know nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import ConfigError
from powderkeg.evaluation.nulls import HALF, WIDTH, Path, Stack, beside, bins_of
from powderkeg.evaluation.recall import (
    BLOCK,
    NEARBY,
    Events,
    bright,
    by_crossing,
    caught,
    crossings,
    density_of,
    recall,
    score,
    triggers,
)
from powderkeg.events import HOUR, MINUTE, SECOND
from powderkeg.history.sources import load

T = 1_767_225_600 * SECOND
seeds = st.integers(0, 2**32 - 1)


def at(bin_):
    """Return the price in the middle of an absolute score bin."""
    return math.exp((bin_ + 0.5) * WIDTH)


BASE = int(bins_of(np.array([100_000.0]))[0])


def path_of(bins, every=5 * MINUTE, start=T):
    """Return a path whose bars end in the middle of these bins, relative to 100,000."""
    close = np.array([at(BASE + b) for b in bins])
    before = np.concatenate((close[:1], close[:-1]))
    ends = start + every * np.arange(1, len(bins) + 1)
    return Path(
        ends, np.minimum(close, before), np.maximum(close, before), close, np.ones(len(bins))
    )


def flat(path, value=1.0):
    """Return hourly maps of one density everywhere, standing where price stands."""
    count = int((path.ends[-1] - T) // HOUR)
    times = T + HOUR * np.arange(count + 1)
    rows = np.maximum(np.searchsorted(path.ends, times, side="right") - 1, 0)
    density = np.full((len(times), 2, 2 * HALF + 1), value, np.float32)
    return Stack(times, path.close[rows], density)


def events(rows):
    """Return forced closes of (µs, bin, size, side)."""
    times, bins, sizes, sides = zip(*rows, strict=True)
    prices = np.array([at(BASE + b) for b in bins])
    return Events(np.array(times), prices, np.array(sizes, float), np.array(sides))


def wander(seed, bars=12 * 48):
    """Return a random path of 48 hours, and its maps by seeded chance."""
    chance = np.random.default_rng(seed)
    path = path_of(np.cumsum(chance.integers(-4, 5, bars)).tolist())
    stack = flat(path)
    density = chance.exponential(1.0, stack.density.shape).astype(np.float32)
    return path, Stack(stack.times, stack.marks, density)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_a_tenth_of_the_bins_is_bright_whatever_the_map_says(values):
    part = bright(np.array(values, float))
    assert part.sum() == pytest.approx(0.1 * len(values))
    assert ((part >= 0) & (part <= 1)).all()


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60))
def test_no_bin_is_brighter_than_a_denser_one_and_equals_share_alike(values):
    density = np.array(values, float)
    part = bright(density)
    order = np.argsort(density, kind="stable")
    assert (np.diff(part[order]) >= -1e-12).all()
    for value in set(values):
        assert np.ptp(part[density == value]) == 0


def test_price_that_rests_crosses_nothing_and_price_that_moves_crosses_each_bin_once():
    path = path_of([0] * 12 + [-5] * 12)
    crossed = crossings(path, flat(path))
    assert sorted((crossed.bins - BASE).tolist()) == [-5, -4, -3, -2, -1]
    assert (crossed.sides == 0).all()
    assert (crossed.offsets == HALF + crossed.bins - BASE).all()


def test_ground_visited_within_half_an_hour_is_not_fresh_and_later_it_is_again():
    soon = path_of([0] * 12 + [-3, 0, -3, 0])
    assert len(crossings(soon, flat(soon)).bins) == 3
    later = path_of([0] * 12 + [-3] + [0] * 7 + [-3])
    assert np.bincount(crossings(later, flat(later)).bins - BASE + 3).tolist() == [2, 2, 2]


def test_above_the_mark_of_the_hour_shorts_die_and_below_it_longs():
    path = path_of([0] * 12 + [4, -4])
    crossed = crossings(path, flat(path))
    assert ((crossed.sides == 1) == (crossed.bins > BASE)).all()


def test_an_event_belongs_to_the_crossing_of_its_bin_and_else_lies_outside():
    path = path_of([0] * 12 + list(range(-1, -11, -1)) + [-10] * 2)
    crossed = crossings(path, flat(path))
    when = T + HOUR + 20 * MINUTE
    reported = events(
        [
            (when, -4, 5.0, 0),
            (when, -4, 7.0, 1),  # a short cannot die where price falls
            (when, -4, 2.0, -1),  # side unknown
            (when, -30, 3.0, 0),  # never reached
            (when + 5 * HOUR, -4, 1.0, 0),  # long after
            (when, -10 - NEARBY, 4.0, 0),  # a venue's price differs a little
        ]
    )
    volume, count = by_crossing(crossed, reported)
    assert volume[:-1][crossed.bins == BASE - 4].tolist() == [7.0]
    assert volume[:-1][crossed.bins == BASE - 10].tolist() == [4.0]
    assert volume[-1] == 11.0
    assert count.sum() == 6


@given(seeds)
def test_a_flat_map_recalls_a_tenth_and_gains_nothing(seed):
    path, _ = wander(seed, 12 * 12)
    stack = flat(path)
    crossed = crossings(path, stack)
    rows = np.random.default_rng(seed).integers(0, len(crossed.times), 50)
    reported = events(
        [(int(crossed.times[r]), int(crossed.bins[r]) - BASE, 1.0, -1) for r in sorted(rows)]
    )
    got = recall(crossed, {"ours": stack}, reported).maps["ours"]
    assert got.volume.share == pytest.approx(0.1)
    assert got.volume.interval == pytest.approx((0.1, 0.1))
    assert got.bits == pytest.approx(0, abs=1e-9)


def drawn(seed, stack_of):
    """Return recall where events fall in proportion to what `stack_of` makes of random maps."""
    path, stack = wander(seed)
    crossed = crossings(path, stack)
    true = density_of(crossed, stack_of(stack)) ** 2
    chance = np.random.default_rng(seed + 1)
    rows = np.sort(chance.choice(len(true), 400, p=true / true.sum()))
    reported = events(
        [
            (int(crossed.times[r]), int(crossed.bins[r]) - BASE, 1.0, int(crossed.sides[r]))
            for r in rows
        ]
    )
    return recall(crossed, {"ours": stack, **beside(stack)}, reported)


def test_a_map_that_is_the_truth_beats_every_null_with_its_interval():
    found = drawn(11, lambda stack: stack)
    ours = found.maps["ours"]
    assert ours.events.share > 0.2
    assert ours.bits > 0
    for null in ("near_spot", "mirrored", "shifted", "profile", "ma_centred"):
        assert ours.events.above[null][0] > 0, null


def test_a_map_of_other_places_beats_no_null():
    found = drawn(12, lambda stack: Stack(stack.times, stack.marks, stack.density[::-1]))
    low, high = found.maps["ours"].events.interval
    assert low < 0.1 < high
    assert found.maps["ours"].events.above["shifted"][0] < 0
    assert found.maps["ours"].bits < 0


def test_being_near_price_is_worth_nothing_once_crossing_is_given():
    """The null that wins when zones are compared with random ones."""
    found = drawn(13, lambda stack: stack)
    assert found.maps["near_spot"].events.share < 0.15


def test_the_scale_of_a_map_changes_no_recall():
    path, stack = wander(14)
    crossed = crossings(path, stack)
    blocks = (crossed.times - 1) // BLOCK
    one = caught(density_of(crossed, stack), blocks)
    thousand = Stack(stack.times, stack.marks, stack.density * 1024)
    assert np.array_equal(caught(density_of(crossed, thousand), blocks), one)


def test_a_list_with_no_crossing_at_all_is_told_as_outside():
    path = path_of([0] * 24)
    stack = flat(path)
    found = recall(crossings(path, stack), {"ours": stack}, events([(T + HOUR, -9, 1.0, 0)]))
    assert (found.events, found.scored, found.outside, found.blocks) == (1, 0, 1, 0)
    assert math.isnan(found.maps["ours"].volume.share)


@pytest.mark.parametrize("gap", [0.0, 0.004, 0.008])
def test_the_gap_of_bankruptcy_prices_is_measured_and_taken_off(gap):
    market = 100_000 * np.exp(np.random.default_rng(3).normal(0, 0.02, 101))
    sides = np.arange(101) % 2
    noise = np.random.default_rng(4).normal(0, 2e-4, 101)
    bankrupt = market * np.exp(np.where(sides == 0, -gap, gap) + noise)
    prices, found = triggers(bankrupt, sides, market)
    assert found == pytest.approx(gap, abs=1e-4)
    assert np.abs(np.log(prices / market)).max() < 1e-3


def test_prices_that_are_no_bankruptcy_prices_are_not_moved_the_wrong_way():
    market = np.full(5, 100.0)
    prices, gap = triggers(market * 1.002, np.zeros(5, np.int64), market)
    assert gap == 0
    assert np.array_equal(prices, market * 1.002)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coin", "count", "market"),
    [
        ("okx_202603", "BTC", 1_611, "okx:BTC-USDT-SWAP"),
        ("okx_202603", "SOL", 1_052, "okx:SOL-USDT-SWAP"),
        ("minutes_2025", "BTC", 468, "hyperliquid:BTC"),
        ("minutes_2025", "SOL", 371, "hyperliquid:SOL"),
    ],
)
def test_recall_of_real_lists_is_told_beside_every_null(recorded, name, coin, count, market):
    got = score(load(recorded / f"{name}.toml"), coin)
    assert (got["events"], got["list"]) == (count, market)
    assert got["scored"] + got["outside"] == count
    assert got["outside_volume"] < 0.1
    maps = got["maps"]
    assert {"ours", "static", "path_only", "near_spot", "mirrored", "shifted", "profile"} <= set(
        maps
    )
    assert ("calibrated" in maps) == (market == "okx:BTC-USDT-SWAP")
    for each in maps.values():
        low, high = each["events"]["interval"]
        assert 0 <= low <= each["events"]["share"] <= high <= 1
    # nearness is what flatters maps elsewhere: given crossing, it finds no more than chance
    assert maps["near_spot"]["events"]["share"] < 0.12


@pytest.mark.slow
def test_bankruptcy_prices_of_a_real_list_lie_where_maintenance_and_fee_put_them(recorded):
    sol = score(load(recorded / "okx_202603.toml"), "SOL")
    assert 0.004 < sol["bankruptcy_gap"] < 0.009
    assert score(load(recorded / "minutes_2025.toml"), "BTC")["bankruptcy_gap"] == 0


CANDLES = """name = "made"
[[series]]
venue = "a"
market = "BTCUSDT"
kind = "%s"
files = ["rows.csv"]
time = { column = "t", unit = "s", means = "%s", every = "1m" }
columns = { %s }
"""


@pytest.mark.parametrize(
    ("kind", "means", "columns", "missing"),
    [
        (
            "candles", "from",
            'open = "p", high = "p", low = "p", close = "p", volume = "p"',
            "liquidations with prices of BTC",
        ),
        ("mark", "at", 'price = "p"', "candles or bars of BTC"),
    ],
)  # fmt: skip
def test_a_source_that_lacks_what_is_needed_is_refused(tmp_path, kind, means, columns, missing):
    (tmp_path / "rows.csv").write_text("t,p\n1767225600,100\n1767225660,101\n")
    (tmp_path / "made.toml").write_text(CANDLES % (kind, means, columns))
    with pytest.raises(ConfigError, match=missing):
        score(load(tmp_path / "made.toml"), "BTC")
