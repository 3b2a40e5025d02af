"""The order flow of a coin, from events to reads."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import MINUTE, SECOND, BookSnapshot, Trade, Trades
from powderkeg.flow.coin import BOOKS, FRAME, CoinFlow
from powderkeg.market.book import Book

M, N = "binance:BTCUSDT", "bybit:BTCUSDT"
START = 1_767_225_600 * SECOND


def book(name: str, at: int, wall: float = 0.0) -> Book:
    made = Book(name)
    bids = tuple((100_000.0 - 5 * d, 1.0 + (wall if d == 20 else 0.0)) for d in range(1, 90))
    asks = tuple((100_000.0 + 5 * d, 1.0) for d in range(1, 90))
    made.apply(BookSnapshot(name, at, at, bids, asks))
    return made


def played(
    flow: CoinFlow, seconds: float, wall: float = 0.0, names=(M,), since: int = START
) -> int:
    now = since
    for _ in range(round(seconds * 10)):
        now += FRAME
        flow.advance(now, [book(name, now, wall) for name in names])
    return now


def test_prints_are_counted_by_market_and_merged():
    flow = CoinFlow()
    flow.add_trades(M, Trades.of(M, 9, [(START, 100.0, 1.0), (START + 1, 100.0, 2.0)]))
    flow.add_trades(N, Trade(N, START, 9, 100.0, 5.0, "sell"))
    assert flow.markets[M].cvd.cvd == 3.0
    assert flow.markets[N].cvd.cvd == -5.0
    flow.advance(START + SECOND, [])
    rows = flow.prints.rows()
    assert [flow.prints.markets[n] for n in rows["market"]] == [M, N]
    assert rows["size"].tolist() == [3.0, 5.0]
    assert flow.scale.count == 2


def test_walls_are_read_from_books_in_event_time():
    flow = CoinFlow()
    now = played(flow, 5)
    now = played(flow, 4, wall=60.0, since=now)
    (wall,) = flow.walls.standing()
    assert flow.books[wall.book] == M
    assert wall.step * flow.window.steps[wall.book] == pytest.approx(99_900.0)
    played(flow, 1, since=now)
    ((at, ended),) = flow.ended
    assert ended.end == "cancelled"
    assert at > now


def test_a_book_that_is_not_live_is_not_read():
    flow = CoinFlow()
    flow.advance(START, [Book(M)])
    flow.advance(START + SECOND, [Book(M)])
    assert flow.now == 0


def test_what_rested_is_kept_by_minute_and_row_of_each_book():
    flow = CoinFlow()
    now = played(flow, 90, names=(M, N))
    flow.advance(now + FRAME, [book(M, now + FRAME), Book(N)])
    flow.advance(now + 120 * SECOND, [book(M, now + 120 * SECOND), Book(N)])
    assert {each.step for each in flow.zones} == {flow.zones[0].step}
    both, one = (each.columns(START) for each in flow.zones)
    row = round(99_995.0 / flow.zones[0].step)
    assert both.times.tolist() == [START + n * MINUTE for n in range(4)]
    assert one.times.tolist() == [START + n * MINUTE for n in (0, 1, 3)]
    assert both.mean[:, 0, row - both.first].tolist() == [1.0] * 4
    seen = one.mean[:, 0, row - one.first]
    assert seen[:2].tolist() == [1.0, 1.0]
    assert np.isnan(seen[2]), "a book that is not live says nothing"


def test_two_calls_within_a_frame_read_once():
    flow = CoinFlow()
    played(flow, 1)
    before = flow.now
    flow.advance(before + 1, [book(M, before + 1, 60.0)])
    assert flow.now == before


def test_prints_reach_the_window_of_their_book():
    flow = CoinFlow()
    now = played(flow, 1)
    flow.add_trades(M, Trade(M, now, now, 99_995.0, 0.5, "sell"))
    flow.advance(now + FRAME, [book(M, now + FRAME)])
    read = flow.absorption.read(flow.window, 0, 0, flow.now)
    assert read.volume == 0.5


def test_more_books_than_there_is_room_for_are_left_out():
    flow = CoinFlow()
    names = [f"venue{n}:BTCUSDT" for n in range(BOOKS + 2)]
    played(flow, 0.2, names=names)
    assert flow.books[BOOKS - 1] == names[BOOKS - 1]
    assert flow.now > 0


def test_the_same_events_give_the_same_reads():
    one, other = CoinFlow(), CoinFlow()
    for flow in (one, other):
        now = played(flow, 5)
        now = played(flow, 5, wall=60.0, since=now)
        played(flow, 2, since=now)
    assert list(one.ended) == list(other.ended)
    assert (one.window.size == other.window.size).all()
    kept = [flow.zones[0].columns() for flow in (one, other)]
    assert np.array_equal(kept[0].mean, kept[1].mean, equal_nan=True)


def test_the_flow_of_a_backfill_is_taken_over():
    flow, apart = CoinFlow(), CoinFlow()
    flow.add_trades(N, Trade(N, START, START, 100.0, 1.0, "buy"))
    apart.add_trades(M, Trade(M, START, START, 100.0, 2.0, "buy"))
    apart.add_trades(M, Trade(M, START + SECOND, START + SECOND, 100.0, 4.0, "buy"))
    apart.market(M).readings.add("oi", START, 7.0)
    flow.adopt(apart)
    flow.advance(START + FRAME, [])
    assert flow.market(M).readings.latest["oi"] == (START, 7.0)
    assert flow.market(M).cvd.cvd == 6.0
    rows = flow.prints.rows()
    assert [(flow.prints.markets[row["market"]], row["size"]) for row in rows] == [
        (M, 2.0),
        (N, 1.0),
    ]
    assert flow.scale.count == 2
