"""Answers of the views: an envelope and the fields of a view, flat in one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_type_hints

import msgspec
from msgspec import Struct

from powderkeg.maps.views.queries import HeatmapQuery, Query, SpanQuery
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.answers.envelope import Envelope, HeatmapEnvelope, StreamedEnvelope

T = TypeVar("T", bound=Struct)
PARTS = "__parts__"
"""Attribute of a composed record: the records whose fields it has, with their docstrings."""


def flat(kind: type[T], *parts: Struct, **rest: Any) -> T:
    """Return a record with the fields of others; where two have a field, the last one counts."""
    fields = {name: getattr(part, name) for part in parts for name in part.__struct_fields__}
    return kind(**fields, **rest)


def composed(name: str, base: type[T], own: type[Struct]) -> type[T]:
    """Return the record that answers a view; its own fields stand in place of the envelope's.

    Args:
        name: Of the view, and the tag of the record.
        base: The envelope.
        own: The fields of the view.
    """
    kind = msgspec.defstruct(
        f"{own.__name__}Answer",
        [(field.name, field.type) for field in msgspec.structs.fields(own)],
        bases=(base,),
        namespace={"__doc__": own.__doc__, PARTS: (base, own)},
        kw_only=True,
        tag_field="kind",
        tag=name,
    )
    return cast("type[T]", kind)


def _envelope(query: type[Query]) -> type[Envelope]:
    if not issubclass(query, SpanQuery):
        return Envelope
    return HeatmapEnvelope if query is HeatmapQuery else StreamedEnvelope


ANSWERS: Mapping[str, type[Envelope]] = {
    name: composed(name, _envelope(query), get_type_hints(make)["return"])
    for name, (query, make) in VIEWS.items()
}
"""The record that answers each view."""


def answer_of(name: str, about: Envelope, view: Struct) -> Envelope:
    """Return the answer of a view."""
    return flat(ANSWERS[name], about, view)
