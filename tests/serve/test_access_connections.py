"""The server's sockets, over loopback: slow ones, many ones, odd ones."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import select
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from powderkeg.serve.access import connections
from powderkeg.serve.access.connections import (
    ARRIVE,
    IDLE,
    RESERVE,
    STALL,
    WANTED,
    max_connections,
    raise_descriptors,
    server,
    sweep,
)
from powderkeg.serve.access.hosts import names_of
from powderkeg.serve.app import make_app

SCRIPT = Path(__file__).with_name("slow_sockets.py")
HALF = b"GET /v1/coins HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WHOLE = HALF + b"\r\n"
ENDLESS = resource.RLIM_INFINITY
STREAM = "/v1/stream?coin=BTC&span=12h"


@pytest.fixture
async def port(session, hub):
    """Serve the session on a free port of loopback with all limits; give the port."""
    app = make_app(session, hub, names=names_of("127.0.0.1", "127.0.0.1", ""))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        one = server(app)
        task = asyncio.ensure_future(one.serve(sockets=[bound]))
        while not one.started:  # noqa: ASYNC110  it has no event
            await asyncio.sleep(0.01)
        yield bound.getsockname()[1]
        one.should_exit = True
        await task


@contextlib.asynccontextmanager
async def opened(port):
    """Open a bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def reported(reader):
    """Return all that comes until the server closes."""
    async with asyncio.timeout(60):
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
    return b""


def within(monkeypatch, **seconds):
    """Shorten what a connection may take, so that no test waits for it."""
    for name, value in seconds.items():
        monkeypatch.setattr(connections, name, value)


@pytest.mark.parametrize("before", [b"", WHOLE])
@pytest.mark.parametrize("sent", [b"G", HALF])
async def test_a_request_that_does_not_come_whole_in_time_is_cut(port, before, sent, monkeypatch):
    within(monkeypatch, ARRIVE=0.5)
    async with opened(port) as (reader, writer):
        if before:
            writer.write(before)
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.write(sent)
        assert await reported(reader) == b""


async def test_a_connection_that_says_nothing_is_cut(port, monkeypatch):
    within(monkeypatch, ARRIVE=0.5)
    async with opened(port) as (reader, _):
        assert await reported(reader) == b""


async def test_a_body_that_trickles_is_cut_as_well(port, monkeypatch):
    within(monkeypatch, ARRIVE=0.5)
    async with opened(port) as (reader, writer):
        writer.write(HALF + b"Content-Length: 1000\r\n\r\n")
        assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        closed = asyncio.ensure_future(reported(reader))
        while not closed.done():
            writer.write(b"a")
            await asyncio.sleep(0.1)
        assert await closed == b""


async def test_requests_that_come_whole_are_answered_one_after_the_other(port):
    async with opened(port) as (reader, writer):
        writer.write(WHOLE * 3 + HALF + b"Connection: close\r\n\r\n")
        assert (await reported(reader)).count(b"HTTP/1.1 200") == 4


class Line:
    """A connection as the sweep sees it, with a reader that takes what it is told to."""

    def __init__(self, waits, begun=None):
        self.waits, self.request_since, self.cut, self.stuck = waits, begun, False, (0, 0.0)
        self.transport = self

    def get_write_buffer_size(self):
        return self.waits

    def get_extra_info(self, _):
        return None

    def abort(self):
        self.cut = True


def test_a_reader_that_takes_nothing_is_cut_and_a_slow_one_is_not():
    idle, slow, done = Line(1000), Line(1000), Line(0)
    for second in range(int(STALL) + 2):
        slow.waits -= 1
        sweep([idle, slow, done], float(second))
    assert (idle.cut, slow.cut, done.cut) == (True, False, False)


async def test_who_asks_for_much_and_reads_nothing_is_cut_and_what_waited_for_it_is_dropped(
    port, monkeypatch
):
    within(monkeypatch, STALL=0.5)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", port))
        line.send(b"GET /v1/BTC/heatmap.csv?span=12h HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        ends = select.poll()
        ends.register(line, select.POLLERR)
        assert await asyncio.to_thread(ends.poll, 60_000)  # a reset: nothing waits in the kernel


def test_a_request_has_its_seconds_and_no_more():
    early, late, answered = Line(0, 100.0), Line(0, 99.0), Line(0)
    sweep([early, late, answered], 100.0 + ARRIVE)
    assert (early.cut, late.cut, answered.cut) == (False, True, False)


async def test_a_loop_that_stood_still_is_nobody_elses_fault(monkeypatch):
    clock = {"now": 100.0}
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock["now"])
    one = server(None)
    line = Line(0, 100.0)
    one.server_state.connections = {line}
    await one.on_tick(0)
    clock["now"] += 3 * ARRIVE  # in one step: nothing was read meanwhile
    await one.on_tick(10)
    assert not line.cut
    for _ in range(int(ARRIVE) + 1):
        clock["now"] += 1.0
        await one.on_tick(10)
    assert line.cut


