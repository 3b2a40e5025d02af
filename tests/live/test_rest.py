"""Requests: what is tried again, what is not, what a person is told."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web

from powderkeg.events import SECOND
from powderkeg.live.network import backoff, rest
from powderkeg.live.network.reachability import probe, probe_venues
from powderkeg.live.network.rest import RequestRejected, Rest
from powderkeg.venues import VENUES
from powderkeg.venues.base import Channel, Poll

from .conftest import until

URL = "https://api.made.example/thing?a=1"
POLL = Poll("thing:BTC", URL)


@pytest.fixture
def quick(monkeypatch):
    """Let all waits be short."""
    monkeypatch.setattr(backoff, "FIRST", 0.01)
    monkeypatch.setattr(rest, "BANNED", 0.2)
    monkeypatch.setattr(rest, "AGAIN", 0.05)


class Answers:
    """Answers in turn; the last one again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def __call__(self, request):
        self.asked.append((time.monotonic(), request.method, request.path_qs, await request.read()))
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def asks(server, wire, inbox, health):
    """Return what opens requests to a server of answers."""
    opened = []

    async def open_them(*answers):
        told = Answers(*((*each, {})[:3] for each in answers))
        host = await server(told)
        each = Rest(wire, inbox, health, {"made": host})
        opened.append(await each.__aenter__())
        return each, told

    yield open_them
    for each in opened:
        await each.__aexit__(None, None, None)


async def test_an_answer_becomes_a_frame_named_after_its_question(asks, inbox):
    each, told = await asks((200, b"[1]"))
    await each.fetch(POLL)
    (frame,) = inbox.take()
    assert (frame.seq, frame.venue, frame.channel, frame.raw) == (1, "made", "thing:BTC", b"[1]")
    assert [(method, path) for _, method, path, _ in told.asked] == [("GET", "/thing?a=1")]


async def test_a_question_with_a_body_is_posted(asks):
    each, told = await asks((200, b"{}"))
    await each.fetch(Poll("x", URL, body=b'{"type":"meta"}'))
    assert told.asked[0][1:] == ("POST", "/thing?a=1", b'{"type":"meta"}')


@pytest.mark.usefixtures("quick")
async def test_a_venue_in_trouble_is_asked_again(asks, inbox, health):
    each, told = await asks((503, b"busy"), (500, b"oh"), (200, b"ok"))
    await each.fetch(POLL)
    assert [frame.raw for frame in inbox.take()] == [b"ok"]
    assert len(told.asked) == 3
    assert health.counts == {("made", "HTTP 503"): 1, ("made", "HTTP 500"): 1}


@pytest.mark.usefixtures("quick")
async def test_too_many_requests_are_waited_for_as_long_as_the_venue_says(asks):
    each, told = await asks((429, b"slow", {"Retry-After": "1"}), (200, b"ok"))
    await each.fetch(POLL)
    (first, *_), (second, *_) = told.asked
    assert 0.99 <= second - first < 30  # and not the minutes of a ban without a time


@pytest.mark.usefixtures("quick")
async def test_a_ban_without_a_time_stops_every_budget_the_unused_ones_too(asks):
    each, told = await asks((418, b"banned"), (200, b"ok"))
    first = asyncio.ensure_future(each.fetch(POLL))
    await until(lambda: each.budget().wait(1, rest.steady()) > 0)
    await asyncio.gather(first, each.fetch(Poll("y", URL, bucket="b")))
    assert all(at - told.asked[0][0] >= 0.19 for at, *_ in told.asked[1:])


@pytest.mark.parametrize("status", [403, 451])
async def test_a_forbidden_place_is_a_matter_of_configuration_and_not_asked_again(
    status, asks, inbox, health
):
    each, told = await asks((status, b"restricted"))
    with pytest.raises(RequestRejected) as why:
        await each.fetch(POLL)
    assert why.value.answered
    assert len(told.asked) == 1
    assert inbox.size == 0
    assert health.problems["made"] == (
        f"HTTP {status}: not served at this location: set another host or proxy"
    )


