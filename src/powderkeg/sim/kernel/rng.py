"""The market's random number generator: xoshiro256++ in four words of the market's own state.

numba's generator is global to the process, so two markets run in turns would disturb each other,
and a copy could not be continued. Here the words travel with the state.
Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]

_MASK: Final = (1 << 64) - 1
_UNIT: Final = 2.0**-53
_KNUTH: Final = 25.0
"""Above this mean a normal draw is within 1 % of the Poisson law, and much cheaper."""

_R17: Final = np.uint64(17)
_R23: Final = np.uint64(23)
_R45: Final = np.uint64(45)
_R41: Final = np.uint64(41)
_R19: Final = np.uint64(19)
_R11: Final = np.uint64(11)


def seed_words(seed: int, name: str = "") -> Words:
    """Return four well-mixed words, shape (4,), for a seed and the name of its use.

    Splitmix64 over the seed and the letters, so that two coins of one seed take other paths.
    """
    state = seed & _MASK
    for letter in name.encode():
        state = _mix(state ^ (letter << 8))
    out = np.empty(4, np.uint64)
    for k in range(4):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        out[k] = _mix(state)
    return out


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@njit
def uniform(r: Words) -> float:
    """Return a number in [0, 1)."""
    s = r[0] + r[3]
    out = ((s << _R23) | (s >> _R41)) + r[0]
    t = r[1] << _R17
    r[2] ^= r[0]
    r[3] ^= r[1]
    r[1] ^= r[2]
    r[0] ^= r[3]
    r[2] ^= t
    r[3] = (r[3] << _R45) | (r[3] >> _R19)
    return (out >> _R11) * _UNIT


@njit
def normal(r: Words) -> float:
    """Return a standard normal number (Marsaglia's polar method; the spare is not kept)."""
    while True:
        x = 2.0 * uniform(r) - 1.0
        y = 2.0 * uniform(r) - 1.0
        s = x * x + y * y
        if 0.0 < s < 1.0:
            return x * math.sqrt(-2.0 * math.log(s) / s)


@njit
def lognormal(r: Words, mean: float, sd: float) -> float:
    """Return exp of a normal number of that mean and deviation."""
    return math.exp(mean + sd * normal(r))


@njit
def below(r: Words, n: int) -> int:
    """Return a whole number in [0, n)."""
    return int(uniform(r) * n)


@njit
def poisson(r: Words, mean: float) -> int:
    """Return a count of that mean."""
    if mean > _KNUTH:
        return max(0, round(mean + math.sqrt(mean) * normal(r)))
    limit = math.exp(-mean)
    count = 0
    product = uniform(r)
    while product > limit:
        count += 1
        product *= uniform(r)
    return count
