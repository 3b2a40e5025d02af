"""Pull and stack: size cancelled and added at each price over the last minute, less what traded.

Aggregated levels show only the difference of both: above 0 more was added (*stacked*) than
cancelled (*pulled*). The time is kept in slots of ten seconds, the oldest of which is dropped.

Source: docs/orderflow.md, "Pull and stack".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import SECOND, Floats
from powderkeg.flow.books.window import NONE, WIDTH, BookWindow, shifted

SLOT: Final = 10 * SECOND
SLOTS: Final = 6


class Stacking:
    """Net change of resting size of all books of a window."""

    __slots__ = ("_slot", "_slots")

    def __init__(self, books: int) -> None:
        """Start with nothing added or cancelled."""
        self._slot = -1
        self._slots: Floats = np.zeros((SLOTS, books, 2, WIDTH))

    def roll(self, book: int, shift: int) -> None:
        """Move with a window whose columns have been shifted."""
        self._slots[:, book] = shifted(self._slots[:, book], shift)

    def frame(self, window: BookWindow, now: int) -> None:
        """Add the changes of a frame that ends at `now`, µs."""
        slot = now // SLOT
        for passed in range(max(self._slot + 1, slot - SLOTS + 1), slot + 1):
            self._slots[passed % SLOTS] = 0.0
        self._slot = slot
        if window.fresh.any():
            self._slots[slot % SLOTS] += np.where(_visible(window), window.net(), 0.0)

    def net(self, book: int, now: int) -> Floats:
        """Return what was added less what was cancelled, base coin, shape (2, WIDTH).

        Args:
            book: Its number.
            now: µs; slots that ended a minute before do not count.
        """
        slots = np.arange(max(now // SLOT - SLOTS + 1, 0), self._slot + 1)
        return self._slots[slots[-SLOTS:] % SLOTS, book].sum(axis=0)


def _visible(window: BookWindow) -> NDArray[np.bool_]:
    """Return the columns that both this book and the one before reach, shape (books, 2, WIDTH).

    What lies beyond the last visible level was not added when it comes into sight.
    """
    steps = window.base[:, None] + np.arange(WIDTH)
    both = window.deepest_before != NONE
    bids = both[:, :1] & (steps >= np.maximum(window.deepest, window.deepest_before)[:, :1])
    asks = both[:, 1:] & (steps <= np.minimum(window.deepest, window.deepest_before)[:, 1:])
    return np.stack((bids, asks), axis=1)
