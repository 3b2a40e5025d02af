"""The weights of the distance classes: a prior, and what liquidations teach.

A sweep crosses exposure X_k of each class; the volume that then dies is compound Poisson with
mean sum_k w_k X_k. Multiplicative gamma-Poisson EM climbs the penalised likelihood without a
learning rate, and the sums it needs are additive, so records are kept as quarter-hour sums.

Source: docs/model.md, "Calibration"; the update is Richardson-Lucy with a conjugate prior.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numba import njit

from powderkeg.engine.classes import CLASSES, Basis
from powderkeg.events import Floats

ITERATIONS = 60
WARM = 12
"""Rounds that suffice when starting from the fit of six hours before."""
EVIDENCE = 2e-5
"""Pseudo-volume of the prior of one class as a share of open interest (2 BTC of 100,000)."""
POOLING = 2e-4
"""Pseudo-volume with which a side is held to the fit of both sides together, share of OI."""
GRAINS = 10.0
"""What is added to both, in units of the dispersion: ten typical forced closes of evidence.

Without it EM lays all of a few large closes on one class and starves its neighbours; tried 0.3 to
20 on three tuning seeds of the made market, best from 10 on.
"""
LEVEL = 5e-6
"""Pseudo-volume of the prior's own level, share of OI: it is soon learned.

The prior says where positions die relative to each other; how many die at all it does not know: on
real BTC it was thirty times too high, and held to it class by class the near ones starved.
"""
LEAST_SHAPE = 0.25
"""Of the posterior of a weight: nothing is less certain than a factor of about ten."""
DARK = 0.4
"""Share of open interest that no class explains: unlevered, hedged, or unknown."""

GROWTH: dict[str, float] = {"": 1.55, "hyperliquid": 1.75}
"""How a class's share of open interest grows from one distance step (36 %) to the next, a venue.

On record 15 % of Hyperliquid's open interest was above 7x (December 2025), and 0.3 % of the
notional of 803 tracked accounts died within 1 %, 3 to 8 % within 10 %. Elsewhere retail is nearer.
"""


class Fit(Struct, frozen=True, eq=False):
    """Weights with what they rest on, each of shape (2, 16): side, class."""

    weights: Floats
    """Share of unit-weight exposure that is real."""
    evidence: Floats
    """Liquidated volume credited to the class, base coin."""
    prior: Floats
    strength: float
    """Pseudo-volume of the prior."""
    crossed: Floats
    """Exposure that was crossed meanwhile."""
    grain: float = 0.0
    """Size of a typical piece of volume, base coin: E[q²]/E[q], or a bound where only sums are
    told."""
    events: int = 0

    def confidence(self) -> Floats:
        """Return how much of each weight is measured rather than prior, 0 to 1."""
        return self.evidence / (self.evidence + self.strength)

    def variance(self) -> Floats:
        """Return the posterior variance of each weight: gamma, its shape counted in grains."""
        shape = (self.evidence + self.strength) / max(self.grain, 1e-300)
        return self.weights**2 / np.maximum(shape, LEAST_SHAPE)


def shares(basis: Basis, venue: str = "") -> Floats:
    """Return the prior share of a side's open interest in each class; they sum to 1 - DARK."""
    growth = GROWTH.get(venue, GROWTH[""])
    steps = np.log(basis.distances / basis.distances.min()) / np.log(1.36)
    raw = growth**steps
    return raw / raw.sum() * (1 - DARK)


def prior(wanted: Floats, oi: float, rate: Floats, hazards: Floats) -> Floats:
    """Return weights (2, 16) under which each class settles at its prior share of open interest.

    Args:
        wanted: Share of each class, see `shares`, shape (16,).
        oi: Open interest, base coin.
        rate: Openings per second at unit weight, shape (2,).
        hazards: Closing per second of each class, shape (16,), > 0.
    """
    typical = np.maximum(rate, 1e-12)[:, None] / hazards
    return wanted * oi / typical


