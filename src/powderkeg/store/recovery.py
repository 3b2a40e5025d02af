"""Recovery of a damaged store: its database is rebuilt from everything that is intact.

The damaged database is moved aside and kept. Batches, snapshots and the list of sealed files are
taken from it as far as it can be read; unregistered files are registered again if their checksums
are right. Missing frames become a hole, and every loss is reported.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from powderkeg.errors import DataError, StoreError
from powderkeg.events import HOUR
from powderkeg.store.database import DamagedError, Database
from powderkeg.store.journal import UNREADABLE, FrameLog, Hole, decompress, unpack
from powderkeg.store.segments import Row, blocks, unpack_block

META: Final = "meta.db"
SEGMENTS: Final = "segments"
FRAMES: Final = "frames"
_BESIDE: Final = ("", "-wal", "-shm")
"""The files of one database."""
_KEYS: Final = {"facts": "name", "damaged": "last", "holes": "last", "journal": "last"}


def opened(folder: Path) -> tuple[Database, list[str]]:
    """Open the database of a store for writing; rebuild it if it is damaged or gone.

    Returns:
        The database, and messages about what was done and lost.

    Raises:
        StoreError: It cannot be opened for another reason than damage.
    """
    path, new = folder / META, folder / f"{META}.new"
    notes: list[str] = []
    try:
        if new.exists() and not path.exists():  # interrupted between the two renames
            new.replace(path)
        try:
            db = Database(path)
        except DamagedError as why:
            notes = [str(why), *_renew(path, new)]
            db = Database(path)
        if db.fresh:
            notes += _begin(db, folder)
    except OSError as why:
        raise StoreError(f"{path}: the disk refuses: {why}") from why
    return db, notes


def _begin(db: Database, folder: Path, old: Path | None = None) -> list[str]:
    """Fill a new database with the intact parts of the `old` one and the sealed files."""
    with db.transaction():
        notes = _salvage(db, old) if old else []
        notes += _register_files(db, folder)
        _forget_sealed(db)
        _count_snapshots(db)
        notes += [hole.words for hole in lacking(db, missing(db))]
        db.mark_complete()
    return notes


def _renew(path: Path, new: Path) -> list[str]:
    """Replace a damaged database by a new one; the damaged one is moved aside."""
    for end in _BESIDE:
        new.with_name(new.name + end).unlink(missing_ok=True)
    with closing(Database(new)) as db:
        notes = _begin(db, path.parent, path)
    aside = _aside(path)
    for end in reversed(_BESIDE):
        with suppress(FileNotFoundError):
            path.with_name(path.name + end).replace(aside.with_name(aside.name + end))
    new.replace(path)
    return [f"the damaged database was moved to {aside}", *notes]


def _aside(path: Path) -> Path:
    """Return a free name for a damaged file, with the time it was last written."""
    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    name = f"{path.name}.damaged-{moment:%Y%m%dT%H%M%SZ}"
    free = (path.with_name(name + (f"-{n}" if n else "")) for n in range(10_000))
    return next(each for each in free if not each.exists())


def move_aside(path: Path) -> Path:
    """Rename a damaged file and return its new name.

    Raises:
        OSError: The disk refuses.
    """
    return path.replace(_aside(path))


def _salvage(db: Database, old: Path) -> list[str]:
    """Copy the readable rows of a damaged database."""
    notes: list[str] = []
    with closing(sqlite3.connect(f"{old.absolute().as_uri()}?mode=ro", uri=True)) as remains:
        for table, key in _KEYS.items():
            for row in _rows(remains, table, key):
                if table == "journal" and (why := batch_problem(row)):
                    notes.append(f"{old}, batch {row[0]}: {why}")
                elif row[0] != "version":
                    marks = ",".join("?" * len(row))
                    db.all(f"INSERT OR REPLACE INTO {table} VALUES({marks})", row)
        for part, seq, size, blob in _rows(remains, "snapshots", "part"):
            with suppress(*UNREADABLE):
                decompress(size, blob)
                db.all("INSERT OR REPLACE INTO snapshots VALUES(?,?,?,?)", (part, seq, size, blob))
        for row in _rows(remains, "segments", "rowid"):
            db.all("INSERT OR REPLACE INTO segments VALUES(?,?,?,?,?,?,?,?,?,?,?)", row)
    return notes


def _rows(db: sqlite3.Connection, table: str, key: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table from its front up to the damage, then from its end back to it."""
    seen: set[Any] = set()
    for order in ("", "DESC"):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            for row in db.execute(f"SELECT {key}, * FROM {table} ORDER BY {key} {order}"):  # noqa: S608  ours
                if row[0] in seen:
                    break
                seen.add(row[0])
                yield row[1:]


def batch_problem(row: tuple[Any, ...]) -> str:
    """Return the problem of a journal batch (a row), or nothing."""
    last, first, _, _, size, blob = row
    try:
        frames = unpack(size, blob, f"batch {last}")
    except DataError as why:
        return str(why.why)
    found = [frame.seq for frame in frames]
    return "" if found == list(range(first, last + 1)) else "its frames have other numbers"


