"""The page's types are those of the server's records."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "make_types.py"))


def test_the_page_has_the_types_of_the_servers_records():
    for path, text in SCRIPT["sources"]().items():
        assert path.read_text(encoding="utf-8") == text, "run make types"


@pytest.mark.parametrize(
    ("schema", "kind", "shape"),
    [
        ({"type": "integer"}, "number", "'n'"),
        ({"type": ["number", "null"]}, "number | null", "{ maybe: 'n' }"),
        ({"type": "array", "items": {"type": ["number", "null"]}}, "(number | null)[]",
         "[{ maybe: 'n' }]"),
        ({"type": "array", "x-dtype": "float32"}, "Float32Array", "'float32'"),
        ({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}]},
         "[number, string]", "['n', 's']"),
        ({"enum": ["long", "short"]}, "'long' | 'short'", "'|long|short'"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}},
         "Record<string, boolean>", "{ each: 'b' }"),
        ({"anyOf": [{"$ref": "#/components/schemas/Fit"}, {"type": "null"}]}, "Fit | null",
         "{ maybe: Fit }"),
    ],
)  # fmt: skip
def test_a_schema_has_a_type_and_a_shape(schema, kind, shape):
    assert SCRIPT["type_and_shape"](schema) == (kind, shape)


def test_a_schema_without_a_type_is_refused():
    with pytest.raises(ValueError, match="expected a schema that has a type"):
        SCRIPT["type_and_shape"]({})


def test_names_are_those_that_check_makes():
    names = [SCRIPT["camel"](name) for name in ("as_of", "coverage_80", "p0")]
    assert names == ["asOf", "coverage80", "p0"]
