"""Concentration of entries by price: few large openings, or many small ones.

The exposure table stores volume, not individual prints: one of 500 and 2,000 of 0.25 leave the same
cells. Here each bin of entry price keeps the sum of its prints and the sum of their squares, from
which the concentration of what would be liquidated in a price range follows: the Herfindahl index

    H = sum of squares / square of the sum,    each print q counted as q * reach(bin)

where reach is how much of a print at that bin the classes put into the price range. One
print is 1; n equal ones are 1/n. H is the chance that two dollars of it share an opening.

- Consecutive prints of one stamp and one taker are one order: one opening, where it began.
- Prints decay with one mean life for all classes.
- Candles have volume without prints. It is counted separately; where it is more than half, no
  concentration is reported.

Limits: it cannot see whether a print opened or closed, one trader behind many orders, several
takers within one stamp, or which positions have been liquidated since.

State is two flat arrays, and prints are added one by one in order, so that a run and its prints
one by one leave the same bits. Source: docs/model.md, "Concentration".
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from powderkeg.engine.exposure.classes import DISTANCES, DITHER, GROUP, RATES, VOLUME, Basis
from powderkeg.engine.exposure.deposits import SPREAD
from powderkeg.engine.exposure.table import BINS
from powderkeg.events import HOUR, MINUTE, Candles, Floats, Times
from powderkeg.grid import bin_of, price_of

LIFE = 48 * HOUR
"""Mean life of an opening, µs: between the 27 h of the nearest class and the weeks of the far."""
KNOWN = 0.5
"""Share of the mass whose prints must be known before a concentration is reported."""
GROWN = 1e6
"""Newer prints are written larger, instead of older ones smaller, up to this; then all shrink."""

# columns of `sums`, buys first: prints 0 and 1, their squares 2 and 3, without prints 4 and 5
# places in `number`; times in µs
BASE, LOW, HIGH, AT, ORIGIN, FACTOR, UNTIL, STAMP, TAKER, ORDER = range(10)


class HHISums(NamedTuple):
    """Sums behind the Herfindahl index of one price range, base coin weighted by class."""

    size: float = 0.0
    square: float = 0.0
    unknown: float = 0.0
    """Volume whose prints are not known."""

    def with_(self, other: HHISums) -> HHISums:
        """Return the sums of two markets together: no opening is in both."""
        return HHISums(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def concentration(self) -> float | None:
        """From near 0 (many small) to 1 (one); None where too few prints are known."""
        if not self.size > 0 or self.size < KNOWN * (self.size + self.unknown):
            return None
        return min(1.0, self.square / (self.size * self.size))


class LiquidationKernel(NamedTuple):
    """How much of a print the classes of one side lay how many bins away."""

    first: int
    """Nearest of the distances in bins, signed: negative for longs."""
    sums: Floats
    """Running total of the weights over distances, from 0, shape (n + 1,)."""
    takers: tuple[float, float]
    """Share of what takers bought, and of what they sold, that opens on this side."""


@njit(cache=True, nogil=True)
def _roll(sums: Floats, number: Floats, by: int) -> None:
    """Move the grid up by `by` bins; what falls off the end is forgotten."""
    if abs(by) >= BINS:
        sums[:] = 0.0
    elif by > 0:
        sums[: BINS - by] = sums[by:].copy()
        sums[BINS - by :] = 0.0
    else:
        sums[-by:] = sums[: BINS + by].copy()
        sums[:-by] = 0.0
    number[BASE] += by


@njit(cache=True, nogil=True)
def _place(sums: Floats, number: Floats, price: float) -> int:
    """Return the bin of a price, with the grid rolled to keep it in the middle half."""
    x = bin_of(price)
    if math.isnan(number[BASE]):
        number[BASE] = x - BINS // 2
    b = int(x - number[BASE])
    if b < BINS // 4 or b >= BINS - BINS // 4:
        _roll(sums, number, b - BINS // 2)
        b = BINS // 2
    number[AT] = b
    number[LOW] = price_of(x)
    number[HIGH] = price_of(x + 1)
    return b


@njit(cache=True, nogil=True)
def _grow(sums: Floats, number: Floats, at: float) -> float:
    """Return how large prints are written from `at` on: one factor a minute, so it costs little."""
    if math.isnan(number[ORIGIN]):
        number[ORIGIN] = at
    number[UNTIL] = at + MINUTE
    factor = math.exp((at - number[ORIGIN]) / LIFE)
    if factor > GROWN:
        for b in range(BINS):
            for column in range(6):
                sums[b, column] /= factor * factor if 2 <= column < 4 else factor
        number[ORIGIN] = at
        factor = 1.0
    number[FACTOR] = factor
    return factor


@njit(cache=True, nogil=True)
def add_prints(sums: Floats, number: Floats, times: Times, prices: Floats, sizes: Floats) -> None:
    """Add prints, each to the bin of its order; sells have negative sizes.

    The sums of the bin at hand are kept in registers: it is seldom another.
    """
    low, high, until = number[LOW], number[HIGH], number[UNTIL]
    stamp, taker, order = number[STAMP], number[TAKER], number[ORDER]
    factor, b = number[FACTOR], 0 if math.isnan(low) else int(number[AT])
    bought, sold, bought2, sold2 = sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3]
    for i in range(len(times)):
        at, size, price = times[i], sizes[i], prices[i]
        side = math.copysign(1.0, size)
        if at != stamp or side != taker:
            stamp, taker, order = float(at), side, 0.0
            if not (at < until and low <= price < high):
                sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3] = bought, sold, bought2, sold2
                if not at < until:
                    factor = _grow(sums, number, float(at))
                    until = number[UNTIL]
                b = _place(sums, number, price)
                low, high = number[LOW], number[HIGH]
                bought, sold, bought2, sold2 = sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3]
        buy, sell = max(size, 0.0) * factor, -min(size, 0.0) * factor
        bought += buy
        sold += sell
        bought2 += buy * (2.0 * order + buy)
        sold2 += sell * (2.0 * order + sell)
        order += buy + sell
    sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3] = bought, sold, bought2, sold2
    number[STAMP], number[TAKER], number[ORDER] = stamp, taker, order


@njit(cache=True, nogil=True)
def add_bars(
    sums: Floats, number: Floats, ends: Times, low: Floats, high: Floats, volume: Floats,
    buy: Floats,
) -> None:  # fmt: skip
    """Add volume of candles where `bulk.run_candles` puts it; its prints are unknown."""
    for s in range(len(ends)):
        if not volume[s] > 0.0:
            continue
        a = bin_of(low[s])
        n = bin_of(high[s]) - a + 1
        places = min(n, SPREAD)
        each = _grow(sums, number, float(ends[s])) / places
        for i in range(places):
            b = _place(sums, number, price_of(a + (2 * i + 1) * n // (2 * places) + 0.5))
            sums[b, 4] += buy[s] * each
            sums[b, 5] += (volume[s] - buy[s]) * each
        number[STAMP] = math.nan  # whatever order was open is over


@njit(cache=True, nogil=True)
def _moments(
    sums: Floats, base: int, start: int, stop: int, first: int, reach: Floats,
    buys: float, sells: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Return size, square and unknown of what lies `start` to `stop` bins, absolute, away."""
    size = square = unknown = 0.0
    n = len(reach) - 1
    low = max(start - first - n + 1 - base, 0)
    high = min(stop - first - base, BINS)
    for b in range(low, high):
        near = min(max(start - b - base - first, 0), n)
        far = min(max(stop - b - base - first, 0), n)
        c = reach[far] - reach[near]
        size += c * (buys * sums[b, 0] + sells * sums[b, 1])
        square += c * c * (buys * buys * sums[b, 2] + sells * sells * sums[b, 3])
        unknown += c * (buys * sums[b, 4] + sells * sums[b, 5])
    return size, square, unknown


