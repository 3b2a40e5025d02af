"""Stored files as streams of bytes: plain, gzip (also with a broken tail), zip, zstd, bzip2, xz.

The compression is detected by the first bytes, not by the name. Limits protect the machine: regular
files only, and no more text than a packed file can plausibly hold.
"""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa

from powderkeg.errors import DataError

_READ = 1 << 20
_PIECE = 1 << 22
"""Bytes unpacked at once."""
_RATIO, _FREE = 250, 1 << 30
"""A file may unpack to so many times its size, or to 1 GiB. Prices pack 5 to 30 fold."""

Advance = Callable[[int], None]
"""Called with the stored bytes read since the last call."""
Reject = Callable[[str, int, str, str], None]
"""Called with file, line, reason and detail of what was left out."""


class BrokenError(Exception):
    """The rest of a packed file cannot be read."""


class Entry(NamedTuple):
    """One stored table: a file, or a file in a zip."""

    name: str
    head: bytes
    """Its first bytes, as many as one read gave."""
    chunks: Iterator[bytes]
    """All its bytes, the first ones too. Ends with `BrokenError` where the rest is broken."""
    path: Path | None
    """Its path if it is a plain file, None where it must be unpacked."""


def entries(path: Path, advance: Advance, reject: Reject) -> Iterator[Entry]:
    """Return the entries of a file, each to be read before the next.

    A zip entry that cannot be read is reported and left out; system files are left out.

    Raises:
        DataError: It is not a regular file, cannot be opened, or unpacks to more than it can hold.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(str(path), 0, "expected a regular file, found a device, pipe or folder")
        with path.open("rb") as file:
            magic = file.read(6)
            file.seek(0)
            if magic.startswith(b"PK\x03\x04") or path.suffix == ".zip":
                yield from _zipped(path, reject)
                advance(path.stat().st_size)
                return
            unpack = _unpacker(magic)
            stored = _chunks(file, advance)
            chunks = unpack(stored) if unpack else stored
            entry = _entry(str(path), chunks, path.stat().st_size)
            yield entry if unpack else entry._replace(path=path)
    except (OSError, zipfile.BadZipFile) as why:
        raise DataError(str(path), 0, f"expected a readable file: {why}") from why


def _entry(name: str, chunks: Iterator[bytes], stored: int) -> Entry:
    """Return an entry; text in UTF-16 becomes UTF-8."""
    bounded = _bounded(name, chunks, stored)
    try:
        head = next(bounded, b"")
    except BrokenError as why:
        return Entry(name, b"", _broken(why), None)
    whole = chain((head,), bounded)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        whole = _utf8(whole)
        head = next(whole, b"")
        whole = chain((head,), whole)
    return Entry(name, head, whole, None)


def _broken(why: BrokenError) -> Iterator[bytes]:
    """Raise the error of a file that cannot be read at all."""
    yield from ()
    raise why


def _zipped(path: Path, reject: Reject) -> Iterator[Entry]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            parts = info.filename.split("/")
            if info.is_dir() or "__MACOSX" in parts or parts[-1].startswith("."):
                continue
            name = f"{path}/{info.filename}"
            try:
                with archive.open(info) as file:
                    yield _entry(name, _guarded(file), max(info.compress_size, 1))
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as why:
                reject(name, 0, "unreadable zip entry", str(why))


def _guarded(file: IO[bytes]) -> Iterator[bytes]:
    """Return the readable part of an entry; its checksum is checked at the end."""
    try:
        yield from _chunks(file)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as why:
        raise BrokenError(str(why)) from why


def _chunks(file: IO[bytes], advance: Advance | None = None) -> Iterator[bytes]:
    while chunk := file.read(_READ):
        if advance:
            advance(len(chunk))
        yield chunk


def _bounded(name: str, chunks: Iterator[bytes], stored: int) -> Iterator[bytes]:
    done, limit = 0, max(_FREE, _RATIO * stored)
    for chunk in chunks:
        done += len(chunk)
        if done > limit:
            why = f"expected at most {limit:,} bytes of text in {stored:,} stored ones, found more"
            raise DataError(name, 0, why)
        yield chunk


def _utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()


def _unpacker(magic: bytes) -> Callable[[Iterator[bytes]], Iterator[bytes]] | None:
    """Return what unpacks a file that begins so, None where it is not packed."""
    if magic.startswith(b"\x1f\x8b"):
        return _gunzipped
    if magic.startswith(b"BZh"):
        return lambda chunks: _opened(chunks, bz2.BZ2File)
    if magic.startswith(b"\xfd7zXZ"):
        return lambda chunks: _opened(chunks, lzma.LZMAFile)
    return _unzstd if magic.startswith(b"\x28\xb5\x2f\xfd") else None


def _opened(chunks: Iterator[bytes], unpack: Callable[..., IO[bytes]]) -> Iterator[bytes]:
    """Return the text of one or more bzip2 or xz streams."""
    try:
        with unpack(_Chunks(chunks)) as file:
            yield from _chunks(file)
    except (OSError, EOFError, lzma.LZMAError) as why:
        raise BrokenError(str(why)) from why


class _Chunks(io.RawIOBase):
    """Chunks as the file that a library reads."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._held = chunks, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, none at the end."""
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._held = chunk
        size = len(self._held) if size < 0 else size
        out, self._held = self._held[:size], self._held[size:]
        return out


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        with pa.CompressedInputStream(pa.PythonFile(_Chunks(chunks), "r"), "zstd") as stream:
            while chunk := stream.read(_READ):
                yield chunk
    except OSError as why:
        raise BrokenError(str(why)) from why


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Return the text of one or more gzip members."""
    unzip = zlib.decompressobj(31)
    begun = False
    for each in chunks:
        chunk, full = each, False
        while chunk or full:
            begun, before = True, unzip.copy()
            try:
                text = unzip.decompress(chunk, _PIECE)
            except zlib.error as why:
                yield _rescued(before.decompress, chunk)
                raise BrokenError(str(why)) from why
            if text:
                yield text
            full = len(text) == _PIECE  # there may be more of what was read before
            chunk = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
            if unzip.eof:
                unzip, begun, full = zlib.decompressobj(31), False, False
    if begun:
        raise BrokenError("the file ends inside a gzip member")


def _rescued(unzip: Callable[[bytes], bytes], chunk: bytes) -> bytes:
    """Return the readable part of a broken chunk: zlib returns nothing from a call that fails."""
    out: list[bytes] = []
    with suppress(zlib.error):  # reported by the caller
        out.extend(unzip(chunk[byte : byte + 1]) for byte in range(len(chunk)))
    return b"".join(out)
