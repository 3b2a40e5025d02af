"""Blocks of text as columns: CSV by arrow, JSON lines by msgspec, and row by row where that fails.

The fast way reads a whole block typed. Only if a block does not fit its types is it read again row
by row, so that each bad row can be named by file and line and the good ones kept. How a file writes
its table is detected by its own first lines, see `files.dialect`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from powderkeg.errors import DataError
from powderkeg.events import Times
from powderkeg.history.files.cells import CELL, Array, Levels, Type, array, pointed
from powderkeg.history.files.dialect import Dialect, cells, sniff
from powderkeg.history.files.lines import Block
from powderkeg.history.files.timestamps import EARLIEST, LATEST, may_be_both, of_numbers, of_texts
from powderkeg.history.series.identity import symbol_column
from powderkeg.history.series.report import ReadReport

_SNIFFED = 1 << 16
_HEAD = 50
"""Lines a header is looked for in."""


class Columns(NamedTuple):
    """Rows of one block."""

    file: str
    lines: Times
    """Line numbers, shape (n,)."""
    data: dict[str, Array]
    """By the file's own column names, each of shape (n,). Numbers that are missing are NaN, stamps
    that are none `NO_TIME`."""


class Layout(NamedTuple):
    """Which columns to read of files, and what is known of them beforehand."""

    wanted: dict[str, Type]
    names: tuple[str, ...] = ()
    """The columns of files that may lack a header line."""
    day_first: bool | None = None
    """Whether 01/02/2025 is 1 February; None asks the file."""
    symbols: bool = False
    """Whether to read a column that names the market, where there is one."""

    def of(self, names: Iterable[str]) -> Layout:
        """Return the layout for a file that has these columns."""
        symbol = symbol_column(names) if self.symbols else ""
        text: Type = "text"
        if not symbol or symbol in self.wanted:
            return self
        return self._replace(wanted={**self.wanted, symbol: text})


def read_csv(text: Iterator[Block], layout: Layout, report: ReadReport) -> Iterator[Columns]:
    """Return the wanted columns of CSV text, which may come from several files.

    Raises:
        DataError: A column is missing; the header line is named. A date can be read in two ways.
    """
    file, reader = "", None
    for block in text:
        here = block
        if block.file != file or reader is None:
            file = block.file
            reader, here = _Reader.of(block, layout)
        if here.data:
            yield reader.read(here, report)


class _Reader(NamedTuple):
    """How one file is read."""

    dialect: Dialect
    header: tuple[str, ...]
    wanted: dict[str, Type]
    """Without the constants in the lines above the header."""
    layout: Layout
    day_first: bool | None

    @classmethod
    def of(cls, block: Block, layout: Layout) -> tuple[_Reader, Block]:
        """Return the reader of a file, and its first block without what stands above the rows."""
        dialect = sniff(block.data[:_SNIFFED], layout.wanted)
        header, first = dialect.names, dialect.first
        if dialect.header is None:
            header = _without_header(block, dialect, layout)
            first = 0
        layout = layout.of(header)
        constants = {name: dialect.constants[name] for name in layout.wanted if name not in header}
        wanted: dict[str, Type] = {n: k for n, k in layout.wanted.items() if n not in constants}
        body = _below(block, first)
        stamps = [name for name, kind in wanted.items() if kind == "stamp"]
        day_first = layout.day_first
        if day_first is None and stamps and body.data:
            day_first = _day_first(body, dialect, header.index(stamps[0]))
        return cls(dialect, header, wanted, layout, day_first), body

    def read(self, block: Block, report: ReadReport) -> Columns:
        """Return the columns of a block; rows that do not fit are reported."""
        found = self._typed(block) or self._row_by_row(block, report)
        self._add_constants(found)
        stamp = next((name for name, kind in self.wanted.items() if kind == "stamp"), "")

        def text(place: int) -> str:
            if not stamp:
                return str(self.dialect.constants)
            raw = block.rows()[int(found.lines[place]) - block.line].decode("utf-8", "replace")
            return cells(raw, self.dialect.delimiter)[self.header.index(stamp)]

        return timed(found, self.layout, report, text, start=block.line <= self.dialect.first + 1)

    def _add_constants(self, found: Columns) -> None:
        """Add the constants above the header, the same for every row."""
        n = len(found.lines)
        for name, kind in self.layout.wanted.items():
            if name not in found.data:
                value = CELL[kind](self.dialect.constants[name])
                found.data[name] = self._stamped(array([value] * n, kind), kind)

    def _typed(self, block: Block) -> Columns | None:
        """Return a block read as typed columns, None where a value does not fit its type."""
        for types in (_ARROW, _AS_TEXT):
            columns = self._arrow(block, types)
            if columns is not None:
                lines = np.arange(block.line, block.line + len(columns[0]), dtype=np.int64)
                data = {
                    name: self._stamped(_numpy(column), self.wanted[name])
                    for name, column in zip(self.wanted, columns, strict=True)
                }
                return Columns(block.file, lines, data)
        return None

    def _arrow(self, block: Block, types: dict[Type, Any]) -> list[Any] | None:
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block.data),
                arrow_csv.ReadOptions(
                    use_threads=False,
                    column_names=[f"{n}" for n in range(len(self.header))],
                    block_size=len(block.data) + 1,
                ),
                arrow_csv.ParseOptions(delimiter=self.dialect.delimiter, ignore_empty_lines=False),
                arrow_csv.ConvertOptions(
                    include_columns=[str(self.header.index(name)) for name in self.wanted],
                    column_types={
                        str(self.header.index(name)): types[kind]
                        for name, kind in self.wanted.items()
                    },
                    true_values=["true", "True", "TRUE", "1"],
                    false_values=["false", "False", "FALSE", "0"],
                    decimal_point=self.dialect.decimal,
                ),
            )
        except (pa.ArrowInvalid, KeyError):
            return None
        columns = [column.combine_chunks() for column in table.columns]
        missing = [
            c.null_count for c, k in zip(columns, self.wanted.values(), strict=True) if k != "float"
        ]
        return None if any(missing) else columns

    def _row_by_row(self, block: Block, report: ReadReport) -> Columns:
        """Return a block read row by row; rows that do not fit are reported."""
        places: list[tuple[int, Type]] = [
            (self.header.index(name), kind) for name, kind in self.wanted.items()
        ]
        good: list[list[Any]] = [[] for _ in places]
        lines: list[int] = []
        for line, raw in enumerate(block.rows(), block.line):
            try:
                row = _cells(raw, len(self.header), self.dialect)
                values = [CELL[kind](row[place]) for place, kind in places]
            except (ValueError, KeyError, csv.Error) as why:
                report.reject(block.file, line, "unreadable row", f"{why} in {raw[:120]!r}")
                continue
            lines.append(line)
            for column, value in zip(good, values, strict=True):
                column.append(value)
        data = {
            name: self._stamped(array(good[n], kind), kind)
            for n, (name, kind) in enumerate(self.wanted.items())
        }
        return Columns(block.file, np.array(lines, np.int64), data)

    def _stamped(self, values: Array, kind: Type) -> Array:
        return stamped(values, self.day_first) if kind == "stamp" else values


def timed(
    part: Columns,
    layout: Layout,
    report: ReadReport,
    found: Callable[[int], object],
    *,
    start: bool,
) -> Columns:
    """Return the rows that have a time; the others are reported with what was found instead.

    Args:
        part: Rows.
        layout: Which of its columns is the stamp.
        report: Collects rows without a time.
        found: Returns what stands in the file for the stamp of a row, by the row's place.
        start: Whether these are the first rows of a file.

    Raises:
        DataError: None of the first rows has a time.
    """
    name = next((name for name, kind in layout.wanted.items() if kind == "stamp"), "")
    if not name:
        return part
    wrong = (part.data[name] < EARLIEST) | (part.data[name] >= LATEST)
    if not wrong.any():
        return part
    first = int(np.flatnonzero(wrong)[0])
    why = f"expected {name} to be a time from 2009 to 2100, found {str(found(first))[:80]!r}"
    if start and wrong.all():
        raise DataError(part.file, int(part.lines[first]), why)
    report.reject(part.file, int(part.lines[first]), "no time", why, int(wrong.sum()))
    data = {key: column[~wrong] for key, column in part.data.items()}
    return Columns(part.file, part.lines[~wrong], data)


def stamped(values: Array, day_first: bool | None = None) -> Times:
    """Return a column of stamps, in whatever form, as µs."""
    if values.dtype.kind == "M":
        return values.astype("M8[us]").astype(np.int64)
    if values.dtype.kind in "iuf":
        return of_numbers(values)
    return of_texts(values, day_first=day_first)


def _without_header(block: Block, dialect: Dialect, layout: Layout) -> tuple[str, ...]:
    """Return the names of a file without a header line: those declared, for as many as it has."""
    width, declared = len(dialect.names), layout.names
    if width == len(declared) - 1 and "symbol" in declared:  # later archives leave it out
        declared = tuple(name for name in declared if name != "symbol")
    if declared and width >= len(declared):
        return declared + dialect.names[len(declared) :]
    if not declared and all(name in dialect.names for name in layout.wanted):
        return dialect.names
    lines = [row[:200].decode("utf-8", "replace") for row in _below(block, 0).rows()[:_HEAD]]
    found = max(lines, key=lambda line: sum(name in line for name in layout.wanted))
    found = "".join(letter if letter.isprintable() else "?" for letter in found)
    known = {*dialect.constants, *(name.strip() for name in cells(found, dialect.delimiter))}
    missing = next((name for name in layout.wanted if name not in known), "")
    if declared:
        why = f"expected {len(declared)} columns, found {width} in {found}"
    else:
        why = f"expected a column {missing!r}, found {found}"
    raise DataError(block.file, block.line, why)


def _below(block: Block, lines: int) -> Block:
    """Return a file's first block without its first lines, nor a byte order mark."""
    data = block.data.removeprefix(b"\xef\xbb\xbf")
    cut = 0
    for _ in range(lines):
        cut = data.find(b"\n", cut) + 1 or len(data)
    return Block(block.file, block.line + lines, data[cut:])


