"""The order book of one simulated venue, in its lots, as a sequence of small changes.

A real book changes a few levels at a time; a simulated ladder changes all of them a little. So a
level is sent again only when it has changed by a quarter, appears, or vanishes. One at which a book
actor's order rests is always sent as it is.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.events import SECOND, Floats
from powderkeg.sim import Ladder
from powderkeg.simvenues.market.world import Spec

Whole: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = list[tuple[int, int]]
"""Price in ticks, size in lots; 0 lots where the level is gone."""

LEVELS: Final = 200
_QUIET: Final = 0.25
"""Share of its size by which a level must change to be sent again."""
_PERIOD: Final = 4 * SECOND
"""How long a level shows the same orders."""


class Change(Struct, frozen=True):
    """What changed in one step, with its update ids."""

    bids: Rows
    asks: Rows
    first: int
    last: int
    previous: int


class Side:
    """One side, as sorted ticks and their lots."""

    __slots__ = ("lots", "ticks")

    def __init__(self) -> None:
        self.ticks: Whole = np.empty(0, np.int64)
        self.lots: Whole = np.empty(0, np.int64)

    def rows(self, falling: bool, most: int = LEVELS) -> Rows:
        """Return levels best first."""
        pairs = list(zip(self.ticks.tolist(), self.lots.tolist(), strict=True))
        return pairs[::-1][:most] if falling else pairs[:most]

    def update(self, ticks: Whole, lots: Whole, exact: Whole) -> Rows:
        """Take the new levels and return those to be sent.

        Args:
            ticks: Rising.
            lots: Of each.
            exact: Ticks of levels that are sent at every change.
        """
        place = np.searchsorted(self.ticks, ticks)
        place[place == self.ticks.size] = 0
        known = self.ticks[place] == ticks if self.ticks.size else np.zeros(ticks.size, np.bool_)
        old = np.where(known, self.lots[place], 0) if self.ticks.size else np.zeros_like(lots)
        quiet = known & (np.abs(lots - old) <= _QUIET * old)
        if exact.size:
            quiet &= ~np.isin(ticks, exact)
        new = np.where(quiet, old, lots)
        changed = new != old
        gone = np.setdiff1d(self.ticks, ticks, assume_unique=True)
        self.ticks, self.lots = ticks, new
        out = [(tick, 0) for tick in gone.tolist()]
        out += zip(ticks[changed].tolist(), new[changed].tolist(), strict=True)
        return out


def _flicker(ticks: Whole, seed: int, at: int) -> Floats:
    """Return a number in [0.5, 1.5) per level, redrawn now and then, not all at once."""
    with np.errstate(over="ignore"):
        z = ticks.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        phase = ((z >> np.uint64(40)) % np.uint64(_PERIOD)).astype(np.int64)
        turn = ((at + phase) // _PERIOD).astype(np.uint64)
        z ^= (turn + np.uint64(seed)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(29))) * np.uint64(0xD6E8FEB86659FD93)
    return 0.5 + (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


class SimBook:
    """Both sides of one market's book and the ids of its changes."""

    __slots__ = ("asks", "at", "bids", "count", "last", "seed", "share", "spec", "venue")

    def __init__(self, spec: Spec, share: float, seed: int, venue: int) -> None:
        """Show `share` of the ladder, and the orders of one venue, in the units of `spec`.

        Args:
            spec: The market.
            share: Share of the ladder.
            seed: Seed of the sizes of its levels.
            venue: Index of the venue in its world.
        """
        self.venue = venue
        self.spec = spec
        self.share = share
        self.seed = seed
        self.bids = Side()
        self.asks = Side()
        self.at = 0
        self.last = 1_000_000_000 + seed % 1_000_000
        """Id of the newest change."""
        self.count = 0
        """Number of changes, for venues that number them by ones."""

    def update(self, ladder: Ladder, at: int) -> Change | None:
        """Take the current ladder and return the change to send, if any."""
        tick = self.spec.tick
        bid = int(np.floor(ladder.bid / tick + 1e-9))
        ask = max(bid + 1, int(np.ceil(ladder.ask / tick - 1e-9)))
        bids = np.minimum(np.floor(ladder.bids / tick + 1e-9).astype(np.int64), bid)
        asks = np.maximum(np.ceil(ladder.asks / tick - 1e-9).astype(np.int64), ask)
        rows = [
            self._side(self.bids, bids[::-1], ladder.bid_sizes[::-1], at, self._orders(ladder, -1)),
            self._side(self.asks, asks, ladder.ask_sizes, at, self._orders(ladder, 1)),
        ]
        self.at = at
        return self.next_change(*rows) if rows[0] or rows[1] else None

    def next_change(self, bids: Rows, asks: Rows) -> Change:
        """Return rows as the next change of the sequence."""
        previous = self.last
        self.last += len(bids) + len(asks)
        self.count += 1
        return Change(bids, asks, previous + 1, self.last, previous)

    def repeat_levels(self, n: int) -> Change:
        """Return a change that repeats existing levels, to pad the load."""
        bids = self.bids.rows(True)
        asks = self.asks.rows(False)
        return self.next_change([bids[n % len(bids)]], [asks[n % len(asks)]])

    def _orders(self, ladder: Ladder, side: int) -> list[tuple[int, float]]:
        """Return ticks and lots of the large orders of a side that rest at this venue."""
        return [
            (
                _tick_of(order.price / self.spec.tick, side),
                self.spec.lots(order.size, order.price),
            )
            for order in ladder.orders
            if (order.venue, order.side) == (self.venue, side)
        ]

    def _side(
        self, side: Side, ticks: Whole, sizes: Floats, at: int, orders: list[tuple[int, float]]
    ) -> Rows:
        """Merge levels on one price, convert them to lots, add orders and update `side`."""
        starts = np.flatnonzero(np.concatenate(([True], ticks[1:] > ticks[:-1])))
        whole = np.add.reduceat(sizes, starts)
        levels = ticks[starts]
        prices = levels * self.spec.tick
        shown = whole * self.share * _flicker(levels, self.seed, at)
        one = self.spec.lots(1.0, 1.0)
        lots = shown * one * prices if self.spec.inverse else shown * one
        for tick, size in orders:
            lots[levels == tick] += size
        exact = np.array([tick for tick, _ in orders], np.int64)
        return side.update(levels, np.maximum(1, np.rint(lots)).astype(np.int64), exact)


def _tick_of(place: float, side: int) -> int:
    """Return the tick a price is shown at: bids down, asks up."""
    return math.ceil(place - 1e-9) if side > 0 else math.floor(place + 1e-9)
