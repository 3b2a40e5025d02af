"""How many events a desk has applied."""

from __future__ import annotations

from msgspec import Struct


class Counts(Struct):
    """Counts of events so far."""

    events: int = 0
    """Number of events."""
    trades: int = 0
    """Number of trades."""
    bars: int = 0
    """Number of bars."""
    liquidations: int = 0
    """Number of liquidations."""
    gaps: int = 0
    """Number of gaps."""
    assumed: int = 0
    """Number of bars whose volume was assumed."""
