"""Tracks the mass in a price range: how much is swept, closed voluntarily, or left.

A shadow table holds just that mass, in dollars, and gets the same marks and the same decay as the
map; nothing is added to it. The result is read from its ledger.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np

from powderkeg.desk import Desk, Market
from powderkeg.engine.exposure.classes import CLASSES
from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.engine.exposure.table import BINS, DEPOSITED, INVERSE, LAID, LIVE, SCALE, SWEPT
from powderkeg.errors import ConfigError
from powderkeg.events import Candles, ClockTick, Event, Floats, Mark
from powderkeg.grid import bin_of, centres


class RangeTracker:
    """The mass of one side between two prices, followed from one time to another."""

    def __init__(
        self, side: Literal["long", "short"], low: float, high: float, since: int, until: int
    ) -> None:
        """Follow what stands between `low` and `high` at `since` (µs) up to `until`."""
        self.side: Literal["long", "short"] = side
        self.low = low
        self.high = high
        self.since = since
        self.until = until
        self.start = 0.0
        """Dollars in the range at `since`."""
        self._shadow: Exposure | None = None
        self._at_extreme: dict[str, float] = {}
        self._extreme = math.nan

    def watch(self, desk: Desk, event: Event) -> None:
        """Apply an event that the desk has processed to the shadow table."""
        at = event.time if isinstance(event, ClockTick) else event.received_time
        if at < self.since or at > self.until:
            return
        market = desk.leader
        if market is None or market.estimate is None or math.isnan(market.estimate.mark):
            return
        if self._shadow is None:
            self._begin(desk, market)
            return
        if isinstance(event, ClockTick) or event.market != market.name:
            return
        if isinstance(event, Candles):
            self._candles(event)
        elif isinstance(event, Mark):
            self._shadow.flush(at)
            self._shadow.move_mark(at, event.price)
            self._note(event.event_time, event.price)

    def _candles(self, bars: Candles) -> None:
        """Apply candles one by one, so that the moment of the extreme is not missed."""
        assert self._shadow is not None  # noqa: S101  the caller made it
        still = msgspec.structs.replace(bars, volume=np.zeros(len(bars.times)))
        for i in range(len(bars.times)):
            self._shadow.add_candles(still, i, i + 1)
            reached = bars.mark_low[i] if self.side == "long" else bars.mark_high[i]
            self._note(int(bars.times[i]), float(reached))

    def _begin(self, desk: Desk, market: Market) -> None:
        """Copy the mass of the range into the shadow, as dollars."""
        assert market.estimate is not None  # noqa: S101  the caller has looked
        real = market.estimate.exposure
        row = 0 if self.side == "long" else 1
        prices = centres(real.base, BINS)
        inside = (prices >= self.low) & (prices <= self.high)
        standing, known = real.standing(row, 0, BINS)
        weights = market.estimate.map_weights(desk.now)[row, known.astype(np.int64)]
        money = standing * weights * (prices * inside)[:, None]
        shadow = Exposure(market.estimate.mark, Spec(real.spec.basis, timed=False))
        shadow.cells[row] = money
        shadow.count[:] = real.count
        shadow.number[:] = real.number
        shadow.number[LAID] = math.inf
        for place in (SCALE, INVERSE):
            shadow.number[place : place + CLASSES] = 1.0
        shadow.ledger[LIVE, row] = shadow.ledger[DEPOSITED, row] = money.sum(axis=0)
        self.start = float(money.sum())
        self._shadow = shadow

    def _note(self, at: int, price: float) -> None:
        """Keep the state at the furthest price."""
        further = price < self._extreme if self.side == "long" else price > self._extreme
        if self._shadow is None or not (math.isnan(self._extreme) or further):
            return
        self._extreme = price
        shadow = self._shadow
        self._at_extreme = {
            "at": at,
            "price": price,
            "swept": float(shadow.ledger[SWEPT].sum()),
            "decayed": float(shadow.decayed().sum()),
            "left": float(shadow.live().sum()),
            "passed_but_left": self._passed(price),
        }

    def _passed(self, price: float) -> float:
        """Return dollars still standing at prices the mark has already passed."""
        assert self._shadow is not None  # noqa: S101  the caller has looked
        shadow = self._shadow
        b = bin_of(price) - shadow.base
        cells: Floats = (shadow.cells * shadow.scale).sum(axis=2, dtype=np.float64)
        passed = cells[0, b + 1 :] if self.side == "long" else cells[1, : max(b, 0)]
        return float(passed.sum())

    def result(self) -> dict[str, Any]:
        """Return the mass at the start, and its state at the furthest price."""
        return {
            "side": self.side, "low": self.low, "high": self.high,
            "since": self.since, "start": self.start, **self._at_extreme,
        }  # fmt: skip


def range_tracker_of(spec: str, parse_time: Callable[[str], int]) -> RangeTracker:
    """Return the tracker for a text such as ``long 60000 73200 2026-02-04 2026-02-07``.

    Raises:
        ConfigError: The text is not of that form.
    """
    parts = spec.split()
    if len(parts) != 5 or parts[0] not in ("long", "short"):
        raise ConfigError(f"expected SIDE LOW HIGH FROM TO, found {spec!r}")
    try:
        low, high = float(parts[1]), float(parts[2])
    except ValueError as why:
        raise ConfigError(f"expected two prices, found {parts[1]!r} and {parts[2]!r}") from why
    side: Literal["long", "short"] = "long" if parts[0] == "long" else "short"
    return RangeTracker(side, low, high, parse_time(parts[3]), parse_time(parts[4]))
