"""The grade of a coin's map, A to D: the worst of four things decides.

- *Interest*: open interest of the venues chosen. Little of it is noise.
- *Coverage*: the share of known open interest whose feeds are up.
- *Feed*: how long the slowest of them has been silent, in its own cadence.
- *Fit*: what the weights of each market rest on, see `Learned`.

Source: requirement F13 and F14: below NZD 500 million a market is noise, from ten times that it is
good; high volatility raises the first by a step.

The skill of a fit is computed from rows that were written when their hour was over, see
`calibration.forecasts`. Days are the unit of chance: hours of one day are alike, so an interval
leaves out whole days, one at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.forecasts import PATH_ONLY, PREDICTED, REPORTED
from powderkeg.engine.calibration.reporting import silent
from powderkeg.events import DAY, HOUR, SECOND, Floats, Times
from powderkeg.maps.heatmap.coin_view import CoinView
from powderkeg.maps.views.queries import STEPS

Letter: TypeAlias = Literal["A", "B", "C", "D"]
LETTERS: tuple[Letter, ...] = ("A", "B", "C", "D")
LEAST = 500e6 * 0.5725
"""Dollars of open interest below which a market is noise: NZD 500 million at the reference rate of
30 October 2026."""
INTEREST = (10 * LEAST, math.sqrt(10) * LEAST, LEAST)
COVERAGE = (0.9, 0.7, 0.5)
FEED = (1.0, 2.0, 4.0)
"""Cadences of silence."""
FIT = (1 * DAY, 3 * DAY, 14 * DAY)
"""Age of weights."""
REPORTS = (100, 30)
"""Effective reports below which weights are no better than B, and than C."""
HOURS = (72, 24)
"""The same of hours scored."""
MATTERS = 0.05
"""Share of the open interest chosen below which a market's weights do not count."""
NEVER = "weights never learned"
CADENCE = 10 * SECOND
"""A live market that is well says something at least this often."""
WINDOW = 48
"""Half hours of which the last is compared: a day."""
HIGH = 0.9
"""Share of half hours that must have moved less for volatility to be high."""
FLOOR = 1e-3
"""What an hour is expected to bring counts as this share of the mean at least."""
NORMAL = 1.959963984540054
"""The normal quantile of 97.5 %."""
DAYS = 3
"""Days without which there is no interval."""


class Skill(Struct, frozen=True):
    """One minus our deviance over that of the null model; 0 is no better than it."""

    value: float = math.nan
    """NaN where nothing was reported, or the null model has not spoken yet."""
    low: float = -math.inf
    """End of the 95 % interval; infinite where it is not known."""
    high: float = math.inf


class Grade(Struct, frozen=True):
    """A letter, what each of the four gave, and why in words."""

    letter: Letter
    """The worst of its parts."""
    parts: dict[str, Letter]
    """Letters of interest, coverage, feed and fit."""
    why: str
    """What keeps it from A, in words; empty for A."""


class Learned(Struct, frozen=True):
    """What the weights of one market rest on."""

    venue: str
    oi: float
    """Open interest, base coin, 0 where not known."""
    chosen: bool
    fitted: int
    """µs of the last fit, 0 for never."""
    lender: str
    """Where its weights were learned while they are pretrained, else empty."""
    reports: float
    """Effective number of liquidations learned from."""
    hours: int
    """Hours of which an expectation was written down beforehand."""
    skill: Skill
    """Over a map of the path alone."""
    assumed: bool = False
    """Whether volume of the last day was assumed from the range of price."""

    @property
    def silent(self) -> bool:
        """True where no report can come: such a market learns from others."""
        return silent(self.venue) and not self.fitted


def learned(
    estimate: Estimate, skill: Skill, *, chosen: bool = True, assumed: bool = False
) -> Learned:
    """Return what the weights of an estimate rest on."""
    return Learned(
        venue=estimate.venue,
        oi=estimate.oi if estimate.oi > 0 else 0.0,
        chosen=chosen,
        fitted=estimate.fitted,
        lender=estimate.pretrained.market if estimate.is_pretrained else "",
        reports=0.0 if estimate.fit is None else float(estimate.fit.reports),
        hours=estimate.forecast_log.count,
        skill=skill,
        assumed=assumed,
    )


def grade(
    coin_view: CoinView,
    interest: float,
    coverage: float,
    silence: float,
    markets: Sequence[Learned],
) -> Grade:
    """Return the grade of what is shown of a coin.

    Args:
        coin_view: The coin; its candles decide whether volatility is high.
        interest: Open interest of the venues chosen, dollars.
        coverage: Share of known open interest whose feeds are up, 0 to 1.
        silence: Age of the last event of the slowest of them, µs; infinite where there is none.
        markets: The fit of every market of the coin.
    """
    place = _place(-interest, [-x for x in INTEREST])
    raised = 0 < place < len(INTEREST) and volatile(coin_view)
    fit, unfit = fit_of(coin_view.now, markets)
    places = {
        "interest": place - raised,
        "coverage": _place(-coverage, [-x for x in COVERAGE]),
        "feed": _place(silence / CADENCE, FEED),
        "fit": fit,
    }
    worst = max(places.values())
    reasons = {
        "interest": f"open interest of ${_millions(interest)} million",
        "coverage": f"{coverage:.0%} of known open interest covered",
        "feed": "nothing heard yet" if math.isinf(silence) else _silent(silence),
        "fit": unfit,
    }
    why = "; ".join(text for part, text in reasons.items() if places[part] == worst and worst)
    return Grade(LETTERS[worst], {k: LETTERS[v] for k, v in places.items()}, why)


