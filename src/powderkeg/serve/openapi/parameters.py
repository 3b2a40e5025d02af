"""OpenAPI parameters of a view, derived from its query struct."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema
from msgspec import Struct


def _parameter(name: str, spec: dict[str, Any]) -> Parameter:
    """Return one query parameter; lists are separated by commas."""
    items = spec.get("items", {})
    kind = OpenAPIType(spec.get("type", "string"))
    schema = Schema(
        type=kind,
        minimum=spec.get("minimum"),
        exclusive_minimum=spec.get("exclusiveMinimum"),
        maximum=spec.get("maximum"),
        enum=spec.get("enum"),
        items=Schema(
            type=OpenAPIType.STRING if "enum" not in items else None, enum=items.get("enum")
        )
        if kind is OpenAPIType.ARRAY
        else None,
        default=spec.get("default"),
    )
    return Parameter(
        name=name,
        param_in="query",
        schema=schema,
        required="default" not in spec,
        style="form" if kind is OpenAPIType.ARRAY else None,
        explode=False if kind is OpenAPIType.ARRAY else None,
        description=spec.get("description"),
    )


def operation(name: str, kind: type[Struct], *own: type[Struct]) -> type[Operation]:
    """Return the OpenAPI operation of a view, or of an export with parameters of its `own`."""
    _, components = msgspec.json.schema_components([kind, *own])
    properties: dict[str, Any] = {}
    for each in (kind, *own):
        properties |= components[each.__name__]["properties"]
    parameters = [_parameter(key, spec) for key, spec in properties.items()]

    @dataclass
    class ViewOperation(Operation):
        def __post_init__(self) -> None:
            self.tags = ["views"]
            self.summary = name
            self.parameters = [*(self.parameters or []), *parameters]

    return ViewOperation
