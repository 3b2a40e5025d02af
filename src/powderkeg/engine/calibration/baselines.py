"""The null models run alongside every estimate, so that its skill can be measured at any time.

- *no map*: what is liquidated in an hour is a polynomial of how far the mark went and of the length
  of fresh ground it crossed, learned from earlier hours like our weights. Hard to beat: on real
  data the excursion alone ranks hours as well as a four-tier map.
- *static*: the map as it is published elsewhere (each trade at 100x, 50x, 25x and 10x, never
  closed), with one number learned, its scale. That is generous: as published it is 10 to 70 times
  too large.

The third, a map of the path alone, needs no replay of its own: it is a fit to a subset of our own
terms (`calibration.estimate`).

Source: docs/model.md, "Proof".
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from msgspec.structs import replace

from powderkeg.engine.calibration.sweeps import STROKE, Hours, tally
from powderkeg.engine.calibration.terms import KNOWN, TEN
from powderkeg.engine.calibration.weights import ITERATIONS, em
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.classes import STATIC as COLUMNS
from powderkeg.engine.exposure.exposure import Exposure, Spec, Steps
from powderkeg.engine.exposure.marks import R_FRESH, R_LENGTH, R_SIDE, R_TIME
from powderkeg.events import HOUR, SECOND, Candles, Floats, Times
from powderkeg.grid import BIN

STATIC = Spec("four-static", theta=1.0, own=1.0, timed=False)

PATH_TERMS = 6
WINDOW = 14 * 24
"""Hours a null model is fitted to: on real BTC two weeks suit both best; a longer window mixes in
another regime."""
STRENGTH = 5e-6
"""Pseudo-volume of each term's prior, share of open interest: low, because terms are few."""


