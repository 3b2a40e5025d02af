"""A socket kept open: hello, pings, silence, losses, and the venue's cut seen coming."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web

from powderkeg.events import SECOND
from powderkeg.live.network import backoff, connection
from powderkeg.live.network.connection import Connection
from powderkeg.venues.base import Channel, Stream

from .conftest import until

M = "made:BTC"
CHANNELS = (Channel(M, "trades", 60 * SECOND), Channel(M, "mark", SECOND))


class Venue:
    """Takes sockets, remembers what is said, speaks when told to."""

    def __init__(self):
        self.open = []
        self.opened = self.most = 0
        self.heard = []
        self.refuse = 0

    async def __call__(self, request):
        if self.refuse:
            return web.Response(status=self.refuse)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.open.append(ws)
        self.opened += 1
        self.most = max(self.most, len(self.open))
        try:
            async for message in ws:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self.heard.append(message.data)
        finally:
            self.open.remove(ws)
        return ws

    async def say(self, *messages):
        for ws in list(self.open):
            for message in messages:
                await ws.send_str(message)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST", 0.01)
    monkeypatch.setattr(connection, "TOGETHER", 0.3)


@pytest.fixture
async def keep(server, inbox, health):
    """Return what keeps a stream of a fresh venue open; all are stopped afterwards."""
    tasks = []

    async def begin(reply=lambda _: b"", **stream):
        venue = Venue()
        host = await server(venue)
        wanted = Stream("wss://made.example/ws", CHANNELS, **stream)
        keeper = Connection("made", wanted, inbox, health, {"*": host}, reply)
        tasks.append(asyncio.ensure_future(keeper.run()))
        return venue, keeper

    yield begin
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=5)


def alive(health, at=None):
    """Let the marks be heard, so that nobody is silent."""
    at = at or connection.now()
    health.meters[M, "mark"].received(at, at, 1)


async def test_hello_is_said_in_order(keep, health):
    venue, _ = await keep(subscribe=(b"one", b"two", b"three"), pause=1_000)
    await until(lambda: len(venue.heard) == 3)
    assert venue.heard == ["one", "two", "three"]
    assert health.states[M] == "up"


async def test_between_two_messages_is_the_pause_the_venue_wants(inbox, health):
    stream, said = Stream("wss://made.example/ws", CHANNELS, pause=100_000), []

    class Line:
        is_disconnected = False

        def send(self, _, message):
            said.append((time.monotonic(), message))

    keeper = Connection("made", stream, inbox, health, {"*": "127.0.0.1:1"}, lambda _: b"")
    await keeper._send_all(Line(), (b"one", b"two", b"three"))
    assert [message for _, message in said] == [b"one", b"two", b"three"]
    assert all(later - at > 0.09 for (at, _), (later, _) in pairwise(said))


async def test_what_comes_is_kept_as_it_came_and_answered_where_it_must_be(keep, inbox):
    venue, _ = await keep(reply=lambda raw: b"here" if raw == b"are you there" else b"")
    await until(lambda: venue.open and inbox.size)  # the word that the link is up
    inbox.take()
    await venue.say("first", "are you there")
    await venue.open[0].send_bytes(b"\x00binary")
    await until(lambda: venue.heard and inbox.size == 3)
    frames = inbox.take()
    assert [f.raw for f in frames] == [b"first", b"are you there", b"\x00binary"]
    assert {(f.venue, f.channel) for f in frames} == {("made", "")}
    assert venue.heard == ["here"]


async def test_a_large_message_is_one_frame(keep, inbox):
    venue, _ = await keep()
    await until(lambda: venue.open and inbox.size)  # the word that the link is up
    inbox.take()
    big = "x" * 3_000_000
    await venue.say(big)
    await until(lambda: inbox.size == 1)
    assert inbox.take()[0].raw == big.encode()


async def test_pings_are_said_as_often_as_the_venue_wants(keep):
    venue, _ = await keep(ping=b"ping", ping_every=300_000)
    await until(lambda: venue.heard.count("ping") >= 2)


async def test_a_message_is_said_on_the_open_socket_and_nowhere_else(keep):
    venue, keeper = await keep()
    keeper.send((b"too early",))
    await until(lambda: venue.open)
    keeper.send((b"again", b"please"))
    await until(lambda: len(venue.heard) == 2)
    assert venue.heard == ["again", "please"]


@pytest.mark.parametrize("how", ["close", "code", "abort"])
async def test_a_lost_socket_is_down_then_up_again_with_hello(keep, health, how):
    venue, _ = await keep(subscribe=(b"hello",))
    await until(lambda: venue.heard)
    alive(health)
    if how == "close":
        await venue.open[0].close()
    elif how == "code":
        await venue.open[0].close(code=1008, message=b"too much")
    else:
        venue.open[0]._req.transport.abort()
    await until(lambda: venue.opened == 2 and len(venue.heard) == 2)
    assert health.counts["made", "reconnects"] == 1
    assert health.states[M] == "up"
    assert M in health._lost  # the hole is told once the subscriptions have settled


async def test_words_about_a_link_are_frames(keep, inbox):
    venue, _ = await keep()
    await until(lambda: venue.open)
    await venue.open[0].close()
    await until(lambda: venue.opened == 2)
    await until(lambda: inbox.size >= 3)
    words = [frame.raw for frame in inbox.take() if not frame.venue]
    assert [b"up" in raw for raw in words] == [True, False, True]
    assert b"the venue closed the socket" in words[1]


async def test_a_socket_that_says_nothing_is_opened_anew(keep, health, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.05)
    monkeypatch.setattr("powderkeg.live.health.GRACE", SECOND // 2)
    venue, _ = await keep()
    await until(lambda: venue.opened >= 2)
    assert health.counts["made", "reconnects"] >= 1


async def test_before_the_venue_cuts_the_next_socket_is_open_beside(
    keep, health, inbox, monkeypatch
):
    monkeypatch.setattr(connection, "OVERLAP", SECOND)
    venue, _ = await keep(subscribe=(b"hello",), max_age=2 * SECOND)

    def renewed():
        alive(health)
        return health.counts["made", "renewals"] == 2 and venue.opened == 3

    await until(renewed)
    assert venue.most == 2
    assert health.counts["made", "reconnects"] == 0
    assert health.states[M] == "up"
    assert not any(b"down" in f.raw for f in inbox.take() if not f.venue)
    assert len(venue.open) <= 2


async def test_cut_before_the_next_socket_is_open_it_is_a_loss(keep, health, monkeypatch):
    monkeypatch.setattr(connection, "OVERLAP", SECOND)
    venue, _ = await keep(max_age=4 * SECOND)  # three seconds in which to begin refusing
    await until(lambda: venue.open)
    alive(health)
    venue.refuse = 503
    await until(lambda: health.counts["made", "renewals"] == 1)
    await venue.open[0].close()
    await until(lambda: health.states[M] == "down")
    venue.refuse = 0
    await until(lambda: health.states[M] == "up")
    assert M in health._lost


async def test_cancelled_between_two_sockets_none_is_left_open(keep, health, monkeypatch):
    monkeypatch.setattr(connection, "OVERLAP", SECOND)
    monkeypatch.setattr(connection, "TOGETHER", 30.0)
    venue, _ = await keep(max_age=int(1.2 * SECOND))
    await until(lambda: venue.open)
    alive(health)
    await until(lambda: len(venue.open) == 2)
    tasks = [t for t in asyncio.all_tasks() if "Connection.run" in repr(t)]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=5)
    await until(lambda: not venue.open)


async def test_a_venue_that_forbids_us_is_asked_seldom_and_a_person_is_reported(keep, health):
    venue, keeper = await keep()
    await until(lambda: venue.open)
    venue.refuse = 451
    await venue.open[0].close()
    await until(lambda: health.counts["made", "HTTP 451"])
    await asyncio.sleep(0.3)
    assert health.counts["made", "HTTP 451"] == 1
    assert health.problems["made"] == (
        f"HTTP 451 from {keeper.url}: "
        "not served at this location: set another host or proxy for this venue"
    )


async def test_a_venue_that_is_not_there_is_tried_again_and_reported(inbox, health, closed):
    stream = Stream("wss://made.example/ws", CHANNELS)
    keeper = Connection("made", stream, inbox, health, {"*": closed}, lambda _: b"")
    task = asyncio.ensure_future(keeper.run())
    await until(lambda: health.counts["made", "failed connections"] >= 3)
    task.cancel()
    await asyncio.wait({task})
    assert health.problems["made"].startswith(f"cannot connect to ws://{closed}/ws")
    assert health.states[M] == "down"


async def test_once_it_answers_the_problem_is_forgotten(server, inbox, health):
    venue = Venue()
    venue.refuse = 503
    host = await server(venue)
    keeper = Connection(
        "made", Stream("wss://a/ws", CHANNELS), inbox, health, {"*": host}, lambda _: b""
    )
    task = asyncio.ensure_future(keeper.run())
    await until(lambda: "made" in health.problems)
    venue.refuse = 0
    await until(lambda: venue.open)
    await until(lambda: not health.problems)
    task.cancel()
    await asyncio.wait({task})
