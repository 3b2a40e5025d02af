"""Mending a store: what is whole stays, what is not is set aside, and every loss is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

from powderkeg.errors import DataError, StoreError
from powderkeg.store.check import file_trouble, unnamed
from powderkeg.store.database import Database
from powderkeg.store.disk import Lock
from powderkeg.store.forecasts import ForecastArchive
from powderkeg.store.journal import FrameLog, SnapshotTable, unpack
from powderkeg.store.recovery import (
    FRAMES,
    SEGMENTS,
    lacking,
    learned,
    missing,
    named,
    opened,
    put_aside,
)
from powderkeg.store.segments import HEAD, MAGIC, Row, write_frames

_Batch: TypeAlias = tuple[int, tuple[int, int, bytes]]
"""Number of the first frame; number of the last, size and bytes."""
_NEAR: Final = 5
"""Leading bytes that the numbers of one hour share, of eight."""


def repair(folder: Path) -> list[str]:
    """Mend a store; return in words what was done and lost.

    Raises:
        StoreError: Another process records in it, the disk refuses, or it is of another version.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder}: expected a folder that powderkeg has recorded in")
    lock = Lock(folder)
    try:
        db, notes = opened(folder)
        with closing(db):
            root = folder / SEGMENTS
            works = (
                _journal(db, lock), _files(db, root), _unnamed(db, root), _holes(db),
                _snapshots(db), _proofs(folder),
            )  # fmt: skip
            return [*notes, *chain.from_iterable(works)]  # one after another, in this order
    except OSError as why:
        raise StoreError(f"{folder}: the disk refuses: {why}") from why
    finally:
        lock.release()


def _journal(db: Database, lock: Lock) -> Iterator[str]:
    log = FrameLog(db)
    yield from log.set_aside(log.last)
    if lock.before > log.last:
        first = log.last + 1
        log.skip(lock.before, "they were acknowledged and are gone")
        yield f"frames {first} to {lock.before} were acknowledged and are gone"


def _files(db: Database, root: Path) -> Iterator[str]:
    """Set damaged files aside; of frames, what is whole is written anew."""
    for row in named(db):
        if not (why := file_trouble(root, row)):
            continue
        path = root / row[3]
        yield f"{path}: {why}"
        whole = list(_whole(path, row)) if row[0] == FRAMES and path.is_file() else []
        if path.exists():
            yield f"the damaged file was moved to {put_aside(path)}"
        _rename(db, root, row, [batch for _, batch in whole])
        if row[0] == FRAMES:
            yield from (hole.words for hole in lacking(db, _between(row, whole)))


def _rename(db: Database, root: Path, row: Row, whole: list[tuple[int, int, bytes]]) -> None:
    """Write what is whole of a file of frames, and let the database know; or forget the file."""
    if whole:
        write_frames(root / row[3], whole)
    with db.transaction():
        db.all("DELETE FROM segments WHERE path=?", (row[3],))
        if whole:
            fresh = learned(root, root / row[3])
            db.all("INSERT OR REPLACE INTO segments VALUES(?,?,?,?,?,?,?,?,?,?,?)", fresh)


def _between(row: Row, whole: list[_Batch]) -> Iterator[tuple[int, int]]:
    """Yield first and last number of each stretch of a file that is in none of its batches."""
    at = row[5]
    for first, (last, _, _) in whole:
        if first > at:
            yield at, first - 1
        at = last + 1
    if at <= row[6]:
        yield at, row[6]


def _whole(path: Path, row: Row) -> Iterator[_Batch]:
    """Yield the batches of a damaged file that are whole and hold frames of its hour."""
    raw, at, before = path.read_bytes(), len(MAGIC), row[5] - 1
    while 0 <= at <= len(raw) - HEAD.size:
        last, size, length = HEAD.unpack_from(raw, at)
        blob = raw[at + HEAD.size : at + HEAD.size + length]
        first = _first(size, blob, last) if len(blob) == length else 0
        if before < first <= last <= row[6]:
            yield first, (last, size, blob)
            before, at = last, at + HEAD.size + length
        else:  # the next number of the hour may stand anywhere after this
            at = raw.find((before + 1).to_bytes(8, "big")[:_NEAR], at + 1)


def _first(size: int, blob: bytes, last: int) -> int:
    """Return the number of a batch's first frame, 0 where it is none that ends at `last`."""
    with suppress(DataError):
        frames = unpack(size, blob, "")
        return frames[0].seq if frames and frames[-1].seq == last else 0
    return 0


def _unnamed(db: Database, root: Path) -> Iterator[str]:
    """Set aside what a killed sealing left; its hour is still in the journal, or was sealed."""
    for path in unnamed(root, {row[3] for row in named(db)}):
        yield f"{path}: not in the list of sealed files, moved to {put_aside(path)}"


def _holes(db: Database) -> Iterator[str]:
    for hole in lacking(db, missing(db)):
        yield hole.words


def _snapshots(db: Database) -> Iterator[str]:
    states = SnapshotTable(db)
    for (part,) in db.all("SELECT part FROM snapshots"):
        try:
            states.load(part)
        except DataError as why:
            db.all("DELETE FROM snapshots WHERE part=?", (part,))
            yield f"{why.why}: deleted, frames are read again instead"


def _proofs(folder: Path) -> Iterator[str]:
    """Write files of proofs anew without what is damaged; the damaged ones are kept aside."""
    for path in ForecastArchive(folder).files():
        one = ForecastArchive(folder, only=path)
        entries = list(one.read())
        if one.notes:
            yield from one.notes
            yield f"the damaged file was moved to {put_aside(path)}"
            ForecastArchive(folder).append(entries)
