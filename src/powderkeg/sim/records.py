"""What a made market hands out in bulk: history, a recording, and the truth, kept apart."""

from __future__ import annotations

from msgspec import Struct

from powderkeg.events import Candles, Floats, Funding, Liquidation, Times
from powderkeg.sim.kernel.state import Whole


class MinuteHistory(Struct, frozen=True, eq=False):
    """What one venue would have told of a span: minute bars, forced closes, payments."""

    market: str
    candles: Candles
    liquidations: list[Liquidation]
    funding: list[Funding]


class Truth(Struct, frozen=True, eq=False):
    """Every position alive at one moment, as columns of shape (n,). No venue publishes this."""

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
    """Entry notional over all margin behind it: what an isolated position would be set to."""
    settings: Floats
    """Leverage the owner chose. Says little about a cross position."""
    stop_in_front: Whole
    """1 where a stop would close it before."""
    staged: Whole
    """1 where liquidation in parts is under way."""
    venues: Whole
    """Place in `World.venues`."""
    entries: Floats
    serials: Whole
    """Number of each, given when it opened and never again."""


class LiquidationRecords(Struct, frozen=True, eq=False):
    """Every forced close with what only the venue knows, as columns of shape (n,)."""

    times: Times
    venues: Whole
    sides: Whole
    sizes: Floats
    fills: Floats
    bankruptcies: Floats
    triggers: Floats
    """The liquidation price it died of, to half a rung (0.25 bp)."""
    marks: Floats
    """Mark that met it."""
    entries: Floats
    margins: Floats
    """All that stood behind the whole position."""
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
    """1 where a long died, -1 where a short did."""
    sizes: Floats
    fills: Floats
    bankruptcies: Floats


class VenueRecording(Struct, frozen=True, eq=False):
    """What one venue published, step by step. Columns of steps have shape (steps,)."""

    market: str
    trades: Tape
    marks: Floats
    mark_low: Floats
    """Least mark in the step; the mark itself in steps of a second or less."""
    mark_high: Floats
    oi: Floats
    liquidations: Forced


class Recording(Struct, frozen=True, eq=False):
    """A run of a made market for benches: what was public, and beside it what was true."""

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
    """One short step with nothing hidden: what a venue itself knows before it says anything."""

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
    """Funding as predicted now."""
    paid: float | None
    """The rate paid in this step, if one was."""


class Ladder(Struct, frozen=True, eq=False):
    """What rests around the last price before venues share it out; shapes (levels,), best first."""

    bid: float
    """Best bid; bids further away lie on `bids`."""
    ask: float
    bids: Floats
    """Prices, falling; those not below `bid` belong to it."""
    bid_sizes: Floats
    asks: Floats
    ask_sizes: Floats
