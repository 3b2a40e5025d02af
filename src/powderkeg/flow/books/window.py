"""Resting sizes of many books on price steps around their best prices, as arrays.

All books are in one set of arrays, so that reads pass over all of them in one call. A step is a
multiple of the tick: bids are rounded down to it and asks up, so that no size is shown at a price
better than its own. Step s is the price ``s * step``; column c of a book is the step ``base + c``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import Floats

WIDTH: Final = 256
"""Steps kept of each book."""
REACH: Final = 60
"""Steps from the best price that are near it: where walls are looked for and depth is measured."""
BID, ASK = 0, 1
NONE: Final = -(2**62)
"""Best step of an empty side."""
Levels: TypeAlias = tuple[Floats, Floats]
"""Prices and sizes of one side of a book, each shape (n,)."""
_ROUNDING: Final = 1e-9
"""Part of a step: a price that binary fractions put beside its step belongs to it."""


class BookWindow:
    """The books, and what traded in the current frame.

    Args:
        steps: Height of a step of each book, quote currency.
    """

    __slots__ = ("base", "before", "best", "centred", "size", "steps", "traded")

    def __init__(self, steps: Iterable[float]) -> None:
        self.steps: Floats = np.array(list(steps), np.float64)
        count = len(self.steps)
        self.size: Floats = np.zeros((count, 2, WIDTH))
        """Base coin by book, side and column."""
        self.before: Floats = np.zeros((count, 2, WIDTH))
        """The same at the end of the frame before."""
        self.traded: Floats = np.zeros((count, 2, WIDTH))
        """Base coin taken in this frame, by the side that was resting."""
        self.base: NDArray[np.int64] = np.zeros(count, np.int64)
        """Step of column 0."""
        self.best: NDArray[np.int64] = np.full((count, 2), NONE)
        """Step of the best bid and of the best ask."""
        self.centred: NDArray[np.bool_] = np.zeros(count, np.bool_)

    def load(self, book: int, bids: Levels, asks: Levels) -> int:
        """Set a whole book and return by how many columns the window was moved.

        The window is centred on the book once its best prices have left the middle. What lies
        outside is left out, and so is the past of what comes inside.

        Args:
            book: Its number.
            bids: Prices and sizes, in any order.
            asks: As above.
        """
        steps = [self.steps_of(book, side, prices) for side, (prices, _) in enumerate((bids, asks))]
        tops = [
            int(best(s)) if len(s) else NONE
            for best, s in zip((np.max, np.min), steps, strict=True)
        ]
        self.best[book] = tops
        known = [top for top in tops if top != NONE]
        moved = self._centre(book, sum(known) // len(known)) if known else 0
        for side, (_, sizes) in enumerate((bids, asks)):
            columns = steps[side] - self.base[book]
            inside = (columns >= 0) & (columns < WIDTH)
            self.size[book, side] = np.bincount(columns[inside], sizes[inside], WIDTH)
        return moved

    def steps_of(self, book: int, side: int, prices: Floats) -> NDArray[np.int64]:
        """Return the steps that prices of a side are shown at: bids down, asks up."""
        places = prices / self.steps[book]
        whole = np.floor(places + _ROUNDING) if side == BID else np.ceil(places - _ROUNDING)
        return whole.astype(np.int64)

    def _centre(self, book: int, middle: int) -> int:
        """Shift the window by whole steps once its middle is a quarter of its width away."""
        base = middle - WIDTH // 2
        if not self.centred[book]:
            self.base[book], self.centred[book] = base, True
            return 0
        shift = base - int(self.base[book])
        if abs(shift) <= WIDTH // 4:
            return 0
        for each in (self.size[book], self.before[book], self.traded[book]):
            each[:] = shifted(each, shift)
        self.base[book] = base
        return shift

    def add_trades(self, book: int, prices: Floats, sizes: Floats) -> None:
        """Add prints: buyers (sizes above 0) take from the asks, sellers from the bids."""
        for side, taken in ((BID, sizes < 0), (ASK, sizes > 0)):
            columns = self.steps_of(book, side, prices[taken]) - self.base[book]
            inside = (columns >= 0) & (columns < WIDTH)
            amounts = np.abs(sizes[taken][inside])
            self.traded[book, side] += np.bincount(columns[inside], amounts, WIDTH)

    def end_frame(self) -> None:
        """Begin the next frame."""
        self.before[:] = self.size
        self.traded[:] = 0.0

    def net(self) -> Floats:
        """Return size added less size cancelled in this frame, shape (books, 2, WIDTH).

        Aggregated levels show the difference of adds and cancels only, not each of them:
        what is shown now, less what was shown, plus what traded meanwhile.
        """
        return self.size - self.before + self.traded


def shifted(cells: Floats, shift: int) -> Floats:
    """Return columns (..., WIDTH) moved down by `shift`, 0 where none was."""
    out = np.zeros_like(cells)
    if abs(shift) >= WIDTH:
        return out
    if shift >= 0:
        out[..., : WIDTH - shift] = cells[..., shift:]
    else:
        out[..., -shift:] = cells[..., :shift]
    return out
