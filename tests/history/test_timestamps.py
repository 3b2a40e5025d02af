"""Stamps as µs."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.history.files.timestamps import NO_TIME, may_be_both, of_numbers, of_texts

AT = 1_735_689_600_000_000  # 2025-01-01


def texts(*written, **how):
    return of_texts(np.array(written, object), **how).tolist()


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
def test_the_unit_of_a_number_follows_from_its_size(scale):
    stamps = np.array([1_735_689_600, 1_735_689_601], np.int64) * scale
    assert of_numbers(stamps).tolist() == [AT, AT + 1_000_000]
    assert of_numbers(stamps.astype(np.float64)).tolist() == [AT, AT + 1_000_000]


def test_units_may_change_from_row_to_row():
    stamps = np.array([1_735_689_600_000, 1_735_689_600_000_001, 17, 2**62], np.int64)
    assert of_numbers(stamps).tolist() == [AT, AT + 1, NO_TIME, NO_TIME]


def test_spreadsheet_days_and_dates_as_digits_are_times():
    assert of_numbers(np.array([45658.25])).tolist() == [AT + 6 * 3_600_000_000]
    assert texts("45658,25") == [AT + 6 * 3_600_000_000]
    assert of_numbers(np.array([20250101, 20250101060000])).tolist() == [AT, AT + 21_600_000_000]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1735689600000.1230", AT + 123),
        ("1735689600.5", AT + 500_000),
        ("1735689600000000", AT),
        ("1735689600000000999", AT),
        ("2025-01-01T00:00:00Z", AT),
        ("2025-01-01 00:00:00 UTC", AT),
        ("2025-01-01 00:00:00.000002", AT + 2),
        ("2025-01-01T05:30:00+05:30", AT),
        ("2024-12-31T21:00:00.5-0300", AT + 500_000),
        ("2025-01-01 12-AM", AT),
        ("2025-01-01 12:30:00 PM", AT + 45_000_000_000),
        ("2025/01/01 00:00", AT),
        ("2025-01-01", AT),
        ("1 Jan 2025 00:00:00", AT),
        ("Jan 1, 2025", AT),
        ("Wed, 01 January 2025 00:00:00 GMT", AT),
        ("01-Jan-2025", AT),
        ("yesterday", NO_TIME),
        ("", NO_TIME),
        ("2025-13-01", NO_TIME),
        ("2025-02-29", NO_TIME),
        ("2025-01-01 13:00 PM", NO_TIME),
        ("99999999999999999999", NO_TIME),
    ],
)
def test_stamps_are_read_as_people_write_them(text, at):
    assert texts(text) == [at]


def test_a_day_above_twelve_decides_day_first_or_month_first():
    assert may_be_both(np.array(["01/02/2025", "13/02/2025"], object)) == (True, "")
    assert may_be_both(np.array(["02/01/2025", "02/13/2025"], object)) == (False, "")
    assert may_be_both(np.array(["01.02.2025 00:00"], object)) == (True, "")


def test_where_no_day_is_above_twelve_the_shorter_span_is_meant():
    hours = [f"01/0{day}/2025 {hour:02}:00" for day in (1, 2) for hour in range(24)]
    assert may_be_both(np.array(hours, object)) == (False, "")
    assert may_be_both(np.array([h[3:6] + h[:3] + h[6:] for h in hours], object)) == (True, "")


def test_a_date_that_can_be_two_is_named():
    assert may_be_both(np.array(["02/03/2025"], object)) == (None, "02/03/2025")
    assert may_be_both(np.array(["03/03/2025", "2025-01-01"], object)) == (None, "")


def test_day_and_month_are_read_as_declared():
    assert texts("01/02/2025", day_first=False) == [AT + 86_400_000_000]
    assert texts("02/01/2025", day_first=True) == [AT + 86_400_000_000]


@given(
    st.integers(1_240_000_000_000_000, 4_100_000_000_000_000),
    st.sampled_from(
        [
            "%Y-%m-%dT%H:%M:%S.%fZ",
            "%Y-%m-%d %H:%M:%S.%f",
            "%d.%m.%Y %H:%M:%S.%f",
            "%d %b %Y %I:%M:%S.%f %p",
        ]
    ),
)
def test_what_a_clock_writes_is_read_back(at, form):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    assert texts(moment.strftime(form), day_first=True) == [at]


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_none(text):
    (found,) = texts(text)
    assert isinstance(found, int)
