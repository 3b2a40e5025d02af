"""Clusters: stretches of price that hold clearly more than their ground, and of whom.

A map without any has none: nothing is taken for a cluster because there is no better one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.exposure.concentration import (
    EntryConcentration,
    HHISums,
    LiquidationKernel,
    liquidation_kernel,
)
from powderkeg.events import Floats, PositionSide
from powderkeg.grid import BIN, bin_of, position_of, price_of
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.heatmap.coin_view import TIER_NAMES, CoinView, MapFilter, PriceProfile
from powderkeg.maps.heatmap.ground import ground, mean
from powderkeg.maps.heatmap.intervals import interval

SMOOTH = 1
"""Bins to either side of each that are averaged, twice, before peaks are looked for (25 bp
together), so that one speckle makes no cluster."""
TIMES = 1.5
"""A cluster holds at least this many times its ground."""
PROMINENCE = 0.3
"""A peak stands above the saddle to the next higher one by at least this share of its relief."""
REACH = 0.15
"""Log distance from the mark beyond which clusters are not looked for."""
EDGE = 0.6
"""A cluster ends where its relief falls below this share of the peak's."""
WIDEST = 24
"""Bins a cluster may reach from its peak to either side (1.2 %)."""
APART = 12
"""Bins in which a peak is the highest, half of them to either side (0.6 %)."""
LEAST = 0.005
"""A cluster holds at least this share of its side's mass within reach."""
NEAR = 0.01
"""Clusters are ranked by what stands above their ground, over distance plus this: what is near
matters first, and no far mass hides it."""
MOST = 12
"""Clusters shown of a side."""
MANY = (0.8, 1.0)
"""Share of a cluster of very many small holders that fires, least and most. An assumption: small
accounts seldom watch, so the liquidation engine reaches nearly all of what is still there."""
ONE = (0.3, 1.0)
"""The same of a single holder. An assumption: who holds much may close up to most of it before."""


class Cluster(Struct, frozen=True):
    """Contiguous prices that hold at least 1.5 times their ground."""

    side: PositionSide
    """Whose positions."""
    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    peak: float
    """Price of the densest bin, quote currency."""
    notional: float
    """Dollars inside."""
    ground: float
    """Of them, what its surroundings alone would hold there: dollars, at most notional / 1.5."""
    distance: float
    """Signed fraction of the mark from it to the nearest edge; negative below."""
    tier: int
    """The tier, effective leverage as a number, that holds most of the notional."""
    tiers: dict[str, float]
    """Dollars by tier."""
    age: OptionalFloat
    """Seconds for which its peak has held at least half of what it holds now; null: unknown."""
    concentration: float | None = None
    """Herfindahl-Hirschman index of its openings: 1 for a single one, near 0 for many small; null
    where most prints are unknown."""
    expected_fill: tuple[float, float] = ONE
    """Least and most fraction of the notional expected to fill: an assumption of ours."""
    low: OptionalFloat = math.nan
    """Low end of the 80 % band of the notional, dollars; null of the past."""
    high: OptionalFloat = math.nan
    """High end of the 80 % band of the notional, dollars; null of the past."""
    measured: OptionalFloat = math.nan
    """Fraction of the notional that is measured rather than prior; null of the past."""


def above_ground(
    coin_view: CoinView, map_filter: MapFilter, found: Sequence[Cluster]
) -> list[Cluster]:
    """Return clusters of now with their bands, without those that may be ground alone.

    Left out is what a cluster's own doubt, grain and weights, would lower to its ground. The model
    error does not count: it is a factor on the map, and so on the ground as well.

    Args:
        coin_view: The coin.
        map_filter: The part of the map the clusters were found on.
        found: Clusters of the map now.
    """
    sides = np.array([0 if c.side == "long" else 1 for c in found], np.int64)
    first, last = (
        np.array([round(position_of(price)) for price in prices], np.int64)
        for prices in ([c.floor for c in found], [c.top for c in found])
    )
    sure = interval(coin_view, map_filter, sides, first, last)
    return [
        replace(
            c, low=c.notional * float(sure.low[i]), high=c.notional * float(sure.high[i]),
            measured=float(sure.measured[i]),
        )
        for i, c in enumerate(found)
        if c.notional * float(sure.own[i]) > c.ground
    ]  # fmt: skip


def expected_fill(concentration: float | None) -> tuple[float, float]:
    """Return the share of a cluster that may be expected to fire, as a range. An assumption.

    Concentration is the chance that two of its dollars share a holder, so it mixes the ranges of
    `MANY` and `ONE`. Where it is not known, the wider of the two is returned.
    """
    h = 1.0 if concentration is None else concentration
    low, high = (many + (one - many) * h for many, one in zip(MANY, ONE, strict=True))
    return low, high


def with_concentration(
    coin_view: CoinView, map_filter: MapFilter, found: Sequence[Cluster]
) -> list[Cluster]:
    """Return clusters of now with their concentration, and the share that may fire.

    Args:
        coin_view: The coin.
        map_filter: The part of the map the clusters were found on.
        found: Clusters of the map now; of the past nothing is known.
    """
    kept = [
        (m.entries, _reaches(coin_view, m.estimate, map_filter))
        for m in coin_view.estimated()
        if m.entries is not None and map_filter.takes(m.venue)
    ]
    return [_with_holders(coin_view.now, cluster, kept) for cluster in found]


def _reaches(
    coin_view: CoinView, estimate: Estimate, map_filter: MapFilter
) -> list[LiquidationKernel]:
    """Return how far the chosen classes of a market lay what opens, for longs and for shorts."""
    exposure = estimate.exposure
    fresh = estimate.map_weights(coin_view.now)[:, 0] * map_filter.tier_mask()[exposure.basis.tiers]
    own = exposure.spec.own
    return [liquidation_kernel(exposure.basis, side, fresh[side], own) for side in (0, 1)]


