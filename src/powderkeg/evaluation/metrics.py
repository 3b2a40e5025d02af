"""Scores of maps and of predicted liquidations. All proper, or distances to a known truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from powderkeg.events import Floats

UNIFORM = 0.05
"""Share of every prediction laid evenly over the swept path: one surprise is not infinite."""


def information_gain(
    expected: Floats, volumes: Floats, lengths: Floats, blocks: Floats
) -> tuple[float, float]:
    """Return bits gained over a uniform guess of *where* volume is liquidated, and the volume.

    Within each block, volume is liquidated along the path the mark swept. The score is the
    volume-weighted log2 of predicted density over uniform density. Sum over blocks and divide by
    the volume to get bits per unit.

    Args:
        expected: Predicted volume of each record, shape (n,).
        volumes: Volume liquidated in it, shape (n,).
        lengths: Length of path it swept, shape (n,), > 0.
        blocks: Block label of each record, shape (n,), grouped.
    """
    bits = 0.0
    scored = 0.0
    for block in np.unique(blocks):
        here = blocks == block
        total = volumes[here].sum()
        if here.sum() < 5 or total <= 0:
            continue
        even = lengths[here] / lengths[here].sum()
        mass = expected[here].sum()
        guess = (1 - UNIFORM) * expected[here] / mass + UNIFORM * even if mass > 0 else even
        bits += float((volumes[here] * np.log2(guess / even)).sum())
        scored += float(total)
    return bits, scored


def poisson_deviance(actual: Floats, expected: Floats, floor: float = 1e-3) -> float:
    """Return mean Poisson deviance over the mean of `actual`; 0 is perfect.

    `expected` is held above `floor` times the mean of `actual`.
    """
    mean = float(actual.mean())
    mu = np.maximum(expected, floor * mean)
    some = actual > 1e-300  # smaller ones have no logarithm once divided
    term = np.where(some, actual * np.log(np.where(some, actual, 1.0) / mu), 0.0)
    return float(2 * (term - actual + mu).mean() / mean)


def earth_movers(guess: Floats, truth: Floats, width: float) -> float:
    """Return how far mass of one map must travel to become the other, both scaled to one.

    Args:
        guess: Masses by bin, shape (n,).
        truth: Masses by bin, shape (n,).
        width: Width of a bin, in the unit of the answer.
    """
    gap = np.cumsum(guess / guess.sum() - truth / truth.sum())
    return float(np.abs(gap).sum() * width)


def overlap(guess: Floats, truth: Floats) -> float:
    """Return the mass two maps scaled to one have in common, 0 to 1."""
    return float(np.minimum(guess / guess.sum(), truth / truth.sum()).sum())


def top_share(masses: Floats, share: float = 0.1) -> float:
    """Return how much of a map lies in its densest bins: `share` where it is even, 1 at most.

    Args:
        masses: By bin, shape (n,), not all zero.
        share: Of the bins.
    """
    first = max(round(share * len(masses)), 1)
    return float(np.sort(masses)[-first:].sum() / masses.sum())


def correlation(guess: Floats, truth: Floats) -> float:
    """Return the correlation of two maps after a three-bin average; NaN where one is flat."""
    kernel = np.ones(3) / 3
    a = np.convolve(guess, kernel, "same")
    b = np.convolve(truth, kernel, "same")
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def lift(expected: Floats, volumes: Floats, lengths: Floats, share: float = 0.1) -> float:
    """Return the ratio of volume liquidated in the densest `share` of the path to a random one."""
    order = np.argsort(-expected / lengths, kind="stable")
    covered = np.cumsum(lengths[order]) / lengths.sum()
    return float(volumes[order][covered <= share].sum() / volumes.sum() / share)


DRAWS = 1000
"""Resamples behind an interval."""


def bootstrap(
    sums: Floats, statistic: Callable[[Floats], Floats], draws: int = DRAWS, seed: int = 1
) -> tuple[float, float]:
    """Return the 95 % interval of a statistic of sums, resampling whole blocks.

    Events within a day are correlated, so blocks are drawn and not single events. Draws for which
    the statistic is not finite (no events in any block drawn) are left out.

    Args:
        sums: Contribution of each block, shape (blocks, m).
        statistic: Of drawn totals, shape (draws, m), to shape (draws,).
        draws: How many resamples.
        seed: Of the resampling.

    Returns:
        The 2.5 and 97.5 % points, NaN where no draw is finite.
    """
    n = len(sums)
    if not n:
        return float("nan"), float("nan")
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        got = statistic(times @ sums)
    got = got[np.isfinite(got)]
    if not len(got):
        return float("nan"), float("nan")
    low, high = np.percentile(got, (2.5, 97.5))
    return float(low), float(high)
