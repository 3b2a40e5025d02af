"""Bulk outputs of a simulated market: history, recordings, and the truth, kept apart."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import Candles, Floats, Funding, Liquidation, Times
from powderkeg.sim.actors.records import ShownOrder
from powderkeg.sim.kernel.state import Whole


class MinuteHistory(Struct, frozen=True, eq=False):
    """What one venue would have published: minute bars, forced closes, funding payments."""

    market: str
    candles: Candles
    liquidations: list[Liquidation]
    funding: list[Funding]


class Truth(Struct, frozen=True, eq=False):
    """Every open position at one time, as columns of shape (n,). No venue publishes this."""

    at: int
    marks: Floats
    """Mark of each venue."""
    oi: Floats
    """Open interest of each venue."""
    makers: Floats
    """Signed inventories, shape (venues, makers). They have no liquidation price."""
    prices: Floats
    """Mark at which each is liquidated; not positive where never."""
    sizes: Floats
    sides: Whole
    """1 for a long, -1 for a short."""
    leverages: Floats
    """Entry notional over all margin behind it: the leverage setting of an isolated position."""
    settings: Floats
    """Leverage the owner set. Means little for a cross position."""
    stop_in_front: Whole
    """1 where a stop would close it first."""
    staged: Whole
    """1 where liquidation in parts is under way."""
    venues: Whole
    """Index in `World.venues`."""
    entries: Floats
    serials: Whole
    """Unique number of each, assigned when it opened."""


class LiquidationRecords(Struct, frozen=True, eq=False):
    """Every forced close with what only the venue knows, as columns of shape (n,)."""

    times: Times
    venues: Whole
    sides: Whole
    sizes: Floats
    fills: Floats
    bankruptcies: Floats
    triggers: Floats
    """Its liquidation price, to half a rung (0.25 bp)."""
    marks: Floats
    """Mark that reached it."""
    entries: Floats
    margins: Floats
    """All margin behind the whole position."""
    held: Floats
    """Size before this close."""
    settings: Floats
    opened: Times


class Tape(Struct, frozen=True, eq=False):
    """Prints as columns of shape (n,)."""

    times: Times
    prices: Floats
    sizes: Floats
    """Signed: positive where a buyer took."""


class Forced(Struct, frozen=True, eq=False):
    """Reported forced closes as columns of shape (n,)."""

    times: Times
    holders: Whole
    """1 where a long was liquidated, -1 where a short was."""
    sizes: Floats
    fills: Floats
    bankruptcies: Floats


class VenueRecording(Struct, frozen=True, eq=False):
    """Published data of one venue, step by step. Columns of steps have shape (steps,)."""

    market: str
    trades: Tape
    marks: Floats
    mark_low: Floats
    """Least mark in the step; the mark itself in steps of a second or less."""
    mark_high: Floats
    oi: Floats
    liquidations: Forced


class Recording(Struct, frozen=True, eq=False):
    """A run of a simulated market for evaluation: the public data and the truth."""

    coin: str
    times: Times
    """End of each step, shape (steps,)."""
    last: Floats
    low: Floats
    high: Floats
    venues: list[VenueRecording]
    truths: list[Truth]
    liquidation_rows: LiquidationRecords


class Moment(Struct, frozen=True, eq=False):
    """One short step with nothing hidden: what a venue knows before it publishes."""

    since: int
    at: int
    """End of the step, µs."""
    tapes: list[Tape]
    """Of each venue."""
    forced: list[Whole]
    """Of each venue, per print the row in `liquidation_rows` that caused it, or -1."""
    liquidation_rows: LiquidationRecords
    marks: Floats
    """Of each venue, at the end."""
    oi: Floats
    index: float
    rate: float
    """Currently predicted funding rate."""
    paid: float | None
    """The rate paid in this step, if one was."""


class Ladder(Struct, frozen=True, eq=False):
    """The book around the last price, before it is split among venues.

    Shapes (levels,), best first.
    """

    bid: float
    """Best bid; bids further away lie on `bids`."""
    ask: float
    bids: Floats
    """Prices, falling; those not below `bid` belong to it."""
    bid_sizes: Floats
    asks: Floats
    ask_sizes: Floats
    orders: tuple[ShownOrder, ...] = ()
    """Large orders that rest at one venue each, beside what the levels hold."""
