"""Merges rows of any number of files in order of time, and drops duplicates.

No order is assumed: a folder of days may sort before the months it follows, an export may be newest
first, an archive may hold two runs of ids row by row. Rows are sorted in chunks, and the chunks
merged; what does not fit in memory is stored in an unnamed temporary file. A row is dropped as a
duplicate by its id, by its stamp where rows are readings or bars, and else only where the same row
is in another file (equal prints in one file are real), or in feeds known to print rows twice.

Equal stamps keep the order of their ids, or of their file where there are none.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np

from powderkeg.events import HOUR, SECOND, Floats, Times
from powderkeg.history.files.cells import Array
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table, joined
from powderkeg.history.sources import Series

BY_STAMP = {"open_interest", "funding", "mark", "index", "ratios", "candles", "liquidation_bars"}
_CHUNK = {"book": 4_096}
"""Rows sorted at once, where it is not the usual number."""
_USUAL, _PIECE = 1 << 18, 1 << 16
_HELD = 4
"""Chunks that are kept in memory."""
_OUTLIER_RATIO = 1_000
"""At most one row in so many is treated as an outlier in time."""
_FAR = 100
"""Times the usual distance of rows that is far; an hour is never too little."""
_REMEMBERED = 1 << 21
"""Number of ids remembered: equal ids have equal stamps, or nearly."""


class Chunk(NamedTuple):
    """Sorted rows of one file: in memory, or where their pieces are stored."""

    file: str
    first: int
    last: int
    held: Table | None
    places: tuple[int, ...] = ()

    def pieces(self, store: IO[bytes]) -> Iterator[Table]:
        """Return the rows, a piece at a time."""
        if self.held is not None:
            yield self.held
        for place in self.places:
            _ = store.seek(place)
            yield pickle.load(store)  # noqa: S301  # our own file, which has no name


def ordered(tables: Iterator[Table], series: Series, report: ReadReport) -> Iterator[Table]:
    """Return rows in order of time, each once.

    Args:
        tables: Parts of files; a file's parts follow each other.
        series: What the rows are.
        report: Collects rows moved, left out, and kept.
    """
    with tempfile.TemporaryFile() as store:
        chunks: list[Chunk] = []
        for table in _chunked(tables, _CHUNK.get(series.kind, _USUAL)):
            chunk = _sorted(table, report)
            if chunk is not None:
                chunks.append(chunk)
            if sum(each.held is not None for each in chunks) > _HELD:
                chunks = [_stored(each, store) for each in chunks]
        chunks.sort(key=lambda chunk: (chunk.first, chunk.last, chunk.file))
        duplicates = _DuplicateFilter(series, report)
        for rows, origins, files in _merged(chunks, store):
            table = duplicates.filter(rows, origins, files)
            if len(table.times):
                yield table


def _chunked(tables: Iterator[Table], rows: int) -> Iterator[Table]:
    """Return parts of one file together, up to so many rows."""
    kept: list[Table] = []
    held = 0
    for table in tables:
        if kept and (table.file != kept[0].file or held + len(table.times) > rows):
            yield joined(*kept)
            kept, held = [], 0
        kept.append(table)
        held += len(table.times)
    if kept:
        yield joined(*kept)


def _sorted(table: Table, report: ReadReport) -> Chunk | None:
    """Return rows of one file in order, reversed where the newest come first."""
    steps = np.diff(table.times)
    if (steps < 0).any():
        if (steps < 0).sum() > (steps > 0).sum():
            table = table.where(slice(None, None, -1))
        table = _without_outliers(table, report)
        _report_moved(table, report)
    if not len(table.times):
        return None
    if (np.diff(table.times) <= 0).any():
        table = table.where(_order(table))
    return Chunk(table.file, int(table.times[0]), int(table.times[-1]), table)


def _order(table: Table) -> Times:
    """Return the index that sorts by stamp, then by id where ids are numbers."""
    ids = table.columns.get("id")
    if ids is not None and ids.dtype.kind == "i":
        return np.lexsort((ids, table.times))
    return np.argsort(table.times, kind="stable")


def _report_moved(table: Table, report: ReadReport) -> None:
    late = np.flatnonzero(table.times < np.maximum.accumulate(table.times))
    if len(late):
        report.move(table.file, int(table.lines[late[0]]), len(late))


def _without_outliers(table: Table, report: ReadReport) -> Table:
    """Drop single rows far from both neighbours: a wrong stamp must not move a row by years.

    Rows of two runs that alternate are far from their neighbours too, but they are not few.
    """
    times = table.times
    if len(times) < 3:
        return table
    steps = np.abs(np.diff(times))
    far = max(HOUR, _FAR * int(np.median(steps)))
    before, after = times[:-2], times[2:]
    middle, calm = times[1:-1], np.abs(after - before) <= far
    away = (np.abs(middle - before) > far) & (np.abs(middle - after) > far) & calm
    wrong = np.flatnonzero(away) + 1
    if not len(wrong) or len(wrong) > max(1, len(times) // _OUTLIER_RATIO):
        return table
    first = int(wrong[0])
    why = f"{times[first] / SECOND:.3f} s between {times[first - 1] / SECOND:.3f} s and the next"
    report.reject(
        table.file, int(table.lines[first]), "stamp far from its neighbours", why, len(wrong)
    )
    keep = np.ones(len(times), np.bool_)
    keep[wrong] = False
    return table.where(keep)


def _stored(chunk: Chunk, store: IO[bytes]) -> Chunk:
    """Return a chunk whose rows are stored in the file."""
    if chunk.held is None:
        return chunk
    places: list[int] = []
    for start in range(0, len(chunk.held.times), _PIECE):
        places.append(store.seek(0, 2))
        part = chunk.held.where(slice(start, start + _PIECE))
        pickle.dump(part, store, protocol=5)
    return chunk._replace(held=None, places=tuple(places))


class _Stream:
    """A chunk that is being read: the rows at its head."""

    def __init__(self, chunk: Chunk, store: IO[bytes], number: int) -> None:
        self._pieces = chunk.pieces(store)
        self._left = max(len(chunk.places), 1)
        self.number = number
        self.head = self._next()

    def _next(self) -> Table:
        self._left -= 1
        return next(self._pieces)

    @property
    def bound(self) -> int | None:
        """Time up to which the head is complete; None where it is the last piece."""
        return int(self.head.times[-1]) if self._left else None

    def take(self, before: int | None) -> Table:
        """Return the rows before a time, all where there is none."""
        n = len(self.head.times) if before is None else int(self.head.times.searchsorted(before))
        rows, self.head = self.head.where(slice(n)), self.head.where(slice(n, None))
        if not len(self.head.times) and self._left:
            self.head = self._next()
        return rows

    def extend(self) -> None:
        """Put the next piece behind the head."""
        if self._left:
            self.head = joined(self.head, self._next())


def _merged(chunks: list[Chunk], store: IO[bytes]) -> Iterator[tuple[Table, Times, list[str]]]:
    """Return runs of rows in order, the number of each row's file (or of all), and the files.

    Rows of equal stamps are always in one run.
    """
    numbers = {name: n for n, name in enumerate(dict.fromkeys(chunk.file for chunk in chunks))}
    files, waiting, streams = list(numbers), chunks[::-1], list[_Stream]()
    while waiting or streams:
        before = _complete(streams, waiting)
        if waiting and (not streams or waiting[-1].first == before):
            chunk = waiting.pop()
            streams.append(_Stream(chunk, store, numbers[chunk.file]))
            if waiting and waiting[-1].first == chunk.first:
                continue
            before = _complete(streams, waiting)
        parts = [(rows, s.number) for s in streams if len((rows := s.take(before)).times)]
        streams = [stream for stream in streams if len(stream.head.times)]
        if parts:
            yield *_interleaved(parts), files
        elif before is not None:
            for stream in streams:
                if stream.bound == before:
                    stream.extend()


def _complete(streams: list[_Stream], waiting: list[Chunk]) -> int | None:
    """Return the time before which the heads of the streams are complete; None where all are."""
    bounds = [bound for stream in streams if (bound := stream.bound) is not None]
    return min(bounds + [chunk.first for chunk in waiting[-1:]], default=None)


def _interleaved(parts: list[tuple[Table, int]]) -> tuple[Table, Times]:
    """Return rows of several files in one order, and the number of each row's file."""
    if len(parts) == 1:
        rows, number = parts[0]
        return rows, np.full(1, number)
    rows = joined(*(table for table, _ in parts))
    origins = np.concatenate([np.full(len(table.times), number) for table, number in parts])
    order = _order(rows)
    return rows.where(order), origins[order]


