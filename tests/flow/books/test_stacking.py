"""Pull and stack: net change of resting size over a minute, less what traded."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import SECOND
from powderkeg.flow.books.stacking import SLOT, Stacking
from powderkeg.flow.books.window import BookWindow

NOW = 1_767_225_600 * SECOND


def loaded(window: BookWindow, bid: float) -> int:
    sides = [(np.array([price]), np.array([size])) for price, size in ((99.0, bid), (101.0, 4.0))]
    return window.load(0, *sides)


def begun() -> tuple[BookWindow, Stacking]:
    window = BookWindow([1.0])
    loaded(window, 5.0)
    window.end_frame()
    return window, Stacking(1)


def frame(window: BookWindow, stacking: Stacking, now: int, bid: float) -> None:
    loaded(window, bid)
    stacking.frame(window, now)
    window.end_frame()


def test_what_traded_is_no_pull():
    window, stacking = begun()
    window.add_trades(0, np.array([99.0]), np.array([-2.0]))
    frame(window, stacking, NOW, 3.0)
    assert stacking.net(0, NOW).sum() == 0.0
    frame(window, stacking, NOW, 1.0)
    column = 99 - window.base[0]
    assert stacking.net(0, NOW)[0, column] == pytest.approx(-2.0)


def test_changes_count_for_a_minute():
    window, stacking = begun()
    frame(window, stacking, NOW, 9.0)
    assert stacking.net(0, NOW + 5 * SLOT).sum() == pytest.approx(4.0)
    assert stacking.net(0, NOW + 6 * SLOT).sum() == 0.0
    frame(window, stacking, NOW + 6 * SLOT, 10.0)
    assert stacking.net(0, NOW + 6 * SLOT).sum() == pytest.approx(1.0)


def test_a_moved_window_takes_its_changes_along():
    window, stacking = begun()
    frame(window, stacking, NOW, 9.0)
    before = stacking.net(0, NOW)[0]
    stacking.roll(0, 3)
    assert stacking.net(0, NOW)[0, :-3].tolist() == before[3:].tolist()


def test_a_first_book_and_levels_that_come_into_sight_were_not_added():
    window, stacking = BookWindow([1.0]), Stacking(1)
    frame(window, stacking, NOW, 9.0)
    assert np.abs(stacking.net(0, NOW)).sum() == 0.0
    bids = np.array([99.0, 98.0]), np.array([9.0, 50.0])
    window.load(0, bids, (np.array([101.0]), np.array([4.0])))
    stacking.frame(window, NOW)
    assert np.abs(stacking.net(0, NOW)).sum() == 0.0


def test_a_window_that_moves_has_added_nothing():
    window, stacking = BookWindow([1.0]), Stacking(1)
    prices = np.arange(1.0, 1000.0)
    for middle in (400.0, 480.0):
        bids, asks = prices[prices < middle], prices[prices > middle]
        stacking.roll(0, window.load(0, (bids, np.ones(len(bids))), (asks, np.ones(len(asks)))))
        stacking.frame(window, NOW)
        window.end_frame()
    changed = np.flatnonzero(stacking.net(0, NOW).any(axis=0)) + window.base[0]
    assert changed.min() >= 400
    assert changed.max() <= 480
