"""The stream's socket, over loopback: a viewer that does not read costs nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import aiohttp
import msgspec

from powderkeg.serve.answers.stream import Message
from powderkeg.serve.stream.hub import BACKLOG

UPGRADE = (
    "GET /v1/stream?coin=BTC&span=12h HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n"
)


class Filler(Message, kw_only=True, tag="filler"):
    """A large message."""

    fill: bytes


@contextlib.asynccontextmanager
async def sleeper(port):
    """Open a stream with the smallest of buffers and never read it."""
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", port))
        await loop.sock_sendall(raw, UPGRADE.encode())
        yield raw


async def test_a_viewer_that_does_not_read_is_bounded_and_keeps_nobody_waiting(served, hub):
    async with (
        sleeper(served),
        aiohttp.ClientSession() as http,
        http.ws_connect(f"ws://127.0.0.1:{served}/v1/stream?coin=BTC&span=12h") as quick,
    ):
        while len(readers := [r for s in hub.streams.values() for r in s.readers]) < 2:  # noqa: ASYNC110  nor have these
            await asyncio.sleep(0.01)
        (stream,) = hub.streams.values()
        got = []
        for _ in range(60):
            # A quarter of a megabyte: what the kernel takes for a sleeper is soon used up.
            stream._send(Filler(fill=bytes(250_000)))
            assert all(len(reader._queue) <= BACKLOG for reader in readers)
            while not got or got[-1]["seq"] < stream.seq:
                got.append(msgspec.msgpack.decode(await quick.receive_bytes(timeout=60)))
        seqs = [message["seq"] for message in got if message["kind"] == "filler"]
        assert seqs == list(range(1, 61))
        assert sum(len(reader._queue) for reader in readers) > 0
        assert any("resync" in msgspec.msgpack.decode(m) for r in readers for m in r._queue)


async def test_a_stream_ends_with_the_socket_that_watched_it(served, hub):
    async with aiohttp.ClientSession() as http:
        address = f"ws://127.0.0.1:{served}/v1/stream?coin=BTC&span=12h"
        async with http.ws_connect(address) as watching:
            assert msgspec.msgpack.decode(await watching.receive_bytes())["kind"] == "hello"
            assert hub.streams
        async with asyncio.timeout(60):
            while hub.streams:  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.02)


async def test_a_question_the_stream_cannot_answer_is_refused_with_words(served):
    async with aiohttp.ClientSession() as http:
        address = f"ws://127.0.0.1:{served}/v1/stream?coin=BTC&span=2y"
        async with http.ws_connect(address) as watching:
            message = await watching.receive()
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert message.data == 4400
    assert "span" in str(message.extra)
