"""WebSocket of the stream: one queue per page, drained at the speed of its connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol, TypeVar

from litestar import WebSocket, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from powderkeg.errors import RequestError
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.maps.views.queries import SpanQuery
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.flow.stream import FlowHub
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import progress_of
from powderkeg.serve.stream.hub import Hub, Subscriber

EVERY = 0.25
"""Seconds between two messages of the topic `starting`."""
Socket = WebSocket[Any, Any, State]
S_contra = TypeVar("S_contra", contravariant=True)


def make_stream(session: Session, hub: Hub) -> WebsocketRouteHandler:
    """Return the route of the stream."""
    flow = FlowHub(session)

    @websocket("/v1/stream")
    async def stream(socket: Socket) -> None:
        """Send a map, order flow, or progress of the start, as MessagePack until disconnect."""
        await socket.accept()
        raw = {name: str(value) for name, value in socket.query_params.items()}
        topic = raw.pop("topic", "map")
        if topic == "starting":
            await _send_start(socket, session)
            return
        try:
            coin = raw.pop("coin", "")
            session.desk(coin)
            if topic == "flow":
                await _pump(socket, flow, *flow.join(coin, read_query(raw, LadderQuery)))
            else:
                await _pump(socket, hub, *hub.join(coin, read_query(raw, SpanQuery)))
        except RequestError as why:
            await socket.close(4400, str(why)[:120])

    return stream


class _Left(Protocol[S_contra]):
    """A hub whose streams subscribers leave."""

    def leave(self, stream: S_contra, reader: Subscriber) -> None:
        """Remove a subscriber."""
        ...


async def _send_start(socket: Socket, session: Session) -> None:
    """Send the progress of the start until it is over or the client leaves."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            answer = progress_of(session)
            await socket.send_bytes(pack(answer))
            if answer.ready:
                await socket.close(1000)
                return
            await asyncio.sleep(EVERY)


async def _pump(
    socket: Socket, hub: _Left[S_contra], watched: S_contra, reader: Subscriber
) -> None:
    """Send a subscriber's messages until either end closes."""

    async def listen() -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.receive()
        reader.close()

    listener = asyncio.ensure_future(listen())
    try:
        # No task per message: with a thousand pages they would cost more than the sending.
        while (message := await reader.take()) is not None:
            await socket.send_bytes(message)
    except WebSocketDisconnect:
        return
    finally:
        listener.cancel()
        hub.leave(watched, reader)
