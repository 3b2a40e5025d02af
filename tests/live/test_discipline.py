"""Which time it is: system time is a hint, the venues together decide, one alone does not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.live.health import Health
from powderkeg.live.timekeeping import clock
from powderkeg.live.timekeeping.clock import Clock, Offset
from powderkeg.live.timekeeping.discipline import (
    AGREE,
    SLEW,
    Discipline,
    consensus,
    correct_clock,
    time_is_known,
)
from powderkeg.venues.base import Channel

T = 1_767_225_600 * SECOND
YEARS = 3650 * DAY
CHECK = SECOND // 4


class World:
    """True time, a system clock that may be off, and venues that know the time."""

    def __init__(self):
        self.true = T
        self.off = 0
        """System time less true time, µs."""
        self.slept = 0
        """How much of true time steady time has missed."""
        self.venues = {"a": 0, "b": 30_000, "c": -40_000}
        """By how much each is ahead of true time."""
        self.health = Health()

    def begin(self, monkeypatch):
        made = Clock(lambda: self.true + self.off, lambda: self.true - self.slept - T)
        monkeypatch.setattr(clock, "CLOCK", made)
        self.discipline = Discipline(self.health, 3)

    def live(self, seconds, newest=0):
        """Let time pass; all venues that are there speak ten times a second."""
        for n in range(round(seconds * 10)):
            self.true += SECOND // 10
            for name, ahead in self.venues.items():
                offset = self.health.offsets.setdefault(name, Offset())
                offset.add_event(self.true + ahead - 20_000, clock.now())
            if n % 2:
                self.discipline.check(newest)

    @property
    def wrong(self):
        """Our time less true time, µs."""
        return clock.now() - self.true


@pytest.fixture
def world(monkeypatch):
    made = World()
    made.begin(monkeypatch)
    return made


JUMPS = pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR, YEARS, -YEARS, 10 * SECOND])


@JUMPS
def test_a_jump_of_the_system_clock_is_reported_and_moves_nothing(world, jump, capsys):
    world.live(3)
    world.off = jump
    world.live(60)
    assert abs(world.wrong) < 100_000
    assert world.health.problems["clock"] == (
        f"the system clock is off by {jump // SECOND:+d} s: the venues' time is used"
    )
    assert world.health.counts["clock", "jumps"] == 1
    world.off = 0
    world.live(1)
    assert world.health.problems == {}
    assert abs(world.wrong) < 100_000
    off, correct = capsys.readouterr().err.splitlines()
    assert "system_clock_off" in off
    assert f"seconds={jump / SECOND}" in off
    assert "system_clock_correct" in correct


@JUMPS
def test_a_jump_while_no_venue_speaks_is_followed_slowly(world, jump):
    world.live(3)
    world.venues, world.off = {}, jump
    world.live(60)
    assert abs(world.wrong) <= 60 * SECOND * SLEW + 100_000
    assert "time goes on as it was before" in world.health.problems["clock"]


@JUMPS
def test_before_any_venue_was_ever_heard_the_system_is_followed(world, jump):
    world.venues = {}
    world.live(2)
    world.off = jump
    world.live(1)
    assert world.wrong == jump
    assert "clock" not in world.health.problems


@pytest.mark.parametrize("off", [2 * HOUR, -2 * HOUR, YEARS, -YEARS, 2 * MINUTE])
def test_a_clock_that_was_wrong_from_the_start_is_set_by_the_venues(world, off, monkeypatch):
    world.off = off
    world.begin(monkeypatch)
    world.live(1)
    assert abs(world.wrong) < 100_000
    assert f"off by {off // SECOND:+d} s" in world.health.problems["clock"]
    world.off = 0
    world.live(1)
    assert world.health.problems == {}


def test_a_machine_that_slept_takes_the_time_that_system_and_venues_agree_on(world):
    world.health.expect((Channel("a:BTC", "trades", SECOND),), 1)
    world.live(3)
    world.true += 8 * HOUR
    world.slept += 8 * HOUR
    world.live(1)
    assert abs(world.wrong) < 100_000
    assert world.health.problems == {}


def test_a_clock_moved_back_leaves_nothing_heard_in_the_future(world, monkeypatch):
    world.off = 2 * HOUR
    world.begin(monkeypatch)
    channels = (Channel("a:BTC", "trades", SECOND),)
    world.health.expect(channels, 1)
    world.health.up(1, channels, clock.now())
    meter = world.health.meters["a:BTC", "trades"]
    meter.received(clock.now(), clock.now(), 1)
    world.live(1)
    assert meter.last <= clock.now()
    assert meter.since <= clock.now()
    world.live(15)
    assert meter.stale(clock.now())


def test_one_venue_that_lies_is_not_believed(world):
    world.venues["b"] = YEARS
    world.live(30)
    assert abs(world.wrong) < 100_000
    assert world.health.problems == {}


def test_a_few_seconds_are_made_up_for_slowly(world):
    world.live(3)
    world.off = AGREE // 2
    world.venues = dict.fromkeys(world.venues, AGREE // 2)
    before = world.wrong
    world.live(10)
    assert 0 < world.wrong - before <= 10 * SECOND * SLEW + 1
    assert world.health.problems == {}


def test_a_map_ahead_of_time_is_reported_until_time_has_come_there(world):
    world.live(1, newest=T + MINUTE)
    assert world.health.problems["map"] == (
        "the map stands until 2026-01-01 00:01:00 UTC: it holds events of the future"
    )
    assert world.health.counts["map", "leads"] == 1
    world.live(60, newest=T + MINUTE)
    assert world.health.problems == {}


@given(
    st.lists(st.tuples(st.integers(-2 * YEARS, 2 * YEARS), st.floats(0.2, 8)), max_size=8),
    st.integers(-YEARS, YEARS),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_system_clock_does_our_time_is_the_venues(monkeypatch, jumps, start):
    world = World()
    world.off = start
    world.begin(monkeypatch)
    world.live(1)
    for jump, seconds in jumps:
        world.off = jump
        world.live(seconds)
        assert abs(world.wrong) <= MINUTE + SECOND
        assert ("clock" in world.health.problems) == (abs(clock.CLOCK.drift()) > AGREE)


# -- who is believed


@pytest.mark.parametrize(
    ("told", "venues", "is_"),
    [
        ([], 3, None),
        ([HOUR], 3, None),
        ([HOUR], 1, HOUR),
        ([HOUR, HOUR + SECOND], 3, HOUR),
        ([0, HOUR], 3, None),
        ([0, 10, HOUR], 3, 10),
        ([0, 10 * SECOND, 20 * SECOND, HOUR], 6, None),
    ],
)
def test_the_crowd_is_most_of_at_least_two_or_the_only_one(told, venues, is_):
    assert consensus(told, venues) == is_


def test_at_a_start_one_venue_confirms_the_clock_and_two_are_needed_against_it():
    assert not time_is_known({}, 3)
    assert time_is_known({"a": SECOND}, 3)
    assert not time_is_known({"a": HOUR}, 3)
    assert time_is_known({"a": HOUR, "b": HOUR + SECOND}, 3)
    assert time_is_known({"a": HOUR, "b": SECOND}, 3)


def test_the_clock_is_set_at_a_start_where_it_is_off_by_more_than_a_minute(world):
    assert correct_clock({"a": HOUR, "b": HOUR + SECOND}, 3) == HOUR
    assert world.wrong == HOUR
    assert correct_clock({"a": 50 * SECOND, "b": 51 * SECOND}, 3) == 0
    assert correct_clock({"a": HOUR}, 3) == 0
    assert world.wrong == HOUR


def test_an_answer_is_believed_for_a_while_and_an_event_that_is_ahead_of_it_at_once():
    offset = Offset()
    assert offset.ahead(T) is None
    offset.add_answer(T, T + 100, T)
    assert offset.ahead(T + MINUTE) == 100
    assert offset.ahead(T + 3 * MINUTE) is None
    offset.add_event(T + HOUR, T + MINUTE)
    assert offset.ahead(T + MINUTE) == HOUR - MINUTE
