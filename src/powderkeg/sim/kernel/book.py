"""The limit order book, its market makers, and the resting orders of traders.

One book for all venues, since they share one price: the depth of a rung is a function of its
distance from the mid, less what was consumed and has not refilled. The counterparties are per
venue: first its waiting traders up to a share, then its market makers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from powderkeg.sim.kernel.positions import (
    HOLD,
    NEVER,
    increase_position,
    open_position,
    reduce_position,
)
from powderkeg.sim.kernel.rng import below
from powderkeg.sim.kernel.state import (
    CLOSED,
    EDGE,
    MAKERS,
    QUEUE,
    RESTING,
    TICK,
    TICKS,
    Params,
    Reals,
    Records,
    State,
    price_at,
)

REACH: Final = 6_000
"""Rungs one order can consume: 30 %. The rest is filled by the makers at the last price."""
SHAPE: Final[Reals] = 0.35 + 0.65 * (np.arange(1, REACH + 1) / 200.0) ** 0.16
"""Depth against distance: nearly flat, so impact grows a little slower than size."""
_REFILLED: Final = 14.0
"""Refill times after which consumed depth is back (to one millionth)."""
_DUST: Final = 1e-12
_SIZE_EPS: Final = 1e-9
_YIELD: Final = 0.15
"""Share of a level that is taken from an actor's order for each rung that news would have moved."""
WAIT: Final = 900.0
"""Seconds an order waits before its owner cancels it or pays the spread."""


@njit
def change_inventory(m: State, venue: int, maker: int, size: float) -> None:
    """Change a maker's signed inventory, and open interest by the change of its long part."""
    old = m.makers[venue, maker]
    new = old + size
    m.makers[venue, maker] = new
    m.venues[venue].oi += max(new, 0.0) - max(old, 0.0)


@njit
def choose_maker(m: State, venue: int, size: float) -> int:
    """Return of three random makers the one whose inventory most favours this signed size."""
    best = below(m.rng, MAKERS)
    for _ in range(2):
        other = below(m.rng, MAKERS)
        if m.makers[venue, other] * size < m.makers[venue, best] * size:
            best = other
    return best


@njit
def _take_resting(m: State, venue: int, rung: int, sign: int, size: float) -> float:
    """Take up to `size` from a book actor's order at a rung; return how much was taken."""
    k = m.resting_at[rung]
    if k == 0 or m.resting[k - 1].side != sign:
        return 0.0
    order = m.resting[k - 1]
    part = min(order.size, size)
    order.size -= part
    if order.venue != venue:
        order.hedged += part
    return part


@njit
def _stop_at_resting(m: State, rung: int, sign: int) -> None:
    """Keep last from going beyond a book actor's order that still stands at a rung."""
    k = m.resting_at[rung]
    stands = k > 0 and m.resting[k - 1].side == sign and m.resting[k - 1].size > 0.0
    if stands and sign * (m.mid - rung) > 0.0:
        m.mid = rung


@njit
def consume_book(m: State, params: Params, venue: int, sign: int, size: float, t: float) -> float:
    """Take `size` from the book for a taker at `venue`, move last, and return the average price."""
    start = round(m.mid)
    price = price_at(m.mid)
    growth = math.exp(sign * TICK)
    full = params.depth * m.thin
    left = size
    paid = 0.0
    rung = start
    for distance in range(REACH):
        if m.standing > 0:
            part = _take_resting(m, venue, rung, sign, left)
            left -= part
            paid += part * price_at(rung)
            if left <= _DUST:
                break
        eaten = m.eaten[rung]
        if eaten > 0.0:
            age = (t - m.eaten_at[rung]) / params.refill
            eaten = eaten * math.exp(-age) if age < _REFILLED else 0.0
        free = full * SHAPE[distance] - eaten
        if free > 0.0:
            part = min(free, left)
            m.eaten[rung] = eaten + part
            m.eaten_at[rung] = t
            left -= part
            paid += part * price
            if left <= _DUST:
                break
        rung += sign
        price *= growth
        if rung < EDGE or rung > TICKS - EDGE:
            break
    m.mid += rung - start
    if m.standing > 0:
        _stop_at_resting(m, rung, sign)
    m.low = min(m.low, m.mid)
    m.high = max(m.high, m.mid)
    return (paid + max(left, 0.0) * price) / size


