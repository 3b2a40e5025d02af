"""Answers as bytes: one schema, JSON for people, MessagePack for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from powderkeg.errors import RequestError
from powderkeg.maps.views import Query

JSON = "application/json"
MSGPACK = "application/vnd.msgpack"


def _bytes(value: Any) -> Any:
    """Give arrays as little-endian bytes."""
    match value:
        case np.ndarray():
            return np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<"))).tobytes()
        case np.generic():
            return value.item()
        case _:
            raise TypeError(f"expected an array or a number, found {type(value)}")


def _numbers(value: Any) -> Any:
    """Give arrays as nested lists, with null for what is not a number."""
    match value:
        case np.ndarray() if value.dtype.kind == "f":
            flat = [x if math.isfinite(x) else None for x in value.ravel().tolist()]
            return np.array(flat, object).reshape(value.shape).tolist()
        case np.ndarray():
            return value.tolist()
        case np.generic():
            return value.item()
        case _:
            raise TypeError(f"expected an array or a number, found {type(value)}")


_msgpack = msgspec.msgpack.Encoder(enc_hook=_bytes)
_json = msgspec.json.Encoder(enc_hook=_numbers)


def pack(answer: object) -> bytes:
    """Return an answer as MessagePack; arrays are binary, little-endian."""
    return _msgpack.encode(answer)


def text(answer: object) -> bytes:
    """Return an answer as JSON; arrays are lists."""
    return _json.encode(answer)


def wants_msgpack(accept: str) -> bool:
    """Tell whether an Accept header asks for MessagePack."""
    return "msgpack" in accept


def fields(view: Struct) -> dict[str, Any]:
    """Return the fields of a view by name, not-a-number as none."""
    out = {name: getattr(view, name) for name in view.__struct_fields__}
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in out.items()}


def read_query(raw: Mapping[str, str], kind: type[Query]) -> Query:
    """Turn ``?tiers=50,100&reach=0.05`` into the struct the view declares.

    Raises:
        RequestError: A name or a value the view does not take.
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
