"""How far to trust each market's map: what was said of its own hours, and what died.

Every figure comes from rows that were written when their hour was over, with the weights that stood
while it ran, so all of it is prequential. Ours is compared with two null models that were played on
the same hours. Intervals resample whole days. Figures of volume are computed in base coin, where
skill does not depend on price, and told in dollars.

Source: docs/model.md, "Proof"; docs/adr/0012-scores.md and 0016-ledger-of-maps.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np

from powderkeg.desk import Desk
from powderkeg.engine.bands import Z, band
from powderkeg.engine.candidate import WINDOWS
from powderkeg.engine.censor import SILENT
from powderkeg.engine.estimate import VERSION, Estimate
from powderkeg.engine.record import DIED, FIELDS, HIGH, KEPT, LOW, PATH, SAID, STATIC, Record
from powderkeg.engine.weights import LEAST_SHAPE
from powderkeg.errors import DataError
from powderkeg.events import DAY, HOUR, Floats, Times
from powderkeg.maps.scene import TIER_NAMES, Known
from powderkeg.proof.scores import DRAWS, bootstrap
from powderkeg.store.proofs import Map, Proofs, Row

ENOUGH: Final = 72
"""Hours without which no verdict is given."""
DAYS: Final = 3
"""Whole days without which there is no interval."""
QUICK: Final = 300
"""Resamples behind an interval that is served: a third of the time of `scores.DRAWS`."""
FLOOR: Final = 1e-3
"""What an hour is expected to kill counts as this share of the mean at least."""
BINS: Final = 10
"""Groups of the reliability diagram, of equally many rows."""
MEASURED: Final = 0.5
"""Confidence from which a weight is called measured, not prior."""
CAUTION: Final = "fuel, not a magnet: it says what would die at a price, not that price goes there"
BLIND_SPOTS: Final = (
    "One whale of 500 coins and 2,000 accounts of a quarter have one colour: only the sizes of"
    " prints tell them apart.\n"
    "Margin added to a position moves its price; it is seen only as closing.\n"
    "How a taker's volume splits into opening and closing, and which side's leverage is higher,"
    " is hardly identified by data.\n"
    "Dollars need liquidations to learn from. Where a feed is a sample, what it leaves out is"
    " estimated; share_told says how, and how surely.\n"
    "Classes of distance that price has not reached stay on the prior.\n"
    "How far a cascade would run is not computed."
).splitlines()
NULLS: Final = {
    "path": "no map: how far the mark went in the hour and how much fresh ground it broke, learned"
    " from earlier hours",
    "static": "the map as published elsewhere: every trade at 100x, 50x, 25x and 10x, never"
    " closed; its scale learned from earlier hours",
}


class Board:
    """The figures of markets, computed once an hour each and remembered."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._known: dict[str, tuple[Record, int, dict[str, Any]]] = {}

    def summary(self, desks: Mapping[str, Desk]) -> dict[str, Any]:
        """Return what is known of how good the maps of these coins are.

        Args:
            desks: By coin.
        """
        markets = [
            {"coin": coin, **self._market(known, desk.now)}
            for coin, desk in desks.items()
            for known in desk.estimated()
        ]
        return {**_words(), "markets": markets}

    def _market(self, known: Known, at: int) -> dict[str, Any]:
        estimate = known.estimate
        return {
            "market": known.name, "venue": known.venue, **self._figures(known.name, estimate),
            **_model(estimate, at), "classes": _classes(estimate, at),
        }  # fmt: skip

    def _figures(self, name: str, estimate: Estimate) -> dict[str, Any]:
        """Return the figures of a record; dollars are at the mark of now."""
        record, last = estimate.record, self._known.get(name)
        if last is None or last[0] is not record or last[1] != record.count:
            found = figures(record.hours, record.rows.astype(np.float64), 1.0, QUICK)
            last = self._known[name] = (record, record.count, found)
        mark = float(estimate.mark)
        groups = [
            {"said": each["said"] * mark, "died": each["died"] * mark, "n": each["n"]}
            for each in last[2]["reliability"]
        ]
        return {**last[2], "reliability": groups}


