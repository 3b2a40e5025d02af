"""Clusters as a plan needs them, and what would be liquidated between two prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats, PositionSide

LARGE: Final = 90.0
"""Percentile of notional from which a cluster is large."""
SIDES: Final[tuple[PositionSide, PositionSide]] = ("long", "short")


class PriceCluster(Struct, frozen=True):
    """Prices at which many positions of one side would be liquidated."""

    side: PositionSide
    """Whose positions."""
    floor: float
    """Lowest price, quote currency."""
    top: float
    """Highest price, quote currency."""
    notional: float
    """Notional inside, quote currency."""

    def near(self, price: float) -> float:
        """Return the edge that is nearer to a price; the price itself where it lies inside."""
        return min(max(price, self.floor), self.top)


class Fuel(Struct, frozen=True, eq=False):
    """Notional that would be liquidated, by price."""

    edges: Floats
    """Edges of the bins, rising, quote currency, shape (n + 1,)."""
    dollars: Floats
    """Notional of longs and of shorts by bin, quote currency, shape (2, n)."""

    def between(self, side: PositionSide, one: float, other: float) -> float:
        """Return the notional of a side between two prices; a bin is split where an end cuts it."""
        running = np.concatenate(([0.0], np.cumsum(self.dollars[SIDES.index(side)])))
        low, high = np.interp(sorted((one, other)), self.edges, running)
        return float(high - low)


def fuel_of(clusters: Sequence[PriceCluster]) -> Fuel:
    """Return what clusters hold by price, each evenly spread over its own prices."""
    edges = np.unique([edge for c in clusters for edge in (c.floor, c.top)] or [0.0, 1.0])
    dollars = np.zeros((2, len(edges) - 1))
    for cluster in clusters:
        inside = (edges[:-1] >= cluster.floor) & (edges[1:] <= cluster.top)
        width = np.where(inside, np.diff(edges), 0.0)
        if width.sum() > 0:
            dollars[SIDES.index(cluster.side)] += cluster.notional * width / width.sum()
    return Fuel(edges, dollars)


def large_from(clusters: Iterable[PriceCluster]) -> float:
    """Return the notional from which a cluster is large among others, quote currency."""
    held = [cluster.notional for cluster in clusters]
    return float(np.percentile(held, LARGE)) if held else 0.0
