"""Refill and absorption: takers press on one side, and price gives way less than it usually does.

Per book and side, over the last seconds: V is what takers took, R what came back at those prices
(within a second of the last trade there, or with the next book), D how far the mid went with them.
Size that is cancelled again is not back, and no more can come back than was taken: quotes that come
and go at the best price would otherwise count each time. A book that comes after a pause says
nothing of what traded meanwhile. The refill ratio is
``R / V``. D is compared with what as much volume usually does: the absorption ratio is
``1 - D / (slope * V)``. The slope is the median of ``D / V`` over earlier windows that
were not refilled and held at least a third as much volume, because books do not give way in
proportion; one over the depth shown now counts as a few more such windows, so that the first burst
has a measure.
Both ratios are needed: volume alone fires on breakouts too.

Source: docs/orderflow.md, "Absorption".
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from powderkeg.events import SECOND, Floats, Times
from powderkeg.flow.books.window import BID, NONE, REACH, WIDTH, BookWindow, shifted
from powderkeg.flow.thresholds import DEFAULT, AbsorptionRules

(VOLUME, REFILLED, LOWEST, HIGHEST, FIRST) = range(5)
_FIELDS: Final = 5
TAKEN, BACK = 0, 1


class Pressure(Struct, frozen=True):
    """One side of a book under takers' pressure, over the last window."""

    book: int
    side: int
    """Side that is resting: 0 bids against sellers, 1 asks against buyers."""
    time: int
    """End of the window, µs."""
    volume: float
    """Base coin taken."""
    deviations: float
    """Of log volume above the usual window; NaN until that is known."""
    refill: float
    """Refilled over taken, 0 to 1: at 1 it comes back as fast as it is taken."""
    displacement: float
    """Steps that the mid went with the takers."""
    ratio: float
    """Absorption ratio: 1 where price did not move, 0 where it moved as usual; NaN until known."""
    pressed: bool
    """Whether the volume is pressure."""
    absorbed: bool
    """Whether pressure, ratio and refill all reach their thresholds."""


