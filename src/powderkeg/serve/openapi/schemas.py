"""JSON schemas of all answers and messages, from their records.

The docstring of a field is its description, so the words stand in one place: beside the field.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct, UnsetType

from powderkeg.maps.field_types import NULLABLE
from powderkeg.serve.answers.compose import ANSWERS, PARTS
from powderkeg.serve.answers.flow import FLOW_ANSWERS, address
from powderkeg.serve.answers.liquidation import LiquidationPrices
from powderkeg.serve.answers.plan import PlanAnswer
from powderkeg.serve.answers.portfolio import PortfolioAnswer
from powderkeg.serve.answers.progress import Progress
from powderkeg.serve.answers.server import (
    Coins,
    ErrorAnswer,
    Health,
    Rates,
    ScoresAnswer,
    ScreenerAnswer,
)
from powderkeg.serve.answers.stream import MESSAGES

Json: TypeAlias = dict[str, Any]
REF: Final = "#/components/schemas/{name}"
ROUTES: Final[Mapping[str, type[Struct]]] = {
    "/v1/coins": Coins,
    "/v1/starting": Progress,
    "/v1/health": Health,
    "/v1/scores": ScoresAnswer,
    "/v1/proof": ScoresAnswer,
    "/v1/{coin}/liquidation-price": LiquidationPrices,
    "/v1/{coin}/plan": PlanAnswer,
    "/v1/portfolio": PortfolioAnswer,
    "/v1/screener": ScreenerAnswer,
    "/v1/rates": Rates,
    **{f"/v1/{{where}}/{name}": answer for name, answer in ANSWERS.items()},
    **{address(name): answer for name, answer in FLOW_ANSWERS.items()},
}
"""The record that answers each address that answers JSON."""


@cache
def field_docs(kind: type) -> Mapping[str, str]:
    """Return the docstring of each field that a class itself declares."""
    try:
        source = textwrap.dedent(inspect.getsource(kind))
    except (OSError, TypeError):  # composed while running: its parts have the docstrings
        return {}
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.ClassDef)  # noqa: S101  the source of a class
    return dict(_documented(node))


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for one, after in zip(node.body, node.body[1:], strict=False):
        match one, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str() as words)):
                yield name, " ".join(words.split())
            case _:
                pass


def descriptions(kind: type) -> dict[str, str]:
    """Return the description of each field of a record, those of its parts and bases included."""
    out: dict[str, str] = {}
    for part in getattr(kind, PARTS, ()):
        out |= descriptions(part)
    for base in reversed(kind.__mro__):
        out |= field_docs(base)
    return out


def _records(kinds: Iterator[type[Struct]]) -> dict[str, type[Struct]]:
    """Return all records by name that the fields of some lead to."""
    out: dict[str, type[Struct]] = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if out.setdefault(kind.__name__, kind) is not kind:
            raise TypeError(f"expected one record called {kind.__name__}, found two")
        for field in msgspec.structs.fields(kind):
            waiting += [each for each in _structs(field.type) if each.__name__ not in out]
    return out


def _structs(kind: Any) -> Iterator[type[Struct]]:
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
    for part in getattr(kind, "__args__", ()):
        yield from _structs(part)


@cache
def schemas() -> Mapping[str, Json]:
    """Return the schema of every record that is answered or sent, by name."""
    roots = [ErrorAnswer, *ROUTES.values(), *MESSAGES]
    records = _records(iter(dict.fromkeys(roots)))
    _, found = msgspec.json.schema_components(
        list(records.values()), schema_hook=lambda _: {}, ref_template=REF
    )
    return {name: _completed(found[name], kind) for name, kind in sorted(records.items())}


def _completed(schema: Json, kind: type[Struct]) -> Json:
    """Return a schema with descriptions; every field is there but those that may be unset."""
    words, properties = descriptions(kind), schema["properties"]
    optional = {
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if UnsetType in getattr(field.type, "__args__", ())
    }
    for field in msgspec.structs.fields(kind):
        properties[field.encode_name] = _field(
            properties[field.encode_name], words.get(field.name, "")
        )
    if kind.__struct_config__.tag_field:
        properties[kind.__struct_config__.tag_field]["description"] = "What this is."
    required = [name for name in properties if name not in optional]
    return schema | {"required": required, "additionalProperties": False}


def _field(schema: Json, words: str) -> Json:
    """Return the schema of a field with its description."""
    known = {name: value for name, value in schema.items() if name not in {"default", NULLABLE}}
    if NULLABLE in schema:
        known["type"] = ["number", "null"]
    if "$ref" in known:  # a description beside a reference is ignored by some readers
        return {"allOf": [known], "description": words}
    return known | {"description": words}


def stream_messages() -> list[Json]:
    """Return references to the schemas of all messages of the stream."""
    return [{"$ref": REF.format(name=kind.__name__)} for kind in MESSAGES]
