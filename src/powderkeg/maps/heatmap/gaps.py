"""Which columns of a map know nothing, or not of every venue."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter

Spans: TypeAlias = list[tuple[int, int]]
"""First column of each stretch, and the first after it."""


def gap_spans(
    coin_view: CoinView, map_filter: MapFilter, step: int, until: int, columns: int
) -> tuple[Spans, Spans]:
    """Return the columns in which every chosen market lay inside a gap, and those where some did.

    Args:
        coin_view: The coin.
        map_filter: Which venues.
        step: Length of a column, µs.
        until: Number of the last column.
        columns: How many.
    """
    lost = [
        market.rings[step].gaps(until, columns)
        for market in coin_view.estimated()
        if map_filter.takes(market.venue)
    ]
    if not lost:
        return [], []
    every, some = np.all(lost, axis=0), np.any(lost, axis=0)
    return _spans(every), _spans(some & ~every)


def filled(
    coin_view: CoinView, map_filter: MapFilter, step: int, until: int, columns: int
) -> NDArray[np.bool_]:
    """Return the columns in which any chosen market is drawn, shape (columns,).

    Args:
        coin_view: The coin.
        map_filter: Which venues, and whose map.
        step: Length of a column, µs.
        until: Number of the last column.
        columns: How many.
    """
    out = np.zeros(columns, np.bool_)
    for market in coin_view.estimated():
        ring = market.rings[step] if map_filter.model == "calibrated" else market.static_ring
        if map_filter.takes(market.venue) and ring is not None and ring.step == step:
            known = ring.known() - (until - columns + 1)
            out[known[(known >= 0) & (known < columns)]] = True
    return out


def _spans(lost: NDArray[np.bool_]) -> Spans:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], lost, [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
