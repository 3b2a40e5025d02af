"""Blocks of text as columns: CSV by arrow, JSON lines by msgspec, and row by row where that fails.

The fast way reads a whole block typed. Only if a block does not fit its types is it read again row
by row, so that each bad row can be named by file and line and the good ones kept.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from powderkeg.errors import DataError
from powderkeg.events import Times
from powderkeg.history.lines import Block

Type: TypeAlias = Literal["float", "int", "text", "flag", "iso", "id", "levels"]
Array: TypeAlias = NDArray[Any]

_NOTES = 50
"""Notes kept; the counts go on."""
_HUGE = 2**62
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


@dataclass
class Report:
    """What a read met: rows kept, rows left out by reason, first notes with file and line."""

    rows: int = 0
    bad: dict[str, int] = field(default_factory=dict[str, int])
    notes: list[str] = field(default_factory=list[str])
    assumed: int = 0
    """Bars whose volume is assumed, see `history.volumes`. They are kept, and counted here."""

    def complain(self, file: str, line: int, reason: str, detail: str, rows: int = 1) -> None:
        """Count rows that were left out, and note the first ones."""
        if reason not in self.bad or len(self.notes) < _NOTES:
            self.notes.append(f"{file}:{line}: {reason}: {detail}")
        self.bad[reason] = self.bad.get(reason, 0) + rows


class Columns(NamedTuple):
    """Rows of one block."""

    file: str
    lines: Times
    """Line numbers, shape (n,)."""
    data: dict[str, Array]
    """By the file's own column names, each of shape (n,). Numbers that are missing are NaN."""


def read_csv(
    text: Iterator[Block], wanted: dict[str, Type], report: Report, names: tuple[str, ...] = ()
) -> Iterator[Columns]:
    """Return the wanted columns of CSV text.

    Args:
        text: Blocks; each file's first one begins with its header line.
        wanted: Types by column name.
        report: Told of every row that is left out.
        names: The columns of files that may lack a header line.

    Raises:
        DataError: A column is missing; the header line is named.
    """
    header, file = names, ""
    for block in text:
        here = block
        if block.file != file:
            file = block.file
            header, here = _header(block, names, wanted)
        if here.data:
            yield _typed_csv(here, header, wanted) or _rows_csv(here, header, wanted, report)


def read_jsonl(text: Iterator[Block], wanted: dict[str, Type], report: Report) -> Iterator[Columns]:
    """Return the wanted keys of JSON lines.

    Raises:
        DataError: The first line of a file lacks a key, or is no object.
    """
    fields = [(f"f{n}", _JSON[kind]) for n, kind in enumerate(wanted.values())]
    rename = {f"f{n}": name for n, name in enumerate(wanted)}
    row = msgspec.defstruct("Row", fields, rename=rename, gc=False)
    decoder = msgspec.json.Decoder(row, strict=False)
    for block in text:
        lines = np.arange(block.line, block.line + block.data.count(b"\n") + 1, dtype=np.int64)
        try:
            rows = decoder.decode_lines(block.data)
            if len(rows) == len(lines) - block.data.endswith(b"\n"):
                lines = lines[: len(rows)]
            else:  # blank lines: numbers must be told one by one
                rows, lines = _rows_json(block, decoder, report)
        except (msgspec.MsgspecError, ValueError):
            rows, lines = _rows_json(block, decoder, report)
        data = {
            name: _array(list(map(attrgetter(f"f{n}"), rows)), kind)
            for n, (name, kind) in enumerate(wanted.items())
        }
        yield Columns(block.file, lines, data)


_JSON: dict[Type, Any] = {
    "float": float | None,
    "int": Annotated[int, msgspec.Meta(gt=-_HUGE, lt=_HUGE)],
    "text": str | bool | int | float | None,
    "flag": bool,
    "iso": str,
    "id": str | int,
    "levels": tuple[tuple[float, float], ...],
}
_ARROW: dict[Type, pa.DataType] = {
    "float": pa.float64(),
    "int": pa.int64(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "flag": pa.bool_(),
    "iso": pa.string(),
    "id": pa.int64(),
}


def _header(
    block: Block, names: tuple[str, ...], wanted: dict[str, Type]
) -> tuple[tuple[str, ...], Block]:
    """Return the column names of a file and its first block without them."""
    end = block.data.find(b"\n") + 1 or len(block.data)
    first = block.data[:end].decode("utf-8-sig", "replace")
    found = tuple(cell.strip() for cell in next(csv.reader([first]), [""]))
    if names and found[0] != names[0]:
        found, body = names, block
    else:
        body = Block(block.file, block.line + 1, block.data[end:])
    missing = [name for name in wanted if name not in found]
    if missing:
        why = f"expected a column {missing[0]!r}, found {', '.join(found)}"
        raise DataError(block.file, block.line, why)
    return found, body


def _typed_csv(block: Block, header: tuple[str, ...], wanted: dict[str, Type]) -> Columns | None:
    """Return a block read as typed columns, None where a value does not fit its type."""
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.data),
            arrow_csv.ReadOptions(
                use_threads=False, column_names=list(header), block_size=len(block.data) + 1
            ),
            arrow_csv.ParseOptions(ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                include_columns=list(wanted),
                column_types={name: _ARROW[kind] for name, kind in wanted.items()},
                true_values=["true", "True", "TRUE", "1"],
                false_values=["false", "False", "FALSE", "0"],
            ),
        )
    except (pa.ArrowInvalid, KeyError):
        return None
    columns = {name: table.column(name).combine_chunks() for name in wanted}
    if any(columns[name].null_count for name in wanted if wanted[name] != "float"):
        return None
    lines = np.arange(block.line, block.line + table.num_rows, dtype=np.int64)
    return Columns(block.file, lines, {name: _numpy(each) for name, each in columns.items()})


