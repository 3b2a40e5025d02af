"""The head of a stored file: enough to recognise it, and never more than a few MB.

Supported: text tables, JSON (documents or lines), Parquet, Arrow and Feather, recorded frames;
each packed with gzip, bzip2, xz or zstandard, or in a zip. The format is detected by
the first bytes; the name may be wrong.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, TypeAlias

import msgspec
import pyarrow as pa
from pyarrow import parquet

from powderkeg.errors import DataError
from powderkeg.history.files.dialect import Dialect, cells, sniff

_HEAD = 1 << 20
"""Bytes of text read, after unpacking."""
_ROWS = 2_000
_NESTED = 64
"""Levels of brackets that an answer of a venue never has."""
_DEEPEST = 8
FileLayout: TypeAlias = Literal["csv", "json", "jsonl", "arrow", "wire", "other"]


class Peek(NamedTuple):
    """The head of one file."""

    path: Path
    """Relative to the scanned folder: its folders and name add what the rows lack."""
    names: tuple[str, ...]
    """Of the columns; ``"0"``, ``"1"`` and so on where rows have none."""
    rows: list[dict[str, Any]]
    """The first rows by column: text of text files, else values."""
    document: Any = None
    """The head of a JSON document, decoded."""
    form: FileLayout = "csv"
    constants: dict[str, str] = {}  # noqa: RUF012  # never written to
    """Values in comment lines above the rows."""
    inner: str = ""
    """Name of the first file in a zip."""
    what: str = ""
    """A description of a file without usable rows."""

    def column(self, name: str) -> list[Any]:
        """Return the first values of a column, without those that are missing."""
        return [row[name] for row in self.rows if row.get(name) not in (None, "")]


def peek(path: Path, below: Path | None = None) -> Peek:
    """Return the head of a file.

    Args:
        path: The file.
        below: The folder its name is relative to; its own by default.

    Raises:
        DataError: It is not a regular file, is broken from the start, or is empty.
    """
    name = path.relative_to(below) if below else Path(path.name)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(str(name), 1, "expected a regular file")
        return _peek(path, name)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as why:
        raise DataError(str(name), 1, f"cannot be read: {why}") from why
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as why:
        raise DataError(str(name), 1, f"cannot be unpacked: {why}") from why


def _peek(path: Path, name: Path) -> Peek:
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"PAR1"):
        return _table(next(parquet.ParquetFile(path).iter_batches(_ROWS), None), name)
    if start.startswith(b"ARROW1"):
        with pa.memory_map(str(path)) as mapped, pa.ipc.open_file(mapped) as arrow:
            return _table(arrow.get_batch(0) if arrow.num_record_batches else None, name)
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            return Peek(name, (), [], form="other", what=what)
    if start.startswith(b"PK"):
        return _zipped(path, name)
    with _opened(path, start) as file:
        return text_peek(_read(file), name)


_FOREIGN = {
    b"SQLite format 3": "an SQLite database: export its tables as CSV or Parquet",
    b"\x93NUMPY": "a NumPy array: its columns have no names; write them as Parquet or CSV",
    b"\x89HDF": "an HDF5 file: write its tables as Parquet, e.g. pandas read_hdf and to_parquet",
    b"FEA1": "Feather version 1: write it again with pandas to_feather",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save its sheet as CSV",
    b"7z\xbc\xaf": "a 7-Zip archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
}


def _zstd(path: Path) -> Any:
    return pa.input_stream(str(path), compression="zstd")


_PACKED: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"\x28\xb5\x2f\xfd": _zstd,
}


def _opened(path: Path, start: bytes) -> Any:
    for magic, opened in _PACKED.items():
        if start.startswith(magic):
            return opened(path)
    return path.open("rb")


def _read(file: IO[bytes]) -> bytes:
    """Return the first bytes of a file; what is whole before a broken tail is kept."""
    head = bytearray()
    while len(head) < _HEAD:
        try:
            chunk = file.read(min(1 << 16, _HEAD - len(head)))
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            if not head:
                raise
            break
        if not chunk:
            break
        head += chunk
    return bytes(head)


def _zipped(path: Path, name: Path) -> Peek:
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if is_content(n)]
        if not names:
            return Peek(name, (), [], form="other", what="an empty zip")
        if any(n.startswith("xl/") for n in names):
            what = "an Excel workbook: save its sheet as CSV"
            return Peek(name, (), [], form="other", what=what)
        if all(n.endswith(".npy") for n in names):
            return Peek(name, (), [], form="other", what=_NPZ)
        with archive.open(names[0]) as file:
            head = _read(file)
    if head.startswith(b"PAR1"):
        return Peek(name, (), [], form="other", what="Parquet in a zip: unpack it first")
    return text_peek(head, name)._replace(inner=names[0])


_NPZ = (
    "arrays of hftbacktest or NumPy: a book already taken apart, without names of columns; "
    "give the raw feed it was made of (.gz of lines with a stamp and a frame)"
)


def is_content(entry: str) -> bool:
    """Return whether a zip entry is a user's file, not one the system added."""
    parts = entry.split("/")
    return bool(parts[-1]) and not any(p.startswith((".", "__MACOSX")) for p in parts)


