"""Journal of the newest frames: batches in SQLite, each synced to disk.

One BLOB per batch, because one row per frame costs eleven times the bytes and eight times the time.
``synchronous=FULL``: what was acknowledged survives a power cut, not only a killed process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec import Struct

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.frames import Frame
from powderkeg.store.database import Database

LARGEST: Final = 1 << 31
"""Limit of an unpacked batch or snapshot, bytes: anything larger is damaged."""
_CODEC: Final = pa.Codec("zstd", compression_level=1)
"""Of what is written while frames arrive."""
SEALED: Final = pa.Codec("zstd", compression_level=6)
"""Of what is written once an hour: a tenth smaller than at level 1, at a quarter of its speed."""
UNREADABLE: Final = (
    OSError, ValueError, TypeError, MemoryError, OverflowError, pa.ArrowException,
    msgspec.MsgspecError,
)  # fmt: skip
"""Errors that damaged bytes can raise."""
_frames = msgspec.msgpack.Decoder(list[Frame])


def pack(frames: Sequence[Frame]) -> tuple[int, bytes]:
    """Return the size of a batch, and the batch compressed."""
    raw = msgspec.msgpack.encode(frames)
    return len(raw), compress(raw)


def compress(raw: bytes, codec: Any = _CODEC) -> bytes:
    """Return compressed bytes, preceded by their checksum.

    Neither SQLite nor this codec notices a flipped bit, which might turn one price into another.
    """
    blob: bytes = codec.compress(raw, asbytes=True)
    return zlib.crc32(blob).to_bytes(4, "big") + blob


def decompress(size: int, blob: bytes) -> bytes:
    """Return the decompressed bytes of `compress`.

    Raises:
        ValueError: They are damaged.
        OSError: They are damaged, noticed by the codec.
    """
    if not 0 <= size <= LARGEST:
        raise ValueError(f"expected at most {LARGEST} bytes unpacked, found {size}")
    if zlib.crc32(blob[4:]) != int.from_bytes(blob[:4], "big"):
        raise ValueError("its checksum does not fit")
    return _CODEC.decompress(blob[4:], size, asbytes=True)


def unpack(size: int, blob: bytes, where: str) -> list[Frame]:
    """Return the frames of a batch.

    Raises:
        DataError: It is damaged.
    """
    try:
        return _frames.decode(decompress(size, blob))
    except UNREADABLE as why:
        raise DataError(where, 0, f"damaged batch of frames: {why}") from why


class Hole(Struct, frozen=True):
    """Frames that are not in the record, and why."""

    first: int
    last: int
    why: str

    @property
    def words(self) -> str:
        """Message about the missing frames."""
        return f"frames {self.first} to {self.last} are not in the record: {self.why}"


class FrameLog:
    """The journal: a durable order of frames."""

    def __init__(self, db: Database) -> None:
        """Keep batches in `db`."""
        self._db = db
        (known,) = db.one("SELECT max(last) FROM journal")
        (sealed,) = db.one("SELECT max(last) FROM segments")
        (trimmed,) = db.one("SELECT max(value) FROM facts WHERE name='trimmed'")
        (missing,) = db.one("SELECT max(last) FROM holes")
        self._last: int = max(known or 0, sealed or 0, trimmed or 0, missing or 0)

    @property
    def last(self) -> int:
        """Number of the last frame ever stored, 0 for none."""
        return self._last

    @property
    def first(self) -> int:
        """Number of the first frame in the journal, 0 for none."""
        return self._db.one("SELECT min(first) FROM journal")[0] or 0

    def append(self, frames: Sequence[Frame], lacking: str = "") -> int:
        """Store a batch and return its last number; durable once this returns.

        A batch whose last number is not above `last` was stored already and is skipped, so an
        appender that does not know whether its last call succeeded may repeat it.

        Args:
            frames: The batch.
            lacking: Why frames before it are missing. Hole and batch are stored atomically; without
                a reason there may be no hole.
        """
        if not frames or frames[-1].seq <= self._last:
            return self._last
        first, last = frames[0].seq, frames[-1].seq
        after_hole = bool(lacking) and first > self._last + 1
        if not (after_hole or first == self._last + 1) or last - first + 1 != len(frames):
            raise StoreError(
                f"{self._db.path}: expected frames numbered from {self._last + 1},"
                f" found {first} to {last}"
            )
        times = [frame.received_time for frame in frames]
        size, blob = pack(frames)
        row = (last, first, min(times), max(times), size, blob)
        with self._db.transaction() if after_hole else nullcontext():
            if after_hole:
                self.add_hole(self._last + 1, first - 1, lacking)
            self._db.all("INSERT INTO journal VALUES(?,?,?,?,?,?)", row)
        self._last = last
        return last

    def skip(self, upto: int, why: str) -> None:
        """Record the next frames up to `upto` as a hole.

        Raises:
            StoreError: The disk refuses.
        """
        if upto > self._last:
            self.add_hole(self._last + 1, upto, why)
            self._last = upto

    def add_hole(self, first: int, last: int, why: str) -> None:
        """Record a range of frames as a hole."""
        self._db.all("INSERT OR REPLACE INTO holes VALUES(?,?,?)", (last, first, why))

    def holes(self) -> list[Hole]:
        """Return the known holes, in order."""
        rows = self._db.all("SELECT first, last, why FROM holes ORDER BY last")
        return [Hole(*row) for row in rows]

    def known_hole(self, first: int, last: int) -> bool:
        """Return whether a range of frames lies entirely in known holes."""
        for hole in self.holes():
            if hole.first <= first <= hole.last:
                first = hole.last + 1
        return first > last

    def set_aside(self, upto: int) -> list[str]:
        """Move unreadable batches that end at or below `upto` out of the journal.

        They are kept in the table ``damaged`` and leave a hole.

        Returns:
            Messages about what was set aside.
        """
        out: list[str] = []
        for last, size, blob in self.blobs(upto=upto):
            try:
                unpack(size, blob, f"{self._db.path}, batch {last}")
            except DataError as why:
                out.append(self._remove(last, str(why)))
        return out

    def _remove(self, last: int, why: str) -> str:
        (first,) = self._db.one("SELECT first FROM journal WHERE last=?", (last,))
        with self._db.transaction():
            self._db.all(
                "INSERT OR REPLACE INTO damaged SELECT * FROM journal WHERE last=?", (last,)
            )
            self.add_hole(first, last, "the batch was damaged")
            self._db.all("DELETE FROM journal WHERE last=?", (last,))
        return f"frames {first} to {last} were set aside: {why}"

    def read(self, after: int = 0) -> Iterator[list[Frame]]:
        """Yield batches as they were appended, from the first that holds a frame above `after`.

        Raises:
            GapError: Frames after `after` were trimmed already. A reader may begin again at 0,
                which stands for whatever is still kept.
        """
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
        # one query per batch: an open cursor would block checkpoints of the WAL
        while row := self._db.one(sql, (at, upto)):
            at = row[0]
            yield row

    def trim(self, upto: int) -> None:
        """Delete whole batches that end at or below `upto`."""
        with self._db.transaction():
            self.mark_trimmed(min(upto, self._last))
            self._db.all("DELETE FROM journal WHERE last <= ?", (upto,))

    def mark_trimmed(self, upto: int) -> None:
        """Record that frames up to `upto` were deleted: their numbers are never reused."""
        sql = (
            "INSERT INTO facts VALUES('trimmed', ?)"
            " ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)"
        )
        self._db.all(sql, (upto,))


PREVIOUS: Final = " before"
"""Suffix of a part's name for its previous snapshot."""


class SnapshotTable:
    """The newest snapshot of each part and the one before."""

    def __init__(self, db: Database) -> None:
        """Keep snapshots in `db`."""
        self._db = db

    def save(self, part: str, seq: int, state: bytes) -> None:
        """Store a state that covers all frames up to `seq`, keeping the one before."""
        row = (part, seq, len(state), compress(state))
        with self._db.transaction():
            self._db.all(
                "UPDATE OR REPLACE snapshots SET part=? WHERE part=?", (part + PREVIOUS, part)
            )
            self._db.all("INSERT INTO snapshots VALUES(?,?,?,?)", row)

    def load(self, part: str) -> tuple[int, bytes] | None:
        """Return the newest state, or None; see `StateStore`."""
        row = self._db.one("SELECT seq, size, blob FROM snapshots WHERE part = ?", (part,))
        if row is None:
            return None
        seq, size, blob = row
        try:
            return seq, decompress(size, blob)
        except UNREADABLE as why:
            raise DataError(str(self._db.path), 0, f"damaged snapshot of {part}: {why}") from why
