"""Clusters: stretches of price where much would be liquidated close together, and of whom."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.engine.classes import BIN
from powderkeg.engine.estimate import Estimate
from powderkeg.engine.openings import Moments, Openings, Reach, reach_of
from powderkeg.events import Floats, Holder
from powderkeg.maps.scene import TIER_NAMES, Choice, Scene, Slab

SMOOTH = 9
"""Bins averaged before peaks are looked for (45 bp), so that one speckle makes no cluster."""
GROUND = 121
"""Bins averaged for the ground a peak stands out of (6 %)."""
PROMINENCE = 1.05
"""A peak is at least this many times its ground, where there are more than FEW."""
FEW = 8
"""On a map without prominent peaks, this many of the lesser ones are taken instead."""
LEAST_PROMINENCE = 0.5
REACH = 0.15
"""Log distance from the mark beyond which clusters are not looked for."""
EDGE = 0.75
"""A cluster ends where density falls below this share of its peak: the threshold of its cells."""
WIDEST = 24
"""Bins a cluster may reach from its peak to either side (1.2 %)."""
APART = 12
"""Bins between two peaks at least (0.6 %)."""
LEAST = 0.005
"""A cluster holds at least this share of its side's mass within reach."""
NEAR = 0.01
"""Clusters are ranked by mass over distance plus this: what is near matters first."""
MANY = (0.8, 1.0)
"""Share of a cluster of very many small holders that fires, least and most. An assumption: small
accounts seldom watch, so the liquidation engine reaches nearly all of what is still there."""
ONE = (0.3, 1.0)
"""The same of a single holder. An assumption: who holds much may close up to most of it before."""


class Cluster(Struct, frozen=True):
    """Contiguous prices whose density is above the threshold."""

    side: Holder
    floor: float
    top: float
    peak: float
    """Price of the densest bin."""
    mass: float
    """Dollars inside."""
    distance: float
    """Of the nearest edge from the mark, as a signed fraction; negative below."""
    tier: int
    """The tier that holds most of the mass."""
    tiers: dict[str, float]
    """Dollars by tier."""
    age: float
    """Seconds for which its peak has held at least half of what it holds now, NaN where unknown."""
    concentration: float | None = None
    """Few large openings (1: one) or many small (near 0); none where most prints are unknown."""
    fired: tuple[float, float] = ONE
    """Share of the mass expected to fire, least and most: an assumption, see function `fired`."""
    low: float = math.nan
    """End of the 80 % band of the mass, dollars; NaN of the past."""
    high: float = math.nan
    measured: float = math.nan
    """Share of the mass that is measured rather than prior."""


def fired(concentration: float | None) -> tuple[float, float]:
    """Return the share of a cluster that may be expected to fire, as a range. An assumption.

    Concentration is the chance that two of its dollars share a holder, so it mixes the ranges of
    `MANY` and `ONE`. Where it is not known the wider of the two is told.
    """
    h = 1.0 if concentration is None else concentration
    low, high = (many + (one - many) * h for many, one in zip(MANY, ONE, strict=True))
    return low, high


def with_concentration(scene: Scene, choice: Choice, found: Sequence[Cluster]) -> list[Cluster]:
    """Return clusters of now with their concentration, and the share that may fire.

    Args:
        scene: The coin.
        choice: The part of the map the clusters were found on.
        found: Clusters of the map now; of the past nothing is known.
    """
    kept = [
        (m.openings, _reaches(scene, m.estimate, choice))
        for m in scene.estimated()
        if m.openings is not None and choice.takes(m.venue)
    ]
    return [_told(scene.now, cluster, kept) for cluster in found]


def _reaches(scene: Scene, estimate: Estimate, choice: Choice) -> list[Reach]:
    """Return how far the chosen classes of a market lay what opens, for longs and for shorts."""
    exposure = estimate.exposure
    fresh = estimate.map_weights(scene.now)[:, 0] * choice.tier_mask()[exposure.basis.tiers]
    own = exposure.spec.own
    return [reach_of(exposure.basis, side, fresh[side], own) for side in (0, 1)]


