"""Evidence that several signals of a cluster share."""

from __future__ import annotations

from powderkeg.signals.contract import Evidence
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone


def rank(zone: Zone) -> Evidence:
    """Return how large the cluster is among those of the coin."""
    need = DEFAULT.zones.rank
    return Evidence("cluster", zone.rank, need, "percentile", zone.rank >= need)


def distance(scene: Scene, zone: Zone, need: float) -> Evidence:
    """Return how far price is from the near edge."""
    away = zone.distance(scene.price)
    return Evidence("distance", away, need, "fraction of price", away <= need, at_most=True)


def fired(zone: Zone, need: float) -> Evidence:
    """Return the share of the cluster that price has swept: an estimate."""
    return Evidence("fired, estimated", zone.swept, need, "fraction", zone.swept >= need)


def volume(scene: Scene, need: float) -> Evidence:
    """Return the volume of five minutes against the usual."""
    return Evidence("5-minute volume", scene.volume, need, "multiple", scene.volume >= need)


def absorption(scene: Scene, zone: Zone, need: float) -> Evidence:
    """Return the absorption ratio of the side that liquidations take from."""
    ratio = scene.absorption(zone.side)
    return Evidence("absorption ratio", ratio, need, "ratio", ratio >= need)


def refill(scene: Scene, zone: Zone, need: float) -> Evidence:
    """Return refilled over taken of that side."""
    ratio = scene.refill(zone.side)
    return Evidence("refill", ratio, need, "ratio", ratio >= need)


def aggressors(scene: Scene, zone: Zone) -> Evidence:
    """Return the share of takers towards the cluster; half of them or less is none."""
    share = scene.share_against(zone.side)
    return Evidence("takers towards it", share, 0.5, "fraction", share > 0.5)


def is_large(zone: Zone) -> bool:
    """Return whether a cluster is among the largest of its coin."""
    return zone.rank >= DEFAULT.zones.rank


def is_fresh(zone: Zone) -> bool:
    """Return whether a cluster is among the largest, and price has not swept it yet."""
    return zone.rank >= DEFAULT.zones.rank and zone.swept < DEFAULT.sweep.fired
