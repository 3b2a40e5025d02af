"""Who trades: fast accounts that churn, openers of three kinds, and owners who look again."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from powderkeg.sim.kernel.book import (
    close_at_once,
    eat,
    hold,
    settle,
    take,
    wait_to_close,
    wait_to_open,
    willing,
)
from powderkeg.sim.kernel.index_process import momentum
from powderkeg.sim.kernel.positions import open_position, settle_trigger
from powderkeg.sim.kernel.rates import Pace
from powderkeg.sim.kernel.rng import below, lognormal, normal, poisson, uniform
from powderkeg.sim.kernel.state import (
    CHURN,
    CLOSED,
    HEAT,
    LEVERAGE,
    MAKERS,
    OPENING,
    SENTIMENT,
    TICK,
    TURBULENCE,
    Laws,
    Reals,
    Records,
    State,
    price_at,
)

SETTINGS: Final[Reals] = np.array(
    [
        [20.0, 25.0, 50.0, 75.0, 100.0, 125.0],
        [3.0, 5.0, 10.0, 15.0, 20.0, 25.0],
        [1.5, 2.0, 3.0, 5.0, 10.0, 20.0],
    ]
)
"""Leverage that gamblers, swing traders and funds choose from; the third is the pivot of a tilt."""
CHOSEN: Final[Reals] = np.array(
    [
        [0.20, 0.10, 0.25, 0.10, 0.25, 0.10],
        [0.10, 0.20, 0.35, 0.05, 0.25, 0.05],
        [0.20, 0.25, 0.25, 0.18, 0.10, 0.02],
    ]
)
_NOTIONAL: Final = (2_000.0, 15_000.0, 450_000.0)
"""Median. Funds are 2.5 % of openers and 81 % of what is held: facts/model.md, 1.2."""
_NOTIONAL_SPREAD: Final = (1.3, 1.4, 1.4)
_LARGEST: Final = 8e6
_ISOLATED: Final = (0.60, 0.45, 0.20)
_BLOCK: Final = 6.0
"""Sizes above this are never taken at once."""
_SIZE_SPREAD: Final = 1.2
_SIZE_MEAN: Final = -0.72
"""Half the variance, so that noise sizes have mean one."""
_SIZE_VARIANCE: Final = math.expm1(_SIZE_SPREAD**2)
_WAVE: Final = 0.245
"""Half the variance of an activity wave, so that its mean is one."""
_SELDOM: Final = 0.004
"""Chance per minute below which a quarter of an hour of it simply adds up, to 3 %."""
_CROWDED: Final = 0.8
"""Chance that a fast account that already holds this side trades the other instead."""


@njit
def _venue(m: State, law: Laws) -> int:
    """Return the venue of a newcomer."""
    u = uniform(m.chance)
    v = 0
    while u >= law.shares[v]:
        v += 1
    return v


@njit
def churn(m: State, law: Laws, pace: Pace, t: float, step: int, tape: Records) -> None:
    """Let fast accounts trade: many small orders, leaning a little with the news."""
    turbulence = math.exp(m.moods[TURBULENCE])
    rate = law.noise_rate * (0.5 + 0.5 * turbulence) * math.exp(m.moods[CHURN] - _WAVE)
    lean = 0.15 * max(-1.0, min(1.0, 0.5 * m.news)) + law.lean
    lean = max(-0.5, min(0.5, lean))
    if law.order != 0.0:
        _sweep(m, law, t, step, tape)
    if pace.lumped:
        _lump(m, law, 1, rate * pace.tick * (0.5 + lean), t, step, tape)
        _lump(m, law, -1, rate * pace.tick * (0.5 - lean), t, step, tape)
        return
    for _ in range(poisson(m.chance, rate * pace.tick)):
        venue = _venue(m, law)
        sign = 1 if uniform(m.chance) < 0.5 + lean else -1
        size = law.noise_size * lognormal(m.chance, _SIZE_MEAN, _SIZE_SPREAD)
        account = below(m.chance, MAKERS)
        crowded = law.lean == 0.0 and m.makers[venue, account] * sign > 0
        if crowded and uniform(m.chance) < _CROWDED:
            sign = -sign
        take(m, law, venue, sign, size, t, step, tape)
        hold(m, venue, account, sign * size)


@njit
def _sweep(m: State, law: Laws, t: float, step: int, tape: Records) -> None:
    """Let one fast account take a large size at once."""
    venue = _venue(m, law)
    sign = 1 if law.order > 0.0 else -1
    account = below(m.chance, MAKERS)
    take(m, law, venue, sign, abs(law.order), t, step, tape)
    hold(m, venue, account, law.order)


@njit
def _lump(m: State, law: Laws, sign: int, mean: float, t: float, step: int, tape: Records) -> None:
    """Take the sum of many noise orders of one side as one, shared among the venues."""
    count = poisson(m.chance, mean)
    if count == 0:
        return
    spread = math.log1p(_SIZE_VARIANCE / count)
    size = law.noise_size * count * lognormal(m.chance, -0.5 * spread, math.sqrt(spread))
    price = eat(m, law, sign, size, t)
    before = 0.0
    for v in range(m.count):
        part = size * (law.shares[v] - before)
        before = law.shares[v]
        account = willing(m, v, sign * part)
        settle(m, law, v, sign, part, price, t, step, tape)
        hold(m, v, account, sign * part)


@njit
def _kind(m: State, law: Laws) -> int:
    gamblers = law.mix[0] * math.exp(0.5 * m.moods[HEAT])
    u = uniform(m.chance) * (gamblers + law.mix[1] + law.mix[2])
    if u < gamblers:
        return 0
    return 1 if u < gamblers + law.mix[1] else 2


@njit
def _side(m: State, law: Laws, kind: int) -> int:
    """Return the side of an opener: the crowd follows mood and trend, funds lean against mood."""
    mood = m.moods[SENTIMENT]
    crowd = 0.35 * law.momentum * momentum(m) + 0.8 * mood
    wish = -0.2 * mood if kind == 2 else crowd
    return 1 if uniform(m.chance) < 1 / (1 + math.exp(-wish)) else -1


@njit
def _leverage(m: State, kind: int, side: int) -> float:
    """Return a leverage; the mix tilts slowly, and towards the side the mood favours."""
    tilt = 0.6 * m.moods[LEVERAGE] + 0.2 * side * m.moods[SENTIMENT]
    pivot = math.log(SETTINGS[kind, 2])
    weights = np.empty(6)
    whole = 0.0
    for k in range(6):
        weights[k] = CHOSEN[kind, k] * math.exp(tilt * (math.log(SETTINGS[kind, k]) - pivot))
        whole += weights[k]
    left = uniform(m.chance) * whole
    k = 0
    while k < 5 and left >= weights[k]:
        left -= weights[k]
        k += 1
    return SETTINGS[kind, k]


@njit
def open_positions(m: State, law: Laws, pace: Pace, t: float, step: int, tape: Records) -> None:
    """Let new traders open, or queue to open, more of them in waves and after moves."""
    turbulence = math.exp(m.moods[TURBULENCE])
    eager = 0.6 + 0.4 * turbulence + 0.3 * abs(momentum(m))
    rate = law.open_rate * eager * math.exp(m.moods[OPENING] - _WAVE)
    r = m.chance
    for _ in range(poisson(r, rate * pace.tick)):
        venue = _venue(m, law)
        kind = _kind(m, law)
        side = _side(m, law, kind)
        leverage = _leverage(m, kind, side)
        notional = min(_LARGEST, _NOTIONAL[kind] * lognormal(r, 0.0, _NOTIONAL_SPREAD[kind]))
        cross = 0 if uniform(r) < _ISOLATED[kind] else 1
        size = notional / price_at(m.mid)
        if uniform(r) < law.patience or size > _BLOCK:
            wait_to_open(m, venue, side, size, kind, leverage, cross, t)
        elif m.room > 0:
            price = take(m, law, venue, side, size, t, step, tape)
            open_position(m, law, venue, side, size, price, kind, leverage, cross, t)
        else:
            m.refused += 1


@njit
def review_positions(m: State, law: Laws, pace: Pace, t: float, step: int, tape: Records) -> None:
    """Let the owners whose turn it is decide; all have had a turn after a visit interval."""
    for v in range(m.count):
        m.venues[v].price = price_at(m.venues[v].mark)
    m.visits += m.top * pace.looks
    while m.visits >= 1.0:
        m.visits -= 1.0
        i = m.cursor
        m.cursor = i + 1 if i + 1 < m.top else 0
        if m.positions[i].alive != CLOSED:
            _decide(m, law, pace, i, t, step, tape)


@njit
def _closing_chance(p: Records, price: float, pace: Pace) -> float:
    """Return the chance to close now: winners go sooner, losers later, targets within minutes.

    The return on margin is compared without dividing by the entry: this is the market's busiest
    line.
    """
    gain = p.side * (price - p.entry) * p.leverage
    if gain > p.target * p.entry:
        each = 0.5
    else:
        each = p.haste
        if gain > 0.2 * p.entry:
            each *= 2.0
        elif gain < -0.2 * p.entry:
            each *= 0.6
    if pace.patience == 1.0:
        return each
    if each < _SELDOM:
        return each * pace.patience
    return 1.0 - math.pow(max(0.0, 1.0 - each), pace.patience)


@njit
def _decide(m: State, law: Laws, pace: Pace, i: int, t: float, step: int, tape: Records) -> None:
    """Let one owner close, close half, add margin or wait: one draw serves all four."""
    p = m.positions[i]
    venue = m.venues[p.venue]
    chance = _closing_chance(p, venue.price, pace)
    u = uniform(m.chance)
    if u < chance:
        if uniform(m.chance) < law.patience:
            wait_to_close(m, i, t)
        else:
            close_at_once(m, law, i, p.size, t, step, tape)
        return
    u -= chance
    if u < pace.halve:
        close_at_once(m, law, i, 0.5 * p.size, t, step, tape)
        if p.alive == CLOSED:
            return
    _manage_margin(m, pace, i, abs(p.trigger - venue.mark) * TICK)
    if p.cross and pace.halve <= u < pace.halve + pace.drift * (1.0 - chance):
        p.extra = max(0.0, p.extra + pace.swing * p.margin * normal(m.chance))
        settle_trigger(m, i)


@njit
def _manage_margin(m: State, pace: Pace, i: int, distance: float) -> None:
    """Let an owner in need add margin."""
    p = m.positions[i]
    r = m.chance
    if p.topup and distance * p.leverage < 0.4 and uniform(r) < pace.topup:
        p.margin += p.size * p.entry / p.leverage * (0.3 + 0.7 * uniform(r))
        settle_trigger(m, i)
        p.topup = 1 if uniform(r) < 0.6 else 0
