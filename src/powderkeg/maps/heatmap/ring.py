"""The price-time ring: one market's map, a column per step, one plane per tier.

A single market has longs only below its mark and shorts only above, so one plane holds both
sides; the row the mark stands in keeps its two sides apart in `edges`. Each column remembers where
its rows begin on the common price grid, so nothing is ever moved or blurred when price drifts.

Columns are kept in blocks, packed as soon as another is drawn into: all but the newest, and the
one last drawn into. Which are is a matter of what was drawn, never of what was read.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine.exposure.classes import CLASSES, TIERS
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.render import ground, scaled
from powderkeg.engine.exposure.table import BINS, MARK, Singles, Visits
from powderkeg.events import Floats, Times
from powderkeg.grid import price_of
from powderkeg.maps.heatmap import block_codec
from powderkeg.maps.heatmap.block_codec import BLOCK
from powderkeg.maps.heatmap.scale import DOLLARS, moved, to_byte, unit_for

ROWS = 800
TIER_COUNT = len(TIERS)
EMPTY, FILLED, HOLE = 0, 1, 2
"""States of a column: never written, written, or inside a gap."""


@njit(cache=True, fastmath=True, nogil=True)
def _write(  # noqa: C901, PLR0912  one pass over a column; a call inside it would cost more
    cells: Singles, last_crossed: Visits, number: Floats, base: int, weights: Floats, tiers: Times,
    per_row: int, first: int, front: int, unit: float, column: NDArray[np.uint8],
    edges: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Render one column: dollars by row and tier, as bytes of a unit."""
    # a row of weights a tier, zero for classes of others: sums over classes that vectorise
    w = np.zeros((2, 2, TIER_COUNT, CLASSES), np.float32)
    for side in range(2):
        both = scaled(number, weights, side)
        for g in range(2):
            for k in range(CLASSES):
                w[side, g, tiers[k], k] = both[g, k]
    money = np.zeros((2, TIER_COUNT))
    for row in range(ROWS):
        low = (first + row) * per_row - base
        if low < 0 or low + per_row > BINS:
            continue
        money[:] = 0.0
        for side in range(2):
            if (side == 0 and row > front) or (side == 1 and row < front):
                continue
            for b in range(low, low + per_row):
                g = ground(number, last_crossed, side, b)
                for t in range(TIER_COUNT):
                    total = np.float32(0)
                    for k in range(CLASSES):
                        total += w[side, g, t, k] * cells[side, b, k]
                    money[side, t] += total
        price = price_of(((first + row) + 0.5) * per_row) / unit
        for t in range(TIER_COUNT):
            if row == front:
                edges[0, t] = to_byte(money[0, t] * price)
                edges[1, t] = to_byte(money[1, t] * price)
            else:
                column[t, row] = to_byte((money[0, t] + money[1, t]) * price)


@njit(cache=True, nogil=True)
def _blend(  # noqa: C901  as above
    cells: NDArray[np.uint8], edges: NDArray[np.uint8], firsts: Times, fronts: Times,
    states: NDArray[np.uint8], table: Floats, tiers: NDArray[np.bool_], sides: NDArray[np.bool_],
    shares: Floats, first: int, out: Floats,
) -> None:  # fmt: skip
    """Add the dollars of the chosen tiers and sides of every column to `out` (columns, rows).

    `shares` (columns, 2) is what counts of each side of a column.
    """
    for c in range(cells.shape[0]):
        if states[c] != FILLED:
            continue
        for row in range(ROWS):
            r = row + first - firsts[c]
            if r < 0 or r >= ROWS:
                continue
            if r == fronts[c]:
                for t in range(TIER_COUNT):
                    if tiers[t]:
                        for side in range(2):
                            if sides[side]:
                                out[c, row] += table[edges[c, side, t]] * shares[c, side]
                continue
            if (r < fronts[c] and not sides[0]) or (r > fronts[c] and not sides[1]):
                continue
            for t in range(TIER_COUNT):
                v = cells[c, t, r]
                if v and tiers[t]:
                    out[c, row] += table[v] * shares[c, 0 if r < fronts[c] else 1]


