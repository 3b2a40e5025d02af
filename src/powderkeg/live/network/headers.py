"""Numbers in the headers of an answer: whoever wrote them may have written anything."""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from powderkeg.events import SECOND

LONGEST: Final = 3600.0
"""Seconds a venue may make us wait at once; whoever bans for longer says so again."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def number(text: str, most: float = math.inf) -> float | None:
    """Return a number >= 0, `most` where it is greater, None where it is no plain decimal."""
    plain = _NUMBER.fullmatch(text.strip(" \t"))
    return None if plain is None else min(float(plain[0]), most)


def date(text: str) -> int | None:
    """Return an HTTP date, µs UTC; None where it is none."""
    try:
        told = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return round((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()) * SECOND


def wait(text: str, now: int) -> float | None:
    """Return what a ``Retry-After`` asks for, s: at most an hour; None where it says nothing.

    Args:
        text: Seconds, or the date from which to ask again.
        now: µs UTC.
    """
    seconds = number(text, LONGEST)
    if seconds is not None:
        return seconds
    until = date(text)
    return None if until is None else min(max((until - now) / SECOND, 0.0), LONGEST)
