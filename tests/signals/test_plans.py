"""Round prices, and the next opposing cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.signals.plans import round_price


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (148_500, 149_200, 149_000), (6_250, 6_400, 6_300), (152_900, 153_200, 153_000),
        (139_900, 140_100, 140_000), (0.1231, 0.1264, 0.125),
    ],
)  # fmt: skip
def test_the_roundest_price_within_is_taken(low, high, wanted):
    assert round_price(low, high) == pytest.approx(wanted)


@given(st.floats(1e-8, 1e6), st.floats(1e-4, 0.5))
def test_it_lies_within(low, width):
    high = low * (1 + width)
    assert low <= round_price(low, high) <= high
