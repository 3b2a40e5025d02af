"""Quarter-hour sums of crossed exposure and liquidations over three weeks: the data of a fit."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine.calibration.terms import KNOWN, LENGTH, TEN, TERMS
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.marks import R_CLASSES, R_FRESH, R_LENGTH, R_SIDE, R_TIME
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Floats, Times
from powderkeg.grid import BIN

QUARTER = 15 * MINUTE
KEPT = 21 * DAY
"""The window weights are fitted to: 14 days are as good, 7 and 30 are worse on real BTC."""
STROKE = 1e-3
"""Seconds. A sweep at the stroke of a quarter belongs to the quarter that ends: bars are stamped
with their end, and counting the bar to four o'clock among the hour after cost a quarter of the
score on real data."""


@njit(cache=True, nogil=True)
def tally(records: Floats) -> tuple[Times, Floats]:
    """Sum sweep records in time order by quarters.

    Returns the quarters' numbers since 1970, shape (n,), and what they crossed, (n, 2, 98).
    """
    width = QUARTER / SECOND
    n = 0
    slots = np.empty(len(records), np.int64)
    crossed = np.zeros((len(records), 2, TERMS))
    for r in range(len(records)):
        slot = int((records[r, R_TIME] - STROKE) // width)
        if n == 0 or slots[n - 1] != slot:
            slots[n] = slot
            n += 1
        terms = crossed[n - 1, int(records[r, R_SIDE])]
        if records[r, R_FRESH] > 0.0:
            for k in range(CLASSES):
                terms[k] += records[r, R_CLASSES + k]
            terms[LENGTH] += records[r, R_LENGTH] * BIN / TEN
        else:
            for k in range(CLASSES):
                terms[KNOWN + k // RATES] += records[r, R_CLASSES + k] / RATES
            terms[LENGTH + 1] += records[r, R_LENGTH] * BIN / TEN
    return slots[:n], crossed[:n]


class Sweeps:
    """Quarter-hour sums of what the sweeps of a market crossed."""

    __slots__ = ("_count", "_crossed", "_quarters")

    def __init__(self) -> None:
        self._count = 0
        self._quarters = np.zeros(64, np.int64)
        self._crossed = np.zeros((64, 2, TERMS), np.float32)

    @property
    def quarters(self) -> Times:
        """Start of each quarter, µs, shape (n,)."""
        return self._quarters[: self._count]

    @property
    def crossed(self) -> NDArray[np.float32]:
        """Crossed exposure of each quarter, shape (n, 2, 98)."""
        return self._crossed[: self._count]

    def add(self, start: int, crossed: Floats) -> None:
        """Add what was crossed in a quarter; quarters come in time order."""
        if self._count and self._quarters[self._count - 1] >= start:
            self._crossed[self._count - 1] += crossed
            return
        if self._count == len(self._quarters):
            self.trim(start - KEPT)
        n = self._count
        if n == len(self._quarters):
            self._quarters = np.resize(self._quarters, 2 * n)
            self._crossed = np.resize(self._crossed, (2 * n, 2, TERMS))
        self._quarters[n] = start
        self._crossed[n] = crossed
        self._count = n + 1

    def trim(self, before: int) -> None:
        """Drop quarters that start earlier."""
        keep = int(np.searchsorted(self.quarters, before))
        for rows in (self._quarters, self._crossed):
            rows[: self._count - keep] = rows[keep : self._count]
        self._count -= keep


class Hours:
    """Exposure crossed in each unfinished hour."""

    __slots__ = ("crossed",)

    def __init__(self) -> None:
        self.crossed: dict[int, Floats] = {}
        """Exposure (2, 98) by hour since 1970."""

    def add(self, quarter: int, crossed: Floats) -> None:
        """Add what was crossed in a quarter, given by its number since 1970."""
        hour = quarter * QUARTER // HOUR
        self.crossed[hour] = self.crossed.get(hour, 0.0) + crossed

    def close(self, hour: int) -> Floats:
        """Return what was crossed in an hour, shape (2, 98), and drop it and all before it."""
        out = self.crossed.get(hour, np.zeros((2, TERMS)))
        for old in [known for known in self.crossed if known <= hour]:
            del self.crossed[old]
        return out


class LiquidationLog:
    """Liquidated volume by side: single events in quarter-hour sums, longer bars as reported."""

    __slots__ = ("spans",)

    def __init__(self) -> None:
        self.spans: dict[tuple[int, int], Floats] = {}
        """Volume per side, shape (2,), by the start and length of its span, µs."""

    def add(self, start: int, span: int, side: int, volume: float) -> None:
        """Add liquidated volume; spans shorter than a quarter are summed into their quarter."""
        if span < QUARTER:
            start, span = start // QUARTER * QUARTER, QUARTER
        self.spans.setdefault((start, span), np.zeros(2))[side] += volume

    def within(self, start: int, end: int) -> Floats | None:
        """Return the volume liquidated in spans from `start` to `end`, shape (2,).

        None where a bar reaches beyond this time, or where liquidations are reported only in bars
        and no bar covers it.
        """
        spans = [
            (since >= start and since + span <= end, volume)
            for (since, span), volume in self.spans.items()
            if since < end and since + span > start
        ]
        if not all(inside for inside, _ in spans):
            return None
        if not spans and all(span != QUARTER for _, span in self.spans):
            return None
        return np.sum([np.zeros(2), *(volume for _, volume in spans)], axis=0)

    def trim(self, before: int) -> None:
        """Drop spans that start earlier."""
        for span in [span for span in self.spans if span[0] < before]:
            del self.spans[span]

    def rows(self, sweeps: Sweeps, since: int, until: int) -> tuple[Floats, Floats]:
        """Return crossed exposure (n, 2, 98) and liquidated volume (n, 2), a row for each span.

        A span is what a bar covers, else a quarter of an hour; it starts from `since` to before
        `until`. Where liquidations are reported only in bars, what no bar covers is unknown, not
        zero.
        """
        part = slice(*np.searchsorted(sweeps.quarters, (since, until)))
        quarters, crossed = sweeps.quarters[part], sweeps.crossed[part].astype(np.float64)
        liquidated = np.zeros((len(quarters), 2))
        spans = {key: volume for key, volume in self.spans.items() if since <= key[0] < until}
        short = [(start, volume) for (start, span), volume in spans.items() if span == QUARTER]
        if short:
            places = np.searchsorted(quarters, [start for start, _ in short], side="right") - 1
            volumes = np.stack([volume for _, volume in short])
            np.add.at(liquidated, places[places >= 0], volumes[places >= 0])
        bars = [(*key, volume) for key, volume in spans.items() if key[1] != QUARTER]
        if not bars:
            return crossed, liquidated
        low = np.searchsorted(quarters, [start for start, _, _ in bars])
        high = np.searchsorted(quarters, [start + span for start, span, _ in bars])
        some = np.flatnonzero(high > low)
        padded = np.concatenate((crossed, np.zeros((1, 2, TERMS))))
        sums = np.add.reduceat(padded, np.stack((low[some], high[some]), 1).ravel(), axis=0)[::2]
        keep = np.full(len(quarters), bool(short))
        for i in some:
            keep[low[i] : high[i]] = False
        volumes = np.stack([volume for _, _, volume in bars])[some]
        return np.concatenate((crossed[keep], sums)), np.concatenate((liquidated[keep], volumes))
