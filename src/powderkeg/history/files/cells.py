"""Values of cells as columns hold them: numbers as people write them, flags, ids, book levels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Type: TypeAlias = Literal["float", "text", "flag", "stamp", "id", "levels"]
"""What a column holds; a stamp is a time in any form, and comes as µs."""
Array: TypeAlias = NDArray[Any]
Levels: TypeAlias = tuple[tuple[float, float], ...]
"""Price and size of the levels of one side of a book, best first."""

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_NOTHING = {"", "null", "none", "nan", "-", "n/a"}
_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_SUFFIX = {"k": 1e3, "m": 1e6, "b": 1e9, "%": 1.0}


def pointed(cell: str) -> str:
    """Return a number with a decimal comma as one with a point; other text as it is."""
    plain = cell.strip().replace(".", "").replace(",", ".", 1)
    return plain if "," in cell and _PLAIN.fullmatch(plain) else cell


def _flag(text: str) -> bool:
    return _FLAGS[text.strip().lower()]


def number(text: str) -> float:
    """Return a number as people and exports write it: 1,234.5, $12, 1.2K, 3 %; NaN for nothing.

    Raises:
        ValueError: It is none.
    """
    plain = text.strip()
    if _PLAIN.fullmatch(plain):
        return float(plain)
    if plain.lower() in _NOTHING:
        return float("nan")
    plain = plain.lstrip("$€£ ").replace("\u00a0", "").replace("_", "")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?[kKmMbB%]?", plain):
        plain = plain.replace(",", "")
    scale = _SUFFIX.get(plain[-1:].lower(), 0.0)
    return float(plain[:-1]) * scale if scale else float(plain)


def _id(text: Any) -> Any:
    if isinstance(text, str):
        return int(text) if text.isdigit() and len(text) < 19 else text
    return text


def cell(value: Any, kind: Type) -> Any:
    """Return a value of a document as a column of a kind has it.

    Raises:
        ValueError: It does not fit.
    """
    if kind == "levels":
        return msgspec.convert(value, Levels, strict=False)
    if value is None:
        return CELL[kind]("")
    if isinstance(value, str):
        return CELL[kind](value)
    if isinstance(value, (dict, list)):
        raise ValueError(f"expected a value, found {str(value)[:60]}")  # noqa: TRY004
    if kind == "float":
        return float(value)
    return bool(value) if kind == "flag" else value


CELL: dict[Type, Callable[[str], Any]] = {
    "float": number,
    "text": str,
    "flag": _flag,
    "stamp": str,
    "id": _id,
}


def array(values: list[Any], kind: Type) -> Array:
    """Return values as a column of a kind."""
    if kind == "float":
        return np.array(values, np.float64)  # None is not a number
    if kind == "flag":
        return np.array(values, np.bool_)
    if kind in {"id", "stamp"}:
        numbers = np.array(values)
        if numbers.dtype.kind == "i" or (kind == "stamp" and numbers.dtype.kind == "f"):
            return numbers
    if kind in {"text", "id", "stamp"}:  # of one kind, so that they can be ordered
        values = ["" if value is None else str(value) for value in values]
    out = np.empty(len(values), object)
    out[:] = values
    return out
