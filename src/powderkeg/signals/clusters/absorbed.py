"""S11: a cluster traded and nothing followed. A negative result."""

from __future__ import annotations

from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.contract import Episode, Move, Question, ZoneSignal
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.simple
FIRED = DEFAULT.sweep.fired


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Begin where a good part of a large cluster has fired."""
    inside = zone.frozen and zone.outside(scene.price) == 0
    if inside and zone.swept >= FIRED and ev.is_large(zone):
        return Move("TRADED", (ev.rank(zone), ev.fired(zone, FIRED)))
    return None


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Wait for a continuation beyond the far edge."""
    if zone.reached(scene.price, zone.beyond(zone.far, RULES.follow)):
        return Move("FOLLOWED", (ev.fired(zone, FIRED),))
    if scene.now - episode.begun >= RULES.within:
        return Move("ABSORBED", (ev.fired(zone, FIRED),))
    return None


ABSORBED = ZoneSignal(
    "absorbed", ("TRADED",), ("FOLLOWED", "ABSORBED"), begin, advance, 2 * RULES.within,
    DEFAULT.approach.near,
    question=Question("TRADED", "FOLLOWED", "went on by 0.5 % within 30 min, once traded"),
)  # fmt: skip
