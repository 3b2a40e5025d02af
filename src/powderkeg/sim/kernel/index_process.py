"""The exogenous processes: regimes, news that moves the index, and the marks that follow."""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from powderkeg.sim.kernel.rates import Pace
from powderkeg.sim.kernel.rng import normal, uniform
from powderkeg.sim.kernel.state import CENTRE, DRIFT, REGIMES, TICK, TURBULENCE, Params, State

_REGIMES: Final = len(REGIMES)
_LEASH: Final = 20_000.0
"""Rungs from the start (a factor of e) beyond which news pulls back, to stay on the ladder."""
_LEASH_MEMORY: Final = 5 * 86_400.0
_CAP: Final = 0.0005
_BASIC: Final = 0.0001
_TREND_HOUR: Final = 0.006
"""A move in the last hour that counts as one unit of momentum."""


@njit
def advance_regimes(m: State, pace: Pace) -> None:
    """Advance the slow regimes and each venue's own premium by a tick."""
    for k in range(_REGIMES):
        m.regimes[k] = pace.keep[k] * m.regimes[k] + pace.fresh[k] * normal(m.rng)
    if pace.basis_fresh > 0:
        for v in range(m.count):
            venue = m.venues[v]
            venue.basis = pace.basis_keep * venue.basis + pace.basis_fresh * normal(m.rng)


@njit
def _news(m: State, params: Params, pace: Pace, turbulence: float) -> float:
    """Return the index's move in rungs, and record how unusual it is."""
    move = params.volatility * pace.root * turbulence * normal(m.rng)
    if uniform(m.rng) < params.jump_rate * turbulence * pace.tick:
        move += params.jump_size * normal(m.rng)
    m.news = move / (params.volatility * pace.root)
    away = m.index - CENTRE
    if abs(away) > _LEASH:
        move -= (away - math.copysign(_LEASH, away)) * pace.tick / _LEASH_MEMORY
    return move + params.trend * m.regimes[DRIFT] * pace.tick


@njit
def _bridge(m: State, before: float, spread: float) -> None:
    """Put the extremes of a Brownian path between `before` and now into the step's range.

    A tick of ten seconds would otherwise miss a quarter of the range.
    Source: the law of a Brownian bridge's maximum, by inversion.
    """
    gap = (m.mid - before) ** 2
    up = math.sqrt(gap - 2 * spread * spread * math.log(1 - uniform(m.rng)))
    down = math.sqrt(gap - 2 * spread * spread * math.log(1 - uniform(m.rng)))
    m.high = 0.5 * (before + m.mid + up)
    m.low = 0.5 * (before + m.mid - down)
    m.rise = m.high - max(before, m.mid)
    m.dip = min(before, m.mid) - m.low


@njit
def move_price(m: State, params: Params, pace: Pace) -> None:
    """Apply news: move index and last, thin the book, reset the step's range."""
    before = m.mid
    turbulence = math.exp(m.regimes[TURBULENCE])
    move = _news(m, params, pace, turbulence)
    gap = m.mid - m.index
    m.index += move + pace.impact * gap
    m.mid += move - pace.pull * gap
    m.hour += (m.mid - m.hour) * pace.hour
    stress = max(0.0, abs(m.news) / 4 - 0.5)
    m.thin += (1 / (1 + params.thinning * stress) - m.thin) * pace.thin
    m.low = m.mid
    m.high = m.mid
    if pace.lumped:
        _bridge(m, before, params.volatility * pace.root * turbulence)


@njit
def momentum(m: State) -> float:
    """Return the last hour's move in units of 0.6 %, at most three either way."""
    return max(-3.0, min(3.0, (m.mid - m.hour) * TICK / _TREND_HOUR))


@njit
def set_marks(m: State, pace: Pace) -> None:
    """Set every venue's mark (index plus averaged premium plus its own) and the funding rate.

    Longs would pay half the 4 h premium and a basic 1 bp. In coarse ticks mark ranges beyond
    its two ends as far as news did inside.
    """
    m.premium += (m.mid - m.index - m.premium) * pace.premium
    m.carry += (m.mid - m.index - m.carry) * pace.carry
    m.rate = max(-_CAP, min(_CAP, 0.5 * m.carry * TICK + _BASIC))
    for v in range(m.count):
        venue = m.venues[v]
        old = venue.mark
        venue.mark = m.index + m.premium + venue.basis
        venue.low = venue.mark
        venue.high = venue.mark
        if pace.lumped:
            venue.low = min(old, venue.mark) - m.dip
            venue.high = max(old, venue.mark) + m.rise
