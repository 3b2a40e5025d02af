"""Prices and amounts as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.serve.exports.formatting import apart, decimals, money, price_text, significant
from powderkeg.serve.exports.layout import steps_of


@pytest.mark.parametrize("price", [1e-9, 2.6e-6, 1.05e-7, 0.0412, 1.0, 104_828.0, 1e6])
@pytest.mark.parametrize("width", [0.002, 0.07, 0.5])
def test_prices_beside_each_other_never_read_the_same(price, width):
    prices, digits = steps_of(price * (1 - width), price * (1 + width), 10)
    words = [price_text(p, digits) for p in prices]
    assert len(words) >= 4
    assert len(set(words)) == len(words)
    assert [float(w.replace(",", "")) for w in words] == pytest.approx(prices, rel=1e-6)


@given(st.floats(1e-12, 1e9), st.integers(3, 8))
def test_a_price_in_some_figures_reads_back_as_itself_that_closely(price, figures):
    read = float(price_text(price, decimals(price, figures)).replace(",", ""))
    assert read == pytest.approx(price, rel=max(10.0 ** (1 - figures), 1e-4))


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (1.04828, "1.04828"), (104_828.0, "104,828"), (1_048_280.0, "1,048,280"),
        (0.0000027255, "0.0000027255"), (1.04828e-9, "1.04828e-9"), (1e-9, "1e-9"), (0.5, "0.5"),
    ],
)  # fmt: skip
def test_a_price_is_written_out_to_ten_places_and_has_an_exponent_only_beyond(price, words):
    assert significant(price) == words


@pytest.mark.parametrize(
    ("dollars", "words"),
    [(1234, "$1.2K"), (3.4e6, "$3.4M"), (5.6e9, "$5.6B"), (1.2e12, "$1.2T"), (999_960, "$1.0M")],
)
def test_amounts_from_thousands_to_trillions_have_their_letter(dollars, words):
    assert money(dollars) == words


@given(st.floats(1e-12, 1e6))
def test_prices_a_step_apart_differ_in_the_decimals_they_are_given(step):
    assert 10.0 ** -apart(step) <= step * (1 + 1e-9) or apart(step) == 0
