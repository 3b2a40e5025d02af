"""Daily exchange rates of the European Central Bank: shipped, or a newer file of the user."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import zipfile
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from powderkeg.errors import ConfigError, DataError, RequestError
from powderkeg.history.currencies import DOLLAR, RateTable

NAME = "ecb.csv"
ADDRESS = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
"""The bank's address of the full history. Requested only when the user asks for it."""
CREDIT = "European Central Bank, euro foreign exchange reference rates"
DAY_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
"""How a day is written."""
MAGIC = b"PK\x03\x04"
"""First bytes of a zip archive."""


def folder() -> Path:
    """Return the user's data folder, which also holds recordings by default."""
    configured = os.environ.get("POWDERKEG_STORE")
    return Path(configured) if configured else Path.home() / ".local" / "share" / "powderkeg"


@cache
def shipped() -> RateTable:
    """Return the table that comes with this version."""
    raw = (resources.files("powderkeg") / "data" / NAME).read_bytes()
    return parse(raw, f"shipped {NAME}")


def table(home: Path | None = None) -> RateTable:
    """Return the newer of the user's table and the shipped one.

    Args:
        home: Folder of the user's table; the data folder by default.

    Raises:
        DataError: The user's file is not such a table.
    """
    file = (home or folder()) / NAME
    if not file.is_file():
        return shipped()
    own = parse(file.read_bytes(), str(file))
    return own if int(own.days[-1]) >= int(shipped().days[-1]) else shipped()


def parse(raw: bytes, name: str) -> RateTable:
    """Return the table of a file as the bank publishes it, or of its zip; ``#`` lines are comments.

    Raises:
        DataError: It is not such a file; names the line.
    """
    text = _unzipped(raw, name) if raw.startswith(MAGIC) else raw
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as why:
        raise DataError(name, 1, f"expected text: {why}") from why
    # Comments are blanked, not dropped, so that a refusal names the line of the file.
    rows = list(csv.reader(io.StringIO("\n".join("" if s.startswith("#") else s for s in lines))))
    known = [(i + 1, [cell.strip() for cell in row]) for i, row in enumerate(rows) if any(row)]
    if not known or known[0][1][0].lower() != "date" or DOLLAR not in known[0][1]:
        first = lines[0][:60] if lines else "nothing"
        raise DataError(name, 1, f"expected columns date,{DOLLAR},..., found {first!r}")
    header = known[0][1]
    names = tuple(cell for cell in header[1:] if cell)
    fixings = sorted(_row(name, line, row, len(names)) for line, row in known[1:])
    if not fixings:
        raise DataError(name, known[0][0], "expected fixings below the header, found none")
    return RateTable(
        source=CREDIT,
        days=np.array([day for day, _ in fixings], np.int64),
        currencies=names,
        per_euro=np.array([values for _, values in fixings]),
    )


def _row(name: str, line: int, row: list[str], count: int) -> tuple[int, list[float]]:
    """Return day and values of a row; ``N/A`` is not a number."""
    try:
        day = int(np.datetime64(row[0], "D").astype(np.int64))
        values = [float("nan") if cell in ("", "N/A") else float(cell) for cell in row[1:]]
    except ValueError as why:
        raise DataError(name, line, f"expected a day and rates, found {row[:3]}: {why}") from why
    if len(values) < count or any(x <= 0 for x in values):
        raise DataError(name, line, f"expected {count} rates above 0, found {row[1:]}")
    return day, values[:count]


def _unzipped(raw: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = [each for each in archive.namelist() if each.endswith(".csv")]
            if len(inside) != 1:
                raise DataError(name, 1, f"expected one CSV inside, found {archive.namelist()}")
            return archive.read(inside[0])
    except zipfile.BadZipFile as why:
        raise DataError(name, 1, f"expected a zip archive: {why}") from why


def keep(raw: bytes, name: str, home: Path | None = None) -> RateTable:
    """Write a newer table into the user's data folder and return it.

    Args:
        raw: A file as the bank publishes it, or its zip.
        name: Where it came from, for messages.
        home: The folder; the data folder by default.

    Raises:
        DataError: It is not such a file.
        ConfigError: It ends before the current one.
    """
    new, old = parse(raw, name), table(home)
    if int(new.days[-1]) < int(old.days[-1]):
        ends = [str(np.datetime64(int(each.days[-1]), "D")) for each in (old, new)]
        raise ConfigError(f"expected fixings beyond {ends[0]}, found {name} to end at {ends[1]}")
    text = _unzipped(raw, name) if raw.startswith(MAGIC) else raw
    target = (home or folder()) / NAME
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(text)
    part.replace(target)
    return new


def day_number(text: str) -> int:
    """Return the days since 1970 of ``2026-02-05``.

    Raises:
        RequestError: It is not a day.
    """
    if re.fullmatch(DAY_PATTERN, text):  # NumPy takes "now", NaT and half a date as well
        with contextlib.suppress(ValueError):
            return int(np.datetime64(text, "D").astype(np.int64))
    raise RequestError(f"expected a day such as 2026-02-05, found {text[:40]!r}")
