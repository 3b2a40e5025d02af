"""The exposure of one market by liquidation price: positions opened, closed, swept and left.

    openings  →  cells  →  voluntary closing (decay), the mark (sweep), the edge (lost)

Everything is in base coin at unit weight; `calibration.weights` gives the real share of each class.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.engine.exposure import table as t
from powderkeg.engine.exposure.bulk import rows_needed, run_candles, run_trades
from powderkeg.engine.exposure.classes import BASES, CLASSES, DITHER, Basis
from powderkeg.engine.exposure.deposits import add_trades, flush, place
from powderkeg.engine.exposure.marks import FRESH, RECORD, move_mark
from powderkeg.engine.exposure.render import render, render_tiers
from powderkeg.events import SECOND, Candles, Floats, Times
from powderkeg.grid import bin_of, position_of, price_of


class Spec(Struct, frozen=True):
    """What distinguishes one table from another on the same market."""

    basis: str = "points-and-bands"
    theta: float = 0.2
    """Share of volume that opens even where open interest does not rise. Flat between .1 and .5."""
    own: float = 0.7
    """Share of a taker's volume that opens on the taker's own side. Hardly identified by data."""
    timed: bool = True
    """Whether the time group is filled."""


class Audit(Struct, frozen=True):
    """Invariants of the table, measured."""

    residual: float
    """Largest difference of a class's live exposure in the ledger and in the table, or what would
    have to be closed less than nothing, relative to deposited."""
    wrong_side: float
    """Exposure of longs above the mark and shorts below it. Zero."""
    negative: int
    """Cells below zero, or not finite. Zero."""
    tiny: int
    """Cells so small that arithmetic on them is slow. Zero right after a rescale."""
    deposited: float
    live: float
    decayed: float
    swept: float
    lost: float
    """Fell off the grid."""


class Steps(Struct, frozen=True, eq=False):
    """A stretch of tape cut into steps, as columns."""

    times: Floats
    """End of each step in seconds, shape (n,)."""
    ends: Times
    """Index of the print at which each step ends, shape (n,)."""
    oi: Floats
    """Reading at each step, NaN for none."""
    marks: Floats
    """Mark at the end of each step, NaN for none."""
    prices: Floats
    """Of the prints, shape (m,)."""
    sizes: Floats
    """Signed: negative where a seller took."""
    every: int = 1
    """Steps between flushes."""


def _seconds(at: int) -> float:
    return at / SECOND


class Exposure:
    """The exposure table of one market and its ledger."""

    __slots__ = (
        "active_bins", "basis", "cells", "count", "last_crossed", "ledger", "number",
        "offsets", "pending", "spec", "volume",
    )  # fmt: skip

    def __init__(self, price: float, spec: Spec | None = None) -> None:
        """Start empty around a price.

        Raises:
            ValueError: The price is not above zero.
        """
        if not price > 0:
            raise ValueError(f"expected a price above 0, got {price}")
        self.spec = spec or Spec()
        self.basis: Basis = BASES[self.spec.basis]()
        self.offsets = self.basis.offsets
        self.cells = np.zeros((2, t.BINS, CLASSES), np.float32)
        self.volume = np.zeros((t.BINS, 2))
        self.pending = np.zeros((t.BINS, 2), np.float32)
        self.active_bins = np.zeros((2, t.BINS), np.int16)
        self.last_crossed = np.zeros((2, t.BINS // 2), np.int32)
        self.ledger = np.zeros((4, 2, CLASSES))
        self.number = np.zeros(t.NUMBERS)
        self.count = np.zeros(10, np.int64)
        number = self.number
        number[[t.OI, t.MARK, t.FLUSHED, t.SPAN]] = math.nan
        number[t.LAID] = math.nan if self.spec.timed else math.inf
        number[t.THETA], number[t.OWN] = self.spec.theta, self.spec.own
        number[t.SCALE : t.SCALE + CLASSES] = 1.0
        number[t.INVERSE : t.INVERSE + CLASSES] = 1.0
        number[t.HAZARD : t.HAZARD + CLASSES] = self.basis.hazards
        self.count[t.BASE] = bin_of(price) // 2 * 2 - t.BINS // 2
        self.count[[t.LOWEST, t.HIGHEST, t.REACH]] = t.BINS, -1, self.basis.reach
        self.count[t.FASTEST] = self.basis.hazards.argmax()
        place(price, number, self.count)

    @property
    def base(self) -> int:
        """Absolute index of the lowest bin: bin b covers ``price_of(base + b)`` upwards."""
        return int(self.count[t.BASE])

    @property
    def oi(self) -> float:
        """Last open interest, NaN before the first reading."""
        return float(self.number[t.OI])

    @property
    def mark(self) -> float:
        """Last mark, NaN before the first."""
        return price_of(float(self.number[t.MARK]) + self.base)

    @property
    def hazards(self) -> Floats:
        """Voluntary closing per second of each class, shape (64,)."""
        return self.number[t.HAZARD : t.HAZARD + CLASSES]

    @property
    def nbytes(self) -> int:
        """Bytes of state."""
        arrays = (
            self.cells, self.volume, self.pending, self.active_bins, self.last_crossed, self.ledger,
            self.number, self.count, self.offsets,
        )  # fmt: skip
        return sum(array.nbytes for array in arrays)

    def add_trades(self, prices: Floats, sizes: Floats) -> None:
        """Add prints; sizes of sells are negative."""
        add_trades(
            self.volume, self.active_bins, self.number, self.count, prices, sizes, 0, len(prices)
        )

    def flush(self, at: int, oi: float = math.nan) -> None:
        """Close voluntarily up to `at`, then open positions from the volume since last time."""
        flush(
            self.cells, self.volume, self.pending, self.active_bins, self.offsets, self.ledger,
            self.number, self.count, _seconds(at), oi,
        )  # fmt: skip

    def move_mark(
        self, at: int, price: float, low: float = math.nan, high: float = math.nan
    ) -> Floats:
        """Sweep what the mark crossed and return the sweep records, shape (n, 68)."""
        records = np.zeros((rows_needed(1, 3), RECORD))
        n = 0
        for p in (low, high, price):
            if not math.isnan(p):
                n = move_mark(
                    self.cells, self.last_crossed, self.ledger, self.number, self.count,
                    _seconds(at), p, records, n,
                )  # fmt: skip
                self._recentre(p)
        return records[:n]

    def add_tape(self, steps: Steps) -> Floats:
        """Replay a stretch of tape in steps and return the sweep records."""
        records = np.zeros((rows_needed(len(steps.times)), RECORD))
        n = start = 0
        while start < len(steps.times):
            stop = self._stray(steps.marks, start)
            n += run_trades(
                self.cells, self.volume, self.pending, self.active_bins, self.last_crossed,
                self.offsets,
                self.ledger, self.number, self.count, steps.prices, steps.sizes, steps.ends,
                steps.times, steps.oi, steps.marks, steps.every, start, stop, records[n:],
            )  # fmt: skip
            self._recentre(float(steps.marks[stop - 1]))
            start = stop
        return records[:n]

    def add_candles(self, bars: Candles, start: int = 0, stop: int | None = None) -> Floats:
        """Replay candles `start` to `stop` and return the sweep records."""
        end = len(bars.times) if stop is None else stop
        records = np.zeros((rows_needed(end - start, 3), RECORD))
        n = 0
        while start < end:
            until = self._stray(bars.mark[:end], start)
            part = slice(start, until)
            n += run_candles(
                self.cells, self.volume, self.pending, self.active_bins, self.last_crossed,
                self.offsets,
                self.ledger, self.number, self.count, (bars.times[part] + bars.span) / SECOND,
                bars.low[part], bars.high[part], bars.volume[part], bars.buy[part], bars.oi[part],
                bars.mark_low[part], bars.mark_high[part], bars.mark[part], records[n:],
            )  # fmt: skip
            self._recentre(float(bars.mark[until - 1]))
            start = until
        return records[:n]

    @property
    def scale(self) -> Floats:
        """Decay factor of each class that cells are multiplied by, shape (64,)."""
        return self.number[t.SCALE : t.SCALE + CLASSES]

    def live(self) -> Floats:
        """Return the live exposure of each side and class by the ledger, shape (2, 64)."""
        return self.ledger[t.LIVE] * self.scale

    def decayed(self) -> Floats:
        """Return what was closed voluntarily, by side and class, shape (2, 64)."""
        ledger = self.ledger
        return ledger[t.DEPOSITED] - ledger[t.SWEPT] - ledger[t.LOST] - self.live()

    def render(self, weights: Floats) -> NDArray[np.float32]:
        """Return the map in base coin, float32 (2, 4096).

        Args:
            weights: By side, ground (fresh, known) and class, shape (2, 2, 64).
        """
        out = np.empty((2, t.BINS), np.float32)
        render(self.cells, self.last_crossed, self.number, self.count, weights, out)
        return out

    def render_tiers(
        self, weights: Floats, tiers: NDArray[np.int64], groups: int, low: int, high: int
    ) -> NDArray[np.float32]:
        """Return base coin by tier, side and bin of ``low <= bin < high``, relative to `base`."""
        out = np.empty((groups, 2, high - low), np.float32)
        render_tiers(
            self.cells, self.last_crossed, self.number, self.count, weights, tiers, low, high, out
        )
        return out

    def standing(self, side: int, low: int, high: int) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the exposure in bins, and which of them are known ground.

        Args:
            side: 0 for longs, 1 for shorts.
            low: First bin, relative to `base`.
            high: The one after the last.

        Returns:
            Exposure by bin and class, shape (n, 64), and shape (n,).
        """
        exposure = self.cells[side, low:high].astype(np.float64) * self.scale
        left = self.last_crossed[side, np.arange(low, high) >> 1]
        return exposure, int(np.nan_to_num(self.number[t.FLUSHED])) - left <= FRESH

    def audit(self) -> Audit:
        """Measure what must hold of the table and its ledger."""
        live = np.einsum("sbk,k->sk", self.cells, self.scale, dtype=np.float64)
        ledger, decayed = self.ledger, self.decayed()
        gap = np.maximum(np.abs(live - self.live()), -decayed)
        gap /= np.maximum(ledger[t.DEPOSITED], 1e-12)
        wrong = 0.0
        if not math.isnan(self.number[t.MARK]):
            b = int(self.number[t.MARK])
            wrong = float(self.cells[0, b + 1 :].sum() + self.cells[1, :b].sum())
        return Audit(
            residual=float(gap.max()),
            wrong_side=wrong,
            negative=int((~(self.cells >= 0)).sum() + np.isinf(self.cells).sum()),
            tiny=int(((self.cells > 0) & (self.cells < np.finfo(np.float32).tiny)).sum()),
            deposited=float(ledger[t.DEPOSITED].sum()),
            live=float(live.sum()),
            decayed=float(decayed.sum()),
            swept=float(ledger[t.SWEPT].sum()),
            lost=float(ledger[t.LOST].sum()),
        )

    def _stray(self, marks: Floats, start: int) -> int:
        """Return where to stop to recentre: after the first mark too near an edge, or the end."""
        low, high = (price_of(self.base + t.BINS * x) for x in (0.25, 0.75))
        far = (marks[start:] < low) | (marks[start:] > high)
        first = int(far.argmax())
        return start + first + 1 if far[first] else len(marks)

    def _recentre(self, mark: float) -> None:
        """Roll the table by whole bins once the mark is half-way to an edge. Exact; no blur.

        The kernel holds the mark on the grid; one that leapt past the edge gets its place here.
        """
        if math.isnan(mark):
            return
        x = position_of(mark) - self.base
        if abs(x - t.BINS / 2) <= t.BINS / 4:
            return
        shift = round((x - t.BINS / 2) / 2) * 2
        if not 0 <= x < t.BINS:
            self.number[t.MARK] = x
            self.number[[t.FRONT_LONG, t.FRONT_SHORT]] = x % 1.0
        self._roll(shift)
        # where the mark has been may be off the grid now; where it leapt to is on it
        mark = self.number[t.MARK]
        self.number[t.MARK_LOW] = min(max(self.number[t.MARK_LOW], 0.0), mark)
        self.number[t.MARK_HIGH] = max(min(self.number[t.MARK_HIGH], t.BINS - 1.0), mark)

    def _roll(self, shift: int) -> None:
        """Move the grid up by `shift` bins, an even number; what falls off the end is lost."""
        off = slice(0, shift) if shift > 0 else slice(max(t.BINS + shift, 0), t.BINS)
        gone = self.cells[:, off].sum(axis=1, dtype=np.float64)
        self.ledger[t.LOST] += gone * self.scale
        self.ledger[t.LIVE] -= gone
        for array, axis, by in (
            (self.cells, 1, shift),
            (self.volume, 0, shift),
            (self.pending, 0, shift),
            (self.last_crossed, 1, shift // 2),
        ):
            _shift(array, axis, by)
        for row, (volume, count) in enumerate(
            ((self.volume, t.TOUCHED), (self.pending, t.WAITING))
        ):
            bins = np.flatnonzero(volume.sum(axis=1))
            self.active_bins[row, : len(bins)] = bins
            self.count[count] = len(bins)
        self.number[[t.MARK, t.MARK_LOW, t.MARK_HIGH]] -= shift
        self.count[t.BASE] += shift
        self.count[t.LOWEST] = min(max(self.count[t.LOWEST] - shift, 0), t.BINS)
        self.count[t.HIGHEST] = max(min(self.count[t.HIGHEST] - shift, t.BINS - 1), -1)
        place(self.mark, self.number, self.count)


def _shift(array: NDArray[Any], axis: int, by: int) -> None:
    """Move an array down its axis by `by` places, in place, and fill the far end with zeros."""
    if abs(by) >= array.shape[axis]:
        array[...] = 0
        return
    array[...] = np.roll(array, -by, axis)
    edge = [slice(None)] * array.ndim
    edge[axis] = slice(array.shape[axis] - by, None) if by > 0 else slice(0, -by)
    array[tuple(edge)] = 0


assert DITHER & (DITHER - 1) == 0  # noqa: S101  the kernel masks instead of dividing
