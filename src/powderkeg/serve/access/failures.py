"""Errors nobody foresaw: told once a place to whoever watches the terminal, and to no client."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

from powderkeg.live.tell import tell
from powderkeg.serve.codec import JSON, text

Handler = Callable[[Request[Any, Any, State], Exception], Response[bytes]]


def failing() -> Handler:
    """Return what answers a request that failed by our own fault, with 500 and no details."""
    told: set[tuple[str, int]] = set()

    def fail(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
        place = _place(error)
        if place not in told:
            told.add(place)
            tell(f"a request failed, {request.url.path[:200]!r}; this place is told once")
            traceback.print_exception(error)
        words = "the server failed to answer this; its terminal says where"
        return Response(text({"error": words}), status_code=500, media_type=JSON)

    return fail


def _place(error: Exception) -> tuple[str, int]:
    """Return the file and line in which an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
