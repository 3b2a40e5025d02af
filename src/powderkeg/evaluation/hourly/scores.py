"""Scores of the hourly forecasts of `hourly.hours`, beside those of the null models."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from powderkeg.engine.calibration.forecasts import (
    FRESH,
    HIGH,
    LOW,
    NO_MAP,
    PATH_ONLY,
    PREDICTED,
    REPORTED,
    STATIC,
)
from powderkeg.evaluation.hourly.hours import WARM_UP, ForecastRows, ScoredHours
from powderkeg.evaluation.metrics import bootstrap, poisson_deviance
from powderkeg.events import Floats

TOP = 0.05
"""Share of hours with the largest predicted volume."""
DECILES = 10
BLOCK = 15 * 24
"""Hours of a block."""
FLOOR = 1e-3
"""Lower bound of a prediction, as a share of the mean reported volume."""
LEAST = 1e4
"""Dollars added before a logarithm is taken."""
SIDES = ("long", "short")


def row_deviances(actual: Floats, expected: Floats) -> Floats:
    """Return the Poisson deviance of each row; their mean over that of `actual` is the score."""
    mu = np.maximum(expected, FLOOR * actual.mean())
    some = actual > 1e-300
    ratio = np.where(some, actual, 1.0) / np.where(some, mu, 1.0)
    return 2 * (actual * np.log(ratio) - actual + mu)


def deviances(forecasts: ForecastRows) -> dict[str, float]:
    """Return the deviance of ours, of the static map and of no map, on the same rows."""
    liquidated = forecasts.rows[:, REPORTED].ravel()
    names = {
        "poisson_deviance": PREDICTED,
        "static_deviance": STATIC,
        "no_map_deviance": NO_MAP,
        "path_only_deviance": PATH_ONLY,
    }
    return {
        name: poisson_deviance(liquidated, forecasts.rows[:, field].ravel(), FLOOR)
        for name, field in names.items()
    }


def intervals(forecasts: ForecastRows, wanted: tuple[str, ...] = ()) -> dict[str, list[float]]:
    """Return 95 % intervals, resampling days: our deviance, the gain over each null, the scale.

    Args:
        forecasts: The rows.
        wanted: Names of those wanted; all of them where none is named.
    """
    liquidated = forecasts.rows[:, REPORTED]
    fields = (PREDICTED, STATIC, NO_MAP, PATH_ONLY)
    each = [
        row_deviances(liquidated.ravel(), forecasts.rows[:, f].ravel()).reshape(-1, 2).sum(1)
        for f in fields
    ]
    columns = np.stack(
        (*each, liquidated.sum(axis=1), forecasts.rows[:, PREDICTED].sum(axis=1)), axis=1
    )
    _, day = np.unique(forecasts.hours // 24, return_inverse=True)
    sums = np.zeros((int(day.max()) + 1, columns.shape[1]))
    np.add.at(sums, day, columns)
    asked: dict[str, Callable[[Floats], Floats]] = {
        "poisson_deviance": lambda s: s[:, 0] / s[:, 4],
        "static_minus_ours": lambda s: (s[:, 1] - s[:, 0]) / s[:, 4],
        "no_map_minus_ours": lambda s: (s[:, 2] - s[:, 0]) / s[:, 4],
        "path_only_minus_ours": lambda s: (s[:, 3] - s[:, 0]) / s[:, 4],
        "ratio_no_map": lambda s: s[:, 0] / s[:, 2],
        "ratio_path_only": lambda s: s[:, 0] / s[:, 3],
        "predicted_over_reported": lambda s: s[:, 5] / s[:, 4],
    }
    return {
        name: list(bootstrap(sums, statistic))
        for name, statistic in asked.items()
        if not wanted or name in wanted
    }


def blocks(forecasts: ForecastRows) -> list[dict[str, Any]]:
    """Return the deviances of every 15 days."""
    first = int(forecasts.hours[0])
    out: list[dict[str, Any]] = []
    for since in range(first, int(forecasts.hours[-1]) + 1, BLOCK):
        part = forecasts.between(since, since + BLOCK)
        if part.rows[:, REPORTED].any():
            gain = intervals(part, ("path_only_minus_ours",))
            out.append({
                "since": iso(since), "hours": len(part.hours), **deviances(part),
                "path_only_minus_ours": gain["path_only_minus_ours"],
            })  # fmt: skip
    return out


def models(forecasts: ForecastRows, strict: ForecastRows) -> list[dict[str, object]]:
    """Return ours and the null models side by side, a row each.

    Args:
        forecasts: Rows with the path of each hour given.
        strict: The same hours with only what was known before them.
    """
    ranked = order(forecasts)
    return [
        {
            "model": name,
            "poisson_deviance": deviances(forecasts)[key],
            "poisson_deviance_strict": deviances(strict)[key],
            "predicted_over_reported": float(
                forecasts.rows[:, field].sum() / forecasts.rows[:, REPORTED].sum()
            ),
            "spearman": ranked["spearman"][name],
            "share_in_top_5_percent": ranked["share_in_top_5_percent"][name],
        }
        for name, key, field in (
            ("ours", "poisson_deviance", PREDICTED),
            ("path_only", "path_only_deviance", PATH_ONLY),
            ("no_map", "no_map_deviance", NO_MAP),
            ("static", "static_deviance", STATIC),
        )
    ]


def coverage(forecasts: ForecastRows) -> dict[str, float]:
    """Return the share of rows that the 80 % bands covered: of all, and by side."""
    liquidated = forecasts.rows[:, REPORTED]
    inside = (liquidated >= forecasts.rows[:, LOW]) & (liquidated <= forecasts.rows[:, HIGH])
    by_side = {f"coverage_80_{side}": float(inside[:, i].mean()) for i, side in enumerate(SIDES)}
    return {"coverage_80": float(inside.mean()), **by_side}


def ranks(values: Floats) -> Floats:
    """Return ranks from 0, equal values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count + 1) / 2)[place]


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation; NaN where one side is all equal."""
    a, b = ranks(one), ranks(other)
    if a.std() == 0 or b.std() == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def order(forecasts: ForecastRows) -> dict[str, dict[str, float]]:
    """Return how well hours are ranked: rank correlation, and share of dollars in the top 5 %."""
    liquidated = forecasts.rows[:, REPORTED].sum(axis=1)
    first = math.ceil(TOP * len(liquidated))

    def top(expected: Floats) -> float:
        return float(
            liquidated[np.argsort(-expected, kind="stable")[:first]].sum() / liquidated.sum()
        )

    fields = {"ours": PREDICTED, "static": STATIC, "no_map": NO_MAP, "path_only": PATH_ONLY}
    sums = {name: forecasts.rows[:, field].sum(axis=1) for name, field in fields.items()}
    return {
        "spearman": {
            name: spearman(forecasts.rows[:, field].ravel(), forecasts.rows[:, REPORTED].ravel())
            for name, field in fields.items()
        },
        "share_in_top_5_percent": {name: top(expected) for name, expected in sums.items()},
    }


def reliability(forecasts: ForecastRows) -> list[dict[str, float]]:
    """Return mean predicted and reported dollars, by deciles of the prediction."""
    order = np.argsort(forecasts.rows[:, PREDICTED].ravel(), kind="stable")
    expected, liquidated = (
        forecasts.rows[:, PREDICTED].ravel()[order],
        forecasts.rows[:, REPORTED].ravel()[order],
    )
    return [
        {
            "predicted": float(expected[part].mean()),
            "actual": float(liquidated[part].mean()),
            "n": len(part),
        }
        for part in np.array_split(np.arange(len(order)), DECILES)
        if len(part)
    ]


def explained(fit: ForecastRows, test: ForecastRows, side: int, field: int | None) -> float:
    """Return the R² of log dollars out of sample, by least squares fitted on other rows.

    The terms are the excursion, its square and fresh ground; `field` adds a map's prediction.
    """
    (train_x, train_y), (test_x, test_y) = (_terms(part, side, field) for part in (fit, test))
    weights = np.linalg.lstsq(train_x, train_y, rcond=None)[0]
    residuals = test_y - test_x @ weights
    return float(1 - (residuals**2).mean() / test_y.var())


def _terms(forecasts: ForecastRows, side: int, field: int | None) -> tuple[Floats, Floats]:
    far = forecasts.away[:, side]
    columns = [np.ones(len(far)), far, far**2, forecasts.rows[:, FRESH, side]]
    if field is not None:
        columns.append(np.log(forecasts.rows[:, field, side] + LEAST))
    return np.stack(columns, axis=1), np.log(forecasts.rows[:, REPORTED, side] + LEAST)


def r2(fit: ForecastRows, test: ForecastRows) -> dict[str, dict[str, float]]:
    """Return R² out of sample by side: of the excursion alone, and with each map beside it."""
    fields = {
        "path": None, "path_and_static": STATIC, "path_and_path_only": PATH_ONLY,
        "path_and_ours": PREDICTED,
    }  # fmt: skip
    return {
        side: {name: explained(fit, test, i, field) for name, field in fields.items()}
        for i, side in enumerate(SIDES)
    }


def brief(forecasts: ForecastRows) -> dict[str, float]:
    """Return deviances, and their ratios to the null models'."""
    out = deviances(forecasts)
    ours = out["poisson_deviance"]
    return {
        **out,
        "ratio_no_map": ours / out["no_map_deviance"],
        "ratio_static": ours / out["static_deviance"],
        "ratio_path_only": ours / out["path_only_deviance"],
        "predicted_over_reported": float(
            forecasts.rows[:, PREDICTED].sum() / forecasts.rows[:, REPORTED].sum()
        ),
    }