@njit(cache=True)
def _climb(
    crossed: Floats, died: Floats, weights: Floats, prior_weights: Floats, strength: float,
    iterations: int,
) -> Floats:  # fmt: skip
    """Run EM in place of `weights` and return the volume credited to each class.

    Volume that died where nothing was crossed teaches nothing about where things stand.
    """
    rows, classes = crossed.shape
    total = np.zeros(classes)
    for r in range(rows):
        for k in range(classes):
            total[k] += crossed[r, k]
    credit = np.zeros(classes)
    for _ in range(iterations):
        credit[:] = 0.0
        for r in range(rows):
            if died[r] <= 0.0:
                continue
            mean = 0.0
            for k in range(classes):
                mean += weights[k] * crossed[r, k]
            if mean <= 0.0:
                continue
            ratio = died[r] / mean
            for k in range(classes):
                credit[k] += weights[k] * crossed[r, k] * ratio
        for k in range(classes):
            weights[k] = (credit[k] + strength) / (total[k] + strength / prior_weights[k])
    return credit


def climb(
    crossed: Floats, died: Floats, start: Floats, prior_weights: Floats, strength: float,
    iterations: int = ITERATIONS,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return weights (16,) after EM from `start`, and the volume credited to each class.

    Args:
        crossed: Exposure crossed by each record, shape (n, 16).
        died: Liquidated volume of each record, shape (n,).
        start: Weights to start from, shape (16,), all > 0.
        prior_weights: Centre of the prior, shape (16,), all > 0.
        strength: Pseudo-volume of the prior.
        iterations: EM rounds.
    """
    weights = start.astype(np.float64).copy()
    crossed = np.ascontiguousarray(crossed, np.float64)
    credit = _climb(crossed, died, weights, prior_weights, strength, iterations)
    return weights, credit


def log_posterior(
    crossed: Floats, died: Floats, weights: Floats, prior_weights: Floats, strength: float
) -> float:
    """Return the penalised log-likelihood that `climb` must never lower, up to a constant."""
    mean = crossed @ weights
    some = died > 0
    likelihood = float((died[some] * np.log(np.maximum(mean[some], 1e-300))).sum() - mean.sum())
    penalty = strength * (np.log(weights) - weights / prior_weights).sum()
    return likelihood + float(penalty)


def fit(
    crossed: Floats, died: Floats, centre: Floats, oi: float, *,
    start: Floats | None = None, dispersion: float = 0.0, events: int = 0,
) -> Fit:  # fmt: skip
    """Learn the weights of both sides: first together, then each held to the common fit.

    Args:
        crossed: Crossed exposure of each span of time, shape (n, 2, 16).
        died: Liquidated volume of the same spans, shape (n, 2).
        centre: Weights the prior is centred on, shape (16,), see `raised`.
        oi: Open interest, which scales the pseudo-volumes.
        start: Weights of the last fit.
        dispersion: E[q²]/E[q] of single liquidations, base coin; 0 where only sums are known.
        events: How many liquidations the volume comes from.
    """
    rounds = ITERATIONS if start is None else WARM
    begin = centre if start is None else start.mean(axis=0)
    evidence = EVIDENCE * oi + GRAINS * dispersion
    common, _ = climb(
        crossed.reshape(-1, CLASSES), died.ravel(), begin, centre, evidence, rounds
    )  # fmt: skip
    weights = np.empty((2, CLASSES))
    credit = np.empty((2, CLASSES))
    strength = POOLING * oi + GRAINS * dispersion
    for side in range(2):
        weights[side], credit[side] = climb(
            crossed[:, side], died[:, side].copy(), common, common, strength, rounds
        )
    grain = dispersion or EVIDENCE * oi
    return Fit(weights, credit, centre, strength, crossed.sum(axis=0), grain, events)


def raised(prior_weights: Floats, crossed: Floats, died: Floats, oi: float) -> Floats:
    """Return the prior of both sides (16,) brought to the level of what died.

    Args:
        prior_weights: Shape (2, 16).
        crossed: Shape (n, 2, 16).
        died: Shape (n, 2).
        oi: Open interest.
    """
    said = float((crossed.sum(axis=0) * prior_weights).sum())
    level = (float(died.sum()) + LEVEL * oi) / (said + LEVEL * oi)
    return level * np.exp(np.log(prior_weights).mean(axis=0))


def strain(weights: Floats, live: Floats, oi: float) -> Floats:
    """Return the factor (2,) that keeps each side within open interest; below 1 is strain."""
    mass = (weights * live).sum(axis=1)
    return np.minimum(1.0, oi / np.maximum(mass, 1e-300))
