"""The OpenAPI document, completed with what Litestar cannot derive from the routes.

Routes return encoded bytes, so the generated document has no response schemas; coins and currencies
are known only while the server runs. The messages of the WebSocket, which OpenAPI cannot describe,
are listed under ``x-stream``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from zoneinfo import available_timezones

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin

from powderkeg.history.fixings import DAY_PATTERN
from powderkeg.serve.access.headers import POLICY, policy
from powderkeg.serve.access.middleware import ALLOW
from powderkeg.serve.answers.server import ErrorAnswer
from powderkeg.serve.codec import JSON, MSGPACK
from powderkeg.serve.openapi.schemas import REF, ROUTES, schemas, stream_messages

Json: TypeAlias = dict[str, Any]
ERRORS = {
    "400": "An unknown coin, parameter or value, or no data yet; the message says which",
    "401": "The token is missing or wrong",
    "403": "An unknown Host, or a request by a page of another site",
    "404": "No such address, or no past stored where one was asked for",
    "405": "Another method than GET, HEAD and OPTIONS",
    "411": "A body of unknown length",
    "413": "A body above 64 kB",
    "429": "Too many wrong tokens from this address, or too many requests waiting",
    "431": "Headers and address above 16 kB",
    "500": "An internal error, logged by the server",
}
BINARY = (
    "What was asked for. In MessagePack an array with `x-dtype` is binary: its elements,"
    " little-endian, row after row"
)
STREAM = "x-stream"
"""Key of the document that lists the messages of the WebSocket."""
HEADERS = {"405": "allow", "429": "retry-after"}
"""Header of an error that says what to do next."""
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
    parts.setdefault("schemas", {}).update(schemas())
    document[STREAM] = {"path": "/v1/stream", "media": MSGPACK, "messages": stream_messages()}
    if served.locked:
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "token": {"type": "apiKey", "in": "query", "name": "token"},
        }
        document["security"] = [{"bearer": []}, {"token": []}]
    for path, item in document["paths"].items():
        one = item["get"]
        _tighten(one, served)
        one["responses"] = _responses(path, one)


def _error(status: str) -> Json:
    """Return the response of an error, the same for all."""
    schema = {"$ref": REF.format(name=ErrorAnswer.__name__)}
    out: Json = {"description": ERRORS[status], "content": {JSON: {"schema": schema}}}
    if name := HEADERS.get(status):
        example = {"example": ALLOW[name]} if name in ALLOW else {}
        out["headers"] = {name: {"required": True, "schema": {"type": "string"}, **example}}
    return out


def _responses(path: str, one: Json) -> Json:
    """Return the responses of an operation."""
    (media,) = one["responses"]["200"]["content"]
    if media == JSON:
        schema = {"$ref": REF.format(name=ROUTES[path].__name__)}
        content: Json = {JSON: {"schema": schema}, MSGPACK: {}}
    elif media.startswith("text/"):
        content = {media: {"schema": {"type": "string"}}}
    else:
        content = {media: {"schema": {"type": "string", "format": "binary"}}}
    words = BINARY if media == JSON else "What was asked for"
    out: Json = {"200": {"description": words, "content": content}}
    if media == JSON:
        out["304"] = {"description": "The answer has the ETag that If-None-Match names"}
    return out | {status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS}


def _tighten(one: Json, served: Served) -> None:
    """Add the allowed values of an operation's parameters."""
    name = one["operationId"]
    for parameter in one.get("parameters", []):
        match parameter["name"]:
            case "where":
                parameter["schema"]["enum"] = list(served.coins)
                parameter["description"] = "A coin; COIN@TIME, in µs UTC, is the same as at=TIME"
            case "coin" if parameter["in"] == "path":
                parameter["schema"]["enum"] = list(served.coins)
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