def _numpy(column: Any) -> Array:
    if pa.types.is_dictionary(column.type):
        words = np.array([*column.dictionary.to_pylist(), ""], object)
        return words[column.indices.to_numpy(zero_copy_only=False)]
    return column.to_numpy(zero_copy_only=False)


def _rows_csv(
    block: Block, header: tuple[str, ...], wanted: dict[str, Type], report: Report
) -> Columns:
    """Return a block read row by row; rows that do not fit are reported."""
    places: list[tuple[str, int, Type]] = [
        (name, header.index(name), kind) for name, kind in wanted.items()
    ]
    good: list[list[Any]] = [[] for _ in places]
    lines: list[int] = []
    for line, raw in enumerate(block.rows(), block.line):
        try:
            cells = _cells(raw, len(header))
            row = [_CELL[kind](cells[place]) for _, place, kind in places]
        except (ValueError, KeyError, csv.Error) as why:
            report.complain(block.file, line, "unreadable row", f"{why} in {raw[:120]!r}")
            continue
        lines.append(line)
        for column, value in zip(good, row, strict=True):
            column.append(value)
    data = {name: _array(good[n], kind) for n, (name, _, kind) in enumerate(places)}
    return Columns(block.file, np.array(lines, np.int64), data)


def _rows_json(
    block: Block, decoder: msgspec.json.Decoder[Any], report: Report
) -> tuple[list[Any], Times]:
    """Return rows decoded one by one, with their line numbers; bad ones are reported."""
    rows: list[Any] = []
    lines: list[int] = []
    for line, raw in enumerate(block.rows(), block.line):
        try:
            rows.append(decoder.decode(raw))
            lines.append(line)
        except (msgspec.MsgspecError, ValueError) as why:
            if line == 1 and "missing required field" in str(why):
                raise DataError(block.file, 1, f"{why} in {raw[:160]!r}") from why
            report.complain(block.file, line, "unreadable row", f"{why} in {raw[:120]!r}")
    return rows, np.array(lines, np.int64)


def _cells(raw: bytes, expected: int) -> list[str]:
    cells: list[str] = next(csv.reader([raw.decode("utf-8")]), [])
    if len(cells) != expected:
        raise ValueError(f"expected {expected} columns, found {len(cells)}")
    return cells


def _flag(text: str) -> bool:
    return _FLAGS[text.strip().lower()]


def _float(text: str) -> float:
    return float(text) if text.strip() not in {"", "null", "None", "NaN", "nan"} else float("nan")


def _whole(text: str) -> int:
    value = int(text) if text.strip().lstrip("-").isdigit() else float(text)
    if not (abs(value) < _HUGE and value == int(value)):
        raise ValueError(f"expected a whole number, found {text}")
    return int(value)


_CELL: dict[Type, Callable[[str], Any]] = {
    "float": _float,
    "int": _whole,
    "text": str,
    "flag": _flag,
    "iso": lambda text: _micros(text) and text,
    "id": lambda text: int(text) if text.isdigit() and len(text) < 19 else text,
}


def _array(values: list[Any], kind: Type) -> Array:
    if kind == "float":
        return np.array(values, np.float64)
    if kind == "int":
        return np.array(values, np.int64)
    if kind == "flag":
        return np.array(values, np.bool_)
    if kind == "id" and all(isinstance(value, int) and value < _HUGE for value in values):
        return np.array(values, np.int64)
    if kind in {"text", "id"}:  # ids of one kind, so that they can be ordered
        values = ["" if value is None else str(value) for value in values]
    out = np.empty(len(values), object)
    out[:] = values
    return out


def micros(texts: Array) -> Times:
    """Return ISO times as µs; a time without a zone is UTC."""
    return np.array([_micros(text) for text in texts], np.int64)


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text.strip())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
