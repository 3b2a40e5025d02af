"""Disk access of a store: private files, durable names, and a single-writer lock."""

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
    """Create a folder and its parents, closed to other users.

    Raises:
        OSError: The disk refuses, or there is a file of that name.
    """
    for each in (*reversed(path.parents), path):
        if not each.is_dir():
            each.mkdir(mode=FOLDER, exist_ok=True)


def private(path: Path, mode: str) -> IO[Any]:
    """Open a file; a new one is readable by its owner only."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, FILE))


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Lock:
    """Writer lock of a store, with the number of the last acknowledged frame.

    The kernel releases it when the process ends, however it ends. The number is not synced: it
    survives a killed process, but may be older after a power cut. It shows what a damaged database
    has lost, since SQLite silently drops damaged parts of its own log.
    """

    def __init__(self, folder: Path) -> None:
        """Lock a folder for writing.

        Raises:
            StoreError: Another process holds the lock (named in the message), or the disk refuses.
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
        """Last frame acknowledged by a previous process, 0 if unknown."""
        self.damaged = there and not pid
        """True if the number of a previous process is unreadable."""
        self.acknowledge(self.before)

    def acknowledge(self, last: int) -> None:
        """Write the number of the last acknowledged frame.

        Raises:
            StoreError: The disk refuses.
        """
        payload = f"{os.getpid():{_WIDTH}} {last:{_WIDTH}} "
        try:
            os.pwrite(self._file, f"{payload}{zlib.crc32(payload.encode()):08x}\n".encode(), 0)
        except OSError as why:
            raise StoreError(f"{self.path}: the disk refuses: {why}") from why

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def acknowledged(folder: Path) -> int:
    """Return the last acknowledged frame of a folder, 0 if unknown."""
    return _read(folder / LOCK)[1]


def locked(folder: Path) -> bool:
    """Return whether a process is writing to a folder; false without a lock file."""
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
    """Return process id and frame number of a lock file; 0 each if unreadable."""
    try:
        raw = path.read_bytes()[: 2 * _WIDTH + 10]
        payload, checksum = raw[: 2 * _WIDTH + 2], int(raw[2 * _WIDTH + 2 :], 16)
        pid, last = map(int, payload.split())
    except (OSError, ValueError):
        return 0, 0
    return (pid, last) if checksum == zlib.crc32(payload) else (0, 0)
