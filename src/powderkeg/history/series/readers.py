"""Reads series as normalized tables: units, sides, times; counts foreign and bad rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from powderkeg.errors import DataError
from powderkeg.events import HOUR, MINUTE, SECOND, Times
from powderkeg.history.files.arrow import MAGIC, read_arrow
from powderkeg.history.files.cells import Array, Type
from powderkeg.history.files.columns import Columns, Layout, read_csv, read_jsonl
from powderkeg.history.files.containers import Entry, entries
from powderkeg.history.files.documents import is_lines, read_arrays, read_document
from powderkeg.history.files.lines import whole_lines
from powderkeg.history.files.timestamps import EARLIEST, in_name
from powderkeg.history.series.identity import is_own, symbol_column
from powderkeg.history.series.ordering import ordered
from powderkeg.history.series.report import UNFORESEEN, UNREADABLE_FILE, ReadReport
from powderkeg.history.series.table import Table
from powderkeg.history.sources import KINDS, NAME, RatioColumn, Series, Source

_OWN_SYMBOLS = {"positions", "fills", "ledger", "liquidated"}
"""Kinds whose rows name the coin themselves."""
_TEXT = {"side", "holder", "account", "coin"}
_BUY = {"b", "buy", "bid", "buyer", "long", "1"}
_SELL = {"a", "s", "sell", "ask", "seller", "short", "-1"}


def _above_zero(values: Array) -> Array:
    return (values > 0) & np.isfinite(values)


def _amount(values: Array) -> Array:
    return (values >= 0) & np.isfinite(values)


def _share(values: Array) -> Array:
    return (values >= 0) & (values <= 1)


def _amount_or_none(values: Array) -> Array:
    return _amount(values) | np.isnan(values)


_AMOUNT = ("is not an amount", _amount)
_RULES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    **dict.fromkeys(
        ("price", "open", "high", "low", "close", "entry"), ("is not a price above 0", _above_zero)
    ),
    **dict.fromkeys(("volume", "buy"), ("is not an amount", _amount_or_none)),
    **dict.fromkeys(("long", "short"), _AMOUNT),
    **dict.fromkeys(KINDS["ratios"].one_of, ("is not a share from 0 to 1", _share)),
    **dict.fromkeys(("side", "holder"), ("is no word for a side", lambda v: ~np.isnan(v))),
    "size": ("is not an amount above 0", _above_zero),
    "rate": ("is not a fraction between -1 and 1", lambda v: np.abs(v) < 1),
}


Progress = Callable[[int], None]


def read(series: Series, source: Source, report: ReadReport, advance: Progress) -> Iterator[Table]:
    """Return the rows of a series in order of time, each once.

    A file that cannot be read is skipped and reported; where none can be read it is an error.

    Raises:
        ConfigError: A file is missing.
        DataError: No file matches the source file.
    """
    yield from ordered(_rows(series, source, report, advance), series, report)


def wanted(series: Series) -> dict[str, Type]:
    """Return the columns to read of a file, by its own names, with their types."""
    out: dict[str, Type] = {}
    for field, column in series.columns.items():
        if isinstance(column, RatioColumn):
            out[column.of] = out[column.by] = "float"
        elif isinstance(column, str):
            kind = "float" if series.kind == "ratios" else _type(field)
            # one column may be a size whose sign is the side
            out[column] = "float" if out.get(column) == "float" else kind
    if series.time is not None and series.time.column != NAME:
        out[series.time.column] = "stamp"
    for name in series.where:
        _ = out.setdefault(name, "text")
    return out


def _type(field: str) -> Type:
    if field in _TEXT:
        return "text"
    if field in {"maker", "taker", "bankruptcy"}:
        return "flag"
    return "levels" if field in {"bids", "asks"} else "id" if field == "id" else "float"


def _rows(series: Series, source: Source, report: ReadReport, advance: Progress) -> Iterator[Table]:
    failed: list[DataError] = []
    good = False
    for path in source.files(series):
        try:
            for table in _tables_in(path, series, report, advance, failed):
                good = True
                yield table
        except DataError as why:
            failed.append(why)
    if failed and not good:
        raise failed[0]
    for why in failed:
        report.reject(why.file, why.line, UNREADABLE_FILE, str(why.why))


def _tables_in(
    path: Path, series: Series, report: ReadReport, advance: Progress, failed: list[DataError]
) -> Iterator[Table]:
    """Return the rows of a file; a table in it that cannot be read is added to `failed`."""
    for entry in entries(path, advance, report.reject):
        try:
            for part in columns_in(entry, series, report):
                if len(part.lines):
                    yield normalize(part, series, report)
        except DataError as why:
            failed.append(why)
        except UNFORESEEN as why:  # of an unforeseen form: skipped and reported
            failed.append(DataError(entry.name, 0, f"expected a readable table: {why!r}"))


def columns_in(entry: Entry, series: Series, report: ReadReport) -> Iterator[Columns]:
    """Return the columns of one stored table, by the format its first bytes show.

    Raises:
        DataError: It does not match the source file.
    """
    day_first = series.time.day_first if series.time else None
    free = series.kind not in _OWN_SYMBOLS
    layout = Layout(wanted(series), series.names, day_first, symbols=free)
    head = entry.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if entry.head.startswith(MAGIC):
        return read_arrow(entry, layout, report)
    if head == b"{" and is_lines(entry.head):
        return read_jsonl(whole_lines(entry, report.reject), layout, report)
    if head == b"[" and is_lines(entry.head):
        return read_arrays(entry, layout, report)
    if head in {b"[", b"{"}:
        return read_document(entry, layout, report)
    if "levels" in layout.wanted.values():
        raise DataError(entry.name, 1, "expected a book as JSON, found a table of text")
    return read_csv(whole_lines(entry, report.reject), layout, report)


def normalize(part: Columns, series: Series, report: ReadReport) -> Table:
    """Return one block in our units, without rows of other markets and invalid rows.

    Raises:
        DataError: No stamp of the block is a time.
    """
    keep = np.ones(len(part.lines), np.bool_)
    for name, value in series.where.items():
        keep &= _equal(part.data[name], value)
    part = _own(_picked(part, keep), series, report)
    times = _times(part, series)
    columns = {name: _value(name, part, series) for name in series.columns}
    table = Table(times, _named(columns, series), part.lines, part.file)
    return _possible(table, series, report)


def _picked(part: Columns, keep: Array) -> Columns:
    if keep.all():
        return part
    data = {name: column[keep] for name, column in part.data.items()}
    return Columns(part.file, part.lines[keep], data)


def _own(part: Columns, series: Series, report: ReadReport) -> Columns:
    """Return the rows of this market, where a column names it; the others are counted."""
    name = symbol_column(part.data) if series.kind not in _OWN_SYMBOLS else ""
    if not name or name in series.where or name in series.columns.values():
        return part
    words, places = np.unique(part.data[name].astype(str), return_inverse=True)
    own = is_own(words.tolist(), series)
    keep = own[places]
    for n in np.flatnonzero(~own).tolist():
        lines = part.lines[places == n]
        why = f"{name} = {words[n]} where {series.market} is asked for"
        report.reject(part.file, int(lines[0]), "foreign market", why, len(lines))
    return _picked(part, keep)


def _equal(column: Array, value: bool | float | str) -> Array:
    """Return which rows have a value; ``true`` and ``True``, ``1`` and ``1.0`` are one."""
    if isinstance(value, str) or column.dtype != object:
        return column == value
    if isinstance(value, bool):
        return np.array([text.lower() == str(value).lower() for text in column], np.bool_)
    return np.array([_number(text) == value for text in column], np.bool_)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _times(part: Columns, series: Series) -> Times:
    """Return when each row is known."""
    time, n = series.time, len(part.lines)
    if time is None or not n:
        return np.empty(0, np.int64)
    if time.column == NAME:
        times = np.full(n, in_name(part.file), np.int64)
    else:
        times = part.data[time.column]
    if time.column == NAME and times[0] < EARLIEST:
        why = "expected a time in the file's name, such as 20260829T0534 or 1788000000"
        raise DataError(part.file, 1, why)
    return times + series.length if time.means == "from" else times


def _value(name: str, part: Columns, series: Series) -> Array:
    """Return one column of our own, in our units."""
    column, n = series.columns[name], len(part.lines)
    if isinstance(column, RatioColumn):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = part.data[column.of] / part.data[column.by]
    elif isinstance(column, str):
        values = part.data[column]
    else:
        values = np.full(n, column)
    unit = series.unit.get(name, "base")
    if unit in {"base", "fraction", "share", "quote"} and not unit.startswith("quote"):
        return values
    if unit == "percent":
        return values / 100
    if unit == "ratio":
        return values / (1 + values)
    if unit in {"h", "m", "s"}:
        return values * {"h": HOUR, "m": MINUTE, "s": SECOND}[unit]
    kind, _, by = unit.partition(":")
    values = values * float(by or 1)
    price = next((each for each in ("price", "close", "entry") if each in series.columns), "")
    if kind == "contracts" or not price:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return values / _value(price, part, series)


def _named(columns: dict[str, Array], series: Series) -> dict[str, Array]:
    """Return the columns with sides as signs: +1 taker buy or long, -1 the opposite."""
    for name in ("side", "holder", "maker"):
        if name not in columns:
            continue
        values = columns.pop(name)
        if values.dtype.kind == "f":  # a sign: of the size itself, or of a column of its own
            columns[name] = np.where(values == 0, np.nan, np.sign(values))
            if series.columns[name] == series.columns.get("size"):
                columns["size"] = np.abs(columns["size"])
            continue
        if name == "maker":  # the buyer made the price, so a seller took it
            columns["side"] = np.where(values.astype(np.bool_), -1.0, 1.0)
            continue
        words, where = np.unique(values.astype(str), return_inverse=True)
        signs = [_sign(word) for word in words.tolist()]
        columns[name] = np.array(signs)[where]
    return columns


def _sign(word: str) -> float:
    word = word.strip().lower()
    return 1.0 if word in _BUY else -1.0 if word in _SELL else float("nan")


def _possible(table: Table, series: Series, report: ReadReport) -> Table:
    """Drop rows with impossible values."""
    keep = np.ones(len(table.lines), np.bool_)

    def require(good: Array, reason: str, values: Array) -> None:
        wrong = np.flatnonzero(keep & ~good)
        if len(wrong):
            first = int(wrong[0])
            line, found = int(table.lines[first]), f"found {values[first]}"
            report.reject(table.file, line, reason, found, len(wrong))
            keep[wrong] = False

    for name, values in table.columns.items():
        rule = _rule(name, series.kind)
        if rule:
            require(rule[1](values), f"{name} {rule[0]}", values)
    if series.kind == "candles":
        bar = table.columns
        top, bottom = np.maximum(bar["open"], bar["close"]), np.minimum(bar["open"], bar["close"])
        require(bar["high"] >= top, "high is below open or close", bar["high"])
        require(bar["low"] <= bottom, "low is above open or close", bar["low"])
    return table if keep.all() else table.where(keep)


def _rule(name: str, kind: str) -> tuple[str, Callable[[Array], Array]] | None:
    """Return the rule of a column and its test; None where there is none."""
    if kind == "positions" and name in _RULES and name != "side":
        return _AMOUNT if name == "size" else None
    return _AMOUNT if kind == "open_interest" and name == "size" else _RULES.get(name)
