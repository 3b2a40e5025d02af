"""Serving a session: what `up`, `demo` and `replay --serve` share."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import webbrowser
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import uvicorn
from rich.console import Console

from powderkeg.errors import ConfigError
from powderkeg.live.memory import keep_large_apart
from powderkeg.log import get_logger, hide
from powderkeg.serve.access.connections import BACKLOG, server
from powderkeg.serve.access.hosts import allowed, names_of
from powderkeg.serve.access.tokens import checked
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import begun
from powderkeg.serve.startup.terminal import say, show_start
from powderkeg.serve.stream.hub import Hub

log = get_logger("cli")

Work: TypeAlias = Callable[[], Awaitable[None]]
"""What runs beside the server."""
PORT = 8788
"""The default port; `powderkeg map` asks there first."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    session: Session, hub: Hub, host: str, port: int, token: str | None, work: Work, *,
    json_ready: bool, browse: bool = False, allow: str = "",
) -> None:  # fmt: skip
    """Serve a session until interrupted.

    Args:
        session: What is served.
        hub: Its streams.
        host: Address to serve on.
        port: 0 takes a free one, and so does the default one where it is taken.
        token: What clients must send; needed beyond loopback. None asks for nothing.
        work: Runs beside the server.
        json_ready: Print the address as JSON, and nothing else.
        browse: Open the page in a browser, where there is one.
        allow: Names, by comma, that the server may be asked by beside loopback and `host`.

    Raises:
        ConfigError: The address is not loopback and no token was given, or it is taken; the token
            cannot be sent, or a name is none.
        SystemExit: The work was ended by an error, which has been told; the code is 1.
    """
    if token is None:
        token = os.environ.get("POWDERKEG_TOKEN")  # an empty one the command line leaves out
    token = checked(token)
    hide(token or "")
    allowed(allow)
    keep_large_apart()
    if host not in LOOPBACK and not token:
        raise ConfigError(f"expected --token to serve on {host}: anything but loopback demands one")
    bound = _bind(host, port)
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{bound.getsockname()[1]}/"
    if json_ready:
        print(json.dumps({"url": url}), flush=True)
    else:
        say(f"{', '.join(session.desks)} on {url} (open it in a browser; Ctrl+C ends)")
        work = _shown(session, url, work)
    if browse and not webbrowser.open(url):
        say(f"no browser was found here: open {url}")
    names = names_of(host, bound.getsockname()[0], allow)
    app = make_app(session, hub, token=token, names=names, work=work, ended=lambda: _stop(serving))
    serving = server(app)
    serving.run(sockets=[bound])
    if session.failed:
        say(session.failed)
        raise SystemExit(1)


def _stop(server: uvicorn.Server) -> None:
    """Let a server end: whoever started us can start us again, a map that stands helps nobody."""
    server.should_exit = True


def _shown(session: Session, url: str, work: Work) -> Work:
    """Return the work with what it does shown in the terminal."""

    async def run() -> None:
        shown = asyncio.ensure_future(show_start(lambda: begun(session), url, Console(stderr=True)))
        shown.add_done_callback(_report)
        try:
            await work()
        finally:
            shown.cancel()

    return run


def _report(shown: asyncio.Future[None]) -> None:
    """Say why the start is no longer shown; it goes on all the same."""
    if not shown.cancelled() and (why := shown.exception()) is not None:
        log.error("start_display_failed", exc_info=why)


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
        if port == PORT and why.errno == errno.EADDRINUSE:
            say(f"port {port} is taken, by another powderkeg perhaps: a free one is used")
            return _bind(host, 0)
        raise ConfigError(f"expected to listen on {host}:{port}: {why}; try --port 0") from why
    return bound
