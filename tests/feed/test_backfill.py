"""Backfill answers, in any order, assembled into events without gaps or duplicates."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    Candles,
    Funding,
    Gap,
    Mark,
    OpenInterest,
    Trade,
    Trades,
)
from powderkeg.feed.backfill import Backfill, trades_since

M = "okx:BTC-USDT-SWAP"
END = 1_767_225_600 * SECOND


def bars(first, last, span=MINUTE, volume=1.0, skip=()):
    """Return candles whose starts are `first` to `last` spans before the end, less some."""
    starts = [END - n * span for n in range(first, last, -1) if n not in skip]
    times = np.array(starts, np.int64)
    price = 100.0 + np.arange(len(times)) % 7
    unread = np.full(len(times), np.nan)
    return Candles(
        M, int(times[-1]) + span, END, span, times, price, price + 1, price - 1, price,
        np.full(len(times), volume), np.full(len(times), volume / 2), unread,
        price - 1, price + 1, price,
    )  # fmt: skip


def backfilled(*events, since=0, until=END, heard=0, kind=object):
    past = Backfill(M)
    for event in events:
        past.add(event)
    return [event for event in past.events(since, until, heard) if isinstance(event, kind)]


def starts(run):
    return ((END - run.times) // run.span).tolist()


def trades(*seconds):
    times = np.array([END + s * SECOND for s in seconds], np.int64)
    sizes = np.ones(len(seconds))
    return Trades(M, int(times[-1]), END, times, np.full(len(seconds), 100.0), sizes)


def test_nothing_told_is_nothing():
    assert backfilled() == []


@given(st.integers(0, 10**6))
def test_pages_in_any_order_and_overlapping_are_one_run(seed):
    chance = random.Random(seed)
    pages = [bars(200, 140), bars(150, 70), bars(70, 0)]
    chance.shuffle(pages)
    (run,) = backfilled(*pages)
    assert starts(run) == list(range(200, 0, -1))
    assert (run.event_time, run.received_time, run.liquidations_known) == (END, END, False)


def test_coarse_bars_serve_only_where_there_are_no_finer_ones():
    coarse, fine = backfilled(bars(48, 0, span=5 * MINUTE), bars(60, 0), kind=Candles)
    assert (coarse.span, fine.span) == (5 * MINUTE, MINUTE)
    assert starts(coarse) == list(range(48, 12, -1))
    assert starts(fine) == list(range(60, 0, -1))


def test_what_is_known_already_is_not_told_again():
    (run,) = backfilled(bars(60, 0), since=END - 20 * MINUTE)
    assert starts(run) == list(range(20, 0, -1))


def test_the_rest_of_a_minute_that_was_half_heard_is_a_gap():
    gap, run = backfilled(bars(60, 0), since=END - 20 * MINUTE - 40 * SECOND)
    assert isinstance(gap, Gap)
    assert (gap.since, gap.event_time) == (END - 20 * MINUTE - 40 * SECOND, END - 20 * MINUTE)
    assert starts(run) == list(range(20, 0, -1))


def test_bars_beyond_the_end_are_left_to_the_stream():
    (run,) = backfilled(bars(60, -3))
    assert starts(run)[-1] == 1


def test_missing_bars_are_a_gap_where_they_are_too_many():
    (gap,) = backfilled(bars(60, 0, skip=range(30, 35)), kind=Gap)
    assert (gap.since, gap.event_time) == (END - 34 * MINUTE, END - 29 * MINUTE)
    assert backfilled(bars(60, 0, skip=(30, 31)), kind=Gap) == []


def test_bars_that_begin_late_are_a_gap_only_where_something_was_known():
    assert backfilled(bars(20, 0), kind=Gap) == []
    (gap,) = backfilled(bars(20, 0), since=END - HOUR, kind=Gap)
    assert (gap.since, gap.event_time) == (END - HOUR, END - 20 * MINUTE)


def test_bars_that_end_early_are_a_gap():
    (gap,) = backfilled(bars(60, 4), kind=Gap)
    assert (gap.since, gap.event_time) == (END - 4 * MINUTE, END)


def test_each_bar_has_the_last_open_interest_within_it():
    readings = [OpenInterest(M, END - s * SECOND, END, 1000.0 + s) for s in (590, 580, 300, 60, 0)]
    (run,) = backfilled(bars(10, 0), *readings[::-1])
    oi = run.oi.tolist()
    assert oi[0] == 1580  # the last of two in that minute
    assert oi[4] == 1300  # at the very end of the minute
    assert oi[8] == 1060
    assert oi[9] == 1000
    assert all(np.isnan(oi[n]) for n in (1, 2, 3, 5, 6, 7))


def test_the_latest_funding_of_the_past_is_told():
    rates = [Funding(M, END - n * HOUR, END, n / 1000, 8 * HOUR) for n in (9, 1, -1, 17)]
    (funding,) = backfilled(*rates, kind=Funding)
    assert funding.rate == 0.001


def test_recent_trades_follow_from_the_end_of_the_candles():
    run = backfilled(bars(60, 0), trades(-9, -1, 0, 4), kind=Trades)[0]
    assert ((run.times - END) // SECOND).tolist() == [0, 4]


def test_recent_trades_that_begin_late_are_a_gap():
    gap, run = backfilled(bars(60, 0), trades(7, 9), kind=Gap | Trades)
    assert (gap.since, gap.event_time) == (END, END + 7 * SECOND)
    assert len(run.times) == 2


def test_within_a_minute_recent_trades_go_on_from_what_was_known():
    known = END + 5 * SECOND
    out = backfilled(bars(60, 0), trades(-9, 0, 4, 5, 8), since=known, until=END)
    assert [type(event) for event in out] == [Trades]
    assert ((out[0].times - END) // SECOND).tolist() == [5, 8]


def test_without_recent_trades_the_way_to_the_stream_is_a_gap():
    (gap,) = backfilled(bars(60, 0), heard=END + 9 * SECOND, kind=Gap)
    assert (gap.since, gap.event_time) == (END, END + 9 * SECOND)


def test_what_is_no_past_is_left_out():
    assert backfilled(Mark(M, END, END, 1.0)) == []


@given(st.lists(st.tuples(st.integers(0, 99), st.booleans(), st.booleans()), min_size=1))
def test_prints_as_columns_are_all_there_in_order_of_time(prints):
    events = []
    for at, buy, single in prints:
        if single:
            events.append(Trade(M, at, at, 1.0 + at, 2.0, "buy" if buy else "sell"))
        else:
            sizes = np.array([2.0 if buy else -2.0])
            events.append(Trades(M, at, at, np.array([at]), np.array([1.0 + at]), sizes))
    run = Trades.concat(events).by_time()
    expected = sorted(prints, key=lambda each: each[0])
    assert run.times.tolist() == [at for at, _, _ in expected]
    assert run.prices.tolist() == [1.0 + at for at, _, _ in expected]
    assert run.sizes.tolist() == [2.0 if buy else -2.0 for _, buy, _ in expected]
    assert run.event_time == run.times[-1]


@pytest.mark.parametrize("since", [-10, 0, 3, 4, 5])
def test_a_cut_keeps_what_lies_at_or_after_it(since):
    edge = END + since * SECOND
    kept = trades_since(trades(0, 2, 4), edge)
    times = [] if kept is None else ((kept.times - END) // SECOND).tolist()
    assert times == [s for s in (0, 2, 4) if s >= since]
    one = Trade(M, END + 4 * SECOND, END, 1.0, 1.0, "buy")
    assert (trades_since(one, edge) is one) == (since <= 4)
