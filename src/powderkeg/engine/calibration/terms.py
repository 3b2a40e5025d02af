"""The terms of the fit: the columns that crossed exposure is summed into, one weight each.

- exposure by class of *fresh* ground, 64 terms;
- exposure by group and distance of *known* ground, which the mark has crossed within the last half
  hour, 32 terms: nothing there is older, so the closing rate does not matter and the classes of a
  distance are one (their mean);
- length of fresh and of known ground, in tens of basis points, 2 terms: what is liquidated wherever
  the mark goes. It has no place on the map, but is part of the forecast of an hour.

Exposure of the volume group is in base coin, so its weights are shares. Exposure of the time group
is in days and lengths are lengths, so their weights are in base coin, and compare between markets
once divided by open interest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from powderkeg.engine.exposure.classes import CLASSES, DISTANCES, GROUP, RATES, VOLUME
from powderkeg.events import Floats
from powderkeg.grid import BIN

KNOWN = CLASSES
"""First of the terms of known ground."""
LENGTH = KNOWN + CLASSES // RATES
"""First of the two lengths, fresh and known."""
TERMS = LENGTH + 2
TEN = 2 * BIN
"""Ten basis points in log price: the unit of lengths."""
EVERY = np.arange(TERMS)
SHARES = np.isin(
    EVERY,
    [
        *range(VOLUME * GROUP, (VOLUME + 1) * GROUP),
        *range(KNOWN + VOLUME * DISTANCES, KNOWN + (VOLUME + 1) * DISTANCES),
    ],
)
"""Terms whose weights are shares of volume, shape (98,); those of the others are base coin."""
PATH_ONLY = np.flatnonzero(~SHARES)
"""Terms that depend only on where the mark has been: those of the path-only null model."""
PLACED = EVERY < LENGTH
"""Terms that have a place on the map, shape (98,)."""


def in_coins(weights: Floats, oi: float) -> Floats:
    """Return weights (..., 98) per unit of open interest in a market's coins, see `per_oi`."""
    return np.where(SHARES, weights, weights * oi)


def per_oi(weights: Floats, oi: float) -> Floats:
    """Return weights (..., 98) per unit of open interest, comparable between markets."""
    return np.where(SHARES, weights, weights / oi)


def of_classes(weights: Floats) -> Floats:
    """Return weights by class (..., 64) as weights of terms (..., 98), none of them of lengths."""
    by_distance = weights.reshape(*weights.shape[:-1], -1, RATES).sum(axis=-1)
    none = np.zeros((*weights.shape[:-1], TERMS - LENGTH))
    return np.concatenate((weights, by_distance, none), axis=-1)


def by_ground(weights: Floats) -> Floats:
    """Return weights of terms (..., 98) by ground (fresh, known) and class, (..., 2, 64).

    A term of known ground is a mean over closing rates: each class gets its part of the weight.
    """
    known = np.repeat(weights[..., KNOWN:LENGTH], RATES, axis=-1) / RATES
    return np.stack((weights[..., :CLASSES], known), axis=-2)


def as_terms(exposure: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return exposure by bin and class as terms, without lengths.

    Args:
        exposure: Shape (n, 64).
        known: Which bins are known ground, shape (n,).

    Returns:
        Shape (n, 98).
    """
    out = np.zeros((len(exposure), TERMS))
    out[:, :CLASSES] = np.where(known[:, None], 0.0, exposure)
    means = exposure.reshape(len(exposure), CLASSES // RATES, RATES).mean(axis=2)
    out[:, KNOWN:LENGTH] = np.where(known[:, None], means, 0.0)
    return out
