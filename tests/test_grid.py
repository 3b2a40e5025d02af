"""The common price grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from powderkeg.grid import (
    BIN,
    PriceRows,
    bin_of,
    bins_of,
    centres,
    log_centres,
    position_of,
    price_of,
)

PRICES = st.floats(1e-12, 1e9)
ROWS = PriceRows(first=-3, per_row=4, count=10)


@given(PRICES)
def test_a_price_lies_in_its_bin(price):
    b = bin_of(price)
    assert price_of(b) <= price * (1 + 1e-12)
    assert price < price_of(b + 1) * (1 + 1e-12)


@given(st.integers(-50_000, 50_000))
def test_the_centre_of_a_bin_lies_in_it(b):
    assert bin_of(price_of(b + 0.5)) == b
    assert bins_of(centres(b, 3)).tolist() == [b, b + 1, b + 2]


@given(PRICES)
def test_arrays_and_single_prices_agree(price):
    assert int(bins_of(np.array([price]))[0]) == bin_of(price)


def test_a_bin_is_five_basis_points_high():
    assert price_of(1) / price_of(0) == pytest.approx(1.0005, abs=2e-7)
    assert np.diff(log_centres(7, 3)) == pytest.approx([BIN, BIN])


@given(PRICES)
def test_kernels_see_the_same_grid(price):
    assert _compiled(price) == (bin_of(price), position_of(price), price_of(bin_of(price)))


@njit
def _compiled(price: float) -> tuple[int, float, float]:
    return bin_of(price), position_of(price), price_of(bin_of(price))


def test_rows_say_where_they_begin_and_how_high_they_are():
    assert math.exp(ROWS.p0) == pytest.approx(price_of(-12))
    assert pytest.approx(4 * BIN) == ROWS.dp
    assert ROWS.first_bins.tolist() == list(range(-12, 28, 4))


@given(st.integers(-20, 10), st.lists(st.floats(0, 1e9), max_size=60))
def test_rows_add_up_what_lies_on_them_and_nothing_else(base, dollars):
    sums = ROWS.sums(np.array(dollars), base)
    inside = [d for n, d in enumerate(dollars) if -12 <= base + n < 28]
    assert float(sums.sum()) == pytest.approx(sum(inside), rel=1e-6, abs=1e-6)
    for n, d in enumerate(dollars):
        row = int(ROWS.rows_of(np.array([base + n]))[0])
        if 0 <= row < ROWS.count:
            assert sums[row] >= d * (1 - 1e-6)
