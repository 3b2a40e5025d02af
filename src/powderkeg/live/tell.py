"""Words for whoever watches the terminal; everything a program needs is in the health report."""

from __future__ import annotations

import sys


def tell(words: str) -> None:
    """Write one line to the error stream."""
    print(f"powderkeg: {words}", file=sys.stderr, flush=True)  # noqa: T201  a person reads it
