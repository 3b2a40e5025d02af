"""Turns kernel ticks into histories and recordings."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from msgspec import Struct

from powderkeg.events import MINUTE, Candles, Floats, Funding, Liquidation
from powderkeg.sim.kernel.state import Reals, Records
from powderkeg.sim.publish import (
    Units,
    censored,
    forced_of,
    liquidation_records_of,
    liquidations_of,
    tape_of,
)
from powderkeg.sim.records import (
    Forced,
    LiquidationRecords,
    MinuteHistory,
    Recording,
    Tape,
    Truth,
    VenueRecording,
)
from powderkeg.sim.world import World

_Columns = TypeVar("_Columns", Tape, Forced, LiquidationRecords)


class Chunk(Struct, frozen=True, eq=False):
    """The output of one kernel call. Its buffers are reused: read it before the next call."""

    since: int
    length: int
    tape: Records
    liquidation_rows: Records

    def at(self, name: str, venue: int) -> Records:
        """Return one venue's rows of ``tape`` or ``liquidation_rows``."""
        rows = self.tape if name == "tape" else self.liquidation_rows
        return rows[rows["venue"] == venue]


class Bars(Struct, frozen=True, eq=False):
    """Ticks folded into steps of `per` ticks, in the coin's units.

    `last` has shape (steps, 4): open, high, low, close. `venues` has shape (steps, venues, 6):
    mark, its low and high, open interest, taker buys, taker sells.
    """

    last: Floats
    venues: Floats

    @classmethod
    def fold(cls, last: Reals, rows: Reals, per: int, units: Units) -> Bars:
        """Return the steps of consecutive ticks; see `clock.advance` for the columns."""
        steps = last.shape[0] // per
        a = last.reshape(steps, per, 4)
        b = rows.reshape(steps, per, -1, 6)
        bars = (a[:, 0, 0], a[:, :, 1].max(1), a[:, :, 2].min(1), a[:, -1, 3])
        marks = (b[:, -1, :, 0], b[:, :, :, 1].min(1), b[:, :, :, 2].max(1))
        sizes = (b[:, -1, :, 3], b[:, :, :, 4].sum(1), b[:, :, :, 5].sum(1))
        return cls(
            last=units.prices(np.stack(bars, axis=-1)),
            venues=np.stack(
                [*(units.prices(x) for x in marks), *(x * units.size for x in sizes)], axis=-1
            ),
        )

    def candles(self, market: str, venue: int, since: int) -> Candles:
        """Return one venue's minutes."""
        count = self.last.shape[0]
        rows = self.venues[:, venue]
        end = since + count * MINUTE
        return Candles(
            market,
            end,
            end,
            span=MINUTE,
            times=since + np.arange(count) * MINUTE,
            open=self.last[:, 0],
            high=self.last[:, 1],
            low=self.last[:, 2],
            close=self.last[:, 3],
            volume=rows[:, 4] + rows[:, 5],
            buy=rows[:, 4],
            oi=rows[:, 3],
            mark_low=rows[:, 1],
            mark_high=rows[:, 2],
            mark=rows[:, 0],
        )


class Historian:
    """Collects forced closes and funding payments between bars."""

    __slots__ = ("_forced", "_funding", "_units", "_world")

    def __init__(self, world: World, units: Units) -> None:
        self._world = world
        self._units = units
        self._forced: list[list[Liquidation]] = [[] for _ in world.venues]
        self._funding: list[list[Funding]] = [[] for _ in world.venues]

    def add(self, chunk: Chunk) -> None:
        """Add the forced closes of a chunk."""
        for v, (venue, market) in enumerate(
            zip(self._world.venues, self._world.markets, strict=True)
        ):
            rows = chunk.at("liquidation_rows", v)
            hidden = censored(self._world, venue)
            forced = forced_of(rows, self._units, chunk.since, chunk.length, hidden)
            self._forced[v].extend(liquidations_of(market, forced))

    def add_funding(self, at: int, rate: float, interval: int) -> None:
        """Add a funding payment."""
        for v, market in enumerate(self._world.markets):
            self._funding[v].append(Funding(market, at, at, rate, interval))

    def result(self, bars: Bars, since: int) -> list[MinuteHistory]:
        """Return the history of each venue."""
        return [
            MinuteHistory(market, bars.candles(market, v, since), self._forced[v], self._funding[v])
            for v, market in enumerate(self._world.markets)
        ]


class Recorder:
    """Collects prints, forced closes and truths of a run."""

    __slots__ = ("_forced", "_liquidation_rows", "_tapes", "_truths", "_units", "_world")

    def __init__(self, world: World, units: Units) -> None:
        self._world = world
        self._units = units
        self._tapes: list[list[Tape]] = [[] for _ in world.venues]
        self._forced: list[list[Forced]] = [[] for _ in world.venues]
        self._liquidation_rows: list[LiquidationRecords] = []
        self._truths: list[Truth] = []

    def add(self, chunk: Chunk) -> None:
        """Add the prints and forced closes of a chunk."""
        since, length = chunk.since, chunk.length
        self._liquidation_rows.append(
            liquidation_records_of(chunk.liquidation_rows, self._units, since, length)
        )
        for v, venue in enumerate(self._world.venues):
            self._tapes[v].append(tape_of(chunk.at("tape", v), self._units, since, length))
            hidden = censored(self._world, venue)
            rows = chunk.at("liquidation_rows", v)
            self._forced[v].append(forced_of(rows, self._units, since, length, hidden))

    def add_truth(self, truth: Truth) -> None:
        """Add a truth."""
        self._truths.append(truth)

    def result(self, bars: Bars, since: int, step: int) -> Recording:
        """Return the recording of steps of so many µs."""
        return Recording(
            coin=self._world.coin,
            times=since + step * np.arange(1, bars.last.shape[0] + 1),
            last=bars.last[:, 3],
            low=bars.last[:, 2],
            high=bars.last[:, 1],
            venues=[self._venue(market, v, bars) for v, market in enumerate(self._world.markets)],
            truths=self._truths,
            liquidation_rows=joined(LiquidationRecords, self._liquidation_rows),
        )

    def _venue(self, market: str, v: int, bars: Bars) -> VenueRecording:
        return VenueRecording(
            market=market,
            trades=joined(Tape, self._tapes[v]),
            marks=bars.venues[:, v, 0],
            mark_low=bars.venues[:, v, 1],
            mark_high=bars.venues[:, v, 2],
            oi=bars.venues[:, v, 3],
            liquidations=joined(Forced, self._forced[v]),
        )


def joined(kind: type[_Columns], parts: list[_Columns]) -> _Columns:
    """Return column records concatenated in order."""
    names = kind.__struct_fields__
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def joined_history(first: list[MinuteHistory], then: list[MinuteHistory]) -> list[MinuteHistory]:
    """Return two consecutive histories joined, venue by venue.

    Raises:
        ValueError: The second does not begin where the first ends, or has other markets.
    """
    return [_appended(a, b) for a, b in zip(first, then, strict=True)]


def _appended(a: MinuteHistory, b: MinuteHistory) -> MinuteHistory:
    ends, begins = a.candles.event_time, int(b.candles.times[0])
    if a.market != b.market or ends != begins:
        raise ValueError(f"expected {a.market} from {ends} on, found {b.market} from {begins} on")
    candles = Candles.concat([a.candles, b.candles])
    return MinuteHistory(a.market, candles, a.liquidations + b.liquidations, a.funding + b.funding)
