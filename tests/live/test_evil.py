"""A venue that does harm: it is told, it costs the others nothing, and it comes back by itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.live.collector import Collector
from powderkeg.live.network import backoff, connection, rest
from powderkeg.live.network.reachability import probe_venues
from powderkeg.serve.metrics import exposition
from powderkeg.serve.session import Session
from powderkeg.settings import Settings
from powderkeg.simvenues import serve

from .conftest import until
from .evil import Evil

pytestmark = pytest.mark.timeout(180)
VENUES = ("binance", "bybit")
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST", 0.05)
    monkeypatch.setattr(backoff, "MOST", 0.2)
    monkeypatch.setattr(rest, "TIMEOUT", 1.5)
    monkeypatch.setattr(rest, "BANNED", 0.3)
    monkeypatch.setattr(rest, "AGAIN", 0.3)
    monkeypatch.setattr(connection, "HELD", SECOND)
    monkeypatch.setattr("powderkeg.live.network.headers.LONGEST", 0.3)


@pytest.fixture
async def evil(server):
    """Return a hostile venue before a made Binance, and a collector of it and of a good Bybit."""
    async with await serve(["BTC"], days=0.5, venues=VENUES, rate=100) as made:
        hostile = Evil(made.addresses["binance"])
        hosts = {**made.addresses, "binance": await server(hostile)}
        desks = {"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}
        yield hostile, Collector(desks, VENUES, hosts=hosts)


@asynccontextmanager
async def running(collector):
    task = asyncio.ensure_future(collector.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def all_well(collector):
    await until(lambda: collector.applied and collector.ready)
    await until(lambda: set(collector.markets("BTC").values()) == {"up"})
    meters = collector.status.meters
    before = {m: meters[m, "trades"].count for m in (BINANCE, BYBIT)}
    await until(lambda: all(meters[m, "trades"].count > n + 3 for m, n in before.items()))


def ask(collector):
    """Ask Binance for its open interest now: it is asked for every five seconds only."""
    each = collector.rests["binance"]
    (poll,) = (p for p in each.venue.polls(("BTCUSDT",)) if p.channel.startswith("openInterest"))
    collector._start("a test", lambda: collector._try_fetch(each, poll))


ANSWERS = {
    "garbage": "",
    "deep": "",
    "huge": "openInterest:BTCUSDT: expected at most 33,554,432 bytes, found more",
    "endless": "openInterest:BTCUSDT: expected at most 33,554,432 bytes, found more",
    "dripping": "openInterest:BTCUSDT: no answer: TimeoutError",
    "bomb": "openInterest:BTCUSDT: expected at most 33,554,432 bytes, found more",
    "elsewhere": "HTTP 302: sent to another address, which is not followed",
    "wait": "",
    "long_wait": "",
    "weight": "",
    "long_header": "openInterest:BTCUSDT: no answer: ",
}
"""What is told of an answer; nothing where a frame is unread or a wait is not."""


@pytest.mark.parametrize("mode", ANSWERS)
async def test_no_answer_of_one_venue_harms_another(mode, evil, server):
    asked = []

    async def inner(request):
        asked.append(request.path)
        return web.Response()

    hostile, collector = evil
    hostile.elsewhere = f"http://{await server(inner)}/admin?secret=1"
    status = collector.status
    async with running(collector):
        await all_well(collector)
        hostile.mode = mode
        ask(collector)
        await until(lambda: hostile.hits)
        if ANSWERS[mode]:
            await until(lambda: ANSWERS[mode] in status.problems.get("binance", ""))
        hostile.mode = ""
        ask(collector)
        await all_well(collector)
        await until(lambda: not status.problems)
        assert asked == []
        assert status.counts["bybit", "gaps"] == status.counts["bybit", "reconnects"] == 0
        assert not any(what == "restarts" for _, what in status.counts)


MESSAGES = {
    "ws_garbage": "",
    "ws_deep": "",
    "ws_flood": "",
    "ws_huge": "WSProtocolError",
    "ws_parts": "expected a message of at most 8,388,608 bytes, found more",
    "ws_empty_parts": "",
}


@pytest.mark.parametrize("mode", MESSAGES)
async def test_no_message_of_one_venue_harms_another(mode, evil):
    hostile, collector = evil
    session = Session("live", collector.desks, lambda: 0)
    session.collector = collector
    status = collector.status
    async with running(collector):
        await all_well(collector)
        hostile.mode = mode
        await until(lambda: hostile.hits)
        if MESSAGES[mode]:
            await until(lambda: MESSAGES[mode] in status.problems.get("binance", ""))
            assert 'powderkeg_problem{venue="binance"} 1' in exposition(session)
            assert 'what="unfit messages"' in exposition(session)
        elif mode != "ws_empty_parts":
            await until(lambda: collector.feed.unread.get("binance"))
        hostile.mode = ""
        await all_well(collector)
        await until(lambda: not status.problems)
        assert status.counts["bybit", "gaps"] == status.counts["bybit", "reconnects"] == 0
        assert not any(what == "restarts" for _, what in status.counts)


@pytest.mark.parametrize("mode", ["huge", "endless", "dripping", "bomb", "deep", "long_header"])
async def test_the_first_question_is_as_bounded_as_the_others(mode, server, monkeypatch):
    monkeypatch.setattr("powderkeg.live.network.reachability.WITHIN", 1.0)
    hostile = Evil("")
    hostile.mode = mode
    reported = await probe_venues(("okx",), {"okx": await server(hostile)}, wait_for_all=True)
    assert set(reported) == {"okx"}


async def test_the_first_question_is_not_sent_elsewhere(server):
    asked = []

    async def inner(request):
        asked.append(request.path)
        return web.Response()

    hostile = Evil("")
    hostile.mode, hostile.elsewhere = "elsewhere", f"http://{await server(inner)}/admin"
    reported = await probe_venues(("okx",), {"okx": await server(hostile)})
    assert reported == {"okx": "HTTP 302 sent to another address, which is not followed"}
    assert asked == []


async def test_a_socket_is_not_sent_elsewhere(server, inbox, health):
    asked = []

    async def inner(request):
        asked.append(request.path)
        return web.Response()

    there = await server(inner)

    async def send(_):
        return web.Response(status=302, headers={"location": f"ws://{there}/ws"})

    stream = connection.Stream("wss://made.example/ws", ())
    keeper = connection.Connection(
        "made", stream, inbox, health, {"*": await server(send)}, lambda _: b""
    )
    task = asyncio.ensure_future(keeper.run())
    await until(lambda: health.counts["made", "HTTP 302"])
    task.cancel()
    await asyncio.wait({task})
    assert asked == []
    assert "sent to another address, which is not followed" in health.problems["made"]
