"""A store as one thing: append frames, read them all back, seal hours, stay within the disk budget.

Layout: ``meta.db`` (journal, list of segments, snapshots), ``segments/KIND/VENUE/DAY/HOUR`` and
``proofs-MONTH.log`` (maps as they stood, which are never deleted).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from powderkeg.errors import GapError, StoreError
from powderkeg.events import HOUR
from powderkeg.frames import Frame
from powderkeg.store.columns import Columns
from powderkeg.store.database import Database
from powderkeg.store.disk import Lock, make_folder
from powderkeg.store.journal import SqliteLog, SqliteStates, unpack
from powderkeg.store.proofs import Proofs
from powderkeg.store.segments import ParquetSegments, Row, place, read_frames, write_frames

FRAMES: Final = "frames"
Gather = Callable[[Callable[[], Iterator[list[Frame]]], Columns], None]
"""Reads frames, as often as it likes, into columns; given by who knows the venues."""


class Store:
    """One folder. One process may write to it, any number read."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open a store, or begin one.

        Args:
            folder: Where it lies.
            write: Without, nothing is changed; another process may record meanwhile.

        Raises:
            StoreError: The folder cannot be written, another process writes to it, or it is of
                another version.
        """
        self.folder = folder
        self._lock = _locked(folder) if write else None
        try:
            self._db = Database(folder / "meta.db", write=write)
            if write:
                self._db.settle()
        except StoreError:
            self._release()
            raise
        self.log = SqliteLog(self._db)
        self.states = SqliteStates(self._db)
        self.events = ParquetSegments(self._db, folder / "segments")
        self.proofs = Proofs(folder)

    def close(self) -> None:
        """Let go of the files."""
        self._db.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    @property
    def last(self) -> int:
        """Number of the last frame kept, 0 for none."""
        return self.log.last

    def append(self, frames: Sequence[Frame]) -> int:
        """Keep a batch; durable once this returns. See `EventLog`."""
        last = self.log.append(frames)
        if self._lock is not None:
            self._lock.note(last)
        return last

    def read(self, after: int = 0) -> Iterator[list[Frame]]:
        """Yield all batches kept, sealed hours first; see `EventLog`.

        Raises:
            GapError: Frames after `after` were deleted to stay within the disk budget.
            DataError: A file is damaged.
        """
        at = after
        while (found := self._next(at)) is not None:
            first, last, path, batch = found
            if at and first > at + 1:
                raise GapError(f"{self.folder}: frames {at + 1} to {first - 1} were deleted")
            if path is None:
                yield unpack(*batch, f"{self.folder / 'meta.db'}, batch {last}")
            else:
                yield from read_frames(path, at)
            at = last

    def _next(self, at: int) -> tuple[int, int, Path | None, tuple[int, bytes]] | None:
        """Return the first sealed hour or batch of the journal that holds a frame above `at`.

        An hour may be sealed between any two questions, so that its batches leave the journal.
        """
        while True:
            sealed, kept = self._db.one(
                "SELECT (SELECT min(last) FROM segments WHERE kind=? AND last>?),"
                " (SELECT min(last) FROM journal WHERE last>?)",
                (FRAMES, at, at),
            )
            if sealed is not None and (kept is None or sealed < kept):
                sql = "SELECT first, path FROM segments WHERE kind=? AND last=?"
                if row := self._db.one(sql, (FRAMES, sealed)):
                    return row[0], sealed, self.events.folder / row[1], (0, b"")
            elif kept is None:
                return None
            elif row := self._db.one("SELECT first, size, blob FROM journal WHERE last=?", (kept,)):
                return row[0], kept, None, row[1:]

    def ready(self, before: int) -> list[int]:
        """Return the hours of the journal that are over at `before`, oldest first."""
        rows = self._db.all(
            f"SELECT DISTINCT until / {HOUR} FROM journal WHERE until < ? ORDER BY 1",  # noqa: S608  a constant
            (before // HOUR * HOUR,),
        )
        return [hour * HOUR for (hour,) in rows]

    def seal(self, hour: int, gather: Gather | None = None) -> None:
        """Turn one hour of the journal into files, all of it or nothing.

        Args:
            hour: The earliest of `ready`; hours are sealed in order.
            gather: Reads the hour's frames into columns of events; none are kept without it.

        Raises:
            StoreError: The disk refuses; the journal keeps the hour.
        """
        (last,) = self._db.one("SELECT max(last) FROM journal WHERE until < ?", (hour + HOUR,))
        if last is None:
            return
        first, since, until = self._db.one(
            "SELECT min(first), min(since), max(until) FROM journal WHERE last <= ?", (last,)
        )
        try:
            rows = self._write(hour, first, last, since, until, gather)
        except OSError as why:
            raise StoreError(f"{self.folder}: the disk refuses: {why}") from why
        with self._db.together():
            for row in rows:
                self.events.name(row)
            self._db.all("DELETE FROM journal WHERE last <= ?", (last,))

    def _write(
        self, hour: int, first: int, last: int, since: int, until: int, gather: Gather | None
    ) -> list[Row]:
        """Write the files of an hour, which are not named yet; appending goes on meanwhile."""
        path = place(self.events.folder, FRAMES, "all", hour, ".frames")
        before = self._db.all("SELECT path FROM segments WHERE kind=? AND hour=?", (FRAMES, hour))
        if before:  # the clock was set back: keep both
            path = path.with_stem(f"{path.stem}-{first}")
        digest = write_frames(path, self.log.blobs(upto=last))
        columns = Columns()
        if gather is not None:
            paths = [*(self.events.folder / each for (each,) in before), path]
            gather(lambda: chain.from_iterable(map(read_frames, paths)), columns)
        rows = [
            self.events.write(kind, venue, hour, table)
            for (kind, venue), table in columns.tables().items()
        ]
        name, count = str(path.relative_to(self.events.folder)), last - first + 1
        size = path.stat().st_size
        frames = (
            FRAMES, f"all-{first}", hour, name, count, first, last, since, until, size, digest,
        )  # fmt: skip
        return [*rows, frames]

    def prune(self, budget: int) -> int:
        """Delete the oldest sealed hours until `budget` bytes hold the rest; return bytes freed.

        Frames go first: they are ten times as large as the events read from them. Proofs stay:
        what was said may not be unsaid.

        Raises:
            StoreError: The disk refuses.
        """
        rows = self._db.all(
            "SELECT kind, venue, hour, path, bytes, last FROM segments"
            " ORDER BY kind!=?, hour, last",
            (FRAMES,),
        )
        over = sum(row[4] for row in rows) + self._size() - budget
        freed = 0
        for kind, venue, hour, path, size, last in rows:
            if freed >= over:
                break
            with self._db.together():
                self.log.forgot(last)
                self._db.all(
                    "DELETE FROM segments WHERE kind=? AND venue=? AND hour=?", (kind, venue, hour)
                )
            try:
                (self.events.folder / path).unlink(missing_ok=True)
            except OSError as why:
                raise StoreError(f"{path}: cannot be deleted: {why}") from why
            freed += size
        return freed

    def _size(self) -> int:
        """Return the bytes of the database, its log, and the proofs."""
        paths = (self.folder / name for name in ("meta.db", "meta.db-wal"))
        return self.proofs.size + sum(os.stat(p).st_size for p in paths if p.exists())  # noqa: PTH116


def _locked(folder: Path) -> Lock:
    """Make the folder of a store where there is none, and take the right to write to it."""
    try:
        make_folder(folder)
    except OSError as why:
        raise StoreError(f"{folder}: expected a folder to record in: {why}") from why
    return Lock(folder)
