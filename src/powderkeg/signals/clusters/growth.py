"""S2: a large cluster grows or thins, and why."""

from __future__ import annotations

import math

from powderkeg.events import MINUTE
from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.contract import Episode, Evidence, Move, ZoneSignal
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.growth


def change(zone: Zone, now: int) -> float:
    """Return the relative change of a cluster's notional over four hours; NaN of a younger one."""
    before = next((notional for at, notional in zone.past if now - at <= RULES.over), math.nan)
    old = bool(zone.past) and now - zone.past[0][0] >= RULES.over * 0.9
    return zone.notional / before - 1 if old and before > 0 else math.nan


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Report a change; what price swept is no thinning of its own accord."""
    if zone.frozen or zone.placebo:
        return None
    by = change(zone, scene.now)
    if not abs(by) >= RULES.change or (by > 0 and not ev.is_large(zone)):
        return None
    share = Evidence("change in 4 h", by, math.copysign(RULES.change, by), "fraction", met=True)
    oi = scene.oi_change
    cause = Evidence("open interest in 4 h", oi, by / 4, "fraction", oi * by > 0)
    return Move("GROWING" if by > 0 else "THINNING", (ev.rank(zone), share, cause))


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Return nothing: it ends as it begins."""
    del episode, scene, zone


GROWTH = ZoneSignal(
    "growth", (), ("GROWING", "THINNING"), begin, advance, RULES.expires, DEFAULT.zones.reach,
    RULES.expires, MINUTE,
)  # fmt: skip