class AbsorptionReads:
    """Absorption on both sides of all books of a window."""

    __slots__ = (
        "_came", "_counts", "_last", "_limit", "_limited", "_owed", "_sampled", "_second",
        "_slopes", "_slots", "_usual", "_volumes", "rules", "seconds",
    )  # fmt: skip

    def __init__(self, books: int, rules: AbsorptionRules = DEFAULT.absorption) -> None:
        """Start without a usual window."""
        self.rules = rules
        self.seconds = rules.window // SECOND
        self._last: Times = np.full((books, 2, WIDTH), NONE)
        """Time of the last trade at each column, µs."""
        self._owed: Floats = np.zeros((books, 2, WIDTH, 2))
        """Base coin taken at each column since trading there began, and how much of it is back."""
        self._came: Times = np.full(books, NONE)
        """When each book came last, µs."""
        self._slots: Floats = np.zeros((books, 2, self.seconds, _FIELDS))
        self._slots[..., LOWEST:] = np.nan
        self._second = -1
        self._sampled = 0
        self._limited = 0
        self._volumes: Floats = np.full((books, 2, rules.memory), np.nan)
        self._slopes: Floats = np.full((books, 2, rules.memory), np.nan)
        self._counts: NDArray[np.int64] = np.zeros((books, 2), np.int64)
        self._usual: Floats = np.full((books, 2, 2), np.nan)
        """Median and spread of log volume of a window."""
        self._limit: Floats = np.full((books, 2), np.inf)

    def windows(self, books: int) -> int:
        """Return how many windows the best known side of the first `books` books has learned."""
        return int(self._counts[:books].max(initial=0))

    def of_second(self, books: list[int], second: int) -> tuple[Floats, Floats]:
        """Return what was taken from bids and asks in a second, and what came back, base coin.

        Args:
            books: Their numbers.
            second: One of the last of the window; nothing is known of others.
        """
        if not 0 <= self._second - second < self.seconds:
            return np.zeros(2), np.zeros(2)
        sums = self._slots[books, :, second % self.seconds, : REFILLED + 1].sum(axis=0)
        return sums[:, VOLUME], sums[:, REFILLED]

    def roll(self, book: int, shift: int) -> None:
        """Move with a window whose columns have been shifted."""
        if not shift:
            return
        last = np.full((2, WIDTH), NONE)
        self._owed[book] = np.moveaxis(shifted(np.moveaxis(self._owed[book], 2, 0), shift), 0, 2)
        if abs(shift) < WIDTH:
            stop = WIDTH - abs(shift)
            low, high = (slice(stop), slice(abs(shift), None))
            into, out = (low, high) if shift > 0 else (high, low)
            last[:, into] = self._last[book][:, out]
        self._last[book] = last

    def frame(self, window: BookWindow, now: int) -> list[Pressure]:
        """Read a frame; once a second return the sides that are under pressure."""
        if not window.fresh.any():
            return []
        second = now // SECOND
        if second != self._second:
            begun = min(second - self._second, self.seconds) if self._second >= 0 else 1
            for n in range(begun):
                slot = (second - n) % self.seconds
                self._slots[:, :, slot, :LOWEST] = 0.0
                self._slots[:, :, slot, LOWEST:] = np.nan
        times = np.array([now, self.rules.grace, self.rules.pause], np.int64)
        past = np.stack((window.best_before, window.deepest_before))
        _add(
            window.size, window.before, window.traded, window.base, window.best, past, window.fresh,
            self._came, self._last, self._owed, self._slots[:, :, second % self.seconds], times,
        )  # fmt: skip
        if second == self._second:
            return []
        self._second = second
        return self._reads(window, now)

    def _reads(self, window: BookWindow, now: int) -> list[Pressure]:
        """Return the sides under pressure, and learn the usual window from the others."""
        volume = self._slots[..., VOLUME].sum(axis=2)
        if now - self._sampled >= self.rules.sample:
            self._sampled = now
            pressed_too = now // self.rules.sample % self.rules.pressed_every == 0
            wanted = (volume > 0) & (pressed_too | (volume < self._limit))
            for book, side in np.argwhere(wanted).tolist():
                self._learn(self.read(window, book, side, now))
            if now - self._limited >= self.rules.refresh or not np.isfinite(self._limit).any():
                self._limited = now
                self._limits()
        pressed = np.argwhere((volume > 0) & (volume >= self._limit)).tolist()
        return [self.read(window, book, side, now) for book, side in pressed]

    def _limits(self) -> None:
        """Find from which volume on each side is pressed."""
        known = self._counts >= self.rules.warm_up
        logs = self._volumes[known]
        middle = np.nanmedian(logs, axis=1)
        below = middle[:, None] - logs  # the upper half holds the pressed windows themselves
        below[~(below >= 0)] = np.nan
        spread = 1.4826 * np.nanmedian(below, axis=1)
        self._usual[known] = np.stack((middle, np.maximum(spread, 0.05)), axis=1)
        self._limit[known] = np.exp(self._usual[known] @ np.array([1.0, self.rules.pressure]))

    def read(self, window: BookWindow, book: int, side: int, now: int) -> Pressure:
        """Return one side of a book over the last window."""
        rules, slots = self.rules, self._slots[book, side]
        v = float(slots[:, VOLUME].sum())
        order = (np.arange(self.seconds) + now // SECOND + 1) % self.seconds
        moved = _displacement(slots[order], side)
        refill = max(0.0, float(slots[:, REFILLED].sum())) / v if v > 0 else 0.0
        middle, spread = self._usual[book, side].tolist()
        deviations = (math.log(v) - middle) / spread if v > 0 else math.nan
        usual = self._slope(window, book, side, v) * v if v > 0 else 0.0
        ratio = 1 - moved / usual if usual > 0 else math.nan
        pressed = deviations >= rules.pressure
        return Pressure(
            book, side, now, v, deviations, refill, moved, ratio, pressed,
            pressed and ratio >= rules.ratio and refill >= rules.refill,
        )  # fmt: skip

    def _slope(self, window: BookWindow, book: int, side: int, volume: float) -> float:
        """Return the steps that a coin usually moves the mid, where so much is taken."""
        rules, logs = self.rules, self._volumes[book, side]
        alike = logs >= math.log(volume * rules.alike)
        top = window.best[book, side] - window.base[book]
        depth = _depth(window.size[book, side], top, side)
        slopes = np.append(self._slopes[book, side][alike], 1 / depth)
        weights = np.append(np.exp(logs[alike]), rules.prior * volume)
        return _weighted_median(slopes, weights)

    def _learn(self, read: Pressure) -> None:
        if not read.volume > 0:
            return
        book, side = read.book, read.side
        row = self._counts[book, side] % self.rules.memory
        self._volumes[book, side, row] = math.log(read.volume)
        refilled = read.refill >= self.rules.refill
        self._slopes[book, side, row] = math.nan if refilled else read.displacement / read.volume
        self._counts[book, side] += 1


def _weighted_median(values: Floats, weights: Floats) -> float:
    """Return the median of values that are not NaN, each counting by its weight; NaN of none."""
    known = ~np.isnan(values)
    values, weights = values[known], weights[known]
    if not len(values):
        return math.nan
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def _displacement(slots: Floats, side: int) -> float:
    """Return steps the mid went with the takers: down for bids, up for asks.

    `slots` are in order of time, shape (seconds, fields).
    """
    known = slots[~np.isnan(slots[:, FIRST])]
    if not len(known):
        return 0.0
    first = known[0, FIRST]
    far = first - known[:, LOWEST].min() if side == BID else known[:, HIGHEST].max() - first
    return max(0.0, float(far))


@njit(cache=True)
def _depth(sizes: Floats, top: int, side: int) -> float:
    """Return the size shown a step near column `top`, base coin; walls count little.

    `sizes` are those of one side, shape (WIDTH,).
    """
    low, high = (top - REACH + 1, top + 1) if side == 0 else (top, top + REACH)
    near = sizes[max(low, 0) : max(high, 0)]
    shown = near[near > 0.0]
    if len(shown) == 0:
        return 1e-12
    return max(np.minimum(shown, 4.0 * np.median(shown)).sum() / REACH, 1e-12)


@njit(cache=True)
def _add(
    size: Floats, before: Floats, traded: Floats, base: NDArray[np.int64],
    best: NDArray[np.int64], past: NDArray[np.int64], fresh: NDArray[np.bool_], came: Times,
    last: Times, owed: Floats, slot: Floats, times: Times,
) -> None:  # fmt: skip
    """Add what was taken and refilled since each book before, and the mid, to the second's slot.

    The mid goes with the takers from the book before on: they took between the two. `past` are the
    best and the last visible steps of the books before, shape (2, books, 2): what is shown beyond
    the last was there, or was not. `times` are now and the thresholds `grace` and `pause`, µs.
    """
    now, grace, pause = times
    for b in range(len(best)):
        if not fresh[b] or best[b, 0] == NONE or best[b, 1] == NONE:
            continue
        follows, came[b] = now - came[b] <= pause, now
        mid = (best[b, 0] + best[b, 1]) / 2
        known = past[0, b, 0] != NONE and past[0, b, 1] != NONE
        first = (past[0, b, 0] + past[0, b, 1]) / 2 if follows and known else mid
        for side in range(2):
            taken, refilled = 0.0, 0.0
            for c in range(WIDTH):
                x, cell = traded[b, side, c], owed[b, side, c]
                if x == 0.0 and cell[TAKEN] == 0.0:
                    continue
                if x > 0.0:
                    last[b, side, c] = now
                    taken += x
                deeper = base[b] + c - past[1, b, side]
                seen = deeper >= 0 if side == 0 else deeper <= 0
                if not seen or now - last[b, side, c] > grace:
                    cell[:] = 0.0
                    continue
                cell[TAKEN] += x
                net = size[b, side, c] - before[b, side, c] + x  # as `BookWindow.net`
                back = min(max(cell[BACK] + net, 0.0), cell[TAKEN])
                refilled += back - cell[BACK]
                cell[BACK] = back
            row = slot[b, side]
            if follows:
                row[VOLUME] += taken
                row[REFILLED] += refilled
            if np.isnan(row[FIRST]):
                row[FIRST], row[LOWEST], row[HIGHEST] = first, first, first
            row[LOWEST] = min(row[LOWEST], mid)
            row[HIGHEST] = max(row[HIGHEST], mid)
