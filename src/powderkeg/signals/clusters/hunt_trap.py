"""S4: price pokes into a cluster, is held there by a side that refills, and turns."""

from __future__ import annotations

from powderkeg.events import SECOND
from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.contract import Episode, Evidence, Move, Question, ZoneSignal
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.trap


def _fired(zone: Zone, most: float) -> Evidence:
    return Evidence(
        "fired, estimated", zone.swept, most, "fraction", zone.swept <= most, at_most=True
    )


def _held(episode: Episode, scene: Scene) -> float:
    """Return for how many seconds the opposing side has refilled faster than it was taken."""
    since = episode.marks.get("held", 0.0)
    return (scene.now - since) / SECOND if since else 0.0


def _evidence(episode: Episode, scene: Scene, zone: Zone) -> tuple[Evidence, ...]:
    held = _held(episode, scene)
    return (
        ev.rank(zone),
        _fired(zone, RULES.fired),
        ev.refill(scene, zone, RULES.refill),
        Evidence("refilling for", held, RULES.hold, "seconds", held >= RULES.hold),
        _crowd(scene, zone),
    )


def _crowd(scene: Scene, zone: Zone) -> Evidence:
    """Return how crowded the side is that expects price to run on: the opposite of the cluster."""
    index = scene.crowd.index
    value = 100 - index if zone.side == "long" else index
    return Evidence("crowd", value, RULES.crowd, "percentile", value >= RULES.crowd)


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Begin where a large cluster is near."""
    if not 0 < zone.distance(scene.price) <= RULES.near or not ev.is_fresh(zone):
        return None
    return Move("APPROACH", (ev.rank(zone), ev.distance(scene, zone, RULES.near)))


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Follow the poke."""
    away = zone.distance(scene.price)
    if episode.state == "APPROACH":
        if away > 2 * RULES.near:
            return Move("LEFT", (ev.distance(scene, zone, RULES.near),))
        poked = zone.reached(scene.price, zone.beyond(zone.near, RULES.poke))
        return Move("POKED", _evidence(episode, scene, zone)) if poked else None
    _note(episode, scene, zone)
    state = _held_or_broken(episode, scene, zone)
    return None if state is None else Move(state, _evidence(episode, scene, zone))


def _note(episode: Episode, scene: Scene, zone: Zone) -> None:
    """Remember since when the opposing side refills faster than it is taken."""
    if not scene.refill(zone.side) >= RULES.refill:
        episode.marks["held"] = 0.0
    elif not episode.marks.get("held"):
        episode.marks["held"] = scene.now - SECOND


def _held_or_broken(episode: Episode, scene: Scene, zone: Zone) -> str | None:
    if zone.swept > RULES.broken:
        return "BROKEOUT"
    back = not zone.reached(scene.price, zone.beyond(zone.near, -RULES.back))
    if episode.state == "BLOCKED":
        return "TRAP_CONFIRMED" if back else None
    if _held(episode, scene) >= RULES.hold and zone.swept <= RULES.fired:
        return "BLOCKED"
    return "LEFT" if zone.distance(scene.price) > RULES.near else None


HUNT_TRAP = ZoneSignal(
    "hunt_trap", ("APPROACH", "POKED", "BLOCKED"), ("TRAP_CONFIRMED", "BROKEOUT", "LEFT"),
    begin, advance, RULES.expires, RULES.near, evidence=_evidence,
    question=Question("POKED", "TRAP_CONFIRMED", "turned back within 4 h, once poked into"),
    against=("BROKEOUT", "LEFT"),
)  # fmt: skip
