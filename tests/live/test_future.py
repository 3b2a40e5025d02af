"""What a wrong clock has stamped ahead of now is left out at a start, and told."""

from __future__ import annotations

import pytest

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, SECOND, ClockTick, Trade
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Started, control_frame
from powderkeg.live.maintenance import resume, save
from powderkeg.live.timekeeping.clock import now
from powderkeg.live.timekeeping.future import FutureFilter, day
from powderkeg.settings import Settings
from powderkeg.store.folder import Store

MARKETS = {"BTC": ("bybit:BTCUSDT",)}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


def feed():
    return Feed({"BTC": Desk("BTC", Settings())})


def spoken(store, at):
    """Store a start and a tick at a time."""
    first = store.last + 1
    said = [Started(at, MARKETS), ClockTick(at + SECOND)]
    store.append([control_frame(first + i, at + i * SECOND, each) for i, each in enumerate(said)])


@pytest.mark.parametrize("ahead", [2 * HOUR, 3650 * DAY])
def test_frames_of_the_future_are_stepped_over_and_reported(store, ahead):
    began, fresh = now(), feed()
    spoken(store, began - 60 * SECOND)
    spoken(store, began + ahead)
    spoken(store, began - 5 * SECOND)
    words = resume(store, fresh)
    assert "2 frames that a wrong clock stamped up to" in words
    assert day(began + ahead + SECOND) in words
    assert fresh.desks["BTC"].now == began - 4 * SECOND
    assert fresh.seq == 6


def test_frames_of_a_clock_a_little_ahead_are_taken(store):
    fresh = feed()
    spoken(store, now() + HOUR // 2)
    assert resume(store, fresh) == ""
    assert fresh.seq == 2


def test_a_snapshot_of_the_future_is_not_taken_and_leaves_the_feed_as_it_was(store):
    ahead = feed()
    ahead.desks["BTC"].apply(Trade("bybit:BTCUSDT", 1, now() + 3 * HOUR, 1.0, 1.0, "buy"))
    spoken(store, now() - 60 * SECOND)
    ahead.seq = 2
    save(store, ahead)
    fresh = feed()
    words = resume(store, fresh)
    assert "expected a snapshot of the past, found one of" in words
    assert fresh.desks["BTC"].now <= now()
    assert fresh.desks["BTC"].markets == {}


def test_a_snapshot_of_the_past_is_taken_whole(store):
    before = feed()
    before.desks["BTC"].apply(Trade("bybit:BTCUSDT", 1, now() - HOUR, 1.0, 1.0, "buy"))
    before.seq, before.coins = 2, {"bybit:BTCUSDT": "BTC"}
    spoken(store, now() - 2 * HOUR)
    save(store, before)
    fresh = feed()
    assert resume(store, fresh) == ""
    assert (fresh.seq, fresh.coins) == (2, before.coins)
    assert fresh.desks["BTC"].markets.keys() == {"bybit:BTCUSDT"}


def test_a_time_beyond_all_calendars_is_reported_as_a_number():
    assert day(0) == "1970-01-01 00:00:00 UTC"
    assert day(10**20) == f"{10**14} s"
    future = FutureFilter(0)
    assert future.exclude([control_frame(1, 10**20, ClockTick(1))]) == []
    assert "100000000000000 s" in future.summary
