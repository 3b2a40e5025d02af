"""Recognises a file: every layout is tried, the most specific first; generic tables last."""

from __future__ import annotations

from collections.abc import Callable

from powderkeg.history.importing.head import Peek
from powderkeg.history.layouts import archives, binance, ccxt, coinglass, recorders, rest, tables
from powderkeg.history.layouts.layout import Ask, FileLayout, Found, Unknown, apply_layout, headless

FORMS: tuple[FileLayout, ...] = (
    *archives.FORMS, *recorders.FORMS, *binance.FORMS, *coinglass.FORMS, *rest.FORMS, *ccxt.FORMS,
)  # fmt: skip
_FIRST: tuple[Callable[[Peek, Ask], Found | Unknown | None], ...] = (
    recorders.frames,
    binance.archive,
)


def recognise(peek: Peek, ask: Ask | None = None) -> Found | Unknown:
    """Return the series of a file, or one sentence that says what is missing.

    Args:
        peek: The head of the file.
        ask: What the user gave beside the files, such as the coin.
    """
    ask = ask or Ask()
    if peek.what:
        return Unknown(peek.what)
    if not peek.rows:
        return Unknown("no rows were found in it")
    for first in _FIRST:
        if (found := first(peek, ask)) is not None:
            return found
    for form in FORMS:
        if form.has(peek):
            return apply_layout(form, peek, ask)
    return tables.table(peek, ask) or _unknown(peek)


def _unknown(peek: Peek) -> Unknown:
    if headless(peek):
        width = len(peek.names)
        return Unknown(
            f"{width} columns without a header line, of no form we know: put a line with their "
            "names above them (time,open,high,low,close,volume)"
        )
    names = ", ".join(peek.names[:12]) + (" ..." if len(peek.names) > 12 else "")
    return Unknown(
        f"of no form we know, its columns are {names}: a source file can say what they mean, "
        "see docs/sources.md"
    )
