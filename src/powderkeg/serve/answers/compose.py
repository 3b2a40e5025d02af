"""Answers of the views: an envelope and the fields of a view, flat in one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_type_hints

import msgspec
from msgspec import Struct

from powderkeg.maps.views.queries import HeatmapQuery, SpanQuery
from powderkeg.maps.views.views import VIEWS, View
from powderkeg.serve.answers.envelope import Envelope, HeatmapEnvelope, StreamedEnvelope

T = TypeVar("T", bound=Struct)
PARTS = "__parts__"
"""Attribute of a composed record: the records whose fields it has, with their docstrings."""


def flat(kind: type[T], *parts: Struct, **rest: Any) -> T:
    """Return a record with the fields of others; where two have a field, the last one counts."""
    fields = {name: getattr(part, name) for part in parts for name in part.__struct_fields__}
    return kind(**fields, **rest)


def _composed(name: str, view: View) -> type[Envelope]:
    """Return the record that answers a view; its own fields stand in place of the envelope's."""
    query, make = view
    own: type[Struct] = get_type_hints(make)["return"]
    base: type[Envelope] = Envelope
    if issubclass(query, SpanQuery):
        base = HeatmapEnvelope if query is HeatmapQuery else StreamedEnvelope
    kind = msgspec.defstruct(
        f"{own.__name__}Answer",
        [(field.name, field.type) for field in msgspec.structs.fields(own)],
        bases=(base,),
        namespace={"__doc__": own.__doc__, PARTS: (base, own)},
        kw_only=True,
        tag_field="kind",
        tag=name,
    )
    return cast("type[Envelope]", kind)


ANSWERS: Mapping[str, type[Envelope]] = {
    name: _composed(name, view) for name, view in VIEWS.items()
}
"""The record that answers each view."""


def answer_of(name: str, about: Envelope, view: Struct) -> Envelope:
    """Return the answer of a view."""
    return flat(ANSWERS[name], about, view)
