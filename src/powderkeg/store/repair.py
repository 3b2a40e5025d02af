"""Repair of a store: intact data stays, damaged data is set aside, every loss is reported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

from powderkeg.errors import DataError, StoreError
from powderkeg.store.check import file_problem, unregistered
from powderkeg.store.database import Database
from powderkeg.store.disk import Lock
from powderkeg.store.forecasts import ForecastArchive
from powderkeg.store.journal import FrameLog, SnapshotTable
from powderkeg.store.recovery import (
    FRAMES,
    SEGMENTS,
    lacking,
    missing,
    move_aside,
    opened,
    registered,
    segment_row,
)
from powderkeg.store.segments import HEAD, MAGIC, Packed, Row, unpack_block, write_frames

_Block: TypeAlias = tuple[int, Packed]
"""Number of the first frame; number of the last, size and bytes."""
_NEAR: Final = 5
"""Leading bytes that the numbers of one hour share, of eight."""


def repair(folder: Path) -> list[str]:
    """Repair a store; return messages about what was done and lost.

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
                _journal(db, lock), _files(db, root), _unregistered(db, root), _holes(db),
                _snapshots(db), _forecasts(folder),
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
    """Move damaged files aside; rewrite the intact blocks of files of frames."""
    for row in registered(db):
        if not (why := file_problem(root, row)):
            continue
        path = root / row[3]
        yield f"{path}: {why}"
        whole = list(_intact_blocks(path, row)) if row[0] == FRAMES and path.is_file() else []
        if path.exists():
            yield f"the damaged file was moved to {move_aside(path)}"
        _replace_file(db, root, row, [block for _, block in whole])
        if row[0] == FRAMES:
            yield from (hole.words for hole in lacking(db, _between(row, whole)))


def _replace_file(db: Database, root: Path, row: Row, whole: list[Packed]) -> None:
    """Write the intact blocks of a file and register it, or unregister the file."""
    if whole:
        write_frames(root / row[3], whole)
    with db.transaction():
        db.all("DELETE FROM segments WHERE path=?", (row[3],))
        if whole:
            fresh = segment_row(root, root / row[3])
            db.all("INSERT OR REPLACE INTO segments VALUES(?,?,?,?,?,?,?,?,?,?,?)", fresh)


def _between(row: Row, whole: list[_Block]) -> Iterator[tuple[int, int]]:
    """Yield first and last number of each stretch of a file that is in none of its blocks."""
    at = row[5]
    for first, (last, _, _) in whole:
        if first > at:
            yield at, first - 1
        at = last + 1
    if at <= row[6]:
        yield at, row[6]


def _intact_blocks(path: Path, row: Row) -> Iterator[_Block]:
    """Yield the blocks of a damaged file that are whole and hold frames of its hour."""
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
    """Return the number of a block's first frame, 0 where it is none that ends at `last`."""
    with suppress(DataError):
        found = [frame for batch in unpack_block(size, blob, "") for frame in batch]
        return found[0].seq if found and found[-1].seq == last else 0
    return 0


def _unregistered(db: Database, root: Path) -> Iterator[str]:
    """Move aside files of an interrupted sealing; their hour is in the journal or was sealed."""
    for path in unregistered(root, {row[3] for row in registered(db)}):
        yield f"{path}: not in the list of sealed files, moved to {move_aside(path)}"


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


def _forecasts(folder: Path) -> Iterator[str]:
    """Rewrite damaged files of forecasts without the damage; the originals are moved aside."""
    for path in ForecastArchive(folder).files():
        one = ForecastArchive(folder, only=path)
        entries = list(one.read())
        if one.notes:
            yield from one.notes
            yield f"the damaged file was moved to {move_aside(path)}"
            ForecastArchive(folder).append(entries)
