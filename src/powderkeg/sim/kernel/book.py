"""The limit order book, its market makers, and the traders who wait in it.

One book for all venues, since they share one price: a rung holds what its distance from the mid
lets it hold, less what was eaten and has not come back. Who gives is the venue's own affair: first
its waiting traders up to a share, then its market makers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from powderkeg.sim.kernel.positions import (
    HOLD,
    NEVER,
    grow_position,
    open_position,
    reduce_position,
)
from powderkeg.sim.kernel.rng import below
from powderkeg.sim.kernel.state import (
    CLOSED,
    EDGE,
    MAKERS,
    QUEUE,
    TICK,
    TICKS,
    Laws,
    Reals,
    Records,
    State,
    price_at,
)

REACH: Final = 6_000
"""Rungs one order can eat through: 30 %. What is left then goes to the makers at the last price."""
SHAPE: Final[Reals] = 0.35 + 0.65 * (np.arange(1, REACH + 1) / 200.0) ** 0.16
"""Depth against distance: nearly flat, so impact grows a little slower than size."""
_HEALED: Final = 14.0
"""Refill times after which nothing of a bite is left (one millionth)."""
_DUST: Final = 1e-12
_CRUMB: Final = 1e-9
WAIT: Final = 900.0
"""Seconds an order waits before its owner gives up or pays the spread."""


@njit
def hold(m: State, venue: int, maker: int, size: float) -> None:
    """Change a maker's signed inventory, and open interest by what its long part changes."""
    old = m.makers[venue, maker]
    new = old + size
    m.makers[venue, maker] = new
    m.venues[venue].oi += max(new, 0.0) - max(old, 0.0)


@njit
def willing(m: State, venue: int, size: float) -> int:
    """Return of three makers the one whose inventory most wants this signed size."""
    best = below(m.chance, MAKERS)
    for _ in range(2):
        other = below(m.chance, MAKERS)
        if m.makers[venue, other] * size < m.makers[venue, best] * size:
            best = other
    return best


@njit
def eat(m: State, law: Laws, sign: int, size: float, t: float) -> float:
    """Take `size` from the book, move last, and return the average price."""
    start = round(m.mid)
    price = price_at(m.mid)
    growth = math.exp(sign * TICK)
    full = law.depth * m.thin
    left = size
    paid = 0.0
    rung = start
    for distance in range(REACH):
        eaten = m.eaten[rung]
        if eaten > 0.0:
            age = (t - m.eaten_at[rung]) / law.refill
            eaten = eaten * math.exp(-age) if age < _HEALED else 0.0
        free = full * SHAPE[distance] - eaten
        if free > 0.0:
            bite = min(free, left)
            m.eaten[rung] = eaten + bite
            m.eaten_at[rung] = t
            left -= bite
            paid += bite * price
            if left <= _DUST:
                break
        rung += sign
        price *= growth
        if rung < EDGE or rung > TICKS - EDGE:
            break
    m.mid += rung - start
    m.low = min(m.low, m.mid)
    m.high = max(m.high, m.mid)
    return (paid + max(left, 0.0) * price) / size


@njit
def _belongs(m: State, order: Records) -> bool:
    """Return whether the position an order speaks of is still the same one."""
    p = m.positions[order.slot]
    return p.alive != CLOSED and p.serial == order.serial


@njit
def _free_owner(m: State, order: Records) -> None:
    """Let a trader whose closing order is done but not the position think of closing again."""
    if order.closing and _belongs(m, order):
        p = m.positions[order.slot]
        p.haste = 60.0 / HOLD[p.kind]


@njit
def _queue(m: State, venue: int, sign: int, size: float, t: float) -> Records:
    """Return the row of a new waiting order; the oldest is dropped from a full queue."""
    k = 0 if sign > 0 else 1
    ends = m.ends[venue, k]
    if ends[1] - ends[0] >= QUEUE:
        m.dropped += 1
        _free_owner(m, m.waiting[venue, k, ends[0] % QUEUE])
        ends[0] += 1
    row = m.waiting[venue, k, ends[1] % QUEUE]
    ends[1] += 1
    row.size = size
    row.placed = t
    return row


