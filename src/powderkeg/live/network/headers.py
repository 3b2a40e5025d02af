"""Parsing of numbers and dates in response headers, which may hold anything."""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from powderkeg.events import SECOND

LONGEST: Final = 3600.0
"""Seconds a venue may make us wait at once; a longer ban is repeated with the next answer."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def number(text: str, most: float = math.inf) -> float | None:
    """Return a number >= 0, `most` where it is greater, None if it is not a plain decimal."""
    plain = _NUMBER.fullmatch(text.strip(" \t"))
    return None if plain is None else min(float(plain[0]), most)


def date(text: str) -> int | None:
    """Return an HTTP date, µs UTC; None if it is not one."""
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()) * SECOND


def wait(text: str, now: int) -> float | None:
    """Return the wait of a ``Retry-After``, s, at most an hour; None if it is unreadable.

    Args:
        text: Seconds, or the date from which to retry.
        now: µs UTC.
    """
    seconds = number(text, LONGEST)
    if seconds is not None:
        return seconds
    until = date(text)
    return None if until is None else min(max((until - now) / SECOND, 0.0), LONGEST)