class MarkPath:
    """How far the mark went in each hour, and over how much fresh ground."""

    __slots__ = ("hours", "last")

    def __init__(self) -> None:
        self.hours: dict[int, list[float]] = {}
        """Open, low, high, fresh length down and up, by hour since 1970."""
        self.last = math.nan

    def add_marks(self, ends: Times, low: Floats, high: Floats, close: Floats) -> None:
        """Add marks: the low, high and close of each span that ends at `ends` (µs)."""
        hours = (ends - 1) // HOUR
        firsts = np.flatnonzero(np.diff(hours, prepend=-1))
        lows = np.minimum.reduceat(low, firsts)
        highs = np.maximum.reduceat(high, firsts)
        lasts = np.append(firsts[1:], len(ends)) - 1
        for i, hour in enumerate(hours[firsts].tolist()):
            opened = float(close[firsts[i]]) if math.isnan(self.last) else self.last
            self._extend(hour, opened, float(lows[i]), float(highs[i]))
            self.last = float(close[lasts[i]])

    def add_mark(self, at: int, low: float, high: float, price: float) -> None:
        """Add one mark, with the low and high since the previous one."""
        opened = price if math.isnan(self.last) else self.last
        self._extend((at - 1) // HOUR, opened, low, high)
        self.last = price

    def _extend(self, hour: int, opened: float, low: float, high: float) -> None:
        row = self.hours.setdefault(hour, [opened, opened, opened, 0.0, 0.0])
        row[1], row[2] = min(row[1], low), max(row[2], high)

    def add_sweeps(self, records: Floats) -> None:
        """Add the fresh ground crossed by sweep records."""
        for r in np.flatnonzero(records[:, R_FRESH] > 0):
            hour = int((records[r, R_TIME] - STROKE) // (HOUR / SECOND))
            if hour in self.hours:
                self.hours[hour][3 + int(records[r, R_SIDE])] += records[r, R_LENGTH]

    def terms(self, hour: int) -> Floats | None:
        """Return the terms of both sides, shape (2, 6), and drop this hour and all before it.

        None for an hour without marks.
        """
        row = self.hours.get(hour)
        for old in [known for known in self.hours if known <= hour]:
            del self.hours[old]
        if row is None:
            return None
        opened, low, high, down, up = row
        out = np.ones((2, PATH_TERMS))
        for side, (far, fresh) in enumerate(
            ((math.log(opened / low), down), (math.log(high / opened), up))
        ):
            x, f = far / TEN, fresh * BIN / TEN
            out[side, :5] = x, x * x / 100, f, f * f / 100, f**1.5 / 10
        return out


class NullModel:
    """Non-negative weights of a few terms, fitted to earlier hours by the same EM as ours."""

    __slots__ = ("_count", "_liquidated", "_terms", "weights")

    def __init__(self, terms: int) -> None:
        """Start unfitted, with this many terms."""
        self.weights: Floats | None = None
        self._count = 0
        self._terms = np.zeros((WINDOW, 2, terms))
        self._liquidated = np.zeros((WINDOW, 2))

    def expected(self, terms: Floats) -> Floats:
        """Return the volume expected for terms (2, n), shape (2,); zero before the first fit."""
        return np.zeros(2) if self.weights is None else terms @ self.weights

    def add(self, terms: Floats, liquidated: Floats) -> None:
        """Add an hour: its terms (2, n) and its liquidated volume (2,)."""
        slot = self._count % WINDOW
        self._terms[slot], self._liquidated[slot] = terms, liquidated
        self._count += 1

    def refit(self, oi: float) -> None:
        """Refit on the stored hours; both sides share the weights."""
        n = min(self._count, WINDOW)
        width = self._terms.shape[2]
        terms, liquidated = self._terms[:n].reshape(-1, width), self._liquidated[:n].ravel()
        total = terms.sum()
        if not (total > 0 and liquidated.sum() > 0):
            return
        even = np.full(width, liquidated.sum() / total)
        self.weights, _ = em(terms, liquidated, even, even, STRENGTH * oi, ITERATIONS)


class Baselines:
    """The two null models of a market that need their own state: no map and static."""

    __slots__ = ("hours", "no_map_fit", "path", "static", "static_fit")

    def __init__(self, price: float) -> None:
        """Start empty around a price."""
        self.path = MarkPath()
        self.no_map_fit = NullModel(PATH_TERMS)
        self.static = Exposure(price, STATIC)
        self.static_fit = NullModel(1)
        self.hours = Hours()
        """What the static map's sweeps crossed."""

    def move_mark(self, at: int, marks: tuple[float, float, float], records: Floats) -> None:
        """Add a mark with the low and high since the previous one, NaN where unknown.

        Fresh ground is read from the sweep records of our own table.
        """
        price, low, high = marks
        known = [price, *(each for each in (low, high) if not math.isnan(each))]
        self.path.add_mark(at, min(known), max(known), price)
        self.path.add_sweeps(records)
        self._add_sweeps(self.static.move_mark(at, price, low, high))

    def add_tape(self, steps: Steps, records: Floats) -> None:
        """Replay a stretch of tape, with the sweep records of our own table."""
        marked = ~np.isnan(steps.marks)
        ends, marks = (steps.times[marked] * SECOND).astype(np.int64), steps.marks[marked]
        if len(marks):
            self.path.add_marks(ends, marks, marks, marks)
        self.path.add_sweeps(records)
        self._add_sweeps(
            self.static.add_tape(replace(steps, oi=np.full(len(steps.times), math.nan)))
        )

    def add_marks(self, bars: Candles) -> None:
        """Add the marks of candles whose liquidations are known."""
        if bars.liquidations_known:
            self.path.add_marks(bars.times + bars.span, bars.mark_low, bars.mark_high, bars.mark)

    def add_candles(self, bars: Candles, start: int, stop: int, records: Floats) -> None:
        """Replay candles `start` to `stop`, with the sweep records of our own table."""
        blind = replace(bars, oi=_unknown(len(bars.times)))
        crossed = self.static.add_candles(blind, start, stop)
        if bars.liquidations_known:
            self.path.add_sweeps(records)
            self._add_sweeps(crossed)

    def close(self, hour: int) -> tuple[Floats | None, Floats]:
        """Return an hour's terms: path (2, 6), None without marks; static (2, 1)."""
        crossed = self.hours.close(hour)
        # on known ground a term is the mean of the rates of a distance: here they are one number
        static = crossed[:, COLUMNS] + crossed[:, KNOWN + COLUMNS // RATES]
        return self.path.terms(hour), static.sum(axis=1)[:, None]

    def expected(self, path: Floats, static: Floats) -> tuple[Floats, Floats]:
        """Return the volume each expects for these terms: static and no map, shape (2,) each."""
        return self.static_fit.expected(static), self.no_map_fit.expected(path)

    def add(self, path: Floats, static: Floats, liquidated: Floats) -> None:
        """Add a finished hour to both fits."""
        self.no_map_fit.add(path, liquidated)
        self.static_fit.add(static, liquidated)

    def refit(self, oi: float) -> None:
        """Refit both on earlier hours."""
        self.no_map_fit.refit(oi)
        self.static_fit.refit(oi)

    def weights(self, oi: float) -> Floats:
        """Return the weights (2, 2, 64) of the static map, its scale fitted to liquidations."""
        out = np.zeros((2, 2, CLASSES))
        live = float(self.static.live()[:, COLUMNS].sum(axis=1).max())
        learned = self.static_fit.weights
        if learned is not None:
            out[:, :, COLUMNS] = learned[0]
        elif live > 0:  # not fitted yet: as published, all of open interest
            out[:, :, COLUMNS] = oi / live
        return out

    def _add_sweeps(self, records: Floats) -> None:
        for slot, crossed in zip(*tally(records), strict=True):
            self.hours.add(int(slot), crossed)


@lru_cache(maxsize=2)
def _unknown(n: int) -> Floats:
    """Return unknown open interest (NaN), shape (n,); shared, do not write to it."""
    return np.full(n, math.nan)
