"""What the hourly rows of `hourly.hours` are worth: one number each, beside the null models'."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from powderkeg.engine.calibration.forecasts import (
    DIED,
    FRESH,
    HIGH,
    LOW,
    NO_MAP,
    PATH_ONLY,
    SAID,
    STATIC,
)
from powderkeg.evaluation.hourly.hours import WARM_UP, ForecastRows, Played
from powderkeg.evaluation.metrics import bootstrap, poisson_deviance
from powderkeg.events import Floats

TOP = 0.05
"""Share of hours in which the most is said to die."""
DECILES = 10
BLOCK = 15 * 24
"""Hours of a line in the list of blocks."""
FLOOR = 1e-3
"""Of the mean reported, what is expected counts as, at least."""
LEAST = 1e4
"""Dollars added before a logarithm is taken."""
SIDES = ("long", "short")


def missed(actual: Floats, expected: Floats) -> Floats:
    """Return the Poisson deviance of each row; their mean over that of `actual` is the score."""
    mu = np.maximum(expected, FLOOR * actual.mean())
    some = actual > 1e-300
    ratio = np.where(some, actual, 1.0) / np.where(some, mu, 1.0)
    return 2 * (actual * np.log(ratio) - actual + mu)


def deviances(said: ForecastRows) -> dict[str, float]:
    """Return the deviance of ours, of the static map and of no map, on the same rows."""
    died = said.rows[:, DIED].ravel()
    names = {
        "poisson_deviance": SAID,
        "static_deviance": STATIC,
        "no_map_deviance": NO_MAP,
        "path_only_deviance": PATH_ONLY,
    }
    return {
        name: poisson_deviance(died, said.rows[:, field].ravel(), FLOOR)
        for name, field in names.items()
    }


def intervals(said: ForecastRows, wanted: tuple[str, ...] = ()) -> dict[str, list[float]]:
    """Return 95 % intervals, resampling days: our deviance, the gain over each null, the scale.

    Args:
        said: The rows.
        wanted: Names of those wanted; all of them where none is named.
    """
    died = said.rows[:, DIED]
    fields = (SAID, STATIC, NO_MAP, PATH_ONLY)
    each = [missed(died.ravel(), said.rows[:, f].ravel()).reshape(-1, 2).sum(1) for f in fields]
    columns = np.stack((*each, died.sum(axis=1), said.rows[:, SAID].sum(axis=1)), axis=1)
    _, day = np.unique(said.hours // 24, return_inverse=True)
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


def blocks(said: ForecastRows) -> list[dict[str, Any]]:
    """Return the deviances of every 15 days."""
    first = int(said.hours[0])
    out: list[dict[str, Any]] = []
    for since in range(first, int(said.hours[-1]) + 1, BLOCK):
        part = said.between(since, since + BLOCK)
        if part.rows[:, DIED].any():
            gain = intervals(part, ("path_only_minus_ours",))
            out.append({
                "since": iso(since), "hours": len(part.hours), **deviances(part),
                "path_only_minus_ours": gain["path_only_minus_ours"],
            })  # fmt: skip
    return out


def models(said: ForecastRows, strict: ForecastRows) -> list[dict[str, object]]:
    """Return ours and the null models side by side, a row each.

    Args:
        said: Rows with the path of each hour given.
        strict: The same hours with only what was known before them.
    """
    ranked = order(said)
    return [
        {
            "model": name,
            "poisson_deviance": deviances(said)[key],
            "poisson_deviance_strict": deviances(strict)[key],
            "predicted_over_reported": float(said.rows[:, field].sum() / said.rows[:, DIED].sum()),
            "spearman": ranked["spearman"][name],
            "share_in_top_5_percent": ranked["share_in_top_5_percent"][name],
        }
        for name, key, field in (
            ("ours", "poisson_deviance", SAID),
            ("path_only", "path_only_deviance", PATH_ONLY),
            ("no_map", "no_map_deviance", NO_MAP),
            ("static", "static_deviance", STATIC),
        )
    ]


def coverage(said: ForecastRows) -> dict[str, float]:
    """Return the share of rows that the 80 % bands covered: of all, and by side."""
    died = said.rows[:, DIED]
    inside = (died >= said.rows[:, LOW]) & (died <= said.rows[:, HIGH])
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


def order(said: ForecastRows) -> dict[str, dict[str, float]]:
    """Return how well hours are put in order: rank correlation, and dollars in the first 5 %."""
    died = said.rows[:, DIED].sum(axis=1)
    first = math.ceil(TOP * len(died))

    def top(expected: Floats) -> float:
        return float(died[np.argsort(-expected, kind="stable")[:first]].sum() / died.sum())

    fields = {"ours": SAID, "static": STATIC, "no_map": NO_MAP, "path_only": PATH_ONLY}
    sums = {name: said.rows[:, field].sum(axis=1) for name, field in fields.items()}
    return {
        "spearman": {
            name: spearman(said.rows[:, field].ravel(), said.rows[:, DIED].ravel())
            for name, field in fields.items()
        },
        "share_in_top_5_percent": {name: top(expected) for name, expected in sums.items()},
    }


def reliability(said: ForecastRows) -> list[dict[str, float]]:
    """Return what was said and what died, mean dollars, by deciles of what was said."""
    order = np.argsort(said.rows[:, SAID].ravel(), kind="stable")
    expected, died = said.rows[:, SAID].ravel()[order], said.rows[:, DIED].ravel()[order]
    return [
        {"said": float(expected[part].mean()), "died": float(died[part].mean()), "n": len(part)}
        for part in np.array_split(np.arange(len(order)), DECILES)
        if len(part)
    ]


def explained(fit: ForecastRows, test: ForecastRows, side: int, field: int | None) -> float:
    """Return the R² of log dollars out of sample, by least squares fitted on other rows.

    The terms are the excursion, its square and fresh ground; `field` adds what a map said.
    """
    parts = [_terms(part, side, field) for part in (fit, test)]
    (known, learned), (asked, told) = parts
    weights = np.linalg.lstsq(known, learned, rcond=None)[0]
    rest = told - asked @ weights
    return float(1 - (rest**2).mean() / told.var())


def _terms(said: ForecastRows, side: int, field: int | None) -> tuple[Floats, Floats]:
    far = said.away[:, side]
    columns = [np.ones(len(far)), far, far**2, said.rows[:, FRESH, side]]
    if field is not None:
        columns.append(np.log(said.rows[:, field, side] + LEAST))
    return np.stack(columns, axis=1), np.log(said.rows[:, DIED, side] + LEAST)


def r2(fit: ForecastRows, test: ForecastRows) -> dict[str, dict[str, float]]:
    """Return R² out of sample by side: of the excursion alone, and with each map beside it."""
    fields = {
        "path": None, "path_and_static": STATIC, "path_and_path_only": PATH_ONLY,
        "path_and_ours": SAID,
    }  # fmt: skip
    return {
        side: {name: explained(fit, test, i, field) for name, field in fields.items()}
        for i, side in enumerate(SIDES)
    }


def brief(said: ForecastRows) -> dict[str, float]:
    """Return deviances and what they are of the nulls'."""
    out = deviances(said)
    ours = out["poisson_deviance"]
    return {
        **out,
        "ratio_no_map": ours / out["no_map_deviance"],
        "ratio_static": ours / out["static_deviance"],
        "ratio_path_only": ours / out["path_only_deviance"],
        "predicted_over_reported": float(said.rows[:, SAID].sum() / said.rows[:, DIED].sum()),
    }


