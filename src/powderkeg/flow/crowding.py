"""How crowded positioning is: funding, basis, long shares and open interest against their past.

Open interest is always half long and half short: a long share counts accounts or top traders.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.events import HOUR, Floats
from powderkeg.flow.thresholds import DEFAULT, CrowdRules

EIGHT_HOURS: Final = 8 * HOUR
Regime: TypeAlias = Literal[
    "new positions, price up", "short covering", "new positions, price down", "long unwinding",
    "neutral",
]  # fmt: skip


def per_eight_hours(rate: float, interval: int) -> float:
    """Return a funding rate as a fraction of notional per 8 hours.

    Args:
        rate: Fraction of notional per interval.
        interval: µs, > 0.
    """
    return rate * EIGHT_HOURS / interval


def basis(mark: float, index: float) -> float:
    """Return the mark over the index as a fraction; NaN where one is unknown."""
    return mark / index - 1 if index > 0 else math.nan


def percentile(value: float, history: Floats) -> float:
    """Return where a value stands among its history, 0 to 100: equals count half.

    Args:
        value: NaN gives NaN.
        history: Readings, NaN where there was none; without any the answer is NaN.
    """
    known = history[~np.isnan(history)]
    if not len(known) or math.isnan(value):
        return math.nan
    below, equal = (known < value).sum(), (known == value).sum()
    return float(100 * (below + equal / 2) / len(known))


class CrowdingIndex(Struct, frozen=True):
    """Mean percentile of what shows positioning."""

    value: float | None
    """0 to 100, high where longs are crowded; none with too few inputs."""
    inputs: dict[str, float]
    """Percentile of each input that is known."""


def crowding_index(
    percentiles: Mapping[str, float], rules: CrowdRules = DEFAULT.crowd
) -> CrowdingIndex:
    """Return the crowding index of percentiles by name, NaN where one is not known."""
    known = {name: value for name, value in percentiles.items() if not math.isnan(value)}
    enough = len(known) >= rules.least
    return CrowdingIndex(sum(known.values()) / len(known) if enough else None, known)


def regime(
    oi_change: float, price_change: float, deviation: float, rules: CrowdRules = DEFAULT.crowd
) -> Regime:
    """Return what open interest and price did together.

    Args:
        oi_change: Relative change of open interest in coins: in dollars it would contain the price.
        price_change: Relative change of price over the same time.
        deviation: Standard deviation of such price changes.
        rules: Thresholds.
    """
    if abs(oi_change) < rules.oi_band or abs(price_change) < rules.price_band * deviation:
        return "neutral"
    if oi_change > 0:
        return "new positions, price up" if price_change > 0 else "new positions, price down"
    return "short covering" if price_change > 0 else "long unwinding"


def mean_of(rows: Floats, weights: Floats) -> Floats:
    """Return the weighted mean of each column over the rows known there; NaN where none is.

    Args:
        rows: Shape (markets, columns), NaN where not known, such as funding per 8 hours.
        weights: Shape (markets,), >= 0, such as open interest in base coin.
    """
    known = ~np.isnan(rows)
    total = (known * weights[:, None]).sum(axis=0)
    values = (np.where(known, rows, 0.0) * weights[:, None]).sum(axis=0)
    return np.divide(values, total, out=np.full(rows.shape[1], math.nan), where=total > 0)
