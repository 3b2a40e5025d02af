"""A store as one thing: append frames, read them all back, seal hours, stay within the disk budget.

Layout: ``meta.db`` (journal, list of segments, snapshots), ``segments/KIND/VENUE/DAY/HOUR`` and
``proofs-MONTH.log`` (maps as they stood, which are never deleted).
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
    read_frames,
    segment_path,
    write_frames,
)

Gather = Callable[[Callable[[], Iterator[list[Frame]]], Columns], None]
"""Reads frames, as often as it likes, into columns; given by who knows the venues."""


class _Found(Struct, frozen=True):
    """Where the next frames are: a sealed file, or a batch of the journal."""

    first: int
    last: int
    path: str = ""
    sha256: str = ""
    batch: tuple[int, bytes] = (0, b"")


def mended(folder: Path) -> str:
    """Return by what a damaged store is mended, in words."""
    return f"`powderkeg store repair {folder}` keeps what is whole"


class Store:
    """One folder. One process may write to it, any number read."""

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open a store, or begin one; one that is damaged begins anew with what is whole of it.

        Args:
            folder: Where it lies.
            write: Without, nothing is changed; another process may record meanwhile.

        Raises:
            StoreError: The folder cannot be written, another process writes to it, or it is of
                another version.
        """
        self.folder = folder
        self.notes: list[str] = []
        """What was found damaged or missing, in words; for whoever opened this to tell."""
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
        """Say what a process before has acknowledged and is not there: SQLite leaves it out."""
        last, before = self.log.last, lock.before
        if lock.damaged:
            self.notes.append(f"{lock.path} was damaged: what was acknowledged last is not known")
        if before > last:
            self.log.skip(before, "they were acknowledged and are gone")
            self.notes.append(f"frames {last + 1} to {before} were acknowledged and are gone")

    def close(self) -> None:
        """Let go of the files."""
        if hasattr(self, "_db"):
            self._db.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def last(self) -> int:
        """Number of the last frame kept, 0 for none."""
        return self.log.last

    @property
    def first(self) -> int:
        """Number of the first frame that is still kept, 0 for none."""
        sealed, kept = self._db.one(
            "SELECT (SELECT min(first) FROM segments WHERE kind=?),"
            " (SELECT min(first) FROM journal)",
            (FRAMES,),
        )
        return sealed or kept or 0

    def append(self, frames: Sequence[Frame], lacking: str = "") -> int:
        """Keep a batch; durable once this returns. See `SqliteLog.append`."""
        last = self.log.append(frames, lacking)
        if self._lock is not None:
            self._lock.note(last)
        return last

    def read(self, after: int = 0, lost: Lost | None = None) -> Iterator[list[Frame]]:
        """Yield all batches kept, sealed hours first; see `SqliteLog.read`.

        Frames of which it was said that they are not in the record (see `SqliteLog.holes`) are
        passed over: whoever reads the numbers sees that they jump.

        Args:
            after: Number of a frame.
            lost: Told of all that is missing or damaged, which is then stepped over.

        Raises:
            GapError: Frames after `after` were deleted to stay within the disk budget, or are gone.
            DataError: A file is damaged. Neither is raised where `lost` is told.
        """
        at = after
        while (found := self._next(at)) is not None:
            if at and found.first > at + 1:
                self._miss(at + 1, found.first - 1, lost)
            try:
                yield from self._batches(found, at, lost)
            except DataError as why:
                if lost is None:
                    raise DataError(
                        why.file, why.line, f"{why.why}; {mended(self.folder)}"
                    ) from why
                lost(str(why))
            at = found.last

    def _batches(self, found: _Found, at: int, lost: Lost | None) -> Iterator[list[Frame]]:
        if not found.path:
            yield unpack(*found.batch, f"{self.folder / META}, batch {found.last}")
        else:
            sha256 = found.sha256 if at < found.first else ""
            yield from read_frames(self.events.folder / found.path, at, sha256, lost)

    def _miss(self, first: int, last: int, lost: Lost | None) -> None:
        """Tell that frames are missing; an error where nobody said so before or is told now."""
        words = f"{self.folder}: frames {first} to {last}"
        if lost is not None:
            lost(f"{words} are not in the record")
        elif not self.log.known_hole(first, last):
            raise GapError(f"{words} were deleted or are gone; {mended(self.folder)}")

    def _next(self, at: int) -> _Found | None:
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

    def seal(self, hour: int, gather: Gather | None = None) -> None:
        """Turn one hour of the journal into files, all of it or nothing.

        Args:
            hour: The earliest of `ready`; hours are sealed in order.
            gather: Reads the hour's frames into columns of events; none are kept without it.

        Batches that are damaged are set aside first, which `notes` tells; what of the hour is whole
        is sealed.

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
        except DataError:
            if not (told := self.log.set_aside(last)):
                raise
            self.notes += told
            self.seal(hour, gather)
            return
        except OSError as why:
            raise StoreError(f"{self.folder}: the disk refuses: {why}") from why
        with self._db.transaction():
            for row in rows:
                self.events.register(row)
            self._db.all("DELETE FROM journal WHERE last <= ?", (last,))

    def _write(
        self, hour: int, first: int, last: int, since: int, until: int, gather: Gather | None
    ) -> list[Row]:
        """Write the files of an hour, which are not named yet; appending goes on meanwhile."""
        path = segment_path(self.events.folder, FRAMES, "all", hour, ".frames")
        before = self._db.all("SELECT path FROM segments WHERE kind=? AND hour=?", (FRAMES, hour))
        if before:  # the clock was set back: keep both
            path = path.with_stem(f"{path.stem}-{first}")
        digest = write_frames(path, self.log.blobs(upto=last))
        columns = Columns()
        if gather is not None:
            old = [self.events.folder / each for (each,) in before]
            gather(lambda: chain(self._sealed(old), read_frames(path)), columns)
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
        """Yield what is whole of files that were sealed before."""
        return chain.from_iterable(read_frames(each, lost=self.notes.append) for each in paths)

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
        """Return the bytes in use of the database, its log, and the proofs."""
        log = self.folder / "meta.db-wal"
        return self.forecasts.size + self._db.size + (log.stat().st_size if log.exists() else 0)


def _locked(folder: Path) -> Lock:
    """Make the folder of a store where there is none, and take the right to write to it."""
    try:
        make_folder(folder)
    except OSError as why:
        raise StoreError(f"{folder}: expected a folder to record in: {why}") from why
    return Lock(folder)
