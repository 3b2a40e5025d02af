"""Resting whales, repeated pulls and layered walls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from powderkeg.events import MINUTE, SECOND
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.books.whales import RestingWhales, wall_ends
from powderkeg.flow.books.window import ASK, BID
from powderkeg.flow.thresholds import DEFAULT

RULES = DEFAULT.whales
STEPS = np.array([2.0, 1.0])


def wall(step: int, size: float = 1.0, since: int = 0, **other) -> Wall:
    made = Wall(0, BID, step, since, size, size, 0.0, 20, 20, 0.0)
    return replace(made, **other)


def known(count: int = 200, size: float = 1.0) -> RestingWhales:
    """Return what has seen so many walls of 2,000 a coin."""
    whales = RestingWhales()
    for n in range(count):
        whales.frame([wall(1_000, size, since=n)], STEPS, n)
    return whales


def test_a_whale_is_as_large_as_the_largest_walls_and_has_stood_for_a_minute():
    whales, big = known(), wall(1_000, 9.0, since=1_000)
    (found,) = whales.frame([big, wall(999)], STEPS, 1_000 + MINUTE)
    assert (found.wall, found.notional) == (big, 18_000.0)
    assert found.threshold < 18_000.0
    assert whales.frame([big], STEPS, 1_000 + MINUTE - 1) == []


def test_equals_of_the_threshold_are_whales():
    whales = known()
    assert whales.threshold == 2_000.0
    assert len(whales.frame([wall(1_000, since=5)], STEPS, 5 + MINUTE)) == 1


def test_what_a_wall_shows_now_decides():
    whales, big = known(), wall(1_000, 9.0, since=1_000)
    assert whales.frame([replace(big, size=0.5)], STEPS, 2 * MINUTE) == []


def test_nothing_is_a_whale_before_enough_walls_are_known():
    whales = known(RULES.warm_up - 1)
    assert whales.threshold is None
    same = wall(1_000, 9.0, since=10**6)
    assert len(whales.frame([same], STEPS, 10**6 + MINUTE)) == 1
    assert known(3).frame([same], STEPS, 10**6 + MINUTE) == []


def test_a_wall_counts_once_while_it_stands():
    whales = RestingWhales(replace(RULES, warm_up=2))
    for now in range(50):
        whales.frame([wall(1_000)], STEPS, now)
    assert whales.threshold is None
    whales.frame([wall(1_000, 3.0), wall(1_000, 3.0, book=1)], STEPS, 60)
    assert whales.threshold == pytest.approx(2_000 + 0.995 * 1_000)


@given(st.lists(st.floats(0.1, 1e4), min_size=200, max_size=300, unique=True))
def test_at_most_one_percent_of_walls_seen_are_as_large_as_a_whale(sizes):
    distinct = sorted(sizes)
    whales = RestingWhales()
    walls = [wall(1_000, size, since=n) for n, size in enumerate(distinct)]
    for each in walls:
        whales.frame([each], STEPS, each.since)
    threshold = whales.threshold
    assert threshold is not None
    assert sum(size * 2_000 >= threshold for size in distinct) <= max(2, 0.01 * len(distinct))


def pulled(at: float, size: float = 10.0, **other) -> tuple[int, Wall]:
    return round(at * SECOND), wall(1_000, size, **({"end": "pulled"} | other))


def test_two_pulls_of_a_side_and_size_within_ten_minutes_are_repeated():
    first, second = wall_ends([pulled(0), pulled(600, 11.0)])
    assert (first.repeats, first.repeated) == (1, False)
    assert (second.repeats, second.repeated) == (2, True)


@pytest.mark.parametrize(
    "other",
    [
        pulled(0, 8.4), pulled(0, 11.6), pulled(-0.001), pulled(0, side=ASK), pulled(0, book=1),
        pulled(0, end="cancelled"),
    ],
)  # fmt: skip
def test_a_pull_of_another_size_side_book_end_or_time_is_no_repeat(other):
    assert not wall_ends([other, pulled(600)])[1].repeated


def test_three_walls_of_one_size_that_vanish_within_a_second_were_layered():
    ends = wall_ends([pulled(0, 10.0), pulled(0.5, 11.0, end="cancelled"), pulled(1.0, 9.0)])
    assert [(end.layers, end.layered) for end in ends] == [(3, True)] * 3
    ends = wall_ends([pulled(0, 10.0), pulled(0.5, 11.0), pulled(1.01, 9.0)])
    assert [end.layers for end in ends] == [2, 2, 2]
    assert not any(end.layered for end in ends)


def test_a_wall_of_another_size_is_not_of_the_layers_that_vanish_beside_it():
    ends = wall_ends([pulled(0), pulled(0), pulled(0), pulled(0, 90.0)])
    assert [(end.layers, end.layered) for end in ends] == [(3, True)] * 3 + [(1, False)]


def test_a_wall_that_was_traded_is_neither():
    ends = wall_ends([pulled(0), pulled(0), pulled(0, end="traded")])
    assert [end.layers for end in ends] == [2, 2, 0]
    assert [end.repeats for end in ends] == [2, 2, 0]


@given(st.lists(st.tuples(st.integers(0, 3_000), st.floats(1, 99)), min_size=1, max_size=12))
def test_a_wall_always_counts_itself_and_layers_are_no_more_than_vanish_within_a_second(rows):
    rows = sorted(rows)
    ends = wall_ends([pulled(at / 1_000, size) for at, size in rows])
    for (at, _), end in zip(rows, ends, strict=True):
        near = sum(abs(other - at) <= 1_000 for other, _ in rows)
        assert 1 <= end.layers <= near
        assert end.repeats >= 1
