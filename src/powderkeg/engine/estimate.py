"""The living estimate of one market: candidates that compete, weights learned from what died.

Each candidate is an exposure table under its own basis and closing hazard. All see the same
trades, open interest and mark. When an hour is over, what each had expected of it is compared with
what died, by the weights that stood while it ran; the one with the least Poisson deviance so far
is shown. Two null models are played beside them: a static map and no map at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from powderkeg.engine import censor
from powderkeg.engine import weights as w
from powderkeg.engine.bands import Misfit, Spread, band
from powderkeg.engine.candidate import CANDIDATES, FIRST, USUAL, WINDOWS, Candidate, Taught
from powderkeg.engine.classes import CLASSES
from powderkeg.engine.contest import Contest, deviance
from powderkeg.engine.exposure import Exposure, Spec, Steps
from powderkeg.engine.family import Lesson, centre
from powderkeg.engine.kernels import R_CLASSES
from powderkeg.engine.record import Record
from powderkeg.engine.rivals import Rivals
from powderkeg.engine.sweeps import KEPT, QUARTER, Deaths
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, Floats, Liquidation, LiquidationBar

REFIT = 6 * HOUR
FRESH = 200
"""Liquidations after which a refit does not wait for its six hours."""
FLOOR = 1e-3
"""Of what an hour is expected to kill, as a share of the mean hour, where candidates compete."""
BACKGROUND = 500
"""Hours over which the rate of deaths that no map explains is averaged."""
ENOUGH = 30
"""Liquidations before the competition counts."""
VERSION = 3
"""Of the model: changes whenever the same data would give another map."""


class Estimate:
    """Exposure and weights of one market. Knows no clock; `at` is always told."""

    __slots__ = (
        "_counted", "_deaths", "_fresh", "_hour", "_pieces", "_refit", "_sizes", "_squares",
        "_started", "_usual", "background", "candidates", "contest", "elders", "events", "fitted",
        "fraction", "market", "misfit", "record", "rivals", "taught", "venue", "windows",
    )  # fmt: skip

    def __init__(self, price: float, market: str = "", specs: Sequence[Spec] = CANDIDATES) -> None:
        """Start empty around a price.

        Args:
            price: > 0.
            market: Such as ``binance:BTCUSDT``; its venue has a prior and a feed of its own kind.
            specs: Of the candidates.
        """
        self.market = market
        self.venue = venue = market.partition(":")[0]
        self.candidates = [Candidate(Exposure(price, spec), venue) for spec in specs]
        self.contest = Contest(len(self.candidates), min(FIRST, len(self.candidates) - 1))
        self.windows = Contest(len(WINDOWS), USUAL)
        """Windows of the candidate shown, since it is."""
        self.rivals = Rivals(price)
        self.record = Record()
        self.misfit = Misfit()
        self.fraction = censor.first(venue)
        self.background = 0.0
        """Reported volume an hour and side that dies wherever the mark goes. It has no place on the
        map, so it is no part of it, but of what an hour is expected to bring."""
        self.elders: list[Lesson] = []
        """What other markets have learned; told by whoever knows them."""
        self.events = 0
        self.fitted = 0
        """µs of the last fit, 0 before the first."""
        self.taught = 0
        """Liquidations the last fit was the first to know."""
        self._deaths = Deaths()
        self._fresh = 0
        self._hour = -1
        self._pieces: dict[int, Floats] = {}
        """Sum of sizes, and of their squares, of the liquidations of hours that are not over."""
        self._refit = 0
        self._started = -1
        self._counted = 0
        self._usual = 0.0
        """Mean volume of an hour and side."""
        self._sizes = 0.0
        self._squares = 0.0

    @property
    def best(self) -> Candidate:
        """The candidate shown: the one that has predicted best, give or take LEAD."""
        return self.candidates[self.contest.shown]

    @property
    def fit(self) -> w.Fit | None:
        """The fit shown, none while no liquidation has taught anything."""
        return self.best.fits[self.windows.shown] or self.best.fits[USUAL]

    @property
    def prior_only(self) -> bool:
        """True while no liquidation has taught anything."""
        return self.fit is None

    @property
    def oi(self) -> float:
        """Last open interest, NaN before the first reading."""
        return self.best.exposure.oi

    @property
    def mark(self) -> float:
        """Last mark, NaN before the first."""
        return self.best.exposure.mark

    @property
    def dispersion(self) -> float:
        """E[q²]/E[q] of the liquidations told one by one: how grainy the volume is."""
        return self._squares / self._sizes if self._sizes > 0 else 0.0

    def add_trades(self, prices: Floats, sizes: Floats) -> None:
        """Add prints; sizes of sells are negative."""
        for candidate in self.candidates:
            candidate.exposure.add_trades(prices, sizes)
        self.rivals.static.add_trades(prices, sizes)

    def flush(self, at: int, oi: float = math.nan) -> None:
        """Let time pass and positions open; see `Exposure.flush`."""
        self._advance(at)
        for candidate in self.candidates:
            candidate.exposure.flush(at, oi)
        self.rivals.static.flush(at)

    def move_mark(self, at: int, price: float) -> Floats:
        """Sweep to a new mark and return the records of the candidate shown."""
        self._advance(at)
        shown = np.zeros((0, R_CLASSES + CLASSES))
        for candidate in self.candidates:
            records = candidate.exposure.move_mark(at, price)
            candidate.take(records)
            if candidate is self.best:
                shown = records
        self.rivals.move_mark(at, price, shown)
        return shown

    def add_candles(
        self, bars: Candles, stops: Sequence[int], drawn: Callable[[int], None] | None = None
    ) -> None:
        """Play candles.

        Args:
            bars: All of them are played.
            stops: Indices, rising, the last one the number of bars. At each, the candidate shown
                and the static map stand as they stood at that time; the others go from end to end.
            drawn: Told each of `stops` as it is reached.
        """
        self._advance(int(bars.times[0]))
        best, start = self.best, 0
        self.rivals.see(bars)
        for stop in stops:
            records = best.exposure.add_candles(bars, start, stop)
            self.rivals.add_candles(bars, start, stop, records)
            if bars.deaths:
                best.take(records)
            start = stop
            if drawn is not None:
                drawn(stop)
        # the others last: while the one shown is drawn, none of them is looked at
        for candidate in self.candidates:
            if candidate is not best:
                records = candidate.exposure.add_candles(bars, 0, stops[-1])
                if bars.deaths:
                    candidate.take(records)

    def add_tape(self, steps: Steps) -> Floats:
        """Play a stretch of tape in steps and return the sweep records of the candidate shown."""
        self._advance(int(steps.times[0] * SECOND))
        shown = np.zeros((0, R_CLASSES + CLASSES))
        for candidate in self.candidates:
            records = candidate.exposure.add_tape(steps)
            candidate.take(records)
            if candidate is self.best:
                shown = records
        self.rivals.add_tape(steps, shown)
        return shown

    def liquidated(self, event: Liquidation) -> None:
        """Learn of a forced close."""
        side = 0 if event.holder == "long" else 1
        self._deaths.add(event.at // QUARTER * QUARTER, QUARTER, side, event.size)
        self.events += 1
        self._fresh += 1
        pieces = self._pieces.setdefault(event.at // HOUR, np.zeros(2))
        pieces += (event.size, event.size * event.size)

    def liquidated_bar(self, event: LiquidationBar) -> None:
        """Learn of forced closes summed over a span. How many there were is a guess."""
        self._deaths.add(event.at, event.span, 0, event.long)
        self._deaths.add(event.at, event.span, 1, event.short)
        self.events += 1
        grain = w.EVIDENCE * self.oi if self.oi > 0 else math.inf
        self._fresh += max(1, round((event.long + event.short) / grain))

    def weights(self, at: int) -> Floats:
        """Return the weights shown, of all that dies and within open interest, shape (2, 16)."""
        return self._of_all(self.best, self.windows.shown, at)

    def static_weights(self, at: int) -> Floats:
        """Return the weights (2, 16) of `rivals.static`, the map as others publish it."""
        raw = self.rivals.weights(self.best.interest(self._elapsed(at))) / self._told()
        return raw * self._within(raw, self.rivals.static)[:, None]

    def strain(self, at: int) -> Floats:
        """Return the factor (2,) that had to hold the map within open interest."""
        raw = self._raw(self.best, self.windows.shown, at)
        return self._within(raw, self.best.exposure)

    def render(self, at: int) -> NDArray[np.float32]:
        """Return the map in base coin, float32 (2, 4096)."""
        return self.best.exposure.render(self.weights(at))

    def spread(self, exposure: Floats, at: int) -> Spread:
        """Return amounts in base coin, with what makes them uncertain, of summed exposures.

        Args:
            exposure: Unit-weight exposure by side and class, shape (..., 2, 16): of a cell, or
                summed over as many cells as are asked about together.
            at: µs.
        """
        weights, fit = self.weights(at), self.fit
        mean = (exposure * weights).sum(axis=-1)
        if fit is None:  # nobody knows: a factor of ten either way is likely enough
            relative = np.full((2, CLASSES), 1 / w.LEAST_SHAPE)
        else:
            relative = fit.variance() / fit.weights**2
        variance = mean * self._grain() + ((exposure * weights) ** 2 * relative).sum(axis=-1)
        unsure = self.fraction.spread if self._sizes > 0 else 0.0
        return Spread(mean, variance, mean * math.hypot(self.misfit.width, unsure))

    def confidence(self) -> Floats:
        """Return how much of each class's weight is measured, shape (2, 16)."""
        return np.zeros((2, CLASSES)) if self.fit is None else self.fit.confidence()

    def lesson(self) -> Lesson | None:
        """Return what this market has learned, for others; none before it has learned."""
        fits = [candidate.fits[USUAL] for candidate in self.candidates]
        if not self.oi > 0 or any(fit is None for fit in fits):
            return None
        known = [fit for fit in fits if fit is not None]
        return Lesson(
            self.market,
            np.stack([fit.evidence.sum(axis=0) for fit in known]) / (self.oi * self._told()),
            np.stack([fit.crossed.sum(axis=0) for fit in known]) / self.oi,
        )

    def _told(self) -> float:  # share of what dies that this market was told
        return self.fraction.share if self._sizes > 0 else 1.0

    def _grain(self) -> float:
        """Return the size of a typical piece of volume, as it was known at the last fit."""
        if self.fit is not None:
            return self.fit.grain
        return self.dispersion or w.EVIDENCE * (self.oi if self.oi > 0 else 0.0)

    def _raw(self, candidate: Candidate, window: int, at: int) -> Floats:
        """Return weights (2, 16) of all that dies, before strain."""
        fit = candidate.fits[window] or candidate.fits[USUAL]
        if fit is not None:
            return fit.weights / self._told()
        prior = candidate.prior(self._elapsed(at))
        if all(elder.market == self.market for elder in self.elders):
            return prior
        # some venues tell no deaths at all: what others have learned is a better guess
        middle = np.exp(np.log(prior).mean(axis=0))
        index = self.candidates.index(candidate)
        return np.tile(centre(self.elders, self.market, index, middle), (2, 1))

    def _of_all(self, candidate: Candidate, window: int, at: int) -> Floats:
        """Return weights (2, 16) of all that dies, within open interest."""
        raw = self._raw(candidate, window, at)
        return raw * self._within(raw, candidate.exposure)[:, None]

    def _elapsed(self, at: int) -> float:
        """Return the seconds watched; an hour at least, so that rates are calm."""
        return max(at - self._started, HOUR) / SECOND

    def _within(self, weights: Floats, exposure: Exposure) -> Floats:
        oi = self.oi
        return w.strain(weights, exposure.live(), oi) if oi > 0 else np.ones(2)

    def _advance(self, at: int) -> None:
        """Close the hours that are over: score what was said of them, and refit when due.

        An hour is closed a minute late, so that its last liquidations have arrived.
        """
        hour = (at - MINUTE) // HOUR
        if self._started < 0:
            self._started, self._hour, self._refit = at, hour, at + REFIT
            return
        if hour <= self._hour:
            return
        for over in range(max(self._hour, hour - 24), hour):
            self._close_hour(over, at)
        for hours in (self.rivals.hours, *(c.hours for c in self.candidates)):
            hours.close(hour - 1)
        self._hour = hour
        for over in [each for each in self._pieces if each < hour]:
            sizes, squares = self._pieces.pop(over).tolist()
            self._sizes, self._squares = self._sizes + sizes, self._squares + squares
        if self.events and (at >= self._refit or self._fresh >= FRESH):
            self._refit = at + REFIT
            self.learn(hour * HOUR, at)

    def _close_hour(self, hour: int, at: int) -> None:
        """Compare what was said of an hour with what died, by the weights that stood in it."""
        path, static = self.rivals.close(hour)
        crossed = [candidate.hours.close(hour) for candidate in self.candidates]
        died = self._deaths.within(hour * HOUR, hour * HOUR + HOUR)
        if path is None or died is None or not self.events:
            return
        self._usual += (float(died.mean()) - self._usual) / (self._counted + 1)
        self._counted += 1
        if self.fit is not None:
            self._write(hour, at, died, crossed[self.contest.shown], path, static)
            self._score(at, died, crossed)
        self.rivals.add(path, static, died)

    def _write(
        self, hour: int, at: int, died: Floats, crossed: Floats, path: Floats, static: Floats
    ) -> None:
        """Write the hour's row, and learn how far the bands would have had to reach."""
        told, grain = self._told(), self._grain()
        spread = self.spread(crossed, at).times(told)
        said = spread.mean + self.background
        # a sample of a compound Poisson volume is as grainy as the whole, against its own mean
        variance = spread.variance + ((1 - told) * spread.mean + self.background) * grain
        low, high = band(said, variance, said * self.misfit.width)
        rivals = self.rivals.said(path, static)
        self.record.add(hour, np.stack((died, said, low, high, *rivals, path[:, 2])))
        for side in range(2):
            self.misfit.see(died[side], said[side], variance[side])
        credit = died * self.background / np.maximum(said, 1e-300)
        self.background += (credit.mean() - self.background) / min(self.record.count, BACKGROUND)
        self.background = max(self.background, FLOOR * self._usual)

    def _score(self, at: int, died: Floats, crossed: list[Floats]) -> None:
        """Add up the deviance of every candidate, and of the windows of the one shown."""

        def missed(candidate: Candidate, window: int, exposure: Floats) -> float:
            said = (exposure * self._of_all(candidate, window, at)).sum(axis=1) * self._told()
            return deviance(died, said, FLOOR * self._usual)

        if all(candidate.fits[USUAL] is not None for candidate in self.candidates):
            pairs = zip(self.candidates, crossed, strict=True)
            self.contest.add([missed(candidate, USUAL, exposure) for candidate, exposure in pairs])
        own = crossed[self.contest.shown]
        self.windows.add([missed(self.best, window, own) for window in range(len(WINDOWS))])
        self._choose()

    def _choose(self) -> None:
        """Show the candidate, and its window, that lead by enough."""
        if self.events < ENOUGH:
            return
        before = self.best
        self.contest.choose()
        if self.best is not before:
            self.windows = Contest(len(WINDOWS), USUAL)
            before.fits = [fit if i == USUAL else None for i, fit in enumerate(before.fits)]
        self.windows.choose()

    def learn(self, until: int, at: int) -> None:
        """Refit every candidate on what was over at `until`; the map is re-weighted at once."""
        self._deaths.trim(until - KEPT)
        taught = Taught(
            until, self.market, self._deaths, self.elders, self._told(), self.dispersion,
            self.events,
        )  # fmt: skip
        elapsed = self._elapsed(at)
        for index, candidate in enumerate(self.candidates):
            candidate.sweeps.trim(until - KEPT)
            windows = range(len(WINDOWS)) if candidate is self.best else (USUAL,)
            for window in windows:
                candidate.learn(taught, candidate.prior(elapsed), window, index)
        self.rivals.learn(self.oi if self.oi > 0 else 1.0)
        if self.fit is not None:
            self.fitted, self.taught, self._fresh = at, self._fresh, 0
        self._compare(elapsed)

    def _compare(self, elapsed: float) -> None:
        """Learn what share of all that dies this market is told, where others are told all."""
        own = self.lesson()
        if own is None or not self.elders:
            return
        prior = np.exp(np.log(self.best.prior(elapsed)).mean(axis=0))
        self.fraction = censor.observed(
            own, self.contest.shown, self.elders, self._told(), prior, self.dispersion / self.oi
        )
