"""Forced changes of positions: stops, liquidation, funding."""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from powderkeg.sim.kernel.book import close_at_market, market_order
from powderkeg.sim.kernel.positions import (
    bankruptcy_price,
    end_staging,
    is_triggered,
    reduce_position,
    start_staging,
    update_trigger,
)
from powderkeg.sim.kernel.state import CLOSED, STAGED, Params, Records, State, price_at

_LIMIT: Final = 40
"""Slippage limit of a stop-limit order in rungs: 20 bp."""
_BIG: Final = 600_000.0
"""Notional above which a position is liquidated in parts."""
_PART: Final = 0.25
_LEAST: Final = 200_000.0
"""Minimum notional of a part."""
_PAUSE: Final = 1.0
"""Seconds between parts."""
_DUST: Final = 1e-9
_MIN_MARGIN: Final = 1e-6


@njit
def _run_stops_at(
    m: State, params: Params, k: int, rung: int, t: float, step: int, tape: Records
) -> None:
    i = m.stops[k, rung]
    while i >= 0:
        close_at_market(m, params, i, m.positions[i].size, t, step, tape)
        i = m.stops[k, rung]


@njit
def run_stops(m: State, params: Params, t: float, step: int, tape: Records) -> None:
    """Close every position whose stop last has reached in this step, with a market order.

    The range is the one the phase begins with: what a stop triggers waits for the next step. Stops
    are stop-limits: one that last jumped over by more than `_LIMIT` rests until last is back. With
    plain stop-market orders a cascade would run to 20 % in a minute, which no market has shown.
    """
    low = math.ceil(m.low)
    high = math.floor(m.high)
    for rung in range(high + _LIMIT, low - 1, -1):
        _run_stops_at(m, params, 0, rung, t, step, tape)
    for rung in range(low - _LIMIT, high + 1):
        _run_stops_at(m, params, 1, rung, t, step, tape)


@njit
def _record_close(
    m: State, p: Records, size: float, mark: float, step: int, liquidation_rows: Records
) -> int:
    """Record a forced close before it happens; return its row, or -1 without room."""
    n = m.liquidation_rows
    if n >= liquidation_rows.shape[0]:
        m.lost += 1
        return -1
    m.liquidation_rows += 1
    d = liquidation_rows[n]
    d.step = step
    d.venue = p.venue
    d.side = p.side
    d.size = size
    d.bankruptcy = bankruptcy_price(p)
    d.trigger = price_at(p.trigger)
    d.mark = price_at(mark)
    d.entry = p.entry
    d.margin = p.margin + p.extra
    d.held = p.size
    d.leverage = p.leverage
    d.opened = p.opened
    d.kind = p.kind
    d.cross = p.cross
    return n


@njit
def _force_close(
    m: State,
    params: Params,
    i: int,
    size: float,
    mark: float,
    t: float,
    step: int,
    tape: Records,
    liquidation_rows: Records,
) -> None:
    """Close `size` of a position against the book."""
    p = m.positions[i]
    venue = p.venue
    sign = -p.side
    row = _record_close(m, p, size, mark, step, liquidation_rows)
    reduce_position(m, i, size)
    fill = market_order(m, params, venue, sign, size, t, step, tape)
    if row >= 0:
        liquidation_rows[row].fill = fill


@njit
def _part_size(p: Records, price: float) -> float:
    return min(p.size, max(_PART * p.size, _LEAST / price))


@njit
def _next_parts(
    m: State, params: Params, i: int, t: float, step: int, tape: Records, liquidation_rows: Records
) -> bool:
    """Liquidate the parts of a staged position that are due; return whether it stays staged."""
    p = m.positions[i]
    venue = m.venues[p.venue]
    while p.status == STAGED and t - p.stage >= _PAUSE:
        if not is_triggered(p, round(venue.low), round(venue.high)):
            end_staging(m, i)
            return False
        mark = venue.low if p.side > 0 else venue.high
        p.stage += _PAUSE
        _force_close(
            m, params, i, _part_size(p, price_at(mark)), mark, t, step, tape, liquidation_rows
        )
    return p.status == STAGED


@njit
def _continue_staged(
    m: State, params: Params, t: float, step: int, tape: Records, liquidation_rows: Records
) -> None:
    count = m.staging
    kept = 0
    for z in range(count):
        i = m.staged[z]
        if m.positions[i].status == STAGED and _next_parts(
            m, params, i, t, step, tape, liquidation_rows
        ):
            m.staged[kept] = i
            kept += 1
    m.staging = kept


@njit
def _liquidate(
    m: State,
    params: Params,
    i: int,
    mark: float,
    t: float,
    step: int,
    tape: Records,
    liquidation_rows: Records,
) -> None:
    """Liquidate a position: at once if small, else its first part."""
    p = m.positions[i]
    price = price_at(mark)
    size = p.size
    if size * price > _BIG:
        size = _part_size(p, price)
    if size >= p.size - _DUST:
        size = p.size
    else:
        start_staging(m, i, t)
        m.staged[m.staging] = i
        m.staging += 1
    _force_close(m, params, i, size, mark, t, step, tape, liquidation_rows)


@njit
def _sweep(
    m: State,
    params: Params,
    k: int,
    v: int,
    t: float,
    step: int,
    tape: Records,
    liquidation_rows: Records,
) -> int:
    """Liquidate all of one side at one venue whose trigger was reached; return how many."""
    side = 1 if k == 0 else -1
    mark = m.venues[v].low if k == 0 else m.venues[v].high
    rung = round(mark)
    count = 0
    while side * (m.frontier[k, v] - rung) >= 0:
        i = m.triggers[k, v, m.frontier[k, v]]
        if i >= 0:
            _liquidate(m, params, i, mark, t, step, tape, liquidation_rows)
            count += 1
        else:
            m.frontier[k, v] -= side
    return count


@njit
def run_liquidations(
    m: State, params: Params, t: float, step: int, tape: Records, liquidation_rows: Records
) -> None:
    """Liquidate until no open position's trigger is on the wrong side of its venue's mark.

    More than one round is needed: a forced sale may fill a waiting trader into a position that
    the mark has already passed.
    """
    _continue_staged(m, params, t, step, tape, liquidation_rows)
    count = 1
    while count > 0:
        count = 0
        for v in range(m.count):
            count += _sweep(m, params, 0, v, t, step, tape, liquidation_rows)
            count += _sweep(m, params, 1, v, t, step, tape, liquidation_rows)


@njit
def pay_funding(m: State) -> None:
    """Pay funding from margin; in cross accounts from the rest of the account."""
    m.funding = m.rate
    for i in range(m.top):
        p = m.positions[i]
        if p.status == CLOSED:
            continue
        due = p.side * m.rate * p.size * price_at(m.venues[p.venue].mark)
        if p.cross:
            p.extra = max(0.0, p.extra - due)
        else:
            p.margin = max(_MIN_MARGIN, p.margin - due)
        update_trigger(m, i)
