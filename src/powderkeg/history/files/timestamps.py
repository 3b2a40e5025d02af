"""Timestamps as µs: numbers in any unit, spreadsheet days, and written dates.

The unit of a number follows from its size: from 2009 to 2100 seconds, ms, µs and ns have ranges
a hundredfold apart, so each row is read by itself (Binance's spot archive went from ms to µs
overnight). Dates are read as written: ISO and its relatives, day or month first, a 12-hour clock,
names of months. A time without a zone is UTC.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Times

pc: Any = pyarrow.compute  # its functions are made when it is imported

EARLIEST, LATEST = 1_230_768_000 * SECOND, 4_102_444_800 * SECOND
"""2009 (the first block) to 2100, µs: nothing outside is a timestamp."""
NO_TIME = -1
_FIRST_S, _LAST_S = EARLIEST // SECOND, LATEST // SECOND
_SHEET = (39_814, 73_051)
"""2009 and 2100 as days since 1899-12-30, as spreadsheets count."""
_SHEET_EPOCH = -25_569 * DAY

_DIGITS = r"^\s*(?P<whole>\d{1,19})(?:[.,](?P<part>\d*))?\s*$"
_DATE = (
    r"^\s*(?P<a>\d{1,4})[-/. ](?P<b>\d{1,2})[-/. ](?P<c>\d{1,4})\.?"
    r"(?:[T ,]+(?P<hour>\d{1,2})(?:[:.hH](?P<minute>\d{2}))?(?::(?P<second>\d{2}))?"
    r"(?:[.,](?P<part>\d{1,9}))?)?"
    r"[\s-]*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|z|UTC|GMT)?(?P<ahead>[-+]\d{2}:?\d{0,2})?\s*$"
)
_IN_NAME = re.compile(
    r"(?<!\d)(?:(?P<date>20\d\d-?[01]\d-?[0-3]\d)(?:[T _-]?(?P<clock>[0-2]\d[-_:h]?[0-5]\d"
    r"(?:[-_:m]?[0-5]\d)?))?(?!\d)|(?P<epoch>1\d{9}(?:\d{3}){0,3})(?!\d))"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAY = r"^\s*(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+"
_NAMED = r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*\.?,?[ -](\d{4})"
_NAMED_FIRST = r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4})"


def of_numbers(values: NDArray[Any]) -> Times:
    """Return numbers (n,) as µs, each in the unit of its size; `NO_TIME` for invalid ones.

    Known are s, ms, µs, ns, days of a spreadsheet, and dates as digits (20250101, 20250101063000).
    """
    out = np.full(len(values), NO_TIME, np.int64)
    size = np.nan_to_num(values.astype(np.float64, copy=False), nan=-1.0)
    for scale in (1, 1_000, 1_000_000, 1_000_000_000):
        here = (size >= _FIRST_S * scale) & (size < _LAST_S * scale)
        if here.any():
            out[here] = _micros(values[here], scale)
        if here.all():
            return out
    days = (size >= _SHEET[0]) & (size < _SHEET[1])
    # a spreadsheet rounds its days to 15 digits: a hundredth of a second is what they hold
    out[days] = np.rint(size[days] * DAY / 10_000).astype(np.int64) * 10_000 + _SHEET_EPOCH
    for least, most in ((20_090_101, 21_000_101), (20_090_101e6, 21_000_101e6)):
        here = (size >= least) & (size < most)
        if here.any():
            digits = [str(int(value)).ljust(14, "0") for value in values[here]]
            out[here] = of_texts(
                np.array(
                    [f"{d[:4]}-{d[4:6]}-{d[6:8]} {d[8:10]}:{d[10:12]}:{d[12:]}" for d in digits]
                )
            )
    return out


def _micros(values: NDArray[Any], scale: int) -> Times:
    """Return numbers in a unit of which `scale` make a second as µs."""
    if values.dtype.kind in "iu":
        whole = values.astype(np.int64, copy=False)
        return whole // (scale // SECOND) if scale >= SECOND else whole * (SECOND // scale)
    return np.rint(values.astype(np.float64) * (SECOND / scale)).astype(np.int64)


def of_texts(texts: NDArray[Any], *, day_first: bool | None = None) -> Times:
    """Return texts (n,) as µs; `NO_TIME` for invalid ones.

    Args:
        texts: Numbers with or without a fraction, or dates.
        day_first: Whether 01/02/2025 is 1 February; None where no date can be read both ways.
    """
    column = pa.array(texts, pa.string(), from_pandas=True)
    out = _numerals(column)
    words = out == NO_TIME
    if words.any():
        dates = _dates(column.filter(pa.array(words)))
        out[words] = _times_of(dates, day_first=day_first)
    return out


def in_name(name: str) -> int:
    """Return the time in a file's name such as ``20260829T0534_full.csv``, µs, or `NO_TIME`."""
    found = _IN_NAME.search(name.rsplit("/", 1)[-1])
    if not found:
        return NO_TIME
    if found["epoch"]:
        return int(of_numbers(np.array([int(found["epoch"])]))[0])
    date, clock = re.sub(r"\D", "", found["date"]), re.sub(r"\D", "", found["clock"] or "")
    digits = (date + clock).ljust(14, "0")
    return int(of_numbers(np.array([int(digits)]))[0])


