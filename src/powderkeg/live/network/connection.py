"""One WebSocket to one venue, kept open: subscribe, ping, detect silence, renew, reconnect."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from typing import Final

from picows import (
    WSError,
    WSFrame,
    WSInvalidStatusError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from powderkeg.events import SECOND
from powderkeg.live.health import Health
from powderkeg.live.inbox import Inbox
from powderkeg.live.network.backoff import Backoff
from powderkeg.live.network.bounded import MESSAGE
from powderkeg.live.network.endpoints import resolve
from powderkeg.live.timekeeping.clock import now, steady
from powderkeg.log import get_logger
from powderkeg.venues.base import Stream

CONNECT: Final = 10.0
"""Seconds a connection may take."""
OVERLAP: Final = 60 * SECOND
"""µs before the venue's cut at which the next socket is opened."""
TOGETHER: Final = 5.0
"""Seconds both sockets run side by side; duplicates are counted once."""
PATIENCE: Final = 3.0
"""Multiple of its limit a channel may be silent before its socket is reopened."""
REFUSED: Final = 600.0
"""Seconds until a venue that refuses us (HTTP 403, 451) is tried again."""
HELD: Final = 10 * SECOND
"""µs a socket must stay up until a bad message on the one before is forgotten."""
_ids = itertools.count()
log = get_logger("live")
logging.getLogger("picows").setLevel(logging.WARNING)  # reconnects are reported by Health

Reply = Callable[[bytes], bytes]


class _Listener(WSListener):
    """Listens to one socket: whole messages go to the inbox; pings are answered at once."""

    def __init__(
        self, venue: str, inbox: Inbox, reply: Reply, bad_message: Callable[[str], None]
    ) -> None:
        self._venue = venue
        self._inbox = inbox
        self._reply = reply
        self._on_bad_message = bad_message
        self._parts = bytearray()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if frame.msg_type not in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            return
        raw = frame.get_payload_as_bytes()
        if not frame.fin or self._parts:
            self._parts += raw
            if len(self._parts) > MESSAGE:
                self._on_bad_message(f"expected a message of at most {MESSAGE:,} bytes, found more")
                self._parts = bytearray()
                transport.disconnect(graceful=False)
                return
            if not frame.fin:
                return
            raw, self._parts = bytes(self._parts), bytearray()
        self._inbox.put(self._venue, raw)
        answer = self._reply(raw)
        if answer:
            transport.send(WSMsgType.TEXT, answer)


