"""The forecast log: what each hour was predicted to liquidate, and what was reported; append-only.

A row is written once, with the weights in force during its hour. So every score computed from the
log is prequential, whatever is fitted later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import Floats, Times

KEPT = 120 * 24
"""Hours kept."""
FIELDS = ("reported", "predicted", "low", "high", "static", "no_map", "path_only", "fresh")
"""Names of the columns: reported liquidated volume; our prediction and its 80 % band; the
predictions of the null models (`calibration.baselines`), all base coin; and the length of fresh
ground, bins."""
REPORTED, PREDICTED, LOW, HIGH, STATIC, NO_MAP, PATH_ONLY, FRESH = range(len(FIELDS))


class ForecastLog:
    """The last hours of one market, a row each."""

    __slots__ = ("_count", "_hours", "_rows")

    def __init__(self) -> None:
        self._count = 0
        self._hours = np.zeros(64, np.int64)
        self._rows = np.zeros((64, len(FIELDS), 2), np.float32)

    def add(self, hour: int, row: Floats) -> None:
        """Append an hour (number since 1970) with its row (8, 2): field, side."""
        n = self._count
        if n == len(self._hours) and n < KEPT:
            size = min(2 * n, KEPT)
            self._hours = np.resize(self._hours, size)
            self._rows = np.resize(self._rows, (size, len(FIELDS), 2))
        slot = n % len(self._hours)
        self._hours[slot], self._rows[slot] = hour, row
        self._count += 1

    @property
    def count(self) -> int:
        """Hours ever logged."""
        return self._count

    @property
    def hours(self) -> Times:
        """Hours since 1970, rising, shape (n,)."""
        return self._hours[self._order()]

    @property
    def rows(self) -> NDArray[np.float32]:
        """Rows in the same order, shape (n, 8, 2)."""
        return self._rows[self._order()]

    def _order(self) -> Times:
        size = len(self._hours)
        if self._count <= size:
            return np.arange(self._count)
        return (np.arange(size) + self._count) % size
