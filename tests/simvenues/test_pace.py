"""The time of a scenario."""

from __future__ import annotations

import pytest

from powderkeg.events import MINUTE, SECOND
from powderkeg.simvenues import pace as module
from powderkeg.simvenues.pace import Pace

NOW = 1_795_415_130 * SECOND


@pytest.fixture
def machine(monkeypatch):
    """Return a clock of the machine, in seconds, that a test may move."""
    passed = [0.0]
    monkeypatch.setattr(module.time, "monotonic_ns", lambda: round(passed[0] * 1e9))
    monkeypatch.setattr(module.time, "time_ns", lambda: NOW * 1000 + round(passed[0] * 1e9))
    return passed


def test_time_runs_as_it_does_then_fast_and_from_now_on_as_it_does_again(machine):
    pace = Pace.ending_now(10 * MINUTE, 10.0, MINUTE, 5 * SECOND)
    begin = (NOW - 10 * MINUTE) // MINUTE * MINUTE
    assert pace() == pace.begin == begin
    machine[0] = 5
    assert pace() == begin + 5 * SECOND
    machine[0] = 25
    assert pace() == begin + 205 * SECOND
    machine[0] = 500
    assert pace() == NOW + 500 * SECOND


def test_time_is_never_ahead_of_the_machine_and_never_goes_back(machine):
    pace, before = Pace.ending_now(MINUTE, 30.0, MINUTE), 0
    for second in range(20):
        machine[0] = second
        assert before <= pace() <= NOW + second * SECOND
        before = pace()
