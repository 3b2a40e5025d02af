"""The shipped margin tiers, and lookup by time."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from powderkeg.errors import ConfigError
from powderkeg.events import SECOND
from powderkeg.instruments import Tier, TierTable


class _Table(Struct):
    venue: str
    symbol: str
    source: str
    valid_from: str
    slope: float
    tiers: list[tuple[float, float, float, float]]


class _File(Struct):
    format: int
    tables: list[_Table]


@cache
def tables() -> tuple[TierTable, ...]:
    """Return all shipped tables, by venue, symbol and date."""
    file = resources.files("powderkeg") / "data" / "tiers.json.gz"
    return parse(gzip.decompress(file.read_bytes()))


def parse(text: bytes) -> tuple[TierTable, ...]:
    """Return the tables of a tier file (format 1, see scripts/make_tiers.py).

    Raises:
        ConfigError: It is not such a file.
    """
    try:
        file = msgspec.json.decode(text, type=_File)
    except msgspec.DecodeError as why:
        raise ConfigError(f"expected a tier file: {why}") from why
    if file.format != 1:
        raise ConfigError(f"expected a tier file of format 1, found {file.format}")
    return tuple(_table(each) for each in file.tables)


def at(venue: str, symbol: str, time: int) -> TierTable:
    """Return the table valid at a time; before the first known one, the first known.

    A table of the symbol takes precedence over one of the whole venue (``*``), unless it is older.

    Raises:
        LookupError: No table of this symbol is shipped.
    """
    found = [each for each in tables() if each.venue == venue and each.symbol in {symbol, "*"}]
    if not found:
        raise LookupError(f"expected margin tiers of {venue}:{symbol}, found none")
    found.sort(key=lambda each: (each.valid_from, each.symbol != "*"))
    valid = [each for each in found if each.valid_from <= time]
    return valid[-1] if valid else found[0]


def _table(stored: _Table) -> TierTable:
    floors = [0.0, *(row[0] for row in stored.tiers)]
    tiers = tuple(Tier(floor, *row) for floor, row in zip(floors, stored.tiers, strict=False))
    day = datetime.fromisoformat(stored.valid_from).replace(tzinfo=UTC)
    start = int(day.timestamp()) * SECOND
    return TierTable(stored.venue, stored.symbol, stored.source, start, tiers, stored.slope)
