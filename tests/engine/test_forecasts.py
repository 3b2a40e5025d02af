"""The record of what was said."""

import numpy as np
import pytest

from powderkeg.engine.calibration.forecasts import (
    FIELDS,
    FRESH,
    HIGH,
    KEPT,
    LOW,
    NO_MAP,
    PATH_ONLY,
    PREDICTED,
    REPORTED,
    STATIC,
    ForecastLog,
)

HOUR = 490_000


def written(count):
    """Return a record of so many hours; each row holds its own number."""
    record = ForecastLog()
    for n in range(count):
        record.add(HOUR + n, np.full((len(FIELDS), 2), float(n)))
    return record


def test_an_empty_record_has_no_rows():
    record = ForecastLog()
    assert record.count == 0
    assert record.hours.shape == (0,)
    assert record.rows.shape == (0, len(FIELDS), 2)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000, KEPT - 1, KEPT, KEPT + 1, 3 * KEPT + 17])
def test_the_last_hours_are_there_in_order_whatever_came_before(count):
    record, kept = written(count), min(count, KEPT)
    last = np.arange(count - kept, count)
    assert record.count == count
    assert record.hours.tolist() == (HOUR + last).tolist()
    assert (record.rows == last[:, None, None]).all()


def test_a_row_is_never_changed_by_later_ones():
    record = written(40)
    before = record.rows.copy()
    for n in range(40, KEPT):
        record.add(HOUR + n, np.full((len(FIELDS), 2), -1.0))
    assert np.array_equal(record.rows[:40], before)


def test_a_row_does_not_change_with_what_it_was_written_from():
    record, row = ForecastLog(), np.ones((len(FIELDS), 2))
    record.add(HOUR, row)
    row[:] = 7.0
    assert (record.rows == 1.0).all()


def test_what_is_read_cannot_be_used_to_rewrite():
    record = written(5)
    record.rows[:] = -1.0
    record.hours[:] = 0
    assert record.rows[:, REPORTED, 0].tolist() == [0, 1, 2, 3, 4]
    assert record.hours[0] == HOUR


def test_hours_that_were_not_seen_are_gaps_not_rows():
    record = ForecastLog()
    for hour in (HOUR, HOUR + 9):
        record.add(hour, np.zeros((len(FIELDS), 2)))
    assert record.hours.tolist() == [HOUR, HOUR + 9]


def test_fields_are_numbered_as_they_are_named():
    columns = (REPORTED, PREDICTED, LOW, HIGH, STATIC, NO_MAP, PATH_ONLY, FRESH)
    assert [FIELDS[i] for i in columns] == [
        "reported", "predicted", "low", "high", "static", "no_map", "path_only", "fresh",
    ]  # fmt: skip
    assert len(FIELDS) == 8
