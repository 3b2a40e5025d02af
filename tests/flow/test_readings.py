"""Readings of positioning by minute and hour."""

from __future__ import annotations

import math

import numpy as np

from powderkeg.events import DAY, HOUR, MINUTE
from powderkeg.flow.readings import Readings, Series, filled

NOW = 1_767_225_600_000_000


def test_the_last_reading_of_a_minute_is_kept_and_gaps_are_filled_with_the_one_before():
    readings = Readings()
    for time, value in ((NOW, 5.0), (NOW + 1, 6.0), (NOW + 3 * MINUTE, 8.0)):
        readings.add("oi", time, value)
    values = readings.by_minute("oi", NOW + 4 * MINUTE, 6)
    assert math.isnan(values[0])
    assert values[1:].tolist() == [6.0, 6.0, 6.0, 8.0, 8.0]
    assert readings.latest["oi"] == (NOW + 3 * MINUTE, 8.0)


def test_history_that_arrives_late_fills_in_what_was_before_and_is_not_the_latest():
    readings = Readings()
    readings.add("funding", NOW, 3e-4)
    readings.add("funding", NOW - 8 * HOUR, 1e-4)
    hours = readings.by_hour("funding", NOW)
    assert hours[-1] == 3e-4
    assert hours[-9] == 1e-4
    assert np.isnan(hours).sum() == len(hours) - 2
    assert readings.latest["funding"] == (NOW, 3e-4)


def test_what_the_ring_has_passed_is_not_written_over_by_older_readings():
    series = Series(MINUTE, 4)
    series.add(0, NOW, 1.0)
    series.add(0, NOW - 4 * MINUTE, 9.0)
    assert series.last(0, NOW, 4)[-1] == 1.0


def test_readings_of_more_than_ninety_days_ago_do_not_count():
    readings = Readings()
    readings.add("basis", NOW, 1e-3)
    assert np.isnan(readings.by_hour("basis", NOW + 90 * DAY)).all()


def test_nothing_is_filled_in_before_the_first_reading():
    assert np.isnan(filled(np.array([math.nan, 1.0, math.nan]))).tolist() == [True, False, False]
