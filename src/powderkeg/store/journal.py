"""The hot end of the store: batches of frames in SQLite, synced to disk one by one.

One BLOB a batch, because one row a frame costs eleven times the bytes and eight times the time.
``synchronous=FULL``: what was acknowledged survives a power cut, not only a killed process.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.frames import Frame

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS journal(
    last INTEGER PRIMARY KEY, first INTEGER, since INTEGER, until INTEGER, size INTEGER, blob BLOB
);
CREATE TABLE IF NOT EXISTS segments(
    kind TEXT, venue TEXT, hour INTEGER, path TEXT, rows INTEGER, first INTEGER, last INTEGER,
    since INTEGER, until INTEGER, bytes INTEGER, sha256 TEXT, PRIMARY KEY(kind, venue, hour)
);
CREATE INDEX IF NOT EXISTS segments_last ON segments(kind, last);
CREATE TABLE IF NOT EXISTS snapshots(part TEXT PRIMARY KEY, seq INTEGER, size INTEGER, blob BLOB);
CREATE TABLE IF NOT EXISTS facts(name TEXT PRIMARY KEY, value);
"""
VERSION: Final = 1
_CODEC: Final = pa.Codec("zstd", compression_level=1)
_frames = msgspec.msgpack.Decoder(list[Frame])


class Database:
    """One SQLite file, used by several threads one after another.

    A lock and not one connection a thread: a sync to disk holds the file anyway, and a statement of
    one thread must never fall into the transaction of another.
    """

    def __init__(self, path: Path) -> None:
        """Open (or begin) the database of a store.

        Raises:
            StoreError: It cannot be opened, or is of another version.
        """
        self.path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, timeout=10, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO facts VALUES('version', ?)", (VERSION,))
        except sqlite3.Error as why:
            raise StoreError(f"{path}: expected a store's database: {why}") from why
        version = self.one("SELECT value FROM facts WHERE name='version'")[0]
        if version != VERSION:
            self.close()
            raise StoreError(f"{path}: expected a store of version {VERSION}, found {version}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def all(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """Run a statement and return its rows.

        Raises:
            StoreError: The disk refuses.
        """
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as why:
                raise StoreError(f"{self.path}: the disk refuses: {why}") from why

    def one(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        """Run a statement and return its first row, or None."""
        rows = self.all(sql, values)
        return rows[0] if rows else None

    @contextmanager
    def together(self) -> Generator[None]:
        """Let all statements inside take effect at once, or none of them."""
        with self._lock:
            self.all("BEGIN IMMEDIATE")
            try:
                yield
                self.all("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self.all("ROLLBACK")
                raise


def pack(frames: Sequence[Frame]) -> tuple[int, bytes]:
    """Return the size of a batch, and the batch compressed."""
    raw = msgspec.msgpack.encode(frames)
    return len(raw), squeeze(raw)


def squeeze(raw: bytes) -> bytes:
    """Return bytes compressed, after the checksum of what follows.

    Neither SQLite nor this codec notices a flipped bit, which might turn one price into another.
    """
    blob = _CODEC.compress(raw, asbytes=True)
    return zlib.crc32(blob).to_bytes(4, "big") + blob


def unsqueeze(size: int, blob: bytes) -> bytes:
    """Return the bytes that were squeezed.

    Raises:
        ValueError: They are damaged. Or OSError, where the codec is the one that notices.
    """
    if zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "big"):
        raise ValueError("its checksum does not fit")
    return _CODEC.decompress(blob[4:], size, asbytes=True)


def unpack(size: int, blob: bytes, where: str) -> list[Frame]:
    """Return the frames of a batch.

    Raises:
        DataError: It is damaged.
    """
    try:
        return _frames.decode(unsqueeze(size, blob))
    except (OSError, ValueError, pa.ArrowException, msgspec.MsgspecError) as why:
        raise DataError(where, 0, f"damaged batch of frames: {why}") from why


class SqliteLog:
    """The journal, an `EventLog`."""

    def __init__(self, db: Database) -> None:
        """Keep batches in `db`."""
        self._db = db
        (known,) = db.one("SELECT max(last) FROM journal")
        (sealed,) = db.one("SELECT max(last) FROM segments")
        (trimmed,) = db.one("SELECT max(value) FROM facts WHERE name='trimmed'")
        self._last: int = max(known or 0, sealed or 0, trimmed or 0)

    @property
    def last(self) -> int:
        """Number of the last frame ever kept, 0 for none."""
        return self._last

    @property
    def first(self) -> int:
        """Number of the first frame in the journal, 0 for none."""
        return self._db.one("SELECT min(first) FROM journal")[0] or 0

    def append(self, frames: Sequence[Frame]) -> int:
        """Keep a batch; see `EventLog`."""
        if not frames or frames[-1].seq <= self._last:
            return self._last
        first, last = frames[0].seq, frames[-1].seq
        if first != self._last + 1 or last - first + 1 != len(frames):
            raise StoreError(
                f"{self._db.path}: expected frames numbered from {self._last + 1},"
                f" found {first} to {last}"
            )
        times = [frame.seen for frame in frames]
        size, blob = pack(frames)
        row = (last, first, min(times), max(times), size, blob)
        self._db.all("INSERT INTO journal VALUES(?,?,?,?,?,?)", row)
        self._last = last
        return last

    def read(self, after: int = 0) -> Iterator[list[Frame]]:
        """Yield batches; see `EventLog`."""
        first = self.first or self._last + 1
        if after and first > after + 1:
            raise GapError(f"{self._db.path}: frames {after + 1} to {first - 1} are not kept")
        for last, size, blob in self.blobs(after):
            yield unpack(size, blob, f"{self._db.path}, batch {last}")

    def blobs(self, after: int = 0, upto: int = 2**62) -> Iterator[tuple[int, int, bytes]]:
        """Yield last number, size and bytes of the batches that end in ``(after, upto]``."""
        sql = (
            "SELECT last, size, blob FROM journal WHERE last > ? AND last <= ?"
            " ORDER BY last LIMIT 1"
        )
        at = after
        # one query a batch: a cursor held open would keep the log from being folded in
        while row := self._db.one(sql, (at, upto)):
            at = row[0]
            yield row

    def trim(self, upto: int) -> None:
        """Forget batches; see `EventLog`."""
        with self._db.together():
            self.forgot(min(upto, self._last))
            self._db.all("DELETE FROM journal WHERE last <= ?", (upto,))

    def forgot(self, upto: int) -> None:
        """Remember that frames up to `upto` were deleted: their numbers are never given again."""
        sql = (
            "INSERT INTO facts VALUES('trimmed', ?)"
            " ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)"
        )
        self._db.all(sql, (upto,))


class SqliteStates:
    """The newest snapshot of each part, a `StateStore`."""

    def __init__(self, db: Database) -> None:
        """Keep snapshots in `db`."""
        self._db = db

    def save(self, part: str, seq: int, state: bytes) -> None:
        """Keep a state in place of the one before; see `StateStore`."""
        row = (part, seq, len(state), squeeze(state))
        self._db.all("INSERT OR REPLACE INTO snapshots VALUES(?,?,?,?)", row)

    def load(self, part: str) -> tuple[int, bytes] | None:
        """Return the newest state, or None; see `StateStore`."""
        row = self._db.one("SELECT seq, size, blob FROM snapshots WHERE part = ?", (part,))
        if row is None:
            return None
        seq, size, blob = row
        try:
            return seq, unsqueeze(size, blob)
        except (OSError, ValueError, pa.ArrowException) as why:
            raise DataError(str(self._db.path), 0, f"damaged snapshot of {part}: {why}") from why
