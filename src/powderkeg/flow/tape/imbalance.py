"""Trade imbalance: what takers bought less what they sold over both, within the last seconds.

It is made of trades only. Order-flow imbalance (OFI) is made of the changes of the book and is in
`flow.books.ofi`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from powderkeg.events import SECOND, Floats, Times, Trade, Trades
from powderkeg.flow.tape.delta import trade_imbalance
from powderkeg.flow.thresholds import DEFAULT

_BOUGHT, _SOLD = 0, 1
LONGEST: Final = 3_600
"""Seconds that are remembered."""


class TradeImbalance:
    """Volume bought and sold by the second, of one market."""

    __slots__ = ("_amounts", "_seconds")

    def __init__(self, longest: int = LONGEST) -> None:
        """Remember so many seconds."""
        self._amounts: Floats = np.zeros((longest, 2))
        self._seconds: Times = np.full(longest, -1, np.int64)

    def add(self, event: Trade | Trades) -> None:
        """Add prints in order of time; those of a second that is forgotten are left out."""
        run = event.as_run() if isinstance(event, Trade) else event
        seconds = run.times // SECOND
        for second in np.unique(seconds).tolist():
            sizes = run.sizes[seconds == second]
            row = second % len(self._seconds)
            if self._seconds[row] > second:
                continue
            if self._seconds[row] < second:
                self._seconds[row], self._amounts[row] = second, 0.0
            self._amounts[row, _BOUGHT] += sizes[sizes > 0].sum()
            self._amounts[row, _SOLD] -= sizes[sizes < 0].sum()

    def volumes(self, now: int, window: int = DEFAULT.flow.trade_window) -> tuple[float, float]:
        """Return base coin bought and sold.

        Args:
            now: µs; its second counts as far as it has come.
            window: µs, whole seconds, at most what is remembered.

        Raises:
            ValueError: The window is longer than what is remembered, or shorter than a second.
        """
        seconds, longest = window // SECOND, len(self._seconds)
        if not 1 <= seconds <= longest:
            raise ValueError(f"expected a window of 1 to {longest} s, found {window / SECOND:g} s")
        last = now // SECOND
        inside = (self._seconds > last - seconds) & (self._seconds <= last) & (self._seconds >= 0)
        bought, sold = self._amounts[inside].sum(axis=0).tolist()
        return bought, sold

    def read(self, now: int, window: int = DEFAULT.flow.trade_window) -> float:
        """Return bought less sold over both, -1 to 1; NaN where nothing traded. See `volumes`."""
        return trade_imbalance(*self.volumes(now, window))
