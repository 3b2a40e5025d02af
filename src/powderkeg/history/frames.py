"""The frame archive: what the venues sent, stored before it is read. Batches, each whole or absent.

A file is a run of batches, each a length (4 bytes, big-endian) and a gzip member of that length.
A member holds one MessagePack list of frames and carries its own checksum, so a batch that a crash
cut short, or a disk changed, is known as such; every batch before it is read.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from powderkeg.errors import DataError

LENGTH = struct.Struct(">I")
LEVEL = 1
"""gzip level: wire text shrinks about tenfold at any; the fastest keeps up with the busiest day."""


class Frame(Struct, frozen=True, array_like=True):
    """One message of a venue, untouched."""

    seq: int
    """Number in the order of arrival, rising."""
    seen: int
    """When it reached us, µs."""
    venue: str
    channel: str
    raw: bytes


class FrameArchive:
    """A file of frames that only grows."""

    def __init__(self, path: Path) -> None:
        """Store in `path`, which need not exist; nothing is read or written yet."""
        self.path = path
        self.lost = 0
        """Bytes at the end of the file that hold no whole batch, by the last `read` or `append`."""
        self._mended = False

    def append(self, frames: Sequence[Frame]) -> None:
        """Store a batch; when this returns it is on the disk.

        A broken tail left by a crash is first moved to a file named ``.lost`` beside this one, or
        what follows it could never be read.

        Raises:
            OSError: The disk refuses; the caller stops recording and says so.
            DataError: The file is damaged before its tail; see `read`.
        """
        if not self._mended:
            self._mend()
        member = gzip.compress(msgspec.msgpack.encode(frames), LEVEL, mtime=0)
        with self.path.open("ab") as file:
            file.write(LENGTH.pack(len(member)) + member)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Frame]:
        """Yield the frames of all whole batches; then `lost` tells what a broken tail had.

        Raises:
            DataError: A batch that is not the last one is damaged.
        """
        for _, frames in self._batches():
            yield from frames

    def _mend(self) -> None:
        """Move a broken tail to a file beside; a wrong length may have made it look broken."""
        end = 0
        if self.path.exists():
            for stop, _ in self._batches():
                end = stop
            if self.lost:
                tail = self.path.read_bytes()[end:]
                with self.path.with_name(self.path.name + ".lost").open("ab") as file:
                    file.write(tail)
                    file.flush()
                    os.fsync(file.fileno())
                os.truncate(self.path, end)
        self._mended = True

    def _batches(self) -> Iterator[tuple[int, list[Frame]]]:
        """Yield the end of each whole batch in the file, and its frames."""
        size, end = self.path.stat().st_size, 0
        self.lost = 0
        with self.path.open("rb") as file:
            while end < size:
                head = file.read(LENGTH.size)
                length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else size
                stop = end + LENGTH.size + length
                if stop > size:
                    break
                try:
                    frames = msgspec.msgpack.decode(
                        gzip.decompress(file.read(length)), type=list[Frame]
                    )
                except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as why:
                    if stop == size:
                        break
                    raise DataError(
                        str(self.path), 0, f"damaged batch at byte {end}: {why}"
                    ) from why
                end = stop
                yield end, frames
        self.lost = size - end
