"""Sockets and requests of a venue as data, bounds of its numbers, and the events made of its rows.

Nothing here opens a socket. A venue lists the sockets to keep open and the REST requests to make;
`live/` makes them, and every answer comes back to its reader as bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias, TypeVar

import numpy as np
from msgspec import Meta, Struct

from powderkeg.events import HOUR, Candles, Event, Funding, Print, Trade, Trades

_T = TypeVar("_T")
BIG = 1e18
_RUNS = 64
"""Runs a `SequenceTracker` keeps; beyond that the oldest hole counts as received."""
Positive: TypeAlias = Annotated[float, Meta(gt=0, lt=BIG)]
Price: TypeAlias = Annotated[float, Meta(gt=1e-12, lt=BIG)]
"""Large enough that an amount divided by it does not overflow."""
Amount: TypeAlias = Annotated[float, Meta(ge=0, lt=BIG)]
Rate: TypeAlias = Annotated[float, Meta(gt=-1, lt=1)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Millis: TypeAlias = Annotated[int, Meta(ge=0, lt=10**15)]
Update: TypeAlias = Annotated[int, Meta(ge=0, lt=2**62)]
Bar: TypeAlias = tuple[int, float, float, float, float, float, float]
"""Start in µs, open, high, low, close, and volume and taker buys in base coin."""

ChannelKind: TypeAlias = Literal[
    "trades", "book", "mark", "funding", "oi", "liquidations", "ratio", "instruments", "clock"
]
Completeness: TypeAlias = Literal["all", "sample", "none"]
"""Of a liquidation feed: every one, some of them, or no feed at all."""


class Channel(Struct, frozen=True):
    """One kind of data of one market."""

    market: str
    kind: ChannelKind
    expected_interval: int = 0
    """µs: the longest silence that is normal; twice this and it is stale. 0 where silence says
    nothing, as for liquidations."""


def channels(
    name: str, symbols: Iterable[str], intervals: Mapping[ChannelKind, int]
) -> tuple[Channel, ...]:
    """Return the channels of some symbols at a venue: each kind, with its expected interval."""
    return tuple(
        [
            Channel(f"{name}:{symbol}", kind, expected_interval)
            for symbol in symbols
            for kind, expected_interval in intervals.items()
        ]
    )


class Stream(Struct, frozen=True):
    """One socket to keep open."""

    url: str
    """As the venue documents it; the caller may point it at another host."""
    channels: tuple[Channel, ...]
    """What it carries. Those with an `expected_interval` are stale when they stop."""
    subscribe: tuple[bytes, ...] = ()
    """Sent once connected, in this order."""
    pause: int = 0
    """µs between two of our messages."""
    ping: bytes = b""
    """Sent every `ping_every`; empty where the protocol's own pings suffice."""
    ping_every: int = 0
    """µs."""
    max_age: int = 0
    """µs after which the venue closes the socket, so the next is opened earlier; 0 for never."""


class Poll(Struct, frozen=True):
    """One REST request."""

    channel: str
    """Names the answer for `read`: ``depth:BTCUSDT``. Answers seldom carry it themselves."""
    url: str
    body: bytes = b""
    """JSON to POST; a GET where empty."""
    every: int = 0
    """µs between two requests; 0 for once."""
    weight: int = 1
    channels: tuple[Channel, ...] = ()
    bucket: str = ""
    """Rate-limit bucket it counts against, where each endpoint has its own."""


class Limits(Struct, frozen=True):
    """A venue's REST rate limit per IP address."""

    weight: int
    """Per `window`. We keep well below."""
    window: int
    """µs."""
    header: str = ""
    """Response header with the weight used in the current window."""


class Deduplicator:
    """Finds rows seen before: two sockets may overlap, and some venues send history first.

    Equal rows within one frame are different events; across frames they are duplicates.
    """

    __slots__ = ("_known", "keep")

    def __init__(self, keep: int = 5_000) -> None:
        self.keep = keep
        self._known: dict[Hashable, None] = {}

    def is_new(self, keys: Iterable[Hashable]) -> list[bool]:
        """Return for each row of one frame whether it is new, and remember it."""
        known = self._known
        counts: dict[Hashable, int] = {}
        out: list[bool] = []
        for key in keys:
            counts[key] = nth = counts.get(key, 0) + 1
            whole = (key, nth)
            out.append(whole not in known)
            known[whole] = None
        if len(known) > 2 * self.keep:  # seldom, because the oldest are found one after another
            self._known = dict.fromkeys(list(known)[-self.keep :])
        return out