def _silent(silence: float) -> str:
    return f"silent for {silence / SECOND:,.0f} s"


def fit_of(now: int, markets: Sequence[Learned]) -> tuple[int, str]:
    """Return the index into LETTERS of the worst weights that matter, and why in words.

    A market without liquidations of its own gets the best grade of the others.
    """
    chosen = [m for m in markets if m.chosen]
    total = sum(m.oi for m in chosen)
    large = [m for m in chosen if m.oi >= MATTERS * total] or chosen
    able = [_fit(now, m) for m in large if not m.silent]
    if not able:
        others = [_fit(now, m) for m in markets if not m.silent]
        able = [min(others)] if others and large else [_fit(now, m) for m in large]
    if not able:
        return len(FIT), NEVER
    place, _, why, venue = max(able)
    alike = not place or all(each[2] == why for each in able)
    return place, why if alike else f"{why} ({venue})"


def _fit(now: int, market: Learned) -> tuple[int, float, str, str]:
    """Return the place of one market's weights, its open interest, why, and its venue."""
    if not (market.fitted or market.lender):
        return len(FIT), market.oi, NEVER, market.venue
    reports = _place(-market.reports, [-x for x in REPORTS])
    hours = _place(-market.hours, [-x for x in HOURS])
    reasons = [
        (2 if market.lender else 0, f"pretrained weights: learned on {market.lender}"),
        (reports, f"{int(market.reports)} effective reports, {REPORTS[reports - 1]} needed"),
        (hours, f"{market.hours} hours scored, {HOURS[hours - 1]} needed"),
        _better(market.skill),
        (1 if market.assumed else 0, "volume assumed from the range of price"),
        (_place(now - market.fitted, FIT) if market.fitted else 0, "weights learned long ago"),
    ]
    place, why = max(reasons, key=lambda reason: reason[0])
    return place, market.oi, why, market.venue


def _better(skill: Skill) -> tuple[int, str]:
    """Return the place of a skill, and what keeps it from the first."""
    if skill.low > 0:
        return 0, ""
    if skill.high < 0:
        return 2, "worse than a map of the path alone"
    if math.isinf(skill.low):
        return 1, "not yet compared with a map of the path alone"
    return 1, "no better than a map of the path alone"


def _place(value: float, bounds: tuple[float, ...] | list[float]) -> int:
    """Return how many bounds a value that should be small exceeds."""
    return sum(value > bound for bound in bounds)


def volatile(coin_view: CoinView) -> bool:
    """Return whether the last half hour moved more than 90 % of those of the day before."""
    ring = coin_view.prices[max(STEPS)]
    bars = ring.window(coin_view.now // ring.step, WINDOW + 1)
    moves = np.log(bars[:, 1] / bars[:, 2])
    known = moves[:-1][~np.isnan(moves[:-1])]
    if len(known) < WINDOW // 2 or math.isnan(moves[-1]):
        return False
    return bool((moves[-1] > known).mean() >= HIGH)


def _millions(dollars: float) -> str:
    """Return millions: whole ones from ten on, two figures of fewer."""
    millions = dollars / 1e6
    return f"{millions:,.0f}" if millions >= 10 else f"{millions:.2g}"


def deviance(reported: Floats, expected: Floats) -> Floats:
    """Return the Poisson deviance of each volume, in its unit, >= 0, the same shape.

    Args:
        reported: Volumes, not all of them zero.
        expected: Held above a thousandth of the mean of `reported`.
    """
    mean = np.maximum(expected, FLOOR * reported.mean())
    ratio = np.where(reported > 0, reported, 1.0) / mean
    return 2 * (np.where(reported > 0, reported * np.log(ratio), 0.0) - reported + mean)


def over_path_only(hours: Times, rows: Floats) -> Skill:
    """Return the skill over the path-only map, since its first forecast.

    Args:
        hours: Since 1970, rising, shape (n,).
        rows: See `calibration.forecasts.FIELDS`, shape (n, 8, 2), base coin.
    """
    predicted = np.flatnonzero(rows[:, PATH_ONLY].any(axis=1))
    start = int(predicted[0]) if len(predicted) else len(rows)
    hours, rows = hours[start:], rows[start:]
    reported = rows[:, REPORTED]
    if not reported.any():
        return Skill()
    days = hours // (DAY // HOUR)
    ours, null = (_by_day(days, deviance(reported, rows[:, k])) for k in (PREDICTED, PATH_ONLY))
    return jackknife(ours, null)


def jackknife(ours: Floats, null: Floats) -> Skill:
    """Return one minus a ratio of sums, with its interval by leaving out one day at a time.

    Args:
        ours: Our deviance by day, shape (days,).
        null: That of the null model, all > 0.
    """
    value, days = float(1 - ours.sum() / null.sum()), len(ours)
    if days < DAYS:
        return Skill(value)
    without = 1 - (ours.sum() - ours) / (null.sum() - null)
    spread = math.sqrt((days - 1) * float(without.var()))
    return Skill(value, value - NORMAL * spread, value + NORMAL * spread)


def _by_day(days: Times, values: Floats) -> Floats:
    """Return the sums of each day, sides together."""
    _, place = np.unique(days, return_inverse=True)
    return np.bincount(place, values.sum(axis=1)).astype(np.float64)
