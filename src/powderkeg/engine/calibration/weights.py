"""The weights of the terms: their prior, and their fit to liquidations.

A sweep crosses exposure X_k of each term; the volume that is liquidated then is compound Poisson
with mean sum_k w_k X_k. Multiplicative gamma-Poisson EM climbs the penalised likelihood without a
learning rate, and the sums it needs are additive, so records are kept as quarter-hour sums. All
classes are in one fit: distance, closing rate, and whether positions open by volume or by time are
weighted against each other by the same reports.

Source: docs/model.md, "Calibration"; the update is Richardson-Lucy with a conjugate prior.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numba import njit

from powderkeg.engine.calibration.terms import LENGTH, of_classes
from powderkeg.engine.exposure.classes import CLASSES, GROUP, GROUPS, Basis
from powderkeg.events import Floats

ITERATIONS = 60
WARM = 12
"""Rounds that suffice when starting from the previous fit, six hours before."""
EVIDENCE = 8e-5
"""Pseudo-volume of the prior of one term as a share of open interest (8 BTC of 100,000)."""
POOLING = 8e-4
"""Pseudo-volume of the common fit as the prior of each side, share of OI."""
GRAINS = 1.0
"""Added to both, in units of the dispersion: one typical liquidation of evidence per term.

Without it EM credits a few large liquidations to one class and starves its neighbours; tried 0.3
to 10 on three tuning seeds of the simulated market, best at 0.5 to 1; with sixteen terms it was 10.
"""
LEVEL = 5e-4
"""Pseudo-volume of the prior's own level, share of OI.

The first six hours have a handful of reports; with 5e-6, they set the dollars of the whole map.
With the level ten times too high or too low, the second day misses no more than with the right one
(0.43 and 0.38 against 0.42, in a trial on the starts of `hourly.first_days`).
"""
LEVEL_GRAINS = 10.0
"""Added to it, in units of the dispersion: one large liquidation says little about the level."""
BY_VOLUME = 0.5
"""Prior share of open interest in the volume group; the rest is in the time group. More is a
little better on simulated markets, where entries follow volume, and worse on real BTC (deviance
0.315 at a half, 0.316 at 0.6, 0.326 at 0.8)."""
LEAST_SHAPE = 0.25
"""Least shape of a weight's posterior: no weight is less certain than a factor of about ten."""
DARK = 0.4
"""Share of open interest that no class explains: unlevered, hedged, or unknown."""
LENGTHS = (1e-6, 3e-7)
"""Prior of what is liquidated on ten basis points of fresh and of known ground whatever the map
says, share of OI. Source: fits on Binance BTC, January to March 2026."""


class Shape(Struct, frozen=True):
    """How a class's share of open interest changes from one distance step (36 %) to the next."""

    growth: float = 1.65
    """Factor a step up to the turn."""
    turn: float = 0.13
    """Log distance beyond which shares fall: about 7x."""
    decline: float = 0.5
    """Factor a step from there on."""


SHAPES: dict[str, Shape] = {
    "": Shape(),
    "hyperliquid": Shape(growth=2.0, turn=0.12, decline=0.4),
}
"""Prior shape by venue; the first is the default.

Chosen on every position of Hyperliquid's first weeks (full-account data, to 19 April 2023) and on
three seeds of the simulated market; scores on real hours hardly depend on it. Of the volume within
20 % of the price there, 26 % was within 5 %, where a prior without a turn has 8 %.
"""


class Fit(Struct, frozen=True, eq=False):
    """Fitted weights and their evidence, each of shape (2, 98): side, term."""

    weights: Floats
    """Share of unit-weight exposure that is real, see `calibration.terms` for its units."""
    evidence: Floats
    """Liquidated volume credited to the term, base coin."""
    prior_mean: Floats
    """Weights the prior is centred on, shape (98,)."""
    strength: float
    """Pseudo-volume of the prior."""
    crossed: Floats
    """Exposure crossed in the fitted window."""
    dispersion: float = 0.0
    """Size of a typical piece of volume, base coin: E[q²]/E[q], or a bound where only sums are
    reported."""
    reports: float = 0.0
    """Effective number of liquidations: the volume in pieces of that size."""

    def confidence(self) -> Floats:
        """Return the share of each weight that is measured rather than prior, 0 to 1."""
        return self.evidence / (self.evidence + self.strength)

    def variance(self) -> Floats:
        """Return the posterior variance of each weight: gamma, its shape counted in grains."""
        shape = (self.evidence + self.strength) / max(self.dispersion, 1e-300)
        return self.weights**2 / np.maximum(shape, LEAST_SHAPE)


def shares(basis: Basis, venue: str = "") -> Floats:
    """Return the prior share of a side's open interest in each class; they sum to 1 - DARK.

    The closing rates of a distance have equal shares.
    """
    shape = SHAPES.get(venue, SHAPES[""])
    steps = np.log(basis.distances / shape.turn) / np.log(1.36)
    raw = np.where(steps < 0, shape.growth**steps, shape.decline**steps).reshape(GROUPS, -1)
    held = np.array([BY_VOLUME, 1 - BY_VOLUME])[:, None]  # in the order of VOLUME, TIME
    return ((1 - DARK) * held * raw / raw.sum(axis=1, keepdims=True)).ravel()


