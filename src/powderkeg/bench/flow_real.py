"""The order-flow reads on recorded books: how often each fires, and what they cost.

A recording has no labels, so this gives no precision: it shows a read that fires all the time, or
never.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from powderkeg.errors import ConfigError
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, BookSnapshot, Floats, Trade, Trades
from powderkeg.flow.books.absorption import Pressure
from powderkeg.flow.books.depth import Recovery, depth_of
from powderkeg.flow.books.walls import Wall
from powderkeg.flow.books.whales import RestingWhales, wall_ends
from powderkeg.flow.coin import FRAME, CoinFlow
from powderkeg.flow.thresholds import DEFAULT
from powderkeg.history.replay import events
from powderkeg.history.sources import Source, coin_of, load
from powderkeg.market.book import Book

PAUSE: Final = MINUTE
"""µs without a book after which time does not count as observed."""
WHOLE: Final = 0.9
"""Share of an hour that is observed at least, for it to be among the hours."""
LARGEST: Final = 3
"""Episodes of absorption that are shown."""
READS: Final = (
    "walls", "pulled walls", "repeated pulls", "layered walls", "resting whales", "pressure",
    "absorption", "large prints", "spread shocks", "depth shocks",
)  # fmt: skip
Key: TypeAlias = tuple[int, int, int, int]
"""What makes a wall one: book, side, step, since."""
Input: TypeAlias = BookSnapshot | Trade | Trades


class Fired(Struct, frozen=True):
    """A read that fired."""

    name: str
    time: int
    """µs."""
    ticks: int = 1
    """Frames that it holds for."""


class RecordedFlow:
    """One market's flow on one UTC day of a recording, and the reads that fired."""

    def __init__(self, market: str, day: int) -> None:
        """Start before the first book of a day, µs."""
        self.market = market
        self.day = day
        self.book = Book(market)
        self.flow = CoinFlow()
        self.fired: list[Fired] = []
        self.ended: list[tuple[int, Wall]] = []
        self.pressures: list[Pressure] = []
        self.observed: Counter[int] = Counter()
        """µs with a book, by hour."""
        self.came: list[int] = []
        """When books came, µs."""
        self.spacings: list[float] = []
        """Median distance of neighbouring levels of each book, quote currency."""
        self.cpu = 0.0
        """Seconds of a core that the reads of `CoinFlow` took."""
        self._whales = RestingWhales()
        self._recoveries = {"spread shocks": Recovery("spread"), "depth shocks": Recovery("depth")}
        self._standing: dict[Key, None] = {}
        self._whale_keys: dict[Key, None] = {}
        self._large, self._minute = DEFAULT.prints.floor, -1
        self._printed = 0

    def add(self, event: Input) -> None:
        """Add an event as a desk does: books are read before what comes now is added."""
        began = time.process_time()
        self.flow.advance(event.received_time, (self.book,))
        if not isinstance(event, BookSnapshot):
            self.flow.add_trades(self.market, event)
        self.cpu += time.process_time() - began
        self._collect()
        if isinstance(event, BookSnapshot):
            self._look(event.received_time)
            self._observe(event)
            self.book.apply(event)

    def _collect(self) -> None:
        """Take what has been read, before the flow forgets it."""
        flow = self.flow
        rows, fresh = flow.prints.rows(), flow.prints.total - self._printed
        rows, self._printed = rows[max(len(rows) - fresh, 0) :], flow.prints.total
        large = rows["end"][rows["notional"] >= self._large].tolist()
        self.fired += [Fired("large prints", end) for end in large]
        self.ended += flow.ended
        self.pressures += flow.pressures
        for kept in (flow.ended, flow.pressures):
            kept.clear()

    def _look(self, now: int) -> None:
        """Look at what the last book left standing."""
        standing = self.flow.walls.standing()
        whales = self._whales.frame(standing, self.flow.window.steps, now)
        self._standing = self._new("walls", now, standing, self._standing)
        found = [each.wall for each in whales]
        self._whale_keys = self._new("resting whales", now, found, self._whale_keys)
        depth = depth_of(self.book)
        self._shock("spread shocks", now, depth.spread)
        self._shock("depth shocks", now, float(depth.notional[-1].sum()))

    def _new(
        self, name: str, now: int, walls: list[Wall], known: dict[Key, None]
    ) -> dict[Key, None]:
        keys = dict.fromkeys((w.book, w.side, w.step, w.since) for w in walls)
        self.fired += [Fired(name, now) for key in keys if key not in known]
        return keys

    def _shock(self, name: str, now: int, value: float) -> None:
        recovery = self._recoveries[name]
        before = recovery.shock
        recovery.add(now, value)
        if before is None and recovery.shock is not None:
            self.fired.append(Fired(name, now))

    def _observe(self, event: BookSnapshot) -> None:
        self.came.append(event.received_time)
        passed = event.received_time - self.book.at
        if self.book.at and passed <= PAUSE:
            self.observed[event.received_time // HOUR] += passed
        prices = np.array([price for price, _ in (*event.bids, *event.asks)])
        self.spacings.append(float(np.median(np.diff(np.sort(prices)))))
        if event.received_time // MINUTE != self._minute:
            self._minute = event.received_time // MINUTE
            self._large = self.flow.scale.threshold()

    def all_fired(self) -> list[Fired]:
        """Return all reads that fired on the day."""
        out = self.fired + [self._held("pressure", [read]) for read in self.pressures]
        absorbed = [read for read in self.pressures if read.absorbed]
        out += [self._held("absorption", reads) for reads in episodes(absorbed)]
        for end in wall_ends(self.ended):
            flags = (end.wall.end == "pulled", end.repeated, end.layered)
            names = ("pulled walls", "repeated pulls", "layered walls")
            out += [Fired(name, end.time) for name, on in zip(names, flags, strict=True) if on]
        return out

    def _held(self, name: str, reads: Sequence[Pressure]) -> Fired:
        """Return reads of a second each, which hold until another book comes."""
        times = [read.time for read in reads]
        after = np.append(self.came, times[-1] + SECOND)[np.searchsorted(self.came, times, "right")]
        held = np.clip(after - np.array(times), SECOND, DEFAULT.absorption.pause)
        return Fired(name, times[0], int(held.sum()) // FRAME)


def episodes(reads: Sequence[Pressure]) -> list[list[Pressure]]:
    """Return reads of one side without a pause longer than a window, together."""
    out: list[list[Pressure]] = []
    for side in (0, 1):
        last = -(2**62)
        for read in (each for each in reads if each.side == side):
            if read.time - last > DEFAULT.absorption.window:
                out.append([])
            out[-1].append(read)
            last = read.time
    return out


def recorded_days(source: Source) -> Iterator[tuple[RecordedFlow, float]]:
    """Return each day with books, read through, and the CPU seconds that took altogether."""
    books = {each.id: coin_of(each) for each in source.series if each.kind == "book"}
    for market, coin in books.items():
        mine = [s for s in source.series if s.id == market and s.kind in {"trades", "book"}]
        day: RecordedFlow | None = None
        began = time.process_time()
        for event in events(replace(source, series=tuple(mine)), coin, block=FRAME):
            if not isinstance(event, Input):
                continue
            if isinstance(event, BookSnapshot) and (
                day is None or event.event_time >= day.day + DAY
            ):
                if day is not None:
                    yield day, time.process_time() - began
                day = RecordedFlow(market, event.event_time // DAY * DAY)
                began = time.process_time()
            if day is not None and event.received_time < day.day + DAY:
                day.add(event)
        if day is not None:
            yield day, time.process_time() - began


def run_flow_real(path: Path) -> dict[str, Any]:
    """Return rates of each read, the largest absorption and the cost, over all days with books.

    Args:
        path: A source file whose series have books; see docs/sources.md.

    Raises:
        ConfigError: It has none, or its files are not there.
    """
    days = [
        (day, whole)
        for day, whole in recorded_days(load(path))
        if sum(day.observed.values()) >= HOUR
    ]
    if not days:
        raise ConfigError(f"{path}: expected a series of kind book with an hour of it, found none")
    flows = [day for day, _ in days]
    return {
        "days": [_day(day, whole) for day, whole in days],
        "reads": {name: _rate(name, flows) for name in READS},
        "largest_absorption": _largest(flows),
    }


def _day(day: RecordedFlow, whole: float) -> dict[str, Any]:
    hours = sum(day.observed.values()) / HOUR
    return {
        "market": day.market,
        "day": _utc(day.day)[:10],
        "hours": round(hours, 2),
        "books": len(day.spacings),
        "spacing": float(np.median(day.spacings)),
        "step": float(day.flow.window.steps[0]),
        "replay_s": round(whole, 2),
        "flow_s": round(day.cpu, 2),
        "flow_s_a_day": round(day.cpu * 24 / hours, 2),
    }


def _rate(name: str, days: Sequence[RecordedFlow]) -> dict[str, float]:
    """Return how often a read fires: an hour, over the hours, and the share of ticks."""
    fired = [[each for each in day.all_fired() if each.name == name] for day in days]
    rates = np.concatenate([_hourly(day, each) for day, each in zip(days, fired, strict=True)])
    ticks = sum(sum(day.observed.values()) for day in days) / FRAME
    total = sum(len(each) for each in fired)
    low, middle, high = np.quantile(rates, (0.1, 0.5, 0.9)).tolist() if len(rates) else [0.0] * 3
    return {
        "mean": round(total * HOUR / (ticks * FRAME), 3),
        "median": round(middle, 3),
        "p10": round(low, 3),
        "p90": round(high, 3),
        "ticks_percent": round(100 * sum(f.ticks for each in fired for f in each) / ticks, 4),
    }


def _hourly(day: RecordedFlow, fired: Sequence[Fired]) -> Floats:
    """Return reads an hour of each hour that was observed."""
    counts = Counter(each.time // HOUR for each in fired)
    known = {hour: seen for hour, seen in day.observed.items() if seen >= WHOLE * HOUR}
    return np.array([counts[hour] * HOUR / seen for hour, seen in known.items()], np.float64)


def _largest(days: Sequence[RecordedFlow]) -> list[dict[str, Any]]:
    """Return the episodes of absorption of the largest notional."""
    found = [
        (max(reads, key=lambda read: read.volume), reads, day)
        for day in days
        for reads in episodes([read for read in day.pressures if read.absorbed])
    ]
    found.sort(key=lambda each: -each[0].volume * each[2].book.mid)
    return [
        {
            "market": day.market,
            "time": _utc(reads[0].time),
            "seconds": (reads[-1].time - reads[0].time) / SECOND,
            "side": "bids" if read.side == 0 else "asks",
            "volume": round(read.volume, 4),
            "notional": round(read.volume * day.book.mid),
            "refill": round(read.refill, 3),
            "ratio": round(read.ratio, 3),
        }
        for read, reads, day in found[:LARGEST]
    ]


def _utc(time_us: int) -> str:
    return str(np.datetime64(time_us, "us").astype("datetime64[s]"))
