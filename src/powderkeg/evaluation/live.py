"""The scorecard of each market's map: predicted against reported liquidations of its own hours.

Every figure comes from rows logged when their hour was over, with the weights in force during it,
so all of it is prequential. Ours is compared with null models on the same hours. Intervals resample
whole days. Volumes are scored in base coin, where skill does not depend on price, and shown in
dollars.

Source: docs/model.md, "Proof"; docs/adr/0012-scores.md and 0016-ledger-of-maps.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from powderkeg.desk import Desk
from powderkeg.engine.calibration import sweeps
from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.engine.calibration.forecasts import (
    FIELDS,
    HIGH,
    KEPT,
    LOW,
    NO_MAP,
    PATH_ONLY,
    PREDICTED,
    REPORTED,
    STATIC,
    ForecastLog,
)
from powderkeg.engine.calibration.reporting import silent
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.engine.calibration.uncertainty import Z
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.errors import DataError
from powderkeg.evaluation.answers import (
    BandCoverage,
    Deviances,
    Figures,
    Ledger,
    LedgerScores,
    MarketScores,
    NullModels,
    ReliabilityGroup,
    Reporting,
    Scores,
    SkillScore,
    TierSize,
    Verdict,
    pretrained_of,
)
from powderkeg.evaluation.metrics import DRAWS, bootstrap
from powderkeg.evaluation.published import Published
from powderkeg.events import DAY, HOUR, Floats, Times
from powderkeg.maps.heatmap.coin_view import TIER_NAMES, MarketView
from powderkeg.store.forecasts import ForecastArchive, Map, Row

ENOUGH: Final = 72
"""Fewest hours for a verdict."""
DAYS: Final = 3
"""Fewest whole days for an interval."""
QUICK: Final = 300
"""Resamples behind an interval that is served: a third of the time of `scores.DRAWS`."""
FLOOR: Final = 1e-3
"""Lower bound of a prediction, as a share of the mean reported volume."""
BINS: Final = 10
"""Groups of the reliability diagram, of equally many rows."""
CAUTION: Final = (
    "fuel, not a magnet: it shows what would be liquidated at a price, not that price goes there"
)
BLIND_SPOTS: Final = (
    "One whale of 500 coins and 2,000 accounts of a quarter have one colour: only the sizes of"
    " prints distinguish them.\n"
    "Margin added to a position moves its price; it is seen only as closing.\n"
    "How a taker's volume splits into opening and closing, and which side's leverage is higher,"
    " is hardly identified by data.\n"
    "Dollars need liquidations to learn from. Where a feed is a sample, what it leaves out is"
    " estimated; `reporting` says how, and how surely.\n"
    "Classes of distance that price has not reached stay on the prior.\n"
    "How far a cascade would run is not computed."
).splitlines()
NULLS: Final = NullModels(
    path_only="a map of the path alone: the same distances and closing rates, fitted to the"
    " same reports, but positions open wherever the mark is, and nothing is known of volume",
    no_map="no map: how far the mark went in the hour and how much fresh ground it broke,"
    " learned from earlier hours",
    static="the map as published elsewhere: every trade at 100x, 50x, 25x and 10x, never"
    " closed; its scale learned from earlier hours",
)


class Scorecard:
    """The figures of markets, computed once an hour each and cached."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._known: dict[str, tuple[ForecastLog, int, Figures]] = {}

    def summary(self, desks: Mapping[str, Desk]) -> Scores:
        """Return the figures of the maps of these coins.

        Args:
            desks: By coin.
        """
        markets = [
            self._market(coin, known, desk.now)
            for coin, desk in desks.items()
            for known in desk.estimated()
        ]
        return Scores(**_explanations(), markets=markets)

    def _market(self, coin: str, known: MarketView, at: int) -> MarketScores:
        estimate = known.estimate
        return MarketScores(
            coin=coin, market=known.name, venue=known.venue,
            **asdict(self._figures(known.name, estimate)), **_model(estimate, at),
            tiers=_tiers(estimate, at),
        )  # fmt: skip

    def _figures(self, name: str, estimate: Estimate) -> Figures:
        """Return the figures of a forecast log; dollars are at the current mark."""
        log, last = estimate.forecast_log, self._known.get(name)
        if last is None or last[0] is not log or last[1] != log.count:
            found = figures(log.hours, log.rows.astype(np.float64), 1.0, QUICK)
            last = self._known[name] = (log, log.count, found)
        mark = float(estimate.mark)
        groups = [
            ReliabilityGroup(each.predicted * mark, each.actual * mark, each.n)
            for each in last[2].reliability
        ]
        return replace(last[2], reliability=groups)


def summary(desks: Mapping[str, Desk]) -> Scores:
    """Return `Scorecard.summary` without a cache."""
    return Scorecard().summary(desks)


