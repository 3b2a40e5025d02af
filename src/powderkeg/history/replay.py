"""Stored data as one stream of events: all series of a coin, in order of received time.

Prints and candles come as runs of columns, cut wherever another series has an event, so that
nothing is known before its time. At equal times, readings come before prints and bars.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.events import (
    DAY,
    SECOND,
    Candles,
    Event,
    Floats,
    Gap,
    Times,
    Trades,
)
from powderkeg.history.archive import unpack
from powderkeg.history.bars import Coarse, Hindsight, coarse, synthetic_bars
from powderkeg.history.series.readers import read
from powderkeg.history.series.records import Known, frames, records, sightings
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.sanitizer import Sanitizer
from powderkeg.history.series.table import Table, joined
from powderkeg.history.series.units import Units
from powderkeg.history.sources import Series, Source, coin_of
from powderkeg.history.volumes import Volumes

Tables: TypeAlias = Callable[[Series], Iterator[Table]]

_BULK = {"trades", "candles"}
_NO_OWN_EVENTS = {"positions", "fills", "ledger", "liquidated", "index"}
_ALWAYS, _NEVER = -(2**62), 2**62


def events(
    source: Source,
    coin: str,
    *,
    since: int | None = None,
    until: int | None = None,
    block: int = 10 * SECOND,
    stride: int = DAY,
    report: ReadReport | None = None,
    progress: Callable[[int, int], None] | None = None,
    hindsight: Hindsight = "",
) -> Iterator[Event]:
    """Return all stored events of a coin, in order of `received_time`.

    Args:
        source: A source file, loaded.
        coin: One of ``source.coins()``.
        since: Earliest time wanted, µs.
        until: First time no longer wanted, µs.
        block: Longest run of prints, µs; runs end at multiples of it.
        stride: The same of bars, where there are no prints.
        report: Collects counts of rows kept and left out.
        progress: Called with bytes read and bytes in total.
        hindsight: Complete synthetic bars with what is known only at the end of their hour: its
            volume, or its volume and extremes. For scores of an hour whose path is given; never
            for a replay.

    Raises:
        ConfigError: The source has no such coin, or names files that are not there.
        DataError: A file does not match the source file.
    """
    report = ReadReport() if report is None else report
    mine = [each for each in unpack(source, report) if coin_of(each) == coin or _of_any(each)]
    if not mine:
        known = ", ".join(source.coins())
        raise ConfigError(f"{source.path}: expected one of the coins {known}, found {coin!r}")
    advance = _meter(source, mine, progress)
    start, end = _ALWAYS if since is None else since, _NEVER if until is None else until

    def tables(series: Series) -> Iterator[Table]:
        return read(series, source, report, advance)

    def within(series: Series) -> Iterator[Table]:
        return _within(tables(series), start, end)

    plan = _SeriesPlan(mine, tables, within, report, hindsight=hindsight)
    singles: list[Iterator[Known]] = []
    for n, series in enumerate(mine):
        if series.kind == "wire":
            wire = frames(series, n, source, report, advance)
            singles.append(known for known in wire if start <= known[0] < end)
        elif series.kind == "positions":
            singles.append(sightings(series, n, within(series), coin))
        elif plan.has_events(series):
            index = plan.whole("index", series.id) if series.kind == "mark" else None
            singles.append(records(series, n, within(series), report, index))
    merged = heapq.merge(*singles, key=itemgetter(0, 1, 2))
    sanitizer = Sanitizer(Units(mine), mine, report)
    for event in _merge(merged, plan.runs(), block, stride):
        yield from sanitizer.sanitize(event)


def remaining(
    desk: Desk,
    source: Source,
    *,
    until: int | None = None,
    stride: int = DAY,
    report: ReadReport | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Event]:
    """Return the stored events of a desk's coin that it has not been given yet; see `events`.

    The stream of a source is deterministic, so a desk resumed from a snapshot ends like one that
    was never stopped.
    """
    block = desk.settings.flush
    stream = events(
        source, desk.coin, until=until, block=block, stride=stride, report=report, progress=progress
    )
    return islice(stream, desk.counts.events, None)


def _meter(
    source: Source, mine: list[Series], progress: Callable[[int, int], None] | None
) -> Callable[[int], None]:
    """Return a counter of bytes read."""
    total = sum(path.stat().st_size for series in mine for path in source.files(series))
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if progress:
            progress(done, total)

    return advance


def _within(tables: Iterator[Table], start: int, end: int) -> Iterator[Table]:
    for table in tables:
        low, high = np.searchsorted(table.times, (start, end))
        if low < high:
            yield table.where(slice(int(low), int(high)))
        if high < len(table.times):
            return


def _of_any(series: Series) -> bool:
    """Return whether a series has positions of every coin, named in its rows."""
    return series.kind == "positions" and coin_of(series) == "*"


class _SeriesPlan:
    """Plans which series have events of their own, and which complete a market's bars or marks."""

    def __init__(
        self, mine: list[Series], tables: Tables, within: Tables, report: ReadReport, *,
        hindsight: Hindsight = "",
    ) -> None:  # fmt: skip
        self._mine, self._tables, self._within, self._report = mine, tables, within, report
        self._hindsight: Hindsight = hindsight
        self._units = Units(mine)
        names = [(s.bars.volume, s.bars.extremes) for s in mine if s.bars]
        self._material = {name for pair in names for name in pair if name}
        printed = {s.id for s in mine if s.kind == "trades"}
        candled = {s.id for s in mine if s.kind == "candles"} - self._material
        self._barred = candled - printed
        marked = {s.id for s in mine if s.kind == "mark"}
        for series in mine:
            if series.kind == "index" and series.id not in marked:
                raise ConfigError(f"an index of {series.id} needs a mark series of {series.id}")

    def has_events(self, series: Series) -> bool:
        """Return whether a series has events of its own."""
        if series.kind in _BULK or series.kind in _NO_OWN_EVENTS or series.bars:
            return False
        return not (series.kind in {"open_interest", "mark"} and series.id in self._barred)

    def runs(self) -> list[_Run]:
        """Return the series that come as columns."""
        out: list[_Run] = []
        for series in self._mine:
            if series.kind == "trades":
                out.append(_Run(series, self._within(series), self._report))
            elif series.bars:
                out.append(_Run(series, self._synthetic(series), self._report))
            elif series.kind == "candles" and series.id not in self._material:
                joined = self.whole("open_interest", series.id), self.whole("mark", series.id)
                out.append(_Run(series, self._within(series), self._report, *joined))
        return out

    def whole(self, kind: str, market: str) -> Table | None:
        """Return all rows of a market's series of one kind as one table."""
        parts = [t for s in self._mine if (s.kind, s.id) == (kind, market) for t in self._tables(s)]
        if not parts:
            return None
        names = parts[0].columns
        columns = {name: np.concatenate([p.columns[name] for p in parts]) for name in names}
        times = np.concatenate([part.times for part in parts])
        order = np.argsort(times, kind="stable")
        lines = np.concatenate([part.lines for part in parts])
        return Table(times, columns, lines, parts[0].file).where(order)

    def _synthetic(self, series: Series) -> Iterator[Table]:
        if series.bars is None:
            return iter(())
        amounts = self._complementary(series, series.bars.volume)
        top = self._complementary(series, series.bars.extremes)
        return synthetic_bars(
            self._within(series), series.every, amounts, top, hindsight=self._hindsight
        )

    def _complementary(self, series: Series, name: str) -> Coarse | None:
        """Return the candles of a market in units of the bars they complete."""
        candles = {s.id: s for s in self._mine if s.kind == "candles"}.get(name)
        if candles is None:
            return None
        many = self._units.of(name) / self._units.of(series.id)
        return coarse(self._tables(candles), candles.length, many)