def prior(wanted: Floats, oi: float, rates: Floats, hazards: Floats) -> Floats:
    """Return weights (98,) under which each class settles at its prior share of open interest.

    Args:
        wanted: Share of each class, see `shares`, shape (64,).
        oi: Open interest, base coin.
        rates: Openings per second of a side at unit weight, by group, shape (2,).
        hazards: Closing per second of each class, shape (64,), > 0.
    """
    typical = np.repeat(np.maximum(rates, 1e-12), GROUP) / hazards
    out = of_classes(wanted * oi / typical)
    out[LENGTH:] = np.array(LENGTHS) * oi
    return out


@njit(cache=True, nogil=True)
def _em(
    crossed: Floats, liquidated: Floats, weights: Floats, prior_weights: Floats, strength: float,
    iterations: int,
) -> Floats:  # fmt: skip
    """Run EM in place of `weights` and return the volume credited to each class.

    Volume liquidated where nothing was crossed carries no information and is skipped.
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
            if liquidated[r] <= 0.0:
                continue
            mean = 0.0
            for k in range(classes):
                mean += weights[k] * crossed[r, k]
            if mean <= 0.0:
                continue
            ratio = liquidated[r] / mean
            for k in range(classes):
                credit[k] += weights[k] * crossed[r, k] * ratio
        for k in range(classes):
            weights[k] = (credit[k] + strength) / (total[k] + strength / prior_weights[k])
    return credit


def em(
    crossed: Floats, liquidated: Floats, start: Floats, prior_weights: Floats, strength: float,
    iterations: int = ITERATIONS,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return weights (n,) after EM from `start`, and the volume credited to each class.

    Args:
        crossed: Exposure crossed by each record, shape (rows, n).
        liquidated: Liquidated volume of each record, shape (rows,).
        start: Weights to start from, shape (n,), all > 0.
        prior_weights: Centre of the prior, shape (n,), all > 0.
        strength: Pseudo-volume of the prior.
        iterations: EM rounds.
    """
    weights = start.astype(np.float64).copy()
    crossed = np.ascontiguousarray(crossed, np.float64)
    credit = _em(crossed, liquidated, weights, prior_weights, strength, iterations)
    return weights, credit


def log_posterior(
    crossed: Floats, liquidated: Floats, weights: Floats, prior_weights: Floats, strength: float
) -> float:
    """Return the penalised log-likelihood that `em` must never lower, up to a constant."""
    mean = crossed @ weights
    some = liquidated > 0
    likelihood = float(
        (liquidated[some] * np.log(np.maximum(mean[some], 1e-300))).sum() - mean.sum()
    )
    penalty = strength * (np.log(weights) - weights / prior_weights).sum()
    return likelihood + float(penalty)


def fit(
    crossed: Floats, liquidated: Floats, prior_mean: Floats, oi: float, *,
    start: Floats | None = None, dispersion: float = 0.0,
) -> Fit:  # fmt: skip
    """Fit the weights of both sides: first together, then each with the common fit as its prior.

    Args:
        crossed: Crossed exposure of each span of time, shape (rows, 2, n); n terms, all or some.
        liquidated: Liquidated volume of the same spans, shape (rows, 2).
        prior_mean: Weights the prior is centred on, shape (n,), see `rescale_prior`.
        oi: Open interest, which scales the pseudo-volumes.
        start: Weights of the last fit, shape (2, n).
        dispersion: E[q²]/E[q] of single liquidations, base coin; 0 where only sums are known.
    """
    rounds = ITERATIONS if start is None else WARM
    begin = prior_mean if start is None else start.mean(axis=0)
    terms = crossed.shape[2]
    evidence = EVIDENCE * oi + GRAINS * dispersion
    common, _ = em(
        crossed.reshape(-1, terms), liquidated.ravel(), begin, prior_mean, evidence, rounds
    )
    weights = np.empty((2, terms))
    credit = np.empty((2, terms))
    strength = POOLING * oi + GRAINS * dispersion
    for side in range(2):
        weights[side], credit[side] = em(
            crossed[:, side], liquidated[:, side].copy(), common, common, strength, rounds
        )
    total = float(liquidated.sum())
    piece = dispersion or float((liquidated**2).sum()) / max(total, 1e-300)
    grain = dispersion or EVIDENCE / 4 * oi
    return Fit(
        weights,
        credit,
        prior_mean,
        strength,
        crossed.sum(axis=0),
        grain,
        total / max(piece, 1e-300),
    )


def rescale_prior(
    prior_mean: Floats, crossed: Floats, liquidated: Floats, oi: float, dispersion: float = 0.0
) -> Floats:
    """Return a prior (n,) scaled towards the level of the liquidated volume.

    Args:
        prior_mean: Shape (n,): all terms, or the path-only ones. The last two, lengths, are kept.
        crossed: Shape (rows, 2, n).
        liquidated: Shape (rows, 2).
        oi: Open interest.
        dispersion: See `fit`.
    """
    expected = float((crossed.sum(axis=(0, 1))[:-2] * prior_mean[:-2]).sum())
    held = LEVEL * oi + LEVEL_GRAINS * dispersion
    level = (float(liquidated.sum()) + held) / (expected + held)
    return np.concatenate((level * prior_mean[:-2], prior_mean[-2:]))


def oi_cap_factor(weights: Floats, live: Floats, oi: float) -> Floats:
    """Return the factor (2,) that keeps each side within open interest, at most 1.

    Args:
        weights: Shape (2, 98); as if all ground were fresh.
        live: Live exposure by side and class, shape (2, 64).
        oi: Open interest, base coin.
    """
    mass = (weights[:, :CLASSES] * live).sum(axis=1)
    return np.minimum(1.0, oi / np.maximum(mass, 1e-300))
