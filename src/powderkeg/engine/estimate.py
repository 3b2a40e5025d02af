"""The living estimate of one market: candidates that compete, weights learned from what died.

Each candidate is an exposure table under its own basis and closing hazard. All see the same
trades, open interest and mark. Before an hour's liquidations are learned from, every candidate
has said how many there would be; the one with the least Poisson deviance so far is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.engine import weights as w
from powderkeg.engine.classes import CLASSES
from powderkeg.engine.exposure import Exposure, Spec, Steps
from powderkeg.engine.kernels import DEPOSITED, R_CLASSES, R_SIDE, R_TIME
from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    Candles,
    Floats,
    Liquidation,
    LiquidationBar,
    Times,
)

QUARTER = 15 * MINUTE
REFIT = 6 * HOUR
WINDOW = 21 * 24 * HOUR
"""Records older than this are no longer learned from."""
CANDIDATES = tuple(
    Spec(basis, m) for basis in ("generic-16", "sharp-10-broad-6") for m in (0.5, 1.0, 2.5, 5.0)
)
FIRST = 1
"""The candidate shown before anything has died: generic, multiplier one, best on real BTC."""
ENOUGH = 30
"""Liquidations before the competition counts."""
LEAD = 0.03
"""How much less deviance, as a fraction, it takes to be shown instead: the map must not flicker."""


def deviance(actual: float, expected: float) -> float:
    """Return the Poisson deviance of one count-like volume, >= 0; zero where they are equal."""
    expected = max(expected, 1e-9)
    if actual < 1e-300:  # its logarithm would be none
        return 2 * expected
    return 2 * (actual * math.log(actual / expected) - actual + expected)


@njit(cache=True)
def tally(records: Floats, weights: Floats, width: float) -> tuple[Times, Floats, Floats]:
    """Sum sweep records in time order by spans of `width` seconds.

    Returns the span numbers (n,), the exposure they crossed (n, 2, 16), and the volume that
    `weights` (2, 16) say died there (n, 2).
    """
    n = 0
    slots = np.empty(len(records), np.int64)
    crossed = np.zeros((len(records), 2, CLASSES))
    said = np.zeros((len(records), 2))
    for r in range(len(records)):
        slot = int(records[r, R_TIME] // width)
        if n == 0 or slots[n - 1] != slot:
            slots[n] = slot
            n += 1
        side = int(records[r, R_SIDE])
        for k in range(CLASSES):
            crossed[n - 1, side, k] += records[r, R_CLASSES + k]
            said[n - 1, side] += records[r, R_CLASSES + k] * weights[side, k]
    return slots[:n], crossed[:n], said[:n]


class Sweeps:
    """Quarter-hour sums of what a candidate's sweeps crossed: what weights learn from."""

    __slots__ = ("_count", "_crossed", "_quarters")

    def __init__(self) -> None:
        self._count = 0
        self._quarters = np.zeros(64, np.int64)
        self._crossed = np.zeros((64, 2, CLASSES), np.float32)

    @property
    def quarters(self) -> Times:
        """Start of each quarter, µs, shape (n,)."""
        return self._quarters[: self._count]

    @property
    def crossed(self) -> NDArray[np.float32]:
        """Crossed exposure of each quarter, shape (n, 2, 16)."""
        return self._crossed[: self._count]

    def add(self, start: int, crossed: Floats) -> None:
        """Add what was crossed in a quarter; quarters come in time order."""
        if self._count and self._quarters[self._count - 1] >= start:
            self._crossed[self._count - 1] += crossed
            return
        if self._count == len(self._quarters):
            self.trim(start - WINDOW)
        n = self._count
        if n == len(self._quarters):
            self._quarters = np.resize(self._quarters, 2 * n)
            self._crossed = np.resize(self._crossed, (2 * n, 2, CLASSES))
        self._quarters[n] = start
        self._crossed[n] = crossed
        self._count = n + 1

    def trim(self, before: int) -> None:
        """Forget quarters that start earlier."""
        keep = int(np.searchsorted(self.quarters, before))
        for rows in (self._quarters, self._crossed):
            rows[: self._count - keep] = rows[keep : self._count]
        self._count -= keep