def may_be_both(texts: NDArray[Any]) -> tuple[bool | None, str]:
    """Return whether the day comes first in the dates of a file, and an ambiguous example.

    A day above 12 decides; else the reading in which the stamps span less time: dates written
    01/01 and 01/02 hour by hour are two days, not two months. None where there is nothing to
    decide, and with an example where it cannot be decided.
    """
    column = pa.array(texts, pa.string(), from_pandas=True)
    dates = _dates(column)
    a, b, c = (_whole(dates, name) for name in "abc")
    short = (c > 31) & (a > 0) & (a <= 31)
    if not short.any():
        return None, ""
    if (a[short] > 12).any() or pc.any(
        pc.match_substring_regex(column, r"^\s*\d{1,2}\.\d")
    ).as_py():
        return True, ""
    if (b[short] > 12).any():
        return False, ""
    spans = [np.ptp(_times_of(dates, day_first=first)[short]) for first in (True, False)]
    if spans[0] != spans[1]:
        return bool(spans[0] < spans[1]), ""
    unsure = np.flatnonzero(short & (a != b))
    return None, str(column[int(unsure[0])]) if len(unsure) else ""


def _numerals(column: Any) -> Times:
    """Return what is a number as µs, exact to the digit."""
    found = pc.extract_regex(column, _DIGITS)
    whole = _whole(found, "whole")
    part = _whole(found, "part", pad=9)
    out = of_numbers(whole)
    for scale in (1, 1_000):
        here = (whole >= _FIRST_S * scale) & (whole < _LAST_S * scale) & (part > 0)
        out[here] += part[here] * SECOND // scale // 1_000_000_000
    days = (whole >= _SHEET[0]) & (whole < _SHEET[1]) & (part > 0)
    out[days] = of_numbers(whole[days] + part[days] / 1e9)
    return out


def _dates(column: Any) -> Any:
    """Return the parts of dates; names of months become their numbers."""
    if pc.any(pc.match_substring_regex(column, "[A-Za-z]{3}")).as_py():
        column = pc.replace_substring_regex(column, _WEEKDAY, "")
        column = pc.replace_substring_regex(column, _NAMED_FIRST, r"\2 \1 \3")
        for number, name in enumerate(_MONTHS, 1):
            pattern = _NAMED.replace("[A-Za-z]{3}", f"(?i:{name})")
            column = pc.replace_substring_regex(column, pattern, rf"\3-{number:02}-\1")
    return pc.extract_regex(column, _DATE)


def _whole(parts: Any, name: str, *, pad: int = 0) -> Times:
    """Return one part as whole numbers, -1 where there is none, 0 where it may be left out."""
    missing = -1 if name in {"whole", "a", "b", "c"} else 0
    text = pc.fill_null(pc.struct_field(parts, name), "")
    if pad:
        text = pc.utf8_slice_codeunits(pc.utf8_rpad(text, pad, "0"), 0, pad)
    empty = pc.equal(text, "")
    numbers = pc.if_else(empty, str(missing), text)
    try:
        return pc.cast(numbers, pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # nineteen digits that are more than an int64 holds
        return np.array([min(int(n), 2**62) for n in numbers.to_pylist()], np.int64)


def _times_of(dates: Any, *, day_first: bool | None) -> Times:
    a, b, c = (_whole(dates, name) for name in "abc")
    year_first = a > 31
    year = np.where(year_first, a, c)
    swap = bool(day_first)
    month = np.where(year_first, b, b if swap else a)
    day = np.where(year_first, c, a if swap else b)
    good = (year >= 1970) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(good, (year - 1970) * 12 + month - 1, 0).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64) + day - 1
    good &= days < (months + 1).astype("M8[D]").astype(np.int64)
    clock, possible = _clock(dates)
    return np.where(good & possible, days * DAY + clock, NO_TIME)


def _clock(dates: Any) -> tuple[Times, NDArray[np.bool_]]:
    """Return the time of day in UTC, µs, and where it is valid."""
    hour, minute, second = (_whole(dates, name) for name in ("hour", "minute", "second"))
    half = pc.fill_null(pc.utf8_lower(pc.struct_field(dates, "half")), "")
    twelve = pc.not_equal(half, "").to_numpy(zero_copy_only=False)
    after = pc.starts_with(half, "p").to_numpy(zero_copy_only=False)
    good = (minute < 60) & (second < 61) & np.where(twelve, (hour >= 1) & (hour <= 12), hour < 25)
    hour = np.where(twelve, hour % 12 + np.where(after, 12, 0), hour)
    micros = _whole(dates, "part", pad=9) // 1_000
    ahead = pc.fill_null(pc.struct_field(dates, "ahead"), "").to_pylist()
    return hour * HOUR + minute * MINUTE + second * SECOND + micros - _zones(ahead), good


def _zones(texts: list[str]) -> Times:
    """Return how far zones such as +05:30, +0530 or -03 are ahead of UTC, µs."""
    known: dict[str, int] = {"": 0}
    for text in set(texts) - {""}:
        digits = text[1:].replace(":", "").ljust(4, "0")
        offset = int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE
        known[text] = -offset if text[0] == "-" else offset
    return np.array([known[text] for text in texts], np.int64)
