"""S5: clusters so close behind each other that one could carry price into the next.

A gap carries where the forced volume of a cluster is at least what rests between it and the next.
Whether the last cluster is absorbed or pushes on is not known: the model ends there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from powderkeg.events import SECOND
from powderkeg.signals.clusters import evidence as ev
from powderkeg.signals.clusters.sweep_reclaim import absorbing
from powderkeg.signals.contract import (
    Episode,
    Evidence,
    Move,
    Place,
    Question,
    ZoneSignal,
    place_of,
)
from powderkeg.signals.scene import PRESSED, Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.chain
MOST: Final = 12
"""Clusters that a chain has at most: each has a state of its own."""


def carry(notional: float, start: float, end: float, depth: float) -> float:
    """Return forced volume over what rests in a gap; infinite where there is none.

    Args:
        notional: Dollars of the cluster, or of an order.
        start: Price where the gap begins, quote currency.
        end: Price where it ends.
        depth: Resting dollars within one percent.
    """
    between = depth * 100 * abs(end - start) / start
    return notional / between if between else math.inf  # clusters may share an edge


def carries(links: Sequence[Zone | Place], depth: float) -> list[float]:
    """Return the carry of each gap between clusters, nearest first."""
    return [carry(one.notional, _far(one), _near(two), depth) for one, two in pairwise(links)]


def _near(link: Zone | Place) -> float:
    return link.top if link.side == "long" else link.floor


def _far(link: Zone | Place) -> float:
    return link.floor if link.side == "long" else link.top


def chain(scene: Scene, zone: Zone) -> list[Zone]:
    """Return the clusters that a cluster could carry price through, itself first."""
    depth, links = scene.depth[PRESSED[zone.side]], [zone]
    for each in (z for z in scene.zones if z.side == zone.side and _beyond(z, zone)):
        if len(links) == MOST or each.distance(scene.price) > DEFAULT.zones.reach:
            break
        if not carry(links[-1].notional, links[-1].far, each.near, depth) >= RULES.carry:
            break
        links.append(each)
    return links


def _is_link(scene: Scene, zone: Zone) -> bool:
    """Return whether a nearer cluster begins a chain that this one is part of."""
    nearer = (z for z in scene.zones if z.side == zone.side and _beyond(zone, z))
    return any(z.distance(scene.price) > 0 and zone in chain(scene, z) for z in nearer)


def _beyond(other: Zone, zone: Zone) -> bool:
    """Return whether one cluster lies further out than another; levels without one do not."""
    behind = other.near < zone.far if zone.side == "long" else other.near > zone.far
    return behind and not other.placebo


def begin(scene: Scene, zone: Zone) -> Move | None:
    """Begin where at least two gaps in a row carry, at a cluster that has not fired."""
    if not zone.distance(scene.price) > 0 or zone.placebo or not ev.is_fresh(zone):
        return None
    links = chain(scene, zone)
    if len(links) <= RULES.links or _is_link(scene, zone):
        return None
    return Move("STACKED", _evidence(links, scene, zone), tuple(place_of(link) for link in links))


def _evidence(links: Sequence[Zone | Place], scene: Scene, zone: Zone) -> tuple[Evidence, ...]:
    each = carries(links, scene.depth[PRESSED[zone.side]])
    gaps = (
        Evidence(f"gap {n + 1} carries", value, RULES.carry, "multiple", value >= RULES.carry)
        for n, value in enumerate(each)
    )
    total = sum(link.notional for link in links)
    return (
        *gaps,
        Evidence("clusters in the chain", len(links), RULES.links + 1, "count", met=True),
        Evidence("estimated in all", total, math.nan, "dollars", met=True),
        ev.fired(zone, RULES.fired),
    )


def advance(episode: Episode, scene: Scene, zone: Zone) -> Move | None:
    """Follow the clusters as they fire."""
    if episode.state == "STACKED":
        episode.links = tuple(place_of(link) for link in chain(scene, zone)) or episode.links
    state = _next(episode, scene, zone)
    return None if state is None else Move(state, _evidence(episode.links, scene, zone))


def _next(episode: Episode, scene: Scene, zone: Zone) -> str | None:
    marks = episode.marks
    if episode.state == "STACKED":
        if len(episode.links) <= RULES.links:
            return "APART"
        if zone.swept < RULES.fired:
            return None
        marks["fired"], marks["at"] = 1, scene.now
        return "LIT"
    rate = scene.liquidated[PRESSED[zone.side]]
    marks["peak"] = max(marks.get("peak", 0.0), rate)
    count = int(marks["fired"])
    if count < len(episode.links) and _fired(episode.links[count], scene):
        late = scene.now - marks["at"] > RULES.lag
        marks["fired"], marks["at"] = count + 1, scene.now
        return "EXPIRED" if late else "PROPAGATING" if count == 1 else f"LINK_{count + 1}"
    over = count == len(episode.links) or scene.now - marks["at"] > RULES.lag
    if over and rate < RULES.quiet * marks["peak"]:
        marks.setdefault("quiet", scene.now)
        if scene.now - marks["quiet"] >= RULES.for_seconds * SECOND:
            return "EXHAUSTED"
    else:
        marks.pop("quiet", None)
    return "ABSORBED" if absorbing(scene, zone) else None


def _fired(link: Place, scene: Scene) -> bool:
    """Return whether a later cluster has fired."""
    zone = next((z for z in scene.zones if z.id == link.id), None)
    if zone is not None and zone.frozen:
        return zone.swept >= RULES.fired
    return scene.price <= link.floor if link.side == "long" else scene.price >= link.top


CASCADE_CHAIN = ZoneSignal(
    "cascade_chain",
    ("STACKED", "LIT", "PROPAGATING", *(f"LINK_{n}" for n in range(3, MOST + 1))),
    ("EXHAUSTED", "ABSORBED", "APART", "EXPIRED"), begin, advance, RULES.expires,
    DEFAULT.zones.reach / 2, every=5 * SECOND,
    evidence=lambda episode, scene, zone: _evidence(episode.links, scene, zone),
    question=Question("LIT", "PROPAGATING", "reached the next cluster, once the first fired"),
    against=("APART",),
)  # fmt: skip