def _told(at: int, cluster: Cluster, kept: list[tuple[Openings, list[Reach]]]) -> Cluster:
    start, stop = (round(math.log(price) / BIN) for price in (cluster.floor, cluster.top))
    side = 0 if cluster.side == "long" else 1
    total = Moments()
    for openings, reaches in kept:
        total = total.with_(openings.moments(start, stop, reaches[side], at))
    h = total.concentration
    return replace(cluster, concentration=h, fired=fired(h))


def _average(values: Floats, width: int) -> Floats:
    """Return the mean over `width` bins around each, over those there are at the ends."""
    kernel = np.ones(min(width, len(values)))
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


def _peaks(density: Floats, ground: Floats) -> list[int]:
    """Return the bins that stand out of their ground, most prominent first, well apart."""
    prominence = np.divide(density, ground, out=np.zeros_like(density), where=ground > 0)
    peaks: list[int] = []
    for b in np.argsort(-prominence, kind="stable").tolist():
        enough = len(peaks) >= FEW and prominence[b] < PROMINENCE
        if enough or prominence[b] < LEAST_PROMINENCE:
            break
        around = density[max(b - APART // 2, 0) : b + APART // 2 + 1]
        if density[b] >= around.max() and all(abs(b - other) >= APART for other in peaks):
            peaks.append(b)
    return peaks


def _extent(density: Floats, peak: int, taken: NDArray[np.bool_]) -> tuple[int, int]:
    """Return [start, stop) of the bins around a peak that are dense enough and not yet taken."""
    least = EDGE * density[peak]
    start = stop = peak
    while start > max(peak - WIDEST, 0) and density[start - 1] >= least and not taken[start - 1]:
        start -= 1
    end = min(peak + WIDEST, len(density) - 1)
    while stop < end and density[stop + 1] >= least and not taken[stop + 1]:
        stop += 1
    return start, stop + 1


def _cluster(slab: Slab, side: int, start: int, stop: int, mark: float) -> Cluster:
    inside = slab.dollars[:, side, start:stop]
    tiers = inside.sum(axis=1)
    density = inside.sum(axis=0)
    floor, top = (math.exp((slab.base + b) * BIN) for b in (start, stop))
    near = top if side == 0 else floor
    return Cluster(
        side="long" if side == 0 else "short",
        floor=floor,
        top=top,
        peak=math.exp((slab.base + start + int(density.argmax()) + 0.5) * BIN),
        mass=float(tiers.sum()),
        distance=near / mark - 1,
        tier=TIER_NAMES[int(tiers.argmax())],
        tiers={str(t): float(m) for t, m in zip(TIER_NAMES, tiers, strict=True)},
        age=math.nan,
    )


def clusters(slab: Slab, mark: float, most: int = 12) -> list[Cluster]:
    """Return the clusters of each side that matter most, nearest first.

    Args:
        slab: The map.
        mark: Current mark, > 0.
        most: How many a side.
    """
    if not slab.dollars.shape[2]:
        return []
    centre = math.floor(math.log(mark) / BIN) - slab.base
    reach = int(REACH / BIN)
    found: list[Cluster] = []
    for side, (low, high) in enumerate(((centre - reach, centre + 1), (centre, centre + reach))):
        start, stop = max(low, 0), min(high, slab.dollars.shape[2])
        raw = slab.by_side()[side, start:stop]
        if not raw.sum() > 0:
            continue
        density = _average(raw, SMOOTH)
        taken = np.zeros(len(density), np.bool_)
        made: list[Cluster] = []
        for peak in _peaks(density, _average(raw, GROUND)):
            if taken[peak]:
                continue
            first, last = _extent(density, peak, taken)
            taken[first:last] = True
            made.append(_cluster(slab, side, start + first, start + last, mark))
        made = [cluster for cluster in made if cluster.mass >= LEAST * float(raw.sum())]
        ranked = sorted(made, key=lambda cluster: -cluster.mass / (abs(cluster.distance) + NEAR))
        found += sorted(ranked[:most], key=lambda cluster: abs(cluster.distance))
    return found