class _DuplicateFilter:
    """Drops duplicates, and counts rows kept by file."""

    def __init__(self, series: Series, report: ReadReport) -> None:
        self._series, self._report = series, report
        self._last = -1
        self._ids: list[Array] = []

    def filter(self, table: Table, origins: Times, files: list[str]) -> Table:
        """Return the rows that are not duplicates of others."""
        origin = np.broadcast_to(origins, len(table.times))
        keep, by = self._keep(table, origin)
        for number in np.unique(origin).tolist():
            mine = origin == number
            dropped = np.flatnonzero(mine & ~keep)
            if len(dropped):
                line = int(table.lines[dropped[0]])
                why = f"{len(dropped)} rows dropped"
                self._report.reject(files[number], line, f"duplicate {by}", why, len(dropped))
            self._report.take(files[number], int((mine & keep).sum()), self._series.kind)
        return table if keep.all() else table.where(keep)

    def _keep(self, table: Table, origin: Times) -> tuple[Array, str]:
        if "id" in table.columns:
            named, keep = self._by_id(table.columns["id"])
            if not named.all():  # empty is no id
                keep[~named] = self._by_row(table.where(~named), origin[~named])
            return keep, "id"
        if self._series.kind in BY_STAMP:
            return self._by_stamp(table), "stamp"
        return self._by_row(table, origin), "row"

    def _by_id(self, ids: Array) -> tuple[Array, Array]:
        named = ids != "" if ids.dtype == object else np.ones(len(ids), np.bool_)
        keep = np.ones(len(ids), np.bool_)
        if named.any():
            keep[named] = _new(ids[named], self._ids)
        while sum(map(len, self._ids)) - len(self._ids[0] if self._ids else ()) > _REMEMBERED:
            del self._ids[0]
        return named, keep

    def _by_stamp(self, table: Table) -> Array:
        """Keep one row per stamp: of bars the one with most volume, which is the final one."""
        times = table.times
        keep = np.diff(times, prepend=self._last) > 0
        self._last = int(times[-1])
        if not keep.all() and "volume" in table.columns:
            volume: Floats = np.nan_to_num(table.columns["volume"], nan=-1.0)
            order = np.lexsort((np.arange(len(times)), -volume, times))
            keep = np.zeros(len(times), np.bool_)
            keep[order[np.diff(times[order], prepend=-1) > 0]] = True
        return keep

    def _by_row(self, table: Table, origin: Times) -> Array:
        """Keep rows that are in no other file, or, in feeds that duplicate, once."""
        keep = np.ones(len(table.times), np.bool_)
        doubled = self._series.doubled
        if len(table.times) < 2 or (not doubled and (origin == origin[0]).all()):
            return keep
        starts = np.flatnonzero(np.diff(table.times, prepend=-1))
        sizes = np.diff(starts, append=len(table.times))
        files = np.minimum.reduceat(origin, starts), np.maximum.reduceat(origin, starts)
        shared = np.flatnonzero(np.repeat(sizes > 1 if doubled else files[0] < files[1], sizes))
        columns = [column[shared].tolist() for column in table.columns.values()]
        rows = zip(table.times[shared].tolist(), *columns, strict=True)
        most: dict[object, int] = {}
        counts: dict[object, int] = {}
        for place, row, file in zip(shared.tolist(), rows, origin[shared].tolist(), strict=True):
            key = repr(row)  # repr: a missing number equals itself
            n = counts[key, file] = counts.get((key, file), 0) + 1
            keep[place] = most.get(key, 0) < (1 if doubled else n)
            most[key] = max(most.get(key, 0), n)
        return keep


def _new(ids: Array, seen: list[Array]) -> Array:
    """Return which ids are new, and remember them."""
    rising = ids.dtype != object and bool((np.diff(ids) > 0).all())
    ordered_ids = ids if rising else np.sort(ids)
    keep = np.ones(len(ids), np.bool_)
    if not rising:
        _, first = np.unique(ids, return_index=True)
        keep[:] = False
        keep[first] = True
    for earlier in seen:
        if earlier.dtype == ids.dtype and earlier[-1] >= ordered_ids[0]:
            keep &= ~np.isin(ids, earlier)
    seen.append(ordered_ids)
    return keep