async def test_a_wrong_question_is_not_asked_again(asks, health):
    each, told = await asks((400, b'{"msg":"bad symbol"}'))
    with pytest.raises(RequestRejected, match="bad symbol"):
        await each.fetch(POLL)
    assert len(told.asked) == 1
    assert "bad symbol" in health.problems["made"]


@pytest.mark.usefixtures("quick")
async def test_a_venue_that_is_not_there_is_reported_so(wire, inbox, health, closed):
    async with Rest(wire, inbox, health, {"*": closed}) as each:
        with pytest.raises(RequestRejected) as why:
            await each.fetch(POLL)
    assert not why.value.answered
    assert health.counts == {("made", "failed requests"): rest.TRIES}


async def test_the_weight_that_the_venue_reports_is_counted(asks):
    each, _ = await asks((200, b"1", {"X-Used": "700"}))
    await each.fetch(POLL)
    assert each.used() == 700
    assert each.budget().wait(300, rest.steady()) > 0


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("said", ["\u00b2", "9" * 400, "-1", "soon"])
async def test_a_wait_that_is_no_number_is_a_ban_without_a_time(said, asks, inbox):
    each, told = await asks((429, b"slow", {"Retry-After": said}), (200, b"ok"))
    await each.fetch(POLL)
    assert [frame.raw for frame in inbox.take()] == [b"ok"]
    assert told.asked[1][0] - told.asked[0][0] >= 0.19


@pytest.mark.parametrize("said", ["\u00b2", "9" * 5000, "-1", "much"])
async def test_a_weight_that_is_no_number_is_not_counted(said, asks):
    each, _ = await asks((200, b"1", {"X-Used": said}))
    await each.fetch(POLL)
    assert each.used() == 1


async def test_a_weight_beyond_the_limit_counts_as_the_whole_limit(asks, wire):
    each, _ = await asks((200, b"1", {"X-Used": "999999999999"}))
    await each.fetch(POLL)
    assert each.used() == wire.limits.weight


async def test_the_venues_clock_is_set_beside_ours(asks, health):
    ahead = rest.now() + 5 * SECOND
    each, _ = await asks((200, str(ahead).encode()))
    await each.fetch(Poll("clock", URL))
    assert health.offsets["made"].skew == pytest.approx(5 * SECOND, abs=SECOND)


async def test_a_clock_that_cannot_be_read_is_a_frame_like_any_other(asks, inbox, health):
    each, _ = await asks((200, b"rubbish"))
    await each.fetch(Poll("clock", URL))
    assert inbox.size == 1
    assert health.offsets == {}


@pytest.mark.usefixtures("quick")
async def test_what_is_asked_again_and_again_outlives_refusals(asks, inbox, health):
    each, told = await asks((404, b"not yet"), (200, b"1"))
    poll = Poll("oi", URL, every=20_000, channels=(Channel("made:BTC", "oi", SECOND),))
    task = asyncio.ensure_future(each.repeat(poll))
    await until(lambda: inbox.size >= 3)
    task.cancel()
    await asyncio.wait({task})
    assert health.meters["made:BTC", "oi"].since > 0
    assert len(told.asked) >= 4


# -- is anyone there


async def test_closed_ports_are_reported_at_once(closed):
    told = await probe_venues(tuple(VENUES), {"*": closed}, wait_for_all=True)
    assert set(told) == set(VENUES)
    assert all(why == "connection refused" for why in told.values())


async def test_one_that_answers_is_enough(server):
    async def slow(_):
        await asyncio.Event().wait()
        return web.Response()

    fast, late = await server(Answers((200, b"{}", {}))), await server(slow)
    told = await probe_venues(("binance", "bybit"), {"binance": late, "bybit": fast})
    assert told == {"binance": "not heard yet", "bybit": ""}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (451, "HTTP 451 not served at this location"),
        (403, "HTTP 403 forbidden from this address"),
        (500, "HTTP 500"),
    ],
)
async def test_an_answer_that_is_none_is_reported_by_its_status(server, status, words):
    host = await server(Answers((status, b"", {})))
    assert await probe_venues(("okx",), {"*": host}) == {"okx": words}


@pytest.mark.parametrize("name", [name for name in VENUES if not name.endswith("-spot")])
def test_every_venue_has_something_cheap_to_ask(name):
    assert probe(name).channel in ("clock", "instruments")
