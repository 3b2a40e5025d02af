"""Dialect of a text table: separator, decimal mark, header line, and comments above it.

Detected per file: one glob may cover files of several programs and versions. Source of the forms:
CryptoDataDownload puts its address above the header; Excel in most of Europe writes semicolons and
decimal commas; recorders put ``#key,value`` pairs above the header.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

_SEPARATORS = ",;\t|"
_ABOVE = 50
"""Lines a header is looked for in."""
_SAMPLE = 100
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d+)?|[.,]\d+)([eE][-+]?\d+)?")
_COMMA = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+),\d+")
_POINT = re.compile(r"[-+]?(\d+|\d{1,3}(,\d{3})+)\.\d+([eE][-+]?\d+)?")
_PAIR = re.compile(r"\s*([\w .-]+?)\s*[:=]\s*(.+?)\s*")
_PLAUSIBLE = 4_096
"""Columns a table has at most."""


class Dialect(NamedTuple):
    """The format of a text table."""

    delimiter: str = ","
    decimal: str = "."
    header: int | None = None
    """Index of the header line, from 0; None where there is none."""
    names: tuple[str, ...] = ()
    """Names of the columns: of the header, else ``"0"``, ``"1"`` and so on."""
    constants: dict[str, str] = {}  # noqa: RUF012  # never written to
    """Values in comment lines above the header, by name: the same for every row."""

    @property
    def first(self) -> int:
        """Index of the first line of rows."""
        return 0 if self.header is None else self.header + 1


def sniff(head: bytes, wanted: Collection[str] = ()) -> Dialect:
    """Return the dialect of a file.

    Args:
        head: The first lines of the file, UTF-8.
        wanted: Names the header must have, except those in the comments above. Without any, the
            header is the first line of words that has as many cells as the lines below it.
    """
    lines = [line.rstrip("\r") for line in head.decode("utf-8-sig", "replace").split("\n")]
    lines = lines[: _ABOVE + _SAMPLE]
    constants = dict(pair for line in lines[:_ABOVE] for pair in _pairs(line))
    found = _named(lines, set(wanted) - set(constants)) if wanted else _by_shape(lines)
    delimiter, header = found or (_commonest(lines), None)
    first = 0 if header is None else header + 1
    sample = [cells(line, delimiter) for line in lines[first : first + _SAMPLE] if line.strip()]
    width = len(sample[0]) if sample else 0
    names = (
        tuple(str(n) for n in range(width)) if header is None else _names(lines[header], delimiter)
    )
    if header is None:
        constants = {}
    return Dialect(delimiter, _decimal(sample, delimiter), header, names, constants)


def cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line; quotes hold separators together."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(cell.strip().removeprefix("\ufeff") for cell in cells(line, delimiter))[
        :_PLAUSIBLE
    ]


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a comment line: ``#a,1,b,2``, ``# a: 1`` or ``# a = 1``."""
    if not line.lstrip().startswith("#"):
        return
    text = line.lstrip().lstrip("#").strip()
    parts = [part.strip() for part in cells(text, ",")]
    pairs = [pair for part in parts if (pair := _PAIR.fullmatch(part))]
    if len(pairs) == len(parts):
        yield from ((pair[1], pair[2]) for pair in pairs)
    elif len(parts) % 2 == 0 and all(parts[::2]):
        yield from zip(parts[::2], parts[1::2], strict=True)


def _named(lines: list[str], wanted: set[str]) -> tuple[str, int] | None:
    """Return separator and line of the first line that has all the names wanted."""
    for n, line in enumerate(lines[:_ABOVE]):
        for delimiter in _SEPARATORS:
            if wanted <= set(_names(line, delimiter)):
                return delimiter, n
    return None


def _by_shape(lines: list[str]) -> tuple[str, int] | None:
    """Return separator and line of the first line of words as wide as the lines below it."""
    delimiter = _commonest(lines)
    widths = [len(cells(line, delimiter)) for line in lines]
    usual = _usual(widths[i] for i, line in enumerate(lines) if line.strip())
    for n, line in enumerate(lines[:_ABOVE]):
        if widths[n] == usual and usual > 1 and not line.lstrip().startswith("#"):
            return (delimiter, n) if _words(cells(line, delimiter)) else None
    return None


def _words(row: list[str]) -> bool:
    """Return whether a line names columns: no cell is a number, most are not empty."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(filled) * 2 > len(row) and not any(_NUMBER.fullmatch(cell) for cell in filled)


def _commonest(lines: list[str]) -> str:
    """Return the separator that cuts most lines into the same number of cells, more than one."""

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(cells(line, delimiter)) for line in lines if line.strip()]
        usual = _usual(widths)
        return (widths.count(usual), usual) if usual > 1 else (0, 0)

    return max(_SEPARATORS, key=score)


def _usual(widths: Iterable[int]) -> int:
    common = Counter(widths).most_common(1)
    return common[0][0] if common else 0


def _decimal(sample: list[list[str]], delimiter: str) -> str:
    """Return the decimal mark: a comma where numbers have one and none has a point."""
    if delimiter == ",":
        return "."
    found = [cell.strip() for row in sample for cell in row]
    comma = any(_COMMA.fullmatch(cell) for cell in found)
    return "," if comma and not any(_POINT.fullmatch(cell) for cell in found) else "."
