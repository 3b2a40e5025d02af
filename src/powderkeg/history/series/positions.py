"""Stored positions and fills of accounts: what was open, and what changed between two looks.

Traps: an account in cross margin has no liquidation price of its own (NaN here, 13 to 31 % of
rows), and some shorts carry one above twice the market. A list of leaders changes its members from
one look to the next, so an account that is missing has not closed anything: it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import PositionSide
from powderkeg.history.series.readers import read
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table
from powderkeg.history.sources import Source, coin_of


class Position(Struct, frozen=True, gc=False):
    """One open position at one look."""

    account: str
    coin: str
    holder: PositionSide
    size: float
    """Base coin."""
    entry: float
    liquidation: float
    """The venue's own liquidation price, NaN where it gives none."""
    leverage: float
    """As set; says little of a cross-margin account."""


class PositionsSnapshot(Struct, frozen=True):
    """All positions told at one time."""

    at: int
    positions: dict[tuple[str, str], Position]
    """By account and coin."""

    @property
    def accounts(self) -> set[str]:
        """Accounts that were looked at, as far as one can tell: those with any position."""
        return {account for account, _ in self.positions}


class Change(Struct, frozen=True):
    """What became of one position between two looks."""

    account: str
    coin: str
    kind: Literal["opened", "closed", "resized", "kept", "turned", "unknown"]
    size: float
    """Change of size, base coin; NaN where unknown."""


Told: TypeAlias = Literal["positions", "fills", "ledger", "liquidated"]
"""Kinds of series that tell of accounts."""


def tables(source: Source, kind: Told, report: ReadReport) -> Iterator[Table]:
    """Return the rows of a source's series of one kind as columns."""
    for series in source.series:
        if series.kind == kind:
            yield from read(series, source, report, _ignore)


def snapshots_of(
    source: Source, coin: str | None = None, report: ReadReport | None = None
) -> Iterator[PositionsSnapshot]:
    """Return the looks of a source in order of time, of one coin or of all."""
    report = ReadReport() if report is None else report
    default = next((coin_of(s) for s in source.series if s.kind == "positions"), "")
    now, positions = 0, dict[tuple[str, str], Position]()
    for table in tables(source, "positions", report):
        for at, position in _positions(table, default):
            if at != now and positions:
                yield PositionsSnapshot(now, positions)
                positions = {}
            now = at
            if coin in {None, position.coin}:
                positions[position.account, position.coin] = position
    if positions:
        yield PositionsSnapshot(now, positions)


def changes(before: PositionsSnapshot, after: PositionsSnapshot) -> list[Change]:
    """Return what became of each position; of an account that is missing, only that it is."""
    out: list[Change] = []
    present, known = after.accounts, before.accounts
    for key, old in before.positions.items():
        new = after.positions.get(key)
        if new is None:
            gone = old.account in present
            size = -old.size if gone else float("nan")
            out.append(Change(*key, "closed" if gone else "unknown", size))
        elif new.holder != old.holder:
            out.append(Change(*key, "turned", new.size))
        else:
            kind = "kept" if new.size == old.size else "resized"
            out.append(Change(*key, kind, new.size - old.size))
    for key, new in after.positions.items():
        if key not in before.positions:
            told = new.account in known
            size = new.size if told else float("nan")
            out.append(Change(*key, "opened" if told else "unknown", size))
    return out


def _positions(table: Table, coin: str) -> Iterator[tuple[int, Position]]:
    column, n = table.columns, len(table.times)
    missing = np.full(n, np.nan)
    signs = column["holder"] if "holder" in column else column["side"]
    coins = column.get("coin", np.full(n, coin, object))
    for i, at in enumerate(table.times.tolist()):
        yield (
            at,
            Position(
                str(column["account"][i]),
                str(coins[i]),
                "long" if signs[i] > 0 else "short",
                float(column["size"][i]),
                float(column["entry"][i]),
                float(column.get("liquidation", missing)[i]),
                float(column.get("leverage", missing)[i]),
            ),
        )


def _ignore(_: int) -> None:
    """Count nothing: progress is told for replays only."""
