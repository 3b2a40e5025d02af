"""Weights that were learned on other markets before, for a market that has learned nothing yet.

They are used from the time on up to which they were learned, never before: a score of the hours
they come from is not flattered by them.
"""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import Floats


class Borrowed(Struct, frozen=True, eq=False):
    """Weights of terms, what they come from, and how far they may be off."""

    weights: Floats
    """Per unit of open interest, see `terms.per_oi`, shape (98,)."""
    since: int
    """µs of the first hour learned from."""
    until: int
    """µs after the last."""
    market: str
    """Where, in words, such as ``BTC on Binance``."""
    reports: float
    """Effective number of liquidations."""
    level: float
    """Standard deviation of the log of the level from one fortnight to another."""
    variance: float
    """Relative variance of a single weight."""
    strength: float
    """Pseudo-volume with which other markets are held to it, share of open interest."""
    version: int
    """Of the model that learned it."""
