"""The kernel: advances the market tick by tick, in the order things happen at a venue.

Trap when editing a kernel: numba's cache checks only this file, not those it calls, so an old
kernel would stay in use. `KERNELS` changes this file whenever they change; a test checks it.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from powderkeg.sim.kernel.book import expire_orders, hedge_takers, hold_price
from powderkeg.sim.kernel.index_process import advance_regimes, move_price, set_marks
from powderkeg.sim.kernel.liquidation import pay_funding, run_liquidations, run_stops
from powderkeg.sim.kernel.rates import Pace
from powderkeg.sim.kernel.state import Params, Reals, Records, State, price_at
from powderkeg.sim.kernel.traders import open_positions, review_positions, trade_actors, trade_noise

KERNELS: Final = "c7c20b8f26fb"
"""Start of the SHA-256 over the files whose code `advance` compiles in."""
FUNDING: Final = 8 * 3_600_000_000
"""µs between payments."""
ROOM: Final = 16_384
"""Rows that must be free in each output before a tick begins; no tick has needed a tenth of it."""

LAST_COLUMNS: Final = 4
"""Open, high, low, close of last."""
VENUE_COLUMNS: Final = 6
"""Mark, its low and high, open interest, taker buys, taker sells."""


@njit
def _tick(
    m: State,
    params: Params,
    pace: Pace,
    t: float,
    step: int,
    tape: Records,
    liquidation_rows: Records,
) -> None:
    for v in range(m.count):
        m.venues[v].buy = 0.0
        m.venues[v].sell = 0.0
    advance_regimes(m, pace)
    before = m.mid
    move_price(m, params, pace)
    if m.standing > 0:
        hold_price(m, params, before, step, tape)
    trade_actors(m, params, t, step, tape)
    trade_noise(m, params, pace, t, step, tape)
    open_positions(m, params, pace, t, step, tape)
    review_positions(m, params, pace, t, step, tape)
    for v in range(m.count):
        expire_orders(m, params, v, 0, t, step, tape)
        expire_orders(m, params, v, 1, t, step, tape)
    if params.stops:
        run_stops(m, params, t, step, tape)
    set_marks(m, pace)
    if params.liquidations:
        run_liquidations(m, params, t, step, tape, liquidation_rows)
    if m.standing > 0:
        hedge_takers(m, step, tape)


@njit
def _write(m: State, start: float, last: Reals, row: Reals) -> None:
    last[0] = price_at(start)
    last[1] = price_at(max(start, m.high))
    last[2] = price_at(min(start, m.low))
    last[3] = price_at(m.mid)
    for v in range(m.count):
        venue = m.venues[v]
        row[v, 0] = price_at(venue.mark)
        row[v, 1] = price_at(venue.low)
        row[v, 2] = price_at(venue.high)
        row[v, 3] = venue.oi
        row[v, 4] = venue.buy
        row[v, 5] = venue.sell


@njit(cache=True)
def advance(
    state: State,
    params_array: Params,
    paces: Pace,
    since: int,
    length: int,
    ticks: int,
    tape: Records,
    liquidation_rows: Records,
    last: Reals,
    rows: Reals,
) -> int:
    """Advance by ticks, and return how many: fewer than requested where an output is nearly full.

    Args:
        state: The market, shape (1,), changed in place.
        params_array: Its parameters, shape (1,).
        paces: The coefficients of a tick of this length, shape (1,).
        since: µs UTC at which the first tick begins.
        length: µs of a tick.
        ticks: How many are wanted.
        tape: Takes prints of `PRINT`; of length 0 where none are wanted.
        liquidation_rows: Takes forced closes of `LIQUIDATION`.
        last: Takes open, high, low, close, shape (>= ticks, 4), base prices.
        rows: Takes each venue's state, shape (>= ticks, venues, 6).
    """
    m = state[0]
    params = params_array[0]
    pace = paces[0]
    m.prints = 0
    m.liquidation_rows = 0
    for k in range(ticks):
        nearly_full = 0 < tape.shape[0] < m.prints + ROOM
        if nearly_full or liquidation_rows.shape[0] < m.liquidation_rows + ROOM:
            return k
        start = m.mid
        begin = since + k * length
        _tick(m, params, pace, begin * 1e-6, k, tape, liquidation_rows)
        if begin // FUNDING != (begin + length) // FUNDING:
            pay_funding(m)
            if params.liquidations:
                run_liquidations(m, params, begin * 1e-6, k, tape, liquidation_rows)
        _write(m, start, last[k], rows[k])
    return ticks
