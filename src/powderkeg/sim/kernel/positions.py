"""Positions, their margin, and the trigger lists by liquidation price.

The margin arithmetic is deliberately not shared with the engine that is evaluated on this market.
A long of size q and entry E with margin M behind it has equity M + q (P - E). It is liquidated when
that falls to the maintenance q P m, and is bankrupt at zero.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from powderkeg.sim.kernel.rng import lognormal, uniform
from powderkeg.sim.kernel.state import (
    BASE,
    CLOSED,
    FAR,
    OPEN,
    STAGED,
    TICK,
    TICKS,
    Params,
    Records,
    State,
    rung_of,
)

FEE: Final = 0.0005
"""The closing fee counts against equity like maintenance does."""
_LOWEST: Final = BASE * math.exp(-FAR * TICK)
_HIGHEST: Final = BASE * math.exp(FAR * TICK)
_UNREACHABLE: Final = 500
"""Rung for triggers out of reach, from either end of the ladder."""
_DUST: Final = 1e-12

HOLD: Final = (3 * 3600.0, 30 * 3600.0, 100 * 3600.0)
"""Median holding time in seconds of gamblers, swing traders and funds."""
HOLD_SPREAD: Final = (1.2, 1.1, 1.0)
_STOPPED: Final = (0.25, 0.35, 0.30)
"""Share with a stop loss."""
_TOPPED: Final = (0.15, 0.25, 0.50)
"""Share that adds margin when liquidation comes near."""
NEVER: Final = 1e9


@njit
def maintenance(notional: float) -> float:
    """Return the maintenance rate of a position's size, as the first tiers of large venues."""
    if notional < 50_000:
        return 0.004
    if notional < 600_000:
        return 0.005
    if notional < 3_000_000:
        return 0.01
    return 0.025


@njit
def trigger_price(p: Records) -> float:
    """Return the mark at which a position is liquidated; may be negative for a cross long."""
    rate = p.maintenance + FEE
    backing = p.margin + p.extra
    return (p.entry * p.size - p.side * backing) / (p.size * (1 - p.side * rate))


@njit
def bankruptcy_price(p: Records) -> float:
    """Return the price at which a position's equity is zero."""
    return p.entry - p.side * (p.margin + p.extra) / p.size


@njit
def _trigger_rung(price: float) -> int:
    if price < _LOWEST:
        return _UNREACHABLE
    if price > _HIGHEST:
        return TICKS - _UNREACHABLE
    return round(rung_of(price))


@njit
def link(m: State, i: int) -> None:
    """Put a position on the trigger list of its rung."""
    p = m.positions[i]
    k = 0 if p.side > 0 else 1
    heads = m.triggers[k, p.venue]
    first = heads[p.trigger]
    p.after = first
    p.before = -1
    if first >= 0:
        m.positions[first].before = i
    heads[p.trigger] = i
    if p.side * (p.trigger - m.frontier[k, p.venue]) > 0:
        m.frontier[k, p.venue] = p.trigger


@njit
def unlink(m: State, i: int) -> None:
    """Remove a position from its trigger list."""
    p = m.positions[i]
    if p.before >= 0:
        m.positions[p.before].after = p.after
    else:
        m.triggers[0 if p.side > 0 else 1, p.venue, p.trigger] = p.after
    if p.after >= 0:
        m.positions[p.after].before = p.before


@njit
def _link_stop(m: State, i: int, rung: int) -> None:
    p = m.positions[i]
    k = 0 if p.side > 0 else 1
    first = m.stops[k, rung]
    p.stop = rung
    p.stop_after = first
    p.stop_before = -1
    if first >= 0:
        m.positions[first].stop_before = i
    m.stops[k, rung] = i


@njit
def _unlink_stop(m: State, i: int) -> None:
    p = m.positions[i]
    if p.stop_before >= 0:
        m.positions[p.stop_before].stop_after = p.stop_after
    else:
        m.stops[0 if p.side > 0 else 1, p.stop] = p.stop_after
    if p.stop_after >= 0:
        m.positions[p.stop_after].stop_before = p.stop_before
    p.stop = -1


@njit
def update_trigger(m: State, i: int) -> None:
    """Move a position to the rung of its current liquidation price."""
    p = m.positions[i]
    rung = _trigger_rung(trigger_price(p))
    if rung == p.trigger:
        return
    if p.status == OPEN:
        unlink(m, i)
        p.trigger = rung
        link(m, i)
    else:
        p.trigger = rung


