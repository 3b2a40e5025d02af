"""Order-flow imbalance against worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.flow.books.ofi import Quotes, ofi, queue_imbalance, weighted_mid

QUOTE = st.tuples(st.integers(90, 99), st.floats(0, 9), st.integers(100, 110), st.floats(0, 9))


def quotes(*rows) -> Quotes:
    return Quotes(*np.array(rows, np.float64).reshape(-1, 4).T)


def test_the_published_example():
    made = quotes((100, 5, 101, 4), (100, 8, 101, 1), (100.5, 2, 101, 1))
    assert ofi(made).tolist() == [6.0, 2.0]


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ((100, 5, 101, 4), 0.0),
        ((100, 7, 101, 4), 2.0),
        ((100, 5, 101, 1), 3.0),
        ((99, 6, 101, 4), -5.0),
        ((100, 5, 102, 9), 4.0),
        ((100, 5, 100.5, 2), -2.0),
    ],
)
def test_each_change_of_the_best_prices(then, expected):
    assert ofi(quotes((100, 5, 101, 4), then)).tolist() == [expected]


@given(st.lists(QUOTE, min_size=2))
def test_the_mirrored_book_gives_the_opposite(rows):
    mirrored = [(200 - ask, size, 200 - bid, other) for bid, other, ask, size in rows]
    np.testing.assert_allclose(ofi(quotes(*rows)), -ofi(quotes(*mirrored)), atol=1e-9)


def test_queue_imbalance_and_the_weighted_mid_lean_to_the_thin_side():
    made = quotes((100, 3, 102, 1), (100, 0, 102, 0))
    assert queue_imbalance(made)[0] == 0.5
    assert np.isnan(queue_imbalance(made)[1])
    assert weighted_mid(made)[0] == 101.5
