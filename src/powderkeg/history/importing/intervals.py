"""The interval of rows, from their timestamps."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from powderkeg.history.importing.head import Peek
from powderkeg.history.sources import NAME

_SPANS = {
    1: "1s", 5: "5s", 10: "10s", 15: "15s", 30: "30s", 60: "1m", 180: "3m", 300: "5m", 600: "10m",
    900: "15m", 1800: "30m", 3600: "1h", 7200: "2h", 10800: "3h", 14400: "4h", 21600: "6h",
    28800: "8h", 43200: "12h", 86400: "1d", 259200: "3d", 604800: "7d",
}  # fmt: skip
_FORMS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d/%m/%Y",
    "%m/%d/%Y", "%Y-%m-%d %I-%p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d%H%M%S",
)  # fmt: skip


def moment(value: Any) -> float | None:
    """Return a stamp in any usual form in seconds, None where it is none.

    Whether day or month comes first is not decided here: distances within a day do not need it.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return _seconds(float(value))
    text = str(value).strip()
    if re.fullmatch(r"\d{9,19}(\.\d+)?", text):
        return _seconds(float(text))
    return _of_text(re.sub(r"\s*(UTC|GMT)$", "+00:00", text))


def _seconds(value: float) -> float | None:
    """Return an epoch number of any unit in seconds: the unit follows from its size."""
    for by in (1, 1e3, 1e6, 1e9):
        if 1_230_768_000 <= value / by < 4_102_444_800:
            return value / by
    return None


def _of_text(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for form in _FORMS:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007  # no zone is UTC, below
            except ValueError:
                continue
            break
        else:
            return None
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


def interval(peek: Peek, column: str) -> str:
    """Return the commonest distance of rows as a span such as ``5m``; empty if unknown."""
    if column != NAME:
        found = {at for value in peek.column(column) if (at := moment(value)) is not None}
        gaps = Counter(round(b - a) for a, b in pairwise(sorted(found)))
        for gap, _ in gaps.most_common(1):
            return _SPANS.get(gap, f"{gap}s" if 0 < gap < 1_000_000 else "")
    return in_name(peek.path.name)


def in_name(name: str) -> str:
    """Return the span in a name such as ``BTCUSDT-1m-2025-01-01.zip``; empty if there is none."""
    found = re.search(r"(?<![A-Za-z0-9])(\d{1,2})(s|m|min|h|d)(?![A-Za-z0-9])", name)
    return f"{found[1]}{found[2][0]}" if found else ""