@njit
def _is_current(m: State, order: Records) -> bool:
    """Return whether an order's position slot still holds the same position."""
    p = m.positions[order.slot]
    return p.status != CLOSED and p.serial == order.serial


@njit
def _release_owner(m: State, order: Records) -> None:
    """Let the owner of a finished closing order decide to close again if the position remains."""
    if order.closing and _is_current(m, order):
        p = m.positions[order.slot]
        p.close_rate = 60.0 / HOLD[p.kind]


@njit
def _queue(m: State, venue: int, sign: int, size: float, t: float) -> Records:
    """Return the row of a new waiting order; the oldest is dropped from a full queue."""
    k = 0 if sign > 0 else 1
    ends = m.ends[venue, k]
    if ends[1] - ends[0] >= QUEUE:
        m.dropped += 1
        _release_owner(m, m.waiting[venue, k, ends[0] % QUEUE])
        ends[0] += 1
    row = m.waiting[venue, k, ends[1] % QUEUE]
    ends[1] += 1
    row.size = size
    row.placed = t
    return row


@njit
def queue_open_order(
    m: State, venue: int, side: int, size: float, kind: int, leverage: float, cross: int, t: float
) -> None:
    """Queue an order that will open a position when it is filled."""
    row = _queue(m, venue, side, size, t)
    row.closing = 0
    row.slot = -1
    row.serial = -1
    row.kind = kind
    row.leverage = leverage
    row.cross = cross


@njit
def queue_close_order(m: State, i: int, t: float) -> None:
    """Queue an order that closes a whole position; its owner makes no further decisions on it."""
    p = m.positions[i]
    row = _queue(m, p.venue, -p.side, p.size, t)
    row.closing = 1
    row.slot = i
    row.serial = p.serial
    p.close_rate = 0.0
    p.target = NEVER


@njit
def _fill_closing(m: State, order: Records, size: float) -> float:
    if not _is_current(m, order):
        return 0.0
    size = min(size, m.positions[order.slot].size)
    reduce_position(m, order.slot, size)
    return size


@njit
def _fill_opening(
    m: State,
    params: Params,
    venue: int,
    sign: int,
    order: Records,
    size: float,
    price: float,
    t: float,
) -> float:
    """Open a position on an order's first fill, and add to it on the next."""
    if order.slot < 0:
        order.slot = open_position(
            m, params, venue, sign, size, price, order.kind, order.leverage, order.cross, t
        )
        if order.slot < 0:
            return 0.0
        order.serial = m.positions[order.slot].serial
        return size
    if not _is_current(m, order):
        return 0.0
    increase_position(m, order.slot, size, price)
    return size


@njit
def fill_waiting(
    m: State, params: Params, venue: int, sign: int, size: float, price: float, t: float
) -> float:
    """Fill waiting traders who want to trade `sign`, oldest first; return how much they took."""
    done = 0.0
    ends = m.ends[venue, 0 if sign > 0 else 1]
    while done < size - _DUST and ends[0] < ends[1]:
        order = m.waiting[venue, 0 if sign > 0 else 1, ends[0] % QUEUE]
        part = min(order.size, size - done)
        if order.closing:
            got = _fill_closing(m, order, part)
        else:
            got = _fill_opening(m, params, venue, sign, order, part, price, t)
        done += got
        order.size -= got
        if got <= 0.0 or got < part or order.size < _SIZE_EPS:
            _release_owner(m, order)
            ends[0] += 1
    return done


