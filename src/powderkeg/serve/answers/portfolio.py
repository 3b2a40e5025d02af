"""Open risk of several positions, with coins that have moved together counted as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, cast

import numpy as np
from msgspec import Meta, Struct

from powderkeg.desk import Desk
from powderkeg.errors import RequestError
from powderkeg.events import HOUR, Floats, PositionSide
from powderkeg.maps.field_types import OptionalFloat
from powderkeg.maps.heatmap.prices import CLOSE, joined_bars
from powderkeg.risk.portfolio import (
    MOST,
    MOST_CORRELATED,
    TOGETHER,
    GroupRisk,
    OpenRisk,
    correlations,
    groups_of,
    portfolio,
)
from powderkeg.serve.session import Session

HOURS: Final = 14 * 24
"""Hourly returns that are correlated, at most."""
LEAST: Final = 48
"""Hourly returns below which no correlation is computed."""
_POSITION: Final = re.compile(r"([A-Za-z0-9]{1,20}):(long|short):(\d{1,4}(?:\.\d{1,6})?)")


class PortfolioQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Open positions, and perhaps one that is planned."""

    positions: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]
    """Each as COIN:SIDE:R, such as BTC:long:1."""


class Pair(Struct, frozen=True):
    """Correlation of the hourly returns of two coins."""

    coins: tuple[str, str]
    """Their names."""
    correlation: OptionalFloat
    """A number from -1 to 1; null where too few hours of both are known."""


class PortfolioAnswer(Struct, frozen=True, kw_only=True):
    """Open risk of all positions. Opposite sides are not set off: correlations fail when needed."""

    total: float
    """Open risk in all, a ratio to the amount risked a trade."""
    most: float
    """Cap of the total, a ratio to the amount risked a trade."""
    exceeded: bool
    """Whether the total is more than its cap."""
    groups: list[GroupRisk]
    """Coins that move together, by side, most risk first."""
    most_correlated: float
    """Cap of each group and side, a ratio to the amount risked a trade."""
    together: float
    """Correlation from which two coins move together, a number up to 1."""
    pairs: list[Pair]
    """Every two of the coins."""
    hours: int
    """Number of hourly returns that were correlated."""


def portfolio_of(session: Session, query: PortfolioQuery) -> PortfolioAnswer:
    """Return the open risk of positions, grouped by the prices of the coins served.

    Raises:
        RequestError: A position that cannot be read, or a coin that is not served.
    """
    positions = [position(text) for text in query.positions]
    coins = sorted({each.coin for each in positions})
    returns = _returns([session.desk(coin) for coin in coins])
    table = (
        correlations(returns)
        if len(returns) >= LEAST
        else np.full((len(coins), len(coins)), np.nan)
    )
    found = portfolio(positions, groups_of(coins, table))
    return PortfolioAnswer(
        total=found.total, most=MOST, exceeded=found.exceeded, groups=found.groups,
        most_correlated=MOST_CORRELATED, together=TOGETHER, hours=len(returns),
        pairs=[
            Pair((coins[j], coins[i]), float(table[i, j]))
            for i in range(len(coins)) for j in range(i)
        ],
    )  # fmt: skip


def position(text: str) -> OpenRisk:
    """Return a position written as COIN:SIDE:R.

    Raises:
        RequestError: It is not.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        raise RequestError(f"expected COIN:SIDE:R, such as BTC:long:1, found {text!r}")
    coin, side, r = found.groups()
    return OpenRisk(coin.upper(), cast("PositionSide", side), float(r))


def _returns(desks: Sequence[Desk]) -> Floats:
    """Return log returns of the hours in which every coin has a price, shape (n, coins)."""
    end = min(desk.now for desk in desks)
    closes = np.column_stack(
        [joined_bars(desk.prices, HOUR, end, HOURS + 1)[:, CLOSE] for desk in desks]
    )
    returns = np.diff(np.log(closes), axis=0)
    return returns[np.isfinite(returns).all(axis=1)]
