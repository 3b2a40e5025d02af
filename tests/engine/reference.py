"""What the kernels mean, in plain Python: slow, float64, nothing lazy, nothing flat.

The tests compare `exposure.deposits` and `exposure.marks` with this. Where the two differ, one of
them is wrong; where this is hard to read, it is wrong too.
"""

from __future__ import annotations

import math

import numpy as np

from powderkeg.engine.exposure.classes import (
    BASES,
    BIN,
    CLASSES,
    DISTANCES,
    DITHER,
    GROUP,
    RATES,
    TIME,
    VOLUME,
)
from powderkeg.engine.exposure.deposits import DAY, PERIOD, SPREAD
from powderkeg.engine.exposure.exposure import Spec
from powderkeg.engine.exposure.marks import FRESH, RECORD
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import Floats

LONG, SHORT = 0, 1


class Twin:
    """The exposure table of one market and its ledger, on a grid that stays where it is."""

    __slots__ = (
        "base",
        "basis",
        "been",
        "cells",
        "decayed",
        "deposited",
        "flushed",
        "front",
        "laid",
        "left",
        "lost",
        "mark",
        "oi",
        "pending",
        "spec",
        "swept",
        "turn",
        "volume",
    )  # fmt: skip

    def __init__(self, price: float, spec: Spec | None = None) -> None:
        """Start empty around a price."""
        self.spec = spec or Spec()
        self.basis = BASES[self.spec.basis]()
        self.base = math.floor(math.log(price) / (2 * BIN)) * 2 - BINS // 2
        self.cells = np.zeros((2, BINS, CLASSES))
        """Unit-weight exposure by side, bin and class, base coin."""
        self.volume: dict[int, Floats] = {}
        """Taker buys and sells since the last flush, by bin."""
        self.pending: dict[int, Floats] = {}
        """The same since the last reading of open interest, flushed already."""
        self.deposited, self.decayed, self.swept, self.lost = np.zeros((4, 2, CLASSES))
        self.left: dict[tuple[int, int], int] = {}
        """Second at which a pair of bins was last left, by side and pair."""
        self.oi = self.mark = self.flushed = math.nan
        self.front = [math.nan, math.nan]
        """How low (longs) and how high (shorts) the mark has been in its bin, 0 to 1."""
        self.laid = math.nan
        """When time was last laid into the time group, seconds."""
        self.been = (math.nan, math.nan)
        """Lowest and highest mark since, in bins."""
        self.turn = [0, 0]
        """Deposits so far, by group."""

    def add_trades(self, prices: Floats, sizes: Floats) -> None:
        """Add prints; sizes of sells are negative."""
        for price, size in zip(prices.tolist(), sizes.tolist(), strict=True):
            b = min(max(math.floor(math.log(price) / BIN) - self.base, 0), BINS - 1)
            if size:
                self.volume.setdefault(b, np.zeros(2))[0 if size > 0 else 1] += abs(size)

    def flush(self, time: float, oi: float = math.nan) -> None:
        """Let time pass to `time` (s), then open positions.

        All volume opens `theta` of itself. A rise of open interest is shared over all volume
        since the reading before. Together where that is the same volume.
        """
        self._decay(time)
        self._lay_time(time)
        rise = max(0.0, oi - self.oi) if not math.isnan(oi - self.oi) else 0.0
        together = rise > 0 and not self.pending
        self._open(self.volume, rise if together else 0.0, self.spec.theta)
        for b, volume in self.volume.items():
            self.pending[b] = self.pending.get(b, 0.0) + volume
        self.volume = {}
        if math.isnan(oi):
            return
        self.oi = oi
        if rise > 0 and not together:
            self._open(self.pending, rise, 0.0)
        self.pending = {}

    def move_mark(self, time: float, price: float) -> Floats:
        """Move the mark, empty what it crosses and return the sweep records, shape (n, 68)."""
        new = min(max(math.log(price) / BIN - self.base, 0.0), BINS - 1e-9)
        old, self.mark = self.mark, new
        part = new - int(new)
        if math.isnan(old):
            for side, liquidated in (
                (LONG, slice(int(new) + 1, None)),
                (SHORT, slice(0, int(new))),
            ):
                self.swept[side] += self.cells[side, liquidated].sum(axis=0)
                self.cells[side, liquidated] = 0.0
            self.front = [part, part]
            self.been = (new, new)
            return np.zeros((0, RECORD))
        self.been = (min(self.been[0], new), max(self.been[1], new))
        if int(new) == int(old):
            return self._creep(time, int(new), part)
        side, step = (LONG, -1) if new < old else (SHORT, 1)
        rows: dict[bool, Floats] = {}
        first, last = int(old), int(new)
        for b in range(first, last + step, step):
            length = fraction = 1.0
            if b == first:
                length = abs(self.front[side] - (0.0 if side == LONG else 1.0))
            elif b == last:
                length = fraction = 1.0 - part if side == LONG else part
            self._cross(rows, time, side, b, length, fraction)
        for pair in range(first >> 1, last >> 1, step):
            self.left[side, pair] = int(time)
        self.front = [part, part]
        return np.array(list(rows.values()))

    def render(self, weights: Floats) -> Floats:
        """Return the map in base coin under `weights` (2, 2, 64), shape (2, 4096)."""
        now = 0 if math.isnan(self.flushed) else int(self.flushed)
        out = np.zeros((2, BINS))
        for side in (LONG, SHORT):
            for b in range(BINS):
                known = now - self.left.get((side, b >> 1), 0) <= FRESH
                out[side, b] = self.cells[side, b] @ weights[side, int(known)]
        return out

    def _decay(self, time: float) -> None:
        span = time - self.flushed
        if span <= 0:
            return
        self.flushed = time
        if math.isnan(span):
            return
        kept = self.cells * np.exp(-self.basis.hazards * span)
        self.decayed += (self.cells - kept).sum(axis=1)
        self.cells = kept

    def _open(self, volume: dict[int, Floats], rise: float, theta: float) -> None:
        """Open ``theta + rise / volume`` of the volume of each bin."""
        total = sum(float(both.sum()) for both in volume.values())
        own = self.spec.own
        for b in sorted(volume):
            buys, sells = (theta + rise / total) * volume[b]
            long, short = own * buys + (1 - own) * sells, own * sells + (1 - own) * buys
            self._lay(VOLUME, b, long, short)

    def _lay_time(self, time: float) -> None:
        """Lay the days since last time over where the mark has been, once a minute has passed."""
        if math.isnan(self.mark) or not self.spec.timed:
            return
        if math.isnan(self.laid):
            self.laid = time
        if time - self.laid < PERIOD:
            return
        low, high = int(self.been[0]), int(self.been[1])
        places = min(high - low + 1, SPREAD)
        for i in range(places):
            b = low + (2 * i + 1) * (high - low + 1) // (2 * places)
            self._lay(TIME, b, *[(time - self.laid) / DAY / places] * 2)
        self.laid = time
        self.been = (self.mark, self.mark)

    def _lay(self, group: int, b: int, long: float, short: float) -> None:
        """Lay openings at a bin into a group's classes; nothing opens where the mark stands."""
        row = self.basis.offsets[self.turn[group] % DITHER, group]
        self.turn[group] += 1
        front = b if math.isnan(self.mark) else int(self.mark)
        for d in range(DISTANCES):
            down, up = int(b - row[d, LONG]), int(b + row[d, SHORT])
            down -= down == front
            up += up == front
            for k in range(group * GROUP + RATES * d, group * GROUP + RATES * (d + 1)):
                self._put(LONG, down, k, long, liquidated=down > front)
                self._put(SHORT, up, k, short, liquidated=up < front)

    def _put(self, side: int, b: int, k: int, size: float, *, liquidated: bool) -> None:
        """Add a position at its liquidation price, unless that is passed or off the grid."""
        self.deposited[side, k] += size
        if liquidated:
            self.swept[side, k] += size
        elif 0 <= b < BINS:
            self.cells[side, b, k] += size
        else:
            self.lost[side, k] += size

    def _creep(self, time: float, b: int, part: float) -> Floats:
        """Move the mark inside its bin: only ground it has not crossed counts."""
        rows: dict[bool, Floats] = {}
        low, high = self.front
        if part < low:
            self._cross(rows, time, LONG, b, low - part, (low - part) / low)
            self.front[LONG] = part
        elif part > high:
            self._cross(rows, time, SHORT, b, part - high, (part - high) / (1 - high))
            self.front[SHORT] = part
        return np.array(list(rows.values())).reshape(-1, RECORD)

    def _cross(
        self, rows: dict[bool, Floats], time: float, side: int, b: int, length: float,
        fraction: float,
    ) -> None:  # fmt: skip
        """Empty a fraction of a bin into the record of fresh or of known ground."""
        fresh = int(time) - self.left.get((side, b >> 1), 0) > FRESH
        if fresh not in rows:
            rows[fresh] = np.concatenate(([time, side, 0.0, fresh], np.zeros(CLASSES)))
        taken = self.cells[side, b] * fraction
        self.cells[side, b] -= taken
        self.swept[side] += taken
        rows[fresh][2] += length
        rows[fresh][4:] += taken
