"""The footprint, with hand-made cells."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, Trades
from powderkeg.flow.tape.footprint import Footprint, footprint, imbalances, stacks

M = "binance:BTCUSDT"


def cells(bought, sold) -> Footprint:
    one = np.ones((1, len(bought)), np.int64)
    return Footprint(0, MINUTE, 1.0, 100, np.array([bought]), np.array([sold]), one)


def test_each_print_is_in_one_cell():
    rows = [(0, 100.2, 1.0), (1, 100.8, -2.0), (MINUTE, 101.0, 3.0), (3 * MINUTE, 100.0, -4.0)]
    made = footprint(Trades.of(M, 9, rows), MINUTE, 1.0)
    assert (made.start, made.first, made.bought.shape) == (0, 100, (4, 2))
    assert made.bought.tolist() == [[1, 0], [0, 3], [0, 0], [0, 0]]
    assert made.sold.tolist() == [[2, 0], [0, 0], [0, 0], [4, 0]]
    assert made.delta.tolist() == [[-1, 0], [0, 3], [0, 0], [-4, 0]]
    assert made.count.tolist() == [[2, 0], [0, 1], [0, 0], [1, 0]]


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.floats(90, 110), st.floats(-9, 9).filter(bool)),
        min_size=1,
    )
)
def test_nothing_is_lost(rows):
    run = Trades.of(M, 9, rows)
    made = footprint(run, MINUTE, 0.5)
    np.testing.assert_allclose(made.delta.sum(), run.sizes.sum(), atol=1e-9)
    assert made.count.sum() == len(rows)


def test_an_imbalance_compares_buyers_with_the_sellers_one_row_lower():
    found = imbalances(cells([0.0, 9.0, 1.0], [3.0, 0.0, 0.0]), least=2.0)
    assert found.buy.tolist() == [[False, True, False]]
    assert found.sell.tolist() == [[False, False, False]]


def test_an_imbalance_of_sellers_is_the_mirror():
    found = imbalances(cells([0.0, 1.0, 0.0], [3.0, 9.0, 0.0]), least=2.0)
    assert found.sell.tolist() == [[True, True, False]]
    assert not found.buy.any()


def test_volume_decides_not_the_number_of_prints():
    run = Trades.of(M, 9, [(n, 100.0, -1.0) for n in range(9)] + [(9, 101.0, 30.0)])
    found = imbalances(footprint(run, MINUTE, 1.0), least=1.0)
    assert found.buy.tolist() == [[False, True]]


def test_too_little_volume_is_no_imbalance_even_against_nothing():
    assert not imbalances(cells([0.0, 1.0], [0.0, 0.0]), least=2.0).buy.any()


def test_adjacent_imbalances_are_a_stack():
    flags = np.array([[1, 1, 1, 0, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0]], np.bool_)
    assert stacks(flags, 3) == [(0, 0, 3), (1, 1, 5)]
    assert stacks(flags, 1) == [(0, 0, 3), (0, 4, 5), (1, 1, 5)]
