"""Volume by price: point of control, value area, and points of control not traded since.

Prices are whole numbers of steps: row r holds the prices from ``(first + r) * step`` up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats, Trades
from powderkeg.flow.thresholds import DEFAULT


class VolumeProfile(Struct, frozen=True, eq=False):
    """Volume by price and side."""

    step: float
    """Height of a row, quote currency."""
    first: int
    """Number of the lowest row."""
    bought: Floats
    """Base coin taken by buyers, shape (rows,)."""
    sold: Floats
    """Base coin taken by sellers, shape (rows,)."""

    @property
    def volume(self) -> Floats:
        """Both sides, shape (rows,)."""
        return self.bought + self.sold


class ValueArea(Struct, frozen=True):
    """Rows that hold most of the volume, around the row that holds the most."""

    poc: int
    """Row of the point of control."""
    low: int
    """Lowest row of the area."""
    high: int
    """Highest row of the area, which may be the same."""
    share: float
    """Share of the volume inside."""


def volume_profile(run: Trades, step: float) -> VolumeProfile:
    """Return the volume of prints by price.

    Args:
        run: At least one print.
        step: Height of a row, quote currency, > 0.
    """
    rows = np.floor(run.prices / step + 1e-9).astype(np.int64)
    first = int(rows.min())
    count = int(rows.max()) - first + 1
    bought, sold = (
        np.bincount(rows[side] - first, np.abs(run.sizes[side]), count).astype(np.float64)
        for side in (run.sizes > 0, run.sizes <= 0)
    )
    return VolumeProfile(step, first, bought, sold)


def value_area(volume: Floats, share: float = DEFAULT.flow.value_area) -> ValueArea | None:
    """Return the value area of volume by price, None where there is no volume.

    It grows from the point of control by the larger of the next row above and the next below, until
    it holds `share` of the volume. Of equal rows the one nearer to the point of control is taken,
    and the lower one where they are equally near. Of several greatest rows the one nearest to the
    mean price is the point of control.

    Args:
        volume: By row, shape (rows,), rising price, >= 0.
        share: 0 to 1.

    Source: docs/orderflow.md, "Volume profile".
    """
    total = float(volume.sum())
    if not total > 0:
        return None
    mean = float(volume @ np.arange(len(volume))) / total
    greatest = np.flatnonzero(volume == volume.max())
    poc = int(greatest[np.abs(greatest - mean).argmin()])
    low = high = poc
    inside = float(volume[poc])
    while inside < share * total and high - low + 1 < len(volume):
        above = float(volume[high + 1]) if high + 1 < len(volume) else -1.0
        below = float(volume[low - 1]) if low else -1.0
        if above > below or (above == below and high - poc < poc - low):
            high += 1
            inside += above
        else:
            low -= 1
            inside += below
    return ValueArea(poc, low, high, inside / total)


def naked(pocs: Sequence[float], lows: Sequence[float], highs: Sequence[float]) -> list[int]:
    """Return which bars' points of control no later bar has traded at.

    Args:
        pocs: Price of the point of control of each bar, oldest first; NaN where there is none.
        lows: Lowest price of each bar.
        highs: Highest price of each bar.
    """
    return [
        i
        for i, poc in enumerate(pocs)
        if poc == poc  # noqa: PLR0124  not NaN
        and not any(
            low <= poc <= high for low, high in zip(lows[i + 1 :], highs[i + 1 :], strict=True)
        )
    ]