class _Run:
    """A series that comes as columns: its next row, and the rows before a time."""

    def __init__(
        self,
        series: Series,
        tables: Iterator[Table],
        report: ReadReport,
        interest: Table | None = None,
        mark: Table | None = None,
    ) -> None:
        self._series, self._tables, self._report = series, tables, report
        self._interest, self._mark = interest, mark
        self._span = 0 if series.kind == "trades" else series.length
        self._volumes = Volumes(self._span or DAY)
        self._table: Table | None = None
        self._i = 0
        self._ends: list[int] = []
        self._last = self._id = 0
        self._silence = series.every * 3 // 2 or _NEVER

    @property
    def trades(self) -> bool:
        """Whether these are prints."""
        return self._series.kind == "trades"

    def next_time(self) -> int | None:
        """Return when the next row is known, None at the end."""
        while self._table is None or self._i >= len(self._table.times):
            self._table, self._i = next(self._tables, None), 0
            if self._table is None:
                return None
            steps = np.diff(self._table.times)
            jumps = steps > self._silence
            if (ids := self._counted(self._table)) is not None:
                jumps |= (np.diff(ids) > 1) & (steps > SECOND)
            self._ends = [*(np.flatnonzero(jumps) + 1).tolist(), len(jumps) + 1]
        return int(self._table.times[self._i])

    def take(self, before: int) -> Event:
        """Return the rows known before a time, or the gap ahead of them. There is a next row."""
        table, i = self._table, self._i
        if table is None:
            raise LookupError("no row is left")
        first = int(table.times[i])
        missing = self._missing(table, i, first)
        if missing:
            since, self._last = self._last, first
            self._id = int(ids[i]) - 1 if (ids := self._counted(table)) is not None else 0
            self._report.of(table.file).gaps += 1
            why = f"{self._series.kind}: {missing}"
            return Gap(self._series.id, first - self._span, first, since, why)
        rows = self._piece(table, before)
        while (at := self.next_time()) is not None and at < before:
            # a run does not end where a block of the file happens to
            if self._table is None or self._i or self._missing(self._table, 0, at):
                break
            rows = joined(rows, self._piece(self._table, before))
        return self._prints(rows) if self.trades else self._bars(rows)

    def _missing(self, table: Table, i: int, at: int) -> str:
        """Return what is missing before a row, empty where nothing is."""
        if not self._last:
            return ""
        if at - self._last > self._silence:
            return f"nothing for {(at - self._last) / SECOND:.0f} s"
        ids = self._counted(table)
        n = 0 if ids is None or not self._id else int(ids[i]) - self._id - 1
        return f"{n:,} ids are missing" if n > 0 and at - self._last > SECOND else ""

    def _counted(self, table: Table) -> Times | None:
        """Return ids that rise by one, None where there are none."""
        ids = table.columns.get("id") if self._series.counted else None
        return ids if ids is not None and ids.dtype.kind == "i" else None

    def _piece(self, table: Table, before: int) -> Table:
        """Return the rows of this table before a time, up to the next gap."""
        i = self._i
        end = int(table.times.searchsorted(before))
        end = min(end, self._ends[bisect_right(self._ends, i)])
        self._i, self._last = end, int(table.times[end - 1])
        if (ids := self._counted(table)) is not None:
            self._id = int(ids[end - 1])
        return table.where(slice(i, end))

    def _prints(self, rows: Table) -> Trades:
        sizes = rows.columns["size"] * rows.columns["side"]
        market, at = self._series.id, int(rows.times[-1])
        return Trades(market, at, at, rows.times, rows.columns["price"], sizes)

    def _bars(self, rows: Table) -> Candles:
        ends, column = rows.times, rows.columns
        starts: Times = column.get("start", ends - self._span)
        low, high, close = column["low"].copy(), column["high"].copy(), column["close"].copy()
        if self._mark is not None:
            _overlay(self._mark, starts, ends, (low, high, close))
        before = self._volumes.assumed
        amounts = column.get("volume", np.full(len(ends), np.nan))
        volume = self._volumes.complete(amounts, column["low"], column["high"])
        self._report.assumed += self._volumes.assumed - before
        return Candles(
            market=self._series.id,
            event_time=int(ends[-1]),
            received_time=int(ends[-1]),
            span=self._span,
            times=starts,
            open=column["open"],
            high=column["high"],
            low=column["low"],
            close=column["close"],
            volume=volume,
            buy=np.where(np.isnan(amounts), volume / 2, column.get("buy", volume / 2)),
            oi=column.get("oi", _last_within(self._interest, starts, ends)),
            mark_low=low,
            mark_high=high,
            mark=close,
            assumed=self._volumes.assumed - before,
        )


