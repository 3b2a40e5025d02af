"""Sealed hours: frames as immutable files of blocks, events as Parquet with whole-number columns.

A block is the batches of about a second, packed together: books, quotes and prints of 10 ms share
too little with themselves, and take 1.6 times as much. Batches come out of it as they were stored.

A file is written beside, synced and renamed, and only then registered in the database; a crash
in between leaves a file that the next sealing of that hour overwrites. Prices and sizes are stored
as integers of the power of ten that holds all of them exactly (3.6 times smaller than floats), and
as floats where none does.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.errors import DataError, StoreError
from powderkeg.events import HOUR
from powderkeg.frames import Frame
from powderkeg.store.database import Database
from powderkeg.store.disk import make_folder, private, sync_folder
from powderkeg.store.journal import SEALED, UNREADABLE, compress, decompress, unpack

MAGIC: Final = b"powderkeg frames 2\n"
_MAGICS: Final = (b"powderkeg frames 1\n", MAGIC)
"""The first kind of file has one batch a block."""
HEAD: Final = struct.Struct(">QII")
"""Last number, size unpacked and size packed of a block."""
BLOCK: Final = 1 << 20
"""Bytes unpacked from which a block is full. Damage costs a block."""
_DECIMALS: Final = 10
_blocks = msgspec.msgpack.Decoder(list[list[Frame]])
Packed: TypeAlias = tuple[int, int, bytes]
"""Last number, size unpacked, and bytes, of a batch or a block."""
Lost: TypeAlias = Callable[[str], None]
"""Called with a message about damaged data that is skipped."""
Row: TypeAlias = tuple[str, str, int, str, int, int, int, int, int, int, str]
"""A segment in the database."""
_LATE: Final = HOUR
"""Hours are cut by when events reached us. They happened up to so much earlier, or, by a venue's
clock, later."""


class Interval(Struct, frozen=True):
    """A time interval, µs, end excluded."""

    since: int
    until: int


def segment_path(folder: Path, kind: str, venue: str, hour: int, suffix: str) -> Path:
    """Return the path of a sealed hour: ``trades/binance/2026-11-22/13.parquet``."""
    moment = datetime.fromtimestamp(hour / 1e6, UTC)
    return folder / kind / venue / moment.strftime("%Y-%m-%d") / f"{moment:%H}{suffix}"


def _finish(part: Path, path: Path) -> None:
    """Sync a written file and put it in its place."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def blocks_of(blobs: Iterable[Packed], where: str) -> Iterator[Packed]:
    """Yield batches of the journal joined to blocks; each is still a batch within.

    Raises:
        DataError: A batch is damaged.
    """
    parts: list[msgspec.Raw] = []
    room = at = 0
    for last, size, blob in blobs:
        try:
            parts.append(msgspec.Raw(decompress(size, blob)))
        except UNREADABLE as why:
            raise DataError(where, 0, f"damaged batch {last} of frames: {why}") from why
        room, at = room + size, last
        if room >= BLOCK:
            yield _block(at, parts)
            parts, room = [], 0
    if parts:
        yield _block(at, parts)


def _block(last: int, parts: list[msgspec.Raw]) -> Packed:
    raw = msgspec.msgpack.encode(parts)
    return last, len(raw), compress(raw, SEALED)


def unpack_block(size: int, blob: bytes, where: str) -> list[list[Frame]]:
    """Return the batches of a block; older files have one in each.

    Raises:
        DataError: It is damaged.
    """
    try:
        raw = decompress(size, blob)
    except UNREADABLE as why:
        raise DataError(where, 0, f"damaged batch of frames: {why}") from why
    try:
        return _blocks.decode(raw)
    except msgspec.MsgspecError:
        return [unpack(size, blob, where)]


def write_frames(path: Path, blobs: Iterable[Packed]) -> str:
    """Write blocks as one sealed file and return its SHA-256."""
    make_folder(path.parent)
    part = path.with_suffix(".part")
    digest = hashlib.sha256(MAGIC)
    with private(part, "wb") as file:
        file.write(MAGIC)
        for last, size, blob in blobs:
            head = HEAD.pack(last, size, len(blob))
            digest.update(head)
            digest.update(blob)
            file.write(head)
            file.write(blob)
    _finish(part, path)
    return digest.hexdigest()


