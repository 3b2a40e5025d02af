"""A passage of price through a mass: all of it is swept, closed or left, and none is made."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.evaluation.range_tracker import RangeTracker, range_tracker_of
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, ClockTick, Mark, Trade
from powderkeg.feed.drive import drive
from powderkeg.settings import Settings

T = 1_767_225_600 * SECOND
M = "binance:BTCUSDT"
ONE = Settings()


def bars(prices, start=T, volume=100.0):
    """Return minute candles that walk through `prices`."""
    n = len(prices) - 1
    old, new = np.array(prices[:-1], float), np.array(prices[1:], float)
    low, high = np.minimum(old, new), np.maximum(old, new)
    times = start + MINUTE * np.arange(n)
    end = int(times[-1]) + MINUTE
    return Candles(
        M, end, end, MINUTE, times, old, high, low, new, np.full(n, volume), np.full(n, volume / 2),
        1000.0 + np.arange(n), low, high, new,
    )  # fmt: skip


def played(passage, events, settings=ONE):
    desk = Desk("BTC", settings)
    for event in events:
        desk.apply(event)
        passage.watch(desk, event)
    return desk


def cut(whole, stop):
    """Return candles before and after index `stop`."""
    parts = []
    for part in (slice(0, stop), slice(stop, None)):
        columns = {
            name: getattr(whole, name)[part]
            for name in whole.__struct_fields__
            if isinstance(getattr(whole, name), np.ndarray)
        }
        end = int(columns["times"][-1]) + MINUTE
        parts.append(msgspec.structs.replace(whole, event_time=end, received_time=end, **columns))
    return parts


def falling(minutes=240):
    """Return an hour about 100,000, and then a fall to 95,000."""
    flat = [100_000 + 50 * (i % 3) for i in range(60)]
    return cut(bars([*flat, *np.linspace(100_000, 95_000, minutes).tolist()]), 60)


def long_passage():
    return RangeTracker("long", 90_000.0, 99_500.0, T + HOUR, T + 12 * HOUR)


def test_what_stood_is_swept_or_closed_or_left_and_nothing_else():
    passage = long_passage()
    played(passage, falling())
    got = passage.result()
    assert got["start"] > 0
    assert got["swept"] + got["decayed"] + got["left"] == pytest.approx(got["start"], rel=1e-6)
    assert got["swept"] > 0
    assert got["decayed"] > 0
    assert got["left"] > 0


def test_nothing_is_left_where_the_mark_has_passed():
    passage = long_passage()
    played(passage, falling())
    assert passage.result()["passed_but_left"] == 0
    assert passage.result()["price"] == pytest.approx(95_000)


def test_what_opens_on_the_way_is_not_counted():
    thin, thick = long_passage(), long_passage()
    before, after = falling()
    played(thin, (before, msgspec.structs.replace(after, volume=after.volume * 0)))
    played(thick, (before, msgspec.structs.replace(after, volume=after.volume * 100)))
    assert thin.result() == thick.result()


def test_a_range_that_price_swept_whole_holds_nothing_more():
    passage = RangeTracker("long", 98_000.0, 99_500.0, T + HOUR, T + 12 * HOUR)
    played(passage, falling())
    got = passage.result()
    assert abs(got["left"]) <= 1e-6 * got["start"]
    assert got["swept"] + got["decayed"] == pytest.approx(got["start"], rel=1e-6)


def test_shorts_are_followed_upwards():
    passage = RangeTracker("short", 100_500.0, 110_000.0, T + HOUR, T + 12 * HOUR)
    flat = [100_000 + 50 * (i % 3) for i in range(60)]
    played(passage, cut(bars([*flat, *np.linspace(100_000, 104_000, 240).tolist()]), 60))
    got = passage.result()
    assert got["price"] == pytest.approx(104_000)
    assert got["swept"] > 0
    assert got["passed_but_left"] == 0
    assert got["swept"] + got["decayed"] + got["left"] == pytest.approx(got["start"], rel=1e-6)


def test_single_marks_sweep_as_candles_do():
    passage = long_passage()
    before, _ = falling()
    at = T + 2 * HOUR
    marks = [
        Mark(M, at + i * MINUTE, at + i * MINUTE, price)
        for i, price in enumerate(np.linspace(100_000, 97_000, 60).tolist())
    ]
    played(passage, [before, *marks])
    got = passage.result()
    assert got["swept"] > 0
    assert got["passed_but_left"] == 0
    assert got["at"] == marks[-1].event_time


def test_the_answer_is_of_the_furthest_price_and_not_of_the_last():
    passage = long_passage()
    before, after = falling()
    back = bars(np.linspace(95_000, 99_000, 60).tolist(), start=int(after.times[-1]) + MINUTE)
    played(passage, (before, after, back))
    assert passage.result()["price"] == pytest.approx(95_000)


def test_what_happens_before_and_after_the_span_is_not_watched():
    passage = RangeTracker("long", 90_000.0, 99_500.0, T + 20 * HOUR, T + 30 * HOUR)
    played(passage, falling())
    assert passage.result() == {
        "side": "long", "low": 90_000.0, "high": 99_500.0, "since": T + 20 * HOUR, "start": 0.0,
    }  # fmt: skip


def test_before_the_first_mark_there_is_nothing_to_follow():
    passage = RangeTracker("long", 90_000.0, 99_500.0, T, T + HOUR)
    played(passage, [ClockTick(T + 1), Trade(M, T + 2, T + 2, 100_000.0, 1.0, "buy")])
    assert passage.result()["start"] == 0


def test_ticks_and_other_markets_move_nothing():
    passage = long_passage()
    before, _ = falling()
    desk = played(passage, [before, ClockTick(T + 2 * HOUR)])
    other = Mark("bybit:BTCUSDT", T + 3 * HOUR, T + 3 * HOUR, 91_000.0)
    desk.apply(other)
    passage.watch(desk, other)
    assert "swept" not in passage.result() or passage.result()["swept"] == 0


def test_a_passage_is_read_from_its_text():
    passage = range_tracker_of("short 1 2.5 a b", lambda text: {"a": 10, "b": 20}[text])
    assert (passage.side, passage.low, passage.high) == ("short", 1.0, 2.5)
    assert (passage.since, passage.until) == (10, 20)


@pytest.mark.parametrize("text", ["", "long 1 2 a", "up 1 2 a b", "long 1 2 a b c"])
def test_a_text_of_another_form_is_refused(text):
    with pytest.raises(ConfigError, match="expected SIDE LOW HIGH FROM TO"):
        range_tracker_of(text, int)


def test_prices_that_are_none_are_refused():
    with pytest.raises(ConfigError, match="expected two prices, found 'low' and '2'"):
        range_tracker_of("long low 2 a b", int)


def test_a_passage_changes_nothing_in_the_desk_it_watches():
    alone = Desk("BTC", ONE)
    drive(alone, falling())
    watched = played(long_passage(), falling())
    (a,), (b,) = alone.estimated(), watched.estimated()
    assert np.array_equal(a.estimate.exposure.cells, b.estimate.exposure.cells)
    assert not math.isnan(a.estimate.mark)