def _last_within(readings: Table | None, starts: Times, ends: Times) -> Floats:
    """Return the last reading after the start and not after the end of each bar, else NaN."""
    out = np.full(len(ends), np.nan)
    if readings is not None:
        i = np.searchsorted(readings.times, ends, side="right") - 1
        found = (i >= 0) & (readings.times[np.maximum(i, 0)] > starts)
        out[found] = readings.columns["size"][i[found]]
    return out


def _overlay(marks: Table, starts: Times, ends: Times, into: tuple[Floats, Floats, Floats]) -> None:
    """Write least, greatest and last mark of each bar that has one."""
    first = np.searchsorted(marks.times, starts, side="right")
    last = np.searchsorted(marks.times, ends, side="right")
    prices = marks.columns["price"]
    for n in np.flatnonzero(last > first):
        part = prices[first[n] : last[n]]
        into[0][n], into[1][n], into[2][n] = part.min(), part.max(), part[-1]


def _cut(first: int, prints: int, block: int, stride: int) -> int:
    """Return where runs end: bars at multiples of `stride`, or where a print's block begins."""
    whole = prints - prints % block
    if whole <= first:
        return first - first % block + block
    return min(first - first % stride + stride, whole)


def _merge(singles: Iterator[Known], runs: list[_Run], block: int, stride: int) -> Iterator[Event]:
    """Merge single events and runs of columns in order of time."""
    single = next(singles, None)
    while True:
        heads = [(at, run) for run in runs if (at := run.next_time()) is not None]
        first = min((at for at, _ in heads), default=_NEVER)
        if single is not None and single[0] <= first:
            yield single[3]
            single = next(singles, None)
            continue
        if not heads:
            return
        prints = min((at for at, run in heads if run.trades), default=_NEVER)
        before = _cut(first, prints, block, stride)
        if single is not None:
            before = min(before, single[0])
        out = [run.take(before) for at, run in heads if at < before]
        yield from sorted(
            out, key=lambda event: event.event_time if isinstance(event, Trades) else 0
        )
