"""Comparison of two models: why two tools show different maps of the same market."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.events import Floats
from powderkeg.grid import BIN, PriceRows, centres
from powderkeg.maps.field_types import Float32Array
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter
from powderkeg.maps.heatmap.scale import FLOOR
from powderkeg.maps.views.answers import PriceAxis

REACH = 0.1
"""How far from the mark shapes are compared: where most is known."""
OCTAVES = 5.0
"""A cell's byte is 128 for equal, 255 or 1 where a model has 32 times the other's dollars."""


class ModelTotals(Struct, frozen=True):
    """An amount of each model."""

    calibrated: float
    """Dollars of the calibrated map."""
    static: float
    """Dollars of the static map."""


class Comparison(PriceAxis, frozen=True, eq=False, kw_only=True):
    """The map now under two models, on the rows of a span's heatmap."""

    ours: Float32Array
    """Dollars by row of the calibrated map, both sides, shape (rows,)."""
    theirs: Float32Array
    """Dollars by row of the static map: each trade at 100x, 50x, 25x and 10x, never closed, its
    scale learned."""
    totals: ModelTotals
    """Dollars of each within 10 % of the mark."""
    overlap: float | None
    """Fraction the two have in common within 10 %, both scaled to one; null where one is empty."""
    distance: float | None
    """Earth mover's distance within 10 %, % of price; null where one is empty."""
    why: list[str]
    """What makes them differ, a sentence each."""


def pair(coin_view: CoinView, map_filter: MapFilter, at: int) -> tuple[Floats, Floats, int]:
    """Return both maps by absolute bin, both sides summed, and the first bin."""
    slabs = [
        past.price_profile_at(coin_view, replace(map_filter, model=m), at)
        for m in ("calibrated", "static")
    ]
    known = [profile for profile in slabs if profile.dollars.shape[2]]
    low = min((profile.base for profile in known), default=0)
    high = max((profile.base + profile.dollars.shape[2] for profile in known), default=0)
    out = np.zeros((2, high - low))
    for row, profile in zip(out, slabs, strict=True):
        start = profile.base - low if profile.dollars.shape[2] else 0
        row[start : start + profile.dollars.shape[2]] = profile.by_side().sum(axis=0)
    return out[0], out[1], low


def compare(
    coin_view: CoinView, map_filter: MapFilter, at: int, mark: float, rows: PriceRows
) -> Comparison:
    """Return two models side by side.

    Args:
        coin_view: The coin.
        map_filter: Which venues, tiers and side; its model is ignored.
        at: µs to look back to; 0 means now.
        mark: Mark at that time.
        rows: Rows to sum both maps on.
    """
    ours, theirs, low = pair(coin_view, map_filter, at)
    prices = centres(low, len(ours))
    near = np.abs(prices / mark - 1) <= REACH
    a, b = ours[near], theirs[near]
    both = a.sum() > 0 and b.sum() > 0
    calibrated = not all(market.estimate.prior_only for market in coin_view.estimated())
    return Comparison(
        p0=rows.p0,
        dp=rows.dp,
        rows=rows.count,
        ours=rows.sums(ours, low),
        theirs=rows.sums(theirs, low),
        totals=ModelTotals(float(a.sum()), float(b.sum())),
        overlap=float(np.minimum(a / a.sum(), b / b.sum()).sum()) if both else None,
        distance=_distance(a, b) if both else None,
        why=_reasons(a, b, prices[near] / mark - 1, calibrated=calibrated) if both else [],
    )


def difference(ours: Floats, theirs: Floats, unit: float = 1.0) -> NDArray[np.uint8]:
    """Return dollars of two models as one byte a cell: above 128 ours has more; 0 is neither.

    What counts as nothing is less than the floor of the money scale in its unit.
    """
    floor = FLOOR * unit
    octaves = np.log2((ours + floor) / (theirs + floor))
    bytes_ = np.rint(128 + 127 * np.clip(octaves / OCTAVES, -1, 1)).astype(np.uint8)
    return np.where((ours < floor) & (theirs < floor), np.uint8(0), bytes_)


def _distance(a: Floats, b: Floats) -> float:
    return float(np.abs(np.cumsum(a / a.sum() - b / b.sum())).sum() * BIN * 100)


def _reasons(ours: Floats, theirs: Floats, distance: Floats, *, calibrated: bool) -> list[str]:
    """Return the differences in words, a sentence each."""
    reach = [float((np.abs(distance) * x).sum() / x.sum()) for x in (ours, theirs)]
    near = [float(x[np.abs(distance) <= 0.02].sum() / x.sum()) for x in (ours, theirs)]
    factor = float(theirs.sum() / ours.sum())
    scale = (
        "its scale is fitted to the same liquidations"
        if calibrated
        else "neither has learned its scale from liquidations here yet"
    )
    closing = (
        f"The static map never closes a position. It holds {factor:.2g} times our dollars within "
        f"10 %; {scale}."
    )
    places = (
        f"Mass lies {reach[0]:.1%} from the mark on average here, {reach[1]:.1%} there: ours has "
        "learned distances and holding times where the static map has four fixed distances."
    )
    return [
        closing, places, f"{near[0]:.0%} of ours and {near[1]:.0%} of theirs is within 2 %.",
    ]  # fmt: skip
