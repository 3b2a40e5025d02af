"""Unexpected errors: logged once per place in the code, with no details for the client."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

from powderkeg.log import get_logger
from powderkeg.serve.answers.server import ErrorAnswer
from powderkeg.serve.codec import JSON, text

log = get_logger("serve")

Handler = Callable[[Request[Any, Any, State], Exception], Response[bytes]]


def unexpected_error_handler() -> Handler:
    """Return a handler that answers unexpected errors with 500 and no details."""
    logged: set[tuple[str, int]] = set()

    def fail(request: Request[Any, Any, State], error: Exception) -> Response[bytes]:
        place = _place(error)
        if place not in logged:
            logged.add(place)
            log.error("request_failed", path=request.url.path[:200], exc_info=error)
        words = "the server failed to answer this; its log says where"
        return Response(text(ErrorAnswer(words)), status_code=500, media_type=JSON)

    return fail


def _place(error: Exception) -> tuple[str, int]:
    """Return the file and line in which an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
