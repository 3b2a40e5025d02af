"""Market data events: immutable records with fixed units.

Times are int µs UTC, prices quote currency, sizes base coin, rates fractions. `event_time` is
the venue's stamp, `received_time` our own; the two clocks differ, so an event may have been
received before it happened. Stored data without a local stamp has both alike. Recordings name them
``at`` and ``seen``.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

Side: TypeAlias = Literal["buy", "sell"]
PositionSide: TypeAlias = Literal["long", "short"]
Level: TypeAlias = tuple[float, float]
"""A price and the size resting there. A size of zero in a delta removes the level."""
Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class _Record(Struct, frozen=True, gc=False, tag=True):
    """Fields of every event."""

    market: str
    """Venue and symbol, such as ``binance:BTCUSDT``."""
    event_time: int = field(name="at")
    received_time: int = field(name="seen")


class Trade(_Record, frozen=True, gc=False):
    """One print on the tape."""

    price: float
    size: float
    taker: Side
    """Who crossed the spread."""


class Trades(_Record, frozen=True, gc=False, eq=False):
    """A run of prints as columns; `event_time` is the time of the last one."""

    times: Times
    """Shape (n,), rising."""
    prices: Floats
    """Shape (n,)."""
    sizes: Floats
    """Shape (n,), signed: positive where a buyer took, negative where a seller did."""


class Quote(_Record, frozen=True, gc=False):
    """Best bid and ask, with the book update they belong to."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float
    update: int


class BookSnapshot(_Record, frozen=True):
    """The whole visible book. `update` is the last change it contains, 0 where none is sent."""

    bids: tuple[Level, ...]
    """Best first."""
    asks: tuple[Level, ...]
    update: int = 0


class BookDelta(_Record, frozen=True):
    """Changed levels, with the chain of update ids the venue gives."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    first: int
    last: int
    previous: int
    """The `last` of the delta before this one; -1 where the venue does not send it."""


class Mark(_Record, frozen=True, gc=False):
    """The price liquidations are triggered on. Never the last trade."""

    price: float
    index: float | None = None


class Funding(_Record, frozen=True, gc=False):
    """What longs pay shorts per `interval`, as a fraction of notional."""

    rate: float
    interval: int
    """µs between payments: 8 h at Binance, 1 h at Hyperliquid."""


class OpenInterest(_Record, frozen=True, gc=False):
    """Total open interest in base coin, each contract counted once."""

    size: float


class Liquidation(_Record, frozen=True, gc=False):
    """One liquidation a venue reported. Often not all are reported: see docs/venues.md."""

    price: float
    """The bankruptcy price where the venue gives it, else the fill."""
    size: float
    position_side: PositionSide
    """Side of the liquidated position. A liquidated long is a forced *sell*."""
    bankruptcy: bool = False
    """True where `price` is the bankruptcy price."""


class LiquidationBar(_Record, frozen=True, gc=False):
    """Liquidations summed over a span that starts at `event_time`, by position side."""

    span: int
    long: float
    """Base coin."""
    short: float
    quote: bool = False
    """Whether the amounts are in quote currency, for lack of a price to convert them."""


class Ratio(_Record, frozen=True, gc=False):
    """A published long share."""

    kind: Literal["accounts", "top_accounts", "top_positions", "taker"]
    long: float
    """Share of longs, 0 to 1."""


class Candle(_Record, frozen=True, gc=False):
    """One bar from `event_time` to ``event_time + span``."""

    span: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    buy: float
    """Taker buys, base coin; half of `volume` where the venue does not report them."""


class Candles(_Record, frozen=True, gc=False, eq=False):
    """A run of bars as columns, with open interest and marks; `event_time` is their end."""

    span: int
    times: Times
    """Starts, shape (n,)."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    buy: Floats
    """Taker buys; half of `volume` where not reported."""
    oi: Floats
    """Open interest at the end of each bar; NaN where there is no reading."""
    mark_low: Floats
    """Least mark in the bar; the low of the bar where no mark is known."""
    mark_high: Floats
    mark: Floats
    """Mark at the end of the bar."""
    assumed: int = 0
    """How many of the bars have no volume, or one that is assumed from their range."""
    liquidations_known: bool = True
    """Whether the liquidations of this time are reported too; where not, the sweeps of these bars
    are not fitted to."""


class Positions(_Record, frozen=True, gc=False, eq=False):
    """A snapshot of the positions of some accounts in a market. Never all, and never an estimate.

    An account that is missing is unknown: it has not closed its position.
    """

    accounts: tuple[str, ...]
    """Account ids, n of them."""
    sizes: Floats
    """Shape (n,), signed: positive for longs."""
    entries: Floats
    """Shape (n,)."""
    liquidations: Floats
    """The venue's own liquidation prices, shape (n,); NaN where it gives none."""
    flat: tuple[str, ...] = ()
    """Accounts that were queried and have no position here."""


class Gap(_Record, frozen=True, gc=False):
    """No data of this market from `since` to `event_time`. Never interpolated."""

    since: int
    reason: str


class Link(_Record, frozen=True, gc=False):
    """A feed came up, went down, went stale or was refused. `market` may name a whole venue."""

    state: Literal["up", "down", "stale", "refused"]
    channel: str = ""
    """Which feed; for a refusal the venue's message, cut at 120 characters."""


class ClockTick(Struct, frozen=True, gc=False, tag="Tick"):
    """Time passed. The shell puts it into the stream, so that time is an event too."""

    time: int = field(name="at")


Event: TypeAlias = (
    Trade
    | Trades
    | Quote
    | BookSnapshot
    | BookDelta
    | Mark
    | Funding
    | OpenInterest
    | Liquidation
    | LiquidationBar
    | Ratio
    | Candle
    | Candles
    | Positions
    | Gap
    | Link
    | ClockTick
)
"""All events. `Desk.apply` must have a case for each; the type checker enforces it."""
