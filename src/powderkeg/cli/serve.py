"""Serves a session, for `up`, `demo` and `replay --serve`."""

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
from powderkeg.live.memory import map_large_blocks
from powderkeg.log import get_logger, hide
from powderkeg.serve.access.connections import BACKLOG, server
from powderkeg.serve.access.hosts import allowed, names_of
from powderkeg.serve.access.tokens import valid_token
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import progress_of
from powderkeg.serve.startup.terminal import say, show_start
from powderkeg.serve.stream.hub import Hub

log = get_logger("cli")

Work: TypeAlias = Callable[[], Awaitable[None]]
"""Runs beside the server."""
PORT = 8788
"""The default port; `powderkeg map` asks there first."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    session: Session, hub: Hub, host: str, port: int, token: str | None, work: Work, *,
    json_ready: bool, browse: bool = False, allow: str = "",
) -> None:  # fmt: skip
    """Serve a session until interrupted.

    Args:
        session: The session.
        hub: Its streams.
        host: Address to serve on.
        port: 0 takes a free one, as does the default port if it is in use.
        token: Token that clients must send, required beyond loopback; None requires none.
        work: Runs beside the server.
        json_ready: Print the address as JSON, and nothing else.
        browse: Open the page in a browser, where there is one.
        allow: Further host names the server accepts, comma-separated.

    Raises:
        ConfigError: The address is not loopback and no token was given, or it is in use; the token
            or a host name is invalid.
        SystemExit: An error ended the work and has been logged; the code is 1.
    """
    if token is None:
        token = os.environ.get("POWDERKEG_TOKEN")  # the command line drops an empty one
    token = valid_token(token)
    hide(token or "")
    allowed(allow)
    map_large_blocks()
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
    """Stop the server: a service manager can restart us, a stale map helps nobody."""
    server.should_exit = True


def _shown(session: Session, url: str, work: Work) -> Work:
    """Return the work with its progress shown in the terminal."""

    async def run() -> None:
        shown = asyncio.ensure_future(
            show_start(lambda: progress_of(session), url, Console(stderr=True))
        )
        shown.add_done_callback(_report)
        try:
            await work()
        finally:
            shown.cancel()

    return run


def _report(shown: asyncio.Future[None]) -> None:
    """Log why the start is no longer shown; the start itself continues."""
    if not shown.cancelled() and (why := shown.exception()) is not None:
        log.error("start_display_failed", exc_info=why)


def _bind(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that the address can be printed before the first request."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)  # before the address is printed: its reader may connect at once
    except OSError as why:
        bound.close()
        if port == PORT and why.errno == errno.EADDRINUSE:
            say(f"port {port} is taken, by another powderkeg perhaps: a free one is used")
            return _bind(host, 0)
        raise ConfigError(f"expected to listen on {host}:{port}: {why}; try --port 0") from why
    return bound
