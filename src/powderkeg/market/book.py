"""One market's order book, built from a snapshot and the changes after it.

Theory of operation. A venue sends changes, each with the update ids it covers, and on request a
snapshot with the last update it contains. The book is exact when every change after the snapshot
was applied once and in order. The states are::

    state       a change that            state      and then
    ---------   ----------------------   ---------  ------------------------------------
    cold        comes                    buffering  keep it; ask for a snapshot
    buffering   comes                    buffering  keep it
    live        follows (chain holds)    live       apply it
    live        is contained already     live       skip it
    live        does not follow          gap        keep it; ask for a snapshot
    live        leaves the book crossed  gap        ask for a snapshot
    gap         comes                    gap        keep it
    any         (a snapshot comes)       live       replace the book, then apply what was kept

In `gap` the old book can still be drawn, marked stale by its status. The book does no I/O: it
returns `Resync`, and the shell fetches.

The chain, as Binance documents it. Futures send `previous`, the last id of the change before: a
change follows if ``previous == update``, and right after a snapshot if ``previous <= update``,
which covers both the documented ``U <= lastUpdateId <= u`` and the live case
``pu == lastUpdateId``. Spot does not send it: a change follows if ``first == update + 1``, and
right after a snapshot if ``first <= update + 1``. Venues that send snapshots only (Hyperliquid)
need no chain. A snapshot of 1,000 levels says nothing about levels beyond: they are unknown until
touched.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from powderkeg.events import BookDelta, BookSnapshot, Floats, Level, Side

Status: TypeAlias = Literal["cold", "buffering", "live", "gap"]
_KEEP = 2_000
"""Changes kept while waiting: 200 s at 100 ms. Beyond it the snapshot is requested again."""


class Resync(Struct, frozen=True):
    """A request to fetch a snapshot of this market."""

    market: str
    why: str
    since: int = 0
    """Time of the last change before those that were lost, µs; 0 where none was."""


class Ladder:
    """One side of a book: sizes by price, and the prices in rising order."""

    __slots__ = ("prices", "sizes")

    def __init__(self, levels: tuple[Level, ...] = ()) -> None:
        self.sizes: dict[float, float] = {price: size for price, size in levels if size > 0}
        self.prices: list[float] = sorted(self.sizes)

    def change(self, levels: tuple[Level, ...]) -> None:
        """Set the levels; a size of zero removes one (removing an unknown level is normal)."""
        sizes, prices = self.sizes, self.prices
        for price, size in levels:
            if size > 0:
                if price not in sizes:
                    insort(prices, price)
                sizes[price] = size
            elif sizes.pop(price, None) is not None:
                del prices[bisect_left(prices, price)]

    def between(self, low: float, high: float) -> tuple[Floats, Floats]:
        """Return prices (rising) and sizes of ``low <= price <= high``."""
        prices = self.prices[bisect_left(self.prices, low) : bisect_right(self.prices, high)]
        sizes = [self.sizes[price] for price in prices]
        return np.array(prices, np.float64), np.array(sizes, np.float64)


class Book:
    """The visible book of one market."""

    __slots__ = ("_asks", "_bids", "_fresh", "_kept", "at", "counts", "market", "status", "update")

    def __init__(self, market: str) -> None:
        self.market = market
        self.status: Status = "cold"
        self.at = 0
        """Time of the last change, µs."""
        self.update = 0
        """Last update id contained."""
        self.counts = {"stale": 0, "holes": 0, "crossed": 0, "overflow": 0, "lost": 0}
        self._fresh = False
        self._kept: list[BookDelta] = []
        self._bids = Ladder()
        self._asks = Ladder()

    def apply(self, event: BookSnapshot | BookDelta) -> Resync | None:
        """Apply a snapshot or a change; return a request for a snapshot where one is needed."""
        if isinstance(event, BookSnapshot):
            return self._replace(event)
        if self.status == "live":
            return self._change(event)
        return self._keep(event)

    def mark_lost(self, why: str) -> Resync | None:
        """Record that updates were or may be lost (a broken link, a gap in a recording)."""
        if self.status == "cold":
            return None
        self.counts["lost"] += 1
        self._kept.clear()
        return self._to_gap(why)

    @property
    def bid(self) -> float:
        """Best bid, NaN where there is none."""
        return self._bids.prices[-1] if self._bids.prices else float("nan")

    @property
    def ask(self) -> float:
        """Best ask, NaN where there is none."""
        return self._asks.prices[0] if self._asks.prices else float("nan")

    @property
    def mid(self) -> float:
        """Half-way between best bid and best ask, NaN where one is missing."""
        return (self.bid + self.ask) / 2

    def best(self) -> tuple[float, float, float, float] | None:
        """Return bid, bid size, ask, ask size; None where a side is empty."""
        if not (self._bids.prices and self._asks.prices):
            return None
        bid, ask = self._bids.prices[-1], self._asks.prices[0]
        return bid, self._bids.sizes[bid], ask, self._asks.sizes[ask]

    def depth(
        self, side: Side, low: float = 0.0, high: float = float("inf")
    ) -> tuple[Floats, Floats]:
        """Return prices and sizes within a range, best first; ``buy`` is the bids."""
        if side == "sell":
            return self._asks.between(low, high)
        prices, sizes = self._bids.between(low, high)
        return prices[::-1], sizes[::-1]

    def state(self) -> bytes:
        """Return all state that affects later results, for hashing."""
        sides = [[(p, side.sizes[p]) for p in side.prices] for side in (self._bids, self._asks)]
        head = (self.market, self.status, self.at, self.update, self._fresh, self.counts)
        return msgspec.msgpack.encode((head, sides, self._kept))

    def _replace(self, event: BookSnapshot) -> Resync | None:
        bids, asks = Ladder(event.bids), Ladder(event.asks)
        if bids.prices and asks.prices and bids.prices[-1] >= asks.prices[0]:
            self.counts["crossed"] += 1
            return self._to_gap("the snapshot is crossed")
        self._bids, self._asks = bids, asks
        self.status, self.at, self.update, self._fresh = (
            "live",
            event.event_time,
            event.update,
            True,
        )
        kept, self._kept = self._kept, []
        request = None
        timed = (
            event.event_time != event.received_time
        )  # by the venue's own clock, which changes have too
        for delta in kept:
            if timed and delta.event_time < event.event_time:
                # its number may be greater all the same: a venue that restarts counts from 1
                self.counts["stale"] += 1
                continue
            request = self.apply(delta) or request
        return request

    def _change(self, event: BookDelta) -> Resync | None:
        if event.last <= self.update:
            self.counts["stale"] += 1
            return None
        if not self._follows(event):
            self.counts["holes"] += 1
            self._kept = [event]
            why = f"expected a change after update {self.update}, got {event.first}"
            return Resync(self.market, self._to_gap(why).why, self.at)
        self._bids.change(event.bids)
        self._asks.change(event.asks)
        self.at, self.update, self._fresh = event.event_time, event.last, False
        if self.bid >= self.ask:
            self.counts["crossed"] += 1
            return self._to_gap(f"crossed at update {self.update}: {self.bid} over {self.ask}")
        return None

    def _follows(self, event: BookDelta) -> bool:
        if event.previous >= 0:
            return event.previous == self.update or (self._fresh and event.previous <= self.update)
        return event.first == self.update + 1 or (self._fresh and event.first <= self.update + 1)

    def _keep(self, event: BookDelta) -> Resync | None:
        self._kept.append(event)
        if self.status == "cold":
            self.status = "buffering"
            return Resync(self.market, "no snapshot yet")
        if len(self._kept) > _KEEP:
            self.counts["overflow"] += 1
            self._kept = [event]
            return Resync(self.market, f"no snapshot within {_KEEP} changes")
        return None

    def _to_gap(self, why: str) -> Resync:
        self.status = "gap"
        return Resync(self.market, why)
