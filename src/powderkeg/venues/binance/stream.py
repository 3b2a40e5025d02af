"""Binance: reader of USD-M futures, COIN-M futures and spot, from public streams and REST.

`subscriptions` lists the requests, `rest` decodes their answers, this file decodes the streams.
One reader per market kind, because the same symbol means two markets: ``BTCUSDT`` is a perpetual
on the USD-M host and a spot pair on the spot host, and no field of a frame distinguishes them.

Traps:
- ``@trade`` carries ``X``. Only ``MARKET`` is a trade; ``INSURANCE_FUND`` and ``ADL`` are transfers
  at other prices (28,722.5 in a 28,150 market on 2023-04-05). ``@aggTrade`` leaves them out. Spot
  has no ``X``. Using both ``@trade`` and ``@aggTrade`` counts each trade twice; we use the
  latter, whose ids are sequential.
- COIN-M sizes are contracts of 100 USD (BTC) or 10 USD (all others), so base = n * face / price.
- ``P`` of a mark frame is the estimated settlement *price*, never a rate. The funding interval is
  not pushed: 8 h unless ``fundingInfo`` or the caller says otherwise. Delivery contracts (``T`` =
  0) have none.
- ``S`` of a forced order is the side of the *order*: SELL closes a long. ``ap`` is the fill,
  ``z`` what was filled so far. Only the last of a second is sent.
- Since 2026-06-30 the all-market streams of both futures hosts carry both universes: ``st`` is 1
  for USD-M, 2 for COIN-M.
- Book tickers and REST books of spot carry no time: `at` is when we saw them.

Source: Binance USD-M, COIN-M and spot API docs, read 2026-11; docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from powderkeg.events import HOUR, BookDelta, Event, Funding, Liquidation, Mark, Quote, Trade
from powderkeg.venues.base import BIG, Amount, Millis, Positive, Update
from powderkeg.venues.binance import rest
from powderkeg.venues.binance import subscriptions as plan
from powderkeg.venues.binance.rest import RestDecoder
from powderkeg.venues.binance.state import Kind, Levels, State
from powderkeg.venues.reader import Rows, VenueReader, of_each


class _Head(Struct, gc=False):
    """What identifies a frame: the envelope of a combined stream, or a bare kind."""

    stream: str = ""
    data: Raw = Raw()
    e: str = ""
    last_update: Raw = msgspec.field(name="lastUpdateId", default=Raw())
    interest: Raw = msgspec.field(name="openInterest", default=Raw())
    best_bid: Raw = msgspec.field(name="B", default=Raw())


class _Row(Struct, gc=False, kw_only=True):
    s: str
    st: int = 0
    """1 USD-M, 2 COIN-M, 0 absent."""


class _Trade(_Row, gc=False, kw_only=True):
    p: float
    q: float
    T: Millis
    m: bool
    """The buyer was the maker, so a seller took."""
    X: str = "MARKET"


class _Depth(_Row, gc=False, kw_only=True):
    E: Millis
    U: Update
    u: Update
    b: Levels
    a: Levels
    T: Millis = 0
    pu: Annotated[int, Meta(ge=-1, lt=2**62)] = -1


class _Ticker(_Row, gc=False, kw_only=True):
    u: Update
    b: Positive
    B: Amount
    a: Positive
    A: Amount
    T: Millis = 0
    E: Millis = 0


class _Mark(_Row, gc=False, kw_only=True):
    E: Millis
    p: Positive
    i: Amount | None = None
    r: str = ""
    T: Millis = 0


class _Order(_Row, gc=False, kw_only=True):
    S: Literal["BUY", "SELL"]
    T: Millis
    ap: Positive
    z: Positive


class _Force(Struct, gc=False):
    o: _Order
    st: int = 0


_T = TypeVar("_T", bound=Struct)


class _Frame(Struct, Generic[_T]):
    data: _T


_Reader: TypeAlias = Callable[[bytes, int], list[Event]]
_Make: TypeAlias = Callable[[Any, int], list[Event]]
_OPEN = b'{"stream":"'
_head = msgspec.json.Decoder(_Head)


def binance_reader(kind: Kind, symbol: str = "", funding: int = 8 * HOUR) -> VenueReader:
    """Return a reader of one Binance market kind.

    Args:
        kind: Which host the frames come from; also the first half of the market ids.
        symbol: The market of frames that carry none (REST depth of USD-M and spot).
        funding: µs between funding payments, until ``fundingInfo`` lists the symbol.
    """
    site, state = plan.SITES[kind], State(kind, symbol, funding)
    rest_decoder = RestDecoder(state)
    return VenueReader(
        name=kind, limits=site.limits,
        state=state, stream=StreamDecoder(rest_decoder).read, answers=rest_decoder.answers,
        unwrap=rest.unwrap, symbol=("{}" + site.suffix).format, streams=partial(plan.streams, kind),
        polls=partial(plan.polls, kind), past=partial(plan.past, kind),
        recent=partial(plan.recent, kind), snapshot=partial(plan.snapshot, kind),
    )  # fmt: skip


class StreamDecoder:
    """Decodes the socket frames, with the state of `answers`."""

    __slots__ = ("_of", "_other", "_read", "_skip", "_topics", "state")

    def __init__(self, answers: RestDecoder) -> None:
        self.state = state = answers.state
        self._of, self._skip = state.of, state.skip
        self._other = {"binance": 2, "binance-coin": 1}.get(state.name, -1)
        makes: dict[str, tuple[type[Struct], _Make]] = {
            "trade": (_Trade, self._trade),
            "aggTrade": (rest.Aggregate, self._aggregate),
            "depth": (_Depth, self._depth),
            "bookTicker": (_Ticker, self._ticker),
            "markPrice": (_Mark, self._mark),
            "forceOrder": (_Force, self._force),
        }
        self._topics = {  # by what follows the symbol in the name of a stream
            f"@{name}{speed}".encode(): (msgspec.json.Decoder(_Frame[row], strict=False), make)
            for name, (row, make) in makes.items()
            for speed in ("", "@100ms", "@0ms", "@1s")
        }
        self._read = {name: _reader(*each, self._skip) for name, each in makes.items()}
        self._read |= {
            "depthUpdate": self._read["depth"],
            "markPriceUpdate": self._read["markPrice"],
            "depthSnapshot": lambda raw, seen: answers.book("", rest.DEPTH.decode(raw), seen),
            "openInterest": lambda raw, seen: answers.interest("", rest.INTEREST.decode(raw), seen),
        }

    def read(self, raw: bytes, seen: int) -> list[Event]:
        """Return the events of a frame, bare or in a combined-stream envelope."""
        if raw.startswith(_OPEN):
            end = raw.find(b'"', len(_OPEN), 80)
            if topic := self._topics.get(raw[raw.find(b"@", len(_OPEN), end) : end]):
                return topic[1](topic[0].decode(raw).data, seen)
        return self._general(raw, seen)

    def _general(self, raw: bytes, seen: int) -> list[Event]:
        """Read a frame whatever its form: bare, spaced, or of all markets."""
        head = _head.decode(raw)
        channel = _channel(head)
        if read := self._read.get(channel):
            return read(bytes(head.data) or raw, seen)
        if not channel:
            rest.unwrap(raw)
        return self._skip(f"channel {channel[:24]}" if channel else "no data")

    def _foreign(self, universe: int) -> bool:
        """Return whether a row is of the other futures universe on a merged stream; count it."""
        if universe != self._other:
            return False
        self._skip(f"row of the other universe, st={universe}")
        return True

    def _trade(self, row: _Trade, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        if row.X != "MARKET":
            return self._skip(f"not a trade: {row.X[:24]}")
        if not (0 < row.p < BIG and 0 < row.q < BIG):
            raise ValueError(f"expected a price and a size above 0, found {row.p} and {row.q}")
        known, taker = self._of(row.s), "sell" if row.m else "buy"
        return [Trade(known.market, row.T * 1000, seen, row.p, known.size(row.q, row.p), taker)]

    def _aggregate(self, row: rest.Aggregate, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        known = self._of(row.s)
        gap, skip = rest.check_sequence(row, seen, known)
        if skip:
            self._skip(skip)
            if skip == rest.DUPLICATE:
                return []
        taker = "sell" if row.m else "buy"
        size = known.size(row.q, row.p)
        trade = Trade(known.market, row.T * 1000, seen, row.p, size, taker)
        return [gap, trade] if gap else [trade]

    def _depth(self, row: _Depth, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        known, at = self._of(row.s), (row.T or row.E) * 1000
        bids, asks = known.levels(row.b), known.levels(row.a)
        return [BookDelta(known.market, at, seen, bids, asks, row.U, row.u, row.pu)]

    def _ticker(self, row: _Ticker, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        known, at = self._of(row.s), (row.T or row.E) * 1000 or seen
        bid_size, ask_size = known.size(row.B, row.b), known.size(row.A, row.a)
        return [Quote(known.market, at, seen, row.b, bid_size, row.a, ask_size, row.u)]

    def _mark(self, row: _Mark, seen: int) -> list[Event]:
        if self._foreign(row.st):
            return []
        known, at = self._of(row.s), row.E * 1000
        known.mark = row.p
        events: list[Event] = [Mark(known.market, at, seen, row.p, row.i or None)]
        if row.r and row.T:
            rate = float(row.r)
            if not -1 < rate < 1:
                raise ValueError(f"expected a funding rate as a fraction, found {row.r}")
            events.append(Funding(known.market, at, seen, rate, known.interval))
        return events

    def _force(self, row: _Force, seen: int) -> list[Event]:
        order = row.o
        if self._foreign(row.st or order.st):
            return []
        known = self._of(order.s)
        if not self.state.ids.is_new([(order.s, order.S, order.T, order.z, order.ap)])[0]:
            return self._skip("duplicate liquidation")
        size = known.size(order.z, order.ap)
        side = "long" if order.S == "SELL" else "short"
        return [Liquidation(known.market, order.T * 1000, seen, order.ap, size, side)]


def _channel(head: _Head) -> str:
    """Return the channel of a frame: ``depth`` of ``btcusdt@depth@0ms``, or its bare kind."""
    if bytes(head.data):
        chunks = head.stream.split("@")
        return chunks[0][1:] if chunks[0].startswith("!") else "".join(chunks[1:2])
    if head.e:
        return head.e
    if bytes(head.last_update):
        return "depthSnapshot"
    if bytes(head.interest):
        return "openInterest"
    return "bookTicker" if bytes(head.best_bid) else ""


def _reader(row: type[Struct], make: _Make, skip: Callable[[str, int], object]) -> _Reader:
    """Return a typed reader of one channel, for a single object or (all-market) an array."""
    one, many = msgspec.json.Decoder(row, strict=False), Rows(row, skip)

    def read(raw: bytes, seen: int) -> list[Event]:
        if raw.lstrip()[:1] == b"[":
            return of_each(many.decode(raw), lambda row: make(row, seen), skip)
        return make(one.decode(raw), seen)

    return read
