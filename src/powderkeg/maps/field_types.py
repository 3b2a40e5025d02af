"""Types of answered fields that a bare annotation does not describe.

Arrays are lists in JSON and little-endian bytes in MessagePack: their schema names the element type
as ``x-dtype``. A float that may be NaN is null in JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

DTYPE = "x-dtype"
"""Key of a schema that names the element type of an array."""
NULLABLE = "x-nullable"
"""Key of a schema whose number may be null."""
_NUMBER = {"type": ["number", "null"]}
_BYTE = {"type": "integer", "minimum": 0, "maximum": 255}
_INDEX = {"type": "integer", "minimum": 0, "maximum": 65535}


def _array(dtype: str, items: dict[str, Any]) -> Meta:
    return Meta(extra_json_schema={"type": "array", "items": items, DTYPE: dtype})


OptionalFloat: TypeAlias = Annotated[float, Meta(extra_json_schema={NULLABLE: True})]
"""A float, NaN where it is not known."""
Float32Array: TypeAlias = Annotated[NDArray[np.float32], _array("float32", _NUMBER)]
Float64Array: TypeAlias = Annotated[NDArray[np.float64], _array("float64", _NUMBER)]
ByteArray: TypeAlias = Annotated[NDArray[np.uint8], _array("uint8", _BYTE)]
IndexArray: TypeAlias = Annotated[NDArray[np.uint16], _array("uint16", _INDEX)]
FloatGrid: TypeAlias = Annotated[
    NDArray[np.float32], _array("float32", {"type": "array", "items": _NUMBER})
]
"""Two dimensions; in MessagePack row after row."""
ByteGrid: TypeAlias = Annotated[
    NDArray[np.uint8], _array("uint8", {"type": "array", "items": {"type": ["integer", "array"]}})
]
"""Two or three dimensions; in MessagePack row after row."""
