"""Parquet, Feather and Arrow files as columns, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from pyarrow import feather, parquet

from powderkeg.errors import DataError
from powderkeg.history.files.cells import Array, Type, array, cell
from powderkeg.history.files.columns import Columns, Layout, stamped, timed
from powderkeg.history.files.containers import Entry
from powderkeg.history.series.report import ReadReport

pc: Any = pyarrow.compute  # its functions are made when it is imported

MAGIC = (b"PAR1", b"ARROW1", b"FEA1")
"""First bytes of Parquet, of Arrow's file format (Feather 2), and of Feather 1."""
_ROWS = 1 << 17
_LARGEST = 1 << 28
"""Bytes of a packed file of these kinds: they pack themselves, and must be in memory as a whole."""


def read_arrow(entry: Entry, layout: Layout, report: ReadReport) -> Iterator[Columns]:
    """Return the wanted columns of a Parquet, Feather or Arrow file.

    Raises:
        DataError: The file is broken, or lacks a column.
    """
    row = 1
    try:
        for batch in _batches(entry, layout):
            names = layout.of(batch.schema.names)
            yield _columns(entry.name, row, batch, names, report)
            row += batch.num_rows
    except (pa.ArrowException, OSError) as why:
        raise DataError(entry.name, row, f"expected a readable file: {why}") from why


def _batches(entry: Entry, layout: Layout) -> Iterator[Any]:
    source = entry.path or pa.BufferReader(_whole(entry))
    if entry.head.startswith(b"PAR1"):
        file = parquet.ParquetFile(source)
        names = _named(entry, layout, file.schema_arrow.names)
        yield from file.iter_batches(_ROWS, columns=names, use_threads=False)
    elif entry.head.startswith(b"FEA1"):
        table = feather.read_table(source)
        names = _named(entry, layout, table.column_names)
        yield from table.select(names).to_batches(_ROWS)
    else:
        with pa.ipc.open_file(source) as reader:
            names = _named(entry, layout, reader.schema.names)
            for n in range(reader.num_record_batches):
                yield reader.get_batch(n).select(names)


def _named(entry: Entry, layout: Layout, found: list[str]) -> list[str]:
    """Return the columns to read of those a file has."""
    for name in layout.wanted:
        if name not in found:
            why = f"expected a column {name!r}, found {', '.join(found[:50])}"
            raise DataError(entry.name, 0, why)
    return list(layout.of(found).wanted)


def _whole(entry: Entry) -> bytes:
    parts: list[bytes] = []
    held = 0
    for chunk in entry.chunks:
        held += len(chunk)
        if held > _LARGEST:
            raise DataError(entry.name, 0, f"expected at most {_LARGEST:,} bytes when packed again")
        parts.append(chunk)
    return b"".join(parts)


def _columns(file: str, row: int, batch: Any, layout: Layout, report: ReadReport) -> Columns:
    """Return a batch as columns; rows with a value that does not fit are reported."""
    data: dict[str, Array] = {}
    keep = np.ones(batch.num_rows, np.bool_)
    for name, kind in layout.wanted.items():
        values, good, why = _column(batch.column(name), kind, layout)
        wrong = np.flatnonzero(keep & ~good)
        if len(wrong):
            report.reject(file, row + int(wrong[0]), "unreadable row", f"{name}: {why}", len(wrong))
        keep &= good
        data[name] = values
    lines = np.arange(row, row + batch.num_rows, dtype=np.int64)
    part = Columns(file, lines[keep], {name: values[keep] for name, values in data.items()})
    stamp = next((name for name, kind in layout.wanted.items() if kind == "stamp"), "")
    places = np.flatnonzero(keep)

    def found(place: int) -> object:
        return batch.column(stamp)[int(places[place])]

    return timed(part, layout, report, found, start=row == 1)


def _column(column: Any, kind: Type, layout: Layout) -> tuple[Array, Array, str]:
    """Return values, which of them are any, and why the first is not."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    all_good = np.ones(len(column), np.bool_)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        micros = pc.cast(column, pa.timestamp("us"), safe=False) if kind == "stamp" else column
        if kind == "stamp":
            return stamped(micros.to_numpy(zero_copy_only=False)), all_good, ""
    if kind == "float" and _is_number(column.type):
        return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), all_good, ""
    if kind in {"stamp", "id"} and pa.types.is_integer(column.type) and not column.null_count:
        values = pc.cast(column, pa.int64(), safe=False).to_numpy(zero_copy_only=False)
        return (stamped(values) if kind == "stamp" else values), all_good, ""
    return _one_by_one(column, kind, layout)


def _is_number(kind: Any) -> bool:
    types: Any = pa.types
    return types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)


def _one_by_one(column: Any, kind: Type, layout: Layout) -> tuple[Array, Array, str]:
    good = np.ones(len(column), np.bool_)
    values: list[Any] = []
    first = ""
    for n, value in enumerate(column.to_pylist()):
        try:
            values.append(cell(value, kind))
        except (ValueError, KeyError, TypeError) as why:
            values.append(
                cell(None, "float") if kind == "float" else False if kind == "flag" else ""
            )
            good[n], first = False, first or f"{why!r} in {value!r}"
    out = array(values, kind)
    return (stamped(out, layout.day_first) if kind == "stamp" else out), good, first