# -- sealed files


def registered(db: Database) -> list[Row]:
    """Return the rows of all sealed files, in the order of their frames and hours."""
    return [tuple(row) for row in db.all("SELECT * FROM segments ORDER BY kind, first, hour")]


def _register_files(db: Database, folder: Path) -> list[str]:
    """Register sealed files that are not registered; report damaged ones."""
    known = {row[3]: row for row in registered(db)}
    notes: list[str] = []
    root = folder / SEGMENTS
    for path in sorted(root.rglob("*.frames")) + sorted(root.rglob("*.parquet")):
        name = str(path.relative_to(root))
        if name in known and known[name][9] == path.stat().st_size:
            continue
        try:
            row = segment_row(root, path)
        except DataError as why:
            db.all("DELETE FROM segments WHERE path=?", (name,))
            notes.append(f"not used: {why}")
        else:
            db.all("INSERT OR REPLACE INTO segments VALUES(?,?,?,?,?,?,?,?,?,?,?)", row)
            notes.append(f"{path}: registered again")
    for name in known:
        if not (root / name).exists():
            db.all("DELETE FROM segments WHERE path=?", (name,))
            notes.append(f"{root / name}: is gone")
    return notes


def _count_snapshots(db: Database) -> None:
    """Skip frame numbers that a snapshot covers: new frames must not reuse them."""
    (seq,) = db.one("SELECT max(seq) FROM snapshots")
    FrameLog(db).skip(seq or 0, "they were damaged or are gone")


def _forget_sealed(db: Database) -> None:
    """Delete journal batches that are in a sealed file as well."""
    db.all(
        "DELETE FROM journal WHERE EXISTS(SELECT 1 FROM segments AS s WHERE s.kind=?"
        " AND s.first <= journal.first AND s.last >= journal.last)",
        (FRAMES,),
    )


def lacking(db: Database, stretches: Iterable[tuple[int, int]]) -> list[Hole]:
    """Record ranges of frames as holes; return the new ones."""
    log, out = FrameLog(db), list[Hole]()
    for first, last in list(stretches):
        if not log.known_hole(first, last):
            log.add_hole(first, last, "they were damaged or are gone")
            out.append(Hole(first, last, "they were damaged or are gone"))
    return out


def missing(db: Database) -> Iterator[tuple[int, int]]:
    """Yield first and last number of each range missing between stored frames."""
    at = 0
    for first, last in db.all(
        "SELECT first, last FROM segments WHERE kind=? UNION ALL SELECT first, last FROM journal"
        " ORDER BY 2",
        (FRAMES,),
    ):
        if at and first > at + 1:
            yield at + 1, first - 1
        at = max(at, last)


def segment_row(root: Path, path: Path) -> Row:
    """Return the database row of an intact sealed file, from its content.

    Raises:
        DataError: It is damaged, or not a sealed file.
    """
    try:
        kind, venue, day, name = path.relative_to(root).parts
        moment = datetime.strptime(f"{day} {name[:2]}", "%Y-%m-%d %H").replace(tzinfo=UTC)
        hour, size = round(moment.timestamp()) * 1_000_000, path.stat().st_size
    except (ValueError, OSError) as why:
        raise DataError(str(path), 0, f"expected the name of a sealed hour: {why}") from why
    rel = str(path.relative_to(root))
    if kind != FRAMES:
        rows, digest = _events(path)
        return (kind, venue, hour, rel, rows, 0, 0, hour, hour + HOUR, size, digest)
    first, last, since, until, digest = _frames(path)
    rows = last - first + 1
    return (kind, f"all-{first}", hour, rel, rows, first, last, since, until, size, digest)


def _events(path: Path) -> tuple[int, str]:
    """Return number of rows and SHA-256 of a file of events, all of which was read."""
    try:
        raw = path.read_bytes()
        return pq.read_table(pa.BufferReader(raw)).num_rows, hashlib.sha256(raw).hexdigest()
    except (OSError, pa.ArrowException) as why:
        raise DataError(str(path), 0, f"expected a sealed hour of events: {why}") from why


def _frames(path: Path) -> tuple[int, int, int, int, str]:
    """Return first and last number, first and last time, and SHA-256 of a file of frames.

    The checksum of each block is looked at; only the first and the last are unpacked.
    """
    digest, ends = hashlib.sha256(), list[tuple[int, bytes]]()
    for last, size, blob, head in blocks(path):
        if zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "big"):
            raise DataError(str(path), 0, f"the checksum of batch {last} does not fit")
        digest.update(head)
        digest.update(blob)
        ends[1:] = [(size, blob)]
    if not ends:
        raise DataError(str(path), 0, "expected frames, found none")
    first, last = (
        [frame for batch in unpack_block(*end, str(path)) for frame in batch]
        for end in (ends[0], ends[-1])
    )
    since, until = min(f.received_time for f in first), max(f.received_time for f in last)
    return first[0].seq, last[-1].seq, since, until, digest.hexdigest()
