"""Positions of watched accounts as they were last seen in one market.

Traps (docs/model.md, "The observed layer"):
- An account that is missing from a report has closed nothing: it is kept, and dropped after `KEEP`.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from powderkeg.events import DAY, Positions

KEEP = DAY
"""µs for which a position is believed without another look. Of real ones 15 % by notional are
resized by more than 5 % in 6 h; prices of the others move 1 % (median) to 7 % (a tenth) a day."""


class ObservedPosition(Struct, frozen=True, gc=False):
    """One position as it was last seen."""

    at: int
    size: float
    """Signed: positive for a long."""
    entry: float
    liquidation: float
    """NaN where the venue gives none."""


class ObservedPositions:
    """The positions seen in one market."""

    __slots__ = ("at", "market", "positions")

    def __init__(self, market: str) -> None:
        """Have seen nothing yet of the market, such as ``hyperliquid:BTC``."""
        self.market = market
        self.at = 0
        """Time of the newest look, µs."""
        self.positions: dict[str, ObservedPosition] = {}
        """By account, the one seen longest ago first."""

    @property
    def venue(self) -> str:
        """First half of the market's name."""
        return self.market.partition(":")[0]

    def update(self, look: Positions) -> None:
        """Replace what is known of the accounts of a look, and forget what is too old."""
        self.at = max(self.at, look.event_time)
        for account in (*look.flat, *look.accounts):
            self.positions.pop(account, None)
        columns = (look.sizes.tolist(), look.entries.tolist(), look.liquidations.tolist())
        for account, *row in zip(look.accounts, *columns, strict=True):
            self.positions[account] = ObservedPosition(look.event_time, *row)
        for account in [a for a, seen in self.positions.items() if seen.at <= self.at - KEEP]:
            del self.positions[account]

    def current(self, at: int) -> list[ObservedPosition]:
        """Return the positions seen within `KEEP` before `at`."""
        return [seen for seen in self.positions.values() if seen.at > at - KEEP]


class ObservedMarket(NamedTuple):
    """One market with positions seen, as the maps see it."""

    observed: ObservedPositions
    oi: float
    """Base coin; NaN where not known."""
    mark: float
    """NaN where not known."""
