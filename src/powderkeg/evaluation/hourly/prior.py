"""Pretrained weights: one fit to stored hours, used by markets without a fit of their own.

One fit over all hours, both sides together, on the terms of `calibration.terms`; per unit of open
interest, so that other markets can use it. It contains none of the data. The error of its level on
other markets is estimated from fortnights of its own hours, left out in turn.
Source: docs/model.md, "A prior that travels".
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.engine.calibration import weights as w
from powderkeg.engine.calibration.estimate import VERSION
from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.engine.calibration.sweeps import tally
from powderkeg.engine.calibration.terms import TERMS, in_coins, per_oi
from powderkeg.engine.exposure.classes import TIME, VOLUME
from powderkeg.engine.exposure.deposits import DAY
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.engine.exposure.table import DEPOSITED
from powderkeg.errors import ConfigError
from powderkeg.evaluation.hourly.hours import BarEvent
from powderkeg.events import HOUR, SECOND, Candles, Floats, LiquidationBar, Times

ROUNDS = 200
"""EM rounds: it is fitted only once."""
BLOCK = 15 * 24
"""Hours left out in turn."""
LEAST_LEVEL = 0.5
"""Lower bound of the level's spread: markets differ more than fortnights of one market."""
VARIANCE = 0.5
"""Relative variance of one weight elsewhere. An assumption: a factor of two either way."""
STRENGTH = 5e-5
"""Pseudo-volume as the prior of other markets, share of open interest: ten times that of the
assumed prior, and the same as in pooling a venue's markets."""


class Hours(Struct, frozen=True, eq=False):
    """What was crossed and liquidated in the hours of one market."""

    numbers: Times
    """Since 1970, rising, shape (n,)."""
    crossed: Floats
    """By side and term, shape (n, 2, 98)."""
    liquidated: Floats
    """Base coin by side, shape (n, 2); NaN where nothing is known."""
    oi: Floats
    """Open interest at the end of each hour, base coin, shape (n,)."""
    rates: Floats
    """Openings per second of a side, by group, shape (2,)."""
    exposure: Exposure

    def between(self, since: int, until: int) -> NDArray[np.bool_]:
        """Return which hours lie in a span of hours and have reports, shape (n,)."""
        inside = (self.numbers >= since) & (self.numbers < until)
        return inside & ~np.isnan(self.liquidated).any(axis=1)


def read(stream: list[BarEvent]) -> Hours:
    """Return the hours of the one market with bars in a stream, and all reports on it.

    Raises:
        ConfigError: There are bars of several markets, or none.
    """
    runs = [event for event in stream if isinstance(event, Candles)]
    names = sorted({run.market for run in runs})
    if len(names) != 1:
        raise ConfigError(f"expected bars of one market, found {', '.join(names) or 'none'}")
    exposure = Exposure(float(runs[0].open[0]))
    records = np.concatenate([exposure.add_candles(run) for run in runs])
    ends = np.concatenate([run.times + run.span for run in runs])
    quarters, crossed = tally(records)
    numbers = np.arange((ends[0] - 1) // HOUR, (ends[-1] - 1) // HOUR + 1)
    by_hour = np.zeros((len(numbers), 2, TERMS))
    np.add.at(by_hour, quarters // 4 - numbers[0], crossed)
    liquidated = np.full((len(numbers), 2), np.nan)
    for bar in (event for event in stream if isinstance(event, LiquidationBar)):
        i = bar.event_time // HOUR - numbers[0]
        if 0 <= i < len(numbers):
            liquidated[i] = bar.long, bar.short
    seconds = float(ends[-1] - ends[0]) / SECOND
    rates = np.zeros(2)
    rates[[VOLUME, TIME]] = exposure.ledger[DEPOSITED, :, 0].mean() / seconds, 1 / DAY
    return Hours(numbers, by_hour, liquidated, _interest(runs, numbers), rates, exposure)


def _interest(runs: list[Candles], numbers: Times) -> Floats:
    """Return the last open interest at the end of each hour, the first known one before it."""
    ends = np.concatenate([run.times + run.span for run in runs])
    oi = np.concatenate([run.oi for run in runs])
    known = oi > 0
    if not known.any():
        raise ConfigError("expected open interest, found none: the prior is per unit of it")
    last = np.searchsorted(ends[known], (numbers + 1) * HOUR, side="right") - 1
    return oi[known][np.maximum(last, 0)]


def learn(hours: Hours, since: int, until: int, market: str) -> PretrainedWeights:
    """Return the weights fitted to the hours from `since` to before `until`.

    Args:
        hours: See `read`.
        since: Hour since 1970.
        until: Hour since 1970.
        market: Name of the source market, such as ``BTC on Binance``.

    Raises:
        ConfigError: Nothing was liquidated in these hours.
    """
    chosen = hours.between(since, until)
    if not hours.liquidated[chosen].any():
        raise ConfigError("expected liquidations to learn from, found none in these hours")
    weights = _fit(hours, chosen)
    total = hours.liquidated[chosen]
    return PretrainedWeights(
        weights=weights,
        since=since * HOUR,
        until=until * HOUR,
        market=market,
        reports=float(total.sum() ** 2 / (total**2).sum()),
        level=max(LEAST_LEVEL, _level_spread(hours, chosen)),
        variance=VARIANCE,
        strength=STRENGTH,
        version=VERSION,
    )


def _fit(hours: Hours, chosen: NDArray[np.bool_]) -> Floats:
    """Return weights per unit of open interest, both sides together, shape (98,)."""
    crossed, liquidated = hours.crossed[chosen], hours.liquidated[chosen]
    oi = float(hours.oi[chosen].mean())
    shares = w.shares(hours.exposure.basis)
    assumed = w.prior(shares, oi, hours.rates, hours.exposure.hazards)
    middle = w.rescale_prior(assumed, crossed, liquidated, oi)
    rows = crossed.reshape(-1, TERMS)
    found, _ = w.em(rows, liquidated.ravel(), middle, middle, w.EVIDENCE * oi, ROUNDS)
    return per_oi(found, oi)


def _level_spread(hours: Hours, chosen: NDArray[np.bool_]) -> float:
    """Return the standard deviation of log reported over expected, of blocks left out in turn."""
    block = (hours.numbers - hours.numbers[0]) // BLOCK
    ratios: list[float] = []
    for each in np.unique(block[chosen]):
        inside, rest = chosen & (block == each), chosen & (block != each)
        reported = hours.liquidated[inside].sum()
        if not (rest.any() and hours.liquidated[rest].any() and reported > 0):
            continue
        weights = in_coins(_fit(hours, rest), float(hours.oi[inside].mean()))
        ratios.append(float(np.log(reported / (hours.crossed[inside] @ weights).sum())))
    return float(np.std(ratios)) if len(ratios) > 1 else 0.0
