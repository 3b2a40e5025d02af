"""Clusters that are followed: one identity from map to map, and what price has swept of them.

A large cluster that price comes near to is kept as it stood then: its edges and its dollars by
price no longer follow the map, because the map empties what price passes. What has fired is
estimated: the dollars that lie between its near edge and the farthest price reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, SECOND, Floats, PositionSide
from powderkeg.signals.thresholds import DEFAULT, ClusterRules

HISTORY: Final = 300
"""Maps of which the notional of a cluster is remembered."""


class Stretch(Struct, frozen=True):
    """A cluster of one map."""

    side: PositionSide
    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    notional: float
    """Dollars."""
    dollars: tuple[float, ...]
    """By equal slices of price from the floor up; at least one."""


class Zone:
    """One cluster that is followed."""

    __slots__ = (
        "begun", "farthest", "floor", "frozen", "held", "id", "nearest", "notional", "past",
        "placebo", "rank", "running", "side", "swept", "top",
    )  # fmt: skip

    def __init__(self, stretch: Stretch, now: int, rank: float) -> None:
        """Start to follow a cluster at `now`, µs."""
        self.side: PositionSide = stretch.side
        self.id = f"{stretch.side}-{stretch.floor:.6g}-{now // SECOND}"
        self.begun = now
        """When it was first followed, µs."""
        self.frozen = 0
        """Since when it is kept as it stood, µs; 0 while it follows the map."""
        self.nearest = math.inf
        """Least distance of price since it was frozen, fraction of price."""
        self.farthest = math.nan
        """Price that reached furthest into it since it was frozen; its near edge before that."""
        self.swept = 0.0
        """Share of its dollars that price has passed since it was frozen."""
        self.past: list[tuple[int, float]] = []
        """Its notional at the last maps: time, µs, and dollars."""
        self.held = False
        """Whether it is kept as it stood however far price goes: a chain that it began runs on."""
        self.placebo = False
        """Whether it is a level without a cluster, followed for comparison."""
        self.update(stretch, rank)

    def update(self, stretch: Stretch, rank: float) -> None:
        """Take over a cluster of a newer map."""
        self.floor, self.top = stretch.floor, stretch.top
        """Its edges, quote currency."""
        self.notional = stretch.notional
        """Dollars."""
        self.rank = rank
        """Percentile of its notional; NaN where not known."""
        running = np.concatenate(([0.0], np.cumsum(stretch.dollars)))
        self.running: Floats = running / running[-1]
        """Share of its dollars below each slice of price, from 0 to 1, shape (slices + 1,)."""

    @property
    def near(self) -> float:
        """The edge that price comes to first, quote currency."""
        return self.top if self.side == "long" else self.floor

    @property
    def far(self) -> float:
        """The other edge."""
        return self.floor if self.side == "long" else self.top

    def beyond(self, edge: float, part: float) -> float:
        """Return a price that lies a fraction of an edge further out; before it if negative."""
        return edge * (1 - part if self.side == "long" else 1 + part)

    def reached(self, price: float, level: float) -> bool:
        """Return whether a price is at a level or further out."""
        return price <= level if self.side == "long" else price >= level

    def distance(self, price: float) -> float:
        """Return how far price is from the near edge, a fraction of it; negative inside."""
        away = price / self.near - 1
        return away if self.side == "long" else self.near / price - 1

    def outside(self, price: float) -> float:
        """Return how far price is from the cluster, on whichever side; 0 inside."""
        return max(self.floor / price - 1, price / self.top - 1, 0.0)

    def look(
        self, now: int, price: float, extremes: tuple[float, float], rules: ClusterRules
    ) -> float:
        """Note what price did to it, and return its distance.

        Args:
            now: µs.
            price: Quote currency.
            extremes: Lowest and highest price since the last look.
            rules: Thresholds.
        """
        away = self.distance(price)
        near = self.outside(price) <= rules.freeze
        if not self.frozen and near and self.rank >= rules.rank:
            self.frozen, self.nearest, self.swept, self.farthest = now, away, 0.0, self.near
        elif self.frozen and not self.held and self.outside(price) > rules.release:
            self.frozen = 0
        if self.frozen:
            extreme = extremes[0] if self.side == "long" else extremes[1]
            self.nearest = min(self.nearest, self.distance(extreme))
            if extreme != self.farthest and self.reached(extreme, self.farthest):
                self.farthest, self.swept = extreme, self.share_to(extreme)
        return away

    def share_to(self, price: float) -> float:
        """Return the share of its dollars between the near edge and a price."""
        place = (price - self.floor) / (self.top - self.floor) * (len(self.running) - 1)
        below = float(np.interp(place, np.arange(len(self.running)), self.running))
        return 1 - below if self.side == "long" else below


class Zones:
    """The clusters of a coin that are followed."""

    __slots__ = ("_masses", "_refreshed", "_sampled", "rules", "standing")

    def __init__(self, rules: ClusterRules = DEFAULT.zones) -> None:
        """Start without a cluster."""
        self.rules = rules
        self.standing: list[Zone] = []
        """Longs, then shorts, nearest first."""
        self._masses: list[float] = []
        self._sampled = 0
        self._refreshed = 0

    def due(self, now: int) -> bool:
        """Return whether a newer map is wanted at `now`, µs."""
        span = self.rules.refresh if self.standing else 5 * MINUTE
        return now // span > self._refreshed // span

    def refresh(self, found: Sequence[Stretch], now: int, price: float) -> None:
        """Follow the clusters of a newer map.

        Args:
            found: Its clusters, in any order.
            now: µs.
            price: Quote currency.
        """
        self._refreshed = now
        if now // self.rules.sample > self._sampled:
            self._sampled = now // self.rules.sample
            self.remember(self.near(found, price))
        kept = [zone for zone in self.standing if zone.frozen]
        free = {zone.id: zone for zone in self.standing if not zone.frozen}
        for stretch in sorted(found, key=lambda s: -s.notional):
            if self._away(stretch, price) > self.rules.reach or _covered(stretch, kept, self.rules):
                continue
            match = next((z for z in free.values() if _same(stretch, z, self.rules)), None)
            if match is None:
                kept.append(Zone(stretch, now, self.rank(stretch.notional)))
            else:
                del free[match.id]
                match.update(stretch, self.rank(stretch.notional))
                kept.append(match)
        self.standing = self._nearest(kept, price)
        for zone in self.standing:
            zone.past = [*zone.past[1 - HISTORY :], (now, zone.notional)]

    def near(self, found: Iterable[Stretch], price: float) -> list[float]:
        """Return the notionals, dollars, of those clusters that others are ranked among."""
        release = self.rules.release
        return [each.notional for each in found if self._away(each, price) <= release]

    def recall(self, notionals: Sequence[float]) -> None:
        """Remember notionals of past maps, dollars, instead of those known; none change nothing."""
        if notionals:
            self._masses = list(notionals[-self.rules.memory :])

    def remember(self, notionals: Iterable[float]) -> None:
        """Remember notionals, dollars, that later ones are ranked among."""
        self._masses = [*self._masses, *notionals][-self.rules.memory :]

    def rank(self, notional: float) -> float:
        """Return the percentile of a notional among those remembered; NaN of too few."""
        if len(self._masses) < self.rules.least:
            return math.nan
        known = np.array(self._masses)
        below, equal = (known < notional).sum(), (known == notional).sum()
        return float(100 * (below + equal / 2) / len(known))

    @staticmethod
    def _away(stretch: Stretch, price: float) -> float:
        near = stretch.top if stretch.side == "long" else stretch.floor
        return abs(price / near - 1)

    def _nearest(self, zones: list[Zone], price: float) -> list[Zone]:
        out: list[Zone] = []
        for side in ("long", "short"):
            own = sorted((z for z in zones if z.side == side), key=lambda z: z.distance(price))
            out += own[: self.rules.most]
        return out


def _same(stretch: Stretch, zone: Zone, rules: ClusterRules) -> bool:
    """Return whether a cluster of a newer map is the one followed."""
    common = min(stretch.top, zone.top) - max(stretch.floor, zone.floor)
    least = min(stretch.top - stretch.floor, zone.top - zone.floor)
    return stretch.side == zone.side and common >= rules.overlap * least


def _covered(stretch: Stretch, kept: Sequence[Zone], rules: ClusterRules) -> bool:
    """Return whether a cluster lies where one is kept as it stood."""
    return any(zone.frozen and _same(stretch, zone, rules) for zone in kept)


def mirrored(zone: Zone, price: float) -> Stretch:
    """Return the level that lies as far from price as a cluster, on its other side.

    It is as wide and holds as much, in mirrored order: what becomes of it is what becomes of any
    level at that distance.
    """
    floor, top = (price * price / edge for edge in (zone.top, zone.floor))
    dollars = np.diff(zone.running)[::-1] * zone.notional
    side: PositionSide = "short" if zone.side == "long" else "long"
    return Stretch(side, floor, top, zone.notional, tuple(dollars.tolist()))
