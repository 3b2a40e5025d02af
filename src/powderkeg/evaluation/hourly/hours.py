"""The hourly score: predicted against reported liquidations of each hour.

Every row was logged when its hour was over, with the weights in force during it
(`calibration.forecasts`), so the score is prequential, and so are the null models on the same
rows: a map of the path alone, the static four-tier map with its scale fitted, and no map. It is
conditional on that path: the question is not where price goes, but what is liquidated where it
goes. The path of synthetic bars is known in three ways (`history.bars`):

- path: an hour's extremes are on the bars that closed nearest, its volume is its own;
- causal: its extremes are known at its end, its volume is its own;
- strict: as in a replay, so its volume is that of the hour before as well.

Volume is in dollars at the hour's last price. The deviance is the mean Poisson deviance over the
mean reported volume; predictions are at least 0.1 % of that mean. The first 20 days are not scored.
With several markets, rows are those of all; a sum over venues is split by open interest.

Placebo: volume, steps of open interest and liquidations are each shuffled in time, price is not,
so no information is left for a map.

Source: docs/model.md, "Proof".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from powderkeg.desk import AGGREGATE
from powderkeg.engine.calibration.baselines import MarkPath
from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.forecasts import FIELDS, FRESH
from powderkeg.errors import ConfigError
from powderkeg.events import HOUR, Candles, Floats, LiquidationBar, Times
from powderkeg.history.bars import Hindsight
from powderkeg.history.replay import events
from powderkeg.history.sources import Source
from powderkeg.venues import spec_of

BarEvent: TypeAlias = Candles | LiquidationBar
"""Candles of a market, or liquidations summed over a span."""
Way: TypeAlias = Literal["path", "causal", "strict"]
WAYS: dict[Way, Hindsight] = {"path": "path", "causal": "volume", "strict": ""}
WARM_UP = 20 * 24
"""Hours not scored."""
SEED = 1
"""Of the placebo."""


class ForecastRows(Struct, frozen=True, eq=False):
    """Predicted and reported liquidations, a row per hour and market, in order of time."""

    hours: Times
    """Since 1970, shape (n,)."""
    rows: Floats
    """As in `calibration.forecasts`, but dollars, shape (n, 8, 2); fresh ground in tens of bp."""
    away: Floats
    """How far price went within the hour, down and up, log distance, shape (n, 2)."""

    def where(self, keep: NDArray[np.bool_ | np.int64]) -> ForecastRows:
        """Return the rows of a mask, or by their numbers."""
        return ForecastRows(self.hours[keep], self.rows[keep], self.away[keep])

    def between(self, since: float, until: float) -> ForecastRows:
        """Return the rows from one hour on to before another."""
        return self.where((self.hours >= since) & (self.hours < until))


class ScoredHours(Struct, frozen=True, eq=False):
    """The forecasts that are scored."""

    forecasts: ForecastRows
    middle: int
    """Hour at which they are split: the middle of all replayed hours."""
    played: int = 0
    """Hours and markets with a forecast, including those not scored."""


class _Market:
    """The estimate of one market, and the price path of each hour."""

    def __init__(self, name: str, price: float) -> None:
        self.estimate = Estimate(price, name)
        self._path = MarkPath()
        self._closes: dict[int, float] = {}
        self._hours: list[Times] = []
        self._rows: list[Floats] = []
        self._count = 0

    def add(self, bars: Candles) -> None:
        """Replay bars."""
        self.estimate.add_candles(bars, [len(bars.times)])
        self._collect_rows()
        self._path.add_marks(bars.times + bars.span, bars.mark_low, bars.mark_high, bars.mark)
        hours = (bars.times + bars.span - 1) // HOUR
        self._closes.update(zip(hours.tolist(), bars.close.tolist(), strict=True))

    def _collect_rows(self) -> None:
        """Copy the rows logged since the last call: the log drops its oldest rows."""
        log = self.estimate.forecast_log
        new = log.count - self._count
        if new:
            self._hours.append(log.hours[-new:])
            self._rows.append(log.rows[-new:].astype(np.float64))
            self._count = log.count

    def forecasts(self) -> ForecastRows:
        """Return the rows of the hours whose price is known."""
        all_hours = np.concatenate([np.zeros(0, np.int64), *self._hours])
        all_rows = np.concatenate([np.zeros((0, len(FIELDS), 2)), *self._rows])
        known = np.array([hour in self._closes for hour in all_hours.tolist()], np.bool_)
        hours, rows = all_hours[known], all_rows[known]
        prices = np.array([self._closes[hour] for hour in hours.tolist()])
        rows[:, :FRESH] *= prices[:, None, None]
        walked = np.array([self._path.hours[hour][:3] for hour in hours.tolist()]).reshape(-1, 3)
        opened, low, high = walked.T
        return ForecastRows(hours, rows, np.log(np.stack((opened / low, high / opened), axis=1)))


def bar_events(
    source: Source,
    coin: str,
    way: Way = "path",
    progress: Callable[[int, int], None] | None = None,
) -> list[BarEvent]:
    """Return the bars and liquidation bars of a coin, in the order they became known.

    Args:
        source: Has liquidation bars, and candles or open interest turned into bars.
        coin: One of the source's coins.
        way: What of an hour is known within it.
        progress: Called with bytes read and total bytes.

    Raises:
        ConfigError: There are no bars, or no liquidation bars.
    """
    stream = [
        event
        for event in events(source, coin, progress=progress, hindsight=WAYS[way])
        if isinstance(event, Candles | LiquidationBar)
        and spec_of(event.market.partition(":")[0]).leveraged
    ]
    found = {type(event) for event in stream}
    for kind, words in ((Candles, "bars"), (LiquidationBar, "liquidation_bars")):
        if kind not in found:
            raise ConfigError(f"{source.path}: expected {words} of {coin}, found none")
    return stream


def play(stream: Iterable[BarEvent]) -> ForecastRows:
    """Replay bars through the estimates of their markets and return the forecasts."""
    markets: dict[str, _Market] = {}
    hour = 0
    for event in stream:
        if event.received_time // HOUR > hour:
            hour = event.received_time // HOUR
            market_stats = [m.estimate.pooled_stats() for m in markets.values()]
            for market in markets.values():
                market.estimate.peers = [each for each in market_stats if each is not None]
        if isinstance(event, LiquidationBar):
            _share_out(event, {name: market.estimate for name, market in markets.items()})
        else:
            if event.market not in markets:
                markets[event.market] = _Market(event.market, float(event.open[0]))
            markets[event.market].add(event)
    nothing = ForecastRows(np.zeros(0, np.int64), np.zeros((0, len(FIELDS), 2)), np.zeros((0, 2)))
    parts = [nothing, *(market.forecasts() for _, market in sorted(markets.items()))]
    whole = ForecastRows(
        np.concatenate([part.hours for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.away for part in parts]),
    )
    return whole.where(np.argsort(whole.hours, kind="stable"))


def _share_out(bar: LiquidationBar, estimates: dict[str, Estimate]) -> None:
    """Add liquidations to their market, or a sum over venues to all of them by open interest."""
    if bar.market in estimates:
        estimates[bar.market].add_liquidation_bar(bar)
    if not bar.market.startswith(f"{AGGREGATE}:"):
        return
    known = [estimate for estimate in estimates.values() if estimate.oi > 0]
    total = sum(estimate.oi for estimate in known)
    for estimate in known:
        share = estimate.oi / total
        estimate.add_liquidation_bar(replace(bar, long=bar.long * share, short=bar.short * share))


def shuffled(stream: list[BarEvent], seed: int = SEED) -> list[BarEvent]:
    """Return the stream with volume, steps of open interest and liquidations shuffled in time.

    Prices are unchanged, and so are the sums; each market is shuffled separately.
    """
    chance = np.random.default_rng(seed)
    out = list(stream)
    for name in sorted({event.market for event in stream}):
        bars = [i for i, event in enumerate(stream) if event.market == name]
        runs = {i: event for i in bars if isinstance(event := stream[i], Candles)}
        liquidated = {i: event for i in bars if isinstance(event := stream[i], LiquidationBar)}
        out_of_place = _shuffled_bars(list(runs.values()), chance) if runs else []
        for i, run in zip(runs, out_of_place, strict=True):
            out[i] = run
        order = chance.permutation(len(liquidated)).tolist()
        originals = list(liquidated.values())
        for (i, event), j in zip(liquidated.items(), order, strict=True):
            out[i] = replace(event, long=originals[j].long, short=originals[j].short)
    return out


def _shuffled_bars(runs: list[Candles], chance: np.random.Generator) -> list[Candles]:
    """Return runs of bars with volumes and steps of open interest shuffled in time."""
    cuts = np.cumsum([len(run.times) for run in runs])[:-1]
    order = chance.permutation(sum(len(run.times) for run in runs))
    volume = np.concatenate([run.volume for run in runs])[order]
    buy = np.concatenate([run.buy for run in runs])[order]
    oi = np.concatenate([run.oi for run in runs])
    known = np.flatnonzero(oi > 0)
    if len(known):
        # as ratios, so that it never falls below zero
        steps = np.diff(np.log(oi[known]))
        logs = np.concatenate(([0.0], np.cumsum(chance.permutation(steps))))
        oi[known] = oi[known[0]] * np.exp(logs)
    columns = zip(runs, *(np.split(column, cuts) for column in (volume, buy, oi)), strict=True)
    return [replace(run, volume=v, buy=b, oi=o) for run, v, b, o in columns]


def run(
    source: Source, coin: str, way: Way = "path", *, placebo: bool = False,
    since: int | None = None, until: int | None = None,
) -> ScoredHours:  # fmt: skip
    """Return the forecasts of the scored hours of a coin.

    Args:
        source: See `bar_events`.
        coin: One of the source's coins.
        way: What of an hour is known within it.
        placebo: Shuffle volume, open interest and liquidations in time.
        since: Hours that begin from this time on are scored, µs. Earlier ones are only fitted to.
        until: Hours that end by this time are scored, µs; later data is not replayed.

    Raises:
        ConfigError: There are no bars, no liquidation bars, too few of them, or none in between.
    """
    stream = bar_events(source, coin, way)
    begin, end = (event.received_time // HOUR for event in (stream[0], stream[-1]))
    if until is not None:  # an hour is closed when the next is over
        stream = [event for event in stream if event.received_time <= until + 3 * HOUR]
    forecasts = play(shuffled(stream) if placebo else stream)
    hours = forecasts.hours
    begin = int(hours[0]) if len(hours) else begin
    first, dated = begin + WARM_UP, since is not None or until is not None
    low = first if since is None else max(first, -(-since // HOUR))
    scored = forecasts.between(low, math.inf if until is None else until // HOUR)
    if len(scored.hours):
        return ScoredHours(scored, middle(scored.hours if dated else hours), len(hours))
    if dated and first < end:
        raise ConfigError(
            f"{source.path}: expected hours to score between the dates given, found none: those of "
            f"{coin} that can be scored begin {_date(first)} and end {_date(end)}"
        )
    found = (int(hours[-1]) - begin + 1) / 24 if len(hours) else 0.0
    raise ConfigError(
        f"{source.path}: expected more than {WARM_UP // 24} days of bars and liquidation bars of "
        f"{coin}, found {found:.1f}"
    )


def _date(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%d %H:%M")


def middle(hours: Times) -> int:
    """Return the midnight nearest to the middle of rising hours."""
    return round((int(hours[0]) + int(hours[-1]) + 1) / 48) * 24
