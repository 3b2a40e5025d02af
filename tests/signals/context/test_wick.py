"""Long wicks, by the map before their candle."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.signals.context.wick import RANGES, SPAN, Wick, Wicks
from powderkeg.signals.zones import Stretch

LONGS = Stretch("long", 97.0, 97.5, 1e6, (1e6,))
USUAL = [100.0, 100.5, 99.5, 100.0, 10.0]


def candles(low: float, volume: float = 10.0, count: int = RANGES) -> np.ndarray:
    """Return usual candles, and one with a wick down to `low`."""
    return np.array([USUAL] * count + [[100.0, 100.2, low, 100.1, volume]])


def explained(bars: np.ndarray, *before: Stretch, liquidated: float = 0.0) -> list[Wick]:
    wicks = Wicks()
    for n in range(30):
        wicks.add_liquidated(1.0 if liquidated else 0.0, 0.0)
        wicks.next_candle(bars[:-1], before, n * SPAN)
    wicks.add_liquidated(liquidated, 0.0)
    return wicks.next_candle(bars, (), 30 * SPAN)


@pytest.mark.parametrize(
    ("low", "clusters", "change", "kind"),
    [
        (97.2, (LONGS,), {}, "LIQUIDATION"),
        (97.6, (LONGS,), {}, "MAP_ONLY"),
        (97.6, (LONGS,), {"liquidated": 50.0}, "LIQUIDATION"),
        (97.2, (), {"liquidated": 50.0}, "PRINTS_ONLY"),
        (97.2, (), {}, "UNEXPLAINED"),
        (98.5, (LONGS,), {}, "UNEXPLAINED"),
    ],
)
def test_a_wick_is_explained_by_the_map_the_prints_or_nothing(low, clusters, change, kind):
    (wick,) = explained(candles(low), *clusters, **change)
    assert (wick.kind, wick.side) == (kind, "long")


def test_heavy_volume_alone_is_prints():
    (wick,) = explained(candles(97.2, volume=40.0))
    assert wick.kind == "PRINTS_ONLY"


def test_a_cluster_on_the_other_side_is_the_mirror_and_explains_nothing():
    mirror = Stretch("short", 102.8, 103.0, 1e6, (1e6,))
    (wick,) = explained(candles(97.2), mirror)
    assert (wick.kind, wick.on_map, wick.mirror) == ("UNEXPLAINED", False, True)


def test_a_short_wick_or_a_long_body_is_none():
    assert explained(candles(99.4), LONGS) == []
    bars = candles(97.2)
    bars[-1, 3] = 97.4
    assert explained(bars, LONGS) == []


def test_the_map_must_be_that_of_the_candle_before():
    wicks, bars = Wicks(), candles(97.2)
    assert wicks.next_candle(bars, [LONGS], 0) == []
    assert wicks.next_candle(bars, [LONGS], 5 * SPAN) == []
    assert len(wicks.next_candle(bars, [], 6 * SPAN)) == 1


def test_too_few_candles_have_no_usual_range():
    assert explained(candles(97.2, count=10), LONGS) == []