class SequenceTracker:
    """Tracks which numbers of a rising sequence arrived. A missing run may still arrive later."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[list[int]] = []
        """First and last of each run received, rising, with a hole after each but the last."""

    def take(self, number: int) -> int:
        """Return how many numbers are missing just before this one; -1 if it is a duplicate."""
        spans = self._spans
        if not spans:
            spans.append([number, number])
            return 0
        top = spans[-1]
        if number > top[1]:
            missing = number - top[1] - 1
            if missing:
                spans.append([number, number])
            else:
                top[1] = number
            return missing
        return self._fill(number)

    def _fill(self, number: int) -> int:
        """Take a number below the greatest: it lies in a run, or before one."""
        spans = self._spans
        n = bisect_left(spans, number, key=lambda span: span[1])
        if number >= spans[n][0]:
            return -1
        if n and number == spans[n - 1][1] + 1:
            spans[n - 1][1] = number
        else:
            spans.insert(n, [number, number])
            n += 1
        if spans[n][0] == number + 1:
            first = spans.pop(n - 1)[0]
            spans[n - 1][0] = first
        if len(spans) > _RUNS:
            spans[0][1] = spans.pop(1)[1]
        return 0


def trades_from_rows(market: str, seen: int, rows: Sequence[Print]) -> list[Event]:
    """Return the prints of one frame as one event: a `Trade`, or `Trades` in order of time."""
    if len(rows) != 1:
        return [Trades.of(market, seen, rows)] if rows else []
    at, price, size = rows[0]
    return [Trade(market, at, seen, price, abs(size), "buy" if size > 0 else "sell")]


def time_chunks(since: int, until: int, span: int, rows: int) -> list[tuple[int, int]]:
    """Return the spans of time of requests for `rows` bars of `span` µs each, oldest first."""
    step = span * rows
    return [(start, min(start + step, until)) for start in range(since, until, step)]


def chunks(things: Sequence[_T], size: int) -> list[Sequence[_T]]:
    """Return things in their order, `size` at a time."""
    return [things[start : start + size] for start in range(0, len(things), size)]


def candles_from_rows(
    market: str, seen: int, span: int, rows: Iterable[Bar], skip: Callable[[str, int], object]
) -> list[Event]:
    """Return the closed bars of one answer as one event, in order of time, each once.

    Args:
        market: Market id of the bars.
        seen: When they were received, µs.
        span: Length of a bar, µs.
        rows: The bars, in any order.
        skip: Counts bars whose open or close is not between their low and high.

    Raises:
        ValueError: None of the bars is valid.
    """
    closed = {row[0]: row for row in rows if row[0] + span <= seen}
    if not closed:
        return []
    times = np.array(sorted(closed), np.int64)
    table = np.array([closed[start][1:] for start in times.tolist()], np.float64)
    first, high, low, last = table.T[:4]
    right = (low <= np.minimum(first, last)) & (high >= np.maximum(first, last))
    if not right.any():
        raise ValueError(f"expected low <= open, close <= high, found the bar {tuple(table[0])}")
    if not right.all():
        skip("bar whose open or close is outside it", int((~right).sum()))
    return [Candles.from_ohlcv(market, seen, span, times[right], table[right])]


def funding_events(
    market: str, seen: int, rows: Iterable[tuple[int, float]], usual: int
) -> list[Event]:
    """Return past funding, given as time in µs and rate, in order of time and each once.

    An interval is the time since the payment before, in whole hours, because venues change it and
    their histories do not include it; `usual` for the first payment and across a hole.
    """
    payments = sorted(dict(rows).items())
    spans = [round((at - before) / HOUR) * HOUR for (before, _), (at, _) in pairwise(payments)]
    intervals = [span if HOUR <= span <= 8 * HOUR else usual for span in [*spans[:1], *spans]]
    return [
        Funding(market, at, seen, rate, interval)
        for (at, rate), interval in zip(payments, intervals or [usual], strict=False)
    ]