class Connection:
    """Keeps one stream of a venue connected until cancelled."""

    def __init__(
        self, venue: str, stream: Stream, inbox: Inbox, health: Health, hosts: dict[str, str],
        reply: Reply,
    ) -> None:  # fmt: skip
        """Register the stream's channels; nothing is opened yet."""
        self.id = next(_ids)
        self.venue = venue
        self.stream = stream
        self.url = resolve(stream.url, venue, hosts)
        self._inbox = inbox
        self._health = health
        self._reply = reply
        self._open: WSTransport | None = None
        self._bad_message = ""
        """Last problem with a message that made us disconnect."""
        self._sending: set[asyncio.Task[None]] = set()
        health.expect(stream.channels, self.id)

    def send(self, messages: tuple[bytes, ...]) -> None:
        """Send messages, spaced as the venue requires; nothing if the socket is down."""
        if self._open is not None:
            self._spawn(self._send_all(self._open, messages))

    async def run(self) -> None:
        """Keep the socket open."""
        backoff = Backoff()
        transport: WSTransport | None = None
        try:
            while True:
                if transport is None:
                    transport = await self._connected(backoff)
                began = asyncio.get_running_loop().time()
                why = await self._listen(transport)
                if not why:
                    transport = await self._renew(transport, backoff)
                    continue
                self.mark_lost(why)
                transport.disconnect(graceful=False)
                transport = None
                backoff.connected_for(asyncio.get_running_loop().time() - began)
                self._health.counts[self.venue, "reconnects"] += 1
                await asyncio.sleep(backoff.next())
        finally:
            if transport is not None:
                transport.disconnect(graceful=False)
            for task in self._sending:
                task.cancel()

    def mark_lost(self, why: str) -> None:
        """Record that the socket is closed, and why."""
        self._open = None
        log.warning("connection_lost", venue=self.venue, url=self.url, reason=why)
        for link in self._health.down(self.id, self.stream.channels, now(), why):
            self._inbox.put_control(link)

    async def _connected(self, backoff: Backoff) -> WSTransport:
        """Open the socket, retrying until it is open, and subscribe."""
        while True:
            try:
                transport, _ = await ws_connect(
                    lambda: _Listener(
                        self.venue, self._inbox, self._reply, self._record_bad_message
                    ), self.url,
                    websocket_handshake_timeout=CONNECT, max_frame_size=MESSAGE, max_redirects=0,
                    enable_auto_ping=True, auto_ping_idle_timeout=20, auto_ping_reply_timeout=20,
                )  # fmt: skip
            except WSInvalidStatusError as why:
                await asyncio.sleep(self._refused(why, backoff))
            except (OSError, WSError, TimeoutError) as why:
                self._health.counts[self.venue, "failed connections"] += 1
                self._problem(f"cannot connect to {self.url}: {why!r}")
                await asyncio.sleep(backoff.next())
            else:
                self._begin(transport)
                return transport

    def _refused(self, why: WSInvalidStatusError, backoff: Backoff) -> float:
        """Return how long to wait after the venue refused the connection with a status."""
        status = int(why.response.status) if why.response else 0
        self._health.counts[self.venue, f"HTTP {status}"] += 1
        words = {
            **dict.fromkeys(range(300, 400), "sent to another address, which is not followed"),
            403: "forbidden from this address: set another host or proxy for this venue",
            451: "not served at this location: set another host or proxy for this venue",
        }
        reason = words.get(status, "the venue refused the connection")
        self._problem(f"HTTP {status} from {self.url}: {reason}")
        return REFUSED if status in (403, 451) else max(backoff.next(), 2.0)

    def _problem(self, words: str) -> None:
        """Report why there is no connection; the same reason is logged once."""
        if self._health.problems.get(self.venue) != words:
            log.warning("connection_failed", venue=self.venue, reason=words)
        self._health.problems[self.venue] = words

    def _begin(self, transport: WSTransport) -> None:
        log.debug("connected", venue=self.venue, url=self.url)
        self._open = transport
        problem = self._health.problems.get(self.venue, "")
        if problem.startswith(("cannot connect", "HTTP ")):
            del self._health.problems[self.venue]
        for link in self._health.up(self.id, self.stream.channels, now()):
            self._inbox.put_control(link)
        self.send(self.stream.subscribe)

    async def _send_all(self, transport: WSTransport, messages: tuple[bytes, ...]) -> None:
        for i, message in enumerate(messages):
            if i:
                await asyncio.sleep(self.stream.pause / SECOND)
            if transport.is_disconnected:
                return
            transport.send(WSMsgType.TEXT, message)

    async def _listen(self, transport: WSTransport) -> str:
        """Wait for the socket to end; return why, or nothing where it must be renewed."""
        opened = pinged = steady()
        gone = asyncio.ensure_future(transport.wait_disconnected())
        gone.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            while True:
                done, _ = await asyncio.wait({gone}, timeout=0.25)
                at = steady()
                if done:
                    return self._close_reason(gone.exception())
                if at > opened + HELD:
                    self._clear_problem()
                silent = self._health.silent(self.stream.channels, now(), PATIENCE)
                if silent:
                    return f"silent: {silent}"
                if self.stream.max_age and at > opened + self.stream.max_age - OVERLAP:
                    return ""
                if self.stream.ping and at > pinged + self.stream.ping_every:
                    pinged = at
                    transport.send(WSMsgType.TEXT, self.stream.ping)
        finally:
            gone.cancel()

    def _close_reason(self, error: BaseException | None) -> str:
        """Return why a socket ended: closed by the venue, or after a bad message."""
        if error is None:
            return "the venue closed the socket"
        self._record_bad_message(f"{type(error).__name__}: {error}"[:300])
        return self._bad_message

    def _record_bad_message(self, words: str) -> None:
        """Count and report a message that made us disconnect."""
        self._bad_message = self._health.problems[self.venue] = words
        self._health.counts[self.venue, "unfit messages"] += 1

    def _clear_problem(self) -> None:
        """Clear that problem once the next socket has been up a while."""
        if self._bad_message and self._health.problems.get(self.venue) == self._bad_message:
            del self._health.problems[self.venue]
        self._bad_message = ""

    async def _renew(self, old: WSTransport, backoff: Backoff) -> WSTransport:
        """Open the next socket, run both for a while, then close the old one.

        The venue may cut the old one before the next is open; that is an ordinary disconnect.
        """
        self._health.counts[self.venue, "renewals"] += 1
        opening = asyncio.ensure_future(self._connected(backoff))
        gone = asyncio.ensure_future(old.wait_disconnected())
        gone.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await asyncio.wait({opening, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                self.mark_lost("the venue closed the socket")
            new = await opening
            await asyncio.sleep(TOGETHER)
        except BaseException:
            opening.add_done_callback(_close)
            opening.cancel()
            raise
        finally:
            gone.cancel()
            old.disconnect(graceful=False)
        return new

    def _spawn(self, work: asyncio.Future[None] | object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


def _close(opening: asyncio.Future[WSTransport]) -> None:
    """Close a socket that is no longer needed."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().disconnect(graceful=False)
