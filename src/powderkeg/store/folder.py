"""The store: append frames, read them back, seal hours, stay within the disk budget.

Layout: ``meta.db`` (journal, list of segments, snapshots), ``segments/KIND/VENUE/DAY/HOUR`` and
``proofs-MONTH.log`` (forecasts, which are never deleted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from msgspec import Struct

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.events import HOUR
from powderkeg.frames import Frame
from powderkeg.store.database import Database
from powderkeg.store.disk import Lock, make_folder
from powderkeg.store.event_columns import Columns
from powderkeg.store.forecasts import ForecastArchive
from powderkeg.store.journal import FrameLog, SnapshotTable, unpack
from powderkeg.store.recovery import FRAMES, META, SEGMENTS, opened
from powderkeg.store.segments import (
    Lost,
    ParquetSegments,
    Row,
    blocks_of,
    read_frames,
    segment_path,
    write_frames,
)

Decode = Callable[[Callable[[], Iterator[list[Frame]]], Columns], None]
"""Decodes frames, in several passes if needed, into columns; supplied by the live layer."""


class _Found(Struct, frozen=True):
    """Location of the next frames: a sealed file, or a batch of the journal."""

    first: int
    last: int
    path: str = ""
    sha256: str = ""
    batch: tuple[int, bytes] = (0, b"")


def repair_hint(folder: Path) -> str:
    """Return a hint how to repair a damaged store."""
    return f"`powderkeg store repair {folder}` keeps what is whole"


class Store:
    """One folder. One process may write to it, any number read."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open or create a store; a damaged one is recovered from its intact parts.

        Args:
            folder: Its folder.
            write: If false, nothing is changed, and another process may be recording.

        Raises:
            StoreError: The folder cannot be written, another process writes to it, or it is of
                another version.
        """
        self.folder = folder
        self.notes: list[str] = []
        """Messages about damaged or missing data, for the caller to report."""
        self._lock = _locked(folder) if write else None
        try:
            self._open(write=write)
        except StoreError:
            self.close()
            raise

    def _open(self, *, write: bool) -> None:
        if write:
            self._db, self.notes = opened(self.folder)
        else:
            self._db = Database(self.folder / META, write=False)
        self.log = FrameLog(self._db)
        self.states = SnapshotTable(self._db)
        self.events = ParquetSegments(self._db, self.folder / SEGMENTS)
        self.forecasts = ForecastArchive(self.folder)
        if self._lock is not None:
            self._count_lost(self._lock)

    def _count_lost(self, lock: Lock) -> None:
        """Record frames that a previous process acknowledged and SQLite has silently lost."""
        last, before = self.log.last, lock.before
        if lock.damaged:
            self.notes.append(f"{lock.path} was damaged: what was acknowledged last is not known")
        if before > last:
            self.log.skip(before, "they were acknowledged and are gone")
            self.notes.append(f"frames {last + 1} to {before} were acknowledged and are gone")

    def close(self) -> None:
        """Close the files."""
        if hasattr(self, "_db"):
            self._db.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def last(self) -> int:
        """Number of the last stored frame, 0 for none."""
        return self.log.last

    @property
    def first(self) -> int:
        """Number of the first frame still stored, 0 for none."""
        sealed, kept = self._db.one(
            "SELECT (SELECT min(first) FROM segments WHERE kind=?),"
            " (SELECT min(first) FROM journal)",
            (FRAMES,),
        )
        return sealed or kept or 0

    @property
    def since(self) -> int:
        """Time of the oldest frame still stored, µs UTC; 0 for none.

        Books and quotes are kept as frames only, so reads of them can be played again from then on.
        """
        frames = self._db.one(
            "SELECT since FROM segments WHERE kind=? ORDER BY last LIMIT 1", (FRAMES,)
        ) or self._db.one("SELECT since FROM journal ORDER BY last LIMIT 1")
        return frames[0] if frames else 0

    def append(self, frames: Sequence[Frame], lacking: str = "") -> int:
        """Store a batch; durable once this returns. See `FrameLog.append`."""
        last = self.log.append(frames, lacking)
        if self._lock is not None:
            self._lock.acknowledge(last)
        return last

    def read(self, after: int = 0, lost: Lost | None = None) -> Iterator[list[Frame]]:
        """Yield all stored batches, sealed hours first; see `FrameLog.read`.

        Known holes (see `FrameLog.holes`) are skipped; the frame numbers show the jump.

        Args:
            after: Number of a frame.
            lost: Called with a message for anything missing or damaged, which is then skipped.

        Raises:
            GapError: Frames after `after` were deleted to stay within the disk budget, or are gone.
            DataError: A file is damaged. Neither is raised if `lost` is given.
        """
        at = after
        while (found := self._next(at)) is not None:
            if at and found.first > at + 1:
                self._report_missing(at + 1, found.first - 1, lost)
            try:
                yield from self._batches(found, at, lost)
            except DataError as why:
                if lost is None:
                    raise DataError(
                        why.file, why.line, f"{why.why}; {repair_hint(self.folder)}"
                    ) from why
                lost(str(why))
            at = found.last

    def _batches(self, found: _Found, at: int, lost: Lost | None) -> Iterator[list[Frame]]:
        if not found.path:
            yield unpack(*found.batch, f"{self.folder / META}, batch {found.last}")
        else:
            sha256 = found.sha256 if at < found.first else ""
            yield from read_frames(self.events.folder / found.path, at, sha256, lost)

    def _report_missing(self, first: int, last: int, lost: Lost | None) -> None:
        """Report missing frames; raise if the hole is unknown and there is no `lost`."""
        words = f"{self.folder}: frames {first} to {last}"
        if lost is not None:
            lost(f"{words} are not in the record")
        elif not self.log.known_hole(first, last):
            raise GapError(f"{words} were deleted or are gone; {repair_hint(self.folder)}")

    def _next(self, at: int) -> _Found | None:
        """Return the first sealed hour or batch of the journal that holds a frame above `at`.

        An hour may be sealed between any two queries, so that its batches leave the journal.
        """
        while True:
            sealed, kept = self._db.one(
                "SELECT (SELECT min(last) FROM segments WHERE kind=? AND last>?),"
                " (SELECT min(last) FROM journal WHERE last>?)",
                (FRAMES, at, at),
            )
            if sealed is not None and (kept is None or sealed < kept):
                sql = "SELECT first, path, sha256 FROM segments WHERE kind=? AND last=?"
                if row := self._db.one(sql, (FRAMES, sealed)):
                    return _Found(row[0], sealed, row[1], row[2])
            elif kept is None:
                return None
            elif row := self._db.one("SELECT first, size, blob FROM journal WHERE last=?", (kept,)):
                return _Found(row[0], kept, batch=row[1:])

    def ready(self, before: int) -> list[int]:
        """Return the hours of the journal that are over at `before`, oldest first."""
        rows = self._db.all(
            f"SELECT DISTINCT until / {HOUR} FROM journal WHERE until < ? ORDER BY 1",  # noqa: S608  a constant
            (before // HOUR * HOUR,),
        )
        return [hour * HOUR for (hour,) in rows]

    def seal(self, hour: int, decode: Decode | None = None) -> None:
        """Turn one hour of the journal into files, all of it or nothing.

        Args:
            hour: The earliest of `ready`; hours are sealed in order.
            decode: Reads the hour's frames into columns of events; none are kept without it.

        Damaged batches are set aside first and reported in `notes`; the rest of the hour is sealed.

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
            rows = self._write(hour, first, last, since, until, decode)
        except DataError:
            if not (messages := self.log.set_aside(last)):
                raise
            self.notes += messages
            self.seal(hour, decode)
            return
        except OSError as why:
            raise StoreError(f"{self.folder}: the disk refuses: {why}") from why
        with self._db.transaction():
            for row in rows:
                self.events.register(row)
            self._db.all("DELETE FROM journal WHERE last <= ?", (last,))

    def _write(
        self, hour: int, first: int, last: int, since: int, until: int, decode: Decode | None
    ) -> list[Row]:
        """Write the files of an hour, not registered yet; appending may continue meanwhile."""
        path = segment_path(self.events.folder, FRAMES, "all", hour, ".frames")
        before = self._db.all("SELECT path FROM segments WHERE kind=? AND hour=?", (FRAMES, hour))
        if before:  # the clock was set back: keep both
            path = path.with_stem(f"{path.stem}-{first}")
        packed = blocks_of(self.log.blobs(upto=last), str(self.folder / META))
        digest = write_frames(path, packed)
        columns = Columns()
        if decode is not None:
            old = [self.events.folder / each for (each,) in before]
            decode(lambda: chain(self._sealed(old), read_frames(path)), columns)
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

    def _sealed(self, paths: list[Path]) -> Iterator[list[Frame]]:
        """Yield the intact batches of files sealed before."""
        return chain.from_iterable(read_frames(each, lost=self.notes.append) for each in paths)

    def prune(self, budget: int) -> int:
        """Delete the oldest sealed hours until `budget` bytes hold the rest; return bytes freed.

        Frames go first: they are ten times as large as the events decoded from them. Forecasts are
        never deleted: the record must not be rewritten.

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
            with self._db.transaction():
                self.log.mark_trimmed(last)
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
        """Return the bytes in use of the database, its log, and the forecasts."""
        log = self.folder / "meta.db-wal"
        return self.forecasts.size + self._db.size + (log.stat().st_size if log.exists() else 0)


def _locked(folder: Path) -> Lock:
    """Create the folder of a store if needed, and lock it for writing."""
    try:
        make_folder(folder)
    except OSError as why:
        raise StoreError(f"{folder}: expected a folder to record in: {why}") from why
    return Lock(folder)
