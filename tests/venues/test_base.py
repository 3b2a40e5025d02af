"""Shared by all venues: sequence numbers, duplicate rows, prints and candles as events."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from powderkeg.events import HOUR, MINUTE, Candles, Funding, Trade, Trades
from powderkeg.venues.base import (
    Channel,
    Deduplicator,
    SequenceTracker,
    candles_from_rows,
    channels,
    chunks,
    funding_events,
    time_chunks,
    trades_from_rows,
)

numbers = st.lists(st.integers(0, 40), max_size=60)


@given(numbers)
def test_a_tracker_takes_each_number_once_in_any_order(numbers):
    tracker, received = SequenceTracker(), set[int]()
    for number in numbers:
        assert (tracker.take(number) < 0) == (number in received)
        received.add(number)


@given(numbers)
def test_a_tracker_returns_what_is_missing_before_its_newest_number(numbers):
    tracker, newest = SequenceTracker(), -1
    for number in numbers:
        missing = tracker.take(number)
        if newest >= 0 and number > newest:
            assert missing == number - newest - 1
        newest = max(newest, number)


def test_a_number_that_fills_a_hole_is_taken_once_and_nothing_is_missing_before_it():
    tracker = SequenceTracker()
    assert [tracker.take(n) for n in (1, 2, 6, 7)] == [0, 0, 3, 0]
    assert [tracker.take(n) for n in (4, 5, 3, 3, 0, 8)] == [0, 0, 0, -1, 0, 0]


def test_a_tracker_counts_its_oldest_holes_as_received_when_there_are_too_many():
    tracker = SequenceTracker()
    for number in range(0, 400, 2):
        tracker.take(number)
    assert tracker.take(395) == 0
    assert [tracker.take(number) for number in (391, 387, 1)] == [0, 0, -1]


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=6))
def test_equal_rows_of_one_frame_are_several_and_those_of_two_frames_one(frames):
    ids = Deduplicator()
    numbers = [sum(ids.is_new(frame)) for frame in frames]
    for key in range(6):
        most = max((frame.count(key) for frame in frames), default=0)
        assert most <= sum(frame.count(key) for frame in frames)
    expected = sum(max((f.count(key) for f in frames), default=0) for key in range(6))
    assert sum(numbers) == expected


def test_ids_forget_the_oldest():
    ids = Deduplicator(keep=2)
    assert ids.is_new(["a", "b", "c", "d", "e"]) == [True] * 5
    assert ids.is_new(["a", "e"]) == [True, False]


def test_past_funding_has_the_interval_since_the_previous_payment():
    rows = [(16 * HOUR, 0.3), (0, 0.1), (4 * HOUR, 0.2), (0, 0.1)]
    events = funding_events("x:Y", 9, rows, 8 * HOUR)
    spans = [event.interval for event in events if isinstance(event, Funding)]
    assert spans == [4 * HOUR, 4 * HOUR, 8 * HOUR]
    assert funding_events("x:Y", 9, [(5, 0.1)], HOUR) == [Funding("x:Y", 5, 9, 0.1, HOUR)]
    assert funding_events("x:Y", 9, [], HOUR) == []


def test_channels_are_of_every_symbol_and_kind():
    assert channels("x", ["Y", "Z"], {"book": 5, "oi": 0}) == tuple(
        Channel(f"x:{symbol}", kind, expected_interval)
        for symbol in "YZ"
        for kind, expected_interval in (("book", 5), ("oi", 0))
    )


def test_prints_that_come_in_order_of_time_stay_in_it():
    (event,) = trades_from_rows("x:Y", 9, [(5, 2.0, 1.0), (5, 3.0, -1.0), (7, 4.0, 1.0)])
    assert isinstance(event, Trades)
    assert event.prices.tolist() == [2.0, 3.0, 4.0]


def test_prints_of_a_frame_are_one_event_in_order_of_time():
    assert trades_from_rows("x:Y", 9, []) == []
    assert trades_from_rows("x:Y", 9, [(5, 2.0, -3.0)]) == [Trade("x:Y", 5, 9, 2.0, 3.0, "sell")]
    (event,) = trades_from_rows("x:Y", 9, [(7, 2.0, 1.0), (5, 3.0, -1.0), (7, 4.0, 1.0)])
    assert isinstance(event, Trades)
    assert (event.event_time, event.times.tolist()) == (7, [5, 7, 7])
    assert event.prices.tolist() == [3.0, 2.0, 4.0]


def never(reason, times):
    """Stand where nothing is to be left out."""
    raise AssertionError((reason, times))


def bar(n, low=9.0, high=12.0):
    return (n * MINUTE, 10.0, high, low, 11.0, 4.0, 1.0)


@given(st.lists(st.integers(0, 20), max_size=30), st.integers(0, 20 * MINUTE))
@example([2, 0, 2, 9], 5 * MINUTE)
def test_candles_are_in_order_each_once_and_all_of_them_over(starts, seen):
    events = candles_from_rows("x:Y", seen, MINUTE, [bar(n) for n in starts], never)
    over = sorted({n * MINUTE for n in starts if (n + 1) * MINUTE <= seen})
    assert [type(each) for each in events] == ([Candles] if over else [])
    for event in events:
        assert isinstance(event, Candles)
        assert event.times.tolist() == over
        assert event.event_time == over[-1] + MINUTE
        assert np.isnan(event.oi).all()
        assert (event.mark == event.close).all()


@pytest.mark.parametrize("wrong", [bar(0, low=10.5), bar(0, high=10.5)])
def test_a_candle_that_does_not_hold_its_own_prices_is_refused(wrong):
    with pytest.raises(ValueError, match="low <= open, close <= high"):
        candles_from_rows("x:Y", 10 * MINUTE, MINUTE, [wrong], never)


def test_an_invalid_candle_is_skipped_and_counted():
    counted = []
    rows = [bar(0), bar(1, low=10.5), bar(2)]
    (event,) = candles_from_rows(
        "x:Y", 10 * MINUTE, MINUTE, rows, lambda *numbers: counted.append(numbers)
    )
    assert isinstance(event, Candles)
    assert event.times.tolist() == [0, 2 * MINUTE]
    assert counted == [("bar whose open or close is outside it", 1)]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 1000), st.integers(1, 500))
def test_pages_cover_a_past_without_holes(since, length, span, rows):
    cut = time_chunks(since, since + length, span, rows)
    assert [a[1] for a in cut[:-1]] == [b[0] for _, b in pairwise(cut)]
    assert not cut or (cut[0][0], cut[-1][1]) == (since, since + length)
    assert all(0 < end - start <= span * rows for start, end in cut)


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_parts_are_all_things_in_their_order_none_longer_than_asked(things, size):
    cut = chunks(things, size)
    assert [each for part in cut for each in part] == things
    assert all(len(part) == size for part in cut[:-1])
    assert all(0 < len(part) <= size for part in cut)
