"""Controls of the signals: nothing may be claimed where nothing happens."""

from __future__ import annotations

import pytest

from powderkeg.evaluation.signals.controls import COUNT, run_controls


@pytest.mark.parametrize("count", [3, pytest.param(COUNT, marks=pytest.mark.slow)])
@pytest.mark.timeout(1_800)
def test_no_control_is_reclaimed_or_a_trap(count):
    found = run_controls(count)
    for states in found.values():
        assert states["RECLAIMED"] == states["TRAP_CONFIRMED"] == 0
        assert states["POKED"] + states["IN_ZONE"] > 0
