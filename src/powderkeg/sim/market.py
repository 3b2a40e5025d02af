"""An agent-based perpetual market whose every position is known."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np

from powderkeg.events import (
    DAY,
    MINUTE,
    SECOND,
    Event,
    Funding,
    Liquidation,
    Mark,
    OpenInterest,
    Trades,
)
from powderkeg.sim.actors.script import Actors
from powderkeg.sim.conditions import Conditions
from powderkeg.sim.episodes import Episode
from powderkeg.sim.kernel.rates import COARSE, LUMPED, Pace, pace, ticks_of
from powderkeg.sim.kernel.state import (
    HEAT,
    LEVERAGE,
    LIQUIDATION,
    OPENING,
    PRINT,
    SENTIMENT,
    STATE,
    Reals,
    Records,
    State,
    Whole,
    new_state,
)
from powderkeg.sim.kernel.step import FUNDING, LAST_COLUMNS, ROOM, VENUE_COLUMNS, advance
from powderkeg.sim.publish import (
    Units,
    book_of,
    causes_of,
    censored,
    forced_of,
    ladder_of,
    liquidation_records_of,
    liquidations_of,
    tape_of,
    truth_of,
)
from powderkeg.sim.recorder import Bars, Chunk, Historian, Recorder, joined
from powderkeg.sim.records import (
    Ladder,
    LiquidationRecords,
    MinuteHistory,
    Moment,
    Recording,
    Tape,
    Truth,
)
from powderkeg.sim.regime import ParamSchedule
from powderkeg.sim.world import World

_ROWS: Final = 4 * ROOM
"""Length of the output buffers: hours of prints, minutes of the most extreme cascade."""
_COARSE: Final = round(COARSE * SECOND)
_PER_MINUTE: Final = MINUTE // _COARSE


class SimulatedMarket:
    """One coin at several venues, all its traders, and its clock.

    Equal worlds, seeds, starts and calls give equal bytes. There is no outside state, so markets
    may be interleaved, copied, pickled and continued.

    Args:
        world: Its parameters.
        seed: Any integer. The coin's name is mixed in.
        start: µs UTC at which the first published step begins.
    """

    __slots__ = (
        "_held", "_liquidation_rows", "_paces", "_schedule", "_state", "_tape", "_units", "actors",
        "now", "world",
    )  # fmt: skip

    def __init__(self, world: World, seed: int, start: int) -> None:
        self.world = world
        self._schedule = ParamSchedule(world)
        self._units = Units.of(world)
        self._state: State = new_state(world, seed)
        self.actors = Actors(world, self._units, seed)
        """Book actors and the labels of what they did."""
        self._held: dict[int, Liquidation] = {}
        self._allocate_buffers()
        ticks = round(world.warm * DAY / _COARSE)
        self.now = start - ticks * _COARSE
        last, rows = self._columns(ticks)
        for _ in self._advance(_COARSE, last, rows, self._tape[:0]):
            pass

    def _allocate_buffers(self) -> None:
        """Allocate what is not state: output buffers and the cache of paces."""
        self._tape: Records = np.zeros(_ROWS, PRINT)
        self._liquidation_rows: Records = np.zeros(_ROWS, LIQUIDATION)
        self._paces: dict[int, Pace] = {}

    def copy(self) -> Self:
        """Return a copy that will evolve exactly as this market will."""
        other = object.__new__(type(self))
        other.world = self.world
        other.now = self.now
        other._schedule = self._schedule.copy()
        other._units = self._units
        # As bytes: a structured copy leaves the padding between fields undefined.
        other._state = self._state.view(np.uint8).copy().view(STATE)
        other._held = dict(self._held)
        other.actors = self.actors.copy()
        other._allocate_buffers()
        return other

    def script(self, episode: Episode) -> None:
        """Start an episode now, replacing any under way."""
        self._schedule.begin(episode, self._state[0], self.now)

    @contextmanager
    def crowd(self, side: int, rate: float = 3.5) -> Generator[None, None, None]:
        """Within this context more traders open, most on one side and with high leverage.

        Args:
            side: 1 where they are long, -1 where short.
            rate: Factor on how many open.
        """
        regimes = self._state["regimes"][0]
        regimes[[SENTIMENT, LEVERAGE, HEAT, OPENING]] = 2.0 * side, 1.5, 2.0, 0.3
        self._schedule.crowd = Conditions(opening=rate)
        try:
            yield
        finally:
            self._schedule.crowd = Conditions()

    def truth(self) -> Truth:
        """Return every open position."""
        return truth_of(self._state[0], self._units, self.now)

    def history(self, span: float) -> list[MinuteHistory]:
        """Advance by so many days in coarse ticks; return what each venue would have published.

        Raises:
            ValueError: The market is not at a whole minute, or the span is under a minute.
        """
        minutes = round(span * DAY / MINUTE)
        if self.now % MINUTE or minutes < 1:
            raise ValueError(
                f"expected a whole minute and a span of one at least, found {self.now} and {span}"
            )
        self._withdraw()
        since = self.now
        last, rows = self._columns(minutes * _PER_MINUTE)
        book = Historian(self.world, self._units)
        done = 0
        while done < last.shape[0]:
            until = min(last.shape[0], done + (FUNDING - self.now % FUNDING) // _COARSE)
            for chunk in self._advance(_COARSE, last[done:until], rows[done:until], self._tape[:0]):
                book.add(chunk)
            done = until
            if self.now % FUNDING == 0:
                book.add_funding(self.now, float(self._state["funding"][0]), FUNDING)
        return book.result(Bars.fold(last, rows, _PER_MINUTE, self._units), since)

    def run(self, days: float, dt: float = 1.0, truth_every: float = 3600.0) -> Recording:
        """Advance by so many days in steps of `dt` seconds and record them, truth included.

        Args:
            days: Rounded to whole steps.
            dt: Seconds. Steps over ten are cut into ticks, as history is.
            truth_every: Seconds between truths, rounded to whole steps.
        """
        per = ticks_of(dt)
        length = round(dt * SECOND / per)
        steps = round(days * DAY / (per * length))
        stride = max(1, round(truth_every * SECOND / (per * length))) * per
        self._withdraw()
        since = self.now
        last, rows = self._columns(steps * per)
        recorder = Recorder(self.world, self._units)
        for first in range(0, steps * per, stride):
            part = slice(first, min(first + stride, steps * per))
            for chunk in self._advance(length, last[part], rows[part], self._tape):
                recorder.add(chunk)
            if part.stop == first + stride:
                recorder.add_truth(self.truth())
        return recorder.result(Bars.fold(last, rows, per, self._units), since, per * length)

    def step(self, dt: float = 0.1) -> list[Event]:
        """Advance by `dt` seconds and return the events the venues publish."""
        per = ticks_of(dt)
        length = round(dt * SECOND / per)
        before = self.now
        last, rows = self._columns(per)
        events: list[Event] = []
        forced: list[Liquidation] = []
        for chunk in self._advance_live(length, last, rows):
            events += self._trades(chunk)
            forced += self._forced(chunk)
        events += self._marks(before)
        events += self._interest(before)
        events += forced
        events += self._release()
        events += self._funding(before)
        if self._due(before, self.world.book_every):
            events += self._books()
        return events

    def moment(self, dt: float = 0.1) -> Moment:
        """Advance by `dt` seconds and return all that venues know, forced closes marked."""
        per = ticks_of(dt)
        length = round(dt * SECOND / per)
        before = self.now
        last, rows = self._columns(per)
        count = len(self.world.venues)
        tapes: list[list[Tape]] = [[] for _ in range(count)]
        causes: list[list[Whole]] = [[] for _ in range(count)]
        liquidation_rows: list[LiquidationRecords] = []
        done = 0
        for chunk in self._advance_live(length, last, rows):
            for v in range(count):
                prints = chunk.at("tape", v)
                tapes[v].append(tape_of(prints, self._units, chunk.since, length))
                found = causes_of(prints, chunk.liquidation_rows)
                causes[v].append(np.where(found < 0, found, found + done))
            liquidation_rows.append(
                liquidation_records_of(chunk.liquidation_rows, self._units, chunk.since, length)
            )
            done += chunk.liquidation_rows.size
        return Moment(
            since=before,
            at=self.now,
            tapes=[joined(Tape, parts) for parts in tapes],
            forced=[np.concatenate(parts) for parts in causes],
            liquidation_rows=joined(LiquidationRecords, liquidation_rows),
            **self._readings(before),
        )

    def ladder(self, levels: int) -> Ladder:
        """Return the current book, before it is split among venues."""
        m, params, orders = self._state[0], self._schedule.params[0], self.actors.shown()
        return ladder_of(m, params, self._units, self.now, levels, orders)

    def _readings(self, before: int) -> dict[str, Any]:
        """Return marks, index, open interest and funding as they are now."""
        state = self._state
        count = len(self.world.venues)
        rungs = state["venues"]["mark"][0, :count]
        prices = self._units.at(np.append(rungs, state["index"]))
        paid = before // FUNDING != self.now // FUNDING
        return {
            "marks": prices[:count],
            "index": float(prices[count]),
            "oi": state["venues"]["oi"][0, :count] * self._units.size,
            "rate": float(state["rate"][0]),
            "paid": float(state["funding"][0]) if paid else None,
        }

    # -- the kernel

    def _columns(self, ticks: int) -> tuple[Reals, Reals]:
        venues = len(self.world.venues)
        return np.empty((ticks, LAST_COLUMNS)), np.empty((ticks, venues, VENUE_COLUMNS))

    def _pace(self, length: int) -> Pace:
        if length not in self._paces:
            seconds, venues = length / SECOND, len(self.world.venues)
            self._paces[length] = pace(self._schedule.params, seconds, venues)
        return self._paces[length]

    def _advance(self, length: int, last: Reals, rows: Reals, tape: Records) -> Iterator[Chunk]:
        """Advance by as many ticks as `last` has rows, one chunk per filled output buffer."""
        done = 0
        state = self._state
        while done < last.shape[0]:
            since = self.now
            ticks = self._schedule.prepare(state[0], since, length, last.shape[0] - done)
            done_ticks = advance(
                self._state,
                self._schedule.params,
                self._pace(length),
                since,
                length,
                ticks,
                tape,
                self._liquidation_rows,
                last[done:],
                rows[done:],
            )
            if state["lost"][0]:
                raise RuntimeError(f"expected under {ROOM} rows in a tick, found more at {since}")
            done += done_ticks
            self.now += done_ticks * length
            prints, liquidation_rows = int(state["prints"][0]), int(state["liquidation_rows"][0])
            state["prints"] = state["liquidation_rows"] = 0
            yield Chunk(since, length, tape[:prints], self._liquidation_rows[:liquidation_rows])

    def _withdraw(self) -> None:
        self.actors.withdraw(self._state[0], self.now)

    def _advance_live(self, length: int, last: Reals, rows: Reals) -> Iterator[Chunk]:
        """Advance as `_advance` does, with book actors where the world has any."""
        seconds = length / SECOND
        acting = self.world.actors and seconds <= LUMPED and self._schedule.steering is None
        if acting:
            self.actors.act(self._state[0], self.now, seconds)
        else:
            self._withdraw()
        yield from self._advance(length, last, rows, self._tape)
        if acting:
            self.actors.settle(self._state[0], self.now)

    # -- what venues publish

    def _due(self, before: int, every: float) -> bool:
        """Return whether a multiple of `every` seconds lies in this step."""
        span = round(every * SECOND)
        return before // span != self.now // span

    def _trades(self, chunk: Chunk) -> list[Event]:
        events: list[Event] = []
        for v, market in enumerate(self.world.markets):
            rows = chunk.at("tape", v)
            if rows.size:
                tape = tape_of(rows, self._units, chunk.since, chunk.length)
                at = int(tape.times[-1])
                events.append(Trades(market, at, at, tape.times, tape.prices, tape.sizes))
        return events

    def _marks(self, before: int) -> list[Event]:
        if not self._due(before, self.world.mark_every):
            return []
        at = self.now
        rungs = self._state["venues"]["mark"][0, : len(self.world.venues)]
        *marks, index = self._units.at(np.append(rungs, self._state["index"])).tolist()
        return [
            Mark(market, at, at, mark, index)
            for market, mark in zip(self.world.markets, marks, strict=True)
        ]

    def _interest(self, before: int) -> list[Event]:
        if not self._due(before, self.world.oi_every):
            return []
        sizes = self._state["venues"]["oi"][0] * self._units.size
        return [
            OpenInterest(market, self.now, self.now, float(sizes[v]))
            for v, market in enumerate(self.world.markets)
        ]

    def _forced(self, chunk: Chunk) -> list[Liquidation]:
        """Return forced closes; a censoring venue delays each until its second is over."""
        events: list[Liquidation] = []
        if not chunk.liquidation_rows.size:
            return events
        for v, (venue, market) in enumerate(
            zip(self.world.venues, self.world.markets, strict=True)
        ):
            hidden = censored(self.world, venue)
            rows = chunk.at("liquidation_rows", v)
            forced = forced_of(rows, self._units, chunk.since, chunk.length, hidden)
            reported = liquidations_of(market, forced)
            if not hidden:
                events += reported
                continue
            for event in reported:
                held = self._held.get(v)
                if held is not None and held.event_time // SECOND != event.event_time // SECOND:
                    events.append(held)
                self._held[v] = event
        return events

    def _release(self) -> list[Liquidation]:
        """Return the delayed forced closes whose second is over."""
        over = [
            v for v, held in self._held.items() if held.event_time // SECOND < self.now // SECOND
        ]
        return [self._held.pop(v) for v in over]

    def _funding(self, before: int) -> list[Event]:
        """Return the rate as predicted now, each minute, and as paid, every eight hours."""
        if not self._due(before, self.world.funding_every):
            return []
        paid = before // FUNDING != self.now // FUNDING
        rate = float(self._state["funding" if paid else "rate"][0])
        return [Funding(market, self.now, self.now, rate, FUNDING) for market in self.world.markets]

    def _books(self) -> list[Event]:
        m, params, orders = self._state[0], self._schedule.params[0], self.actors.shown()
        return [
            book_of(m, params, self._units, market, v, self.now, self.world.book_levels, orders)
            for v, market in enumerate(self.world.markets)
        ]
