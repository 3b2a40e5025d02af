"""Serving a session: what `up`, `demo` and `replay --serve` share."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import uvicorn

from powderkeg.errors import ConfigError
from powderkeg.serve.app import make_app
from powderkeg.serve.hub import Hub
from powderkeg.serve.session import Session

Work: TypeAlias = Callable[[], Awaitable[None]]
"""What runs beside the server."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BACKLOG = 2048
"""Connections that may wait to be accepted: uvicorn's own default."""


def serve(
    session: Session, hub: Hub, host: str, port: int, token: str, work: Work, *, json_ready: bool
) -> None:
    """Serve a session until interrupted.

    Raises:
        ConfigError: The address is not loopback and no token was given, or it is taken.
    """
    if host not in LOOPBACK and not token:
        raise ConfigError(f"expected --token to serve on {host}: anything but loopback demands one")
    app = make_app(session, hub, token=token, work=work)
    bound = _bind(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{bound.getsockname()[1]}/"
    if json_ready:
        print(json.dumps({"url": url}), flush=True)
    else:
        source = session.progress or session.source
        words = f"powderkeg serves {', '.join(session.desks)} ({source}) on {url}"
        print(words, file=sys.stderr, flush=True)
    config = uvicorn.Config(
        app, log_level="warning", ws="websockets-sansio", ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[bound])


def _bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that the address can be told before the first request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)  # before the address is told: who reads it may connect at once
    except OSError as why:
        bound.close()
        raise ConfigError(f"expected to listen on {host}:{port}: {why}; try --port 0") from why
    return bound
