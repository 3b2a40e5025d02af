"""Learns the surviving share of the depth of one coin from sweeps as they happen.

Once a minute the map and the books are kept as they stand, with the nearest cluster of each side.
Price that reaches that cluster is watched for five minutes; what the depth kept before the touch
was worth is learned from where it ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from powderkeg.engine.overshoot.path import STEP, OutwardPath
from powderkeg.engine.overshoot.survival import DepthSurvival
from powderkeg.events import MINUTE, Floats
from powderkeg.maps.heatmap import past
from powderkeg.maps.heatmap.coin_view import CoinView, MapFilter, price_profile
from powderkeg.maps.heatmap.prices import HIGH, LOW
from powderkeg.maps.risk.outward import WATCHED, books_outward, mapped_outward, own_movement
from powderkeg.maps.views.clusters import Cluster, standing
from powderkeg.market.book import Book

KEPT: Final = round(0.05 / STEP) + 1
"""Points of a path that are kept: 5 %. An end beyond means that the share was small."""
FURTHEST: Final = 0.03
"""Log distance within which a cluster is waited for: the books are kept for a minute only."""


class AwaitedTouch(Struct, frozen=True, eq=False):
    """A cluster of one side that price has not reached, and what was known then."""

    mark: float
    """Price that distances start from."""
    level: float
    """Log distance of the cluster's densest price: at its edge nothing has been liquidated yet."""
    path: OutwardPath
    drift: float
    """As for `DepthSurvival.learn`."""


class WatchedSweep(Struct, frozen=True, eq=False):
    """A touch, and how far price has gone since."""

    touch: AwaitedTouch
    end: float
    """Log distance of the extreme so far."""
    until: int
    """µs at which it counts as ended."""


class SweepLearner:
    """Waits for touches, watches sweeps, and keeps the belief that they shape."""

    __slots__ = ("_awaited", "_watched", "survival")

    def __init__(self) -> None:
        """Start with the prior."""
        self.survival = DepthSurvival()
        self._awaited: dict[int, AwaitedTouch] = {}
        """By side: 0 below the price, 1 above."""
        self._watched: dict[int, WatchedSweep] = {}

    def advance(self, coin_view: CoinView, books: Sequence[Book], at: int) -> None:
        """Take in the minute that ended.

        Args:
            coin_view: The coin, with the candles of that minute.
            books: Its books; without a live one nothing is waited for.
            at: End of the minute, µs.
        """
        live = [book for book in books if book.status == "live"]
        if not (live or self._awaited or self._watched):
            return
        bar = coin_view.prices[MINUTE].window(at // MINUTE - 1, 1)[0]
        for side in (0, 1):
            self._watch(side, float(bar[LOW if side == 0 else HIGH]), at)
        self._awaited = self._await(coin_view, live) if live else {}

    def _watch(self, side: int, extreme: float, at: int) -> None:
        """Begin, follow or end the sweep of a side, from the extreme of the last minute."""
        sweep, touch = self._watched.get(side), self._awaited.get(side)
        sign = -1.0 if side == 0 else 1.0
        if sweep is not None:
            end = max(sweep.end, _away(extreme, sweep.touch.mark, sign))
            if at < sweep.until:
                self._watched[side] = WatchedSweep(sweep.touch, end, sweep.until)
                return
            del self._watched[side]
            known = sweep.touch
            self.survival.learn(known.path, known.level, end, known.drift)
        elif touch is not None and _away(extreme, touch.mark, sign) >= touch.level:
            end = _away(extreme, touch.mark, sign)
            self._watched[side] = WatchedSweep(touch, end, at + WATCHED)

    def _await(self, coin_view: CoinView, live: Sequence[Book]) -> dict[int, AwaitedTouch]:
        """Return what is waited for, on each side that is not being watched."""
        mark, drift = past.price_at(coin_view, 0), own_movement(coin_view)
        if not mark > 0 or math.isnan(drift):
            return {}
        profile = price_profile(coin_view, MapFilter())
        found = standing(profile, mark)
        nearest = {
            side: _nearest(found, side, mark) for side in (0, 1) if side not in self._watched
        }
        waited = {side: level for side, level in nearest.items() if level <= FURTHEST}
        if not waited:
            return {}
        mapped = mapped_outward(coin_view, MapFilter(), profile, mark, band=False)
        shown = books_outward(live, mapped[0].distance)
        return {
            side: AwaitedTouch(
                mark, level, _cut(mapped[side], shown.depth[side], shown.visible[side]), drift
            )
            for side, level in waited.items()
        }


def _away(price: float, mark: float, sign: float) -> float:
    """Return how far a price lies outward, log distance; 0 where it is not known."""
    return max(sign * math.log(price / mark), 0.0) if price > 0 else 0.0


def _nearest(found: Sequence[Cluster], side: int, mark: float) -> float:
    """Return the log distance of the nearest cluster of a side; infinite without one ahead."""
    own = "long" if side == 0 else "short"
    sign = -1.0 if side == 0 else 1.0
    ahead = [away for c in found if c.side == own and (away := sign * math.log(c.peak / mark)) > 0]
    return min(ahead, default=math.inf)


def _cut(path: OutwardPath, depth: Floats, visible: float) -> OutwardPath:
    """Return the part of a path that is kept, with its depth."""
    ones = np.ones(KEPT)
    return OutwardPath(
        path.distance[:KEPT].copy(), path.forced[:KEPT].copy(), depth[:KEPT].copy(), ones, ones,
        visible,
    )  # fmt: skip
