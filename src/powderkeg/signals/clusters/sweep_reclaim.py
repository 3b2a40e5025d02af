"""S3: price sweeps a cluster on heavy volume, the book absorbs, and price comes back out of it.

ABSORBING is evidence while the cluster still fires, often before the low: it is no bottom.
"""

from __future__ import annotations

from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.contract import Episode, Evidence, Move, Plan, Question, ZoneSignal
from powderkeg.signals.plans import opposing, round_price
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.sweep


def evidence(scene: Scene, zone: Zone) -> tuple[Evidence, ...]:
    """Return all that a sweep and its absorption are judged by."""
    return (
        ev.rank(zone), ev.fired(zone, RULES.fired), ev.volume(scene, RULES.volume),
        ev.absorption(scene, zone, RULES.ratio), ev.refill(scene, zone, RULES.refill),
        ev.aggressors(scene, zone), _crowd(scene, zone), _spot(scene, zone),
    )  # fmt: skip


def _crowd(scene: Scene, zone: Zone) -> Evidence:
    """Return how far funding leans to the side that is liquidated."""
    funding = scene.crowd.funding
    value = funding if zone.side == "long" else 100 - funding
    need = DEFAULT.trap.crowd
    return Evidence("crowd: funding", value, need, "percentile", value >= need)


def _spot(scene: Scene, zone: Zone) -> Evidence:
    """Return whether spot takers trade out of the cluster."""
    value = scene.spot if zone.side == "long" else -scene.spot
    need = DEFAULT.quality.flat
    return Evidence("spot delta, deviations", value, need, "ratio", value >= need)


def absorbing(scene: Scene, zone: Zone) -> bool:
    """Return whether the side that liquidations take from absorbs them."""
    held = scene.absorption(zone.side) >= RULES.ratio
    return held and scene.refill(zone.side) >= RULES.refill and scene.against(zone.side) > 0


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Begin where a large cluster is near."""
    if not 0 < zone.distance(scene.price) <= RULES.near or not ev.is_fresh(zone):
        return None
    return Move("APPROACH", (ev.rank(zone), ev.distance(scene, zone, RULES.near)))


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Follow the sweep."""
    away = zone.distance(scene.price)
    if episode.state == "APPROACH":
        if away > 2 * RULES.near:
            return Move("LEFT", (ev.distance(scene, zone, RULES.near),))
        if away > 0:
            return None
        episode.marks["entered"] = scene.now
        episode.plan = plan(scene, zone)
        return Move("IN_ZONE", evidence(scene, zone))
    state = _inside(episode, scene, zone)
    return None if state is None else Move(state, evidence(scene, zone))


def _inside(episode: Episode, scene: Scene, zone: Zone) -> str | None:
    if zone.reached(scene.price, zone.beyond(zone.far, RULES.failed)):
        return "FAILED"
    if scene.now - episode.marks["entered"] > RULES.within:
        return "EXPIRED"
    if episode.state == "IN_ZONE":
        heavy = scene.volume >= RULES.volume
        return "SWEPT" if heavy and zone.swept >= RULES.fired else None
    if episode.state == "SWEPT":
        return "ABSORBING" if absorbing(scene, zone) else None
    worst = scene.held[0] if zone.side == "long" else scene.held[1]
    back = not zone.reached(worst, zone.beyond(zone.near, -RULES.reclaim))
    return "RECLAIMED" if back else None


def plan(scene: Scene, zone: Zone) -> Plan:
    """Return the trade out of the cluster: in at a round price of it, stop beyond its far edge."""
    target = opposing(scene, zone)
    return Plan(
        side=zone.side,
        entry=round_price(zone.floor, zone.top),
        stop=zone.beyond(zone.far, RULES.failed),
        target=target,
        time=scene.now,
    )


SWEEP_RECLAIM = ZoneSignal(
    "sweep_reclaim", ("APPROACH", "IN_ZONE", "SWEPT", "ABSORBING"),
    ("RECLAIMED", "FAILED", "LEFT", "EXPIRED"), begin, advance, DEFAULT.approach.expires,
    RULES.near, evidence=lambda _, scene, zone: evidence(scene, zone),
    question=Question("SWEPT", "RECLAIMED", "reclaimed within 60 min, once swept"),
    against=("FAILED", "LEFT"),
)  # fmt: skip
