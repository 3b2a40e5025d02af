"""Backfill: REST answers about the time before the start, assembled into events to replay."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from msgspec.structs import replace

from powderkeg.events import (
    MINUTE,
    Candles,
    Event,
    Funding,
    Gap,
    OpenInterest,
    Trade,
    Trades,
)

BackfillEvent: TypeAlias = Candles | Funding | Gap | Trades
"""Events that a backfill consists of."""
_HOLE = 3 * MINUTE
"""Shorter gaps between candles are no gaps: some venues leave out minutes without a trade."""


class Backfill:
    """Backfill answers of one market, in any order."""

    def __init__(self, market: str) -> None:
        """Start empty."""
        self.market = market
        self.candles: list[Candles] = []
        self.interest: list[OpenInterest] = []
        self.funding: list[Funding] = []
        self.recent: list[Trade | Trades] = []

    def add(self, event: Event) -> None:
        """Add an event of an answer."""
        match event:
            case Candles():
                self.candles.append(event)
            case OpenInterest():
                self.interest.append(event)
            case Funding():
                self.funding.append(event)
            case Trade() | Trades():
                self.recent.append(event)
            case _:
                pass

    def events(self, since: int, until: int, stream_start: int = 0) -> list[BackfillEvent]:
        """Return the time from `since` to `until` as events, oldest first.

        Candles cover it. Where `since` is within a minute, the rest of that minute is a gap: its
        candle would count again what is known already.

        Args:
            since: µs up to which the market is known already; 0 for none.
            until: µs, a whole minute: the end of the last candle wanted. Recent trades from then
                on follow; where they begin later, the time between is a gap.
            stream_start: µs of the first streamed trade: the end of that gap where there are no
                recent trades.
        """
        out: list[BackfillEvent] = []
        known = -(-since // MINUTE) * MINUTE
        if since < known <= until:
            out.append(Gap(self.market, known, known, since, "stopped within a minute"))
        for bars in self._bars(known, until):
            out += self._gaps(bars, known)
            out.append(bars)
            known = int(bars.times[-1]) + bars.span
        latest = max(
            (f for f in self.funding if f.event_time <= until),
            key=lambda f: f.event_time,
            default=None,
        )
        if latest is not None:
            out.append(latest)
        if known < until and known:
            out.append(Gap(self.market, until, until, known, "candles end early"))
        edge = max(since, until)
        if known and not self.recent and stream_start > edge:
            out.append(Gap(self.market, stream_start, stream_start, edge, "no recent trades"))
        return out + self._recent_trades(edge)

    def _bars(self, since: int, until: int) -> list[Candles]:
        """Return candles of each span as one run: longer ones only where shorter are missing."""
        runs: list[Candles] = []
        end = until
        for span in sorted({bars.span for bars in self.candles}):
            parts = [bars for bars in self.candles if bars.span == span]
            run = Candles.concat(parts)
            run = run.where((run.times >= since) & (run.times + span <= end))
            if len(run.times):
                end = int(run.times[0])
                runs.append(self._with_open_interest(replace(run, liquidations_known=False)))
        return runs[::-1]

    def _with_open_interest(self, bars: Candles) -> Candles:
        """Return candles with the last reading of open interest within each."""
        if not self.interest:
            return bars
        times = np.array([reading.event_time for reading in self.interest], np.int64)
        sizes = np.array([reading.size for reading in self.interest])
        order = np.argsort(times, kind="stable")
        times, sizes = times[order], sizes[order]
        i = np.searchsorted(times, bars.times + bars.span, side="right") - 1
        known = (i >= 0) & (times[np.maximum(i, 0)] > bars.times)
        oi = np.where(known, sizes[np.maximum(i, 0)], np.nan)
        return replace(bars, oi=oi)

    def _gaps(self, bars: Candles, known: int) -> list[BackfillEvent]:
        """Return the gap before a run and those inside it."""
        ends = bars.times + bars.span
        before = np.r_[known or int(bars.times[0]), ends[:-1]]
        found = np.flatnonzero(bars.times - before > max(_HOLE, bars.span))
        return [
            Gap(self.market, int(bars.times[i]), int(bars.times[i]), int(before[i]), "no candles")
            for i in found
        ]

    def _recent_trades(self, until: int) -> list[BackfillEvent]:
        """Return the trades since the last candle, or since the last known event."""
        if not self.recent:
            return []
        run = Trades.concat(self.recent).by_time()
        first = int(run.times[0])
        out: list[BackfillEvent] = []
        if first > until:
            why = "recent trades do not reach back to the last candle"
            out.append(Gap(self.market, first, first, until, why))
        wanted = run.where(run.times >= until)
        if len(wanted.times):
            out.append(replace(wanted, received_time=wanted.event_time))
        return out


def trades_since(event: Trade | Trades, since: int) -> Trade | Trades | None:
    """Return the prints of an event from `since` on, or None."""
    if isinstance(event, Trade):
        return event if event.event_time >= since else None
    kept = event.where(event.times >= since)
    return kept if len(kept.times) else None
