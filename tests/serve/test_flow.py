"""Order flow over HTTP and the stream."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from litestar.testing import TestClient

from powderkeg.events import SECOND
from powderkeg.feed.drive import drive
from powderkeg.maps.flow.queries import LadderQuery
from powderkeg.maps.flow.views import FLOW_VIEWS
from powderkeg.serve.answers.flow import address
from powderkeg.serve.app import make_app
from powderkeg.serve.flow.stream import FlowHub, FlowStream
from powderkeg.serve.stream.hub import Subscriber


@pytest.fixture
def running(prepared, session):
    """Return the session after ten seconds of prints and books."""
    market, desk = prepared
    for _ in range(100):
        drive(desk, market.step(0.1))
    return session


@pytest.mark.parametrize("name", FLOW_VIEWS)
def test_every_view_answers_in_both_encodings(running, hub, name):
    with TestClient(make_app(running, hub)) as client:
        at = address(name).replace("{where}", "BTC")
        plain = client.get(at)
        packed = client.get(at, headers={"accept": "application/vnd.msgpack"})
    assert plain.status_code == 200, plain.text
    assert plain.json()["kind"] == name
    assert msgspec.msgpack.decode(packed.content)["coin"] == "BTC"


@pytest.mark.parametrize(
    ("query", "words"),
    [("rows=1", "Expected `int` >= 10"), ("align=mid", "align"), ("window=1", ">= 60")],
)
def test_a_query_out_of_bounds_is_refused_with_its_bounds(running, hub, query, words):
    with TestClient(make_app(running, hub)) as client:
        answer = client.get(f"/v1/BTC/ladder?{query}")
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_past_time_is_refused_where_none_is_stored(running, hub):
    with TestClient(make_app(running, hub)) as client:
        answer = client.get(f"/v1/BTC@{running.desks['BTC'].now - SECOND}/tape")
    assert answer.status_code == 404
    assert "replay" in answer.json()["error"]


def test_episodes_of_a_past_time_are_known_without_playback(running, hub):
    now = running.desks["BTC"].now
    with TestClient(make_app(running, hub)) as client:
        present = client.get("/v1/BTC/signals").json()
        past = client.get(f"/v1/BTC@{now - SECOND}/signals").json()
        ahead = client.get(f"/v1/BTC/signals?at={running.clock() + 60 * SECOND}")
    assert present["grade"]["letter"] in "ABCD"
    assert past["now"] == now - SECOND
    assert past["price"] == pytest.approx(present["price"], rel=0.01)
    assert past["grade"] is None
    assert ahead.status_code == 400
    assert "the time now" in ahead.json()["error"]


def messages(reader):
    return [msgspec.msgpack.decode(raw) for raw in reader._queue]


def subscribed(session, **query):
    """Return a stream that beats only when told to, and its subscriber."""
    stream, reader = FlowStream(session, "BTC", LadderQuery(**query)), Subscriber()
    for message in stream.hello():
        reader.put(message)
    stream.readers.add(reader)
    return stream, reader


async def test_a_subscriber_gets_prints_then_read_and_ladder_with_the_map(running):
    stream, reader = subscribed(running, rows=40)
    await stream.beat()
    sent = messages(reader)
    assert [each["kind"] for each in sent] == ["tape", "read", "ladder"]
    assert len(sent[2]["fuel_long"]) == 40 * 4
    assert [each["seq"] for each in sent] == [0, 1, 2]


async def test_the_ladder_keeps_its_rows_until_price_nears_their_end(prepared, running):
    stream, reader = subscribed(running, rows=400)
    await stream.beat()
    drive(prepared[1], prepared[0].step(0.1))
    await stream.beat()
    ladders = [each for each in messages(reader) if each["kind"] == "ladder"]
    assert len(ladders) == 2
    assert len({(each["step"], each["first"]) for each in ladders}) == 1


async def test_each_print_is_sent_once(prepared, running):
    stream, reader = subscribed(running)
    first = messages(reader)[0]
    for _ in range(30):
        drive(prepared[1], prepared[0].step(0.1))
    await stream.beat()
    await stream.beat()
    times = [each["time"] for each in messages(reader)[1:] if each["kind"] == "tape"]
    assert len(times) == 1
    assert not set(_floats(times[0])) & set(_floats(first["time"]))


def _floats(raw: bytes) -> list[float]:
    return list(memoryview(raw).cast("d"))


async def test_streams_of_equal_rows_are_shared_and_end_with_their_last_subscriber(running):
    hub = FlowHub(running)
    stream, one = hub.join("BTC", LadderQuery())
    same, two = hub.join("BTC", LadderQuery())
    assert same is stream
    hub.leave(stream, one)
    assert hub._streams
    hub.leave(stream, two)
    await asyncio.sleep(0)
    assert not hub._streams


async def test_a_stream_that_fails_closes_its_sockets(running, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    hub = FlowHub(running)
    _, reader = hub.join("BTC", LadderQuery())
    monkeypatch.setattr("powderkeg.serve.flow.stream.read_of", fail)
    messages = [await asyncio.wait_for(reader.take(), 60) for _ in range(2)]
    assert messages[-1] is None


def _added(session) -> int:
    flow = session.desks["BTC"].flow
    return flow.prints.total + flow.reported


async def test_a_subscriber_that_joins_later_gets_each_print_once(prepared, running):
    stream, one = subscribed(running)
    before = _added(running)
    for _ in range(30):
        drive(prepared[1], prepared[0].step(0.1))
    two = Subscriber()
    for message in stream.hello():
        two.put(message)
    stream.readers.add(two)
    await stream.beat()
    first, *rest = [len(_floats(each["time"])) for each in messages(one) if each["kind"] == "tape"]
    assert sum(rest) == _added(running) - before > 0
    assert [each["kind"] for each in messages(two)].count("tape") == 1
    assert first > 0
