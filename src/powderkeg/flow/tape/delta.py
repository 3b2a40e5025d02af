"""Delta and cumulative volume delta (CVD): volume bought by takers less volume sold by them.

CVD is kept per market, so that spot and perpetuals, and each venue, can be shown apart. Sums run
print by print: a run of prints and the same prints one by one give the same bits.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, Floats, Times, Trade, Trades
from powderkeg.flow.thresholds import DEFAULT, FlowRules


class DeltaBars(Struct, frozen=True, eq=False):
    """Bars of one market, oldest first, each shape (n,)."""

    times: Times
    """Starts, µs."""
    delta: Floats
    """Bought less sold, base coin."""
    volume: Floats
    """Bought and sold, base coin."""
    cvd: Floats
    """Cumulative delta at the end of each bar, base coin, from `CumulativeDelta.anchor` on."""
    quote: Floats
    """Bought less sold, quote currency."""


class CumulativeDelta:
    """Cumulative volume delta of one market, with its last bars."""

    __slots__ = (
        "_bars", "_delta", "_starts", "_volume", "anchor", "bought", "count", "cvd", "last", "sold",
        "span",
    )  # fmt: skip

    def __init__(self, span: int = MINUTE, bars: int = 1_440) -> None:
        """Keep the last `bars` bars of `span` µs."""
        self.span = span
        self.cvd = 0.0
        """Base coin."""
        self.bought = 0.0
        """By takers, quote currency."""
        self.sold = 0.0
        """By takers, quote currency."""
        self.anchor = 0
        """Time of the first print, µs; 0 before it."""
        self.last = 0
        """Time of the newest print, µs; 0 before any."""
        self.count = 0
        """Prints."""
        self._bars = bars
        self._starts: Times = np.full(bars, -1, np.int64)
        self._delta: Floats = np.zeros((bars, 3))
        """Delta, CVD at the end, and delta in quote currency."""
        self._volume: Floats = np.zeros(bars)

    def add(self, event: Trade | Trades) -> None:
        """Add prints."""
        run = event.as_run() if isinstance(event, Trade) else event
        self.anchor = self.anchor or int(run.times[0])
        starts = run.times - run.times % self.span
        edges = [0, *(np.flatnonzero(np.diff(starts)) + 1).tolist(), len(starts)]
        for first, stop in pairwise(edges):
            self._add(int(starts[first]), run.sizes[first:stop], run.prices[first:stop])
        self.count += len(starts)
        self.last = max(self.last, int(run.times[-1]))

    def _add(self, start: int, sizes: Floats, prices: Floats) -> None:
        self.cvd = _sum(self.cvd, sizes)
        quote = sizes * prices
        self.bought = _sum(self.bought, np.maximum(quote, 0.0))
        self.sold = _sum(self.sold, np.maximum(-quote, 0.0))
        row = start // self.span % self._bars
        if self._starts[row] > start:  # its bar has been dropped
            return
        if self._starts[row] < start:
            self._starts[row], self._delta[row], self._volume[row] = start, 0.0, 0.0
        self._delta[row, 0] = _sum(float(self._delta[row, 0]), sizes)
        self._volume[row] = _sum(float(self._volume[row]), np.abs(sizes))
        self._delta[row, 1] = self.cvd
        self._delta[row, 2] = _sum(float(self._delta[row, 2]), quote)

    def bars(self, since: int = 0) -> DeltaBars:
        """Return the bars that start at or after a time, µs; those without a print are left out."""
        rows = np.flatnonzero((self._starts >= since) & (self._starts >= 0))
        rows = rows[np.argsort(self._starts[rows])]
        return DeltaBars(
            self._starts[rows], self._delta[rows, 0], self._volume[rows], self._delta[rows, 1],
            self._delta[rows, 2],
        )  # fmt: skip


class Divergence(Struct, frozen=True):
    """Price made a new extreme, CVD did not. A state, not a forecast."""

    high: bool
    """A new high of price without one of CVD."""
    low: bool
    """A new low of price without one of CVD."""


def divergence(
    high: Floats, low: Floats, cvd: Floats, average_range: float, rules: FlowRules = DEFAULT.flow
) -> Divergence:
    """Return whether the last bar's extreme of price was not confirmed by CVD.

    Args:
        high: Highs of bars, oldest first, shape (n,).
        low: Their lows.
        cvd: CVD at their ends.
        average_range: Average true range of these bars: a smaller swing is no extreme.
        rules: Thresholds.
    """
    n = rules.lookback
    if len(cvd) <= n or not average_range > 0:
        return Divergence(high=False, low=False)
    before = slice(-n - 1, -1)
    slack = rules.slack * float(np.std(cvd[-n - 1 :]))
    rose = high[-1] > high[before].max() and high[-1] - low[before].min() >= average_range
    fell = low[-1] < low[before].min() and high[before].max() - low[-1] >= average_range
    return Divergence(
        high=bool(rose and cvd[-1] < cvd[before].max() - slack),
        low=bool(fell and cvd[-1] > cvd[before].min() + slack),
    )


def trade_imbalance(bought: float, sold: float) -> float:
    """Return bought less sold over both, -1 to 1; NaN where nothing traded."""
    total = bought + sold
    return (bought - sold) / total if total > 0 else math.nan


def _sum(start: float, amounts: Floats) -> float:
    return float(np.add.accumulate(np.concatenate(([start], amounts)))[-1])