@njit
def _print(
    m: State, venue: int, sign: int, size: float, price: float, step: int, tape: Records
) -> None:
    """Count a taker's size at a venue and write it on the tape."""
    if sign > 0:
        m.venues[venue].buy += size
    else:
        m.venues[venue].sell += size
    if m.prints < tape.shape[0]:
        row = tape[m.prints]
        row.step = step
        row.price = price
        row.size = sign * size
        row.venue = venue
        m.prints += 1
    elif tape.shape[0] > 0:
        m.lost += 1


@njit
def execute(
    m: State,
    params: Params,
    venue: int,
    sign: int,
    size: float,
    price: float,
    t: float,
    step: int,
    tape: Records,
) -> None:
    """Match a taker at one venue, and print the trade."""
    given = fill_waiting(m, params, venue, -sign, params.waiting_share * size, price, t)
    rest = -sign * (size - given)
    change_inventory(m, venue, choose_maker(m, venue, rest), rest)
    _print(m, venue, sign, size, price, step, tape)


@njit
def market_order(
    m: State, params: Params, venue: int, sign: int, size: float, t: float, step: int, tape: Records
) -> float:
    """Execute a market order and return the average price."""
    price = consume_book(m, params, venue, sign, size, t)
    execute(m, params, venue, sign, size, price, t, step, tape)
    return price


@njit
def actor_order(
    m: State, params: Params, venue: int, size: float, t: float, step: int, tape: Records
) -> None:
    """Execute a signed market order of a book actor.

    Both sides of what actors trade count as actors: open interest and inventories stay as they
    are, or a burst would decide for minutes on which side fast accounts trade.
    """
    sign = 1 if size > 0.0 else -1
    price = consume_book(m, params, venue, sign, abs(size), t)
    _print(m, venue, sign, abs(size), price, step, tape)


@njit
def hedge_takers(m: State, step: int, tape: Records) -> None:
    """Print at the orders of book actors what takers of other venues took from them.

    All venues share one price, so who was sold to at one venue sells to the order at the other.
    """
    for k in range(RESTING):
        order = m.resting[k]
        if order.hedged > 0.0:
            price = price_at(order.rung)
            _print(m, order.venue, order.side, order.hedged, price, step, tape)
            order.hedged = 0.0


@njit
def hold_price(m: State, params: Params, before: float, step: int, tape: Records) -> None:
    """Let news move last from `before` only as far as an order of a book actor stands.

    Takers who know the news take from the order instead: a part of what the rest of the move would
    have cost in the ordinary book, most of which is quoted away.
    """
    sign = 1 if m.mid > before else -1
    rung = math.ceil(before) if sign > 0 else math.floor(before)
    level = _YIELD * params.depth * m.thin * SHAPE[0]
    while sign * (m.mid - rung) > 0.0:
        k = m.resting_at[rung]
        if k > 0 and m.resting[k - 1].side == sign and m.resting[k - 1].size > 0.0:
            order = m.resting[k - 1]
            part = min(order.size, sign * (m.mid - rung) * level)
            order.size -= part
            m.mid = rung if order.size > 0.0 else m.mid - sign * part / level
            _print(m, order.venue, sign, part, price_at(rung), step, tape)
        rung += sign
    m.low = m.mid
    m.high = m.mid


@njit
def close_at_market(
    m: State, params: Params, i: int, size: float, t: float, step: int, tape: Records
) -> float:
    """Close part of a position with a market order; return the average price."""
    p = m.positions[i]
    venue = p.venue
    sign = -p.side
    size = min(size, p.size)
    reduce_position(m, i, size)
    return market_order(m, params, venue, sign, size, t, step, tape)


@njit
def expire_orders(
    m: State, params: Params, venue: int, k: int, t: float, step: int, tape: Records
) -> None:
    """Cancel orders that waited too long; closing ones become market orders instead."""
    ends = m.ends[venue, k]
    while ends[0] < ends[1]:
        order = m.waiting[venue, k, ends[0] % QUEUE]
        if t - order.placed <= WAIT:
            return
        ends[0] += 1
        if order.closing and _is_current(m, order):
            close_at_market(m, params, order.slot, order.size, t, step, tape)
            _release_owner(m, order)