class Ring:
    """The last columns of one market's map at one time step."""

    __slots__ = (
        "_bottoms", "_least", "_leasts", "_packed", "_unpacked", "bound", "drawn", "edges",
        "firsts", "fronts", "last", "per_row", "size", "states", "step", "unbounded",
        "unit",
    )  # fmt: skip

    def __init__(self, step: int, size: int = 1500, per_row: int = 1) -> None:
        """Make an empty ring of `size` columns of `step` µs; a row is `per_row` bins high."""
        self.step = step
        self.size = size
        self.per_row = per_row
        self._unpacked: dict[int, NDArray[np.uint8]] = {}
        """Blocks that are drawn into, shape (32, tiers, rows), by column number over 32."""
        self._packed: dict[int, bytes] = {}
        """All other blocks."""
        blocks = size // BLOCK + 2
        self._least = np.zeros((blocks, TIER_COUNT, ROWS), np.uint8)
        """The least byte of each price in a packed block, at its number modulo `blocks`."""
        self._leasts = np.full(blocks, -1)
        """Number of the block whose least is kept, -1 for none."""
        self._bottoms = np.zeros(blocks, np.int64)
        """Row of the common price grid at which its least begins."""
        self.edges = np.zeros((size, 2, TIER_COUNT), np.uint8)
        self.firsts = np.zeros(size, np.int64)
        self.fronts = np.zeros(size, np.int64)
        self.states = np.zeros(size, np.uint8)
        self.unbounded = np.zeros((size, 2))
        """Base coin of both sides where no open interest was known yet, 0 where it was."""
        self.bound = 0.0
        """The first open interest that was read, base coin; 0 before. What was drawn before it may
        hold no more than this: it shall not be brighter because nothing was published then."""
        self.unit = 1.0
        """Of the money scale: what the dollars of a byte are multiplied by."""
        self.last = -1
        """Number of the newest column since 1970, -1 before the first."""
        self.drawn = -1
        """µs at which a column was last drawn, -1 before the first."""

    def frozen(self) -> Ring:
        """Return a ring that stays as this one is now, for readers in another thread.

        Packed blocks are never changed, and so they are shared.
        """
        out = copy.copy(self)
        out._unpacked = {n: cells.copy() for n, cells in self._unpacked.items()}  # noqa: SLF001  a ring's own
        out._packed = dict(self._packed)  # noqa: SLF001  as above
        for name in (
            "_least", "_leasts", "_bottoms", "edges", "firsts", "fronts", "states", "unbounded",
        ):  # fmt: skip
            setattr(out, name, getattr(self, name).copy())
        return out

    def due(self, at: int) -> bool:
        """Return whether the newest column has ended, or is half a column old."""
        return at % self.step == 0 or self.drawn < 0 or at - self.drawn >= self.step // 2

    def write(
        self, at: int, exposure: Exposure, weights: Floats, unbounded: Floats | float = 0.0
    ) -> None:
        """Draw the map at `at` into its column, over the previous content.

        A column that has left the ring is not drawn: its slot belongs to another now.

        Args:
            at: µs; the column is the one this time falls into.
            exposure: Of one market; it must know its mark.
            weights: By side, ground and class, shape (2, 2, 64).
            unbounded: What it holds by side, base coin (2,), where no open interest is known.
        """
        if self.last >= 0 and at // self.step <= self.last - self.size:
            return
        slot = self._advance(at // self.step)
        self.drawn = at
        mark = exposure.number[MARK] + exposure.base
        front = math.floor(mark / self.per_row)
        first = front - ROWS // 2
        coins = exposure.oi if exposure.oi > 0 else float(np.max(unbounded))
        self._fit(coins * price_of(mark))
        self.firsts[slot] = first
        self.fronts[slot] = front - first
        self.states[slot] = FILLED
        self.unbounded[slot] = unbounded
        if not self.bound and exposure.oi > 0:
            self.bound = exposure.oi
        column = self._open(at // self.step // BLOCK)[at // self.step % BLOCK]
        column[:] = 0
        _write(
            exposure.cells, exposure.last_crossed, exposure.number, exposure.base, weights,
            exposure.basis.tiers, self.per_row, first, front - first, self.unit, column,
            self.edges[slot],
        )  # fmt: skip

    def _fit(self, interest: float) -> None:
        """Fit the unit to open interest, dollars; where it changes, so do the bytes of all columns.

        A market grows or shrinks tenfold once in a long while, so all blocks are packed anew.
        """
        unit = unit_for(interest, self.unit)
        if unit == self.unit:
            return
        bytes_ = moved(self.unit, unit)
        self.edges = bytes_[self.edges]
        self._least = bytes_[self._least]
        self._unpacked = {n: bytes_[cells] for n, cells in self._unpacked.items()}
        for n, block in self._packed.items():
            cells, firsts = block_codec.peek(block)
            self._packed[n] = block_codec.pack(bytes_[cells], firsts)
        self.unit = unit

    def mark_gap(self, since: int, until: int) -> None:
        """Mark the columns of a gap; a column with any data in it stays."""
        for column in range(
            max(since // self.step, until // self.step - self.size), until // self.step + 1
        ):
            if column > self.last:
                self.states[self._advance(column)] = HOLE
            elif column > self.last - self.size and self.states[column % self.size] == EMPTY:
                self.states[column % self.size] = HOLE

    def _advance(self, column: int) -> int:
        """Make `column` the newest unless it is older, and return its slot."""
        if self.last < 0:
            self.last = column
        elif column > self.last:
            for c in range(max(self.last + 1, column - self.size + 1), column + 1):
                self.states[c % self.size] = EMPTY
            self.last = column
        return column % self.size

    def _open(self, block: int) -> NDArray[np.uint8]:
        """Return a block to draw into, and pack those that are not drawn into any more."""
        if block in self._unpacked:
            return self._unpacked[block]
        self._forget((self.last - self.size + 1) // BLOCK)
        for other in list(self._unpacked):
            if other != self.last // BLOCK:
                self._close(other)
        if block in self._packed:
            self._leasts[block % len(self._leasts)] = -1
            self._unpacked[block] = block_codec.unpack(self._packed.pop(block))[0]
        else:
            self._unpacked[block] = np.zeros((BLOCK, TIER_COUNT, ROWS), np.uint8)
        return self._unpacked[block]

    def _forget(self, before: int) -> None:
        """Drop the blocks of which no column is in the ring any more."""
        for blocks in (self._unpacked, self._packed):
            for block in [block for block in blocks if block < before]:
                del blocks[block]

    def _close(self, block: int) -> None:
        """Pack a block."""
        cells, firsts = self._unpacked[block], self._firsts_of(block)
        at = block % len(self._leasts)
        self._leasts[at], self._bottoms[at] = block, firsts[-1]
        block_codec.least(cells, firsts, int(firsts[-1]), self._least[at])
        self._packed[block] = block_codec.pack(cells, firsts)
        del self._unpacked[block]

    def _firsts_of(self, block: int) -> Times:
        """Return where the columns of a block begin; of those not in the ring, anything."""
        return self.firsts[np.arange(block * BLOCK, (block + 1) * BLOCK) % self.size]

    def _peek(self, block: int) -> NDArray[np.uint8]:
        """Return a block that must not be changed; there must be one."""
        loose = self._unpacked.get(block)
        return block_codec.peek(self._packed[block])[0] if loose is None else loose

    def column(self, number: int) -> NDArray[np.uint8]:
        """Return the bytes of a column that is drawn, shape (tiers, 800); not to be changed."""
        return self._peek(number // BLOCK)[number % BLOCK]

    def row(self, block: int, row: int) -> NDArray[np.uint8]:
        """Return the bytes of the columns of a block in a row, shape (32, tiers).

        Zero where there is none. They must not be changed.

        Args:
            block: Column number over 32.
            row: Of the common price grid.
        """
        if block in self._unpacked:
            return block_codec.row_of(self._unpacked[block], self._firsts_of(block), row)
        if block in self._packed:
            return block_codec.strip(self._packed[block], row)
        return np.zeros((BLOCK, TIER_COUNT), np.uint8)

    def least(self, blocks: Times, row: int) -> NDArray[np.uint8]:
        """Return bytes that no column of each block falls below in a row, shape (blocks, tiers).

        A bound that is cheap to compute, not the tightest: often zero.
        """
        at = blocks % len(self._leasts)
        rows = row - self._bottoms[at]
        known = (self._leasts[at] == blocks) & (rows >= 0) & (rows < ROWS)
        out = np.zeros((len(blocks), TIER_COUNT), np.uint8)
        out[known] = self._least[at[known], :, rows[known]]
        return out

    def shares(self, slots: NDArray[np.int64]) -> Floats:
        """Return how much of both sides of columns counts, shape (n, 2): all, or what is bound."""
        free = self.unbounded[slots]
        if not self.bound > 0:
            return np.ones_like(free)
        return self.bound / np.maximum(free, self.bound)

    def blend(
        self, until: int, columns: int, first: int, tiers: NDArray[np.bool_],
        sides: NDArray[np.bool_], out: Floats,
    ) -> None:  # fmt: skip
        """Add the dollars of `columns` columns that end with column number `until` to `out`.

        `first` is the common grid row `out` begins at; `out` is float64 (columns, 800).
        """
        start = max(until - columns, self.last - self.size) + 1
        for block in range(start // BLOCK, min(until, self.last) // BLOCK + 1):
            low = max(start, block * BLOCK)
            high = min(until, self.last, block * BLOCK + BLOCK - 1) + 1
            slots = np.arange(low, high) % self.size
            states = self.states[slots]
            if FILLED not in states:
                continue
            _blend(
                self._peek(block)[low - block * BLOCK : high - block * BLOCK], self.edges[slots],
                self.firsts[slots], self.fronts[slots], states, DOLLARS * self.unit, tiers, sides,
                self.shares(slots), first,
                out[low - (until - columns + 1) : high - (until - columns + 1)],
            )  # fmt: skip

    def known(self) -> Times:
        """Return the numbers of the columns that are drawn, rising."""
        numbers = np.arange(max(self.last - self.size + 1, 0), self.last + 1)
        return numbers[self.states[numbers % self.size] == FILLED]

    @property
    def is_contiguous(self) -> bool:
        """Whether columns are drawn one after another: coarser data fills every fifth, or fewer."""
        known = self.known()
        return len(known) > 0 and (len(known) < 2 or float(np.median(np.diff(known))) == 1)

    def gaps(self, until: int, columns: int) -> NDArray[np.bool_]:
        """Return which of the last columns lie inside a gap, shape (columns,)."""
        numbers = np.arange(until - columns + 1, until + 1)
        known = (numbers > self.last - self.size) & (numbers <= self.last)
        return known & (self.states[numbers % self.size] == HOLE)


def column_boundaries(ends: Times, rings: Mapping[int, Ring], until: int, span: int) -> list[int]:
    """Return the indices after which a column of some ring is over, for bars that end at `ends`.

    Args:
        ends: End of each bar, µs, rising.
        rings: By column step.
        until: µs at which the backfill ends; columns a ring will not keep are left out.
        span: Length of a bar; finer rings are left out.
    """
    due = np.zeros(len(ends), np.bool_)
    for step, ring in rings.items():
        if step < span:
            continue
        columns = (ends - 1) // step
        last = np.append(columns[1:] > columns[:-1], True)
        due |= last & (ends > until - step * ring.size)
    return [int(i) + 1 for i in np.flatnonzero(due)]
