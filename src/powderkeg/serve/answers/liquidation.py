"""Where a position is force-closed on each venue of a coin."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from powderkeg.engine.exposure.liquidation import LiquidationPrice, Position, liquidation_price
from powderkeg.events import PositionSide
from powderkeg.history import margin_tiers
from powderkeg.instruments import TierTable
from powderkeg.serve.session import Session
from powderkeg.venues import spec_of

_Amount = Annotated[float, Meta(gt=0, le=1e12)]


class PositionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """An isolated position as it is opened."""

    entry: _Amount
    leverage: Annotated[float, Meta(ge=1, le=1000)]
    size: _Amount = 1.0
    side: PositionSide = "long"


class LiquidationPrices(Struct, frozen=True):
    """Where a position is force-closed on each venue of a coin."""

    coin: str
    """Name of the coin."""
    prices: list[LiquidationPrice]
    """One entry a market, in the order of the venues."""


def liquidation_prices(session: Session, coin: str, query: PositionQuery) -> LiquidationPrices:
    """Return where a position is liquidated, by what each venue answered, else by what is shipped.

    Raises:
        RequestError: No such coin.
    """
    desk = session.desk(coin)
    position = Position(query.entry, query.size, query.leverage, query.side)
    markets = session.collector.markets(coin) if session.collector else desk.markets
    return LiquidationPrices(
        coin,
        [_price(session, name, position) for name in markets if spec_of(_venue(name)).leveraged],
    )


def _venue(market: str) -> str:
    return market.partition(":")[0]


def _price(session: Session, market: str, position: Position) -> LiquidationPrice:
    venue, _, symbol = market.partition(":")
    return price_on(venue, symbol, market_tiers(session, market), position)


def market_tiers(session: Session, market: str) -> TierTable | None:
    """Return the margin tiers of a market: what its venue answered, else what is shipped."""
    venue, _, symbol = market.partition(":")
    return _live(session, venue, symbol) or shipped(venue, symbol, session.clock())


def price_on(
    venue: str, symbol: str, table: TierTable | None, position: Position
) -> LiquidationPrice:
    """Return where a position is liquidated on a venue, by a table of its tiers."""
    if table is None:
        return LiquidationPrice(venue, symbol, why="its margin tiers are not known")
    spec = spec_of(venue)
    return liquidation_price(position, table, inverse=spec.kind == "inverse", fee=spec.margin_fee)


def _live(session: Session, venue: str, symbol: str) -> TierTable | None:
    """Return the table that a venue has answered with."""
    readers = session.collector.feed.readers if session.collector else {}
    return readers[venue].state.tiers.get(symbol) if venue in readers else None


def shipped(venue: str, symbol: str, time: int) -> TierTable | None:
    """Return the shipped table of a symbol that holds at a time, µs; None where there is none."""
    try:
        return margin_tiers.at(venue, symbol, time)
    except LookupError:
        return None