def _day_first(block: Block, dialect: Dialect, place: int) -> bool | None:
    """Return whether the day comes first in the dates of a file.

    Raises:
        DataError: It is ambiguous.
    """
    rows = (cells(row.decode("utf-8", "replace"), dialect.delimiter) for row in block.rows())
    texts = np.array([row[place] for row in rows if len(row) > place], object)
    first, unsure = may_be_both(texts)
    if unsure:
        why = f"{unsure} may be two days: say time.day_first = true or false"
        raise DataError(block.file, block.line, why)
    return first


def read_jsonl(text: Iterator[Block], layout: Layout, report: ReadReport) -> Iterator[Columns]:
    """Return the wanted keys of JSON lines.

    Raises:
        DataError: The first line of a file lacks a key, or is no object.
    """
    first = next(text, None)
    if first is None:
        return
    layout = layout.of(_keys(first))
    wanted = layout.wanted
    fields = [(f"f{n}", _JSON[kind]) for n, kind in enumerate(wanted.values())]
    rename = {f"f{n}": name for n, name in enumerate(wanted)}
    row = msgspec.defstruct("Row", fields, rename=rename, gc=False)
    decoder = msgspec.json.Decoder(row, strict=False)
    for block in chain((first,), text):
        lines = np.arange(block.line, block.line + block.data.count(b"\n") + 1, dtype=np.int64)
        try:
            rows = decoder.decode_lines(block.data)
            if len(rows) == len(lines) - block.data.endswith(b"\n"):
                lines = lines[: len(rows)]
            else:  # blank lines: line numbers must be found one by one
                rows, lines = _rows_json(block, decoder, report)
        except (msgspec.MsgspecError, ValueError):
            rows, lines = _rows_json(block, decoder, report)
        data: dict[str, Array] = {}
        for n, (name, kind) in enumerate(wanted.items()):
            values = array(list(map(attrgetter(f"f{n}"), rows)), kind)
            data[name] = stamped(values, layout.day_first) if kind == "stamp" else values
        part = Columns(block.file, lines, data)
        yield timed(part, layout, report, _raw_of(block, lines), start=block.line == 1)


