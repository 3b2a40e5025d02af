"""The hot end of the store: batches of frames in SQLite, synced to disk one by one.

One BLOB a batch, because one row a frame costs eleven times the bytes and eight times the time.
``synchronous=FULL``: what was acknowledged survives a power cut, not only a killed process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import pyarrow as pa

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.frames import Frame
from powderkeg.store.database import Database

_CODEC: Final = pa.Codec("zstd", compression_level=1)
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
