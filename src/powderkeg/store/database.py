"""The SQLite database of a store: schema, opening and integrity check."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from powderkeg.errors import StoreError
from powderkeg.store.disk import FILE

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
CREATE TABLE IF NOT EXISTS holes(last INTEGER PRIMARY KEY, first INTEGER, why TEXT);
CREATE TABLE IF NOT EXISTS damaged(
    last INTEGER PRIMARY KEY, first INTEGER, since INTEGER, until INTEGER, size INTEGER, blob BLOB
);
"""
VERSION: Final = 1
_PRIMARY: Final = 0xFF
"""Mask of a SQLite error code: the primary code."""


class DamagedError(StoreError):
    """The file is corrupt; what is readable of it can be recovered."""


class Database:
    """One SQLite file, used by several threads one at a time.

    One connection with a lock, not one per thread: a sync to disk locks the file anyway, and a
    statement of one thread must never join the transaction of another.
    """

    def __init__(self, path: Path, *, write: bool = True) -> None:
        """Open or create the database of a store.

        Args:
            path: The file.
            write: If false, nothing is changed, and another process may be writing.

        Raises:
            DamagedError: It is not a database, or corrupt.
            StoreError: It cannot be opened, or is of another version.
        """
        self.path = path
        self.fresh = False
        """True until `mark_complete`: the database is new, or its creation was never finished."""
        self._lock = threading.RLock()
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        try:
            self._db = _open_writable(path) if write else self._open_read_only()
            self._verify(write=write)
        except sqlite3.Error as why:
            self.close()
            raise _open_error(path, why) from why
        except OSError as why:
            self.close()
            raise StoreError(f"{path}: expected a store's database: {why}") from why
        except StoreError:
            self.close()
            raise

    def _verify(self, *, write: bool) -> None:
        """Check integrity and version; create missing tables."""
        (found,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedError(f"{self.path}: expected a whole database, found {found}")
        has = {name for (name,) in self._db.execute("SELECT name FROM sqlite_master")}
        sql = "SELECT value FROM facts WHERE name='version'"
        version = self._db.execute(sql).fetchone() if "facts" in has else None
        if version is not None and version[0] != VERSION:
            raise StoreError(
                f"{self.path}: expected a store of version {VERSION}, found {version[0]}"
            )
        self.fresh = version is None
        if write:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
        else:  # an older store may lack a table
            lacking = [each for each in _tables() if _name(each) not in has]
            self._db.executescript(";".join(lacking).replace("TABLE", "TEMP TABLE"))

    def mark_complete(self) -> None:
        """Record that creation or recovery is finished."""
        self.all("INSERT OR IGNORE INTO facts VALUES('version', ?)", (VERSION,))
        self.fresh = False

    def _open_read_only(self) -> sqlite3.Connection:
        """Open without writing; from a copy where SQLite would need to make files beside it."""
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no file {self.path}")
        try:
            db = _connect(self.path, "mode=ro")
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as why:
            if _kind(why) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
        else:
            return db
        self._copy = tempfile.TemporaryDirectory(prefix="powderkeg-read-")
        copy = Path(self._copy.name) / self.path.name
        shutil.copyfile(self.path, copy)
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(log.name))
        return _connect(copy, "mode=rw")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if hasattr(self, "_db"):
                self._db.close()
            if self._copy is not None:
                self._copy.cleanup()

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

    @property
    def size(self) -> int:
        """Bytes in use, without free pages inside the file."""
        pages, free, page = (
            self.one(f"PRAGMA {name}")[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * page

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Run all statements inside as one transaction."""
        with self._lock:
            self.all("BEGIN IMMEDIATE")
            try:
                yield
                self.all("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk may have ended it already
                    self.all("ROLLBACK")
                raise


def _open_writable(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE))  # -wal and -shm get the same mode
    db = _connect(path, "mode=rw")
    db.execute("PRAGMA synchronous=FULL")
    return db


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=10, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip


def _open_error(path: Path, why: sqlite3.Error) -> StoreError:
    damaged = _kind(why) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
    kind = DamagedError if damaged else StoreError
    return kind(f"{path}: expected a store's database: {why}")


def _kind(why: sqlite3.Error) -> int:
    return getattr(why, "sqlite_errorcode", 0) & _PRIMARY


def _tables() -> list[str]:
    return [each for each in _SCHEMA.split(";") if "TABLE" in each]


def _name(table: str) -> str:
    return table.partition("EXISTS ")[2].partition("(")[0]
