"""The score of a market's first days: the map before its first fit, and after its first ones.

At every start, an estimate is backfilled with thirty days of bars without liquidations, as venues
serve them, and continues with weights fitted to the hours before the first start (`hourly.prior`).
One is never refitted; the other is. Both are scored against reported liquidations, hour by hour,
conditional on the path; starts share days, so their figures are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from msgspec.structs import replace

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.forecasts import PREDICTED, REPORTED
from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.errors import ConfigError
from powderkeg.evaluation.hourly import prior
from powderkeg.evaluation.hourly.hours import BarEvent, bar_events
from powderkeg.evaluation.hourly.scores import FLOOR, iso
from powderkeg.evaluation.metrics import poisson_deviance
from powderkeg.events import DAY, HOUR, Candles, Floats, LiquidationBar, Times
from powderkeg.history.sources import Source

EVERY = 5 * 24
"""Hours between starts."""
DAYS = 14
"""Days replayed from each start."""
JOINED = 30 * DAY
"""Length of the backfill before a start, µs."""
SPANS = {
    "first_day": (0, 24), "day_2": (24, 48), "day_3": (48, 72), "days_4_7": (72, 168),
    "days_8_14": (168, 336),
}  # fmt: skip
"""Hours since the start that are scored together."""


class Frozen(Estimate):
    """An estimate that is never refitted."""

    __slots__ = ()

    def refit(self, until: int, at: int) -> None:
        """Keep the weights."""


def score(source: Source, coin: str) -> dict[str, object]:
    """Return the scores of first days, ready for JSON; the prior is fitted to the first half.

    Args:
        source: Has liquidation bars, and bars of one market.
        coin: One of the source's coins.

    Raises:
        ConfigError: It is too short, or has bars of several markets.
    """
    stream = bar_events(source, coin, "path")
    known = prior.read(stream)
    reported = known.numbers[~np.isnan(known.liquidated).any(axis=1)]
    first, split, last = int(reported[0]) + 24, _split(reported), int(reported[-1]) + 1
    starts = range(split, last - DAYS * 24, EVERY)
    if not starts or split - first < DAYS * 24:
        raise ConfigError(f"{source.path}: expected more than {4 * DAYS} days of bars and reports")
    found = prior.learn(known, first, split, coin)
    rows = {
        name: [_played(stream, found, start * HOUR, kind) for start in starts]
        for name, kind in (("prior", Frozen), ("learning", Estimate))
    }
    mark = {name: _summary(each) for name, each in rows.items()}
    return {
        "kind": "first_days",
        "coin": coin,
        "prior_since": iso(first),
        "prior_until": iso(split),
        "starts": [iso(start) for start in starts],
        "first_day_prior": mark["prior"]["first_day"]["poisson_deviance"],
        "first_day_learning": mark["learning"]["first_day"]["poisson_deviance"],
        "days_4_7": mark["learning"]["days_4_7"]["poisson_deviance"],
        "never_learning": mark["prior"],
        "learning": mark["learning"],
        "learning_was_worse": _worse(rows["learning"], rows["prior"]),
    }


def _split(hours: Times) -> int:
    """Return the first hour of the month nearest to the middle."""
    middle = float(hours[0] + hours[-1]) / 2
    months = {
        int(datetime(when.year, when.month, 1, tzinfo=UTC).timestamp()) // 3600
        for when in (datetime.fromtimestamp(int(h) * 3600, UTC) for h in hours[:: 24 * 5])
    }
    return min(months, key=lambda hour: abs(hour - middle))


def _played(
    stream: Sequence[BarEvent], pretrained: PretrainedWeights, start: int, kind: type[Estimate]
) -> tuple[int, Times, Floats]:
    """Return start hour, hours and dollars (n, 2, 2): reported and predicted, by side."""
    estimate: Estimate | None = None
    closes: dict[int, float] = {}
    for event in stream:
        if event.received_time > start + DAYS * DAY + 2 * HOUR:
            break
        if isinstance(event, LiquidationBar):
            if estimate is not None and event.event_time >= start:
                estimate.add_liquidation_bar(event)
            continue
        for bars in _cut(event, start):
            if int(bars.times[0]) < start - JOINED:
                continue
            if estimate is None:
                estimate = kind(float(bars.open[0]), bars.market, pretrained)
            estimate.add_candles(bars, [len(bars.times)])
            hours = (bars.times + bars.span - 1) // HOUR
            closes.update(zip(hours.tolist(), bars.close.tolist(), strict=True))
    assert estimate is not None  # noqa: S101  a start lies between bars
    log = estimate.forecast_log
    prices = np.array([closes[hour] for hour in log.hours.tolist()])
    dollars = log.rows[:, [REPORTED, PREDICTED]].astype(np.float64) * prices[:, None, None]
    return start // HOUR, log.hours - start // HOUR, dollars


def _cut(bars: Candles, start: int) -> list[Candles]:
    """Return the bars before a time, their liquidations unknown, and those after it."""
    before = bars.times < start
    parts: list[Candles] = []
    for keep, reported in ((before, False), (~before, True)):
        if keep.any():
            known = reported and bars.liquidations_known
            parts.append(replace(bars.where(keep), liquidations_known=known))
    return parts


def _summary(starts: Sequence[tuple[int, Times, Floats]]) -> dict[str, dict[str, float]]:
    """Return deviance and scale of each span, over all starts."""
    out: dict[str, dict[str, float]] = {}
    for name, (low, high) in SPANS.items():
        parts = [rows[(hours >= low) & (hours < high)] for _, hours, rows in starts]
        dollars = np.concatenate(parts)
        reported, expected = dollars[:, 0].ravel(), dollars[:, 1].ravel()
        out[name] = {
            "poisson_deviance": poisson_deviance(reported, expected, FLOOR),
            "predicted_over_reported": float(expected.sum() / reported.sum()),
        }
    return out


def _worse(
    learning: Sequence[tuple[int, Times, Floats]], never: Sequence[tuple[int, Times, Floats]]
) -> dict[str, float]:
    """Return for how many starts the second day scored worse after a refit on the first."""
    worse = 0
    for (_, hours, ours), (_, _, theirs) in zip(learning, never, strict=True):
        day = (hours >= 24) & (hours < 48)
        scores = [poisson_deviance(x[day, 0].ravel(), x[day, 1].ravel()) for x in (ours, theirs)]
        worse += scores[0] > scores[1]
    return {"starts": len(learning), "worse": worse}
