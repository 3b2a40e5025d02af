"""The ladder of several books."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import BookSnapshot
from powderkeg.flow.books.ladder import centred, ladder, summary
from powderkeg.market.book import Book

M = "binance:BTCUSDT"


def book(bids, asks) -> Book:
    made = Book(M)
    made.apply(BookSnapshot(M, 0, 0, tuple(bids), tuple(asks)))
    return made


def test_bids_are_rounded_down_and_asks_up():
    rows = ladder([book([(99.9, 1.0)], [(100.1, 2.0)])], 1.0, 98, 5, "price", math.nan)
    assert rows.bids.tolist() == [[0, 1, 0, 0, 0]]
    assert rows.asks.tolist() == [[0, 0, 0, 2, 0]]
    assert rows.prices.tolist() == [98, 99, 100, 101, 102]


def test_a_crossed_aggregate_is_drawn_as_it_is():
    books = [book([(101.0, 1.0)], [(102.0, 1.0)]), book([(99.0, 3.0)], [(100.0, 4.0)])]
    rows = ladder(books, 1.0, 99, 4, "price", math.nan)
    assert rows.bids.sum(axis=0).tolist() == [3, 0, 1, 0]
    assert rows.asks.sum(axis=0).tolist() == [0, 4, 0, 1]


def test_by_distance_books_meet_at_one_mid():
    books = [book([(990.0, 1.0)], [(1010.0, 1.0)]), book([(1980.0, 1.0)], [(2020.0, 1.0)])]
    rows = ladder(books, 5.0, 190, 20, "distance", 1000.0)
    assert rows.bids.tolist()[0] == rows.bids.tolist()[1]
    assert rows.asks.tolist()[0] == rows.asks.tolist()[1]
    assert rows.prices[int(rows.bids[0].argmax())] == 990.0


def test_a_book_without_a_mid_has_no_distance():
    rows = ladder([book([(99.0, 1.0)], [])], 1.0, 98, 5, "distance", 100.0)
    assert rows.bids.sum() == 0.0


@given(
    st.lists(
        st.tuples(st.integers(1, 999), st.floats(0.1, 9)), min_size=1, unique_by=lambda x: x[0]
    )
)
def test_nothing_in_sight_is_lost(levels):
    made = book([(price / 10, size) for price, size in levels], [(1e6, 1.0)])
    rows = ladder([made], 0.5, 0, 250, "price", math.nan)
    np.testing.assert_allclose(rows.bids.sum(), sum(size for _, size in levels))


def test_spread_and_depth_in_figures():
    found = summary([book([(99.0, 1.0), (98.9, 2.0), (90.0, 9.0)], [(101.0, 4.0)]), book([], [])])
    assert found.spread == 2.0
    assert found.within["1%"] == (pytest.approx(99.0), pytest.approx(404.0))
    assert found.within["2%"] == (pytest.approx(99.0 + 2 * 98.9), pytest.approx(404.0))
    assert found.within["0.1%"] == (0.0, 0.0)
    assert math.isnan(summary([]).spread)


def test_a_ladder_is_recentred_only_near_its_edge():
    assert centred(100, 40, 120, 5) == 100
    assert centred(100, 40, 105, 5) == 100
    assert centred(100, 40, 104, 5) == 84
    assert centred(100, 40, 135, 5) == 115


def test_depth_is_complete_where_every_book_reaches_so_far():
    wide = [(99.0, 1.0), (90.0, 1.0)], [(101.0, 1.0), (110.0, 1.0)]
    short = [(99.0, 1.0)], [(101.0, 1.0)]
    assert summary([book(*wide)], [0.05]).complete == {"5%": (True, True)}
    assert summary([book(*wide), book(*short)], [0.05]).complete == {"5%": (False, False)}
    assert summary([], [0.05]).complete == {"5%": (False, False)}