def _table(batch: Any, name: Path) -> Peek:
    if batch is None:
        return Peek(name, (), [], form="arrow")
    rows = batch.slice(0, _ROWS).to_pylist()
    return Peek(name, tuple(batch.schema.names), rows, form="arrow")


_WIRE = re.compile(rb"\d{16,19} [\[{]")
_FEED = re.compile(rb"\d{9,10}\.\d+: ?[\[{]")


def text_peek(head: bytes, name: Path) -> Peek:
    """Return the head of a file of text that begins with these bytes."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        return Peek(name, (), [], form="other", what="empty")
    if _WIRE.match(text):
        lines = text.split(b"\n")[:_ROWS]
        rows = [{"stamp": s.decode(), "frame": f} for s, _, f in (e.partition(b" ") for e in lines)]
        return Peek(name, ("stamp", "frame"), rows, form="wire")
    if _FEED.search(text[:4096]):
        return Peek(name, (), [], form="other", what=_CAPTURE)
    if text[:1] in {b"{", b"["}:
        return _json(text, name)
    if b"\0" in text[:4096]:
        return Peek(name, (), [], form="other", what="not text, nor a table we know")
    return _text(head, name)


_CAPTURE = (
    "a raw capture of cryptofeed: its frames have stamps in seconds and several hosts in one file; "
    "frames are read as lines of <ns> <frame>"
)


def _text(head: bytes, name: Path) -> Peek:
    if len(head) >= _HEAD:
        head = head[: head.rfind(b"\n") + 1] or head
    dialect = sniff(head)
    lines = io.StringIO(head.decode("utf-8-sig", "replace"))
    rows: list[dict[str, Any]] = []
    for line in islice(lines, dialect.first, dialect.first + _ROWS):
        row = cells(line.rstrip("\r\n"), dialect.delimiter)
        if len(row) == len(dialect.names):
            rows.append(dict(zip(dialect.names, _plain(row, dialect), strict=True)))
    return Peek(name, dialect.names, rows, constants=dialect.constants)


def _plain(row: list[str], dialect: Dialect) -> list[str]:
    """Return cells with a decimal point."""
    if dialect.decimal == ".":
        return [cell.strip() for cell in row]
    return [
        cell.replace(".", "").replace(",", ".") if re.fullmatch(r"[-+\d.,]+", cell) and "," in cell
        else cell
        for cell in (cell.strip() for cell in row)
    ]  # fmt: skip


def _json(text: bytes, name: Path) -> Peek:
    first, _, rest = text.partition(b"\n")
    if rest.lstrip()[:1] in {b"{", b"["} and (line := _decoded(first)) is not None:
        return _json_lines(text, name, line)
    document = _decoded(text)
    if document is None:
        document = _decoded(closed(text))
    if document is None:
        return Peek(name, (), [], form="other", what="not JSON, though it begins like it")
    rows = rows_of(document)
    return Peek(name, *_named(rows), document=document, form="json")


def _json_lines(text: bytes, name: Path, first: Any) -> Peek:
    lines = text.split(b"\n")[:_ROWS]
    rows = [row for line in lines if (row := _decoded(line)) is not None]
    return Peek(name, *_named(rows), document=first, form="jsonl")


def _named(rows: list[Any]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Return the names of the columns of rows, and the rows by name; those of lists are numbers."""
    named = [
        dict(row) if isinstance(row, dict) else {str(n): value for n, value in enumerate(row)}
        for row in rows[:_ROWS]
        if isinstance(row, (dict, list))
    ]
    return tuple(dict.fromkeys(key for row in named[:50] for key in row)), named


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def closed(head: bytes) -> bytes:
    """Return the beginning of a document cut after its last whole member, with all closed.

    What is nested too deep to be an answer of a venue is returned as it is.
    """
    open_: list[bytes] = []
    whole, behind = 0, b""
    for found in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', head):
        sign = found[0]
        if sign in {b"[", b"{"}:
            open_.append(b"]" if sign == b"[" else b"}")
            if len(open_) > _NESTED:
                return head
        elif sign in {b"]", b"}"} and open_:
            _ = open_.pop()
            whole, behind = found.end(), b"".join(reversed(open_))
    return head[:whole] + behind


def rows_of(document: Any) -> list[Any]:
    """Return the first list of a document whose members are rows; widest level first."""
    level = [document]
    for _ in range(_DEEPEST):
        for each in level:
            if isinstance(each, list) and each and isinstance(each[0], (dict, list)):
                return each
            if rows := _side_by_side(each):
                return rows
        level = [inner for each in level for inner in _members(each)]
    return []


def _members(each: Any) -> list[Any]:
    inner = each.values() if isinstance(each, dict) else each[:16] if isinstance(each, list) else ()
    return [member for member in inner if isinstance(member, (dict, list))]


def _side_by_side(each: Any) -> list[dict[str, Any]]:
    """Return lists of equal length that stand side by side, one a column, as rows."""
    if not isinstance(each, dict):
        return []
    columns = {k: v for k, v in each.items() if isinstance(v, list) and v}
    plain = all(not isinstance(v[0], (dict, list)) for v in columns.values())
    if len(columns) < 2 or not plain or len({len(v) for v in columns.values()}) != 1:
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