async def test_what_is_no_http_is_reported_so_in_our_form(port):
    async with opened(port) as (reader, writer):
        writer.write(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        got = await reported(reader)
    assert got.startswith(b"HTTP/1.1 400")
    assert b'{"error":"expected HTTP/1.1' in got
    assert b"x-content-type-options" in got.lower()


async def test_headers_without_an_end_are_refused_before_they_fill_anything(port):
    async with opened(port) as (reader, writer):
        writer.write(HALF + b"X-Large: " + b"a" * 20_000)
        assert (await reported(reader)).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


async def test_a_length_reported_twice_is_refused(port):
    async with opened(port) as (reader, writer):
        writer.write(HALF + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
        assert (await reported(reader)).startswith((b"HTTP/1.1 400", b"HTTP/1.1 411"))


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
async def test_a_socket_from_elsewhere_is_refused_with_a_reason(port, headers):
    async with (
        aiohttp.ClientSession() as http,
        http.get(
            f"http://127.0.0.1:{port}{STREAM}",
            headers={
                "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers,
            },
        ) as answer,
    ):  # fmt: skip
        assert answer.status == 403
        assert (await answer.json())["error"].startswith("expected a")


async def test_our_own_page_may_open_a_socket(port):
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(
            f"ws://127.0.0.1:{port}{STREAM}", headers={"Origin": f"http://127.0.0.1:{port}"}
        ) as socket,
    ):
        assert await socket.receive_bytes(timeout=60)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x83\0\0\0\0\xff\xfe\xfd", 1007),  # text that is not UTF-8
        (b"\x82\xff" + (1 << 17).to_bytes(8, "big") + b"\0\0\0\0", 1009),  # 128 kB announced
    ],
)
async def test_a_message_that_cannot_be_is_a_close_code_and_no_noise(port, frame, code, capfd):
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"ws://127.0.0.1:{port}{STREAM}") as ours,
    ):
        await ours.receive_bytes(timeout=60)
        ours._writer.transport.write(frame)
        async with asyncio.timeout(60):
            async for _ in ours:
                pass
        assert ours.close_code == code
    assert capfd.readouterr().err == ""


async def test_where_room_is_short_the_longest_at_rest_goes_and_a_request_is_answered(
    port, monkeypatch
):
    monkeypatch.setattr(connections, "max_connections", lambda: 3)
    async with contextlib.AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(opened(port)) for _ in range(3)]
        for _, writer in lines:
            writer.write(HALF)
        reader, writer = await stack.enter_async_context(opened(port))
        writer.write(HALF + b"Connection: close\r\n\r\n")
        assert (await reported(reader)).startswith(b"HTTP/1.1 200")
        assert await reported(lines[0][0]) == b""


def test_three_eighths_of_few_descriptors_and_all_but_a_reserve_of_many_are_for_visitors(
    monkeypatch,
):
    for soft, expected in (
        (128, 48), (1024, 1024 - RESERVE), (1 << 20, WANTED - RESERVE),
        (ENDLESS, WANTED - RESERVE),
    ):  # fmt: skip
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert max_connections() == expected


@pytest.mark.parametrize(
    ("limits", "asked"),
    [
        ((1024, 1 << 20), [(WANTED, 1 << 20)]), ((128, 128), []), ((1 << 20, 1 << 20), []),
        ((256, 512), [(512, 512)]), ((256, ENDLESS), [(WANTED, ENDLESS)]),
    ],
)  # fmt: skip
def test_as_many_descriptors_as_the_system_allows_are_asked_for(limits, asked, monkeypatch):
    got = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, to: got.append(to))
    raise_descriptors()
    assert got == asked


async def test_that_descriptors_are_short_is_said_once_a_minute(session, hub, capsys):
    one = server(make_app(session, hub))
    loop = asyncio.get_running_loop()
    for _ in range(1000):
        one._report(loop, {"message": "accept", "exception": OSError(24, "Too many open files")})
    (line,) = capsys.readouterr().err.splitlines()
    assert "accept_failed" in line
    assert "reason='[Errno 24] Too many open files'" in line


def test_two_hundred_slow_sockets_are_closed_and_take_nothing_from_the_rest(tmp_path):
    log = tmp_path / "stderr"
    with log.open("wb") as errors, subprocess.Popen(
        [sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, stderr=errors, env=dict(os.environ)
    ) as running:  # fmt: skip
        try:
            url = json.loads(running.stdout.readline())["url"]
            slow = [_slow(url) for _ in range(200)]
            for _ in range(20):
                with urllib.request.urlopen(url + "v1/coins", timeout=60) as answer:  # noqa: S310
                    assert answer.status == 200
            assert all(_closed(line) for line in slow)
        finally:
            running.terminate()
            rest = running.stdout.read()
            running.wait()
    assert rest == b""
    assert log.read_text() == ""


def _slow(url):
    """Open a connection that sends half a request."""
    line = socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1].strip("/"))), 60)
    line.send(HALF)
    return line


def _closed(line):
    """Wait until the other end has closed; give up after a minute."""
    ready, _, _ = select.select([line], [], [], 60)
    with line, contextlib.suppress(ConnectionResetError):
        return bool(ready) and line.recv(1) == b""
    return True


def test_a_connection_rests_for_as_long_as_documented():
    assert server(None).config.timeout_keep_alive == IDLE
