"""Where a planned position is liquidated, and whether its stop comes first by far enough."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.engine.exposure.liquidation import Position, liquidation_price
from powderkeg.engine.exposure.margin import isolated
from powderkeg.instruments import Tier, TierTable
from powderkeg.risk.costs import PlannedTrade

CLEAR: Final = 1.5
"""Distance from stop to liquidation, in distances from entry to stop, that is wide enough."""
HIGHEST: Final = 1_000.0
"""Leverage of a maintenance rate that comes without a table."""


class PlannedLiquidation(Struct, frozen=True):
    """Where the position would be liquidated."""

    leverage: float
    """Notional at entry over margin, a ratio."""
    price: float | None
    """Mark at which it is liquidated, quote currency; null where no price does."""
    stops_away: float | None
    """Distance from entry to liquidation over that from entry to stop, a ratio."""
    beyond_stop: float | None
    """Distance from stop to liquidation over that from entry to stop, a ratio; at least 1.5 is
    asked for, negative where the liquidation comes first."""
    safe_leverage: float | None
    """Greatest whole leverage at which it would be 1.5, a ratio; null where it is already."""
    source: str
    """Where the margin tiers are from."""
    why: str = ""
    """Why there is no price; empty where there is one."""


def flat_table(rate: float) -> TierTable:
    """Return a table of one bracket, from a maintenance rate that is given."""
    return TierTable("", "", "given", 0, (Tier(0.0, math.inf, HIGHEST, rate, 0.0),))


def planned_liquidation(
    trade: PlannedTrade, leverage: float, table: TierTable, fee: float = 0.0
) -> PlannedLiquidation:
    """Return where a planned position in a linear contract is liquidated, its margin isolated.

    Args:
        trade: The trade.
        leverage: Notional at entry over margin, >= 1.
        table: Margin tiers.
        fee: Part of notional the venue adds to the requirement.
    """
    position = Position(trade.entry, trade.size, leverage, trade.side)
    found = liquidation_price(position, table, fee=fee)
    if found.price is None:
        return PlannedLiquidation(leverage, None, None, None, None, table.source, found.why)
    width = abs(trade.entry - trade.stop)
    away = trade.sign * (trade.entry - found.price) / width
    safe = None if away - 1 >= CLEAR else _safe_leverage(trade, leverage, table, fee)
    return PlannedLiquidation(leverage, found.price, away, away - 1, safe, table.source)


def _safe_leverage(
    trade: PlannedTrade, leverage: float, table: TierTable, fee: float
) -> float | None:
    """Return the greatest whole leverage below one whose liquidation is far enough beyond."""
    tried = np.arange(1.0, max(math.ceil(leverage), 2))
    prices = isolated(trade.entry, tried, trade.size, table, trade.side, fee)
    limit = trade.stop - trade.sign * CLEAR * abs(trade.entry - trade.stop)
    enough = tried[trade.sign * (limit - prices) >= 0]
    return float(enough[-1]) if len(enough) else None
