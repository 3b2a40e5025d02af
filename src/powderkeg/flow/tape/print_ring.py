"""The last merged prints of a coin, of all markets, as columns in a ring."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from powderkeg.flow.tape.prints import MergedPrints

FIELDS: Final = np.dtype(
    [
        ("market", np.int16), ("bought", np.bool_), ("start", np.int64), ("end", np.int64),
        ("size", np.float64), ("notional", np.float64), ("low", np.float64),
        ("high", np.float64), ("count", np.int64),
    ]
)  # fmt: skip
"""Number of the market, then the columns of `MergedPrints`: times in µs, base coin, quote."""
COLUMNS: Final = (FIELDS.names or ())[1:]
"""Those of `MergedPrints`."""


class PrintRing:
    """Merged prints in the order in which they were complete."""

    __slots__ = ("_rows", "markets", "total")

    def __init__(self, size: int) -> None:
        """Keep the last `size` prints."""
        self.markets: list[str] = []
        """Name of each market by its number."""
        self.total = 0
        """Prints ever added."""
        self._rows: list[NDArray[np.generic]] = [
            np.zeros(size, FIELDS[name]) for name in FIELDS.names or ()
        ]

    def add(self, prints: MergedPrints) -> None:
        """Add merged prints of one market."""
        size = len(self._rows[0])
        kept = min(len(prints.end), size)
        if not kept:
            return
        if prints.market not in self.markets:
            self.markets.append(prints.market)
        number = self.markets.index(prints.market)
        self.total += len(prints.end)
        at = np.arange(self.total - kept, self.total) % size
        columns = (np.full(kept, number), *(getattr(prints, name)[-kept:] for name in COLUMNS))
        for ring, values in zip(self._rows, columns, strict=True):
            ring[at] = values

    def largest(self, count: int) -> float:
        """Return the greatest notional of the last prints, quote currency; 0 of none."""
        size = len(self._rows[0])
        kept = min(count, size, self.total)
        at = np.arange(self.total - kept, self.total) % size
        notionals = self._rows[COLUMNS.index("notional") + 1]
        return float(notionals[at].max(initial=0.0))

    def rows(self) -> NDArray[np.void]:
        """Return the prints that are kept, oldest first, with the fields of `FIELDS`."""
        size = len(self._rows[0])
        at = np.arange(max(self.total - size, 0), self.total) % size
        out = np.empty(len(at), FIELDS)
        for name, ring in zip(FIELDS.names or (), self._rows, strict=True):
            out[name] = ring[at]
        return out
