"""Reads JSON documents as columns: saved REST answers.

The rows are the first list in the document whose members have the columns wanted: the document
itself, or below a key such as ``data`` or ``result.list``. Members that are lists have columns
named ``"0"``, ``"1"`` and so on (ccxt, Binance klines). Lists side by side, one for each column
(``{"t": [...], "c": [...]}``), are rows too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from powderkeg.errors import DataError
from powderkeg.history.files.cells import array, cell
from powderkeg.history.files.columns import Columns, Layout, stamped
from powderkeg.history.files.containers import BrokenError, Entry
from powderkeg.history.files.lines import Block, whole_lines
from powderkeg.history.series.report import ReadReport

_LARGEST = 1 << 28
"""Bytes of one document. JSON lines have no bound."""
_DEEPEST = 8
"""Levels below which no rows are looked for."""


def is_lines(head: bytes) -> bool:
    """Return whether a file is JSON lines rather than a document, by its first bytes."""
    first, end, rest = head.lstrip().partition(b"\n")
    if not end:
        return False
    try:
        msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return rest.lstrip()[:1] in {b"", b"{", b"["}


def read_document(entry: Entry, layout: Layout, report: ReadReport) -> Iterator[Columns]:
    """Return the wanted columns of a document.

    Raises:
        DataError: It is not JSON, is larger than 256 MiB, or has no rows with these columns.
    """
    text = _whole(entry)
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise DataError(entry.name, 1, f"expected a JSON document: {why}") from why
    rows = find_rows(document, set(layout.wanted))
    if rows is None:
        names = ", ".join(layout.wanted)
        why = f"expected rows with the columns {names}, found {_outline(document)}"
        raise DataError(entry.name, 1, why)
    yield columns_of(entry.name, rows, range(1, len(rows) + 1), layout, report)


def read_arrays(entry: Entry, layout: Layout, report: ReadReport) -> Iterator[Columns]:
    """Return the wanted columns of lines that each hold one list: columns ``"0"``, ``"1"`` ..."""
    for block in whole_lines(entry, report.reject):
        rows: list[Any] = []
        lines: list[int] = []
        for line, row in _decoded(block, report):
            rows.append(row)
            lines.append(line)
        yield columns_of(block.file, rows, lines, layout, report)


def _decoded(block: Block, report: ReadReport) -> Iterator[tuple[int, Any]]:
    for line, raw in enumerate(block.rows(), block.line):
        try:
            yield line, msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
            report.reject(block.file, line, "unreadable row", f"{why} in {raw[:120]!r}")


def columns_of(
    file: str, rows: list[Any], lines: Sequence[int], layout: Layout, report: ReadReport
) -> Columns:
    """Return rows, each a dict or a list, as columns; those that do not fit are reported."""
    layout = layout.of(rows[0] if rows and isinstance(rows[0], dict) else ())
    wanted = layout.wanted
    good: list[list[Any]] = [[] for _ in wanted]
    kept: list[int] = []
    for line, row in zip(lines, rows, strict=True):
        try:
            values = [cell(_value(row, name), kind) for name, kind in wanted.items()]
        except (ValueError, KeyError, IndexError, TypeError, msgspec.ValidationError) as why:
            report.reject(file, line, "unreadable row", f"{why!r} in {str(row)[:120]}")
            continue
        kept.append(line)
        for column, value in zip(good, values, strict=True):
            column.append(value)
    data = {
        name: stamped(array(column, kind), layout.day_first)
        if kind == "stamp"
        else array(column, kind)
        for (name, kind), column in zip(wanted.items(), good, strict=True)
    }
    return Columns(file, np.array(kept, np.int64), data)


def _value(row: Any, name: str) -> Any:
    """Return a member of a row; lists are counted from 0, ``a.b`` is a member of a member."""
    if isinstance(row, list):
        return row[int(name)]
    if name in row:
        return row[name]
    first, dot, rest = name.partition(".")
    if not dot:
        raise KeyError(name)
    return _value(row[first], rest)


def find_rows(document: Any, wanted: set[str]) -> list[Any] | None:
    """Return the first list whose members have the columns wanted; widest level first."""
    level = [document]
    for _ in range(_DEEPEST):
        for each in level:
            if isinstance(each, list) and each and _has(each[0], wanted):
                return each
            if (rows := _side_by_side(each, wanted)) is not None:
                return rows
        level = list(chain.from_iterable(map(_members, level)))
    return None


def _members(each: Any) -> list[Any]:
    inner = each.values() if isinstance(each, dict) else each[:16] if isinstance(each, list) else ()
    return [member for member in inner if isinstance(member, (dict, list))]


def _has(row: Any, wanted: set[str]) -> bool:
    if not isinstance(row, (dict, list)):
        return False
    try:
        for name in wanted:
            _ = _value(row, name)
    except (KeyError, IndexError, ValueError, TypeError):
        return False
    return True


def _side_by_side(each: Any, wanted: set[str]) -> list[Any] | None:
    """Return lists of equal length, one a column, as rows."""
    if not isinstance(each, dict) or not wanted or not wanted <= set(each):
        return None
    columns = [each[name] for name in wanted]
    if not all(isinstance(column, list) for column in columns) or len({*map(len, columns)}) != 1:
        return None
    return [dict(zip(wanted, values, strict=True)) for values in zip(*columns, strict=True)]


def _whole(entry: Entry) -> bytes:
    parts: list[bytes] = []
    held = 0
    try:
        for chunk in entry.chunks:
            held += len(chunk)
            if held > _LARGEST:
                why = f"expected a document of at most {_LARGEST:,} bytes; write it as JSON lines"
                raise DataError(entry.name, 1, why)
            parts.append(chunk)
    except BrokenError as why:
        raise DataError(entry.name, 1, f"expected a whole document: {why}") from why
    return b"".join(parts).removeprefix(b"\xef\xbb\xbf")


def _outline(document: Any, depth: int = 0) -> str:
    """Return a short outline of a document."""
    if isinstance(document, dict):
        if depth > 1:
            return "{...}"
        inner = (f"{k}: {_outline(v, depth + 1)}" for k, v in list(document.items())[:8])
        return "{" + ", ".join(inner) + "}"
    if isinstance(document, list):
        return f"[{_outline(document[0], depth + 1)}, ...]" if document else "[]"
    return type(document).__name__
