"""The tape: merged prints and reported liquidations, newest last."""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.flow.coin import PRINTS, CoinFlow
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


_ROW: Final = np.dtype(
    [
        ("time", np.int64), ("market", np.uint16), ("price", np.float64), ("size", np.float64),
        ("notional", np.float64), ("count", np.int64), ("mark", np.uint8),
    ]
)  # fmt: skip
_MOST: Final = 65_535


def tape_of(flow_view: FlowView, query: TapeQuery, after: tuple[int, int] | None = None) -> Tape:
    """Return the newest prints and liquidations of a coin, oldest first.

    Args:
        flow_view: The coin.
        query: Which of them.
        after: Only what was added after so many prints and liquidations; their times do not say,
            because a print may be complete, or received, after one that ended later.
    """
    flow = flow_view.flow
    fresh = (PRINTS, PRINTS)
    if after is not None:
        fresh = flow.prints.total - after[0], flow.reported - after[1]
    markets = sorted({*flow.prints.markets, *(each.market for each in flow.liquidated)})
    large = flow.scale.threshold()
    rows = np.concatenate(
        [
            _last(_prints(flow, markets, large), fresh[0]),
            _last(_liquidated(flow, markets), fresh[1]),
        ]
    )
    wanted = [not query.venues or venue_of(market) in query.venues for market in markets]
    kept = (rows["time"] > query.since) & (np.abs(rows["size"]) >= query.least)
    kept &= np.array([*wanted, False])[rows["market"]]  # one more, for a coin without a market
    rows = rows[kept]
    rows = rows[np.argsort(rows["time"], kind="stable")][-query.limit :]
    shown, numbers = np.unique(rows["market"], return_inverse=True)
    return Tape(
        markets=[markets[n] for n in shown],
        time=rows["time"].astype(np.float64),
        market=numbers.astype(np.uint16),
        price=rows["price"].copy(),
        size=rows["size"].astype(np.float32),
        notional=rows["notional"].astype(np.float32),
        count=np.minimum(rows["count"], _MOST).astype(np.uint16),
        mark=rows["mark"].copy(),
        large=large,
        counted=flow.scale.count,
        merged_within=flow.scale.rules.merge / 1e6,
    )


def _last(rows: NDArray[np.void], count: int) -> NDArray[np.void]:
    return rows[max(len(rows) - count, 0) :]


def _prints(flow: CoinFlow, markets: list[str], large: float) -> NDArray[np.void]:
    prints = flow.prints.rows()
    out = np.empty(len(prints), _ROW)
    places = np.array([markets.index(name) for name in flow.prints.markets] or [0])
    out["time"], out["market"] = prints["end"], places[prints["market"]]
    out["price"] = prints["notional"] / prints["size"]
    out["size"] = np.where(prints["bought"], prints["size"], -prints["size"])
    out["notional"], out["count"] = prints["notional"], prints["count"]
    out["mark"] = np.where(prints["notional"] >= large, LARGE, PRINT)
    return out


def _liquidated(flow: CoinFlow, markets: list[str]) -> NDArray[np.void]:
    rows = [
        (
            each.time, markets.index(each.market), each.price, each.size, each.price * each.size, 0,
            _LIQUIDATED[each.side],
        )
        for each in flow.liquidated
    ]  # fmt: skip
    return np.array(rows, _ROW)
