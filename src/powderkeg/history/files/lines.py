"""Stored files as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from powderkeg.errors import DataError
from powderkeg.history.files.containers import Advance, BrokenError, Entry, Reject, entries

_BLOCK = 1 << 21
"""Bytes of text per block: the fastest of 0.5 to 8 MiB on a day of Binance prints."""

_LONGEST = 1 << 24
"""Bytes a line may have: a book of 100,000 levels has 3 MiB."""


class Block(NamedTuple):
    """Whole lines of one file; the last one may lack its line end only at the end of the file."""

    file: str
    line: int
    """Number of the first line, from 1."""
    data: bytes

    def rows(self) -> list[bytes]:
        """Return the lines, without their ends. Only a line feed ends a line."""
        return self.data.removesuffix(b"\n").split(b"\n")


def blocks(path: Path, advance: Advance, reject: Reject, size: int = _BLOCK) -> Iterator[Block]:
    """Return a file's text in blocks of about `size` bytes.

    A broken tail ends the file early: complete lines before it are kept, the cut line is left out
    and reported to `reject`. Files in a zip follow each other as separate files.

    Raises:
        DataError: The file cannot be opened, or has a line that is too long.
    """
    for entry in entries(path, advance, reject):
        yield from whole_lines(entry, reject, size)


def whole_lines(entry: Entry, reject: Reject, size: int = _BLOCK) -> Iterator[Block]:
    """Return the text of one entry in blocks of about `size` bytes; see `blocks`."""
    name, line, held = entry.name, 1, 0
    kept: list[bytes] = []
    try:
        for chunk in entry.chunks:
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
            if held > _LONGEST:
                why = f"expected lines of at most {_LONGEST:,} bytes, found a longer one"
                raise DataError(name, line, why)
        text = b"".join(kept)
    except BrokenError as why:
        text = b"".join(kept)
        text = text[: text.rfind(b"\n") + 1]
        reject(name, line + text.count(b"\n"), "broken tail", str(why))
    if text:
        yield Block(name, line, text)
