"""The order-flow reads on labelled synthetic books, with seeds that no threshold was fitted on."""

from __future__ import annotations

import pytest

from powderkeg.evaluation.flow.books import FRAME, SyntheticBook
from powderkeg.evaluation.flow.scores import Score, scores
from powderkeg.events import SECOND
from powderkeg.flow.books.window import ASK, BID


@pytest.mark.slow
def test_reads_are_as_precise_on_held_out_books_as_is_published():
    found = scores(range(100, 106))
    assert found["absorption"].precision >= 0.95
    assert found["absorption"].recall >= 0.95
    assert found["pulled_walls"].precision >= 0.90
    assert found["pulled_walls"].recall >= 0.75
    assert found["walls"].recall >= 0.90
    without = found["pulled_walls_without_approach"]
    assert without.precision < found["pulled_walls"].precision


def test_a_synthetic_book_is_the_same_for_the_same_seed_and_never_crossed():
    one, other = SyntheticBook(5), SyntheticBook(5)
    for _ in range(900):
        one.frame()
        other.frame()
        assert one.trades == other.trades
        assert one.best(BID) < one.best(ASK)
    assert [a.tolist() for a in one.shown(BID)] == [a.tolist() for a in other.shown(BID)]
    assert one.now == 900 * FRAME == 90 * SECOND
    assert one.bursts


def test_scores_add_up():
    both = Score(4, 3, 5, 2, 1.0).plus(Score(0, 0, 1, 1, 0.5))
    assert (both.precision, both.recall) == (0.75, 0.5)
    assert both.false_alarms == pytest.approx(2 / 3)
    nothing = Score(0, 0, 0, 0, 1.0)
    assert (nothing.precision, nothing.recall) == (1.0, 1.0)