def from_ledger(folder: Path) -> Ledger:
    """Return the figures of every market whose maps were kept in a store's folder.

    Only hours with a map stored beforehand have a row, so none of it can be made up afterwards.
    Dollars are at the mark of each hour's own map.

    Raises:
        DataError: There are no kept maps, or an entry is not of this version.
    """
    proofs = ForecastArchive(folder)
    if not proofs.files():
        raise DataError(str(folder), 0, "expected maps kept by `powderkeg up`, found none")
    maps: dict[str, dict[int, float]] = {}
    rows: dict[str, dict[int, Row]] = {}
    versions: dict[str, set[int]] = {}
    for entry in proofs.read():
        versions.setdefault(entry.market, set()).add(entry.version)
        if isinstance(entry, Map):
            maps.setdefault(entry.market, {})[entry.hour] = entry.mark
        else:
            rows.setdefault(entry.market, {})[entry.hour] = entry
    markets = [
        LedgerScores(
            market=name, venue=name.partition(":")[0], maps=len(marks),
            versions=sorted(versions[name]), **asdict(_kept(marks, rows.get(name, {}))),
        )
        for name, marks in sorted(maps.items())
    ]  # fmt: skip
    return Ledger(**_explanations(), notes=proofs.notes, markets=markets)


def _kept(marks: Mapping[int, float], rows: Mapping[int, Row]) -> Figures:
    """Return the figures of kept rows, the newest `KEPT`; each with the mark of its own map."""
    hours = sorted(hour for hour in rows if hour in marks)[-KEPT:]
    values = np.array([_fields(rows[hour].values) for hour in hours]).reshape(-1, len(FIELDS), 2)
    prices = np.array([marks[hour] for hour in hours])[:, None]
    return figures(np.array(hours, np.int64), values, prices)


def _fields(values: list[list[float]]) -> list[list[float]]:
    """Return a stored row with all fields: rows of version 3 lack the map of the path alone."""
    if len(values) == len(FIELDS):
        return values
    return [*values[:PATH_ONLY], [math.nan, math.nan], *values[PATH_ONLY:]]


def _explanations() -> dict[str, Any]:
    return {
        "caution": CAUTION, "blind_spots": BLIND_SPOTS, "nulls": NULLS, "published": published(),
    }  # fmt: skip


@cache
def published() -> Published:
    """Return the scores of this model on stored data, and hypothesis tests with placebos."""
    file = resources.files("powderkeg") / "data" / "scorecard.json"
    return msgspec.json.decode(file.read_bytes(), type=Published)


# -- predicted against reported


def figures(hours: Times, rows: Floats, price: Floats | float, draws: int = DRAWS) -> Figures:
    """Return the scores of one market's hours, null where there is too little data.

    Hours count from the first for which every null model has a forecast. A null model without
    forecasts, or whose forecasts were not stored, does not exclude an hour: it is left out of the
    comparisons it has no data for.

    Args:
        hours: Since 1970, rising, shape (n,).
        rows: See `calibration.forecasts.FIELDS`, shape (n, 8, 2), base coin; NaN where a null
            model was not kept.
        price: Dollars a coin, one for all or of shape (n, 1).
        draws: Resamples behind each interval.
    """
    known = {null: _known(rows[:, _PLAYED[null]]) for null in _NULLS}
    counted = _counted(rows, known)
    price = np.broadcast_to(price, (len(rows), 1))[counted]
    hours, rows = hours[counted], rows[counted]
    known = {null: each[counted] for null, each in known.items()}
    n, liquidated = len(hours), rows[:, REPORTED]
    some = bool(liquidated.sum() > 0)
    played = ["ours", *(null for null in _NULLS if known[null].all())] if some else []
    deviance = {
        name: row_deviances(liquidated, rows[:, _PLAYED[name]]).mean() / liquidated.mean()
        for name in played
    }
    skills = {null: _skill(hours[k], rows[k], null, draws) for null, k in known.items()}
    lows = [skill.low if skill.n >= ENOUGH else None for skill in skills.values()]
    hit = (liquidated >= rows[:, LOW]) & (liquidated <= rows[:, HIGH])
    return Figures(
        hours=n,
        since=int(hours[0]) * HOUR if n else None,
        until=(int(hours[-1]) + 1) * HOUR if n else None,
        deviance=Deviances(**{n: float(deviance[n]) if n in deviance else None for n in _PLAYED}),
        **{f"skill_over_{null}": skill for null, skill in skills.items()},
        verdict=verdict(n, some, lows),
        predicted_over_reported=(
            float(rows[:, PREDICTED].sum() / liquidated.sum()) if some else None
        ),
        coverage_80=BandCoverage(float(hit.mean()) if n else None, hit.size),
        reliability=reliability(rows[:, PREDICTED] * price, liquidated * price),
    )