class Candidate:
    """One exposure table with its sweeps, weights and record of predictions."""

    __slots__ = (
        "before", "deviance", "expected", "exposure", "fit", "fitted", "shares", "sweeps",
    )  # fmt: skip

    def __init__(self, exposure: Exposure, venue: str) -> None:
        self.exposure = exposure
        self.shares = w.shares(exposure.basis, venue)
        self.sweeps = Sweeps()
        self.fit: w.Fit | None = None
        self.before: Floats | None = None
        """Weights until the last fit, which replaces them bit by bit: the map must not jump."""
        self.fitted = 0
        """µs of the last fit."""
        self.expected: dict[int, Floats] = {}
        """Volume said to die in each open hour, per side, by the weights of the moment."""
        self.deviance = 0.0

    def take(self, records: Floats, weights: Floats) -> None:
        """Say what should have died in these sweeps, then remember them."""
        if not len(records):
            return
        slots, crossed, said = tally(records, weights, QUARTER / SECOND)
        for i, slot in enumerate(slots.tolist()):
            self.sweeps.add(slot * QUARTER, crossed[i])
            hour = slot * QUARTER // HOUR
            self.expected.setdefault(hour, np.zeros(2))
            self.expected[hour] += said[i]


class Estimate:
    """Exposure and weights of one market. Knows no clock; `at` is always told."""

    __slots__ = (
        "_died", "_hour", "_refit", "_shown", "_sizes", "_squares", "_started", "candidates",
        "events", "venue",
    )  # fmt: skip

    def __init__(self, price: float, venue: str = "", specs: Sequence[Spec] = CANDIDATES) -> None:
        """Start empty around a price."""
        self.venue = venue
        self.candidates = [Candidate(Exposure(price, spec), venue) for spec in specs]
        self.events = 0
        self._died: dict[tuple[int, int], Floats] = {}
        """Liquidated volume per side, shape (2,), by the start and length of its span, µs."""
        self._hour = -1
        self._refit = 0
        self._started = -1
        self._shown = min(FIRST, len(self.candidates) - 1)
        self._sizes = 0.0
        self._squares = 0.0

    @property
    def best(self) -> Candidate:
        """The candidate shown: the one that has predicted best, give or take LEAD."""
        return self.candidates[self._shown]

    @property
    def prior_only(self) -> bool:
        """True while no liquidation has taught anything."""
        return self.best.fit is None

    @property
    def oi(self) -> float:
        """Last open interest, NaN before the first reading."""
        return self.best.exposure.oi

    @property
    def mark(self) -> float:
        """Last mark, NaN before the first."""
        return self.best.exposure.mark

    def add_trades(self, prices: Floats, sizes: Floats) -> None:
        """Add prints; sizes of sells are negative."""
        for candidate in self.candidates:
            candidate.exposure.add_trades(prices, sizes)

    def flush(self, at: int, oi: float = math.nan) -> None:
        """Let time pass and positions open; see `Exposure.flush`."""
        self._advance(at)
        for candidate in self.candidates:
            candidate.exposure.flush(at, oi)

    def move_mark(self, at: int, price: float) -> Floats:
        """Sweep to a new mark and return the records of the candidate shown."""
        self._advance(at)
        best = self.best
        shown = np.zeros((0, R_CLASSES + CLASSES))
        for candidate in self.candidates:
            records = candidate.exposure.move_mark(at, price)
            if len(records):
                candidate.take(records, self._weights(candidate, at))
            if candidate is best:
                shown = records
        return shown

    def add_candles(
        self, bars: Candles, stops: Sequence[int], drawn: Callable[[int], None] | None = None
    ) -> None:
        """Play candles.

        Args:
            bars: All of them are played.
            stops: Indices, rising, the last one the number of bars. At each, the candidate shown
                stands as it stood at that time; the others go from end to end.
            drawn: Told each of `stops` as it is reached.
        """
        self._advance(int(bars.times[0]))
        best = self.best
        # the one shown first: while it is drawn, no other may have gone ahead
        for candidate in (best, *(c for c in self.candidates if c is not best)):
            start = 0
            for stop in stops if candidate is best else stops[-1:]:
                at = int(bars.times[stop - 1]) + bars.span
                records = candidate.exposure.add_candles(bars, start, stop)
                if bars.deaths:
                    candidate.take(records, self._weights(candidate, at))
                start = stop
                if drawn is not None and candidate is best:
                    drawn(stop)

    def add_tape(self, steps: Steps) -> Floats:
        """Play a stretch of tape in steps and return the sweep records of the candidate shown."""
        at = int(steps.times[-1] * SECOND)
        self._advance(int(steps.times[0] * SECOND))
        best = self.best
        shown = np.zeros((0, R_CLASSES + CLASSES))
        for candidate in self.candidates:
            records = candidate.exposure.add_tape(steps)
            candidate.take(records, self._weights(candidate, at))
            if candidate is best:
                shown = records
        return shown

    def liquidated(self, event: Liquidation) -> None:
        """Learn of a forced close."""
        side = 0 if event.holder == "long" else 1
        self._died_in(event.at // QUARTER * QUARTER, QUARTER, side, event.size)
        self.events += 1
        self._sizes += event.size
        self._squares += event.size * event.size

    def liquidated_bar(self, event: LiquidationBar) -> None:
        """Learn of forced closes summed over a span. How many there were is not known."""
        self._died_in(event.at, event.span, 0, event.long)
        self._died_in(event.at, event.span, 1, event.short)
        self.events += 1

    def _died_in(self, start: int, span: int, side: int, volume: float) -> None:
        self._died.setdefault((start, span), np.zeros(2))[side] += volume

    def weights(self, at: int) -> Floats:
        """Return the weights shown, held within open interest, shape (2, 16)."""
        return self._weights(self.best, at)

    def strain(self, at: int) -> Floats:
        """Return the factor (2,) that had to hold the map within open interest."""
        best = self.best
        raw = self._raw(best, at)
        return w.strain(raw, best.exposure.live(), self.oi) if self.oi > 0 else np.ones(2)

    def render(self, at: int) -> NDArray[np.float32]:
        """Return the map in base coin, float32 (2, 4096)."""
        return self.best.exposure.render(self.weights(at))

    def confidence(self) -> Floats:
        """Return how much of each class's weight is measured, shape (2, 16)."""
        fit = self.best.fit
        return np.zeros((2, CLASSES)) if fit is None else fit.confidence()

    def _raw(self, candidate: Candidate, at: int) -> Floats:
        if candidate.fit is None or candidate.before is None:
            return self._prior(candidate, at)
        part = min(1.0, max(0.0, (at - candidate.fitted) / REFIT))
        return candidate.before + (candidate.fit.weights - candidate.before) * part

    def _weights(self, candidate: Candidate, at: int) -> Floats:
        raw, oi = self._raw(candidate, at), candidate.exposure.oi
        if not oi > 0:
            return raw
        return raw * w.strain(raw, candidate.exposure.live(), oi)[:, None]

    def _prior(self, candidate: Candidate, at: int) -> Floats:
        """Return the prior under the opening rate seen so far; an hour at least, so it is calm."""
        exposure = candidate.exposure
        elapsed = max(at - self._started, HOUR) / SECOND
        rate = exposure.ledger[DEPOSITED, :, 0] / elapsed
        oi = exposure.oi if exposure.oi > 0 else float(rate.sum()) * 12 * 3600
        return w.prior(candidate.shares, oi, rate, exposure.hazards)

    def _advance(self, at: int) -> None:
        """Close the hours that are over: score the candidates, and refit when due.

        An hour is closed a minute late, so that its last liquidations have arrived.
        """
        hour = (at - MINUTE) // HOUR
        if self._started < 0:
            self._started, self._hour, self._refit = at, hour, at + REFIT
            return
        if hour <= self._hour:
            return
        for over in range(max(self._hour, hour - 24), hour):
            self._close_hour(over)
        for candidate in self.candidates:
            for late in [known for known in candidate.expected if known < hour]:
                del candidate.expected[late]
        self._hour = hour
        if at >= self._refit and self.events:
            self._refit = at + REFIT
            self._learn(at)

    def _close_hour(self, hour: int) -> None:
        start = hour * HOUR
        actual = np.zeros(2)
        for (since, _), volume in self._died.items():
            if start <= since < start + HOUR:
                actual += volume
        for candidate in self.candidates:
            said = candidate.expected.pop(hour, np.zeros(2))
            if candidate.fit is not None:
                candidate.deviance += sum(
                    deviance(float(actual[s]), float(said[s])) for s in (0, 1)
                )
        self._choose()

    def _choose(self) -> None:
        """Show the candidate that leads by enough."""
        if self.events < ENOUGH:
            return
        leader = min(range(len(self.candidates)), key=lambda i: self.candidates[i].deviance)
        lead = self.candidates[leader].deviance
        if lead < self.candidates[self._shown].deviance * (1 - LEAD):
            self._shown = leader

    def _learn(self, at: int) -> None:
        """Refit every candidate on the window before `at`."""
        before = at - WINDOW
        for span in [span for span in self._died if span[0] < before]:
            del self._died[span]
        dispersion = self._squares / self._sizes if self._sizes > 0 else 0.0
        oi = self.oi if self.oi > 0 else 1.0
        for candidate in self.candidates:
            candidate.sweeps.trim(before)
            if not len(candidate.sweeps.quarters) or not candidate.exposure.ledger[DEPOSITED].any():
                continue
            crossed, died = self._rows(candidate.sweeps)
            candidate.before, candidate.fitted = self._raw(candidate, at), at
            candidate.fit = w.fit(
                crossed, died, self._prior(candidate, at), oi,
                start=None if candidate.fit is None else candidate.fit.weights,
                dispersion=dispersion, events=self.events,
            )  # fmt: skip

    def _rows(self, sweeps: Sweeps) -> tuple[Floats, Floats]:
        """Return crossed exposure (n, 2, 16) and what died (n, 2), a row for each span of time.

        A span is what a liquidation bar covers, else a quarter of an hour.
        """
        quarters, crossed = sweeps.quarters, sweeps.crossed.astype(np.float64)
        died = np.zeros((len(quarters), 2))
        short = [(start, volume) for (start, span), volume in self._died.items() if span == QUARTER]
        if short:
            places = np.searchsorted(quarters, [start for start, _ in short], side="right") - 1
            volumes = np.stack([volume for _, volume in short])
            np.add.at(died, places[places >= 0], volumes[places >= 0])
        bars = [(*key, volume) for key, volume in self._died.items() if key[1] != QUARTER]
        if not bars:
            return crossed, died
        low = np.searchsorted(quarters, [start for start, _, _ in bars])
        high = np.searchsorted(quarters, [start + span for start, span, _ in bars])
        some = np.flatnonzero(high > low)
        padded = np.concatenate((crossed, np.zeros((1, 2, CLASSES))))
        sums = np.add.reduceat(padded, np.stack((low[some], high[some]), 1).ravel(), axis=0)[::2]
        keep = np.ones(len(quarters), np.bool_)
        for i in some:
            keep[low[i] : high[i]] = False
        volumes = np.stack([volume for _, _, volume in bars])[some]
        return np.concatenate((crossed[keep], sums)), np.concatenate((died[keep], volumes))
