"""HTTP responses: encoded as requested, compressed where it pays, streamed when large."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, NamedTuple, TypeVar

import brotli
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response import Stream
from msgspec import Struct

from powderkeg.maps.views.queries import SPANS, HeatmapQuery, Query
from powderkeg.serve.codec import JSON, MSGPACK, pack, text, wants_msgpack
from powderkeg.serve.workers import Lane

T = TypeVar("T")
SMALL = 1_000
"""Bytes up to which compression is not worth it."""
QUALITY = 5
"""Brotli level: ten times cheaper than the best."""
LARGE = 1_000_000
"""Bytes from which a higher level pays: a map of 1,500 columns, or tier by tier."""
LARGE_QUALITY = 9
PIECE = 256_000
"""Bytes written to a client at a time."""
MANY = 1_000
"""Columns of a heatmap from which its answer uses the long lane."""
CLIENT_CLOSED = 499
"""Status of an answer whose client has closed the connection."""


class Form(NamedTuple):
    """Encoding that a client accepts."""

    packed: bool
    brotli: bool


class Encoded(NamedTuple):
    """An encoded answer."""

    body: bytes
    tag: str
    form: Form
    """Actual encoding: small answers are not compressed."""


def accepted(request: Request[Any, Any, State]) -> Form:
    """Return the encoding a client accepts."""
    packed = wants_msgpack(request.headers.get("accept", ""))
    return Form(packed, "br" in request.headers.get("accept-encoding", ""))


def lane_of(query: Query, form: Form) -> Lane:
    """Return the lane of a query: maps of many numbers, or as JSON, are long."""
    if not isinstance(query, HeatmapQuery):
        return "short"
    large = query.planes != "sum" or not form.packed or SPANS[query.span][1] > MANY
    return "long" if large else "short"


def encoded(answer: Struct, form: Form) -> Encoded:
    """Encode as requested, and compress where it pays."""
    body = pack(answer) if form.packed else text(answer)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if form.brotli and len(body) > SMALL:
        return Encoded(compress(body), tag, form)
    return Encoded(body, tag, form._replace(brotli=False))


def compress(body: bytes) -> bytes:
    """Return a body compressed with brotli, harder where it is large."""
    return brotli.compress(body, quality=LARGE_QUALITY if len(body) > LARGE else QUALITY)


def respond(request: Request[Any, Any, State], answer: Encoded) -> Response[Any]:
    """Return an answer as a response, or 304 where it is unchanged."""
    headers = {"etag": answer.tag, "cache-control": "no-cache", "vary": "accept, accept-encoding"}
    if request.headers.get("if-none-match") == answer.tag:
        return Response(b"", status_code=304, headers=headers)
    if answer.form.brotli:
        headers["content-encoding"] = "br"
    kind = MSGPACK if answer.form.packed else JSON
    if len(answer.body) <= PIECE:
        return Response(answer.body, media_type=kind, headers=headers)
    headers["content-length"] = str(len(answer.body))
    return Stream(_pieces(answer.body), media_type=kind, headers=headers)


async def _pieces(body: bytes) -> AsyncGenerator[bytes]:
    """Yield a large body in pieces, so that it is not copied whole for a slow client."""
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]


def small(request: Request[Any, Any, State], answer: Struct) -> Response[Any]:
    """Return the response of a small answer."""
    return respond(request, encoded(answer, accepted(request)))


async def unless_disconnected(request: Request[Any, Any, State], work: Awaitable[T]) -> T:
    """Return the result of `work`, which is cancelled when the client disconnects.

    Raises:
        HTTPException: The client has disconnected; nobody reads the answer.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise HTTPException("the client has left", status_code=CLIENT_CLOSED)
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _disconnected(request: Request[Any, Any, State]) -> None:
    """Return once the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
