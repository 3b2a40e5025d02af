"""Books as arrays: rounding, centring, and the identity of added, cancelled and traded size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.flow.books.window import ASK, BID, LATER, NONE, WIDTH, BookWindow, shifted, step_of


def levels(rows):
    return tuple(np.array(rows, np.float64).reshape(-1, 2).T)


def at(window: BookWindow, side: int, step: int) -> float:
    return float(window.size[0, side, step - int(window.base[0])])


def test_bids_are_rounded_down_and_asks_up():
    window = BookWindow([10.0])
    window.load(0, levels([(99.9, 1.0), (90.0, 2.0)]), levels([(100.1, 3.0), (110.0, 4.0)]))
    assert window.best[0].tolist() == [9, 11]
    assert at(window, BID, 9) == 3.0
    assert at(window, ASK, 11) == 7.0


@pytest.mark.parametrize("step", [0.1, 0.01, 0.5])
def test_a_price_on_a_step_stays_on_it_whatever_its_binary_fraction(step):
    window = BookWindow([step])
    for number in range(1, 2_000):
        assert window.steps_of(0, BID, np.array([number * step])) == [number]
        assert window.steps_of(0, ASK, np.array([number * step])) == [number]


def test_an_empty_side_has_no_best_price():
    window = BookWindow([1.0])
    window.load(0, levels([]), levels([(100.0, 1.0)]))
    assert window.best[0].tolist() == [NONE, 100]
    window.load(0, levels([]), levels([]))
    assert window.best[0].tolist() == [NONE, NONE]


def test_the_window_stays_while_price_is_near_its_middle_and_follows_when_it_leaves():
    window = BookWindow([1.0])
    window.load(0, levels([(999.0, 1.0)]), levels([(1001.0, 1.0)]))
    base = int(window.base[0])
    window.load(0, levels([(1039.0, 1.0), (999.0, 2.0)]), levels([(1041.0, 1.0)]))
    assert int(window.base[0]) == base
    window.end_frame()
    window.load(0, levels([(1099.0, 1.0), (999.0, 3.0)]), levels([(1101.0, 1.0)]))
    assert int(window.base[0]) == base + 100
    assert at(window, BID, 1099) == 1.0
    assert window.before[0, BID, 999 - int(window.base[0])] == 2.0


def test_what_lies_outside_the_window_is_left_out():
    window = BookWindow([1.0])
    window.load(0, levels([(999.0, 1.0), (1.0, 5.0)]), levels([(1001.0, 1.0), (5_000.0, 7.0)]))
    assert window.size.sum() == 2.0
    window.add_trades(0, np.array([5_000.0]), np.array([1.0]))
    assert window.traded.sum() == 0.0


@given(st.floats(0, 9), st.floats(0, 9), st.floats(0, 9))
def test_net_is_what_was_added_less_what_was_cancelled(shown, taken, added):
    window = BookWindow([1.0])
    window.load(0, levels([(99.0, shown + 1)]), levels([(101.0, 1.0)]))
    window.end_frame()
    left = max(shown + 1 - taken, 0.0)
    window.add_trades(0, np.array([99.0]), np.array([-(shown + 1 - left)]))
    window.load(0, levels([(99.0, left + added), (98.0, 1e-3)]), levels([(101.0, 1.0)]))
    column = 99 - int(window.base[0])
    assert float(window.net()[0, BID, column]) == pytest.approx(added, abs=1e-9)
    assert float(window.net()[0, ASK, 101 - int(window.base[0])]) == 0.0


def test_a_buyer_takes_from_the_asks_and_a_seller_from_the_bids():
    window = BookWindow([1.0])
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]))
    window.add_trades(0, np.array([101.0]), np.array([2.0]))
    window.add_trades(0, np.array([99.0]), np.array([-(3.0)]))
    base = int(window.base[0])
    assert window.traded[0, ASK, 101 - base] == 2.0
    assert window.traded[0, BID, 99 - base] == 3.0
    window.end_frame()
    assert not window.traded.any()


@given(st.integers(-WIDTH - 5, WIDTH + 5))
def test_shifting_keeps_each_step_at_its_place(shift):
    cells = np.arange(1.0, WIDTH + 1)
    moved = shifted(cells, shift)
    for column in range(WIDTH):
        known = 0 <= column + shift < WIDTH
        assert moved[column] == (cells[column + shift] if known else 0.0)


def test_what_traded_is_kept_until_the_book_that_contains_it_comes():
    window = BookWindow([1.0])
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]))
    window.end_frame()
    column = 99 - int(window.base[0])
    window.add_trades(0, np.array([99.0]), np.array([-2.0]))
    assert not window.net().any(), "nothing is known of a book that has not come"
    window.end_frame()
    window.add_trades(0, np.array([99.0]), np.array([-1.0]))
    window.load(0, levels([(99.0, 2.0)]), levels([(101.0, 5.0)]))
    assert float(window.traded[0, BID, column]) == 3.0
    assert float(window.net()[0, BID, column]) == 0.0
    window.end_frame()
    assert not window.traded.any()


def test_only_books_that_came_are_fresh_and_the_others_keep_their_past():
    window = BookWindow([1.0, 1.0])
    for book in (0, 1):
        window.load(book, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]))
    window.end_frame()
    window.load(1, levels([(99.0, 7.0), (97.0, 1.0)]), levels([(101.0, 5.0)]))
    assert window.fresh.tolist() == [False, True]
    assert window.net()[0].sum() == 0.0
    assert window.net()[1].sum() == 3.0
    assert (window.deepest[1, BID], window.deepest_before[1, BID]) == (97, 99)
    window.end_frame()
    assert window.deepest_before[:, BID].tolist() == [99, 97]


def ladder_of(mid: float, spacing: float, count: int):
    away = np.arange(1, count + 1) * spacing
    return mid - away, mid + away


@pytest.mark.parametrize(
    ("mid", "spacing", "count", "usual", "step"),
    [
        (64_275.0, 1.0, 20, 5.0, 1.0),
        (67.0, 0.001, 20, 0.005, 0.001),
        (1_665.0, 0.1, 20, 0.1, 0.1),
        (61_800.0, 0.1, 1_100, 5.0, 5.0),
        (61_800.0, 0.1, 500, 5.0, 2.0),
        (61_800.0, 0.1, 20, 5.0, 0.1),
        (100.0, 0.03, 20, 0.005, 0.005),
        (100.0, 0.003, 20, 0.1, 0.005),
        (100.0, 1.0, 1, 5.0, 5.0),
    ],
)
def test_books_of_few_levels_lie_on_steps_of_which_twenty_are_visible(
    mid, spacing, count, usual, step
):
    assert step_of(*ladder_of(mid, spacing, count), usual) == pytest.approx(step)


def test_the_step_is_chosen_by_the_first_book_and_stays():
    window = BookWindow([5.0])
    for spacing in (1.0, 0.1):
        bids, asks = ladder_of(64_275.0, spacing, 20)
        window.load(0, (bids, np.ones(20)), (asks, np.ones(20)))
        assert window.steps.tolist() == [1.0]


def test_a_print_belongs_to_the_first_book_of_its_time_or_later():
    window = BookWindow([1.0])
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]), 10)
    window.end_frame()
    column = 99 - int(window.base[0])
    times, prices = np.array([19, 20, 21]), np.full(3, 99.0)
    window.add_trades(0, prices, np.array([-1.0, -2.0, -0.5]), times)
    window.load(0, levels([(99.0, 2.0)]), levels([(101.0, 5.0)]), 20)
    assert (window.traded[0, BID, column], window.net()[0, BID, column]) == (3.0, 0.0)
    window.end_frame()
    window.load(0, levels([(99.0, 1.5)]), levels([(101.0, 5.0)]), 30)
    assert (window.traded[0, BID, column], window.net()[0, BID, column]) == (0.5, 0.0)


def test_prints_of_another_book_wait_for_theirs_and_without_a_time_none_wait():
    window = BookWindow([1.0, 1.0])
    for book in (0, 1):
        window.load(book, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]), 10)
    window.end_frame()
    window.add_trades(1, np.array([101.0]), np.array([2.0]), np.array([50]))
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]), 60)
    assert not window.traded.any()
    window.load(1, levels([(99.0, 5.0)]), levels([(101.0, 3.0)]))
    assert window.traded[1, ASK].sum() == 2.0


def test_prints_that_wait_for_a_book_that_never_comes_are_bounded():
    window = BookWindow([1.0])
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]), 10)
    window.end_frame()
    for n in range(LATER + 3):
        window.add_trades(0, np.array([99.0]), np.array([-1.0]), np.array([20 + n]))
    assert window.traded.sum() == 3.0
    window.load(0, levels([(99.0, 5.0)]), levels([(101.0, 5.0)]), 10**9)
    assert window.traded.sum() == LATER + 3
