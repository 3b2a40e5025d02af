"""Prices that plans are drawn between."""

from __future__ import annotations

import math
from typing import Final

from powderkeg.signals.scene import Scene
from powderkeg.signals.zones import Zone

DECADES: Final = 7
"""Decimal places below the first within which a price is round."""


def round_price(low: float, high: float) -> float:
    """Return the roundest price within a stretch, of equally round ones the nearest to its middle.

    Orders gather at round prices; the middle itself where none is within.
    """
    middle = (low + high) / 2
    power = 10.0 ** math.floor(math.log10(high))
    for step in (power * 10.0**-n / part for n in range(DECADES) for part in (1, 2)):
        nearest = round(middle / step) * step
        if low <= nearest <= high:
            return nearest
    return middle


def opposing(scene: Scene, zone: Zone) -> float:
    """Return the price in the next cluster of the other side that is nearest; NaN without one."""
    ahead = [
        other
        for other in scene.zones
        if other.side != zone.side and not other.placebo and other.distance(scene.price) > 0
    ]
    nearest = min(ahead, key=lambda z: z.distance(scene.price), default=None)
    return math.nan if nearest is None else round_price(nearest.floor, nearest.top)
