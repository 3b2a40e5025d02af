"""The hot end of the store: batches of frames in SQLite, synced to disk one by one.

One BLOB a batch, because one row a frame costs eleven times the bytes and eight times the time.
``synchronous=FULL``: what was acknowledged survives a power cut, not only a killed process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Final

import msgspec
import pyarrow as pa
from msgspec import Struct

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.frames import Frame
from powderkeg.store.database import Database

LARGEST: Final = 1 << 31
"""Bytes unpacked that a batch or a snapshot may have: what claims more is damaged."""
_CODEC: Final = pa.Codec("zstd", compression_level=1)
UNREADABLE: Final = (
    OSError, ValueError, TypeError, MemoryError, OverflowError, pa.ArrowException,
    msgspec.MsgspecError,
)  # fmt: skip
"""What bytes that are damaged, or were never ours, can cause."""
_frames = msgspec.msgpack.Decoder(list[Frame])


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
        return _frames.decode(unsqueeze(size, blob))
    except UNREADABLE as why:
        raise DataError(where, 0, f"damaged batch of frames: {why}") from why


class Hole(Struct, frozen=True):
    """Frames that are not in the record, and why."""

    first: int
    last: int
    why: str

    @property
    def words(self) -> str:
        """What is missing, as a person reads it."""
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
        """Number of the last frame ever kept, 0 for none."""
        return self._last

    @property
    def first(self) -> int:
        """Number of the first frame in the journal, 0 for none."""
        return self._db.one("SELECT min(first) FROM journal")[0] or 0

    def append(self, frames: Sequence[Frame], lacking: str = "") -> int:
        """Keep a batch and return its last number; durable once this returns.

        A batch whose last number is not above `last` was kept already and is left out, so an
        appender that does not know whether its last call succeeded may repeat it.

        Args:
            frames: The batch.
            lacking: Why frames before it are not in the record. That hole and the batch are kept
                at once or not at all; without a reason there may be none.
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
                self.lack(self._last + 1, first - 1, lacking)
            self._db.all("INSERT INTO journal VALUES(?,?,?,?,?,?)", row)
        self._last = last
        return last

    def skip(self, upto: int, why: str) -> None:
        """Say that the frames up to `upto` that should come next are not in the record.

        Raises:
            StoreError: The disk refuses.
        """
        if upto > self._last:
            self.lack(self._last + 1, upto, why)
            self._last = upto

    def lack(self, first: int, last: int, why: str) -> None:
        """Say that some frames are not in the record."""
        self._db.all("INSERT OR REPLACE INTO holes VALUES(?,?,?)", (last, first, why))

    def holes(self) -> list[Hole]:
        """Return the stretches of frames that are not in the record, in their order."""
        rows = self._db.all("SELECT first, last, why FROM holes ORDER BY last")
        return [Hole(*row) for row in rows]

    def known_hole(self, first: int, last: int) -> bool:
        """Tell whether it was said of all frames of a stretch that they are not in the record."""
        for hole in self.holes():
            if hole.first <= first <= hole.last:
                first = hole.last + 1
        return first > last

    def set_aside(self, upto: int) -> list[str]:
        """Take batches that cannot be read, and end at or below `upto`, out of the journal.

        They are kept in a table of their own, ``damaged``; where they were is a hole.

        Returns:
            What was set aside, in words.
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
            self.lack(first, last, "the batch was damaged")
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
        # one query a batch: a cursor held open would keep the log from being folded in
        while row := self._db.one(sql, (at, upto)):
            at = row[0]
            yield row

    def trim(self, upto: int) -> None:
        """Delete whole batches that end at or below `upto`."""
        with self._db.transaction():
            self.mark_trimmed(min(upto, self._last))
            self._db.all("DELETE FROM journal WHERE last <= ?", (upto,))

    def mark_trimmed(self, upto: int) -> None:
        """Remember that frames up to `upto` were deleted: their numbers are never given again."""
        sql = (
            "INSERT INTO facts VALUES('trimmed', ?)"
            " ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)"
        )
        self._db.all(sql, (upto,))


PREVIOUS: Final = " before"
"""After the name of a part: the snapshot before its newest."""


class SnapshotTable:
    """The newest snapshot of each part and the one before."""

    def __init__(self, db: Database) -> None:
        """Keep snapshots in `db`."""
        self._db = db

    def save(self, part: str, seq: int, state: bytes) -> None:
        """Keep a state that holds all frames up to `seq`, and the newest before it."""
        row = (part, seq, len(state), squeeze(state))
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
            return seq, unsqueeze(size, blob)
        except UNREADABLE as why:
            raise DataError(str(self._db.path), 0, f"damaged snapshot of {part}: {why}") from why