def liquidation_kernel(basis: Basis, side: int, weights: Floats, own: float) -> LiquidationKernel:
    """Return how the classes of a basis distribute an opening over distances from its entry.

    Args:
        basis: The classes.
        side: 0 for longs, 1 for shorts.
        weights: Of the classes of this side, shape (64,), >= 0. Those of the time group know no
            prints and are left out.
        own: Share of a taker's volume that opens on the taker's own side.
    """
    offsets = basis.offsets[:, VOLUME, :, side].astype(np.int64)
    away = -offsets if side == 0 else offsets
    first = int(away.min())
    each = weights[VOLUME * GROUP : (VOLUME + 1) * GROUP].reshape(DISTANCES, RATES).sum(axis=1)
    laid = np.broadcast_to(each / DITHER, away.shape)
    mass = np.bincount((away - first).ravel(), laid.ravel())
    takers = (own, 1.0 - own) if side == 0 else (1.0 - own, own)
    return LiquidationKernel(first, np.concatenate(([0.0], np.cumsum(mass))), takers)


class EntryConcentration:
    """Sums and squared sums of one market's prints, by entry price."""

    __slots__ = ("number", "sums")

    def __init__(self) -> None:
        """Start empty; the first price sets the grid."""
        self.sums = np.zeros((BINS, 6))
        """Sums and sums of squares of prints, and volume without prints, shape (4096, 6)."""
        self.number = np.full(10, math.nan)

    def add_trades(self, times: Times, prices: Floats, sizes: Floats) -> None:
        """Add prints in order of time; sizes of sells are negative, times µs."""
        add_prints(self.sums, self.number, times, prices, sizes)

    def add_candles(self, bars: Candles) -> None:
        """Add volume whose prints are unknown."""
        ends = bars.times + bars.span
        add_bars(self.sums, self.number, ends, bars.low, bars.high, bars.volume, bars.buy)

    def moments(self, start: int, stop: int, reach: LiquidationKernel, at: int) -> HHISums:
        """Return the sums of what would be liquidated in absolute bins ``start <= bin < stop``.

        Args:
            start: First bin.
            stop: The one after the last.
            reach: Distances from entry to liquidation.
            at: Now, µs: older prints count for less.
        """
        number = self.number
        if math.isnan(number[BASE]):
            return HHISums()
        found = _moments(
            self.sums, int(number[BASE]), start, stop, reach.first, reach.sums, *reach.takers
        )
        left = math.exp((float(number[ORIGIN]) - at) / LIFE)
        return HHISums(found[0] * left, found[1] * left * left, found[2] * left)
