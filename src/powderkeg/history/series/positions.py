"""Stored positions and fills of accounts: snapshots, and changes between two of them.

Traps: an account in cross margin has no liquidation price of its own (NaN here, 13 to 31 % of
rows), and some shorts have one above twice the market price. A leaderboard changes its members from
one snapshot to the next, so a missing account has not closed anything: it is unknown.
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
    """One open position in a snapshot."""

    account: str
    coin: str
    holder: PositionSide
    size: float
    """Base coin."""
    entry: float
    liquidation: float
    """The venue's own liquidation price, NaN where it gives none."""
    leverage: float
    """As set; means little for a cross-margin account."""


class PositionsSnapshot(Struct, frozen=True):
    """All positions at one time."""

    at: int
    positions: dict[tuple[str, str], Position]
    """By account and coin."""

    @property
    def accounts(self) -> set[str]:
        """Accounts in the snapshot: those with any position."""
        return {account for account, _ in self.positions}


class Change(Struct, frozen=True):
    """The change of one position between two snapshots."""

    account: str
    coin: str
    kind: Literal["opened", "closed", "resized", "kept", "turned", "unknown"]
    size: float
    """Change of size, base coin; NaN where unknown."""


AccountKind: TypeAlias = Literal["positions", "fills", "ledger", "liquidated"]
"""Kinds of series about accounts."""


def tables(source: Source, kind: AccountKind, report: ReadReport) -> Iterator[Table]:
    """Return the rows of a source's series of one kind as columns."""
    for series in source.series:
        if series.kind == kind:
            yield from read(series, source, report, _ignore)


def snapshots_of(
    source: Source, coin: str | None = None, report: ReadReport | None = None
) -> Iterator[PositionsSnapshot]:
    """Return the snapshots of a source in order of time, of one coin or of all."""
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
    """Return the change of each position; `unknown` for a missing account."""
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
            present_before = new.account in known
            size = new.size if present_before else float("nan")
            out.append(Change(*key, "opened" if present_before else "unknown", size))
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
    """Ignore progress: it is shown for replays only."""
