"""S8: levels of the chart, and whether a cluster stands there too."""

from __future__ import annotations

import math

from powderkeg.signals.contract import CoinSignal, Episode, Evidence, Move
from powderkeg.signals.scene import Level, Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.confluence
NEAR = DEFAULT.approach.near


def width(scene: Scene) -> float:
    """Return how far a level and a cluster may be apart, quote currency."""
    ranges = RULES.ranges * scene.hour_range
    wide = RULES.width * scene.price
    return max(wide, ranges) if ranges > 0 else wide


def gap(level: Level, zone: Zone) -> float:
    """Return how far a level is outside a cluster, quote currency; 0 inside."""
    return max(zone.floor - level.price, level.price - zone.top, 0.0)


def random_rate(scene: Scene) -> float:
    """Return the share of prices within reach that would match by chance; NaN without a cluster."""
    zones = sorted((z.floor, z.top) for z in scene.zones if not z.placebo)
    if not zones:
        return math.nan
    low, high = (scene.price * (1 + sign * DEFAULT.zones.reach) for sign in (-1, 1))
    covered, end = 0.0, low
    for floor, top in zones:
        start, stop = max(floor - width(scene), end), min(top + width(scene), high)
        covered += max(stop - start, 0.0)
        end = max(end, stop)
    return covered / (high - low)


def _nearest(scene: Scene) -> Level | None:
    close = (level for level in scene.levels if abs(level.price / scene.price - 1) <= NEAR)
    return min(close, key=lambda level: abs(level.price - scene.price), default=None)


def _evidence(level: Level, scene: Scene) -> tuple[Evidence, ...]:
    apart = min((gap(level, z) for z in scene.zones if not z.placebo), default=math.nan)
    need = width(scene) / scene.price
    value = apart / scene.price
    return (
        Evidence(level.name, level.price, math.nan, "price", met=True),
        Evidence("cluster away by", value, need, "fraction of price", value <= need, at_most=True),
        Evidence("random levels that match", random_rate(scene), math.nan, "fraction", met=True),
    )


def begin(scene: Scene) -> Move | None:
    """Report the chart level that price is near to: with a cluster, or without one nearby."""
    level = _nearest(scene)
    if level is None or not scene.zones:
        return None
    found = _evidence(level, scene)
    if found[1].met:
        return Move("MATCH", found)
    return Move("DIVERGE", found) if found[1].value > RULES.diverge else None


def advance(episode: Episode, scene: Scene) -> Move | None:
    """Return nothing: it ends as it begins."""
    del episode, scene


CONFLUENCE = CoinSignal(
    "confluence", (), ("MATCH", "DIVERGE"), begin, advance, RULES.expires, RULES.expires,
)  # fmt: skip
