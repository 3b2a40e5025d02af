"""Series as tables: units, sides and times set right, bad rows counted, order and duplicates kept.

Rows up to 5 s out of order are put in place (and counted); later ones are left out. Duplicates are
dropped by a declared id, or by stamp where a row is a reading (open interest, bars ...); equal
prints in a row without an id are real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from powderkeg.errors import ConfigError, DataError
from powderkeg.events import HOUR, MINUTE, SECOND, Floats, Times
from powderkeg.history.columns import (
    Array,
    Columns,
    Report,
    Type,
    micros,
    read_csv,
    read_jsonl,
)
from powderkeg.history.lines import blocks
from powderkeg.history.sources import KINDS, Of, Series, Source

_HOLD = 5 * SECOND
_EARLIEST, _LATEST = 1_230_768_000 * SECOND, 4_102_444_800 * SECOND
"""2009 (the first block) to 2100: a stamp outside is in another unit than declared."""
_UNITS = {"s": SECOND, "ms": 1_000, "us": 1, "ns": 0}
_BY_STAMP = {"open_interest", "funding", "mark", "index", "ratios", "candles", "liquidation_bars"}
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


class Table(NamedTuple):
    """Rows of one series, rising in time."""

    times: Times
    """When a row is known: its stamp, or the end of the bar. µs, shape (n,)."""
    columns: dict[str, Array]
    """By the names of the kind: prices in quote, sizes in base coin, rates as fractions."""
    lines: Times
    file: str

    def where(self, keep: Array | slice) -> Table:
        """Return the rows a mask, an index or a slice picks."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        return Table(self.times[keep], columns, self.lines[keep], self.file)


Progress = Callable[[int], None]


def read(series: Series, source: Source, report: Report, advance: Progress) -> Iterator[Table]:
    """Return the rows of a series in order of time.

    Raises:
        ConfigError: A file is missing, or of a kind that cannot hold these columns.
        DataError: A file is not what the source file says: a column or the time unit.
    """
    yield from _distinct(_ordered(_rows(series, source, report, advance), report), series, report)


def wanted(series: Series) -> dict[str, Type]:
    """Return the columns to read of a file, by its own names, with their types."""
    out: dict[str, Type] = {}
    for field, column in series.columns.items():
        if isinstance(column, Of):
            out[column.of] = out[column.by] = "float"
        elif isinstance(column, str):
            out[column] = "float" if series.kind == "ratios" else _type(field)
    time = series.time
    if time is not None:
        out[time.column] = "iso" if time.unit == "iso" else "float" if time.unit == "s" else "int"
    for name in series.where:
        _ = out.setdefault(name, "text")
    return out


def _type(field: str) -> Type:
    if field in _TEXT:
        return "text"
    if field in {"maker", "taker", "bankruptcy"}:
        return "flag"
    return "levels" if field in {"bids", "asks"} else "id" if field == "id" else "float"


def _rows(series: Series, source: Source, report: Report, advance: Progress) -> Iterator[Table]:
    need = wanted(series)
    for path in source.files(series):
        name = path.name.removesuffix(".gz")
        text = blocks(path, advance, report.complain)
        if name.endswith((".csv", ".zip")) and series.kind != "book":
            parts = read_csv(text, need, report, series.names)
        elif name.endswith(".jsonl"):
            parts = read_jsonl(text, need, report)
        else:
            known = ".csv, .csv.gz, .jsonl, .jsonl.gz, .zip (books: .jsonl only)"
            raise ConfigError(f"{source.path}:{series.line}: expected {known}, found {path.name}")
        for part in parts:
            if len(part.lines):
                yield set_right(part, series, report)


def set_right(part: Columns, series: Series, report: Report) -> Table:
    """Return one block in our units, without the rows that cannot be right.

    Raises:
        DataError: No stamp of the block is a time: `time.unit` is wrong.
    """
    keep = np.ones(len(part.lines), np.bool_)
    for name, value in series.where.items():
        keep &= _equal(part.data[name], value)
    if not keep.all():
        lines = part.lines[keep]
        part = Columns(part.file, lines, {name: c[keep] for name, c in part.data.items()})
    times = _times(part, series)
    columns = {name: _value(name, part, series) for name in series.columns}
    table = Table(times, _named(columns), part.lines, part.file)
    return _possible(table, series, report)


def _equal(column: Array, value: bool | float | str) -> Array:
    """Tell which rows carry a value; ``true`` and ``True``, ``1`` and ``1.0`` are one."""
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
    time = series.time
    if time is None or not len(part.lines):
        return np.empty(0, np.int64)
    raw = part.data[time.column]
    if time.unit == "iso":
        times = micros(raw)
    elif time.unit == "ns":
        times = raw // 1_000
    elif time.unit == "s":
        times = np.rint(np.nan_to_num(raw, nan=-1.0) * SECOND).astype(np.int64)
    else:
        limit = 2**62 // _UNITS[time.unit]
        times = np.clip(raw, -limit, limit) * _UNITS[time.unit]
    if ((times < _EARLIEST) | (times >= _LATEST)).all():
        known = (
            [unit for unit, by in _UNITS.items() if _fits(float(raw[0]), by)]
            if (time.unit != "iso")
            else []
        )
        hint = f"; as {known[0]!r} it is a time after 2009" if known else ""
        why = f"{time.column} = {raw[0]} is no time in unit {time.unit!r}{hint}"
        raise DataError(part.file, int(part.lines[0]), why)
    return times + series.length if time.means == "from" else times


def _fits(value: float, by: int) -> bool:
    return _EARLIEST <= (value * by if by else value / 1_000) < _LATEST


def _value(name: str, part: Columns, series: Series) -> Array:
    """Return one column of our own, in our units."""
    column, n = series.columns[name], len(part.lines)
    if isinstance(column, Of):
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


