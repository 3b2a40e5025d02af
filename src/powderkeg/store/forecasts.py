"""Archive of hourly forecasts: the map before each hour, and the outcome after it.

One file a month beside the database, ``proofs-2026-11.log``, that only ever grows. An entry is a
magic number, its length, a CRC-32, and MessagePack of ``[kind, market, hour, size, zstd of the
entry]``. It is written once and synced, and never changes, so a refit cannot rewrite the past. An
unfinished entry at the end is cut after a crash; damage in the middle is skipped and reported.
Disk pruning leaves these files alone.

An hour makes two entries: a `Map` when it begins, and a `Row` when it is over. There is no row
without a map stored beforehand: a prediction made afterwards does not count.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct, field
from numpy.typing import NDArray

from powderkeg.engine.calibration.estimate import VERSION
from powderkeg.engine.calibration.forecasts import FIELDS
from powderkeg.engine.calibration.sweeps import KEPT
from powderkeg.errors import DataError, StoreError
from powderkeg.events import DAY, HOUR, SECOND, Floats
from powderkeg.grid import bin_of, centres
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.maps.heatmap.scale import TOP, decode, encode
from powderkeg.store.disk import private, sync_folder

REACH: Final = 0.1
"""Distance from the mark up to which a map is stored, as a fraction."""
ROW: Final = 2
"""Bins per stored row: 10 bp."""
PATH_ONLY_SINCE: Final = 4
"""Model version from which rows include the path-only map."""
MAGIC: Final = b"PKp1"
_HEAD: Final = struct.Struct("<4sII")
"""Magic number, length of the body, its CRC-32."""
LARGEST: Final = 1 << 24
"""Bytes unpacked of an entry at most; a map takes some 10 kB."""
_CODEC: Final = pa.Codec("zstd", compression_level=9)
_Key: TypeAlias = tuple[str, str, int]
"""Kind, market, hour."""
_Body: TypeAlias = tuple[str, str, int, int, bytes]


class Map(Struct, frozen=True, tag="map"):
    """One market's map at the start of an hour, with the state it is based on."""

    market: str
    hour: int
    """Hour since 1970 that the map forecasts."""
    at: int
    """Time of the map, µs: in the first minute of the hour, or at program start."""
    mark: float
    oi: float
    """Base coin, 0 before the first reading."""
    version: int
    """Of the model."""
    basis: str
    multiplier: float
    """Of closing rates; 1 since version 4, which learns them."""
    window: float
    """Days learned from."""
    fitted: int
    """µs of the last fit, 0 before the first."""
    events: int
    weights: list[list[float]]
    """(2, 98), side and term, see `calibration.terms`; of version 3, (2, 16), side and class."""
    reporting_rate: float = field(name="told")
    """Share of all liquidations that the market's feed reports."""
    model_error: float = field(name="misfit")
    """Standard deviation of the log of the model error."""
    base: int
    """Number of the first row; row r begins at the price ``price_of(2 * r)``."""
    unit: float
    """Dollars are the amounts of `heatmap.scale` times this."""
    long: bytes
    short: bytes

    def dollars(self) -> Floats:
        """Return the map by side and row, shape (2, rows)."""
        sides = [np.frombuffer(side, np.uint8) for side in (self.long, self.short)]
        return decode(np.stack(sides)) * self.unit


class Row(Struct, frozen=True, tag="row"):
    """Forecasts of an hour by the weights of its time, and the liquidations observed."""

    market: str
    hour: int
    version: int
    values: list[list[float]]
    """(8, 2), field and side; see `calibration.forecasts.FIELDS`. Base coin, and bins of fresh
    ground. Of version 3 (7, 2), without the map of the path alone."""


Entry: TypeAlias = Map | Row
_decoder = msgspec.msgpack.Decoder(Map | Row)
_bodies = msgspec.msgpack.Decoder(_Body)


def map_of(known: MarketView, at: int) -> Map:
    """Return a market's map as it stands at `at` (µs)."""
    estimate, exposure = known.estimate, known.estimate.exposure
    base, cells, unit = _drawn(estimate.render(at), exposure.base, estimate.mark)
    return Map(
        market=known.name, hour=at // HOUR, at=at, mark=float(estimate.mark),
        oi=float(estimate.oi) if estimate.oi > 0 else 0.0,
        version=VERSION, basis=exposure.basis.name, multiplier=1.0, window=KEPT / DAY,
        fitted=estimate.fitted, events=estimate.events, weights=estimate.weights(at).tolist(),
        reporting_rate=float(estimate.reporting_rate.share), model_error=estimate.model_error.width,
        base=base, unit=unit, long=cells[0].tobytes(), short=cells[1].tobytes(),
    )  # fmt: skip


