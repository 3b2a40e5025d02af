"""Binance: USD-M futures, COIN-M futures and spot, public streams and two REST answers.

One reader per market kind, because the same symbol means two markets: ``BTCUSDT`` is a perpetual
on the USD-M host and a spot pair on the spot host, and no field of a frame tells them apart.

Traps:
- ``@trade`` carries ``X``. Only ``MARKET`` is a trade; ``INSURANCE_FUND`` and ``ADL`` are transfers
  at other prices (28,722.5 in a 28,150 market on 2023-04-05). ``@aggTrade`` leaves them out. Spot
  has no ``X``. Whoever subscribes both ``@trade`` and ``@aggTrade`` counts each trade twice.
- COIN-M sizes are contracts of 100 USD (BTC) or 10 USD (all others), so base = n * face / price.
- ``P`` of a mark frame is the estimated settlement *price*, never a rate. The funding interval is
  not on the wire: 8 h unless the caller knows better. Delivery contracts (``T`` = 0) have none.
- ``S`` of a forced order is the side of the *order*: SELL closes a dead long. ``ap`` is the fill,
  ``z`` what was filled so far.
- Since 2026-06-30 the all-market streams of both futures hosts carry both universes: ``st`` is 1
  for USD-M, 2 for COIN-M.
- Spot book tickers and REST snapshots of spot carry no time: `at` is when we saw them.

Source: Binance USD-M, COIN-M and spot API docs, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.errors import WireError
from powderkeg.events import (
    HOUR,
    BookDelta,
    BookSnapshot,
    Event,
    Funding,
    Level,
    Liquidation,
    Mark,
    OpenInterest,
    Quote,
    Trade,
)

Kind: TypeAlias = Literal["binance", "binance-coin", "binance-spot"]

_BIG = 1e18
_Positive = Annotated[float, Meta(gt=0, lt=_BIG)]
_Amount = Annotated[float, Meta(ge=0, lt=_BIG)]
_Millis = Annotated[int, Meta(ge=0, lt=10**15)]
_Update = Annotated[int, Meta(ge=0, lt=2**62)]
_Symbol = Annotated[str, Meta(pattern="^[A-Z0-9_]{2,40}$")]
_Levels: TypeAlias = tuple[tuple[_Positive, _Amount], ...]


class _Head(Struct, gc=False):
    """What a frame may say of itself: the envelope of a combined stream, or a bare kind."""

    stream: str = ""
    data: Raw = Raw()
    e: str = ""
    last_update: Raw = msgspec.field(name="lastUpdateId", default=Raw())
    interest: Raw = msgspec.field(name="openInterest", default=Raw())
    best_bid: Raw = msgspec.field(name="B", default=Raw())


class _Row(Struct, gc=False, kw_only=True):
    s: _Symbol
    st: int = 0
    """1 USD-M, 2 COIN-M, 0 not told."""


class _Trade(_Row, gc=False, kw_only=True):
    p: float
    q: float
    T: _Millis
    m: bool
    """The buyer was the maker, so a seller took."""
    X: str = "MARKET"


class _Depth(_Row, gc=False, kw_only=True):
    E: _Millis
    U: _Update
    u: _Update
    b: _Levels
    a: _Levels
    T: _Millis = 0
    pu: Annotated[int, Meta(ge=-1, lt=2**62)] = -1


class _Snapshot(_Row, gc=False, kw_only=True):
    s: str = msgspec.field(name="symbol", default="")
    update: _Update = msgspec.field(name="lastUpdateId")
    bids: _Levels
    asks: _Levels
    E: _Millis = 0
    T: _Millis = 0


class _Ticker(_Row, gc=False, kw_only=True):
    u: _Update
    b: _Positive
    B: _Amount
    a: _Positive
    A: _Amount
    T: _Millis = 0
    E: _Millis = 0


class _Mark(_Row, gc=False, kw_only=True):
    E: _Millis
    p: _Positive
    i: _Amount | None = None
    r: str = ""
    T: _Millis = 0


class _Order(_Row, gc=False, kw_only=True):
    S: Literal["BUY", "SELL"]
    T: _Millis
    ap: _Positive
    z: _Positive


class _Force(Struct, gc=False):
    o: _Order
    st: int = 0


class _Interest(_Row, gc=False, kw_only=True):
    s: _Symbol = msgspec.field(name="symbol")
    size: _Amount = msgspec.field(name="openInterest")
    time: _Millis = 0


_T = TypeVar("_T", bound=Struct)
_Reader: TypeAlias = Callable[[bytes, int], list[Event]]
_head = msgspec.json.Decoder(_Head)


class Binance:
    """Reader of one Binance market kind.

    Args:
        kind: Which host the frames come from; also the first half of the market ids.
        symbol: The market of frames that carry none (REST depth of USD-M and spot).
        funding: µs between funding payments, which the wire does not tell.
    """

    __slots__ = ("_read", "funding", "name", "skipped", "symbol")

    def __init__(self, kind: Kind, symbol: str = "", funding: int = 8 * HOUR) -> None:
        self.name: str = kind
        self.symbol = symbol
        self.funding = funding
        self.skipped: dict[str, int] = {}
        trade, depth = _reader(_Trade, self._trade), _reader(_Depth, self._depth)
        mark = _reader(_Mark, self._mark)
        self._read: dict[str, _Reader] = {
            "trade": trade,
            "aggTrade": trade,
            "depth": depth,
            "depthUpdate": depth,
            "depthSnapshot": _reader(_Snapshot, self._snapshot),
            "bookTicker": _reader(_Ticker, self._ticker),
            "markPrice": mark,
            "markPriceUpdate": mark,
            "forceOrder": _reader(_Force, self._force),
            "openInterest": _reader(_Interest, self._interest),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return what one frame says, bare or in a combined-stream envelope.

        Raises:
            WireError: The frame is not what Binance documents.
        """
        try:
            head = _head.decode(raw)
            channel = _channel(head)
            read = self._read.get(channel)
            if read is None:
                self._skip(f"channel {channel[:24]}" if channel else "no data")
                return []
            return read(bytes(head.data) or raw, seen)
        except (msgspec.MsgspecError, ValueError, RecursionError) as why:
            raise WireError(self.name, why, raw) from why

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def _foreign(self, universe: int) -> bool:
        """Tell (and count) rows of the other futures universe on a merged stream."""
        other = {"binance": 2, "binance-coin": 1}.get(self.name)
        if universe == 0 or universe != other:
            return False
        self._skip(f"row of the other universe, st={universe}")
        return True

    def _face(self, symbol: str) -> float:
        """Return the dollars in one contract, 0 where sizes are base coin already."""
        if self.name != "binance-coin":
            return 0.0
        return 100.0 if symbol.startswith("BTC") else 10.0

    def _trade(self, row: _Trade, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        if row.X != "MARKET":
            self._skip(f"not a trade: {row.X[:24]}")
            return []
        if not (0 < row.p < _BIG and 0 < row.q < _BIG):
            raise ValueError(f"expected a price and a size above 0, found {row.p} and {row.q}")
        face = self._face(row.s)
        size = row.q * face / row.p if face else row.q
        taker = "sell" if row.m else "buy"
        return [Trade(f"{self.name}:{row.s}", row.T * 1000, seen, row.p, size, taker)]

    def _depth(self, row: _Depth, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        face, at = self._face(row.s), (row.T or row.E) * 1000
        bids, asks = _base(row.b, face), _base(row.a, face)
        market = f"{self.name}:{row.s}"
        return [BookDelta(market, at, seen, bids, asks, row.U, row.u, row.pu)]

    def _snapshot(self, row: _Snapshot, seen: int) -> list[Event]:
        symbol = row.s or self.symbol
        if not symbol:
            raise ValueError("expected a depth snapshot with a symbol, or a reader made for one")
        face, at = self._face(symbol), (row.T or row.E) * 1000 or seen
        bids, asks = _base(row.bids, face), _base(row.asks, face)
        return [BookSnapshot(f"{self.name}:{symbol}", at, seen, bids, asks, row.update)]

    def _ticker(self, row: _Ticker, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        face, at = self._face(row.s), (row.T or row.E) * 1000 or seen
        bid_size, ask_size = row.B, row.A
        if face:
            bid_size, ask_size = row.B * face / row.b, row.A * face / row.a
        market = f"{self.name}:{row.s}"
        return [Quote(market, at, seen, row.b, bid_size, row.a, ask_size, row.u)]

    def _mark(self, row: _Mark, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        market, at = f"{self.name}:{row.s}", row.E * 1000
        events: list[Event] = [Mark(market, at, seen, row.p, row.i or None)]
        if row.r and row.T:
            rate = float(row.r)
            if not -1 < rate < 1:
                raise ValueError(f"expected a funding rate as a fraction, found {row.r}")
            events.append(Funding(market, at, seen, rate, self.funding))
        return events

    def _force(self, row: _Force, seen: int) -> list[Event]:
        order = row.o
        if self._foreign(row.st or order.st):
            return []
        face = self._face(order.s)
        size = order.z * face / order.ap if face else order.z
        holder = "long" if order.S == "SELL" else "short"
        market = f"{self.name}:{order.s}"
        return [Liquidation(market, order.T * 1000, seen, order.ap, size, holder)]

    def _interest(self, row: _Interest, seen: int) -> list[Event]:
        if self._face(row.s):
            raise ValueError("open interest in contracts needs a price; use the history reader")
        return [OpenInterest(f"{self.name}:{row.s}", row.time * 1000 or seen, seen, row.size)]


def _channel(head: _Head) -> str:
    """Return the channel of a frame: ``depth`` of ``btcusdt@depth@0ms``, or its bare kind."""
    if bytes(head.data):
        parts = head.stream.split("@")
        return parts[0][1:] if parts[0].startswith("!") else "".join(parts[1:2])
    if head.e:
        return head.e
    if bytes(head.last_update):
        return "depthSnapshot"
    if bytes(head.interest):
        return "openInterest"
    return "bookTicker" if bytes(head.best_bid) else ""


def _base(levels: tuple[Level, ...], face: float) -> tuple[Level, ...]:
    """Return levels in base coin; `face` is the dollars in one contract, 0 for none."""
    if not face:
        return levels
    return tuple((price, contracts * face / price) for price, contracts in levels)


def _reader(row: type[_T], make: Callable[[_T, int], list[Event]]) -> _Reader:
    """Return a typed reader of one channel, for a single object or (all-market) an array."""
    one = msgspec.json.Decoder(row, strict=False)
    many = msgspec.json.Decoder(list[row], strict=False)

    def read(raw: bytes, seen: int) -> list[Event]:
        if raw.lstrip()[:1] == b"[":
            return [event for each in many.decode(raw) for event in make(each, seen)]
        return make(one.decode(raw), seen)

    return read
