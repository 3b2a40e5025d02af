"""The trading agents: noise accounts, openers of three kinds, and owners reviewing positions."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from powderkeg.sim.kernel.book import (
    actor_order,
    change_inventory,
    choose_maker,
    close_at_market,
    consume_book,
    execute,
    market_order,
    queue_close_order,
    queue_open_order,
)
from powderkeg.sim.kernel.index_process import momentum
from powderkeg.sim.kernel.positions import open_position, update_trigger
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
    Params,
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
"""Median. Funds are 2.5 % of openers and 81 % of open interest: facts/model.md, 1.2."""
_NOTIONAL_SPREAD: Final = (1.3, 1.4, 1.4)
_LARGEST: Final = 8e6
_ISOLATED: Final = (0.60, 0.45, 0.20)
_BLOCK: Final = 6.0
"""Sizes above this are never traded with a market order."""
_SIZE_SPREAD: Final = 1.2
_SIZE_MEAN: Final = -0.72
"""Half the variance, so that noise sizes have mean one."""
_SIZE_VARIANCE: Final = math.expm1(_SIZE_SPREAD**2)
_WAVE: Final = 0.245
"""Half the variance of an activity wave, so that its mean is one."""
_SELDOM: Final = 0.004
"""Probability per minute below which a quarter of an hour of it adds up linearly, to 3 %."""
_FLIP_SHARE: Final = 0.8
"""Probability that a fast account that already holds this side trades the other instead."""


@njit
def _venue(m: State, params: Params) -> int:
    """Return a random venue."""
    u = uniform(m.rng)
    v = 0
    while u >= params.shares[v]:
        v += 1
    return v


@njit
def _inventory(m: State, params: Params, venue: int, account: int) -> float:
    """Return what a fast account holds, in a world with book actors over the mean of its venue.

    All accounts of a venue are short where its traders are long; if that counted, nine orders in
    ten would be of one side, and pressure could not be distinguished from the usual flow.
    """
    held = m.makers[venue, account]
    if params.actors:
        for k in range(MAKERS):
            held -= m.makers[venue, k] / MAKERS
    return held


@njit
def trade_noise(m: State, params: Params, pace: Pace, t: float, step: int, tape: Records) -> None:
    """Trade the fast accounts: many small orders, biased a little with the news."""
    turbulence = math.exp(m.regimes[TURBULENCE])
    rate = params.noise_rate * (0.5 + 0.5 * turbulence) * math.exp(m.regimes[CHURN] - _WAVE)
    lean = 0.15 * max(-1.0, min(1.0, 0.5 * m.news)) + params.lean
    lean = max(-0.5, min(0.5, lean))
    if params.order != 0.0:
        _sweep(m, params, t, step, tape)
    if pace.lumped:
        _aggregate_order(m, params, 1, rate * pace.tick * (0.5 + lean), t, step, tape)
        _aggregate_order(m, params, -1, rate * pace.tick * (0.5 - lean), t, step, tape)
        return
    for _ in range(poisson(m.rng, rate * pace.tick)):
        venue = _venue(m, params)
        sign = 1 if uniform(m.rng) < 0.5 + lean else -1
        size = params.noise_size * lognormal(m.rng, _SIZE_MEAN, _SIZE_SPREAD)
        account = below(m.rng, MAKERS)
        one_sided = params.lean == 0.0 and _inventory(m, params, venue, account) * sign > 0
        if one_sided and uniform(m.rng) < _FLIP_SHARE:
            sign = -sign
        market_order(m, params, venue, sign, size, t, step, tape)
        change_inventory(m, venue, account, sign * size)


@njit
def _sweep(m: State, params: Params, t: float, step: int, tape: Records) -> None:
    """Execute one large market order of a fast account."""
    venue = _venue(m, params)
    sign = 1 if params.order > 0.0 else -1
    account = below(m.rng, MAKERS)
    market_order(m, params, venue, sign, abs(params.order), t, step, tape)
    change_inventory(m, venue, account, params.order)


@njit
def trade_actors(m: State, params: Params, t: float, step: int, tape: Records) -> None:
    """Execute the market orders of book actors."""
    for k in range(m.taking):
        order = m.takers[k]
        actor_order(m, params, order.venue, order.size, t, step, tape)
    m.taking = 0


@njit
def _aggregate_order(
    m: State, params: Params, sign: int, mean: float, t: float, step: int, tape: Records
) -> None:
    """Execute the sum of many noise orders of one side as one, split among the venues."""
    count = poisson(m.rng, mean)
    if count == 0:
        return
    spread = math.log1p(_SIZE_VARIANCE / count)
    size = params.noise_size * count * lognormal(m.rng, -0.5 * spread, math.sqrt(spread))
    price = consume_book(m, params, -1, sign, size, t)
    before = 0.0
    for v in range(m.count):
        part = size * (params.shares[v] - before)
        before = params.shares[v]
        account = choose_maker(m, v, sign * part)
        execute(m, params, v, sign, part, price, t, step, tape)
        change_inventory(m, v, account, sign * part)


@njit
def _kind(m: State, params: Params) -> int:
    gamblers = params.mix[0] * math.exp(0.5 * m.regimes[HEAT])
    u = uniform(m.rng) * (gamblers + params.mix[1] + params.mix[2])
    if u < gamblers:
        return 0
    return 1 if u < gamblers + params.mix[1] else 2


@njit
def _side(m: State, params: Params, kind: int) -> int:
    """Return the side of an opener: the crowd follows sentiment and trend, funds go against it."""
    sentiment = m.regimes[SENTIMENT]
    crowd = 0.35 * params.momentum * momentum(m) + 0.8 * sentiment
    score = -0.2 * sentiment if kind == 2 else crowd
    return 1 if uniform(m.rng) < 1 / (1 + math.exp(-score)) else -1


@njit
def _leverage(m: State, kind: int, side: int) -> float:
    """Return a leverage; the mix tilts slowly, and towards the side sentiment favours."""
    tilt = 0.6 * m.regimes[LEVERAGE] + 0.2 * side * m.regimes[SENTIMENT]
    pivot = math.log(SETTINGS[kind, 2])
    weights = np.empty(6)
    whole = 0.0
    for k in range(6):
        weights[k] = CHOSEN[kind, k] * math.exp(tilt * (math.log(SETTINGS[kind, k]) - pivot))
        whole += weights[k]
    left = uniform(m.rng) * whole
    k = 0
    while k < 5 and left >= weights[k]:
        left -= weights[k]
        k += 1
    return SETTINGS[kind, k]


@njit
def open_positions(
    m: State, params: Params, pace: Pace, t: float, step: int, tape: Records
) -> None:
    """Open positions of new traders, or queue them; more in waves and after moves."""
    turbulence = math.exp(m.regimes[TURBULENCE])
    eager = 0.6 + 0.4 * turbulence + 0.3 * abs(momentum(m))
    rate = params.open_rate * eager * math.exp(m.regimes[OPENING] - _WAVE)
    r = m.rng
    for _ in range(poisson(r, rate * pace.tick)):
        venue = _venue(m, params)
        kind = _kind(m, params)
        side = _side(m, params, kind)
        leverage = _leverage(m, kind, side)
        notional = min(_LARGEST, _NOTIONAL[kind] * lognormal(r, 0.0, _NOTIONAL_SPREAD[kind]))
        cross = 0 if uniform(r) < _ISOLATED[kind] else 1
        size = notional / price_at(m.mid)
        if uniform(r) < params.patience or size > _BLOCK:
            queue_open_order(m, venue, side, size, kind, leverage, cross, t)
        elif m.room > 0:
            price = market_order(m, params, venue, side, size, t, step, tape)
            open_position(m, params, venue, side, size, price, kind, leverage, cross, t)
        else:
            m.refused += 1


@njit
def review_positions(
    m: State, params: Params, pace: Pace, t: float, step: int, tape: Records
) -> None:
    """Let the owners whose turn it is decide; all have a turn in each visit interval."""
    for v in range(m.count):
        m.venues[v].price = price_at(m.venues[v].mark)
    m.visits += m.top * pace.looks
    while m.visits >= 1.0:
        m.visits -= 1.0
        i = m.cursor
        m.cursor = i + 1 if i + 1 < m.top else 0
        if m.positions[i].status != CLOSED:
            _decide(m, params, pace, i, t, step, tape)


@njit
def _closing_probability(p: Records, price: float, pace: Pace) -> float:
    """Return the probability to close now: higher for winners, lower for losers, high at targets.

    The return on margin is compared without dividing by the entry: this is the hottest line of
    the kernel.
    """
    gain = p.side * (price - p.entry) * p.leverage
    if gain > p.target * p.entry:
        each = 0.5
    else:
        each = p.close_rate
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
def _decide(
    m: State, params: Params, pace: Pace, i: int, t: float, step: int, tape: Records
) -> None:
    """Let one owner close, close half, add margin or wait: one draw serves all four."""
    p = m.positions[i]
    venue = m.venues[p.venue]
    probability = _closing_probability(p, venue.price, pace)
    u = uniform(m.rng)
    if u < probability:
        if uniform(m.rng) < params.patience:
            queue_close_order(m, i, t)
        else:
            close_at_market(m, params, i, p.size, t, step, tape)
        return
    u -= probability
    if u < pace.halve:
        close_at_market(m, params, i, 0.5 * p.size, t, step, tape)
        if p.status == CLOSED:
            return
    _manage_margin(m, pace, i, abs(p.trigger - venue.mark) * TICK)
    if p.cross and pace.halve <= u < pace.halve + pace.drift * (1.0 - probability):
        p.extra = max(0.0, p.extra + pace.swing * p.margin * normal(m.rng))
        update_trigger(m, i)


@njit
def _manage_margin(m: State, pace: Pace, i: int, distance: float) -> None:
    """Let an owner near liquidation add margin."""
    p = m.positions[i]
    r = m.rng
    if p.topup and distance * p.leverage < 0.4 and uniform(r) < pace.topup:
        p.margin += p.size * p.entry / p.leverage * (0.3 + 0.7 * uniform(r))
        update_trigger(m, i)
        p.topup = 1 if uniform(r) < 0.6 else 0
