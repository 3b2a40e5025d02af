"""The server's sockets: how long one may take, how many there may be, and what is said of them.

The venues' sockets and the store's files need descriptors as well: what visitors do must never use
them up. uvicorn has limits of its own only for what is idle after an answer.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import struct
import time
from collections.abc import Iterable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from powderkeg.log import get_logger
from powderkeg.serve.access.headers import secured
from powderkeg.serve.access.middleware import HEAD_SIZE
from powderkeg.serve.codec import JSON, text

log = get_logger("serve")

ARRIVE = 10.0
"""Seconds in which a request must have come whole."""
IDLE = 15
"""Seconds a connection may rest after an answer."""
STALL = 30.0
"""Seconds a reader may take nothing of an answer that waits for it."""
STOOD = 5.0
"""Seconds without a look at the connections after which the loop counts as having stood still."""
MESSAGE = 64 * 1024
"""Bytes of a message that a client may send over a WebSocket."""
WANTED = 4096
"""Descriptors wanted: some thousand pages. What the system allows below that is taken."""
RESERVE = 256
"""Descriptors kept for venues and files; five eighths of them all where that is less."""
BACKLOG = 2048
"""Connections that may wait to be accepted: uvicorn's own default."""
AT_ONCE = 4
"""Accepted at once: several rounds of them hold a descriptor before one can be turned away."""
TELL_EVERY = 60.0
"""Seconds between two reports that there are too many connections."""


def raise_descriptors() -> None:
    """Ask the system for as many descriptors as are wanted, where it lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def places() -> int:
    """Return how many connections may be open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    have = WANTED if soft == resource.RLIM_INFINITY else min(soft, WANTED)
    return max(have - RESERVE, have * 3 // 8)


class Connection(H11Protocol):
    """An HTTP connection that must bring its request in time."""

    begun: float | None = None
    """When the request that is coming began to; none while one is answered, or none has begun."""
    since = 0.0
    """When it was opened, or last answered."""
    stuck: tuple[int, float] = (0, 0.0)
    """Bytes that wait for the reader, and since when they are so many."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection, or close it where there is none."""
        super().connection_made(transport)
        self.begun = self.since = self.loop.time()
        if len(self.connections) > places():
            _make_room(self.connections)

    def data_received(self, data: bytes) -> None:
        """Read what came, and note whether the request is whole."""
        if self.begun is None:
            self.begun = self.loop.time()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self.begun = None

    def on_response_complete(self) -> None:
        """Note when the connection came to rest."""
        self.since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Say in our own form that this is no HTTP, where nothing else is being said."""
        if self._answering:
            self.cycle.disconnected = True
            cut(self.transport)
            return
        headers = [(b"content-type", JSON.encode()), (b"connection", b"close")]
        start = h11.Response(status_code=400, headers=secured(headers), reason=b"Bad Request")
        body = h11.Data(data=text({"error": f"expected HTTP/1.1, found otherwise: {msg}"}))
        for event in (start, body, h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def resting(self) -> bool:
        """Whether nothing is being answered: such a connection may go where room is short."""
        return not self._answering and not self.transport.is_closing()

    @property
    def _answering(self) -> bool:
        cycle = getattr(self, "cycle", None)  # typed as if there always were one
        return cycle is not None and not cycle.response_complete


class Stream(WebSocketsSansIOProtocol):
    """A WebSocket that takes what is no text for an end, and makes no noise of it."""

    stuck: tuple[int, float] = (0, 0.0)
    """Bytes that wait for the reader, and since when they are so many."""

    def send_receive_event_to_app(self) -> None:
        """Hand a message on, or close where it is not UTF-8."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(1007)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def cut(transport: asyncio.Transport) -> None:
    """Close a connection and forget what waits for it: the kernel would keep that for minutes."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _make_room(connections: Iterable[Any]) -> None:
    """Close the connection that has rested longest: who brings a request at once gets in."""
    open_ones = [each for each in connections if not each.transport.is_closing()]
    if len(open_ones) <= places():
        return
    resting = [each for each in open_ones if isinstance(each, Connection) and each.resting]
    if resting:
        cut(min(resting, key=lambda each: each.since).transport)


def sweep(connections: Iterable[Any], now: float) -> None:
    """Close what has taken too long: to bring a request, or to take an answer.

    Args:
        connections: Those of the server.
        now: Seconds on the loop's clock.
    """
    for each in list(connections):
        waits = each.transport.get_write_buffer_size()
        if waits == 0 or waits != each.stuck[0]:
            each.stuck = (waits, now)
        begun = getattr(each, "begun", None)
        late = begun is not None and now - begun > ARRIVE
        if late or (waits and now - each.stuck[1] > STALL):
            cut(each.transport)


def forgive(connections: Iterable[Any], stood: float) -> None:
    """Give each request that is coming the time back in which the loop stood still, s.

    It may have come long since, and wait in the kernel to be read.
    """
    for each in list(connections):
        if getattr(each, "begun", None) is not None:
            each.begun += stood


class Server(uvicorn.Server):
    """A server whose sockets leave the rest of the process alone."""

    _told = -TELL_EVERY
    _swept = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept: a few at once, while many may wait."""
        asyncio.get_running_loop().set_exception_handler(self._report)
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once a second."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            stood = now - self._swept if self._swept else 0.0
            self._swept = now
            if stood > STOOD:
                forgive(self.server_state.connections, stood)
            sweep(self.server_state.connections, now)
        return await super().on_tick(counter)

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say once a minute that descriptors are short; leave other errors to the loop."""
        why = context.get("exception")
        if not isinstance(why, OSError) or why.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            log.error("accept_failed", reason=str(why))


def server(app: Any) -> Server:
    """Return the server of an app, with its limits."""
    raise_descriptors()
    return Server(
        uvicorn.Config(
            app, http=Connection, ws=Stream, log_config=None, log_level="error", access_log=False,
            proxy_headers=False, server_header=False, backlog=AT_ONCE,
            h11_max_incomplete_event_size=HEAD_SIZE, timeout_keep_alive=IDLE,
            ws_max_size=MESSAGE, ws_per_message_deflate=False, timeout_graceful_shutdown=1,
        )
    )  # fmt: skip
