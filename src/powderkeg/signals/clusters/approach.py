"""S1: price comes to a large cluster, and how it leaves: through it, rejected, or short of it."""

from __future__ import annotations

import numpy as np

from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.context import approach_quality
from powderkeg.signals.contract import Episode, Evidence, Move, Question, ZoneSignal
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.approach


def _limit(scene: Scene) -> float:
    """Return the distance that is near: the lesser of the fixed one and the volatility's."""
    wide = RULES.sigmas * scene.sigma
    return min(RULES.near, wide) if wide > 0 else RULES.near


def _closing(scene: Scene, zone: Zone) -> int:
    """Return in how many of the last five minutes price came nearer."""
    steps = np.diff(scene.minutes[-6:])
    return int((steps < 0).sum() if zone.side == "long" else (steps > 0).sum())


def _evidence(scene: Scene, zone: Zone) -> tuple[Evidence, ...]:
    closing = _closing(scene, zone)
    return (
        ev.rank(zone),
        ev.distance(scene, zone, _limit(scene)),
        Evidence("minutes closing", closing, RULES.closing, "count", closing >= RULES.closing),
    )


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Begin where price closes in on a large cluster."""
    near = 0 < zone.distance(scene.price) <= _limit(scene)
    if near and ev.is_fresh(zone) and _closing(scene, zone) >= RULES.closing:
        return Move("NEAR", _evidence(scene, zone))
    return None


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Follow price to the edge, into the cluster, and away."""
    away = zone.distance(scene.price)
    lowest = episode.marks["nearest"] = min(episode.marks.get("nearest", away), away)
    move: str | None = None
    if zone.reached(scene.price, zone.beyond(zone.far, RULES.through)):
        move = "THROUGH"
    elif episode.state != "IN_ZONE" and away <= 0:
        move = "IN_ZONE"
    elif episode.state == "IN_ZONE":
        move = "REJECTED" if away >= RULES.near else None
    elif RULES.edge < lowest <= RULES.stall and away >= (1 + RULES.retreat) * lowest:
        move = "STALL_SHORT"
    elif episode.state == "NEAR" and away <= RULES.edge:
        move = "AT_EDGE"
    elif away > 2 * RULES.near:
        move = "LEFT"
    return None if move is None else Move(move, _evidence(scene, zone))


APPROACH = ZoneSignal(
    "approach", ("NEAR", "AT_EDGE", "IN_ZONE"), ("THROUGH", "REJECTED", "STALL_SHORT", "LEFT"),
    begin, advance, RULES.expires, RULES.near,
    evidence=lambda _, scene, zone: (
        *_evidence(scene, zone),
        approach_quality.organic(scene, zone.side),
        *approach_quality.evidence(scene, zone.side),
    ),
    question=Question("NEAR", "IN_ZONE", "entered within 4 h, once near"),
    against=("LEFT",),
)  # fmt: skip