def halves(played: Played) -> dict[str, object]:
    """Return the deviances before and after the split, and R² after it of fits before it.

    Nothing where either half is empty.
    """
    said, at = played.said, played.middle
    first, second = said.where(said.hours < at), said.where(said.hours >= at)
    if not (first.rows[:, DIED].any() and second.rows[:, DIED].any()):
        return {}
    split = {"at": iso(at), "first": brief(first), "second": brief(second)}
    return {"split": split, "r2": r2(first, second)}


def summary(played: Played) -> dict[str, object]:
    """Return all scores of the scored rows, ready for JSON."""
    said = played.said
    found, gain = blocks(said), intervals(said)
    ahead = [b["poisson_deviance"] < b["path_only_deviance"] for b in found]
    return {
        "hours": len(said.hours),
        "hours_played": played.played,
        "warm_up_hours": WARM_UP,
        "since": iso(int(said.hours[0])),
        "until": iso(int(said.hours[-1]) + 1),
        "reported_usd": float(said.rows[:, DIED].sum()),
        **brief(said),
        "interval_95": gain,
        "verdict_over_path_only": verdict(gain["path_only_minus_ours"]),
        "blocks_ahead_of_path_only": [sum(ahead), len(ahead)],
        **coverage(said),
        **order(said),
        **halves(played),
        "reliability": reliability(said),
        "blocks": found,
    }


def verdict(gain: list[float]) -> str:
    """Return whether a gain over a null model is surely above zero, in words."""
    return "edge shown" if gain[0] > 0 else "no edge shown"


def iso(hour: int) -> str:
    """Return an hour since 1970 as text."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:%MZ")
