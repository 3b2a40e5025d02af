"""Bars of any length, from rings of a few."""

from __future__ import annotations

import numpy as np

from powderkeg.events import MINUTE
from powderkeg.maps.heatmap.prices import PriceRing, joined_bars


def test_bars_of_any_length_are_joined_from_the_widest_ring_that_fits():
    rings = {step: PriceRing(step, 400) for step in (MINUTE, 5 * MINUTE)}
    for ring in rings.values():
        for n in range(120):
            ring.add_run(np.array([n * MINUTE]), np.array([100.0 + n]), np.array([1.0]))
    bars = joined_bars(rings, 15 * MINUTE, 120 * MINUTE, 10)
    assert np.isnan(bars[:2]).all()
    assert bars[2].tolist() == [100.0, 114.0, 100.0, 114.0, 15.0]
    assert bars[-1].tolist() == [205.0, 219.0, 205.0, 219.0, 15.0]
    (odd,) = joined_bars(rings, 7 * MINUTE, 120 * MINUTE, 1)
    assert odd.tolist() == [212.0, 218.0, 212.0, 218.0, 7.0]
