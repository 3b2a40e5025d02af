"""Walls and how they end."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import SECOND
from powderkeg.flow.books.walls import Walls
from powderkeg.flow.books.window import ASK, BID, BookWindow

FRAME = SECOND // 10


def levels(rows):
    return tuple(np.array(rows, np.float64).reshape(-1, 2).T)


class Market:
    """A book with one coin on each of many steps, and what is put on top."""

    def __init__(self) -> None:
        self.window, self.walls = BookWindow([1.0]), Walls(1)
        self.middle, self.now = 1_000, 0
        self.extra: dict[tuple[int, int], float] = {}
        self.ended = []

    def run(self, seconds: float, *, trade: tuple[float, float] | None = None) -> None:
        for _ in range(round(seconds * SECOND / FRAME)):
            self.now += FRAME
            if trade is not None:
                self.window.add_trades(0, np.array([trade[0]]), np.array([trade[1]]))
            sides = [
                [
                    (float(s), 1.0 + d % 3 / 10 + self.extra.get((side, s), 0.0))
                    for d in range(1, 90)
                    for s in [self.middle + (-d if side == BID else d)]
                ]
                for side in (BID, ASK)
            ]
            self.window.load(0, *map(levels, sides))
            self.ended += self.walls.frame(self.window, self.now)
            self.window.end_frame()


def with_wall(side: int = BID) -> tuple[Market, tuple[int, int]]:
    """Return a market with fifty coins twenty steps from the middle, and where they are."""
    market = Market()
    market.run(5)
    place = side, market.middle + (-20 if side == BID else 20)
    market.extra[place] = 50.0
    return market, place


def test_a_large_size_is_a_wall_once_it_has_stood_for_three_seconds():
    market, (side, step) = with_wall()
    market.run(2.9)
    assert market.walls.standing() == []
    market.run(0.3)
    (wall,) = market.walls.standing()
    assert (wall.side, wall.step, wall.born, wall.distance) == (side, step, 19, 19)
    assert wall.peak == pytest.approx(51, abs=0.5)
    assert wall.end is None


def test_an_ordinary_book_has_no_walls():
    market = Market()
    market.run(20)
    assert market.walls.standing() == []
    assert market.ended == []


def test_what_is_gone_within_three_seconds_was_no_wall():
    market, place = with_wall()
    market.run(2)
    del market.extra[place]
    market.run(2)
    assert (market.walls.standing(), market.ended) == ([], [])


def test_a_wall_cancelled_far_from_price_is_cancelled():
    market, place = with_wall()
    market.run(5)
    del market.extra[place]
    market.run(0.2)
    (wall,) = market.ended
    assert (wall.end, wall.cancelled) == ("cancelled", 1.0)
    assert market.walls.standing() == []


@pytest.mark.parametrize("side", [BID, ASK])
def test_a_wall_cancelled_once_price_came_near_was_pulled(side):
    market, place = with_wall(side)
    market.run(5)
    market.middle += -15 if side == BID else 15
    market.run(1)
    del market.extra[place]
    market.run(0.2)
    (wall,) = market.ended
    assert (wall.end, wall.distance) == ("pulled", 4)


def test_price_that_leaves_in_the_frame_of_the_removal_was_near():
    market, place = with_wall()
    market.run(5)
    market.middle -= 15
    market.run(1)
    del market.extra[place]
    market.middle += 15
    market.run(0.1)
    assert [wall.end for wall in market.ended] == ["pulled"]


def test_a_wall_that_was_taken_was_traded():
    market, place = with_wall()
    market.run(5)
    market.middle -= 19
    market.run(1)
    market.extra[place] = 0.0
    market.run(0.1, trade=(place[1], -50.0))
    (wall,) = market.ended
    assert wall.end == "traded"
    assert wall.traded == 50.0


def test_a_wall_that_stood_for_long_was_not_pulled():
    market, place = with_wall()
    market.run(601)
    market.middle -= 15
    market.run(1)
    del market.extra[place]
    market.run(0.2)
    assert [wall.end for wall in market.ended] == ["cancelled"]


def test_a_book_without_one_side_is_not_read():
    walls, window = Walls(1), BookWindow([1.0])
    window.load(0, levels([(99.0, 1e6)]), levels([]))
    assert walls.frame(window, SECOND) == []
    assert walls.warm.tolist() == [0]


def test_more_candidates_than_there_is_room_for_are_left_out():
    market = Market()
    market.run(5)
    for away in range(1, 60):
        market.extra[BID, market.middle - away] = 60.0
        market.extra[ASK, market.middle + away] = 60.0
    market.run(0.1)
    assert len(market.walls.standing()) == 0


def test_a_wall_is_not_read_while_its_book_does_not_come():
    market, (side, step) = with_wall()
    market.run(4)
    for _ in range(50):
        market.now += FRAME
        market.window.add_trades(0, np.array([float(step)]), np.array([-1.0]))
        assert market.walls.frame(market.window, market.now) == []
        market.window.end_frame()
    (wall,) = market.walls.standing()
    assert (wall.side, wall.traded) == (side, 0.0)
    market.extra[side, step] = 0.0
    market.run(0.1)
    ((traded, end),) = [(wall.traded, wall.end) for wall in market.ended]
    assert (traded, end) == (50.0, "traded")


@pytest.mark.parametrize(("levels_left", "ends"), [(10, []), (40, ["cancelled"])])
def test_a_wall_beyond_the_last_visible_level_has_no_known_end(levels_left, ends):
    market, (side, step) = with_wall()
    market.run(4)
    assert len(market.walls.standing()) == 1
    bids = [(float(market.middle - d), 1.0) for d in range(1, levels_left)]
    asks = [(float(market.middle + d), 1.0) for d in range(1, 90)]
    bids = [(price, size) for price, size in bids if price != step]
    market.window.load(0, levels(bids), levels(asks))
    ended = market.walls.frame(market.window, market.now + FRAME)
    assert [wall.end for wall in ended] == ends
    assert market.walls.standing() == []
    assert side == BID
