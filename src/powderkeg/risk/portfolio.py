"""Open risk over all positions, with caps on coins that move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats, PositionSide

MOST: Final = 6.0
"""R open in all."""
MOST_CORRELATED: Final = 3.0
"""R open on one side of coins that move together."""
TOGETHER: Final = 0.7
"""Correlation of returns from which two coins move together."""


class OpenRisk(Struct, frozen=True):
    """What one open position still risks."""

    coin: str
    """The coin."""
    side: PositionSide
    """Long or short."""
    r: float
    """Open risk, a ratio to the amount risked a trade; 0 once the stop is at the entry."""


class GroupRisk(Struct, frozen=True):
    """Coins that move together, on one side."""

    coins: list[str]
    """Their names, in order."""
    side: PositionSide
    """Long or short."""
    r: float
    """Open risk, a ratio to the amount risked a trade."""
    exceeded: bool
    """Whether that is more than the cap."""


class Portfolio(Struct, frozen=True):
    """Open risk of all positions. Opposite sides are not set off: correlations fail when needed."""

    total: float
    """Open risk in all, a ratio to the amount risked a trade."""
    exceeded: bool
    """Whether the total is more than its cap."""
    groups: list[GroupRisk]
    """Coins that move together, by side, most risk first."""


def portfolio(
    positions: Sequence[OpenRisk],
    groups: Mapping[str, int],
    most: float = MOST,
    most_correlated: float = MOST_CORRELATED,
) -> Portfolio:
    """Return the open risk of positions.

    Args:
        positions: What is open, and perhaps what is planned.
        groups: Number of each coin's group, see `groups_of`; a coin without one stands alone.
        most: Cap of the total, R.
        most_correlated: Cap of each group and side, R.
    """
    sums: dict[tuple[int | str, PositionSide], float] = {}
    members: dict[tuple[int | str, PositionSide], set[str]] = {}
    for each in positions:
        key = groups.get(each.coin, each.coin), each.side
        sums[key] = sums.get(key, 0.0) + each.r
        members.setdefault(key, set()).add(each.coin)
    total = sum(each.r for each in positions)
    rows = [
        GroupRisk(sorted(members[key]), key[1], r, r > most_correlated) for key, r in sums.items()
    ]
    rows.sort(key=lambda row: (-row.r, row.coins))
    return Portfolio(total, total > most, rows)


def correlations(returns: Floats) -> Floats:
    """Return the correlation of every two coins, shape (coins, coins).

    Args:
        returns: Log returns by time and coin, shape (n, coins), n at least 2. The correlation with
            a coin that has not moved is NaN.
    """
    with np.errstate(invalid="ignore"):
        return np.atleast_2d(np.corrcoef(returns, rowvar=False))


def groups_of(
    coins: Sequence[str], correlation: Floats, together: float = TOGETHER
) -> dict[str, int]:
    """Return the number of each coin's group: two coins share one if a chain of pairs links them.

    Args:
        coins: Names.
        correlation: Of every two coins, shape (coins, coins); NaN links none.
        together: Correlation that links a pair.
    """
    linked = correlation >= together
    group = list(range(len(coins)))
    for i in range(len(coins)):
        for j in range(i):
            if linked[i, j]:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if each == old else each for each in group]
    return dict(zip(coins, group, strict=True))
