"""Numbers in headers: what is one, what is none, and that none does harm."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import SECOND
from powderkeg.live.network.headers import LONGEST, date, number, wait

NOW = 1_767_225_600 * SECOND  # Thu, 01 Jan 2026 00:00:00 GMT


@pytest.mark.parametrize(
    ("text", "is_"), [("0", 0.0), ("17", 17.0), (" 2.5 ", 2.5), ("999999999999999", 1e15 - 1)]
)
def test_plain_decimals_are_numbers(text, is_):
    assert number(text) == is_


@pytest.mark.parametrize(
    "text",
    ["", " ", "-1", "+1", "\u00b2", "\u0661", "1e3", "nan", "inf", "0x1", "1_0", "1,5", "9" * 400,
     "9" * 5000, "1.", ".5", "1\n2", "1.0000000000"],
)  # fmt: skip
def test_anything_else_is_none(text):
    assert number(text) is None
    assert wait(text, NOW) is None


@given(st.text())
def test_whatever_is_written_a_wait_is_within_an_hour(text):
    seconds = wait(text, NOW)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= LONGEST)


@given(st.text(alphabet="0123456789.-+eE \u00b2", max_size=30))
def test_a_number_is_never_negative_nor_more_than_its_bound(text):
    found = number(text, 50.0)
    assert found is None or 0 <= found <= 50


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", LONGEST),
        ("7200", LONGEST),
    ],
)
def test_a_wait_is_reported_in_seconds_or_as_a_date(text, seconds):
    assert wait(text, NOW) == seconds


@pytest.mark.parametrize("text", ["", "Thu", "Thu, 99 Jan 2026 00:00:30 GMT", "9" * 400])
def test_what_is_no_date_is_none(text):
    assert date(text) is None
