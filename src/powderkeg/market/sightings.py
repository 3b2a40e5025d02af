"""Last observed positions of watched accounts in one market.

Traps (docs/model.md, "The observed layer"):
- An account missing from a snapshot has not closed: it is kept, and dropped after `KEEP`.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from powderkeg.events import DAY, Positions

KEEP = DAY
"""µs for which a position is kept without a new observation. Of real ones 15 % by notional are
resized by more than 5 % in 6 h; liquidation prices of the others move 1 % (median) to 7 % (top
tenth) a day."""


class ObservedPosition(Struct, frozen=True, gc=False):
    """One position as last observed."""

    at: int
    size: float
    """Signed: positive for a long."""
    entry: float
    liquidation: float
    """NaN where the venue gives none."""


class ObservedPositions:
    """The positions observed in one market."""

    __slots__ = ("at", "market", "positions")

    def __init__(self, market: str) -> None:
        """Start empty, for a market such as ``hyperliquid:BTC``."""
        self.market = market
        self.at = 0
        """Time of the newest observation, µs."""
        self.positions: dict[str, ObservedPosition] = {}
        """By account, the oldest observation first."""

    @property
    def venue(self) -> str:
        """First half of the market's name."""
        return self.market.partition(":")[0]

    def update(self, event: Positions) -> None:
        """Replace the positions of the accounts in a snapshot, and drop those too old."""
        self.at = max(self.at, event.event_time)
        for account in (*event.flat, *event.accounts):
            self.positions.pop(account, None)
        columns = (event.sizes.tolist(), event.entries.tolist(), event.liquidations.tolist())
        for account, *row in zip(event.accounts, *columns, strict=True):
            self.positions[account] = ObservedPosition(event.event_time, *row)
        for account in [a for a, seen in self.positions.items() if seen.at <= self.at - KEEP]:
            del self.positions[account]

    def current(self, at: int) -> list[ObservedPosition]:
        """Return the positions observed within `KEEP` before `at`."""
        return [seen for seen in self.positions.values() if seen.at > at - KEEP]


class ObservedMarket(NamedTuple):
    """One market with observed positions, as the maps use it."""

    observed: ObservedPositions
    oi: float
    """Base coin; NaN where not known."""
    mark: float
    """NaN where not known."""