def halves(played: ScoredHours) -> dict[str, object]:
    """Return the deviances before and after the split, and R² after it of fits before it.

    Empty where either half has no liquidations.
    """
    forecasts, at = played.forecasts, played.middle
    first, second = forecasts.where(forecasts.hours < at), forecasts.where(forecasts.hours >= at)
    if not (first.rows[:, REPORTED].any() and second.rows[:, REPORTED].any()):
        return {}
    split = {"at": iso(at), "first": brief(first), "second": brief(second)}
    return {"split": split, "r2": r2(first, second)}


def summary(played: ScoredHours) -> dict[str, object]:
    """Return all scores of the scored rows, ready for JSON."""
    forecasts = played.forecasts
    found, gain = blocks(forecasts), intervals(forecasts)
    ahead = [b["poisson_deviance"] < b["path_only_deviance"] for b in found]
    return {
        "hours": len(forecasts.hours),
        "hours_played": played.played,
        "warm_up_hours": WARM_UP,
        "since": iso(int(forecasts.hours[0])),
        "until": iso(int(forecasts.hours[-1]) + 1),
        "reported_usd": float(forecasts.rows[:, REPORTED].sum()),
        **brief(forecasts),
        "interval_95": gain,
        "verdict_over_path_only": verdict(gain["path_only_minus_ours"]),
        "blocks_ahead_of_path_only": [sum(ahead), len(ahead)],
        **coverage(forecasts),
        **order(forecasts),
        **halves(played),
        "reliability": reliability(forecasts),
        "blocks": found,
    }


def verdict(gain: list[float]) -> str:
    """Return whether the interval of a gain over a null model lies above zero, in words."""
    return "edge shown" if gain[0] > 0 else "no edge shown"


def iso(hour: int) -> str:
    """Return an hour since 1970 as text."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:%MZ")
