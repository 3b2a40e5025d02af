"""Rows of one series as columns in our own units."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from powderkeg.events import Floats, Times
from powderkeg.history.files.cells import Array


class Table(NamedTuple):
    """Rows of one series, rising in time once they were ordered."""

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


def joined(*tables: Table) -> Table:
    """Return the rows of tables of one series, one after another."""
    if len(tables) == 1:
        return tables[0]
    columns = {
        name: _concatenated([table.columns[name] for table in tables]) for name in tables[0].columns
    }
    times = np.concatenate([table.times for table in tables])
    return Table(times, columns, np.concatenate([t.lines for t in tables]), tables[-1].file)


def _concatenated(columns: list[Array]) -> Array:
    """Return columns as one; ids that are numbers here and words there become words."""
    if len({column.dtype == object for column in columns}) > 1:
        columns = [np.array([*map(str, column.tolist())], object) for column in columns]
    return np.concatenate(columns)


def floats(table: Table, name: str, missing: float = float("nan")) -> Floats:
    """Return a column as numbers, `missing` where the series has none of that name."""
    column = table.columns.get(name)
    if column is None:
        return np.full(len(table.times), missing)
    return column.astype(np.float64, copy=False)
