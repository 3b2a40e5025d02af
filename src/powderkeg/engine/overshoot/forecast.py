"""Quantiles of where price ends, over a fixed set of draws: no random number is drawn.

A draw has three parts: the surviving share of the depth, where the map lies within its band, and
how far price moves by itself meanwhile. The draws are the points of a rank-1 lattice, so equal
inputs give equal bits.

Source: docs/risk.md, "Overshoot".
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.engine.overshoot.path import OutwardPath, Z, ends
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.events import Floats

DRAWS: Final = 256
BEYOND: Final = 0.005
"""Log distance from the level from which price counts as having overshot: 0.5 %."""
QUANTILES: Final = (0.1, 0.5, 0.9)
HALF: Final = math.sqrt(0.5)
_GENERATOR: Final = (1, 103, 157)
"""Of the lattice; odd, so that each part visits every one of its 256 points once."""
_POINTS: Final = (np.outer(np.arange(DRAWS), _GENERATOR) % DRAWS + 0.5) / DRAWS
_SCORES: Final = np.array([[NormalDist().inv_cdf(p) for p in row] for row in _POINTS.tolist()])


class Forecast(Struct, frozen=True, eq=False):
    """What may follow a touch."""

    end: Floats
    """Log distance of the end from the price, quantiles 10, 50 and 90 %."""
    forced: Floats
    """Liquidated on the way, quantiles 10, 50 and 90 %, in the unit of the path."""
    beyond: float
    """Chance to end at least 0.5 % beyond the level."""
    unseen: float
    """Share of draws that end beyond the displayed books: they rest on their continuation."""


def band_factors(path: OutwardPath, scores: Floats, most: float = math.inf) -> Floats:
    """Return the factor of the forced volume by draw and distance, shape (m, n).

    Log-normal on either side of the estimate, with its tenth and ninetieth percentile at the ends
    of the band, which is narrowed where its deviation is more than `most`.

    Args:
        path: The side with its band.
        scores: Normal scores, shape (m,).
        most: Greatest standard deviation of the logarithm.
    """
    low, high = np.log(np.clip(path.low, 0.05, 1.0)), np.log(np.maximum(path.high, 1.0))
    narrowed = np.minimum(1.0, most * 2 * Z / np.maximum(high - low, 1e-12))
    share = scores[:, None] / Z * narrowed
    return np.exp(np.where(share < 0, -share * low, share * high))


def forecast(
    path: OutwardPath, level: float, survival: DepthSurvival, drift: float = 0.0
) -> Forecast:
    """Return where price may end after a touch.

    What realised sweeps spread about their expectation holds the error of the map as well as that
    of the book, so it is shared out: at most half of its variance to the map's band, the rest to A.

    Args:
        path: The side.
        level: Log distance of the level.
        survival: Belief about the surviving share of the depth.
        drift: Standard deviation of what price moves by itself meanwhile, in log price: the extreme
            that follows is that of a walk.
    """
    most = survival.spread * HALF
    width = path.at(np.log(np.maximum(path.high, 1.0)) - np.log(np.clip(path.low, 0.05, 1)), level)
    own = math.sqrt(survival.spread**2 - min(width / (2 * Z), most) ** 2)
    shares = survival.quantiles(_POINTS[:, 0], own)
    factors = band_factors(path, _SCORES[:, 1], most)
    end, _ = ends(path, level, shares, factors)
    end = level + np.hypot(end - level, drift * _SCORES[:, 2])
    points = np.minimum(np.searchsorted(path.distance, end), len(path.distance) - 1)
    forced = path.forced[points] * factors[np.arange(DRAWS), points]
    return Forecast(
        np.quantile(end, QUANTILES), np.quantile(forced, QUANTILES),
        float((end >= level + BEYOND).mean()), float((end > path.visible).mean()),
    )  # fmt: skip
