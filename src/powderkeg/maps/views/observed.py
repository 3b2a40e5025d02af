"""The observed layer: real positions, shown beside the estimate and never added to it.

Hyperliquid serves the positions of any account, with its own liquidation price of each. That is a
part of the market, and seldom a typical one, because the watched accounts are selected. So the
layer reports its coverage: the size observed on a side over the open interest of the market.

Traps (docs/model.md, "The observed layer"):
- An account missing from a snapshot has not closed: it is kept, and dropped after `KEEP`.
- 13 to 31 % of real rows have no liquidation price (cross margin): counted as `unplaced`.
- The mark may have passed a price since the snapshot: such a position is liquidated or changed, and
  no longer drawn (`passed`).
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from powderkeg.events import SECOND, Floats
from powderkeg.grid import PriceRows, bins_of
from powderkeg.maps.field_types import Float32Array
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter
from powderkeg.maps.views.answers import PriceAxis, Sides
from powderkeg.market.sightings import ObservedMarket


class SideShares(Struct, frozen=True):
    """A fraction of each side."""

    long: float | None
    """Fraction of longs; null where it is not known."""
    short: float | None
    """Fraction of shorts; null where it is not known."""


class ObservedLevels(PriceAxis, frozen=True, eq=False, kw_only=True):
    """Real positions by the venue's own liquidation price, on the rows of a span's heatmap."""

    long: Float32Array
    """Dollars by row that watched longs would lose there, shape (rows,)."""
    short: Float32Array
    """Dollars by row that watched shorts would lose there, shape (rows,)."""
    dollars: Sides
    """Dollars by side, of all that has a price, on these rows or beyond them."""
    share: SideShares
    """Fraction by side of the open interest that is seen: the coverage."""
    snapshot_age: float | None
    """Seconds since the newest snapshot; null where there was none."""
    accounts: int
    """Number of holders seen."""
    unplaced: int
    """Number of positions without a liquidation price: in no row, but in the share."""
    passed: int
    """Number of positions whose price the mark has passed since: in no row either."""
    origin: str
    """Whose positions these are; empty where nobody is watched."""


def observed_levels(
    coin_view: CoinView, map_filter: MapFilter, rows: PriceRows, at: int = 0
) -> ObservedLevels:
    """Return what is seen of positions now; of the past nothing is kept.

    Args:
        coin_view: The coin.
        map_filter: Which venues and side; tiers are the estimate's and do not count here.
        rows: Rows of the picture.
        at: Nonzero asks for the past, which is empty.
    """
    observed_markets = (
        []
        if at
        else [w for w in coin_view.observed_markets() if map_filter.takes(w.observed.venue)]
    )
    dollars = np.zeros((2, rows.count))
    whole, sizes = np.zeros(2), np.zeros(2)
    unplaced = passed = accounts = 0
    for each in observed_markets:
        current = each.observed.current(coin_view.now)
        known = np.array([(p.size, p.liquidation) for p in current]).reshape(-1, 2)
        sizes += [known[known[:, 0] > 0, 0].sum(), -known[known[:, 0] < 0, 0].sum()]
        priced = known[:, 1] > 0
        ahead = priced & ~(known[:, 0] * (known[:, 1] - each.mark) > 0)
        _lay(known[ahead], rows, dollars, whole)
        accounts += len(known)
        unplaced += int((~priced).sum())
        passed += int((priced & ~ahead).sum())
    dollars[~map_filter.side_mask()] = whole[~map_filter.side_mask()] = 0.0
    newest = max((each.observed.at for each in observed_markets), default=0)
    return ObservedLevels(
        p0=rows.p0,
        dp=rows.dp,
        rows=rows.count,
        long=dollars[0].astype(np.float32),
        short=dollars[1].astype(np.float32),
        dollars=Sides(float(whole[0]), float(whole[1])),
        share=_share(sizes, [each.oi for each in observed_markets]),
        snapshot_age=(coin_view.now - newest) / SECOND if newest else None,
        accounts=accounts,
        unplaced=unplaced,
        passed=passed,
        origin=_origin(observed_markets, accounts),
    )


def _lay(positions: Floats, rows: PriceRows, dollars: Floats, whole: Floats) -> None:
    """Add positions (size, liquidation price) to the rows of their sides, and to the whole."""
    money = np.abs(positions[:, 0]) * positions[:, 1]
    sides = np.where(positions[:, 0] > 0, 0, 1)
    places = rows.rows_of(bins_of(positions[:, 1]))
    inside = (places >= 0) & (places < rows.count)
    np.add.at(whole, sides, money)
    np.add.at(dollars, (sides[inside], places[inside]), money[inside])


def _share(sizes: Floats, interests: list[float]) -> SideShares:
    """Return the share of open interest that is seen, by side."""
    total = sum(interests)
    known = total > 0 and not math.isnan(total)
    long, short = (float(size / total) if known else None for size in sizes)
    return SideShares(long, short)


def _origin(observed_markets: list[ObservedMarket], accounts: int) -> str:
    names = sorted({each.observed.venue for each in observed_markets})
    return f"{accounts} accounts seen at {', '.join(names)}" if accounts else ""
