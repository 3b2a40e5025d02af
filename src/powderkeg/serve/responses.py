"""Answers as HTTP: encoded as asked, compressed where it pays, and sent at the client's pace."""

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

from powderkeg.maps.views.queries import SPANS, HeatmapQuery, Query
from powderkeg.serve.codec import JSON, MSGPACK, pack, text, wants_msgpack
from powderkeg.serve.workers import Lane

T = TypeVar("T")
SMALL = 1_000
"""Bytes up to which compression does not pay."""
QUALITY = 5
"""Brotli level: ten times cheaper than the best."""
LARGE = 1_000_000
"""Bytes from which a higher level pays: a map of 1,500 columns, or tier by tier."""
LARGE_QUALITY = 9
PIECE = 256_000
"""Bytes that are handed to a client's line at a time."""
MANY = 1_000
"""Columns of a heatmap from which its answer is a long one."""
LEFT = 499
"""Status of what nobody reads: the client has closed its connection."""


class Form(NamedTuple):
    """In which form a client takes an answer."""

    packed: bool
    brotli: bool


class Encoded(NamedTuple):
    """An answer ready to be sent."""

    body: bytes
    tag: str
    form: Form
    """As it is: what is small is not compressed."""


def accepted(request: Request[Any, Any, State]) -> Form:
    """Return the form a client asks for."""
    packed = wants_msgpack(request.headers.get("accept", ""))
    return Form(packed, "br" in request.headers.get("accept-encoding", ""))


def lane_of(query: Query, form: Form) -> Lane:
    """Return the lane of a question: maps that are many numbers, or numbers as text, are long."""
    if not isinstance(query, HeatmapQuery):
        return "short"
    dear = query.planes != "sum" or not form.packed or SPANS[query.span][1] > MANY
    return "long" if dear else "short"


def encoded(answer: dict[str, Any], form: Form) -> Encoded:
    """Encode as asked, and compress where it pays."""
    body = pack(answer) if form.packed else text(answer)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if form.brotli and len(body) > SMALL:
        return Encoded(squeeze(body), tag, form)
    return Encoded(body, tag, form._replace(brotli=False))


def squeeze(body: bytes) -> bytes:
    """Return a body compressed with brotli, harder where it is large."""
    return brotli.compress(body, quality=LARGE_QUALITY if len(body) > LARGE else QUALITY)


def respond(request: Request[Any, Any, State], made: Encoded) -> Response[Any]:
    """Send an answer, or let an unchanged one be reused."""
    headers = {"etag": made.tag, "cache-control": "no-cache", "vary": "accept, accept-encoding"}
    if request.headers.get("if-none-match") == made.tag:
        return Response(b"", status_code=304, headers=headers)
    if made.form.brotli:
        headers["content-encoding"] = "br"
    kind = MSGPACK if made.form.packed else JSON
    if len(made.body) <= PIECE:
        return Response(made.body, media_type=kind, headers=headers)
    headers["content-length"] = str(len(made.body))
    return Stream(_pieces(made.body), media_type=kind, headers=headers)


async def _pieces(body: bytes) -> AsyncGenerator[bytes]:
    """Yield a large body bit by bit: what a slow client has not taken is not copied for it."""
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]


def small(request: Request[Any, Any, State], answer: dict[str, Any]) -> Response[Any]:
    """Encode and send an answer that is small."""
    return respond(request, encoded(answer, accepted(request)))


async def while_there(request: Request[Any, Any, State], work: Awaitable[T]) -> T:
    """Return what work returns; it is cancelled when the client leaves.

    Raises:
        HTTPException: The client has left; nobody reads what is said of it.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise HTTPException("the client has left", status_code=LEFT)
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _left(request: Request[Any, Any, State]) -> None:
    """Return once the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