def _with_holders(
    at: int, cluster: Cluster, kept: list[tuple[EntryConcentration, list[LiquidationKernel]]]
) -> Cluster:
    start, stop = (round(position_of(price)) for price in (cluster.floor, cluster.top))
    side = 0 if cluster.side == "long" else 1
    total = HHISums()
    for entries, reaches in kept:
        total = total.with_(entries.moments(start, stop, reaches[side], at))
    h = total.concentration
    return replace(cluster, concentration=h, expected_fill=expected_fill(h))


def _saddle(flank: Floats, height: float) -> float:
    """Return the lowest relief on the way from a peak to the first that is higher, 0 for none."""
    higher = np.flatnonzero(flank > height)
    return float(flank[: higher[0] + 1].min()) if len(higher) else 0.0


def _peaks(relief: Floats) -> list[int]:
    """Return the bins that are the highest about them, those that stand out most first."""
    if not len(relief):
        return []
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(relief, APART // 2, constant_values=-np.inf), APART // 2 * 2 + 1
    )
    highest = np.flatnonzero((relief > 0) & (relief >= around.max(axis=1)))
    return highest[np.argsort(-relief[highest], kind="stable")].tolist()


def _stands_out(relief: Floats, peak: int) -> bool:
    """Return whether a peak is clear of the next higher one."""
    height = float(relief[peak])
    saddle = max(_saddle(relief[peak::-1], height), _saddle(relief[peak:], height))
    return height - saddle >= PROMINENCE * height


def _extent(relief: Floats, peak: int, taken: NDArray[np.bool_]) -> tuple[int, int]:
    """Return [start, stop) of the bins around a peak that stand out with it, not yet taken."""
    least = EDGE * relief[peak]
    start = stop = peak
    while start > max(peak - WIDEST, 0) and relief[start - 1] >= least and not taken[start - 1]:
        start -= 1
    end = min(peak + WIDEST, len(relief) - 1)
    while stop < end and relief[stop + 1] >= least and not taken[stop + 1]:
        stop += 1
    return start, stop + 1


def _stretches(raw: Floats, base: Floats) -> list[tuple[int, int]]:
    """Return [start, stop) of the bins of each cluster of a side, those that stand out most first.

    Args:
        raw: Dollars by bin, shape (bins,).
        base: Their ground.
    """
    relief = mean(mean(raw - base, SMOOTH), SMOOTH)
    least = LEAST * float(raw.sum())
    taken = np.zeros(len(raw), np.bool_)
    found: list[tuple[int, int]] = []
    for peak in _peaks(relief):
        if taken[peak] or not _stands_out(relief, peak):
            continue
        start, stop = _extent(relief, peak, taken)
        mass, under = float(raw[start:stop].sum()), float(base[start:stop].sum())
        if mass >= least and mass >= TIMES * under:
            taken[start:stop] = True
            found.append((start, stop))
    return found


def _cluster(
    profile: PriceProfile, side: int, start: int, stop: int, under: float, mark: float
) -> Cluster:
    inside = profile.dollars[:, side, start:stop]
    tiers = inside.sum(axis=1)
    density = inside.sum(axis=0)
    floor, top = (price_of(profile.base + b) for b in (start, stop))
    near = top if side == 0 else floor
    return Cluster(
        side="long" if side == 0 else "short",
        floor=floor,
        top=top,
        peak=price_of(profile.base + start + int(density.argmax()) + 0.5),
        notional=float(tiers.sum()),
        ground=under,
        distance=near / mark - 1,
        tier=TIER_NAMES[int(tiers.argmax())],
        tiers={str(t): float(m) for t, m in zip(TIER_NAMES, tiers, strict=True)},
        age=math.nan,
    )


def within_reach(profile: PriceProfile, mark: float) -> tuple[slice, slice]:
    """Return the bins of a map in which clusters of longs and of shorts are looked for."""
    centre = bin_of(mark) - profile.base
    reach, count = int(REACH / BIN), profile.dollars.shape[2]
    ends = (centre - reach, centre + 1), (centre, centre + reach)
    long, short = (slice(max(low, 0), max(min(high, count), 0)) for low, high in ends)
    return long, short


def standing(profile: PriceProfile, mark: float) -> list[Cluster]:
    """Return all clusters of a map, in no order that matters.

    The ground is found over all prices of the map, beyond those in reach too.

    Args:
        profile: The map.
        mark: Current mark, > 0.
    """
    sides = profile.by_side()
    under = ground(sides, BIN)
    return [
        _cluster(
            profile, side, part.start + start, part.start + stop,
            float(under[side, part][start:stop].sum()), mark,
        )
        for side, part in enumerate(within_reach(profile, mark))
        for start, stop in _stretches(sides[side, part], under[side, part])
    ]  # fmt: skip


def foremost(found: Iterable[Cluster], most: int = MOST) -> list[Cluster]:
    """Return the clusters of each side that matter most: longs, then shorts, nearest first.

    Args:
        found: Any clusters.
        most: How many a side.
    """
    ranked = sorted(found, key=lambda c: -(c.notional - c.ground) / (abs(c.distance) + NEAR))
    sides = ([c for c in ranked if c.side == side][:most] for side in ("long", "short"))
    return [c for side in sides for c in sorted(side, key=lambda c: abs(c.distance))]


def clusters(profile: PriceProfile, mark: float, most: int = MOST) -> list[Cluster]:
    """Return the clusters of each side that matter most; see `standing` and `foremost`."""
    return foremost(standing(profile, mark), most)