def _drawn(
    coins: NDArray[np.float32], base: int, mark: float
) -> tuple[int, NDArray[np.uint8], float]:
    """Return first row, bytes (2, rows) and unit of a rendered map (2, bins) near the mark."""
    money = coins * centres(base, coins.shape[1])
    first = bin_of(mark * (1 - REACH)) // ROW
    rows = np.arange(first, bin_of(mark * (1 + REACH)) // ROW + 1)
    bins = rows[:, None] * ROW + np.arange(ROW) - base
    inside = (bins >= 0) & (bins < coins.shape[1])
    dollars = np.where(inside, money[:, np.clip(bins, 0, coins.shape[1] - 1)], 0.0).sum(axis=2)
    # a small market's rows would all fall below the scale's floor: its top is put to use
    unit = 10.0 ** math.ceil(math.log10(max(float(dollars.max()), 1.0) / TOP))
    out = np.zeros(dollars.size, np.uint8)
    encode(np.ascontiguousarray(dollars / unit).ravel(), out)
    return first, out.reshape(dollars.shape), unit


def rows_of(known: MarketView, hours: set[int]) -> list[Row]:
    """Return the rows of those of `hours` that a market's record holds."""
    record = known.estimate.forecast_log
    if not hours or not record.count:
        return []
    numbers, rows = record.hours, record.rows
    return [
        Row(known.name, int(numbers[i]), VERSION, rows[i].tolist())
        for i in np.flatnonzero(np.isin(numbers, list(hours)))
    ]


class ForecastArchive:
    """The files of one store. One process may append, any number read."""

    def __init__(self, folder: Path, only: Path | None = None) -> None:
        """Use the files in `folder`, or only one of them; none is opened or changed yet."""
        self.folder = folder
        self._only = only
        self.notes: list[str] = []
        """Messages about cut or damaged entries, for the caller to report."""
        self._kept: dict[Path, set[_Key]] = {}
        """Kind, market and hour of every entry of the files that are appended to."""
        self._open: dict[str, set[int]] = {}
        """Hours of each market that have a map and no row yet."""

    def open_tail(self) -> None:
        """Prepare the two newest files for appending: unfinished entries are cut.

        Raises:
            StoreError: The disk refuses.
        """
        for path in self.files()[-2:]:
            self._index(path)

    def contains(self, kind: str, market: str, hour: int) -> bool:
        """Return whether there is an entry of this kind."""
        return (kind, market, hour) in self._index(self._place(hour))

    def pending(self, known: MarketView, at: int) -> list[Entry]:
        """Return the entries of a market that are to be appended at `at` (µs)."""
        out: list[Entry] = list(rows_of(known, self._open.get(known.name, set())))
        if not self.contains("map", known.name, at // HOUR):
            out.append(map_of(known, at))
        return out

    def append(self, entries: Sequence[Entry]) -> int:
        """Store entries; durable once this returns. Those stored already are skipped.

        Returns:
            How many were new.

        Raises:
            StoreError: The disk refuses.
        """
        fresh: dict[Path, dict[_Key, bytes]] = {}
        for entry in entries:
            path, key = self._place(entry.hour), _key(entry)
            if key not in self._index(path):
                fresh.setdefault(path, {}).setdefault(key, _pack(entry))
        for path, packed in fresh.items():
            self._write(path, b"".join(packed.values()))
            self._add_keys(path, packed)
        return sum(len(packed) for packed in fresh.values())

    def read(self) -> Iterator[Entry]:
        """Yield all entries in the order written; nothing is changed.

        Raises:
            DataError: An entry that is whole is not of this version.
            StoreError: A file cannot be read.
        """
        for path in self.files():
            raw = self._bytes(path)
            end = 0
            for start, stop, body in _scan(raw):
                self._note(path, "damaged and stepped over", end, start)
                end = stop
                if (read := _read(body)) is None:
                    self._note(
                        path, "of an entry that cannot be read were stepped over", start, stop
                    )
                else:
                    yield _checked(read, path, start)
            self._note(path, "of an entry not yet whole", end, len(raw))

    def files(self) -> list[Path]:
        """Return the files there are, oldest first."""
        return [self._only] if self._only else sorted(self.folder.glob("proofs-*.log"))

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files())

    def _place(self, hour: int) -> Path:
        month = datetime.fromtimestamp(hour * (HOUR // SECOND), UTC)
        return self.folder / f"proofs-{month:%Y-%m}.log"

    def _index(self, path: Path) -> set[_Key]:
        """Return the keys of a file; the first time, an unfinished entry at its end is cut."""
        if path not in self._kept:
            raw, kept, end = self._bytes(path), set[_Key](), 0
            for start, stop, body in _scan(raw):
                self._note(path, "damaged and stepped over", end, start)
                end = stop
                if (read := _read(body)) is None:
                    self._note(
                        path, "of an entry that cannot be read were stepped over", start, stop
                    )
                else:
                    kept.add(_key(read))
            if end < len(raw):
                self._note(path, "of an unfinished entry were cut", end, len(raw))
                _cut(path, end)
            self._kept[path] = set()
            self._add_keys(path, kept)
        return self._kept[path]

    def _add_keys(self, path: Path, keys: Collection[_Key]) -> None:
        """Add keys to the index of a file."""
        self._kept[path].update(keys)
        for kind, market, hour in sorted(keys):  # maps before rows
            hours = self._open.setdefault(market, set())
            if kind == "map":
                hours.add(hour)
            else:
                hours.discard(hour)

    def _write(self, path: Path, raw: bytes) -> None:
        try:
            new = not path.exists()
            with private(path, "ab") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(path.parent)
        except OSError as why:
            del self._kept[path]  # what reached the disk must be read again
            raise StoreError(f"{path}: the disk refuses: {why}") from why

    def _bytes(self, path: Path) -> bytes:
        if not path.exists():
            return b""
        try:
            raw = path.read_bytes()
        except OSError as why:
            raise StoreError(f"{path}: cannot be read: {why}") from why
        if not raw:
            self.notes.append(f"{path.name}: empty, what stood there is gone")
        return raw

    def _note(self, path: Path, what: str, start: int, stop: int) -> None:
        if stop > start:
            self.notes.append(f"{path.name}: {stop - start} bytes at {start} {what}")


def _key(entry: Entry) -> _Key:
    return ("map" if isinstance(entry, Map) else "row"), entry.market, entry.hour


def _pack(entry: Entry) -> bytes:
    raw = msgspec.msgpack.encode(entry)
    body = msgspec.msgpack.encode((*_key(entry), len(raw), _CODEC.compress(raw, asbytes=True)))
    return _HEAD.pack(MAGIC, len(body), zlib.crc32(body)) + body


def _read(body: bytes) -> Entry | None:
    """Return the entry of a body whose checksum is right, or None where it is none."""
    try:
        _, _, _, size, blob = _bodies.decode(body)
        if not 0 <= size <= LARGEST:
            return None
        return _decoder.decode(_CODEC.decompress(blob, size, asbytes=True))
    except (OSError, ValueError, MemoryError, pa.ArrowException, msgspec.MsgspecError):
        return None


def _checked(entry: Entry, path: Path, start: int) -> Entry:
    """Return an entry whose fields are those of its version."""
    wanted = len(FIELDS) - (entry.version < PATH_ONLY_SINCE)
    if isinstance(entry, Row) and len(entry.values) != wanted:
        found = len(entry.values)
        raise DataError(str(path), 0, f"byte {start}: expected {wanted} fields, found {found}")
    return entry


def _scan(raw: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield where each whole entry starts and stops, and its body."""
    at = 0
    while (at := raw.find(MAGIC, at)) >= 0:
        body = _whole(raw, at)
        if body is None:
            at += 1
            continue
        stop = at + _HEAD.size + len(body)
        yield at, stop, body
        at = stop


def _whole(raw: bytes, at: int) -> bytes | None:
    """Return the body of the entry at `at`; none if it is cut or its checksum does not fit."""
    start = at + _HEAD.size
    if start > len(raw):
        return None
    _, length, checksum = _HEAD.unpack_from(raw, at)
    body = raw[start : start + length]
    return body if len(body) == length and zlib.crc32(body) == checksum else None


def _cut(path: Path, size: int) -> None:
    try:
        with path.open("r+b") as file:
            file.truncate(size)
            os.fsync(file.fileno())
    except OSError as why:
        raise StoreError(f"{path}: cannot be cut: {why}") from why
