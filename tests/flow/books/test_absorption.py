"""Refill and absorption on a book whose displacement and refills are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import SECOND
from powderkeg.flow.books.absorption import AbsorptionReads, Pressure
from powderkeg.flow.books.window import ASK, BID, BookWindow

FRAME = SECOND // 10


def levels(rows):
    return tuple(np.array(rows, np.float64).reshape(-1, 2).T)


class Market:
    """Two coins on each step; takers eat whole steps, or meet one that refills."""

    def __init__(self) -> None:
        self.window, self.reads = BookWindow([1.0]), AbsorptionReads(1)
        self.bid, self.now = 1_000, 0
        self.found: list[Pressure] = []
        self.held: tuple[int, float] | None = None
        self._frames = 0

    def load(self, shown: float = 2.0) -> None:
        bids = [(float(self.bid - d), 2.0 if d else shown) for d in range(80)]
        asks = [(float(self.bid + 1 + d), 2.0) for d in range(80)]
        self.window.load(0, levels(bids), levels(asks))

    def run(self, seconds: float, sold: float = 0.0, *, refilled: bool = False) -> None:
        """Sell so much at each frame: price falls by it over two coins a step, or is held."""
        for _ in range(round(seconds * SECOND / FRAME)):
            self.now += FRAME
            self._frames += 1
            shown = 2.0
            if sold:
                self.window.add_trades(0, np.array([float(self.bid)]), np.array([-(sold)]))
                if refilled and self._frames % 2:
                    shown = max(2.0 - sold, 0.1)
                elif not refilled:
                    self.bid -= max(1, round(sold / 2))
            self.load(shown)
            self.found += self.reads.frame(self.window, self.now)
            self.window.end_frame()

    def calm(self, rounds: int = 30) -> None:
        """Trade a little, price going up and down."""
        for n in range(rounds):
            for _ in range(5):
                self.run(0.9)
                self.run(0.1, 0.2 + 0.05 * (n % 4), refilled=True)
                self.window.add_trades(0, np.array([float(self.bid + 1)]), np.array([0.2]))


def test_calm_trading_is_no_pressure():
    market = Market()
    market.calm()
    assert market.found == []


def test_pressure_that_moves_price_as_usual_is_not_absorbed():
    market = Market()
    market.calm()
    market.run(10, 2.0)
    assert market.found
    assert not any(read.absorbed for read in market.found)
    last = market.found[-1]
    assert (last.side, last.pressed) == (BID, True)
    assert last.displacement == pytest.approx(100, abs=2)
    assert last.ratio < 0.6


def test_pressure_that_is_refilled_and_does_not_move_price_is_absorbed():
    market = Market()
    market.calm()
    market.run(10, 1.5, refilled=True)
    assert any(read.absorbed for read in market.found)
    last = market.found[-1]
    assert last.displacement == 0.0
    assert last.ratio == 1.0
    assert last.refill >= 0.6


def test_size_that_comes_back_within_a_second_is_a_refill_and_later_is_not():
    early, late = Market(), Market()
    for market, pause in ((early, 0.5), (late, 1.5)):
        market.run(1)
        market.window.add_trades(0, np.array([float(market.bid)]), np.array([-(1.5)]))
        market.now += FRAME
        market.load(0.5)
        market.reads.frame(market.window, market.now)
        market.window.end_frame()
        for _ in range(round(pause * 10)):
            market.now += FRAME
            market.load(0.5)
            market.reads.frame(market.window, market.now)
            market.window.end_frame()
        market.run(0.1)
    assert early.reads.read(early.window, 0, BID, early.now).refill == pytest.approx(1.0)
    assert late.reads.read(late.window, 0, BID, late.now).refill == 0.0


def test_before_the_usual_window_is_known_nothing_is_pressure():
    market = Market()
    market.run(10, 1.5, refilled=True)
    assert market.found == []
    read = market.reads.read(market.window, 0, BID, market.now)
    assert math.isnan(read.deviations)
    assert not read.pressed


def test_a_side_on_which_nothing_trades_has_no_ratio():
    market = Market()
    market.run(3)
    read = market.reads.read(market.window, 0, ASK, market.now)
    assert (read.volume, read.refill, read.displacement) == (0.0, 0.0, 0.0)
    assert math.isnan(read.ratio)


@pytest.mark.parametrize("shift", [3, -3, 400])
def test_the_last_trades_move_with_the_window(shift):
    market = Market()
    market.run(1)
    market.window.add_trades(0, np.array([float(market.bid)]), np.array([-(1.0)]))
    market.run(0.1)
    before = market.reads._last.copy()
    column = market.bid - int(market.window.base[0])
    market.reads.roll(0, shift)
    moved = market.reads._last[0, BID]
    if abs(shift) < 256:
        assert moved[column - shift] == before[0, BID, column]
    else:
        assert (moved < 0).all()
    market.reads.roll(0, 0)


def test_a_pause_of_the_stream_empties_the_seconds_it_lasted():
    market = Market()
    market.run(2, 1.0, refilled=True)
    market.now += 60 * SECOND
    market.run(0.1)
    assert market.reads.read(market.window, 0, BID, market.now).volume == 0.0


def sold_between_books(left: float, frames: int, *, deeper: int = 0) -> Pressure:
    """Sell one coin a frame for some frames in which no book comes; return what the next one says.

    Args:
        left: Shown at the price with the next book, of two coins.
        frames: Without a book.
        deeper: Steps below the best bid at which it was sold.
    """
    market = Market()
    market.run(1)
    price = float(market.bid - deeper)
    for _ in range(frames):
        market.now += FRAME
        market.window.add_trades(0, np.array([price]), np.array([-(1.0)]))
        market.reads.frame(market.window, market.now)
        market.window.end_frame()
    market.now += FRAME
    market.load(left)
    market.reads.frame(market.window, market.now)
    return market.reads.read(market.window, 0, BID, market.now)


def test_what_trades_between_two_books_is_no_refill_of_itself():
    read = sold_between_books(0.1, 2)
    assert (read.volume, read.refill) == (2.0, pytest.approx(0.05))


def test_what_the_next_book_shows_again_is_a_refill_however_late_it_comes():
    read = sold_between_books(2.0, 40)
    assert (read.volume, read.refill) == (40.0, 1.0)


def test_after_a_pause_what_traded_meanwhile_is_not_read():
    assert sold_between_books(2.0, 98).volume == 98.0
    assert sold_between_books(2.0, 100).volume == 0.0


def test_size_beyond_what_was_visible_is_no_refill():
    read = sold_between_books(2.0, 3, deeper=85)
    assert (read.volume, read.refill) == (3.0, 0.0)


def test_price_goes_with_the_takers_from_the_book_before():
    market = Market()
    market.run(1)
    for _ in range(30):
        market.now += SECOND
        market.window.add_trades(0, np.array([float(market.bid)]), np.array([-(2.0)]))
        market.bid -= 1
        market.load()
        market.reads.frame(market.window, market.now)
        market.window.end_frame()
    read = market.reads.read(market.window, 0, BID, market.now)
    assert (read.volume, read.displacement) == (40.0, 20.0)


def test_quotes_that_come_and_go_are_no_refill():
    market = Market()
    market.run(1)
    market.window.add_trades(0, np.array([float(market.bid)]), np.array([-(1.5)]))
    for shown in (0.5, 2.0, 0.5, 2.0, 0.5, 2.0, 0.5):
        market.now += FRAME
        market.load(shown)
        market.reads.frame(market.window, market.now)
        market.window.end_frame()
    read = market.reads.read(market.window, 0, BID, market.now)
    assert (read.volume, read.refill) == (1.5, 0.0)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 5)), min_size=1, max_size=30))
def test_no_more_comes_back_than_was_taken(frames):
    market = Market()
    market.run(1)
    for sold, shown in frames:
        market.now += FRAME
        if sold:
            market.window.add_trades(0, np.array([float(market.bid)]), np.array([-sold]))
        market.load(shown)
        market.reads.frame(market.window, market.now)
        market.window.end_frame()
    read = market.reads.read(market.window, 0, BID, market.now)
    assert 0.0 <= read.refill <= 1 + 1e-9


def test_what_is_owed_moves_with_the_window():
    market = Market()
    market.run(1)
    market.window.add_trades(0, np.array([float(market.bid)]), np.array([-(1.5)]))
    market.now += FRAME
    market.load(0.5)
    market.reads.frame(market.window, market.now)
    column = market.bid - int(market.window.base[0])
    before = market.reads._owed[0, BID, column].tolist()
    market.reads.roll(0, 3)
    assert before == [1.5, 0.0]
    assert market.reads._owed[0, BID, column - 3].tolist() == before
    assert market.reads._owed.sum() == 1.5
