"""The OpenAPI document, completed with what Litestar cannot derive from the routes.

Routes return encoded bytes, so the generated document has no response schemas; coins and currencies
are known only while the server runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_type_hints
from zoneinfo import available_timezones

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin

from powderkeg.history.fixings import DAY_PATTERN
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.access.headers import POLICY, policy
from powderkeg.serve.access.middleware import ALLOW
from powderkeg.serve.codec import JSON, MSGPACK

Json: TypeAlias = dict[str, Any]
ERRORS = {
    "400": "An unknown coin, parameter or value, or no data yet; the message says which",
    "401": "The token is missing or wrong",
    "403": "An unknown Host, or a request by a page of another site",
    "404": "No such address",
    "405": "Another method than GET, HEAD and OPTIONS",
    "411": "A body of unknown length",
    "413": "A body above 64 kB",
    "429": "Too many wrong tokens from this address, or too many requests waiting",
    "431": "Headers and address above 16 kB",
    "500": "An internal error, logged by the server",
}
HEADERS = {"405": "allow", "429": "retry-after"}
"""Header of an error that says what to do next."""
ALWAYS = ("kind", "coin", "source", "note", "as_of", "now", "age", "model", "coverage", "venues")
"""Fields common to the answers of all views."""
ONE_PLANE = ("heatmap.png", "heatmap.csv", "heatmap.parquet", "heatmap.arrow")
"""Exports that show one plane only."""


@dataclass(frozen=True)
class Served:
    """What is known of a server only while it runs."""

    coins: Sequence[str]
    currencies: Sequence[str]
    locked: bool
    """Whether it requires a token."""


def complete(document: Json, served: Served) -> None:
    """Add response schemas, errors and allowed values to a document, once."""
    parts = document["components"]
    if "responses" in parts:
        return
    parts["responses"] = {status: _error(status) for status in ERRORS}
    if served.locked:
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "token": {"type": "apiKey", "in": "query", "name": "token"},
        }
        document["security"] = [{"bearer": []}, {"token": []}]
    for item in document["paths"].values():
        one = item["get"]
        _tighten(one, served)
        one["responses"] = _responses(one, parts.setdefault("schemas", {}))


def _error(status: str) -> Json:
    """Return the response of an error, the same for all."""
    schema = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
        "additionalProperties": False,
    }
    out: Json = {"description": ERRORS[status], "content": {JSON: {"schema": schema}}}
    if name := HEADERS.get(status):
        example = {"example": ALLOW[name]} if name in ALLOW else {}
        out["headers"] = {name: {"required": True, "schema": {"type": "string"}, **example}}
    return out


def _responses(one: Json, schemas: Json) -> Json:
    """Return the responses of an operation."""
    (media,) = one["responses"]["200"]["content"]
    if media == JSON:
        content: Json = {JSON: {"schema": _answer(one["operationId"], schemas)}, MSGPACK: {}}
    elif media.startswith("text/"):
        content = {media: {"schema": {"type": "string"}}}
    else:
        content = {media: {"schema": {"type": "string", "format": "binary"}}}
    out: Json = {"200": {"description": "What was asked for", "content": content}}
    if media == JSON:
        out["304"] = {"description": "The answer has the ETag that If-None-Match names"}
    return out | {status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS}


def _answer(name: str, schemas: Json) -> Json:
    """Return the schema of a JSON answer; fields of a view go into `schemas`."""
    if name not in VIEWS:
        return {"type": "object"}
    kind = get_type_hints(VIEWS[name][1])["return"]
    (own,), parts = msgspec.json.schema_components(
        [kind], schema_hook=lambda _: {"type": "array"}, ref_template="#/components/schemas/{name}"
    )
    schemas |= {title: _with_null(part) for title, part in parts.items()}
    return {"allOf": [own, {"type": "object", "required": list(ALWAYS)}]}


def _with_null(part: Any) -> Any:
    """Return a schema whose numbers may be null: JSON has no word for not-a-number."""
    if isinstance(part, list):
        return [_with_null(each) for each in part]
    if not isinstance(part, dict):
        return part
    out = {name: _with_null(value) for name, value in part.items()}
    return out | {"type": ["number", "null"]} if out.get("type") == "number" else out


def _tighten(one: Json, served: Served) -> None:
    """Add the allowed values of an operation's parameters."""
    name = one["operationId"]
    for parameter in one.get("parameters", []):
        match parameter["name"]:
            case "where":
                parameter["schema"]["enum"] = list(served.coins)
                parameter["description"] = "A coin; COIN@TIME, in µs UTC, is the same as at=TIME"
            case "coin":
                parameter["schema"]["enum"] = ["", *served.coins]
            case "ccy":
                parameter["schema"]["enum"] = list(served.currencies)
            case "zone":
                parameter["schema"]["enum"] = ["", *sorted(available_timezones())]
            case "since" | "until" if parameter["schema"]["type"] == "string":
                day = {"format": "date", "pattern": DAY_PATTERN}
                parameter["schema"]["anyOf"] = [{"enum": [""]}, day]
            case "at":
                parameter["description"] = (
                    "0 is now; else a time from `since` to `until` of /v1/{coin}/history"
                )
            case "planes" if name in ONE_PLANE:
                parameter["schema"]["enum"] = ["sum"]
            case _:
                pass


class Document(JsonRenderPlugin):
    """Serves the document."""

    def __init__(self, served: Served) -> None:
        """Describe `served`."""
        super().__init__()
        self._served = served

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        """Return the completed document."""
        complete(openapi_schema, self._served)
        return super().render(request, openapi_schema)


class Reference(SwaggerRenderPlugin):
    """Serves the document as a page, from files in the package: no other host is needed."""

    def __init__(self, served: Served) -> None:
        """Describe `served`, with the paths of the files."""
        super().__init__(
            js_url="/reference/swagger-ui-bundle.js",
            css_url="/reference/swagger-ui.css",
            standalone_preset_js_url="/reference/swagger-ui-standalone-preset.js",
            favicon='<link rel="icon" href="/icon.svg">',
        )
        self._served = served

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        """Return the page, with a policy that allows its own script."""
        complete(openapi_schema, self._served)
        page = super().render(request, openapi_schema)
        request.scope["state"][POLICY] = policy(page)
        return page
