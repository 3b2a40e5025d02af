"""Touches in simulated markets: copies of a market are pushed to a level, and what follows is seen.

A copy of the market is moved by news over twenty seconds, in a book as deep as usual, at 40 % and
at 20 % of it, and left alone for five minutes. What was known before is the estimated map and the
displayed book; what followed is the extreme of price, and what was liquidated on that side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.terms import as_terms
from powderkeg.engine.exposure.table import BINS
from powderkeg.engine.overshoot.path import OutwardPath, grid
from powderkeg.evaluation.sim_truth import START, WORLD, hourly, reported_liquidations
from powderkeg.events import DAY, HOUR, Floats
from powderkeg.grid import BIN, position_of
from powderkeg.sim import Episode, SimulatedMarket
from powderkeg.sim.conditions import Conditions
from powderkeg.sim.episodes import KeyFrame, Phase

LEVELS: Final = (0.006, 0.015, 0.03)
"""Log distances of the levels touched."""
BOOKS: Final = (1.0, 0.4, 0.2)
"""Depth of the book, as a share of the usual."""
EVERY: Final = 6 * HOUR
"""µs between two moments from which copies are pushed."""
CALM: Final = 1.0
"""Seconds in the book before the push begins."""
PUSH: Final = 20.0
"""Seconds of the push."""
AFTER: Final = 300.0
"""Seconds watched from its end."""
RUNGS: Final = 5_000
"""Rungs of the displayed book, half a basis point each."""


class Touch(Struct, frozen=True, eq=False):
    """One push, with what was known before it and what followed."""

    at: int
    """Time of the moment it starts from, µs."""
    path: OutwardPath
    """Base coin."""
    level: float
    """Log distance of the level."""
    book: float
    """Depth of the book, as a share of the usual."""
    drift: float
    """Deviation of what price moves by itself meanwhile, log price."""
    end: float
    """Log distance of the extreme that followed."""
    forced: float
    """Liquidated on that side, base coin."""


def touches(seed: int, days: float, warm_up: float) -> Iterator[Touch]:
    """Yield the touches of one market.

    Args:
        seed: Of the market.
        days: How long it is played.
        warm_up: Days before the first push: the map fills and the first weights are fitted.
    """
    market = SimulatedMarket(WORLD, seed, START)
    estimate: Estimate | None = None
    while market.now < START + days * DAY:
        before = market.now
        recording = market.run(EVERY / DAY)
        estimate = estimate or Estimate(float(recording.venues[0].marks[0]))
        for truth in recording.truths:
            estimate.add_tape(hourly(recording, truth, before))
            for event in reported_liquidations(recording, before, truth.at):
                estimate.add_liquidation(event)
            before = truth.at
        if market.now >= START + warm_up * DAY:
            drift = _drift(recording.venues[0].marks)
            for side in (0, 1):
                mapped = _mapped(estimate, market.now, side)
                for book in BOOKS:
                    for level in LEVELS:
                        yield _push(market, mapped, side, level, book, drift)


def _drift(marks: Floats) -> float:
    """Return the deviation of price over half a touch, from the marks of the last hours by second.

    Half, since the extreme counts from the level on, where price has come late.
    """
    minutes = np.diff(np.log(marks[::60]))
    return float(minutes.std() * math.sqrt((PUSH + AFTER) / 2 / 60))


def _mapped(estimate: Estimate, at: int, side: int) -> OutwardPath:
    """Return a side of the map outward from the mark, without a book."""
    exposure, distance = estimate.exposure, grid()
    centre = position_of(estimate.mark) - exposure.base
    reach = math.ceil(distance[-1] / BIN) + 2
    start = max(math.floor(centre) - (reach if side == 0 else 0), 0)
    stop = min(math.floor(centre) + (1 if side == 0 else reach), BINS)
    terms = as_terms(*exposure.standing(side, start, stop))
    outward = terms[::-1] if side == 0 else terms
    sums = np.zeros((len(outward) + 1, 2, terms.shape[1]))
    sums[1:, side] = np.cumsum(outward, axis=0)
    spread = estimate.uncertainty(sums, at)
    mean, low, high = (
        part.sum(axis=1) if part.ndim > 1 else part for part in (spread.mean, *spread.band())
    )
    edges = (stop - centre if side == 0 else centre - start) * -1.0 + np.arange(len(mean))
    edges = edges * BIN
    safe = np.maximum(mean, 1e-12)
    forced, lows, highs = (
        np.interp(distance, edges, values) for values in (mean, low / safe, high / safe)
    )
    some = forced > 1e-9
    return OutwardPath(
        distance, forced, np.zeros_like(distance),
        np.where(some, lows, 1.0), np.where(some, highs, 1.0),
    )  # fmt: skip


def _push(
    market: SimulatedMarket, mapped: OutwardPath, side: int, level: float, book: float, drift: float
) -> Touch:
    """Push a copy of the market to a level, and watch it."""
    sign = -1.0 if side == 0 else 1.0
    copy = market.copy()
    mid = math.log(_mid(copy))
    frames = (
        KeyFrame(0.0, 1.0),
        KeyFrame(CALM, 1.0),
        KeyFrame(CALM + PUSH, math.exp(sign * level)),
    )
    whole = CALM + PUSH + AFTER
    thin = Phase(0.0, whole, Conditions(depth=book, noise=book))
    copy.script(Episode(name="push", side=int(-sign), frames=frames, phases=(thin,)))
    copy.run(CALM * 1e6 / DAY)
    depth = _displayed(copy, side, mapped.distance)
    played = copy.run((PUSH + AFTER) * 1e6 / DAY)
    venue = played.venues[0]
    extreme = float(venue.trades.prices.min() if side == 0 else venue.trades.prices.max())
    rows = venue.liquidations
    forced = float(rows.sizes[rows.holders == -sign].sum())
    path = OutwardPath(mapped.distance, mapped.forced, depth, mapped.low, mapped.high)
    return Touch(market.now, path, level, book, drift, sign * (math.log(extreme) - mid), forced)


def _mid(market: SimulatedMarket) -> float:
    shown = market.ladder(1)
    return (shown.bid + shown.ask) / 2


def _displayed(market: SimulatedMarket, side: int, distance: Floats) -> Floats:
    """Return what is displayed up to each distance, base coin."""
    shown = market.ladder(RUNGS)
    prices, sizes = (shown.bids, shown.bid_sizes) if side == 0 else (shown.asks, shown.ask_sizes)
    away = np.abs(np.log(prices) - math.log((shown.bid + shown.ask) / 2))
    return np.interp(distance, away, np.cumsum(sizes))
