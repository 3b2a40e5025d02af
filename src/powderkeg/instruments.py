"""What is traded: one coin, many markets; and how much margin each demands. Pure records.

Margin tiers are dated, because venues move them: Binance's first BTCUSDT bracket was 50 k at 125x
in October 2024 and 300 k at 150x in September 2026. `history/tiers.py` loads those we ship.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Instrument(Struct, frozen=True, gc=False):
    """One market of a coin."""

    market: str
    """Market id, such as ``binance:BTCUSDT``."""
    coin: str
    venue: str
    kind: Literal["perpetual", "spot"]
    linear: bool
    """Margin and profit in quote currency; else in the coin (inverse)."""
    contract: float
    """Base coin per contract, or quote currency per contract where inverse."""
    tick: float
    """Least step of price."""


class Tier(Struct, frozen=True, gc=False):
    """One bracket: what a position of this notional must keep as margin."""

    floor: float
    """Least notional, quote currency (the coin where inverse)."""
    cap: float
    leverage: float
    """Greatest leverage that can be set."""
    rate: float
    """Maintenance margin rate."""
    deduction: float
    """What is taken off ``rate * notional`` so that the requirement has no step at `floor`."""


class TierTable(Struct, frozen=True):
    """The brackets of one symbol, as they were from a time on."""

    venue: str
    symbol: str
    """The venue's symbol; ``*`` stands for all of a venue."""
    source: str
    valid_from: int
    """First time they are known to hold, µs."""
    tiers: tuple[Tier, ...]
    """Rising, without holes."""
    slope: float = 0.0
    """Growth of the rate per base coin of size (Deribit), on top of the bracket's."""

    @property
    def continuous(self) -> bool:
        """Whether the requirement has no steps; OKX and Bitget give no deductions, so it has."""
        pairs = zip(self.tiers, self.tiers[1:], strict=False)
        return all(
            abs((b.rate - a.rate) * b.floor - (b.deduction - a.deduction))
            <= 1e-6 * max(b.deduction, 1.0)
            for a, b in pairs
        )
