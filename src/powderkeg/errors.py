"""Every error raised on purpose, as one tree, named by what to do next.

PowderkegError
├── ConfigError    a person must fix the settings or a source file; we do not start
├── DataError      stored data is not what its source file says; names file and line
├── StoreError     the disk refuses or the store is not ours; stop recording loudly, keep serving
├── WireError      drop the frame, count it, keep the link
├── GapError       drop the book, ask for a snapshot
├── RequestError   answer what was expected (HTTP 400)
└── BusyError      answer that the client may retry later (HTTP 429)
"""

from __future__ import annotations


class PowderkegError(Exception):
    """Base of every error raised on purpose."""


class ConfigError(PowderkegError):
    """A person must fix the settings or a source file; we do not start."""


class DataError(PowderkegError):
    """Stored data is not what its source file says."""

    def __init__(self, file: str, line: int, why: object) -> None:
        super().__init__(f"{file}:{line}: {why}")
        self.file = file
        self.line = line
        self.why = why


class StoreError(PowderkegError):
    """The disk refuses, or what is on it is not a store of this version."""


class WireError(PowderkegError):
    """A frame is not what the venue documents."""

    def __init__(self, venue: str, why: object, raw: bytes) -> None:
        super().__init__(f"{venue}: unreadable frame: {why}; it starts {raw[:80]!r}")


class GapError(PowderkegError):
    """Book updates were lost."""


class RequestError(PowderkegError):
    """A client sent an invalid request."""


class BusyError(PowderkegError):
    """Too many requests are waiting; the client may retry in a moment."""
