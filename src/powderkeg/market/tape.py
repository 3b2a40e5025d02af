"""One market's prints: a filter for bad ones, and running sums of volume bought and sold."""

from __future__ import annotations

import msgspec
import numpy as np

from powderkeg.events import MINUTE, Floats, Times, Trade, Trades
from powderkeg.market.guard import Guard

_JUMP = 0.02
"""A lone print this far off is held. The bad print of 2023-04-05 was 2.0 % away."""
_MEMORY = 10 * MINUTE
"""µs without a print after which no earlier price is a reference."""


class Tape:
    """Recent prints and running sums of one market.

    A run of prints and the same prints one by one leave the same state, bit for bit.

    Args:
        market: Market id.
        keep: Prints remembered.
    """

    __slots__ = (
        "_guard", "_held", "_prices", "_sizes", "_times", "at", "count", "cvd", "keep",
        "last", "market", "volume",
    )  # fmt: skip

    def __init__(self, market: str, keep: int = 4096) -> None:
        self.market = market
        self.keep = keep
        self.last = float("nan")
        """Last accepted price."""
        self.at = 0
        self.cvd = 0.0
        """Cumulative volume delta: bought less sold, base coin."""
        self.volume = 0.0
        self.count = 0
        self._guard = Guard(_JUMP, _MEMORY)
        self._held: Trade | None = None
        self._times: Times = np.zeros(keep, np.int64)
        self._prices: Floats = np.zeros(keep)
        self._sizes: Floats = np.zeros(keep)

    @property
    def dropped(self) -> int:
        """Prints nobody confirmed."""
        return self._guard.dropped

    def add(self, event: Trade | Trades) -> Trade | Trades | None:
        """Take prints and return those to believe now, a confirmed held one first."""
        if isinstance(event, Trade):
            return self._one(event)
        if not len(event.prices):
            return None
        if self._calm(event):
            self._guard.take(float(event.prices[-1]), int(event.times[-1]))
            self._store(event.times, event.prices, event.sizes)
            return event
        taken = [self._one(trade) for trade in event.singles()]
        believed = [run for run in taken if run is not None]
        return Trades.concat(believed) if believed else None

    def recent(self, n: int | None = None) -> Trades | None:
        """Return the last `n` believed prints, oldest first; None before the first."""
        n = min(self.count, self.keep, self.keep if n is None else n)
        if n <= 0:
            return None
        where = np.arange(self.count - n, self.count) % self.keep
        times, prices, sizes = self._times[where], self._prices[where], self._sizes[where]
        return Trades(self.market, self.at, self.at, times, prices, sizes)

    def since(self, at: int) -> tuple[float, float]:
        """Return base coin bought and sold at or after `at`, as far as prints are remembered."""
        run = self.recent()
        if run is None:
            return 0.0, 0.0
        sizes = run.sizes[run.times >= at]
        return float(sizes[sizes > 0].sum()), float(-sizes[sizes < 0].sum())

    def state(self) -> bytes:
        """Return all that decides what comes next, for hashing."""
        head = (self.market, self.at, self.count, self.last, self.cvd, self.volume)
        ring = (self._times.tobytes(), self._prices.tobytes(), self._sizes.tobytes())
        return msgspec.msgpack.encode((head, self._guard.state(), self._held, ring))

    def _calm(self, event: Trades) -> bool:
        """Return whether no print of a run is off the one before it, and none is held."""
        guard = self._guard
        if self._held is not None:
            return False
        fresh = guard.value > 0 and int(event.times[0]) - guard.at <= guard.memory
        first = guard.value if fresh else float(event.prices[0])
        before = np.concatenate(([first], event.prices[:-1]))
        return bool((np.abs(event.prices - before) < guard.limit * before).all())

    def _one(self, trade: Trade) -> Trade | Trades | None:
        verdict = self._guard.check(trade.price, trade.event_time)
        held, self._held = self._held, None
        if verdict == "hold":
            self._held = trade
            return None
        if verdict == "both" and held is not None:
            run = Trades.concat([held, trade])
            self._store(run.times, run.prices, run.sizes)
            return run
        self._store_one(trade)
        return trade

    def _store_one(self, trade: Trade) -> None:
        """As `_store`, without arrays: the live path."""
        size = trade.signed
        where = self.count % self.keep
        self._times[where], self._prices[where], self._sizes[where] = (
            trade.event_time,
            trade.price,
            size,
        )
        self.cvd += size
        self.volume += trade.size
        self.count += 1
        self.last, self.at = trade.price, trade.event_time

    def _store(self, times: Times, prices: Floats, sizes: Floats) -> None:
        n = len(times)
        # sums run print by print, so that bulk and single give the same bits
        self.cvd = float(np.add.accumulate(np.concatenate(([self.cvd], sizes)))[-1])
        amounts = np.concatenate(([self.volume], np.abs(sizes)))
        self.volume = float(np.add.accumulate(amounts)[-1])
        where = np.arange(self.count, self.count + n)[-self.keep :] % self.keep
        self._times[where] = times[-self.keep :]
        self._prices[where] = prices[-self.keep :]
        self._sizes[where] = sizes[-self.keep :]
        self.count += n
        self.last, self.at = float(prices[-1]), int(times[-1])
