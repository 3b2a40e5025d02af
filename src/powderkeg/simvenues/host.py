"""One venue on its port: REST and sockets over aiohttp, subscriptions, and faults in delivery."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import WSMsgType, web

from powderkeg.simvenues.faults import FLAGS, STATUS, Fault, Faults
from powderkeg.simvenues.market.feed import LiquidationFill, Market, MarketUpdate
from powderkeg.simvenues.wire import Frame, MockExchange, RefusedError, Reply, Session, encode

_QUEUE: Final = 50_000
"""Frames that may wait for a slow client before the venue disconnects it."""
_HOLD: Final = 3.0
"""Seconds a client may take to acknowledge a close."""


class Socket:
    """One connection: a queue of frames and the task that sends them."""

    def __init__(self, host: Host, path: str, number: int) -> None:
        """Create it for a host; frames are sent by `send`."""
        self.host = host
        self.session = Session(self.put, path, number)
        self.opened_at = time.monotonic()
        self.queue: deque[tuple[float, bytes]] = deque()
        self.more = asyncio.Event()
        self.closing = False

    def put(self, body: bytes) -> None:
        """Queue a frame; a silent venue drops it, a full queue closes the connection."""
        if self.host.faults.on("silent"):
            return
        slow = self.host.faults.on("slow")
        delay = slow.delay if slow else 0.0
        self.queue.append((time.monotonic() + delay, body))
        if len(self.queue) > _QUEUE:
            self.close()
        self.more.set()

    def close(self) -> None:
        """Close once the frame being sent is out."""
        self.closing = True
        self.more.set()

    async def send(self, ws: web.WebSocketResponse) -> None:
        """Send frames in order, each not before its time, until closed."""
        while not self.closing:
            if not self.queue:
                self.more.clear()
                await self.more.wait()
                continue
            wait = self.queue[0][0] - time.monotonic()
            if wait > 0:
                self.more.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.more.wait(), wait)
                continue
            _, body = self.queue.popleft()
            await ws.send_frame(body, WSMsgType.TEXT)


class Host:
    """One venue's server."""

    def __init__(
        self,
        wire: MockExchange,
        port: int,
        record: Callable[[Market, MarketUpdate, list[LiquidationFill], bool], None],
    ) -> None:
        """Serve `wire` on `port`, 0 for a free one; `record` gets all that is published."""
        self.wire = wire
        self.port = port
        self.faults = Faults(time.monotonic)
        self.sockets: dict[int, Socket] = {}
        self.record = record
        self.frames = 0
        """Frames published so far, subscribed to or not."""
        self._runner: web.AppRunner | None = None
        self._count = 0
        self._held: dict[str, Frame] = {}
        wire.is_subscribed = self.is_subscribed

    # -- listening

    @property
    def listening(self) -> bool:
        """Whether the port is open."""
        return self._runner is not None

    async def start(self) -> None:
        """Listen; a second call is harmless."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=2**20)
        app.on_response_prepare.append(_tag_simulated)
        app.router.add_route("*", "/{path:.*}", self._request)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the listener and all sockets."""
        if self._runner is None:
            return
        for socket in list(self.sockets.values()):
            socket.close()
        await self._runner.cleanup()
        self._runner = None

    async def _request(self, request: web.Request) -> web.StreamResponse:
        for name in ("http_451", "http_403"):
            if self.faults.on(name):
                return self._refusal(name)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        for name in ("http_429", "http_418"):
            if self.faults.on(name):
                return self._refusal(name)
        if self.faults.on("silent"):
            await asyncio.sleep(self.faults.left("silent"))
        return self._answer(request.path, dict(request.query), await request.read())

    def _refusal(self, name: str) -> web.Response:
        text = b'{"code":0,"msg":"Service unavailable from a restricted location."}'
        if STATUS[name] in {429, 418}:
            text = b'{"code":-1003,"msg":"Too many requests."}'
        wait = str(max(1, round(self.faults.left(name))))
        headers = {"Content-Type": "application/json", "Retry-After": wait}
        return web.Response(body=text, status=STATUS[name], headers=headers)

    def _answer(self, path: str, query: dict[str, str], body: bytes) -> web.Response:
        try:
            reply = self.wire.answer(path, query, body)
        except RefusedError as no:
            reply = no.reply
        headers = {"Content-Type": "application/json", **dict(reply.headers)}
        return web.Response(body=reply.body, status=reply.status, headers=headers)

    # -- sockets

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self._count += 1
        socket = Socket(self, request.path_qs, self._count)
        if not self.wire.connect(socket.session):
            return self._not_found()
        ws = web.WebSocketResponse(compress=False, timeout=_HOLD, max_msg_size=2**20)
        await ws.prepare(request)
        self.sockets[self._count] = socket
        number = self._count
        sender = asyncio.create_task(self._serve(socket, ws))
        try:
            async for message in ws:
                if message.type == WSMsgType.TEXT:
                    self.wire.on_message(socket.session, message.data)
        finally:
            self.sockets.pop(number, None)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender
        return ws

    @staticmethod
    def _not_found() -> web.Response:
        reply = Reply(encode({"error": "no such path"}), 404)
        return web.Response(body=reply.body, status=reply.status)

    @staticmethod
    async def _serve(socket: Socket, ws: web.WebSocketResponse) -> None:
        """Send until the socket is to close or the client is gone."""
        with contextlib.suppress(ConnectionError):
            await socket.send(ws)
            await ws.close()

    # -- publishing

    def is_subscribed(self, topic: str) -> bool:
        """Return whether any socket is subscribed to a topic."""
        return any(topic in socket.session.topics for socket in self.sockets.values())

    def publish(self, market: Market, market_update: MarketUpdate, padding: bool = False) -> None:
        """Send one market's update to its subscribers, as faults allow, and log it."""
        wire, symbol = self.wire, market.spec.symbol
        liquidations = [] if padding else wire.reported_liquidations(market, market_update)
        wire.keep_liquidations(market, liquidations)
        self.record(market, market_update, liquidations, self.faults.on("silent") is not None)
        for frame in (
            wire.padding_frames(market, market_update)
            if padding
            else wire.publish_update(market, market_update, liquidations)
        ):
            self.frames += 1
            if frame.kind == "book":
                self._book(frame, symbol)
            elif frame.kind == "liquidations" and (late := self.faults.on("late_liquidation")):
                self.send(frame, late.delay)
            else:
                self.send(frame)

    def _book(self, frame: Frame, symbol: str) -> None:
        """Send a book frame, unless a fault drops, duplicates or reorders it."""
        if self.faults.spend("drop", symbol):
            return
        if held := self._held.pop(frame.topic, None):
            self.send(frame)
            self.send(held)
            return
        if self.faults.spend("reorder", symbol):
            self._held[frame.topic] = frame
            return
        self.send(frame)
        if self.faults.spend("duplicate", symbol):
            self.send(frame)

    def send(self, frame: Frame, delay: float = 0.0) -> None:
        """Queue a frame on every socket subscribed to its topic."""
        if delay:
            asyncio.get_running_loop().call_later(delay, self.send, frame)
            return
        for socket in self.sockets.values():
            if frame.topic in socket.session.topics:
                socket.put(self.wire.encode_frame(socket.session, frame))

    # -- faults

    def fault(self, asked: Fault) -> None:
        """Begin a fault.

        Raises:
            RequestError: There is no such fault.
        """
        self.faults.add(asked)
        markets = [m for m in self.wire.markets.values() if asked.symbol in {"", m.spec.symbol}]
        if asked.fault == "close":
            for socket in list(self.sockets.values()):
                socket.close()
        elif asked.fault == "liquidation_batch":
            for market in markets:
                market.forced += [(n % 2 == 0, 5 + n) for n in range(asked.n)]
        elif asked.fault == "seq_reset":
            for market in markets:
                for frame in self.wire.restart(market):
                    self.send(frame)
        if asked.fault in FLAGS:
            self.wire.begin_fault(asked)

    def on_timer(self) -> None:
        """End flags whose time is over, and close sockets that are too old."""
        for name in FLAGS:
            if name in self.wire.flags and not self.faults.on(name):
                del self.wire.flags[name]
        for socket in list(self.sockets.values()):
            if not self.wire.on_timer(socket.session):
                socket.close()
        if cut := self.faults.on("close_24h"):
            for socket in list(self.sockets.values()):
                if time.monotonic() - socket.opened_at >= cut.age:
                    socket.close()


async def _tag_simulated(_: web.Request, answer: web.StreamResponse) -> None:
    """Mark every answer as simulated, so that it is never taken for a real venue's."""
    answer.headers["x-powderkeg-simulated"] = "1"
