"""What a store asks of the disk: private files, names that last, one writing process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import zlib
from pathlib import Path
from typing import IO, Any, Final

from powderkeg.errors import StoreError

FILE: Final = 0o600
FOLDER: Final = 0o700
LOCK: Final = "lock"
_WIDTH: Final = 20
"""Digits of a number in the lock file: any of 64 bits."""


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, that nobody else may look into.

    Raises:
        OSError: The disk refuses, or there is a file of that name.
    """
    for each in (*reversed(path.parents), path):
        if not each.is_dir():
            each.mkdir(mode=FOLDER, exist_ok=True)


def private(path: Path, mode: str) -> IO[Any]:
    """Open a file that nobody else may read, where it is made here."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, FILE))


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Lock:
    """The right to write to a store, and the number of the last frame acknowledged there.

    The kernel lets go of it when the process ends, however it ends. The number is not synced: a
    killed process leaves it, a power cut may leave an older one. It tells what a damaged database
    has lost, for SQLite leaves out without a word what is damaged in its own log.
    """

    def __init__(self, folder: Path) -> None:
        """Take the right to write to a folder.

        Raises:
            StoreError: Another process has it, which is named, or the disk refuses.
        """
        self.path = folder / LOCK
        there = self.path.exists()
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, FILE)
        except OSError as why:
            raise StoreError(f"{self.path}: cannot be opened: {why}") from why
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _ = _read(self.path)
            self.release()
            raise StoreError(
                f"{folder}: expected to be the only one that records here, found process"
                f" {pid or 'of unknown number'}; stop it, or name another folder with --data"
            ) from None
        except OSError as why:
            self.release()
            raise StoreError(f"{self.path}: cannot be locked: {why}") from why
        pid, self.before = _read(self.path)
        """Number of the last frame that a process before acknowledged, 0 where none is known."""
        self.damaged = there and not pid
        """True where a process before has written what cannot be read any more."""
        self.note(self.before)

    def note(self, last: int) -> None:
        """Write down the number of the last frame acknowledged.

        Raises:
            StoreError: The disk refuses.
        """
        said = f"{os.getpid():{_WIDTH}} {last:{_WIDTH}} "
        try:
            os.pwrite(self._file, f"{said}{zlib.crc32(said.encode()):08x}\n".encode(), 0)
        except OSError as why:
            raise StoreError(f"{self.path}: the disk refuses: {why}") from why

    def release(self) -> None:
        """Give the right back; again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def acknowledged(folder: Path) -> int:
    """Return the number of the last frame that was acknowledged in a folder, 0 where unknown."""
    return _read(folder / LOCK)[1]


def locked(folder: Path) -> bool:
    """Tell whether a process writes to a folder now; none has where there is no lock file."""
    with contextlib.suppress(FileNotFoundError):
        file = os.open(folder / LOCK, os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
    return False


def _read(path: Path) -> tuple[int, int]:
    """Return process and number as they stand in a lock file; 0 each where they are unreadable."""
    try:
        raw = path.read_bytes()[: 2 * _WIDTH + 10]
        said, checksum = raw[: 2 * _WIDTH + 2], int(raw[2 * _WIDTH + 2 :], 16)
        pid, last = map(int, said.split())
    except (OSError, ValueError):
        return 0, 0
    return (pid, last) if checksum == zlib.crc32(said) else (0, 0)
