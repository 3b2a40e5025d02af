"""Resting sizes of many books on price steps around their best prices, as arrays.

All books are in one set of arrays, so that reads pass over all of them in one call. A step is a
multiple of the tick: bids are rounded down to it and asks up, so that no size is shown at a price
better than its own. Step s is the price ``s * step``; column c of a book is the step ``base + c``.

Venues send books less often than prints: some every 100 ms, some every few seconds. What traded is
therefore kept until the book comes that contains it, and only books that came in a frame are read.
Where both carry the venue's time, a print belongs to the first book of its time or later: prints
arrive ahead of the change that they made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from powderkeg.events import Floats, Times
from powderkeg.flow.tape.traded import step_for

WIDTH: Final = 256
"""Steps kept of each book."""
REACH: Final = 60
"""Steps from the best price that are near it: where walls are looked for and depth is measured."""
BID, ASK = 0, 1
NONE: Final = -(2**62)
"""Best step of an empty side."""
LATER: Final = 4_096
"""Runs of prints that wait for a book; older ones are part of the next."""
SHORT: Final = 20
"""Steps that are visible of a side at least; where fewer would be, the steps are finer."""
Levels: TypeAlias = tuple[Floats, Floats]
"""Prices and sizes of one side of a book, each shape (n,)."""
Prints: TypeAlias = tuple[Times, Floats, Floats]
"""Times in µs, prices and signed sizes, each shape (n,)."""
_NONE: Final[Prints] = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
_ROUNDING: Final = 1e-9
"""Part of a step: a price that binary fractions put beside its step belongs to it."""


class BookWindow:
    """The books, and what traded since each of them came.

    Args:
        steps: Height of a step of each book, quote currency, unless its visible levels are too few
            for it: see `step_of`.
    """

    __slots__ = (
        "_later", "base", "before", "best", "best_before", "centred", "deepest", "deepest_before",
        "fresh", "size", "steps", "traded",
    )  # fmt: skip

    def __init__(self, steps: Iterable[float]) -> None:
        self.steps: Floats = np.array(list(steps), np.float64)
        count = len(self.steps)
        self.size: Floats = np.zeros((count, 2, WIDTH))
        """Base coin by book, side and column."""
        self.before: Floats = np.zeros((count, 2, WIDTH))
        """The same of the book before."""
        self.traded: Floats = np.zeros((count, 2, WIDTH))
        """Base coin taken since the book before, by the side that was resting."""
        self.fresh: NDArray[np.bool_] = np.zeros(count, np.bool_)
        """Whether the book came in this frame."""
        self.base: NDArray[np.int64] = np.zeros(count, np.int64)
        """Step of column 0."""
        self.best: NDArray[np.int64] = np.full((count, 2), NONE)
        """Step of the best bid and of the best ask."""
        self.best_before: NDArray[np.int64] = np.full((count, 2), NONE)
        """The same of the book before."""
        self.deepest: NDArray[np.int64] = np.full((count, 2), NONE)
        """Step of the last visible bid and ask: nothing is known beyond."""
        self.deepest_before: NDArray[np.int64] = np.full((count, 2), NONE)
        """The same of the book before."""
        self.centred: NDArray[np.bool_] = np.zeros(count, np.bool_)
        self._later: list[Prints] = [_NONE] * count
        """Prints of each book that it does not contain yet."""

    def load(self, book: int, bids: Levels, asks: Levels, time: int | None = None) -> int:
        """Set a whole book and return by how many columns the window was moved.

        The window is centred on the book once its best prices have left the middle. What lies
        outside is left out, and so is the past of what comes inside.

        Args:
            book: Its number.
            bids: Prices and sizes, in any order.
            asks: As above.
            time: Of its last change, by the venue's clock, µs: prints after it are kept for the
                next. Without it, all prints so far are part of it.
        """
        if not self.centred[book]:
            self.steps[book] = step_of(bids[0], asks[0], float(self.steps[book]))
        steps = [self.steps_of(book, side, prices) for side, (prices, _) in enumerate((bids, asks))]
        ends = [(int(s.min()), int(s.max())) if len(s) else (NONE, NONE) for s in steps]
        tops = [ends[BID][1], ends[ASK][0]]
        self.best[book], self.fresh[book] = tops, True
        self.deepest[book] = ends[BID][0], ends[ASK][1]
        known = [top for top in tops if top != NONE]
        moved = self._centre(book, sum(known) // len(known)) if known else 0
        for side, (_, sizes) in enumerate((bids, asks)):
            columns = steps[side] - self.base[book]
            inside = (columns >= 0) & (columns < WIDTH)
            self.size[book, side] = np.bincount(columns[inside], sizes[inside], WIDTH)
        if moved:  # nothing is known of what came inside: it has not been added now
            entered = slice(-moved, None) if moved > 0 else slice(-moved)
            self.before[book, :, entered] = self.size[book, :, entered]
        self._take(book, time)
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

    def add_trades(
        self, book: int, prices: Floats, sizes: Floats, times: Times | None = None
    ) -> None:
        """Add prints: buyers (sizes above 0) take from the asks, sellers from the bids.

        Args:
            book: Its number.
            prices: Shape (n,).
            sizes: Signed, shape (n,).
            times: By the venue's clock, µs, shape (n,). Without them the next book contains them.
        """
        if times is None:
            self._add(book, prices, sizes)
            return
        known, values, amounts = self._later[book]
        known = np.concatenate((known, times))
        values, amounts = np.concatenate((values, prices)), np.concatenate((amounts, sizes))
        stale = max(len(known) - LATER, 0)
        self._add(book, values[:stale], amounts[:stale])
        self._later[book] = known[stale:], values[stale:], amounts[stale:]

    def _take(self, book: int, time: int | None) -> None:
        """Add the prints that a book contains, and keep those after it."""
        times, prices, sizes = self._later[book]
        if not len(times):
            return
        contained = np.full(len(times), True) if time is None else times <= time
        self._add(book, prices[contained], sizes[contained])
        later = ~contained
        self._later[book] = times[later], prices[later], sizes[later]

    def _add(self, book: int, prices: Floats, sizes: Floats) -> None:
        for side, taken in ((BID, sizes < 0), (ASK, sizes > 0)):
            columns = self.steps_of(book, side, prices[taken]) - self.base[book]
            inside = (columns >= 0) & (columns < WIDTH)
            amounts = np.abs(sizes[taken][inside])
            # print by print: the same bits however prints are cut into runs
            np.add.at(self.traded[book, side], columns[inside], amounts)

    def end_frame(self) -> None:
        """Begin the next frame. What traded against a book that has not come yet is kept."""
        came = np.flatnonzero(self.fresh)
        self.before[came], self.best_before[came] = self.size[came], self.best[came]
        self.deepest_before[came] = self.deepest[came]
        self.traded[came] = 0.0
        self.fresh[came] = False

    def net(self) -> Floats:
        """Return size added less size cancelled since the book before, shape (books, 2, WIDTH).

        Aggregated levels show the difference of adds and cancels only, not each of them:
        what is shown now, less what was shown, plus what traded meanwhile. It is 0 of a book that
        has not come in this frame.
        """
        out = self.size - self.before
        out += self.traded
        out[~self.fresh] = 0.0
        return out


def step_of(bids: Floats, asks: Floats, usual: float) -> float:
    """Return the height of a book's steps: finer than usual where few of them would be visible.

    Books of twenty levels end within a few basis points: laid on steps of half a basis point, four
    or five steps would be left of them. They are laid on the largest round step of which `SHORT`
    are visible, but on none below the spacing of their levels.

    Args:
        bids: Prices in any order.
        asks: As above.
        usual: Quote currency.
    """
    if len(bids) < 2 or len(asks) < 2:
        return usual
    most = float(min(np.ptp(bids), np.ptp(asks))) / SHORT
    if most >= usual:
        return usual
    spacing = np.median(np.concatenate([np.diff(np.sort(side)) for side in (bids, asks)]))
    power = 10.0 ** math.floor(math.log10(most))
    round_step = max(n * power for n in (1, 2, 5) if n * power <= most)
    return min(usual, max(round_step, step_for(float(spacing), 1.0)))


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
