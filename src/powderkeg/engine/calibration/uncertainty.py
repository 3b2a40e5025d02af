"""80 % prediction bands of an estimated amount.

Three sources of uncertainty are needed: with the first alone, nominal 80 % bands covered 29 % of
simulated truth.

- *Grain.* Positions are few and large: volume is a compound Poisson sum of pieces of size phi.
- *Weights.* Their gamma posterior: wide for classes with little liquidated volume.
- *Model error.* A log-normal factor whose width is set by how often earlier bands were missed
  (split-conformal, so it holds whatever the shape of the error).

The first two give a gamma band; the model error stretches both its ends.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from numba import njit

from powderkeg.events import Floats

TAIL = 0.1
Z = 1.2815515655446004
"""The normal quantile of 90 %."""
FIRST_MODEL_ERROR = 0.6
"""Standard deviation in log units before any measurement; the optimum on simulated markets."""
LEAST_MODEL_ERROR = 0.4
"""Lower bound: hours can be forecast well where price levels are not. On simulated markets (seeds
11 and 12) hourly bands needed none of it, and bands of levels had half their nominal coverage."""
ROWS = 2000
"""Hours and sides whose misses are kept."""
PATIENCE = 100
"""Rows of the first guess that measured rows must outweigh."""
COVERED = 0.82
"""Share of earlier hours that the hourly width covers. Hours drift: with 0.80 the bands of real
hours covered 78 %."""
NOTHING = 1e-3
"""Volumes below this share of what was expected count as nothing."""
_GRID = np.linspace(math.log(1e-3), math.log(1e3), 120)


@njit(cache=True)
def _upto(x: float, k: float) -> float:
    """Return the share of a gamma variable of shape `k` below `x`, by series or fraction."""
    scale = math.exp(k * math.log(x) - x - math.lgamma(k))
    if x < k + 1.0:
        term = total = 1.0 / k
        n = k
        while term > total * 1e-12:
            n += 1.0
            term *= x / n
            total += term
        return scale * total
    b = x + 1.0 - k
    c, d = 1e300, 1.0 / b
    h = d
    for i in range(1, 500):
        a = -i * (i - k)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-12:
            break
    return 1.0 - scale * h


@njit(cache=True)
def quantile(p: float, k: float) -> float:
    """Return the quantile `p` of a gamma variable of shape `k` and mean one."""
    low, high = -400.0, math.log(k + 50.0 * math.sqrt(k) + 50.0)
    for _ in range(60):
        middle = (low + high) / 2
        if _upto(math.exp(middle), k) < p:
            low = middle
        else:
            high = middle
    return math.exp(low) / k


_LOW = np.array([quantile(TAIL, math.exp(x)) for x in _GRID])
_HIGH = np.array([quantile(1 - TAIL, math.exp(x)) for x in _GRID])


class Uncertainty(Struct, frozen=True, eq=False):
    """An estimated amount with what makes it uncertain; arrays of one shape, any shape."""

    mean: Floats
    variance: Floats
    """Of grain and weights: independent from one market to the next."""
    model_error: Floats
    """Mean times the model error: shared between markets, so these add linearly."""

    def plus(self, other: Uncertainty) -> Uncertainty:
        """Return the uncertainty of a sum."""
        return Uncertainty(
            self.mean + other.mean,
            self.variance + other.variance,
            self.model_error + other.model_error,
        )

    def times(self, price: Floats | float) -> Uncertainty:
        """Return the uncertainty in another unit."""
        return Uncertainty(self.mean * price, self.variance * price**2, self.model_error * price)

    def band(self) -> tuple[Floats, Floats]:
        """Return the low and high ends of the 80 % band."""
        return band(self.mean, self.variance, self.model_error)


def band(mean: Floats, variance: Floats, model_error: Floats) -> tuple[Floats, Floats]:
    """Return the low and high ends of the 80 % band.

    Args:
        mean: Expected amounts, >= 0.
        variance: Of grain and weights.
        model_error: Mean times the standard deviation of the log-normal factor.
    """
    safe = np.maximum(mean, 1e-300)
    shape = np.log(np.clip(safe * safe / np.maximum(variance, 1e-300), 1e-3, 1e3))
    stretch = np.exp(Z * model_error / safe)
    low = np.interp(shape, _GRID, _LOW) / stretch
    low = np.where(low <= NOTHING * (1 + 1e-6), 0.0, low)
    # where most likely nothing stands, the mean is beyond nine in ten outcomes: it stays inside
    high = np.maximum(np.interp(shape, _GRID, _HIGH) * stretch, 1.0)
    return mean * low, mean * high


class ModelError:
    """The width of the model error, from how far earlier bands would have had to reach."""

    __slots__ = ("_count", "_needed")

    def __init__(self) -> None:
        self._count = 0
        self._needed = np.zeros(ROWS)

    def update(self, liquidated: float, mean: float, variance: float) -> None:
        """Add the liquidated volume of a span, with its predicted mean and variance."""
        if not mean > 0:
            return
        low, high = band(np.array([mean]), np.array([variance]), np.zeros(1))
        floor = NOTHING * mean
        below = math.log(max(low[0], floor) / max(liquidated, floor))
        above = math.log(max(liquidated, floor) / max(high[0], floor))
        self._needed[self._count % ROWS] = max(below, above, 0.0) / Z
        self._count += 1

    @property
    def hourly(self) -> float:
        """Standard deviation of the log factor for the volume of an hour."""
        n = min(self._count, ROWS)
        first = np.full(max(PATIENCE - n, 0), FIRST_MODEL_ERROR)
        return float(np.quantile(np.concatenate((self._needed[:n], first)), COVERED))

    @property
    def width(self) -> float:
        """Standard deviation of the log factor for price levels on the map."""
        return max(self.hourly, LEAST_MODEL_ERROR)
