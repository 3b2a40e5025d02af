"""Candles built from prints: every accepted print is in exactly one bar."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from powderkeg.events import Candle, Candles, Floats, Trade, Trades


class Bars:
    """The bars of one market and one span; a span without a print has no bar.

    Args:
        market: Market id.
        span: Length of a bar, µs. Bars start at multiples of it since 1970.
        keep: Finished bars remembered.
    """

    __slots__ = ("_bars", "_open", "keep", "late", "market", "span")

    def __init__(self, market: str, span: int, keep: int = 1500) -> None:
        self.market = market
        self.span = span
        self.keep = keep
        self.late = 0
        """Prints left out because their bar was over."""
        self._bars: list[Candle] = []
        self._open: Candle | None = None

    @property
    def open(self) -> Candle | None:
        """The unfinished bar."""
        return self._open

    def add(self, event: Trade | Trades) -> list[Candle]:
        """Add accepted prints; return the bars that are finished now."""
        if isinstance(event, Trade):
            return self._one(event)
        prices, sizes = event.prices, event.sizes
        starts = event.times - event.times % self.span
        floor = self._floor()
        if len(starts) and int(starts.min()) < floor:
            on_time = starts >= floor
            self.late += int((~on_time).sum())
            starts, prices, sizes = starts[on_time], prices[on_time], sizes[on_time]
        over: list[Candle] = []
        cuts = np.flatnonzero(np.diff(starts)) + 1
        for part in np.split(np.arange(len(starts)), cuts) if len(starts) else []:
            over += self._fill(int(starts[part[0]]), prices[part], sizes[part], event.received_time)
        return over

    def close(self, now: int) -> list[Candle]:
        """Finish the open bar if its span is over at `now`."""
        if self._open is None or now < self._open.event_time + self.span:
            return []
        return [self._finish(self._open)]

    def columns(self, n: int | None = None) -> Candles | None:
        """Return the last `n` finished bars; OI and mark are not known here."""
        bars = self._bars[-n:] if n else self._bars
        if not bars:
            return None
        return Candles.of(bars)

    def state(self) -> bytes:
        """Return all state that affects later results, for hashing."""
        return msgspec.msgpack.encode((self.span, self.late, self._bars, self._open))

    def _floor(self) -> int:
        """Return the start of the earliest bar that still takes prints."""
        if self._open is not None:
            return self._open.event_time
        return self._bars[-1].event_time + self.span if self._bars else 0

    def _one(self, trade: Trade) -> list[Candle]:
        """As `add` for a run, without arrays: the live path."""
        start = trade.event_time - trade.event_time % self.span
        if start < self._floor():
            self.late += 1
            return []
        over, before = self._turn(start, trade.price)
        price, buy = trade.price, trade.size if trade.taker == "buy" else 0.0
        self._open = msgspec.structs.replace(
            before,
            received_time=trade.received_time,
            high=max(before.high, price),
            low=min(before.low, price),
            close=price,
            volume=before.volume + trade.size,
            buy=before.buy + buy,
        )
        return over

    def _fill(self, start: int, prices: Floats, sizes: Floats, seen: int) -> list[Candle]:
        over, before = self._turn(start, float(prices[0]))
        self._open = msgspec.structs.replace(
            before,
            received_time=seen,
            high=max(before.high, float(prices.max())),
            low=min(before.low, float(prices.min())),
            close=float(prices[-1]),
            volume=_sum(before.volume, np.abs(sizes)),
            buy=_sum(before.buy, np.where(sizes > 0, sizes, 0.0)),
        )
        return over

    def _turn(self, start: int, price: float) -> tuple[list[Candle], Candle]:
        """Return the bars a print at `start` finishes, and the bar it falls into."""
        bar = self._open
        if bar is not None and bar.event_time == start:
            return [], bar
        over = [] if bar is None else [self._finish(bar)]
        fresh = Candle(self.market, start, 0, self.span, price, price, price, price, 0.0, 0.0)
        return over, fresh

    def _finish(self, bar: Candle) -> Candle:
        self._bars.append(bar)
        del self._bars[: -self.keep]
        self._open = None
        return bar


def coarser(bars: Iterable[Candle], span: int) -> list[Candle]:
    """Return the same bars in longer ones; the last may be unfinished.

    Raises:
        ValueError: `span` is not a multiple of the span of a bar.
    """
    out: list[Candle] = []
    for bar in bars:
        if span % bar.span:
            raise ValueError(f"expected a span that is a multiple of {bar.span} µs, found {span}")
        start = bar.event_time - bar.event_time % span
        if not out or out[-1].event_time != start:
            out.append(msgspec.structs.replace(bar, event_time=start, span=span))
            continue
        last = out[-1]
        out[-1] = msgspec.structs.replace(
            last,
            received_time=bar.received_time,
            high=max(last.high, bar.high),
            low=min(last.low, bar.low),
            close=bar.close,
            volume=last.volume + bar.volume,
            buy=last.buy + bar.buy,
        )
    return out


def _sum(start: float, amounts: Floats) -> float:
    """Return a sum print by print, so that bulk and single give the same bits."""
    return float(np.add.accumulate(np.concatenate(([start], amounts)))[-1])
