"""How much of its sweeps a candidate keeps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.classes import CLASSES
from powderkeg.engine.estimate import QUARTER, WINDOW, Sweeps

T = 1_767_225_600_000_000 // QUARTER * QUARTER
ONES = np.ones((2, CLASSES))


def test_a_long_past_is_kept_for_as_long_as_it_is_learned_from_and_little_longer():
    sweeps = Sweeps()
    for n in range(5000):
        sweeps.add(T + n * QUARTER, ONES)
    assert len(sweeps._quarters) == 2048
    assert sweeps.quarters[0] <= T + 4999 * QUARTER - WINDOW
    assert (np.diff(sweeps.quarters) == QUARTER).all()
    assert (sweeps.crossed == 1.0).all()


@given(st.lists(st.integers(0, 300), max_size=400))
def test_whatever_was_crossed_within_the_window_is_there(gaps):
    sweeps = Sweeps()
    starts = (T + np.cumsum(gaps, dtype=np.int64) * QUARTER).tolist()
    for n, start in enumerate(starts):
        sweeps.add(start, ONES * n)
    newest = starts[-1] if starts else 0
    wanted = {}
    for n, start in enumerate(starts):
        if start >= newest - WINDOW:
            wanted[start] = wanted.get(start, 0) + n
    kept = dict(zip(sweeps.quarters.tolist(), sweeps.crossed[:, 0, 0].tolist(), strict=True))
    assert {start: kept.get(start) for start in wanted} == wanted
