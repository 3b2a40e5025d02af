"""Estimates missing bar volumes from the price range of the hour that ends with each bar.

The ratio of volume to range is that of the last thirty days of bars that had both, so the level
follows the market and nothing is known before its time. Estimated bars are counted, because a map
from assumed volume knows less than it seems to. Before any volume is known there is no ratio, and
the bars have none: the map is then of the price path only.

On real BTC our map's error is the same with it as with a median of known hours, the static map's a
little less. Source: docs/model.md, "Missing volume".
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from powderkeg.events import DAY, HOUR, Floats

MEMORY = 30 * DAY
"""How far back the ratio of volume to range reaches."""


class Volumes:
    """Completes the volumes of one market's bars, in their order."""

    __slots__ = ("_amount", "_hour", "_known", "_range", "_ranges", "assumed")

    def __init__(self, span: int) -> None:
        """Begin without history, for bars of length `span`, µs."""
        self._hour: deque[float] = deque(maxlen=max(HOUR // span, 1))
        """Ranges of the bars of the last hour."""
        self._known: deque[tuple[float, float]] = deque(maxlen=max(MEMORY // span, 1))
        """Volume and range of the bars that had both."""
        self._amount = self._range = 0.0
        self.assumed = 0
        """Bars without a volume so far: completed, or not where no ratio was known."""

    def complete(self, volume: Floats, low: Floats, high: Floats) -> Floats:
        """Return volumes (n,) with NaN replaced by estimates.

        Args:
            volume: Base coin, NaN where unknown, shape (n,).
            low: Shape (n,).
            high: Shape (n,).
        """
        unknown = np.isnan(volume)
        ranges = np.log(high / low).tolist()
        if not unknown.any():
            for amount, reach in zip(volume.tolist(), ranges, strict=True):
                self._update(amount, reach)
            return volume
        out = volume.copy()
        for i, reach in enumerate(ranges):
            if not unknown[i]:
                self._update(float(volume[i]), reach)
                continue
            self._hour.append(reach)
            ratio = self._amount / self._range if self._range > 0 else 0.0
            out[i] = ratio * math.fsum(self._hour) / len(self._hour)
            self.assumed += 1
        return out

    def _update(self, amount: float, reach: float) -> None:
        """Add a bar that has both."""
        self._hour.append(reach)
        if len(self._known) == self._known.maxlen:
            old, gone = self._known[0]
            self._amount, self._range = self._amount - old, max(self._range - gone, 0.0)
        self._known.append((amount, reach))
        self._amount, self._range = self._amount + amount, self._range + reach
