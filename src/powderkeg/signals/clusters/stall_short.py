"""S10: price turned short of a cluster. A negative result, kept with the distance it missed by."""

from __future__ import annotations

from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.contract import Episode, Evidence, Move, ZoneSignal
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.approach


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Report a retreat of twice the least distance, where price had come near and not in."""
    missed = zone.nearest
    if not (zone.frozen and RULES.edge < missed <= RULES.stall and ev.is_large(zone)):
        return None
    if zone.distance(scene.price) < (1 + RULES.retreat) * missed:
        return None
    by = Evidence("missed by", missed, RULES.edge, "fraction of price", met=True)
    return Move("STALLED", (ev.rank(zone), by))


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Return nothing: it ends as it begins."""
    del episode, scene, zone


STALL_SHORT = ZoneSignal(
    "stall_short", (), ("STALLED",), begin, advance, RULES.expires, RULES.near,
)  # fmt: skip
