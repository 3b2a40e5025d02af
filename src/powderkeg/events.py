"""Market data events: immutable records with fixed units.

Times are int µs UTC, prices quote currency, sizes base coin, rates fractions. `event_time` is
the venue's stamp, `received_time` our own; the two clocks differ, so an event may have been
received before it happened. Stored data without a local stamp has both alike. Recordings name them
``at`` and ``seen``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

Side: TypeAlias = Literal["buy", "sell"]
PositionSide: TypeAlias = Literal["long", "short"]
Level: TypeAlias = tuple[float, float]
"""A price and the size resting there. A size of zero in a delta removes the level."""
Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = slice | NDArray[np.bool_] | NDArray[np.intp]
"""Rows of columns: a slice, a mask of the shape (n,), or their numbers."""
Print: TypeAlias = tuple[int, float, float]
"""Time in µs, price, and size in base coin: positive where a buyer took."""

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

    @property
    def signed(self) -> float:
        """Size, negative where a seller took."""
        return self.size if self.taker == "buy" else -self.size

    def as_run(self) -> Trades:
        """Return the print as columns."""
        time = self.event_time
        return Trades(
            self.market, time, self.received_time, np.array([time]), np.array([self.price]),
            np.array([self.signed]),
        )  # fmt: skip


class Trades(_Record, frozen=True, gc=False, eq=False):
    """A run of prints as columns; `event_time` is the time of the last one."""

    times: Times
    """Shape (n,), rising."""
    prices: Floats
    """Shape (n,)."""
    sizes: Floats
    """Shape (n,), signed: positive where a buyer took, negative where a seller did."""

    @classmethod
    def of(cls, market: str, received_time: int, rows: Sequence[Print]) -> Trades:
        """Return prints, at least one, as columns in order of time."""
        return cls(
            market, 0, received_time, np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float64),
            np.array([row[2] for row in rows], np.float64),
        ).by_time()  # fmt: skip

    @classmethod
    def concat(cls, parts: Sequence[Trade | Trades]) -> Trades:
        """Return prints, at least one, as one run in the order given, received with the last."""
        singles = [part for part in parts if isinstance(part, Trade)]
        if len(singles) == len(parts):
            return _run_of(singles)
        blocks = [part.as_run() if isinstance(part, Trade) else part for part in parts]
        last = parts[-1]
        return cls(
            last.market, last.event_time, last.received_time,
            *(np.concatenate([getattr(b, name) for b in blocks]) for name in _TRADE_COLUMNS),
        )  # fmt: skip

    def by_time(self) -> Trades:
        """Return the prints in order of time, those of one time in the order they had."""
        if (self.times[1:] >= self.times[:-1]).all():
            return self.where(slice(None))
        return self.where(np.argsort(self.times, kind="stable"))

    def where(self, keep: Rows) -> Trades:
        """Return some of the prints; there may be none."""
        times = self.times[keep]
        at = int(times[-1]) if len(times) else self.event_time
        return replace(
            self, event_time=at, times=times, prices=self.prices[keep], sizes=self.sizes[keep]
        )

    def singles(self) -> list[Trade]:
        """Return the prints one by one."""
        rows = zip(self.times.tolist(), self.prices.tolist(), self.sizes.tolist(), strict=True)
        return [
            Trade(self.market, at, self.received_time, price, abs(s), "buy" if s > 0 else "sell")
            for at, price, s in rows
        ]


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

    @classmethod
    def from_ohlcv(
        cls, market: str, received_time: int, span: int, times: Times, ohlcv: Floats
    ) -> Candles:
        """Return bars without open interest, their prices taken for marks.

        Args:
            market: Market id.
            received_time: µs.
            span: Length of a bar, µs.
            times: Starts, shape (n,), n > 0.
            ohlcv: Open, high, low, close, volume and taker buys, shape (n, 6).
        """
        first, high, low, close, volume, buy = np.ascontiguousarray(ohlcv.T)
        return cls(
            market, int(times[-1]) + span, received_time, span, times, first, high, low, close,
            volume, buy, oi=np.full(len(times), np.nan), mark_low=low, mark_high=high, mark=close,
        )  # fmt: skip

    @classmethod
    def of(cls, bars: Sequence[Candle]) -> Candles:
        """Return bars of one market and span, at least one, received as the last one ended."""
        rows = [(b.open, b.high, b.low, b.close, b.volume, b.buy) for b in bars]
        times: Times = np.array([bar.event_time for bar in bars], np.int64)
        last = bars[-1]
        end = last.event_time + last.span
        return cls.from_ohlcv(last.market, end, last.span, times, np.array(rows, np.float64))

    @classmethod
    def concat(cls, parts: Sequence[Candles]) -> Candles:
        """Return runs of one market and span as one: in order of time, each bar once."""
        _, first = np.unique(np.concatenate([part.times for part in parts]), return_index=True)
        columns = [part.columns() for part in parts]
        joined = {name: np.concatenate([c[name] for c in columns])[first] for name in columns[0]}
        return replace(parts[-1], **joined)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the columns by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    def where(self, keep: Rows) -> Candles:
        """Return some of the bars, received as the last of them ended; there may be none."""
        columns = {name: value[keep] for name, value in self.columns().items()}
        times = columns["times"]
        end = int(times[-1]) + self.span if len(times) else self.event_time
        return replace(self, event_time=end, received_time=end, **columns)


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

_TRADE_COLUMNS = ("times", "prices", "sizes")


def _run_of(trades: Sequence[Trade]) -> Trades:
    """Return prints as columns, in the order given."""
    last = trades[-1]
    return Trades(
        last.market, last.event_time, last.received_time,
        np.array([t.event_time for t in trades], np.int64), np.array([t.price for t in trades]),
        np.array([t.signed for t in trades]),
    )  # fmt: skip
