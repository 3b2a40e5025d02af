"""What is wrong with a store, without changing it: every checksum, every number, every file."""

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
from powderkeg.store.recovery import FRAMES, META, SEGMENTS, batch_trouble, learned, missing, named
from powderkeg.store.segments import Row, read_frames


class Finding(Struct, frozen=True):
    """One thing that is wrong, and what mends it."""

    where: str
    what: str
    mend: str


def check(folder: Path) -> tuple[list[Finding], list[Hole]]:
    """Return what is wrong with a store, and the holes in it that are known.

    Another process may record meanwhile.

    Raises:
        StoreError: There is none, it cannot be read, or is of another version.
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
        found = [Finding(where, what, mend) for where, what in _troubles(db, folder)]
        return found, FrameLog(db).holes()
    finally:
        db.close()


def _troubles(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield where something is wrong, and what, as one moment shows it."""
    if db.fresh:
        yield str(db.path), "it is empty"
    db.all("BEGIN")  # whoever seals an hour meanwhile moves nothing here
    yield from _journal(db)
    yield from _numbers(db, folder)
    root = folder / SEGMENTS
    rows = named(db)
    for row in rows:
        if why := file_trouble(root, row):
            yield str(root / row[3]), why
    if not locked(folder):
        yield from _unnamed(root, {row[3] for row in rows})
    yield from _snapshots(db)
    yield from _proofs(folder)


def _journal(db: Database) -> Iterator[tuple[str, str]]:
    for (last,) in db.all("SELECT last FROM journal ORDER BY last"):
        row = db.one("SELECT * FROM journal WHERE last=?", (last,))
        if why := batch_trouble(row):
            yield f"{db.path}, batch {last}", why


def _numbers(db: Database, folder: Path) -> Iterator[tuple[str, str]]:
    log = FrameLog(db)
    for first, last in missing(db):
        if not log.known_hole(first, last):
            yield str(db.path), f"frames {first} to {last} are missing"
    if not locked(folder) and (said := acknowledged(folder)) > log.last:
        yield str(db.path), f"frames {log.last + 1} to {said} were acknowledged and are gone"


def file_trouble(root: Path, row: Row) -> str:
    """Return what is wrong with a sealed file, or nothing."""
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
            learned(root, path)
    except DataError as why:
        return str(why.why)
    except OSError as why:
        return str(why)
    return ""


def unnamed(root: Path, known: set[str]) -> list[Path]:
    """Return the files that look sealed and that the database does not know."""
    found = [*root.rglob("*.frames"), *root.rglob("*.parquet")]
    return sorted(path for path in found if str(path.relative_to(root)) not in known)


def _unnamed(root: Path, known: set[str]) -> Iterator[tuple[str, str]]:
    if root.exists() and not root.is_dir():
        yield str(root), "expected a folder"
    for path in unnamed(root, known):
        yield str(path), "it is not in the list of sealed files"


def _snapshots(db: Database) -> Iterator[tuple[str, str]]:
    states = SnapshotTable(db)
    for (part,) in db.all("SELECT part FROM snapshots"):
        try:
            states.load(part)
        except DataError as why:
            yield str(db.path), str(why.why)


def _proofs(folder: Path) -> Iterator[tuple[str, str]]:
    proofs = ForecastArchive(folder)
    try:
        for _ in proofs.read():
            pass
    except StoreError as why:
        yield str(folder), str(why)
    for note in proofs.notes:
        yield str(folder), note
