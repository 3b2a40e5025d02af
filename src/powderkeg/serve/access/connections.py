"""Limits of the server's connections: timeouts, how many there may be, and reports of shortage.

The venues' sockets and the store's files need descriptors as well: clients must never use them
up. uvicorn itself limits only connections that idle after an answer.
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
from powderkeg.serve.answers.server import ErrorAnswer
from powderkeg.serve.codec import JSON, text

log = get_logger("serve")

ARRIVE = 10.0
"""Seconds in which a request must be complete."""
IDLE = 15
"""Seconds a connection may idle after an answer."""
STALL = 30.0
"""Seconds a client may read nothing of a pending answer."""
STALLED_AFTER = 5.0
"""Seconds without a sweep of the connections after which the loop counts as stalled."""
MESSAGE = 64 * 1024
"""Bytes of a message that a client may send over a WebSocket."""
WANTED = 4096
"""Descriptors wanted: some thousand pages. What the system allows below that is taken."""
RESERVE = 256
"""Descriptors reserved for venues and files; five eighths of all if that is less."""
BACKLOG = 2048
"""Connections that may wait to be accepted: uvicorn's own default."""
AT_ONCE = 4
"""Accepted at once: several rounds hold descriptors before one can be closed."""
REPORT_EVERY = 60.0
"""Seconds between two reports that there are too many connections."""


def raise_descriptors() -> None:
    """Raise the limit of file descriptors to `WANTED`, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def max_connections() -> int:
    """Return how many connections may be open at a time."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    have = WANTED if soft == resource.RLIM_INFINITY else min(soft, WANTED)
    return max(have - RESERVE, have * 3 // 8)


class Connection(H11Protocol):
    """An HTTP connection whose request must arrive in time."""

    request_since: float | None = None
    """When the current request began to arrive; None between requests."""
    since = 0.0
    """When it was opened, or last answered."""
    stuck: tuple[int, float] = (0, 0.0)
    """Bytes in the send buffer, and since when there are so many."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for the connection, or close it if there is none."""
        super().connection_made(transport)
        self.request_since = self.since = self.loop.time()
        if len(self.connections) > max_connections():
            _make_room(self.connections)

    def data_received(self, data: bytes) -> None:
        """Read data, and record whether the request is complete."""
        if self.request_since is None:
            self.request_since = self.loop.time()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self.request_since = None

    def on_response_complete(self) -> None:
        """Record when the connection became idle."""
        self.since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer invalid HTTP with our own error, unless an answer is under way."""
        if self._answering:
            self.cycle.disconnected = True
            reset(self.transport)
            return
        headers = [(b"content-type", JSON.encode()), (b"connection", b"close")]
        start = h11.Response(status_code=400, headers=secured(headers), reason=b"Bad Request")
        body = h11.Data(data=text(ErrorAnswer(f"expected HTTP/1.1, found otherwise: {msg}")))
        for event in (start, body, h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered: such a connection may be closed to make room."""
        return not self._answering and not self.transport.is_closing()

    @property
    def _answering(self) -> bool:
        cycle = getattr(self, "cycle", None)  # typed as if it were always set
        return cycle is not None and not cycle.response_complete


class Stream(WebSocketsSansIOProtocol):
    """A WebSocket that closes on invalid text without logging it."""

    stuck: tuple[int, float] = (0, 0.0)
    """Bytes in the send buffer, and since when there are so many."""

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or close if it is not UTF-8."""
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


def reset(transport: asyncio.Transport) -> None:
    """Reset a connection and drop its send buffer, which the kernel would keep for minutes."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _make_room(connections: Iterable[Any]) -> None:
    """Close the connection that has been idle longest, if there are too many."""
    open_ones = [each for each in connections if not each.transport.is_closing()]
    if len(open_ones) <= max_connections():
        return
    idle = [each for each in open_ones if isinstance(each, Connection) and each.idle]
    if idle:
        reset(min(idle, key=lambda each: each.since).transport)


def sweep(connections: Iterable[Any], now: float) -> None:
    """Close connections that take too long to send a request or to read an answer.

    Args:
        connections: Connections of the server.
        now: Loop time, s.
    """
    for each in list(connections):
        waits = each.transport.get_write_buffer_size()
        if waits == 0 or waits != each.stuck[0]:
            each.stuck = (waits, now)
        request_since = getattr(each, "request_since", None)
        late = request_since is not None and now - request_since > ARRIVE
        if late or (waits and now - each.stuck[1] > STALL):
            reset(each.transport)


def extend_deadlines(connections: Iterable[Any], stalled: float) -> None:
    """Extend the deadline of arriving requests by a stall of the loop, s.

    They may have arrived long ago, and wait in the kernel to be read.
    """
    for each in list(connections):
        if getattr(each, "request_since", None) is not None:
            each.request_since += stalled


class Server(uvicorn.Server):
    """A uvicorn server whose connections cannot exhaust the process."""

    _reported = -REPORT_EVERY
    _swept = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting: a few at once, while many may wait."""
        asyncio.get_running_loop().set_exception_handler(self._report)
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        """Sweep the connections once a second."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            stalled = now - self._swept if self._swept else 0.0
            self._swept = now
            if stalled > STALLED_AFTER:
                extend_deadlines(self.server_state.connections, stalled)
            sweep(self.server_state.connections, now)
        return await super().on_tick(counter)

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log a shortage of descriptors once a minute; leave other errors to the loop."""
        why = context.get("exception")
        if not isinstance(why, OSError) or why.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif time.monotonic() - self._reported >= REPORT_EVERY:
            self._reported = time.monotonic()
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
