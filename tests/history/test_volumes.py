"""Bars without volume get one from how far price moved, and are counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import HOUR, MINUTE
from powderkeg.history.volumes import MEMORY, Volumes

FIVE = 5 * MINUTE


def bars(ranges):
    low = np.full(len(ranges), 100.0)
    return low, low * np.exp(ranges)


def test_volume_that_is_known_stays_as_it_is():
    volumes = Volumes(FIVE)
    known = np.array([1.0, 2.0, 3.0])
    assert volumes.complete(known, *bars([0.01, 0.0, 0.02])).tolist() == [1.0, 2.0, 3.0]
    assert volumes.assumed == 0


def test_missing_volume_is_the_range_of_the_last_hour_at_the_ratio_of_known_bars():
    volumes = Volumes(FIVE)
    volumes.complete(np.full(24, 10.0), *bars(np.full(24, 0.002)))
    filled = volumes.complete(np.full(12, np.nan), *bars(np.full(12, 0.006)))
    # the first of them is an hour of eleven quiet bars and one of three times their range
    assert filled[0] == pytest.approx(10.0 * (11 + 3) / 12)
    assert filled[-1] == pytest.approx(30.0)
    assert volumes.assumed == 12


def test_before_any_volume_is_known_there_is_none_and_it_is_counted():
    volumes = Volumes(FIVE)
    assert volumes.complete(np.full(3, np.nan), *bars([0.01, 0.02, 0.0])).tolist() == [0.0] * 3
    assert volumes.assumed == 3


def test_a_market_that_never_moved_has_no_ratio():
    volumes = Volumes(FIVE)
    volumes.complete(np.ones(5), *bars(np.zeros(5)))
    assert volumes.complete(np.array([np.nan]), *bars([0.01])).tolist() == [0.0]


def test_the_ratio_forgets_what_is_older_than_a_month():
    volumes = Volumes(HOUR)
    month = MEMORY // HOUR
    volumes.complete(np.full(month, 1e6), *bars(np.full(month, 0.01)))
    volumes.complete(np.full(month, 5.0), *bars(np.full(month, 0.01)))
    filled = volumes.complete(np.array([np.nan]), *bars([0.01]))
    assert filled[0] == pytest.approx(5.0, rel=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.booleans()), min_size=1, max_size=40))
def test_how_bars_are_cut_into_runs_changes_nothing(rows):
    volume = np.array([np.nan if unknown else amount for amount, unknown in rows])
    low, high = bars(np.linspace(0.001, 0.02, len(rows)))
    whole, parts = Volumes(FIVE), Volumes(FIVE)
    at_once = whole.complete(volume, low, high)
    singly = [
        parts.complete(volume[i : i + 1], low[i : i + 1], high[i : i + 1])[0]
        for i in range(len(rows))
    ]
    assert at_once.tolist() == singly
    assert whole.assumed == parts.assumed == sum(unknown for _, unknown in rows)