def _named(columns: dict[str, Array]) -> dict[str, Array]:
    """Return the columns with sides as signs: +1 a buyer took or a long, -1 the contrary."""
    for name in ("side", "holder", "maker"):
        if name not in columns:
            continue
        values = columns.pop(name)
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


def _possible(table: Table, series: Series, report: Report) -> Table:
    """Leave out rows with a value no market can have."""
    keep = np.ones(len(table.lines), np.bool_)

    def require(good: Array, reason: str, values: Array) -> None:
        wrong = np.flatnonzero(keep & ~good)
        if len(wrong):
            first = int(wrong[0])
            line, found = int(table.lines[first]), f"found {values[first]}"
            report.complain(table.file, line, reason, found, len(wrong))
            keep[wrong] = False

    times = table.times
    require((times >= _EARLIEST) & (times < _LATEST), "time is outside 2009 to 2100", times)
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
    """Return what a column must be, and the test; None where anything goes."""
    if kind == "positions" and name in _RULES and name != "side":
        return _AMOUNT if name == "size" else None
    return _AMOUNT if kind == "open_interest" and name == "size" else _RULES.get(name)


def joined(first: Table, second: Table) -> Table:
    """Return the rows of two tables of one series."""
    pairs = {name: (first.columns[name], second.columns[name]) for name in second.columns}
    columns = {name: np.concatenate(pair) for name, pair in pairs.items()}
    times = np.concatenate((first.times, second.times))
    return Table(times, columns, np.concatenate((first.lines, second.lines)), second.file)


def _ordered(tables: Iterator[Table], report: Report) -> Iterator[Table]:
    """Put rows up to 5 s out of order in place; leave out what comes later than that."""
    held: Table | None = None
    done = 0
    for table in tables:
        late = table.times < done
        if late.any():
            line, n = int(table.lines[late][0]), int(late.sum())
            why = f"{done / SECOND:.3f} s was passed by more than {_HOLD // SECOND} s"
            report.complain(table.file, line, "row too far out of order", why, n)
            table = table.where(~late)  # noqa: PLW2901  # the same rows without the late ones
        if not len(table.times):
            continue
        whole = table if held is None else joined(held, table)
        times = whole.times
        if (np.diff(times) < 0).any():
            whole = _sorted(_calm(whole, done, report), report)
            times = whole.times
        cut = int(np.searchsorted(times, times[-1] - _HOLD))
        held = whole.where(slice(cut, None))
        if cut:
            done = int(times[cut - 1])
            yield whole.where(slice(cut))
    if held is not None:
        yield held


def _calm(table: Table, done: int, report: Report) -> Table:
    """Leave out lone rows far ahead of both neighbours: one wrong stamp must not make all late."""
    times = table.times
    before, after = np.concatenate(([done], times[:-1])), np.append(times[1:], times[-1])
    spike = (times > after + _HOLD) & (before <= after)
    n = int(spike.sum())
    if not n:
        return table
    line = int(table.lines[spike][0])
    report.complain(table.file, line, "row far ahead of its neighbours", "left out", n)
    return table.where(~spike)


def _sorted(table: Table, report: Report) -> Table:
    """Return the rows in order; rows more than 5 s late within the block are left out."""
    highest = np.maximum.accumulate(table.times)
    late = table.times < highest - _HOLD
    n = int(late.sum())
    if n:
        line = int(table.lines[late][0])
        why = f"more than {_HOLD // SECOND} s before the row above"
        report.complain(table.file, line, "row too far out of order", why, n)
    moved = int(((table.times < highest) & ~late).sum())
    if moved:
        first = int(np.flatnonzero(table.times < highest)[0])
        why = f"put in place, with {moved} in all"
        report.complain(table.file, int(table.lines[first]), "row out of order", why, moved)
    table = table.where(~late)
    return table.where(np.argsort(table.times, kind="stable"))


def _distinct(tables: Iterator[Table], series: Series, report: Report) -> Iterator[Table]:
    """Drop duplicates: by id where one is declared, by stamp where rows are readings."""
    last = -1
    seen: list[Array] = []
    for table in tables:
        keep = np.ones(len(table.times), np.bool_)
        if "id" in table.columns:
            keep = _new(table.columns["id"], seen)
        elif series.kind in _BY_STAMP:
            keep = np.diff(table.times, prepend=last) > 0
            last = int(table.times[-1])
        n = int((~keep).sum())
        if n:
            line = int(table.lines[~keep][0])
            by = "id" if "id" in table.columns else "stamp"
            report.complain(table.file, line, f"duplicate {by}", f"{n} rows dropped", n)
            table = table.where(keep)  # noqa: PLW2901  # the same rows without the duplicates
        report.rows += len(table.times)
        if len(table.times):
            yield table


def _new(ids: Array, seen: list[Array]) -> Array:
    """Tell which ids were not seen before, and remember them."""
    rising = ids.dtype != object and bool((np.diff(ids) > 0).all())
    ordered = ids if rising else np.sort(ids)
    keep = np.ones(len(ids), np.bool_)
    if not rising:
        _, first = np.unique(ids, return_index=True)
        keep[:] = False
        keep[first] = True
    for earlier in seen:
        if earlier.dtype == ids.dtype and earlier[-1] >= ordered[0]:
            keep &= ~np.isin(ids, earlier)
    seen.append(ordered)
    return keep


def floats(table: Table, name: str, missing: float = float("nan")) -> Floats:
    """Return a column as numbers, `missing` where the series has none of that name."""
    column = table.columns.get(name)
    if column is None:
        return np.full(len(table.times), missing)
    return column.astype(np.float64, copy=False)
