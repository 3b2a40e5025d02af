"""The loop's lag is what it was held up by: the worst ever, and the worst of the last minute."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.live.timekeeping.loop_lag import WINDOW, LoopLagMonitor

beats = st.lists(st.tuples(st.floats(0.01, 20), st.floats(0, 5)), min_size=1, max_size=40)


@given(beats)
def test_the_recent_lag_is_the_greatest_of_a_minute_and_the_worst_that_of_all(reported):
    pulse, at, noted = LoopLagMonitor(), 0.0, []
    for later, lag in reported:
        at += later
        pulse._record(at, lag)
        noted.append((at, lag))
        assert pulse.recent == max(lag for when, lag in noted if when >= at - WINDOW)
    assert pulse.worst == max(lag for _, lag in noted)


async def test_a_loop_that_is_held_up_is_late_by_as_much():
    pulse = LoopLagMonitor()
    task = asyncio.ensure_future(pulse.run())
    await asyncio.sleep(0.05)
    time.sleep(0.3)  # noqa: ASYNC251  holding up the loop is what is tested
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pulse.worst >= 0.25
    assert pulse.recent == pulse.worst
