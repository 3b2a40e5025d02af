"""What a venue is: how it is shown, what it trades, what it reports, and how its wire is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from powderkeg.errors import ConfigError
from powderkeg.venues.base import Completeness
from powderkeg.venues.reader import VenueReader

Kind: TypeAlias = Literal["linear", "inverse", "spot"]
"""Perpetuals settled in quote currency, perpetuals settled in the coin, or no leverage at all."""


def _no_reader(_: str) -> VenueReader:
    raise ConfigError("expected a venue whose wire is read, found one known from files only")


class VenueSpec(Struct, frozen=True, kw_only=True):
    """One venue, as the rest of the program knows it."""

    label: str
    """Name that people read."""
    kind: Kind = "linear"
    liquidations: Completeness = "all"
    """Whether it reports every liquidation, some of them, or none."""
    liquidated_per_reported: float = 1.0
    """Prior of the volume liquidated over the volume reported, where only some are."""
    margin_fee: float = 0.0
    """Part of notional that it adds to the maintenance margin, for the fee to close."""
    dark: str = ""
    """Colour on a dark page, CSS; empty where the page derives one from the name."""
    light: str = ""
    """Colour on a light page."""
    default: bool = False
    """Whether it is collected where nobody chooses."""
    reader: Callable[[str], VenueReader] = _no_reader
    """Makes a reader. The argument is the symbol of frames that carry none."""

    @property
    def leveraged(self) -> bool:
        """Whether it trades positions that can be liquidated."""
        return self.kind != "spot"