@njit
def _place_stop(m: State, params: Params, i: int) -> None:
    """Give some positions a stop at a loss of 30 to 80 % of their margin, before the trigger."""
    p = m.positions[i]
    if not params.stops or uniform(m.rng) >= _STOPPED[p.kind]:
        return
    loss = 0.3 + 0.5 * uniform(m.rng)
    rung = round(rung_of(p.entry * (1 - p.side * loss / p.leverage)))
    if p.side * (rung - p.trigger) > 0 and p.side * (rung_of(p.entry) - rung) > 0:
        _link_stop(m, i, rung)


@njit
def _set_habits(m: State, params: Params, i: int) -> None:
    """Draw a trader's behaviour: holding time, target, readiness to add margin, and stop."""
    p = m.positions[i]
    r = m.rng
    p.close_rate = 60.0 / (HOLD[p.kind] * lognormal(r, 0.0, HOLD_SPREAD[p.kind]))
    p.target = 0.3 * lognormal(r, 0.3, 0.7) if uniform(r) < 0.5 else NEVER
    p.topup = 1 if uniform(r) < _TOPPED[p.kind] * params.topups else 0
    _place_stop(m, params, i)


@njit
def open_position(
    m: State,
    params: Params,
    venue: int,
    side: int,
    size: float,
    price: float,
    kind: int,
    leverage: float,
    cross: int,
    t: float,
) -> int:
    """Open a position and return its slot, or -1 (and count it) where none is free."""
    if m.room <= 0:
        m.refused += 1
        return -1
    m.room -= 1
    i = m.free[m.room]
    m.top = max(m.top, i + 1)
    m.serial += 1
    p = m.positions[i]
    p.serial = m.serial
    p.venue = venue
    p.side = side
    p.size = size
    p.entry = price
    p.kind = kind
    p.leverage = leverage
    p.cross = cross
    p.margin = size * price / leverage
    p.extra = p.margin * lognormal(m.rng, 0.3, 0.9) if cross else 0.0
    p.maintenance = maintenance(size * price)
    p.opened = t
    p.stop = -1
    p.status = OPEN
    p.trigger = _trigger_rung(trigger_price(p))
    link(m, i)
    _set_habits(m, params, i)
    if side > 0:
        m.venues[venue].oi += size
    return i


@njit
def increase_position(m: State, i: int, size: float, price: float) -> None:
    """Add to a position at its leverage, averaging the entry."""
    p = m.positions[i]
    whole = p.size + size
    p.entry = (p.entry * p.size + price * size) / whole
    p.margin += size * price / p.leverage
    p.extra *= whole / p.size
    p.size = whole
    p.maintenance = maintenance(whole * price)
    if p.side > 0:
        m.venues[p.venue].oi += size
    update_trigger(m, i)


@njit
def _remove_position(m: State, i: int) -> None:
    p = m.positions[i]
    if p.status == OPEN:
        unlink(m, i)
    if p.stop >= 0:
        _unlink_stop(m, i)
    p.status = CLOSED
    m.free[m.room] = i
    m.room += 1


@njit
def reduce_position(m: State, i: int, size: float) -> None:
    """Close `size` of a position; the caller handles the counterparty.

    The rest of a cross account stays behind what is left, so its trigger moves away.
    """
    p = m.positions[i]
    whole = size >= p.size - _DUST
    if whole:
        size = p.size
    if p.side > 0:
        m.venues[p.venue].oi -= size
    if whole:
        _remove_position(m, i)
        return
    left = 1 - size / p.size
    p.margin *= left
    if p.cross == 0:
        p.extra *= left
    p.size -= size
    update_trigger(m, i)


@njit
def start_staging(m: State, i: int, t: float) -> None:
    """Remove a big position from the lists, to be liquidated in parts."""
    unlink(m, i)
    p = m.positions[i]
    p.status = STAGED
    p.stage = t


@njit
def end_staging(m: State, i: int) -> None:
    """Put a position that is safe again back on the lists."""
    m.positions[i].status = OPEN
    link(m, i)


@njit
def is_triggered(p: Records, low: int, high: int) -> bool:
    """Return whether a mark that ranged from `low` to `high` has reached a position's trigger."""
    if p.side > 0:
        return low <= p.trigger
    return high >= p.trigger