def summary(desks: Mapping[str, Desk]) -> dict[str, Any]:
    """Return what `Board.summary` does, once."""
    return Board().summary(desks)


def from_ledger(folder: Path) -> dict[str, Any]:
    """Return the figures of every market whose maps were kept in a store's folder.

    Only hours of which a map was kept beforehand have a row, so none of it can be made afterwards.
    Dollars are at the mark of each hour's own map.

    Raises:
        DataError: There are no kept maps, or an entry is not of this version.
    """
    proofs = Proofs(folder)
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
        {
            "market": name, "venue": name.partition(":")[0], "maps": len(marks),
            "versions": sorted(versions[name]), **_kept(marks, rows.get(name, {})),
        }
        for name, marks in sorted(maps.items())
    ]  # fmt: skip
    return {**_words(), "notes": proofs.notes, "markets": markets}


def _kept(marks: Mapping[int, float], rows: Mapping[int, Row]) -> dict[str, Any]:
    """Return the figures of kept rows, the newest `KEPT`; each with the mark of its own map."""
    hours = sorted(hour for hour in rows if hour in marks)[-KEPT:]
    values = np.array([rows[hour].values for hour in hours]).reshape(-1, len(FIELDS), 2)
    prices = np.array([marks[hour] for hour in hours])[:, None]
    return figures(np.array(hours, np.int64), values, prices)


def _words() -> dict[str, Any]:
    return {
        "caution": CAUTION, "blind_spots": BLIND_SPOTS, "nulls": NULLS, "published": published(),
    }  # fmt: skip


@cache
def published() -> dict[str, Any]:
    """Return what stored data said of this model: scores, and honest questions with placebos."""
    file = resources.files("powderkeg") / "data" / "scorecard.json"
    return json.loads(file.read_text(encoding="utf-8"))


# -- what was said against what died


def figures(
    hours: Times, rows: Floats, price: Floats | float, draws: int = DRAWS
) -> dict[str, Any]:
    """Return the scores of one market's hours, null where nothing can be said.

    Hours count from the first in which both null models had learned enough to say something.

    Args:
        hours: Since 1970, rising, shape (n,).
        rows: See `engine.record.FIELDS`, shape (n, 7, 2), base coin.
        price: Dollars a coin, one for all or of shape (n, 1).
        draws: Resamples behind each interval.
    """
    first = _spoken(rows)
    hours, rows, price = hours[first:], rows[first:], np.broadcast_to(price, (len(rows), 1))[first:]
    n, died = len(hours), rows[:, DIED]
    some = bool(died.sum() > 0)
    misses = {name: miss(died, rows[:, k]) for name, k in _PLAYED.items()} if some else {}
    scale = float(died.mean()) if some else math.nan
    skills = {f"skill_over_{null}": _skill(hours, misses, null, draws) for null in NULLS}
    hit = (died >= rows[:, LOW]) & (died <= rows[:, HIGH])
    return {
        "hours": n,
        "since": int(hours[0]) * HOUR if n else None,
        "until": (int(hours[-1]) + 1) * HOUR if n else None,
        "deviance": {
            name: float(misses[name].mean()) / scale if some else None for name in _PLAYED
        },
        **skills,
        "verdict": verdict(n, some, [each["low"] for each in skills.values()]),
        "predicted_over_reported": float(rows[:, SAID].sum() / died.sum()) if some else None,
        "coverage_80": {"value": float(hit.mean()) if n else None, "n": hit.size},
        "reliability": reliability(rows[:, SAID] * price, died * price),
    }


def _spoken(rows: Floats) -> int:
    """Return the index of the first row before which each null model has said something."""
    said = [np.flatnonzero(rows[:, null].any(axis=1)) for null in (STATIC, PATH)]
    return max(int(found[0]) if len(found) else len(rows) for found in said)


_PLAYED: Final = {"ours": SAID, "static": STATIC, "path": PATH}


