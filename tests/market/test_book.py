"""The order book: the table of its states, exactness, and what it refuses."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import BookDelta, BookSnapshot
from powderkeg.market.book import Book, Resync

M = "binance:BTCUSDT"
START = BookSnapshot(M, 10, 10, ((99.0, 1.0), (98.0, 2.0)), ((101.0, 3.0), (102.0, 4.0)), 100)


def delta(first, last, previous=-1, bids=(), asks=()):
    return BookDelta(M, 20, 20, bids, asks, first, last, previous)


def live() -> Book:
    book = Book(M)
    assert book.apply(START) is None
    return book


def test_a_cold_book_asks_once_and_keeps_what_comes():
    book = Book(M)
    assert book.apply(delta(90, 95)) == Resync(M, "no snapshot yet")
    assert book.apply(delta(96, 99)) is None
    assert book.status == "buffering"
    assert book.best() is None
    assert np.isnan(book.bid)
    assert np.isnan(book.ask)


def test_a_size_of_zero_takes_a_level_away_and_an_unknown_one_is_no_harm():
    book = live()
    book.apply(delta(101, 101, 100, bids=((99.0, 0.0), (97.5, 0.0))))
    assert book.bid == 98.0
    assert book.depth("buy")[0].tolist() == [98.0]


def test_kept_changes_are_applied_after_the_snapshot_and_older_ones_left_out():
    book = Book(M)
    book.apply(delta(90, 100, bids=((99.0, 9.0),)))
    book.apply(delta(101, 105, bids=((100.0, 5.0),)))
    assert book.apply(START) is None
    assert (book.status, book.update, book.counts["stale"]) == ("live", 105, 1)
    assert book.best() == (100.0, 5.0, 101.0, 3.0)
    assert book.mid == 100.5


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (delta(90, 105, 95), "futures: U <= lastUpdateId <= u"),
        (delta(103, 105, 100), "futures: pu == lastUpdateId"),
        (delta(103, 105, 97), "futures: ids between pu and U belong to other symbols"),
        (delta(101, 105), "spot: U == lastUpdateId + 1"),
        (delta(95, 105), "spot: U < lastUpdateId + 1 <= u"),
    ],
)
def test_the_first_change_bridges_the_snapshot(change, why):
    book = live()
    assert book.apply(change) is None, why
    assert book.update == 105


@pytest.mark.parametrize("change", [delta(103, 105, 101), delta(102, 105)])
def test_a_first_change_that_starts_after_the_snapshot_is_a_hole(change):
    book = live()
    wish = book.apply(change)
    assert wish is not None
    assert "after update 100" in wish.why
    assert (book.status, book.counts["holes"]) == ("gap", 1)


@pytest.mark.parametrize(
    ("second", "follows"),
    [
        (delta(106, 110, 105), True),
        (delta(108, 110, 105), True),
        (delta(106, 110, 104), False),
        (delta(106, 110), True),
        (delta(105, 110), False),
        (delta(107, 110), False),
    ],
)
def test_after_the_first_change_the_chain_must_hold(second, follows):
    book = live()
    book.apply(delta(101, 105, 100))
    assert (book.apply(second) is None) == follows


def test_in_a_gap_the_old_book_stays_and_a_new_snapshot_heals_it():
    book = live()
    book.apply(delta(200, 205, 199))
    assert book.best() == (99.0, 1.0, 101.0, 3.0)
    assert book.apply(delta(206, 207, 205)) is None
    fresh = BookSnapshot(M, 30, 30, ((50.0, 1.0),), ((51.0, 1.0),), 206)
    assert book.apply(fresh) is None
    assert (book.status, book.update) == ("live", 207)


def test_a_snapshot_older_than_what_was_kept_is_asked_for_again():
    book = Book(M)
    book.apply(delta(300, 305, 299))
    book.apply(delta(306, 307, 305))
    wish = book.apply(START)
    assert wish is not None
    assert book.status == "gap"


def test_a_crossed_book_is_not_served_as_live():
    book = live()
    wish = book.apply(delta(101, 105, bids=((101.5, 1.0),)))
    assert wish is not None
    assert "crossed at update 105" in wish.why
    assert (book.status, book.counts["crossed"]) == ("gap", 1)


def test_a_crossed_snapshot_is_refused_and_the_old_book_stays():
    book = live()
    wish = book.apply(BookSnapshot(M, 30, 30, ((102.0, 1.0),), ((101.0, 1.0),), 200))
    assert wish == Resync(M, "the snapshot is crossed")
    assert book.best() == (99.0, 1.0, 101.0, 3.0)


def test_a_one_sided_book_is_not_crossed():
    book = Book(M)
    assert book.apply(BookSnapshot(M, 1, 1, (), ((101.0, 1.0),), 1)) is None
    assert book.status == "live"
    assert book.best() is None


def test_a_lost_link_asks_for_a_snapshot_but_a_cold_book_has_nothing_to_lose():
    book = Book(M)
    assert book.mark_lost("link down") is None
    book = live()
    assert book.mark_lost("link down") == Resync(M, "link down")
    assert (book.status, book.counts["lost"]) == ("gap", 1)


def test_waiting_too_long_asks_again_and_forgets_what_was_kept():
    book = Book(M)
    wishes = [book.apply(delta(n, n, n - 1)) for n in range(1, 2_003)]
    asked = [n for n, wish in enumerate(wishes) if wish]
    assert asked == [0, 2_000]
    assert book.counts["overflow"] == 1


def test_depth_is_best_first_and_within_the_range():
    book = live()
    prices, sizes = book.depth("buy", low=98.5)
    assert (prices.tolist(), sizes.tolist()) == ([99.0], [1.0])
    assert book.depth("buy")[0].tolist() == [99.0, 98.0]
    assert book.depth("sell")[0].tolist() == [101.0, 102.0]
    assert book.depth("sell", high=100.0)[0].size == 0


def test_venues_that_send_snapshots_only_need_no_chain():
    book = Book("hyperliquid:BTC")
    for n in range(3):
        snapshot = BookSnapshot("hyperliquid:BTC", n, n, ((99.0 + n, 1.0),), ((110.0, 1.0),))
        assert book.apply(snapshot) is None
    assert book.bid == 101.0


ticks = st.integers(1, 30).map(float)
sizes = st.sampled_from([0.0, 1.0, 2.5])
runs = st.lists(st.lists(st.tuples(ticks, sizes), max_size=6), max_size=20)


def chain(bids, asks) -> Iterator[BookDelta]:
    for n, (bid, ask) in enumerate(zip(bids, asks, strict=False), 101):
        asked = tuple((price + 100, size) for price, size in ask)
        yield delta(n, n, n - 1, tuple(bid), asked)


@given(runs, runs)
def test_the_book_holds_exactly_the_last_size_of_each_level(bids, asks):
    book, truth = Book(M), ({}, {})
    book.apply(BookSnapshot(M, 0, 0, (), (), 100))
    for change in chain(bids, asks):
        book.apply(change)
        for side, levels in zip(truth, (change.bids, change.asks), strict=True):
            side.update(levels)
    for name, side in zip(("buy", "sell"), truth, strict=True):
        left = sorted(((p, s) for p, s in side.items() if s), reverse=name == "buy")
        prices, amounts = book.depth(name)
        assert list(zip(prices.tolist(), amounts.tolist(), strict=True)) == left
    assert book.status == "live"


@given(runs, runs)
def test_equal_events_leave_equal_states_and_a_change_does_not(bids, asks):
    books = [Book(M), Book(M)]
    for book in books:
        book.apply(BookSnapshot(M, 0, 0, (), (), 100))
        for change in chain(bids, asks):
            book.apply(change)
    assert books[0].state() == books[1].state()
    last = books[0].update
    books[0].apply(delta(last + 1, last + 1, last, ((55.5, 7.0),)))
    assert books[0].state() != books[1].state()


def test_what_was_kept_from_before_a_restart_is_not_taken_for_a_hole():
    """A venue that restarts counts from 1 again; its own time orders the messages."""
    book = Book(M)
    book.apply(BookSnapshot(M, 1_000, 2_000, ((100.0, 1.0),), ((101.0, 1.0),), 500))
    assert book.apply(delta(900, 900, 899, ((99.0, 1.0),))) is not None  # a hole
    old = book._kept
    assert [each.last for each in old] == [900]
    late = BookSnapshot(
        M, old[0].event_time + 1, old[0].event_time + 9, ((98.0, 2.0),), ((101.0, 1.0),), 1
    )
    assert book.apply(late) is None
    assert (book.status, book.update, book.bid) == ("live", 1, 98.0)
