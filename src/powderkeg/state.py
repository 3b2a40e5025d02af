"""Serialisation of state: every object of a desk, packed by its slots and unpacked bit for bit.

Only a fixed list of classes may be packed, so an untrusted snapshot can create nothing else. The
same bytes are the snapshot and, hashed, the digest that replay and live must share.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

_UNREADABLE = (
    msgspec.MsgspecError, LookupError, OverflowError, RecursionError, TypeError, ValueError,
)  # fmt: skip
"""Errors that bytes other than a snapshot can cause."""


class Codec:
    """Packs objects of the given classes."""

    def __init__(self, classes: Iterable[type]) -> None:
        """Accept instances of `classes`, which keep all state in ``__slots__`` or fields."""
        self._classes = {cls.__name__: cls for cls in classes}

    def pack(self, value: Any) -> bytes:
        """Return the bytes of a value.

        Raises:
            TypeError: It holds an object of an unlisted class.
        """
        return msgspec.msgpack.encode(self._plain(value))

    def flat(self, value: Any) -> Any:
        """Return a copy of a value as lists and bytes, unaffected by later changes; see `pack`."""
        return self._plain(value)

    def unpack(self, raw: bytes) -> Any:
        """Return the value that was packed.

        Raises:
            ValueError: The bytes name an unknown class or are no snapshot.
        """
        try:
            return self._rich(msgspec.msgpack.decode(raw))
        except _UNREADABLE as why:
            raise ValueError(f"expected a snapshot of this version, found {why!r}") from why

    def digest(self, value: Any) -> str:
        """Return a hash of the state, equal only where every bit of it is."""
        return hashlib.sha256(self.pack(value)).hexdigest()

    def _plain(self, value: Any) -> Any:  # noqa: PLR0911  one return a kind of value
        match value:
            case np.generic():  # before float: a float64 of numpy's is one too
                return {"scalar": [value.dtype.str, value.tobytes()]}
            case None | bool() | int() | float() | str() | bytes():
                return value
            case list():
                return [self._plain(item) for item in value]
            case np.ndarray():
                return {"array": [value.dtype.str, list(value.shape), value.tobytes()]}
            case tuple():
                return {"tuple": [self._plain(item) for item in value]}
            case deque():
                return {"deque": [value.maxlen, [self._plain(item) for item in value]]}
            case dict():
                return {"dict": [[self._plain(k), self._plain(v)] for k, v in value.items()]}
            case _:
                return self._record(value)

    def _record(self, value: Any) -> Any:
        name = type(value).__name__
        if self._classes.get(name) is not type(value):
            raise TypeError(f"expected a class of the desk, found {type(value)}")
        kind = "struct" if isinstance(value, msgspec.Struct) else "object"
        return {kind: [name, [[n, self._plain(getattr(value, n))] for n in names(type(value))]]}

    def _rich(self, value: Any) -> Any:  # noqa: PLR0911  as above
        if isinstance(value, list):
            return [self._rich(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((kind, body),) = value.items()
        match kind:
            case "array":
                dtype, shape, raw = body
                return np.frombuffer(raw, dtype).reshape(shape).copy()
            case "scalar":
                return np.frombuffer(body[1], body[0])[0]
            case "tuple":
                return tuple(self._rich(item) for item in body)
            case "deque":
                return deque((self._rich(item) for item in body[1]), body[0])
            case "dict":
                return {self._rich(k): self._rich(v) for k, v in body}
            case _:
                return self._object(*body)

    def _object(self, name: str, fields: list[Any]) -> Any:
        cls = self._classes[name]
        values = {key: self._rich(value) for key, value in fields}
        if list(values) != names(cls):
            raise ValueError(f"expected {name} to have {names(cls)}, found {list(values)}")
        if issubclass(cls, msgspec.Struct):
            return cls(**values)
        made = object.__new__(cls)
        for key, value in values.items():
            setattr(made, key, value)
        return made


def names(cls: type) -> list[str]:
    """Return the fields of a struct, or all slots of a class and its bases, in their order."""
    if issubclass(cls, msgspec.Struct):
        return list(cls.__struct_fields__)
    return [name for base in reversed(cls.__mro__) for name in getattr(base, "__slots__", ())]
