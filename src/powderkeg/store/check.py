"""Read-only check of a store: every checksum, frame number and file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from powderkeg.errors import DataError, StoreError
from powderkeg.store.database import DamagedError, Database
from powderkeg.store.disk import acknowledged, locked
from powderkeg.store.forecasts import ForecastArchive
from powderkeg.store.journal import FrameLog, Hole, SnapshotTable
from powderkeg.store.recovery import (
    FRAMES,
    META,
    SEGMENTS,
    batch_problem,
    missing,
    registered,
    segment_row,
)
from powderkeg.store.segments import Row, read_frames


class Finding(Struct, frozen=True):
    """One problem, and the command that repairs it."""

    where: str
    what: str
    mend: str


def check(folder: Path) -> tuple[list[Finding], list[Hole]]:
    """Return the problems of a store, and its known holes.

    Another process may be recording.

    Raises:
        StoreError: There is no store, it cannot be read, or it is of another version.
    """
    mend = f"powderkeg store repair {folder}"
    if not (folder / META).exists() and not (folder / SEGMENTS).exists():
        raise StoreError(f"{folder}: expected a folder that powderkeg has recorded in")
    if not (folder / META).exists():
        return [Finding(str(folder / META), "it is gone", mend)], []
    try:
        db = Database(folder / META, write=False)
    except DamagedError as why:
        return [Finding(str(folder / META), str(why), mend)], []
    try:
        found = [Finding(where, what, mend) for where, what in _problems(db, folder)]
        return found, FrameLog(db).holes()
    finally:
        db.close()


def _problems(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield place and description of each problem, from one consistent read."""
    if db.fresh:
        yield str(db.path), "it is empty"
    db.all("BEGIN")  # a concurrent sealing changes nothing in this read
    yield from _journal(db)
    yield from _numbers(db, folder)
    root = folder / SEGMENTS
    rows = registered(db)
    for row in rows:
        if why := file_problem(root, row):
            yield str(root / row[3]), why
    if not locked(folder):
        yield from _unregistered(root, {row[3] for row in rows})
    yield from _snapshots(db)
    yield from _forecasts(folder)


def _journal(db: Database) -> Iterator[tuple[str, str]]:
    for (last,) in db.all("SELECT last FROM journal ORDER BY last"):
        row = db.one("SELECT * FROM journal WHERE last=?", (last,))
        if why := batch_problem(row):
            yield f"{db.path}, batch {last}", why


def _numbers(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    log = FrameLog(db)
    for first, last in missing(db):
        if not log.known_hole(first, last):
            yield str(db.path), f"frames {first} to {last} are missing"
    if not locked(folder) and (acked := acknowledged(folder)) > log.last:
        yield str(db.path), f"frames {log.last + 1} to {acked} were acknowledged and are gone"


def file_problem(root: Path, row: Row) -> str:
    """Return the problem of a sealed file, or nothing."""
    path = root / row[3]
    try:
        if row[0] == FRAMES:
            for _ in read_frames(path, sha256=row[10]):
                pass
        elif not path.is_file():
            return "it is gone"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != row[10]:
            return "its SHA-256 is not what it was when it was sealed"
        else:
            segment_row(root, path)
    except DataError as why:
        return str(why.why)
    except OSError as why:
        return str(why)
    return ""


def unregistered(root: Path, known: set[str]) -> list[Path]:
    """Return the sealed files that are not registered in the database."""
    found = [*root.rglob("*.frames"), *root.rglob("*.parquet")]
    return sorted(path for path in found if str(path.relative_to(root)) not in known)


def _unregistered(root: Path, known: set[str]) -> Iterator[tuple[str, str]]:
    if root.exists() and not root.is_dir():
        yield str(root), "expected a folder"
    for path in unregistered(root, known):
        yield str(path), "it is not in the list of sealed files"


def _snapshots(db: Database) -> Iterator[tuple[str, str]]:
    states = SnapshotTable(db)
    for (part,) in db.all("SELECT part FROM snapshots"):
        try:
            states.load(part)
        except DataError as why:
            yield str(db.path), str(why.why)


def _forecasts(folder: Path) -> Iterator[tuple[str, str]]:
    archive = ForecastArchive(folder)
    try:
        for _ in archive.read():
            pass
    except StoreError as why:
        yield str(folder), str(why)
    for note in archive.notes:
        yield str(folder), note