def blocks(path: Path) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield last number, size, bytes, and what stands before them, of each block of a sealed file.

    Raises:
        DataError: The file is not there, or ends within a block.
    """
    try:
        file = path.open("rb")
    except OSError as why:
        raise DataError(str(path), 0, f"expected a file of sealed frames: {why}") from why
    with file:
        if (magic := file.read(len(MAGIC))) not in _MAGICS:
            raise DataError(str(path), 0, "expected a file of sealed frames")
        while head := file.read(HEAD.size):
            if len(head) < HEAD.size:
                raise DataError(str(path), 0, "the file ends inside a batch")
            last, size, length = HEAD.unpack(head)
            blob = file.read(length)
            if len(blob) < length:
                raise DataError(str(path), 0, f"the file ends inside batch {last}")
            yield last, size, blob, magic + head
            magic = b""


def read_frames(
    path: Path, after: int = 0, sha256: str = "", lost: Lost | None = None
) -> Iterator[list[Frame]]:
    """Yield the batches of a sealed file that hold a frame above `after`.

    Args:
        path: The file.
        after: Number of a frame.
        sha256: What the whole file should have.
        lost: Called with a message about damaged data, which is then skipped.

    Raises:
        DataError: The file is damaged, and there is no `lost`.
    """
    digest = hashlib.sha256()
    try:
        for last, size, blob, head in blocks(path):
            digest.update(head)
            digest.update(blob)
            if last > after:
                found = _unpacked(size, blob, f"{path}, batch {last}", lost)
                yield from (batch for batch in found if batch[-1].seq > after)
        if sha256:
            _same(path, digest.hexdigest(), sha256)
    except DataError as why:
        if lost is None:
            raise
        lost(str(why))


def _same(path: Path, found: str, wanted: str) -> None:
    if found != wanted:
        raise DataError(str(path), 0, "its SHA-256 is not what it was when it was sealed")


def _unpacked(size: int, blob: bytes, where: str, lost: Lost | None) -> Iterator[list[Frame]]:
    try:
        yield from unpack_block(size, blob, where)
    except DataError as why:
        if lost is None:
            raise
        lost(str(why))


def to_scaled_int(values: NDArray[np.float64]) -> tuple[NDArray[Any], int]:
    """Return values as integers of the least power of ten that is exact, and that power.

    Returns floats and -1 where no power up to ten is exact.
    """
    if (np.signbit(values) & (values == 0)).any():
        return values, -1  # no whole number is a negative zero
    with np.errstate(over="ignore"):  # what overflows is not exact either
        for decimals in range(_DECIMALS + 1):
            scaled = np.rint(values * 10.0**decimals)
            if (np.abs(scaled) < 2**53).all() and (scaled / 10.0**decimals == values).all():
                return scaled.astype(np.int64), decimals
    return values, -1


class ParquetSegments:
    """Sealed events in a folder, registered in a database: a `SegmentStore`."""

    def __init__(self, db: Database, folder: Path) -> None:
        """Keep files below `folder`."""
        self._db = db
        self.folder = folder

    def seal(self, kind: str, venue: str, hour: int, columns: dict[str, Any]) -> None:
        """Keep the events of an hour; see `SegmentStore`.

        Raises:
            StoreError: The disk refuses.
        """
        try:
            row = self.write(kind, venue, hour, columns)
        except OSError as why:
            raise StoreError(f"{self.folder}: the disk refuses: {why}") from why
        self.register(row)

    def write(self, kind: str, venue: str, hour: int, columns: dict[str, Any]) -> Row:
        """Write the file of an hour and return its database row."""
        path = segment_path(self.folder, kind, venue, hour, ".parquet")
        rows = len(columns["at"])
        digest = _write_parquet(path, columns)
        return (
            kind, venue, hour, str(path.relative_to(self.folder)), rows, 0, 0, hour, hour + HOUR,
            path.stat().st_size, digest,
        )  # fmt: skip

    def register(self, row: Row) -> None:
        """Register a written file in the database; from then on it is part of the store."""
        self._db.all("INSERT OR REPLACE INTO segments VALUES(?,?,?,?,?,?,?,?,?,?,?)", row)

    def scan(
        self, kind: str, venue: str, market: str, since: int, until: int
    ) -> dict[str, NDArray[Any]]:
        """Return the events of one market; see `SegmentStore`."""
        paths = self._db.all(
            "SELECT path, sha256 FROM segments WHERE kind=? AND venue=? AND until>? AND since<?"
            " ORDER BY hour",
            (kind, venue, since - _LATE, until + _LATE),
        )
        tables = [
            _read_parquet(self.folder / path, sha256, market, since, until)
            for path, sha256 in paths
        ]
        kept = [table for table in tables if len(table["at"])] or tables[:1]
        names = list(kept[0]) if kept else []
        out = {name: np.concatenate([table[name] for table in kept]) for name in names}
        order = np.argsort(out["at"], kind="stable") if names else None
        return {name: values[order] for name, values in out.items()}

    def coverage(self, kind: str, venue: str) -> list[Interval]:
        """Return the stored intervals; see `SegmentStore`."""
        out: list[Interval] = []
        for since, until in self._db.all(
            "SELECT since, until FROM segments WHERE kind=? AND venue=? ORDER BY hour",
            (kind, venue),
        ):
            if out and out[-1].until == since:
                since = out.pop().since  # noqa: PLW2901  the interval continues
            out.append(Interval(since, until))
        return out


def _write_parquet(path: Path, columns: dict[str, Any]) -> str:
    """Write columns sorted by market and time, a row group a market; return the SHA-256."""
    make_folder(path.parent)
    markets, times = np.asarray(columns["market"], object), np.asarray(columns["at"])
    order = np.lexsort((times, markets.astype(str)))
    arrays: dict[str, Any] = {}
    scales: dict[str, str] = {}
    for name, values in columns.items():
        column = np.asarray(values)[order]
        if column.dtype == np.float64:
            column, decimals = to_scaled_int(column)
            scales[name] = str(decimals)
        arrays[name] = pa.array(column)
    table = pa.table(arrays).replace_schema_metadata(scales)
    floats = [name for name, scale in scales.items() if scale == "-1"]
    packed = [f.name for f in table.schema if pa.types.is_integer(f.type)]
    part = path.with_suffix(".part")
    with private(part, "wb") as file, pq.ParquetWriter(
        file, table.schema, compression="zstd", version="2.6", data_page_version="2.0",
        use_dictionary=[n for n in table.column_names if n not in floats and n not in packed],  # pyright: ignore[reportArgumentType]  its stub says bool only
        column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED")
        | dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
    ) as writer:  # fmt: skip
        names = markets[order].astype(str)
        starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]]) if len(names) else []
        for i, start in enumerate(starts):
            stop = starts[i + 1] if i + 1 < len(starts) else len(names)
            writer.write_table(table.slice(start, stop - start))
    _finish(part, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_parquet(
    path: Path, sha256: str, market: str, since: int, until: int
) -> dict[str, NDArray[Any]]:
    wanted = [("market", "=", market), ("at", ">=", since), ("at", "<", until)]
    try:
        raw = path.read_bytes()
        _same(path, hashlib.sha256(raw).hexdigest(), sha256)
        table = pq.read_table(pa.BufferReader(raw), filters=wanted)
    except (OSError, pa.ArrowException) as why:
        raise DataError(str(path), 0, f"expected a sealed hour of events: {why}") from why
    scales = {k.decode(): int(v) for k, v in (table.schema.metadata or {}).items() if v.isdigit()}
    out: dict[str, NDArray[Any]] = {}
    for name in table.column_names:
        if name != "market":
            values = table[name].to_numpy()
            out[name] = values / 10.0 ** scales[name] if name in scales else values
    return out
