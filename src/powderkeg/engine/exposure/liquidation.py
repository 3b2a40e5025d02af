"""Where one position is force-closed on a venue, from the venue's margin tiers."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from powderkeg.engine.exposure.margin import bankruptcy, isolated, isolated_inverse
from powderkeg.events import PositionSide
from powderkeg.instruments import Tier, TierTable


class Position(Struct, frozen=True):
    """An isolated position as it is opened."""

    entry: float
    """Price."""
    size: float
    """Base coin."""
    leverage: float
    """Notional at entry over margin."""
    side: PositionSide

    @property
    def notional(self) -> float:
        """Quote currency at entry."""
        return self.entry * self.size


class LiquidationPrice(Struct, frozen=True):
    """Where a position is force-closed on one venue, all at the mark price."""

    venue: str
    """Name of the venue."""
    symbol: str
    """Its symbol of the market."""
    price: float | None = None
    """Mark at which it is liquidated; none where no price does or nothing is known."""
    distance: float | None = None
    """From the entry, as a signed fraction."""
    bankruptcy: float | None = None
    """Price at which its margin is lost."""
    rate: float | None = None
    """Maintenance rate at the liquidation price, a fraction of notional."""
    leverage_limit: float | None = None
    """Greatest leverage that can be set for its notional at entry, a ratio."""
    source: str = ""
    """Where the brackets are from."""
    valid_from: int | None = None
    """Time the brackets are known to hold from, µs."""
    why: str = ""
    """Why there is no price; empty where there is one."""


def liquidation_price(
    position: Position, table: TierTable, *, inverse: bool = False, fee: float = 0.0
) -> LiquidationPrice:
    """Return where a position is liquidated.

    Args:
        position: The position.
        table: Brackets by notional in quote currency, or in the coin where `inverse`.
        inverse: Whether the contract is settled in the coin.
        fee: Part of notional the venue adds to the requirement.

    Source: docs/margin.md.
    """
    opened = position.size if inverse else position.notional
    tier = bracket(table, opened)
    broke = bankruptcy(position.entry, position.leverage, position.side, inverse=inverse)
    known = LiquidationPrice(
        table.venue, table.symbol, bankruptcy=float(broke), leverage_limit=tier.leverage,
        source=table.source, valid_from=table.valid_from,
    )  # fmt: skip
    if opened > tier.cap:
        return replace(known, why=f"more than the {tier.cap:,.10g} that it allows")
    if position.leverage > tier.leverage:
        return replace(known, why=f"at most {tier.leverage:g}x at this size")
    price = float(
        isolated_inverse(
            position.entry, position.leverage, position.notional, table, position.side, fee
        )
        if inverse
        else isolated(position.entry, position.leverage, position.size, table, position.side, fee)
    )
    if not 0 < price < float("inf"):
        return replace(known, why="no price liquidates it")
    closed = position.notional / price if inverse else position.size * price
    rate = bracket(table, closed if table.continuous else opened).rate
    rate += table.slope * (closed if inverse else position.size)
    return replace(known, price=price, distance=price / position.entry - 1, rate=rate)


def bracket(table: TierTable, notional: float) -> Tier:
    """Return the bracket of a notional; beyond the last cap the last one."""
    return next((tier for tier in table.tiers if notional <= tier.cap), table.tiers[-1])
