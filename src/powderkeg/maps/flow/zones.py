"""Resting orders by minute and row of price, and the clusters that they shield."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats
from powderkeg.flow.books.window import ASK, BID, Levels
from powderkeg.flow.books.zones import ZoneCells, ZoneColumns, added_up, coalesce, shield_of
from powderkeg.flow.thresholds import DEFAULT
from powderkeg.maps.field_types import ByteArray, Float32Array, Float64Array, IndexArray
from powderkeg.maps.flow.flow_view import FlowView, venue_of
from powderkeg.maps.flow.queries import ZonesQuery
from powderkeg.maps.views.clusters import Cluster
from powderkeg.venues import spec_of

_RULES: Final = DEFAULT.zones
_ROUNDING: Final = 1e-9


class Zones(Struct, frozen=True, kw_only=True):
    """Runs of minutes in which what rested at a row stayed alike; largest sizes first kept.

    Bids are rounded down to a row and asks up. Each array of a run has one element a run, by start;
    rows in which nothing rested are in none.
    """

    step: float
    """Height of a row, quote currency: the height asked for, or a multiple of the one kept."""
    first: int
    """Number of the lowest row: its price is ``first * step``."""
    rows: int
    """Number of rows."""
    t0: int
    """Start of the first column, µs UTC."""
    column: int
    """Length of a column, µs."""
    cols: int
    """Number of columns; of minutes without a book nothing is known."""
    markets: list[str]
    """Venue and symbol of the books that are added up."""
    side: ByteArray
    """Number: 0 bids, 1 asks."""
    row: IndexArray
    """Number of the row, counted from the lowest."""
    start: IndexArray
    """Number of the run's first column."""
    length: IndexArray
    """Number of its columns."""
    mean: Float32Array
    """Mean over the time in which the row was visible, base coin."""
    peak: Float32Array
    """No more than that rested at one time: the sum of the books' greatest, base coin."""
    lowest: Float64Array
    """Price of the lowest visible row of each column, quote currency; null where none was."""
    highest: Float64Array
    """Price of the highest visible row of each column, quote currency; null where none was."""
    left_out: int
    """Number of the smallest runs that were left out, see `limit`."""


class ZoneBooks(Struct, frozen=True):
    """What the books kept, copied: the answer is computed from it in any thread."""

    cells: list[ZoneCells]
    markets: list[str]
    price: float
    until: int
    """µs: end of the last column."""


class ShieldedCluster(Struct, frozen=True):
    """A cluster of the map, and what rests within its band on the side its orders take from."""

    side: Literal["long", "short"]
    """Side of the positions."""
    floor: float
    """Lower edge, quote currency."""
    top: float
    """Upper edge, quote currency."""
    notional: float
    """Positions that would be liquidated, estimated, dollars."""
    resting: float
    """Notional that rests within the band, quote currency."""
    complete: bool
    """Whether every book reaches beyond the band; else what rests is a lower bound."""
    state: Literal["shielded", "exposed", "unknown"]
    """Shielded from half the cluster on; unknown where less is seen and a book ends before."""


def zone_books(flow_view: FlowView, query: ZonesQuery) -> ZoneBooks:
    """Return a copy of what the books of a coin kept."""
    flow, span = flow_view.flow, _RULES.column
    until = (max(flow_view.now - 1, 0) // span + 1) * span
    books = [
        (name, flow.zones[number].kept(until - query.minutes * span))
        for number, name in enumerate(flow.books)
        if not query.venues or venue_of(name) in query.venues
    ]
    known = [(name, cells) for name, cells in books if len(cells.times)]
    return ZoneBooks(
        [cells for _, cells in known], [name for name, _ in known], flow_view.price, until
    )


def zones_of(books: ZoneBooks, query: ZonesQuery) -> Zones:
    """Return the zones of books."""
    step = _height([cells.step for cells in books.cells], query.row)
    middle = query.centre or (books.price if books.price > 0 else 0.0)
    first = round(middle / step) - query.rows // 2
    summed = added_up(books.cells, step, first, query.rows)
    runs = coalesce(summed)
    order = np.sort(np.argsort(-runs.mean, kind="stable")[: query.limit])
    t0 = books.until - query.minutes * _RULES.column
    start, stop = ((each[order] - t0) // _RULES.column for each in (runs.start, runs.stop))
    lowest, highest = _visible(summed, t0, query.minutes)
    return Zones(
        step=step,
        first=first,
        rows=query.rows,
        t0=t0,
        column=_RULES.column,
        cols=query.minutes,
        markets=books.markets,
        side=runs.side[order].astype(np.uint8),
        row=(runs.row[order] - first).astype(np.uint16),
        start=start.astype(np.uint16),
        length=(stop - start).astype(np.uint16),
        mean=runs.mean[order].astype(np.float32),
        peak=runs.peak[order].astype(np.float32),
        lowest=lowest,
        highest=highest,
        left_out=len(runs.start) - len(order),
    )


def _height(kept: Sequence[float], wanted: float) -> float:
    """Return the height wanted, as a multiple of the one kept: a row cannot be split."""
    if not kept:
        return wanted or 1.0
    return kept[0] * max(math.ceil(wanted / kept[0] - _ROUNDING), 1)


def _visible(summed: ZoneColumns, t0: int, cols: int) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price at which a book was visible, by column."""
    out = np.full((2, cols), np.nan)
    seen = ~np.isnan(summed.mean)
    columns = (summed.times - t0) // _RULES.column
    rows = summed.first + np.arange(seen.shape[2])
    for side, far in ((BID, np.min), (ASK, np.max)):
        for column, row in zip(columns.tolist(), seen[:, side], strict=True):
            if row.any():
                out[side, column] = far(rows[row]) * summed.step
    return out[BID], out[ASK]


def shields_of(
    flow_view: FlowView, venues: tuple[str, ...], found: Sequence[Cluster]
) -> list[ShieldedCluster]:
    """Return what rests before each cluster, the nearest first."""
    books: list[tuple[Levels, Levels]] = [
        (book.depth("buy"), book.depth("sell"))
        for book in flow_view.books()
        if book.status == "live" and _takes(book.market, venues)
    ]
    price = flow_view.price
    near = sorted(found, key=lambda each: abs(each.peak - price)) if price > 0 else []
    return [_shielded(books, cluster) for cluster in near if cluster.notional > 0]


def _takes(market: str, venues: tuple[str, ...]) -> bool:
    """Return whether liquidations of chosen venues are closed in the book of a market."""
    venue = venue_of(market)
    return spec_of(venue).leveraged and (not venues or venue in venues)


def _shielded(books: Sequence[tuple[Levels, Levels]], cluster: Cluster) -> ShieldedCluster:
    shield = shield_of(books, cluster.side, cluster.floor, cluster.top, cluster.notional)
    return ShieldedCluster(
        cluster.side, cluster.floor, cluster.top, cluster.notional, shield.passive,
        shield.complete, shield.verdict or "unknown",
    )  # fmt: skip
