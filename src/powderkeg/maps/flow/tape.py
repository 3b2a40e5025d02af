"""The tape: merged prints and reported liquidations, newest last."""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.flow.coin import Liquidated
from powderkeg.flow.tape.prints import MergedPrint
from powderkeg.maps.field_types import ByteArray, Float32Array, Float64Array, IndexArray
from powderkeg.maps.flow.flow_view import FlowView, venue_of
from powderkeg.maps.flow.queries import TapeQuery

PRINT, LARGE, LONG, SHORT = range(4)
_LIQUIDATED: Final = {"long": LONG, "short": SHORT}


class Tape(Struct, frozen=True, kw_only=True):
    """Prints of one taker each, and liquidations; each array has one element a row."""

    markets: list[str]
    """Venue and symbol of each market on the tape."""
    time: Float64Array
    """Time of the last print merged, µs UTC."""
    market: IndexArray
    """Index into `markets`."""
    price: Float64Array
    """Mean price paid; of a liquidation the price reported, quote currency."""
    size: Float32Array
    """Base coin, negative where a seller took; 0 or more of liquidations."""
    notional: Float32Array
    """Price times size, quote currency."""
    count: IndexArray
    """Number of prints merged, up to 65535; 0 of a liquidation."""
    mark: ByteArray
    """Number: 0 a print, 1 a large one, 2 a liquidated long, 3 a liquidated short."""
    large: float
    """Notional from which a print is large, quote currency."""
    counted: int
    """Number of merged prints of the last day that the limit of large ones rests on."""
    merged_within: float
    """Seconds within which prints of one market and side are merged."""


_Row = tuple[int, str, float, float, float, int, int]
"""Time, market, price, signed size, notional, prints, mark."""


def tape_of(flow_view: FlowView, query: TapeQuery) -> Tape:
    """Return the newest prints and liquidations of a coin, oldest first."""
    flow = flow_view.flow
    large = flow.scale.threshold()
    rows = [_print(each, large) for each in flow.prints if each.end > query.since]
    rows += [_liquidated(each) for each in flow.liquidated if each.time > query.since]
    kept = [
        row
        for row in sorted(rows, key=lambda row: row[0])
        if abs(row[3]) >= query.least and (not query.venues or venue_of(row[1]) in query.venues)
    ][-query.limit :]
    markets = sorted({row[1] for row in kept})
    return Tape(
        markets=markets,
        time=np.array([row[0] for row in kept], np.float64),
        market=np.array([markets.index(row[1]) for row in kept], np.uint16),
        price=np.array([row[2] for row in kept], np.float64),
        size=np.array([row[3] for row in kept], np.float32),
        notional=np.array([row[4] for row in kept], np.float32),
        count=np.array([min(row[5], 65_535) for row in kept], np.uint16),
        mark=np.array([row[6] for row in kept], np.uint8),
        large=large,
        counted=flow.scale.count,
        merged_within=flow.scale.rules.merge / 1e6,
    )


def _print(each: MergedPrint, large: float) -> _Row:
    size = each.size if each.side == "buy" else -each.size
    mark = LARGE if each.notional >= large else PRINT
    return each.end, each.market, each.price, size, each.notional, each.count, mark


def _liquidated(each: Liquidated) -> _Row:
    notional = each.price * each.size
    return each.time, each.market, each.price, each.size, notional, 0, _LIQUIDATED[each.side]
