"""For how long a price has held what it holds, looked up in the rings' columns.

Trap: a chart asks for the age of some twenty clusters every second, and most of a ring is packed.
So blocks are passed over by the least they hold; only one that may hold too little is looked into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import SECOND, Floats
from powderkeg.grid import bin_of
from powderkeg.maps.heatmap.block_codec import BLOCK
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter
from powderkeg.maps.heatmap.ring import FILLED, ROWS, Ring
from powderkeg.maps.heatmap.scale import DOLLARS

SLACK = 1e-9
"""Sums of the same dollars in another order differ by less, as a fraction."""


def age_of(coin_view: CoinView, map_filter: MapFilter, price: float) -> float:
    """Return for how many seconds a price has held at least half of what it holds now.

    Looked up in the finest columns that reach back far enough; the time known where none does, and
    NaN where it holds less than can be stored.
    """
    age = math.nan
    for step in sorted(coin_view.prices):
        rings = [k.rings[step] for k in coin_view.estimated() if map_filter.takes(k.venue)]
        rings = [ring for ring in rings if ring.last >= 0]
        if not rings:
            continue
        last = max(ring.last for ring in rings)
        oldest = last - min(ring.size for ring in rings) + 1
        now = float(_held(rings, last, last, price, map_filter)[0][0])
        if not now > 0:
            continue
        since = _since(rings, oldest, last, price, map_filter, now / 2)
        age = (last + 1 - since) * step / SECOND
        if since > oldest and _held(rings, since - 1, since - 1, price, map_filter)[1][0]:
            break
    return age


def _since(
    rings: Sequence[Ring], oldest: int, last: int, price: float, map_filter: MapFilter, half: float
) -> int:
    """Return the first column after the last that holds less than half."""
    blocks = np.arange(last // BLOCK, oldest // BLOCK - 1, -1)
    floors = np.zeros(len(blocks))
    for ring in rings:
        least = ring.least(blocks, bin_of(price) // ring.per_row)
        floors += DOLLARS[least][:, map_filter.tier_mask()].sum(axis=1) * ring.unit
    for block in blocks[floors < half * (1 + SLACK)].tolist():
        low, high = max(oldest, block * BLOCK), min(last, block * BLOCK + BLOCK - 1)
        below = np.flatnonzero(_held(rings, low, high, price, map_filter)[0] < half)
        if len(below):
            return low + int(below[-1]) + 1
    return oldest


def _held(
    rings: Sequence[Ring], low: int, high: int, price: float, map_filter: MapFilter
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the dollars at a price in columns `low` to `high` of one block, all rings together.

    Also returns in which columns any ring knows.
    """
    total, known = np.zeros(high - low + 1), np.zeros(high - low + 1, np.bool_)
    for ring in rings:
        slots = np.arange(low, high + 1) % ring.size
        absolute = bin_of(price) // ring.per_row
        rows = absolute - ring.firsts[slots]
        inside = np.arange(low, high + 1) <= ring.last
        inside &= (ring.states[slots] == FILLED) & (rows >= 0) & (rows < ROWS)
        block = low // BLOCK
        dollars = DOLLARS[ring.row(block, absolute)[low - block * BLOCK : high + 1 - block * BLOCK]]
        front = inside & (rows == ring.fronts[slots])  # the mark's row is kept by side
        dollars[front] = DOLLARS[ring.edges[slots[front]]][:, map_filter.side_mask()].sum(axis=1)
        total[inside] += dollars[inside][:, map_filter.tier_mask()].sum(axis=1) * ring.unit
        known |= inside
    return total, known
