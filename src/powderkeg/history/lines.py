"""Files as blocks of whole lines: plain, gzip (also with a broken tail), or zip."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from powderkeg.errors import DataError

_READ = 1 << 20
_BLOCK = 1 << 21
"""Bytes of text per block: the fastest of 0.5 to 8 MiB on a day of Binance prints."""

Advance = Callable[[int], None]
"""Told how many stored bytes were read since the last call."""
Complain = Callable[[str, int, str, str], None]
"""Told file, line, reason and detail of what was left out."""


class Block(NamedTuple):
    """Whole lines of one file; the last one may lack its line end only at the end of the file."""

    file: str
    line: int
    """Number of the first line, from 1."""
    data: bytes

    def rows(self) -> list[bytes]:
        """Return the lines, without their ends. Only a line feed ends a line."""
        return self.data.removesuffix(b"\n").split(b"\n")


def blocks(path: Path, advance: Advance, complain: Complain, size: int = _BLOCK) -> Iterator[Block]:
    """Return a file's text in blocks of about `size` bytes.

    A gzip tail that is broken ends the file early: what was whole before it is kept, the cut line
    is left out, and `complain` is told. Files in a zip follow each other as files of their own.

    Raises:
        DataError: The file cannot be opened, or is no zip though called one.
    """
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    with archive.open(name) as file:
                        yield from _whole_lines(
                            f"{path}/{name}", _plain(file, size), complain, size
                        )
            advance(path.stat().st_size)
            return
        with path.open("rb") as file:
            read = _unzipped(file, advance) if path.suffix == ".gz" else _plain(file, size, advance)
            yield from _whole_lines(str(path), read, complain, size)
    except (OSError, zipfile.BadZipFile) as why:
        raise DataError(str(path), 0, f"expected a readable file: {why}") from why


def _plain(file: IO[bytes], size: int, advance: Advance | None = None) -> Iterator[bytes]:
    while chunk := file.read(size):
        chunk += file.readline()  # whole lines: the block is then passed on without a copy
        if advance:
            advance(len(chunk))
        yield chunk


class _BrokenError(Exception):
    """The rest of a compressed file cannot be read."""


def _unzipped(file: IO[bytes], advance: Advance) -> Iterator[bytes]:
    """Return the text of one or more gzip members."""
    unzip = zlib.decompressobj(31)
    begun = False
    while chunk := file.read(_READ):
        advance(len(chunk))
        while chunk:
            begun, before = True, unzip.copy()
            try:
                text = unzip.decompress(chunk)
            except zlib.error as why:
                yield _rescued(before.decompress, chunk)
                raise _BrokenError(str(why)) from why
            if text:
                yield text
            chunk = unzip.unused_data
            if unzip.eof:
                unzip, begun = zlib.decompressobj(31), False
            else:
                break
    if begun:
        raise _BrokenError("the file ends inside a gzip member")


def _rescued(unzip: Callable[[bytes], bytes], chunk: bytes) -> bytes:
    """Return what of a broken chunk can be read: zlib gives nothing of a call that fails."""
    out: list[bytes] = []
    with suppress(zlib.error):  # told by the caller
        out.extend(unzip(chunk[byte : byte + 1]) for byte in range(len(chunk)))
    return b"".join(out)


def _whole_lines(
    name: str, chunks: Iterator[bytes], complain: Complain, size: int
) -> Iterator[Block]:
    line, held = 1, 0
    kept: list[bytes] = []
    try:
        for chunk in chunks:
            kept.append(chunk)
            held += len(chunk)
            if held < size:
                continue
            text = kept[0] if len(kept) == 1 else b"".join(kept)
            cut = text.rfind(b"\n") + 1
            if cut:
                yield Block(name, line, text[:cut])
                line += text.count(b"\n", 0, cut)
            kept, held = ([text[cut:]] if cut < len(text) else []), len(text) - cut
        text = b"".join(kept)
    except _BrokenError as why:
        text = b"".join(kept)
        text = text[: text.rfind(b"\n") + 1]
        complain(name, line + text.count(b"\n"), "broken gzip tail", str(why))
    if text:
        yield Block(name, line, text)