@njit
def wait_to_open(
    m: State, venue: int, side: int, size: float, kind: int, leverage: float, cross: int, t: float
) -> None:
    """Queue an order that will open a position when it is met."""
    row = _queue(m, venue, side, size, t)
    row.closing = 0
    row.slot = -1
    row.serial = -1
    row.kind = kind
    row.leverage = leverage
    row.cross = cross


@njit
def wait_to_close(m: State, i: int, t: float) -> None:
    """Queue an order that closes a whole position, whose owner then stops thinking of it."""
    p = m.positions[i]
    row = _queue(m, p.venue, -p.side, p.size, t)
    row.closing = 1
    row.slot = i
    row.serial = p.serial
    p.haste = 0.0
    p.target = NEVER


@njit
def _fill_closing(m: State, order: Records, size: float) -> float:
    if not _belongs(m, order):
        return 0.0
    size = min(size, m.positions[order.slot].size)
    reduce_position(m, order.slot, size)
    return size


@njit
def _fill_opening(
    m: State, law: Laws, venue: int, sign: int, order: Records, size: float, price: float, t: float
) -> float:
    """Open a position on an order's first fill, and add to it on the next."""
    if order.slot < 0:
        order.slot = open_position(
            m, law, venue, sign, size, price, order.kind, order.leverage, order.cross, t
        )
        if order.slot < 0:
            return 0.0
        order.serial = m.positions[order.slot].serial
        return size
    if not _belongs(m, order):
        return 0.0
    grow_position(m, order.slot, size, price)
    return size


@njit
def fill_waiting(
    m: State, law: Laws, venue: int, sign: int, size: float, price: float, t: float
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
            got = _fill_opening(m, law, venue, sign, order, part, price, t)
        done += got
        order.size -= got
        if got <= 0.0 or got < part or order.size < _CRUMB:
            _free_owner(m, order)
            ends[0] += 1
    return done


@njit
def settle(
    m: State,
    law: Laws,
    venue: int,
    sign: int,
    size: float,
    price: float,
    t: float,
    step: int,
    tape: Records,
) -> None:
    """Give a taker his other side at one venue, and print the trade."""
    if sign > 0:
        m.venues[venue].buy += size
    else:
        m.venues[venue].sell += size
    given = fill_waiting(m, law, venue, -sign, law.waiting_share * size, price, t)
    rest = -sign * (size - given)
    hold(m, venue, willing(m, venue, rest), rest)
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
def take(
    m: State, law: Laws, venue: int, sign: int, size: float, t: float, step: int, tape: Records
) -> float:
    """Trade `size` at once and return the average price."""
    price = eat(m, law, sign, size, t)
    settle(m, law, venue, sign, size, price, t, step, tape)
    return price


@njit
def close_at_once(
    m: State, law: Laws, i: int, size: float, t: float, step: int, tape: Records
) -> float:
    """Close part of a position by taking; return the average price."""
    p = m.positions[i]
    venue = p.venue
    sign = -p.side
    size = min(size, p.size)
    reduce_position(m, i, size)
    return take(m, law, venue, sign, size, t, step, tape)


@njit
def give_up(m: State, law: Laws, venue: int, k: int, t: float, step: int, tape: Records) -> None:
    """Drop orders that waited too long; those that close pay the spread instead."""
    ends = m.ends[venue, k]
    while ends[0] < ends[1]:
        order = m.waiting[venue, k, ends[0] % QUEUE]
        if t - order.placed <= WAIT:
            return
        ends[0] += 1
        if order.closing and _belongs(m, order):
            close_at_once(m, law, order.slot, order.size, t, step, tape)
            _free_owner(m, order)