def _counted(rows: Floats, known: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return which rows count, shape (n,): those for which the null models were ready.

    None is ready where all of them predict zero: before the first fit, and again after a start
    without a snapshot.
    """
    expected = rows[:, [_PLAYED[null] for null in _NULLS]]
    ready = (expected > 0).any(axis=(1, 2))
    needed = [
        each
        for null, each in known.items()
        if each.any() and not np.isnan(rows[:, _PLAYED[null]]).any()
    ]
    return np.all([ready if ready.any() else ~ready, *needed], axis=0)


def _known(expected: Floats) -> NDArray[np.bool_]:
    """Return for which rows (n, 2) a null model has a forecast, from its first on."""
    started = np.maximum.accumulate((expected > 0).any(axis=1))
    return started & ~np.isnan(expected).any(axis=1)


_PLAYED: Final = {"ours": PREDICTED, "path_only": PATH_ONLY, "no_map": NO_MAP, "static": STATIC}
_NULLS: Final = tuple(name for name in _PLAYED if name != "ours")


def verdict(hours: int, some: bool, lows: list[float | None]) -> Verdict:
    """Return whether an edge is shown, in words: every null's interval must lie above zero."""
    if hours < ENOUGH or not some:
        return "too few hours"
    significant = all(low is not None and low > 0 for low in lows)
    return "edge shown" if significant else "no edge shown"


def row_deviances(liquidated: Floats, predicted: Floats) -> Floats:
    """Return the Poisson deviance of each volume, in its unit, >= 0, the same shape.

    Its mean over the mean of `liquidated` is `scores.poisson_deviance`.
    """
    mean = np.maximum(predicted, FLOOR * liquidated.mean())
    ratio = np.where(liquidated > 0, liquidated, 1.0) / mean
    return 2 * (np.where(liquidated > 0, liquidated * np.log(ratio), 0.0) - liquidated + mean)


def _skill(hours: Times, rows: Floats, null: str, draws: int) -> SkillScore:
    """Return one minus the ratio of our deviance to a null model's, in hours it has a forecast."""
    liquidated = rows[:, REPORTED]
    if not liquidated.any():
        return SkillScore(None, None, None, len(hours))
    pair = np.stack(
        [row_deviances(liquidated, rows[:, k]).sum(axis=1) for k in (PREDICTED, _PLAYED[null])],
        axis=1,
    )
    _, day = np.unique(hours // (DAY // HOUR), return_inverse=True)
    sums = np.stack([np.bincount(day, column) for column in pair.T], axis=1).astype(np.float64)
    low, high = bootstrap(sums, _gain, draws) if len(sums) >= DAYS else (math.nan, math.nan)
    whole = float(_gain(sums.sum(axis=0)[None])[0])
    return SkillScore(
        _finite_or_none(whole), _finite_or_none(low), _finite_or_none(high), len(hours)
    )


def _gain(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):  # a null model's deviance may be zero
        return 1 - sums[:, 0] / sums[:, 1]


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def reliability(predicted: Floats, liquidated: Floats) -> list[ReliabilityGroup]:
    """Return mean predicted and reported volumes, in groups of rising `predicted`."""
    order = np.argsort(predicted, axis=None, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    return [
        ReliabilityGroup(
            float(predicted.ravel()[group].mean()),
            float(liquidated.ravel()[group].mean()),
            len(group),
        )
        for group in groups
    ]  # fmt: skip


# -- the model behind the map


def _model(estimate: Estimate, at: int) -> dict[str, Any]:
    """Return the state of the fit: its data, its time, and what is still assumed."""
    rate = estimate.reporting_rate
    reach = math.exp(Z * rate.spread)
    return {
        "price": _finite_or_none(float(estimate.mark)),
        "fitted": estimate.fitted or None,
        "new_liquidations": estimate.new_liquidations,
        "events": estimate.events,
        "prior_only": estimate.prior_only,
        "version": VERSION,
        "basis": estimate.exposure.basis.name,
        "window_days": sweeps.KEPT / DAY,
        "reports": 0.0 if estimate.fit is None else float(estimate.fit.reports),
        "pretrained": pretrained_of(estimate.pretrained) if estimate.is_pretrained else None,
        "model_error": float(estimate.model_error.width),
        "oi_cap_factor": estimate.oi_cap_factor(at).tolist(),
        "reporting": None
        if silent(estimate.venue) and not estimate.events
        else Reporting(
            rate.share, rate.share / reach, min(rate.share * reach, 1.0),
            rate.measured, rate.spread > 0,
        ),
    }  # fmt: skip


def _tiers(estimate: Estimate, at: int) -> list[TierSize]:
    """Return the size of each side and tier now, its 80 % band, and the measured share."""
    exposure = estimate.exposure
    live = np.concatenate((exposure.live(), np.zeros((2, TERMS - CLASSES))), axis=1)
    tiers = np.concatenate((exposure.basis.tiers, np.zeros(TERMS - CLASSES, np.int64)))
    measured = live * estimate.weights(at) * estimate.confidence()
    out: list[TierSize] = []
    for s, side in enumerate(("long", "short")):
        for t, tier in enumerate(TIER_NAMES):
            part = np.zeros((2, TERMS))
            part[s] = np.where(tiers == t, live[s], 0.0)
            spread = estimate.uncertainty(part, at)
            (low, high), mean = spread.band(), float(spread.mean[s])
            known = float(measured[s][tiers == t].sum())
            out.append(
                TierSize(
                    side, tier, mean, float(low[s]), float(high[s]),
                    known / mean if mean > 0 else None,
                )
            )  # fmt: skip
    return out