def verdict(hours: int, some: bool, lows: list[float | None]) -> str:
    """Return whether an edge is shown, in words: every null's interval must lie above zero."""
    if hours < ENOUGH or not some:
        return "too few hours"
    surely = all(low is not None and low > 0 for low in lows)
    return "edge shown" if surely else "no edge shown"


def miss(died: Floats, said: Floats) -> Floats:
    """Return the Poisson deviance of each volume, in its unit, >= 0, the same shape.

    Its mean over the mean of `died` is `scores.poisson_deviance`.
    """
    mean = np.maximum(said, FLOOR * died.mean())
    ratio = np.where(died > 0, died, 1.0) / mean
    return 2 * (np.where(died > 0, died * np.log(ratio), 0.0) - died + mean)


def _skill(hours: Times, misses: Mapping[str, Floats], null: str, draws: int) -> dict[str, Any]:
    """Return how much less we miss than a null model, as a fraction of its miss."""
    if not misses:
        return {"value": None, "low": None, "high": None, "n": len(hours)}
    pair = np.stack([misses["ours"].sum(axis=1), misses[null].sum(axis=1)], axis=1)
    _, day = np.unique(hours // (DAY // HOUR), return_inverse=True)
    sums = np.stack([np.bincount(day, column) for column in pair.T], axis=1).astype(np.float64)
    low, high = bootstrap(sums, _gain, draws) if len(sums) >= DAYS else (math.nan, math.nan)
    whole = float(_gain(sums.sum(axis=0)[None])[0])
    return {"value": _told(whole), "low": _told(low), "high": _told(high), "n": len(hours)}


def _gain(sums: Floats) -> Floats:
    return 1 - sums[:, 0] / sums[:, 1]


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None


def reliability(said: Floats, died: Floats) -> list[dict[str, Any]]:
    """Return the means of what was said and what died, in groups of rising `said`."""
    order = np.argsort(said, axis=None, kind="stable")
    groups = [group for group in np.array_split(order, BINS) if len(group)]
    return [
        {
            "said": float(said.ravel()[group].mean()), "died": float(died.ravel()[group].mean()),
            "n": len(group),
        }
        for group in groups
    ]  # fmt: skip


# -- what the map rests on


def _model(estimate: Estimate, at: int) -> dict[str, Any]:
    """Return what learned, from what, when, and what is still a guess."""
    spec, told = estimate.best.exposure.spec, estimate.fraction
    reach = math.exp(Z * told.spread)
    return {
        "price": float(estimate.mark),
        "fitted": estimate.fitted or None,
        "taught": estimate.taught,
        "events": estimate.events,
        "prior_only": estimate.prior_only,
        "version": VERSION,
        "candidate": f"{spec.basis} x{spec.multiplier:g}",
        "window_days": WINDOWS[estimate.windows.shown] / DAY,
        "misfit": float(estimate.misfit.width),
        "strain": estimate.strain(at).tolist(),
        "share_told": None if estimate.venue in SILENT and not estimate.events else {
            "share": told.share, "low": told.share / reach, "high": min(told.share * reach, 1.0),
            "measured": told.measured, "sampled": told.spread > 0,
        },
    }  # fmt: skip


def _classes(estimate: Estimate, at: int) -> list[dict[str, Any]]:
    """Return the weight of each side and class, its 80 % band, and whether it is measured."""
    basis, weights = estimate.best.exposure.basis, estimate.weights(at)
    fit, confidence = estimate.fit, estimate.confidence()
    shape = np.full(weights.shape, 1 / LEAST_SHAPE)
    relative = shape if fit is None else fit.variance() / fit.weights**2
    low, high = band(weights, relative * weights**2, np.zeros(weights.shape))
    return [
        {
            "side": side, "tier": TIER_NAMES[int(basis.tiers[k])],
            "distance": abs(math.expm1((2 * s - 1) * float(basis.distances[k]))),
            "weight": float(weights[s, k]), "low": float(low[s, k]), "high": float(high[s, k]),
            "confidence": float(confidence[s, k]),
            "measured": bool(confidence[s, k] >= MEASURED),
        }
        for s, side in enumerate(("long", "short"))
        for k in range(len(basis.distances))
    ]  # fmt: skip
