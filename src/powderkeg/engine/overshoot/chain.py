"""Chains: clusters that stand behind one another, and whether one would carry price to the next.

The coefficient of a link is what is sold at once over what rests in the gap to the next cluster;
from one on, the gap does not absorb it.

Source: docs/risk.md, "Chains".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

CARRIES: Final = 1.0
"""Coefficient from which a link carries."""


class Link(Struct, frozen=True):
    """One cluster, and what leads to it."""

    near: float
    """Its edge that price meets first, quote currency."""
    far: float
    """Its other edge, quote currency."""
    notional: float
    """Notional inside, quote currency."""
    cumulative: float
    """Notional of all clusters up to it, quote currency."""
    resting: float
    """Notional that rests in the gap before it, quote currency."""
    coefficient: float
    """What is traded at once before the gap over what rests in it, a ratio; infinite where nothing
    rests."""
    carried: bool
    """Whether it and all links before it carry."""


class Chain(Struct, frozen=True):
    """Stacked clusters in the order price meets them."""

    links: tuple[Link, ...]
    length: int
    """Number of clusters that would be reached in a row."""

    @property
    def cumulative(self) -> float:
        """Notional of the clusters that would be reached, quote currency."""
        return self.links[self.length - 1].cumulative if self.length else 0.0


def chain(
    price: float,
    order: float,
    clusters: Sequence[tuple[float, float, float]],
    resting: Callable[[float, float], float],
) -> Chain:
    """Return the chain of clusters from a price outward.

    Args:
        price: Where it begins.
        order: Notional of the market order that begins it, quote currency; NaN where price is taken
            to have reached the first cluster already.
        clusters: Near edge, far edge and notional of each, in the order price meets them.
        resting: Notional that rests between two prices, and is expected to be refilled.
    """
    links: list[Link] = []
    begun, sold, total, carried, length = price, order, 0.0, True, 0
    for near, far, notional in clusters:
        depth = 0.0 if math.isnan(sold) else resting(begun, near)
        coefficient = math.inf if math.isnan(sold) or depth <= 0 else sold / depth
        carried = carried and coefficient >= CARRIES
        length += carried
        total += notional
        links.append(Link(near, far, notional, total, depth, coefficient, carried))
        begun, sold = far, notional
    return Chain(tuple(links), length)
