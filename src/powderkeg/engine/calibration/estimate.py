"""The estimate of one market: an exposure table, and class weights fitted to liquidations.

The table is fed trades, open interest and marks. When an hour ends, the forecast made with the
weights in force during it is logged beside the reported liquidations and the forecasts of the null
models: a map of the path alone, fitted in the same way to the terms without volume; the static map
published elsewhere; and no map at all (`calibration.baselines`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from powderkeg.engine.calibration import pooling, reporting
from powderkeg.engine.calibration import weights as w
from powderkeg.engine.calibration.baselines import Baselines
from powderkeg.engine.calibration.forecasts import ForecastLog
from powderkeg.engine.calibration.pooling import PooledStats, PretrainedWeights
from powderkeg.engine.calibration.shipped import SHIPPED
from powderkeg.engine.calibration.sweeps import KEPT, QUARTER, Hours, LiquidationLog, Sweeps, tally
from powderkeg.engine.calibration.terms import PATH_ONLY, TERMS, by_ground, in_coins, per_oi
from powderkeg.engine.calibration.uncertainty import ModelError, Uncertainty, band
from powderkeg.engine.exposure.classes import CLASSES, GROUP, TIME, VOLUME
from powderkeg.engine.exposure.deposits import DAY
from powderkeg.engine.exposure.exposure import Exposure, Steps
from powderkeg.engine.exposure.table import DEPOSITED
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, Floats, Liquidation, LiquidationBar

REFIT = 6 * HOUR
FRESH = 200
"""Liquidations after which a refit does not wait for its six hours."""
PIECE = 720
"""Bars replayed at once."""
VERSION = 4
"""Version of the model: bumped whenever the same data would give another map."""
UNKNOWN = 1 / w.LEAST_SHAPE
"""Relative variance of a weight of the assumed prior: a factor of ten either way."""


class Estimate:
    """Exposure and weights of one market. Reads no clock; `at` is always passed in."""

    __slots__ = (
        "_fresh", "_hour", "_hours", "_liquidations", "_pieces", "_refit", "_shares", "_sizes",
        "_squares", "_started", "baselines", "events", "exposure", "fit", "fitted",
        "forecast_log", "market", "model_error", "new_liquidations", "path_only", "peers",
        "pretrained", "reporting_rate", "sweeps", "venue",
    )  # fmt: skip

    def __init__(self, price: float, market: str = "", pretrained: PretrainedWeights = SHIPPED):
        """Start empty around a price.

        Args:
            price: > 0.
            market: Such as ``binance:BTCUSDT``; its venue sets the prior and the reporting rate.
            pretrained: Weights fitted on another market; used only for later times.
        """
        self.market = market
        self.pretrained = pretrained
        self.venue = venue = market.partition(":")[0]
        self.exposure = Exposure(price)
        self.sweeps = Sweeps()
        self.fit: w.Fit | None = None
        """None before the first fit to liquidations."""
        self.path_only: w.Fit | None = None
        """The null model that uses only the path, fitted to the same liquidations."""
        self.baselines = Baselines(price)
        self.forecast_log = ForecastLog()
        self.model_error = ModelError()
        self.reporting_rate = reporting.initial_rate(venue)
        self.peers: list[PooledStats] = []
        """Statistics of other markets; set by the desk."""
        self.events = 0
        self.fitted = 0
        """µs of the last fit, 0 before the first."""
        self.new_liquidations = 0
        """Liquidations that the last fit was the first to use."""
        self._shares = w.shares(self.exposure.basis, venue)
        self._hours, self._liquidations = Hours(), LiquidationLog()
        self._fresh, self._hour = 0, -1
        self._pieces: dict[int, Floats] = {}
        """Sum of sizes and of squared sizes of liquidations, by unfinished hour."""
        self._refit = 0
        self._started = -1
        self._sizes = 0.0
        self._squares = 0.0

    @property
    def prior_only(self) -> bool:
        """True before the first fit to liquidations."""
        return self.fit is None

    @property
    def is_pretrained(self) -> bool:
        """True while the weights are the shipped ones, fitted on another market."""
        return self.fit is None and self._hour * HOUR >= self.pretrained.until

    @property
    def oi(self) -> float:
        """Last open interest, NaN before the first reading."""
        return self.exposure.oi

    @property
    def mark(self) -> float:
        """Last mark, NaN before the first."""
        return self.exposure.mark

    @property
    def dispersion(self) -> float:
        """E[q²]/E[q] of the liquidations reported individually: the typical size."""
        return self._squares / self._sizes if self._sizes > 0 else 0.0

    def add_trades(self, prices: Floats, sizes: Floats) -> None:
        """Add prints; sizes of sells are negative."""
        self.exposure.add_trades(prices, sizes)
        self.baselines.static.add_trades(prices, sizes)

    def flush(self, at: int, oi: float = math.nan) -> None:
        """Advance time and open positions from pending volume; see `Exposure.flush`."""
        self._advance(at)
        self.exposure.flush(at, oi)
        self.baselines.static.flush(at)

    def move_mark(
        self, at: int, price: float, low: float = math.nan, high: float = math.nan
    ) -> Floats:
        """Sweep to a new mark and return the sweep records.

        Args:
            at: µs.
            price: The mark.
            low: Lowest mark since the previous one; NaN where unknown.
            high: Highest mark since the previous one; NaN where unknown.
        """
        self._advance(at)
        records = self.exposure.move_mark(at, price, low, high)
        self._add_sweeps(records)
        self.baselines.move_mark(at, (price, low, high), records)
        return records

    def add_candles(
        self, bars: Candles, stops: Sequence[int], drawn: Callable[[int], None] | None = None
    ) -> None:
        """Replay candles.

        Args:
            bars: All of them are replayed.
            stops: Indices, rising, the last one the number of bars. At each, our map and the
                static one are as they were at that time.
            drawn: Called with each of `stops` as it is reached.
        """
        self._advance(int(bars.times[0]))
        start = 0
        self.baselines.add_marks(bars)
        for stop in stops:
            while start < stop:  # in pieces: records of a month at once are sixty megabytes
                end = min(start + PIECE, stop)
                records = self.exposure.add_candles(bars, start, end)
                self.baselines.add_candles(bars, start, end, records)
                if bars.liquidations_known:
                    self._add_sweeps(records)
                start = end
            if drawn is not None:
                drawn(stop)

    def add_tape(self, steps: Steps) -> Floats:
        """Replay a stretch of tape in steps and return the sweep records."""
        self._advance(int(steps.times[0] * SECOND))
        records = self.exposure.add_tape(steps)
        self._add_sweeps(records)
        self.baselines.add_tape(steps, records)
        return records

    def add_liquidation(self, event: Liquidation) -> None:
        """Add a reported liquidation."""
        side = 0 if event.position_side == "long" else 1
        self._liquidations.add(event.event_time // QUARTER * QUARTER, QUARTER, side, event.size)
        self.events += 1
        self._fresh += 1
        pieces = self._pieces.setdefault(event.event_time // HOUR, np.zeros(2))
        pieces += (event.size, event.size * event.size)

    def add_liquidation_bar(self, event: LiquidationBar) -> None:
        """Add liquidations summed over a span; their number is estimated."""
        self._liquidations.add(event.event_time, event.span, 0, event.long)
        self._liquidations.add(event.event_time, event.span, 1, event.short)
        self.events += 1
        grain = w.EVIDENCE / 4 * self.oi if self.oi > 0 else math.inf
        self._fresh += max(1, round((event.long + event.short) / grain))

    def weights(self, at: int) -> Floats:
        """Return the weights of terms (2, 98), of all that is liquidated, within open interest."""
        raw = self._uncapped_weights(at)
        return raw * self._cap_factor(raw)[:, None]

    def map_weights(self, at: int) -> Floats:
        """Return the same weights by side, ground (fresh, known) and class, shape (2, 2, 64)."""
        return by_ground(self.weights(at))

    def static_weights(self, at: int) -> Floats:
        """Return the weights (2, 2, 64) of `baselines.static`, the map as published elsewhere."""
        oi = self.open_interest(self._elapsed(at))
        raw = self.baselines.weights(oi) / self._reporting_share()
        mass = (raw[:, 0] * self.baselines.static.live()).sum(axis=1)
        within = np.minimum(1.0, self.oi / np.maximum(mass, 1e-300)) if self.oi > 0 else np.ones(2)
        return raw * within[:, None, None]

    def oi_cap_factor(self, at: int) -> Floats:
        """Return the factor (2,) that keeps the map within open interest."""
        return self._cap_factor(self._uncapped_weights(at))

    def render(self, at: int) -> NDArray[np.float32]:
        """Return the map in base coin, float32 (2, 4096)."""
        return self.exposure.render(self.map_weights(at))

    def uncertainty(self, exposure: Floats, at: int) -> Uncertainty:
        """Return amounts in base coin, with their uncertainty, for summed exposures.

        Args:
            exposure: Unit-weight exposure by side and term, shape (..., 2, 98): of one cell, or
                summed over cells.
            at: µs.
        """
        weights = self.weights(at)
        mean = (exposure * weights).sum(axis=-1)
        relative = self.relative_variance()
        variance = mean * self._grain() + ((exposure * weights) ** 2 * relative).sum(axis=-1)
        unsure = self.reporting_rate.spread if self._sizes > 0 else 0.0
        level = self.pretrained.level if self.is_pretrained else 0.0
        return Uncertainty(mean, variance, mean * math.hypot(self.model_error.width, unsure, level))

    def relative_variance(self) -> Floats:
        """Return the variance of each weight over its square, (2, 98) or a scalar."""
        if self.fit is not None:
            return self.fit.variance() / self.fit.weights**2
        return np.array(self.pretrained.variance if self.is_pretrained else UNKNOWN)

    def confidence(self) -> Floats:
        """Return the measured share of each term's weight, 0 to 1, shape (2, 98)."""
        return np.zeros((2, TERMS)) if self.fit is None else self.fit.confidence()

    def pooled_stats(self) -> PooledStats | None:
        """Return this market's statistics for pooling; None before the first fit."""
        if self.fit is None or not self.oi > 0:
            return None
        return pooling.pooled_stats_of(self.market, self.fit, self.oi, self._reporting_share())

    def open_interest(self, elapsed: float) -> float:
        """Return open interest, base coin; where none was reported, what opens in twelve hours."""
        if self.oi > 0:
            return self.oi
        opened = self.exposure.ledger[DEPOSITED, :, VOLUME * GROUP].sum()
        return float(opened) / elapsed * 12 * HOUR / SECOND

    def prior(self, at: int) -> Floats:
        """Return the prior weights (98,), for the complete liquidated volume."""
        elapsed = self._elapsed(at)
        oi = self.open_interest(elapsed)
        if self._hour * HOUR >= self.pretrained.until:
            assumed, strength = self.pretrained.weights, self.pretrained.strength
        else:
            opened = self.exposure.ledger[DEPOSITED].mean(axis=0)[VOLUME * GROUP]
            rates = np.zeros(2)
            rates[[VOLUME, TIME]] = opened / elapsed, 1 / DAY
            own = w.prior(self._shares, max(oi, 1e-12), rates, self.exposure.hazards)
            assumed, strength = per_oi(own, max(oi, 1e-12)), pooling.GLOBAL
        found = pooling.prior_mean(self.peers, self.market, assumed, strength)
        return in_coins(found, max(oi, 1e-12))

    def _reporting_share(
        self,
    ) -> float:  # share of what is liquidated that is reported to this market
        return self.reporting_rate.share if self._sizes > 0 else 1.0

    def _grain(self) -> float:
        """Return the typical size of a liquidation as of the last fit, base coin."""
        if self.fit is not None:
            return self.fit.dispersion
        return self.dispersion or w.EVIDENCE / 4 * (self.oi if self.oi > 0 else 0.0)

    def _uncapped_weights(self, at: int) -> Floats:
        """Return weights (2, 98) for the complete liquidated volume, before the OI cap."""
        if self.fit is not None:
            return self.fit.weights / self._reporting_share()
        return np.broadcast_to(self.prior(at), (2, TERMS))

    def _elapsed(self, at: int) -> float:
        """Return the seconds observed; at least an hour, so that rates are stable."""
        return max(at - self._started, HOUR) / SECOND

    def unbounded(self, at: int) -> Floats:
        """Return the map's coins by side (2,) while no open interest is known, else 0."""
        held = (self._uncapped_weights(at)[:, :CLASSES] * self.exposure.live()).sum(axis=1)
        return held * float(not self.oi > 0)

    def _cap_factor(self, weights: Floats) -> Floats:
        live = self.exposure.live()
        return w.oi_cap_factor(weights, live, self.oi) if self.oi > 0 else np.ones(2)

    def _add_sweeps(self, records: Floats) -> None:
        """Add sweep records to the quarter-hour and hourly sums."""
        if not len(records):
            return
        slots, crossed = tally(records)
        for i, slot in enumerate(slots.tolist()):
            self.sweeps.add(slot * QUARTER, crossed[i])
            self._hours.add(slot, crossed[i])

    def _advance(self, at: int) -> None:
        """Close finished hours: log their forecasts, and refit when due.

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
        for hours in (self.baselines.hours, self._hours):
            hours.close(hour - 1)
        self._hour = hour
        for over in [each for each in self._pieces if each < hour]:
            sizes, squares = self._pieces.pop(over).tolist()
            self._sizes, self._squares = self._sizes + sizes, self._squares + squares
        if self.events and (at >= self._refit or self._fresh >= FRESH):
            self._refit = at + REFIT
            self.refit(hour * HOUR, at)

    def _close_hour(self, hour: int, at: int) -> None:
        """Log the forecast of an hour beside what was liquidated in it."""
        path, static = self.baselines.close(hour)
        crossed = self._hours.close(hour)
        liquidated = self._liquidations.within(hour * HOUR, hour * HOUR + HOUR)
        if path is None or liquidated is None or not self.events:
            return
        if self.fit is not None or self.is_pretrained:
            self._log_forecast(hour, at, liquidated, crossed, path, static)
        self.baselines.add(path, static, liquidated)

    def _log_forecast(
        self, hour: int, at: int, liquidated: Floats, crossed: Floats, path: Floats, static: Floats
    ) -> None:
        """Log the hour's row, and update the model error with how far the bands missed."""
        share, grain = self._reporting_share(), self._grain()
        spread = self.uncertainty(crossed, at).times(share)
        predicted = spread.mean
        # a sample of a compound Poisson volume is as grainy as the whole, against its own mean
        variance = spread.variance + (1 - share) * predicted * grain
        low, high = band(predicted, variance, predicted * self.model_error.hourly)
        path_only = np.zeros(2) if self.path_only is None else self._path_only(crossed)
        static_map, no_map = self.baselines.expected(path, static)
        row = (liquidated, predicted, low, high, static_map, no_map, path_only, path[:, 2])
        self.forecast_log.add(hour, np.stack(row))
        for side in range(2):
            self.model_error.update(liquidated[side], predicted[side], variance[side])

    def _path_only(self, crossed: Floats) -> Floats:
        """Return the volume the path-only map expects for crossed terms (2, 98), shape (2,)."""
        assert self.path_only is not None  # noqa: S101  for the type checker
        return (crossed[:, PATH_ONLY] * self.path_only.weights).sum(axis=1)

    def refit(self, until: int, at: int) -> None:
        """Refit on the data before `until`; the map is re-weighted at once."""
        for rows in (self._liquidations, self.sweeps):
            rows.trim(until - KEPT)
        crossed, liquidated = self._liquidations.rows(self.sweeps, until - KEPT, until)
        oi = self.oi if self.oi > 0 else 1.0
        if len(crossed) and self.exposure.ledger[DEPOSITED].any():
            assumed = self.prior(at) * self._reporting_share()
            self.fit = self._fitted(crossed, liquidated, assumed, oi, self.fit)
            only = slice(None), slice(None), PATH_ONLY
            self.path_only = self._fitted(
                crossed[only], liquidated, assumed[PATH_ONLY], oi, self.path_only
            )
            self.fitted, self.new_liquidations, self._fresh = at, self._fresh, 0
        self.baselines.refit(oi)
        self._update_reporting_rate(at)

    def _fitted(
        self, crossed: Floats, liquidated: Floats, assumed: Floats, oi: float, last: w.Fit | None
    ) -> w.Fit:
        """Return a fit of some terms, started from the previous one."""
        middle = w.rescale_prior(assumed, crossed, liquidated, oi, self.dispersion)
        start = None if last is None else last.weights
        return w.fit(crossed, liquidated, middle, oi, start=start, dispersion=self.dispersion)

    def _update_reporting_rate(self, at: int) -> None:
        """Estimate the share of liquidations reported here, from markets that report all."""
        own = self.pooled_stats()
        if own is None or not self.peers:
            return
        prior, grain = per_oi(self.prior(at), self.oi), self.dispersion / self.oi
        share = self._reporting_share()
        self.reporting_rate = reporting.observed_rate(own, self.peers, share, prior, grain)
