# a script, in no package
"""Write the page's types of answers and messages: `python scripts/make_types.py`, or `make types`.

The server's records are the source (`powderkeg.serve.openapi.schemas`). Of each the page gets an
interface, in camelCase, and the shape by which `check` reads it; see web/src/lib/wire/check.ts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias

from powderkeg.serve.answers.envelope import Envelope
from powderkeg.serve.openapi.schemas import schemas

Json: TypeAlias = dict[str, Any]
WIRE: Final = Path(__file__).parents[1] / "web" / "src" / "lib" / "wire"
HEAD: Final = "// Generated from the server's records: run `make types`.\n"
CHECK: Final = "import { record, type Schema } from './check';\n"
FIRST: Final = (
    "HeatmapAnswer", "LevelsAnswer", "BarsAnswer", "CumulativeAnswer", "VenuesAnswer",
    "CellAnswer", "Coins", "Progress",
    "Hello", "Column", "Rebase", "Status",
)  # fmt: skip
"""What the page needs at once; all else is in a module of its own, loaded on demand."""
ARRAYS: Final = {
    "float32": "Float32Array", "float64": "Float64Array", "uint8": "Uint8Array",
    "uint16": "Uint16Array",
}  # fmt: skip
SCALARS: Final = {
    "string": ("string", "s"), "number": ("number", "n"), "integer": ("number", "n"),
    "boolean": ("boolean", "b"),
}  # fmt: skip
"""Type and shape of what is neither a list nor an object."""


def type_and_shape(schema: Json) -> tuple[str, str]:  # noqa: PLR0911  a return a kind of schema
    """Return the TypeScript type of a schema, and the shape by which it is read."""
    match schema:
        case {"allOf": [inner]}:
            return type_and_shape(inner)
        case {"$ref": reference}:
            name = reference.rsplit("/", 1)[1]
            return name, name
        case {"anyOf": _, "discriminator": {"propertyName": key, "mapping": mapping}}:
            names = {tag: reference.rsplit("/", 1)[1] for tag, reference in mapping.items()}
            kinds = ", ".join(f"{tag}: {name}" for tag, name in names.items())
            return " | ".join(names.values()), f"{{ by: '{key}', kinds: {{ {kinds} }} }}"
        case {"anyOf": [inner, {"type": "null"}]} | {"type": [inner, "null"]}:
            kind, shape = type_and_shape(inner if isinstance(inner, dict) else {"type": inner})
            return f"{kind} | null", f"{{ maybe: {shape} }}"
        case {"enum": values}:
            return " | ".join(f"'{value}'" for value in values), f"'|{'|'.join(values)}'"
        case {"type": "array"}:
            return _list(schema)
        case {"type": "object", "additionalProperties": each}:
            kind, shape = type_and_shape(each)
            return f"Record<string, {kind}>", f"{{ each: {shape} }}"
        case {"type": str(name)} if name in SCALARS:
            kind, shape = SCALARS[name]
            return kind, f"'{shape}'"
        case _:
            raise ValueError(f"expected a schema that has a type in TypeScript, found {schema}")


def _list(schema: Json) -> tuple[str, str]:
    match schema:
        case {"x-dtype": dtype}:
            return ARRAYS[dtype], f"'{dtype}'"
        case {"prefixItems": items}:
            kinds, shapes = zip(*map(type_and_shape, items), strict=True)
            return f"[{', '.join(kinds)}]", f"[{', '.join(shapes)}]"
        case _:
            kind, shape = type_and_shape(schema["items"])
            return f"({kind})[]" if "|" in kind else f"{kind}[]", f"[{shape}]"


def camel(name: str) -> str:
    """Return a field's name as the page writes it; `check` does the same."""
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def shared_shapes(found: dict[str, Json]) -> dict[str, str]:
    """Return the shapes of the fields that every answer about a coin has."""
    fields = found["BarsAnswer"]["properties"]
    return {name: type_and_shape(fields[name])[1] for name in Envelope.__struct_fields__}


def declared(name: str, schema: Json, shared: dict[str, str]) -> str:
    """Return the interface of a record, and its shape."""
    types, shapes = list[str](), list[str]()
    spread = shared.keys() <= schema["properties"].keys()
    if spread:
        shapes.append("  ...envelope,")
    for field, value in schema["properties"].items():
        kind, shape = type_and_shape(value)
        must = field in schema["required"]
        types.append(f"  /** {value['description']} */")
        types.append(f"  {camel(field)}{'' if must else '?'}: {kind};")
        key = field if must else f"'{field}?'"
        if not (spread and shared.get(field) == shape):
            shapes.append(f"  {key}: {shape},")
    lines = [
        "", f"/** {schema['description']} */", f"export interface {name} {{", *types, "}",
        f"export const {name}: Schema<{name}> = record({{", *shapes, "});", "",
    ]  # fmt: skip
    return "\n".join(lines)


def ordered(found: dict[str, Json], names: Iterable[str]) -> list[str]:
    """Return records and all that their shapes name, each after those that its own shape names."""
    out: dict[str, None] = {}

    def add(name: str) -> None:
        for other in re.findall(r"#/components/schemas/(\w+)", str(found[name])):
            if other not in out:
                add(other)
        out[name] = None

    for name in names:
        add(name)
    return list(out)


def sources() -> dict[Path, str]:
    """Return the content of each file."""
    found = dict(schemas())
    shared = shared_shapes(found)
    first = ordered(found, FIRST)
    rest = [name for name in ordered(found, found) if name not in first]
    start, later = ({n: declared(n, found[n], shared) for n in part} for part in (first, rest))
    words = "".join(later.values())
    code = re.sub(r"/\*\*.*?\*/", "", words, flags=re.DOTALL)
    names = [name for name in sorted(first) if re.search(rf"\b{name}\b(?! =)", code)]
    imports = f"import {{ envelope, {', '.join(names)} }} from './schema';\n"
    fields = "".join(f"  {name}: {shape},\n" for name, shape in shared.items())
    envelope = f"\n/** Of every answer about a coin. */\nexport const envelope = {{\n{fields}}};\n"
    named = re.findall(r"\b[A-Z]\w+", fields)
    after = max(first.index(name) for name in named)
    parts = list(start.values())
    return {
        WIRE / "schema.ts": HEAD
        + CHECK
        + "".join([*parts[: after + 1], envelope, *parts[after + 1 :]]),
        WIRE / "schema-on-demand.ts": HEAD + CHECK + imports + words,
    }


if __name__ == "__main__":
    for path, text in sources().items():
        path.write_text(text, encoding="utf-8")