def _raw_of(block: Block, lines: Times) -> Callable[[int], str]:
    return lambda place: block.rows()[int(lines[place]) - block.line].decode("utf-8", "replace")


def _keys(block: Block) -> list[str]:
    """Return the keys of the first line, none where it is no object."""
    try:
        return list(msgspec.json.decode(block.rows()[0], type=dict[str, Any]))
    except (msgspec.MsgspecError, ValueError):
        return []


_JSON: dict[Type, Any] = {
    "float": float | None,
    "text": str | bool | int | float | None,
    "flag": bool,
    "stamp": int | float | str,
    "id": str | int | None,
    "levels": Levels,
}
_ARROW: dict[Type, Any] = {
    "float": pa.float64(),
    "text": pa.dictionary(pa.int32(), pa.string()),
    "flag": pa.bool_(),
    "stamp": pa.int64(),
    "id": pa.int64(),
}


_AS_TEXT: dict[Type, Any] = {**_ARROW, "stamp": pa.string(), "id": pa.string()}


def _numpy(column: Any) -> Array:
    if pa.types.is_dictionary(column.type):
        words = np.array([*column.dictionary.to_pylist(), ""], object)
        return words[column.indices.to_numpy(zero_copy_only=False)]
    return column.to_numpy(zero_copy_only=False)


def _rows_json(
    block: Block, decoder: msgspec.json.Decoder[Any], report: ReadReport
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
            report.reject(block.file, line, "unreadable row", f"{why} in {raw[:120]!r}")
    return rows, np.array(lines, np.int64)


def _cells(raw: bytes, expected: int, dialect: Dialect) -> list[str]:
    row: list[str] = next(csv.reader([raw.decode("utf-8")], delimiter=dialect.delimiter), [])
    if len(row) != expected:
        raise ValueError(f"expected {expected} columns, found {len(row)}")
    if dialect.decimal == ",":
        return [pointed(cell) for cell in row]
    return row
