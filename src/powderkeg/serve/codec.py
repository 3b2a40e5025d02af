"""Encoding of answers: one schema, as JSON for people and MessagePack for the page."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from powderkeg.errors import RequestError
from powderkeg.serve.answers.envelope import HeatmapEnvelope

Q = TypeVar("Q", bound=Struct)
JSON = "application/json"
MSGPACK = "application/vnd.msgpack"
CODING: Final = "rows-delta"
"""Layout of the cells of a packed heatmap."""


def _bytes(value: Any) -> Any:
    """Encode arrays as little-endian bytes."""
    match value:
        case np.ndarray():
            return np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<"))).tobytes()
        case np.generic():
            return value.item()
        case _:
            raise TypeError(f"expected an array or a number, found {type(value)}")


def _numbers(value: Any) -> Any:
    """Encode arrays as nested lists, with null for NaN."""
    match value:
        case np.ndarray() if value.ndim > 1:
            # row by row: one call that writes a million numbers would block all Python threads
            return msgspec.Raw(b"[%b]" % b",".join(map(_json.encode, value)))
        case np.ndarray() if value.dtype.kind == "f":
            return [x if math.isfinite(x) else None for x in value.tolist()]
        case np.ndarray():
            return value.tolist()
        case np.generic():
            return value.item()
        case _:
            raise TypeError(f"expected an array or a number, found {type(value)}")


_msgpack = msgspec.msgpack.Encoder(enc_hook=_bytes)
_json = msgspec.json.Encoder(enc_hook=_numbers)


def pack(answer: Struct) -> bytes:
    """Return an answer as MessagePack; arrays are binary, little-endian.

    The cells of a heatmap are encoded row by row as differences along time, modulo 256: levels
    persist, so this is a fifth smaller once compressed. `cells_of` reads them back.
    """
    if isinstance(answer, HeatmapEnvelope):
        answer = copy.copy(answer)
        cells: NDArray[np.uint8] = getattr(answer, "cells")  # noqa: B009  composed with the view
        setattr(answer, "cells", _differences(cells))  # noqa: B010  as above
        answer.coding = CODING
    return _msgpack.encode(answer)


def _differences(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return cells (…, cols, rows) as differences along time, shape (…, rows, cols)."""
    by_row = np.swapaxes(cells, -1, -2)
    return np.diff(by_row, axis=-1, prepend=np.zeros_like(by_row[..., :1]))


def cells_of(heat: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Return the cells of a decoded MessagePack heatmap, shape (cols, rows) or (5, cols, rows)."""
    shape = (-1, heat["rows"], heat["cols"])
    parts = np.frombuffer(heat["cells"], np.uint8).reshape(shape)
    cells = np.swapaxes(np.cumsum(parts, axis=-1, dtype=np.uint8), -1, -2)
    return cells[0] if len(cells) == 1 else cells


def text(answer: Struct) -> bytes:
    """Return an answer as JSON; arrays are lists."""
    return _json.encode(answer)


def wants_msgpack(accept: str) -> bool:
    """Return whether an Accept header asks for MessagePack."""
    return "msgpack" in accept


def read_query(raw: Mapping[str, str], kind: type[Q]) -> Q:
    """Convert ``?tiers=50,100&reach=0.05`` to a query struct.

    Raises:
        RequestError: It does not take this name or value.
    """
    hints = {field.name: str(field.type) for field in msgspec.structs.fields(kind)}
    parts = {
        name: [part for part in value.split(",") if part]
        if "tuple" in hints.get(name, "")
        else value
        for name, value in raw.items()
    }
    try:
        return msgspec.convert(parts, kind, strict=False)
    except msgspec.ValidationError as why:
        raise RequestError(f"{why}; this view takes {', '.join(hints)}") from why
