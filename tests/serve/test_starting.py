"""What a start says of itself: by venue and market, what failed and what is next, never NaN."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

import msgspec
import pytest
from litestar.testing import TestClient
from msgspec.structs import asdict

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.live.backfill import BackfillProgress
from powderkeg.live.collector import Collector
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.startup.progress import Starting
from powderkeg.serve.startup.up import Plan, Up
from powderkeg.serve.stream.hub import Hub
from powderkeg.settings import LIVE

T = 1_767_225_600_000_000
VENUES = ("binance", "bybit")
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self):
        self.at = T

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def empty(clock):
    """Return a session of one coin that knows nothing, and its start."""
    session = Session("live", {"BTC": Desk("BTC", LIVE)}, clock)
    return session, Starting(session, VENUES, clock)


@pytest.fixture
def collector(empty):
    return Collector(empty[0].desks, VENUES, hosts={})


def row(answer, market):
    return next(each for each in answer.markets if each.market == market)


def finite(value):
    """Tell whether nothing in a record is NaN or infinite."""
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    if isinstance(value, list):
        return all(finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_before_any_venue_answered_every_market_waits_and_no_time_is_promised(empty):
    _, starting = empty
    answer = starting.answer(None)
    assert [m.market for m in answer.markets] == [BINANCE, BYBIT]
    assert {m.state for m in answer.markets} == {"waiting"}
    assert (answer.ready, answer.share, answer.left) == (False, 0.0, None)
    assert finite(msgspec.to_builtins(answer))


def test_a_venue_that_cannot_be_reached_says_why_and_what_comes_next(empty):
    _, starting = empty
    starting.answers["bybit"] = "connection refused"
    bybit = row(starting.answer(None), BYBIT)
    assert (bybit.state, bybit.problem) == ("failed", "connection refused")
    assert bybit.next == "simulated venues, where none answers"


def test_answers_move_a_market_from_asking_over_fetching_and_playing_to_ready(
    empty, collector, clock, monkeypatch
):
    session, starting = empty
    collector.feed.coins = {BINANCE: "BTC", BYBIT: "BTC"}
    collector.feed._waiting = {BINANCE: [], BYBIT: []}
    assert row(starting.answer(collector), BINANCE).state == "asking"
    backfill = type(
        "Backfill",
        (),
        {"progress": {BINANCE: BackfillProgress(10, 5), BYBIT: BackfillProgress(10, 0)}},
    )
    monkeypatch.setattr(collector, "backfill", backfill)
    clock.at += 4_000_000
    fetching = starting.answer(collector)
    assert row(fetching, BINANCE).state == "fetching"
    assert row(fetching, BINANCE).share == pytest.approx(0.4)
    assert row(fetching, BINANCE).left == pytest.approx(6.0)
    assert fetching.share == pytest.approx(0.2)
    backfill.progress[BINANCE] = BackfillProgress(10, 10, complete=True)
    assert row(starting.answer(collector), BINANCE).state == "playing"
    del collector.feed._waiting[BINANCE]
    assert row(starting.answer(collector), BINANCE).state == "ready"
    session.ready = True
    ready = starting.answer(collector)
    assert (ready.share, ready.left, ready.took) == (1.0, 0.0, 4.0)


def lefts(seconds, looks):
    """Return the time left after a stall of so many seconds, looked at so often."""
    at = Clock()
    session = Session("live", {"BTC": Desk("BTC", LIVE)}, at)
    starting = Starting(session, VENUES, at)
    starting.recorded = lambda *_: 0.5
    at.at += 10 * SECOND
    starting.answer(None)
    out = 0.0
    for _ in range(looks):
        at.at += seconds * SECOND // looks
        out = starting.answer(None).left
    return out


def test_the_time_left_after_a_stall_grows_little_by_little_however_many_look():
    # Four tenths are there after 10 s: 15 s are left. After 2 s without progress it would be 18.
    assert lefts(2, 1) == pytest.approx(13 + 5 * (1 - math.exp(-2 / 5)), abs=0.1)
    assert lefts(2, 20) == pytest.approx(lefts(2, 200), abs=0.11)
    assert 13 < lefts(2, 200) <= lefts(2, 1)
    assert lefts(60, 60) == pytest.approx(70 / 0.4 * 0.6, rel=0.15)


def test_a_market_of_which_nothing_came_has_failed_and_one_that_is_forbidden_is_refused(
    empty, collector, monkeypatch
):
    _, starting = empty
    collector.feed.coins = {BINANCE: "BTC", BYBIT: "BTC"}
    collector.feed._waiting = {BYBIT: []}
    progress = {
        BINANCE: BackfillProgress(10, 0, "binance does not answer", complete=True),
        BYBIT: BackfillProgress(),
    }
    monkeypatch.setattr(collector, "backfill", type("Backfill", (), {"progress": progress}))
    collector.status.problems["bybit"] = "HTTP 451: not served at this location"
    answer = starting.answer(collector)
    assert row(answer, BINANCE).state == "failed"
    assert row(answer, BINANCE).problem == "binance does not answer"
    assert row(answer, BYBIT).state == "refused"
    assert row(answer, BYBIT).next == "asked again after ten minutes"


def test_a_stream_is_waiting_until_its_first_word_and_none_where_a_venue_has_it_not(
    empty, collector
):
    _, starting = empty
    streams = row(starting.answer(collector), BINANCE).streams
    assert set(asdict(streams)) == {"trades", "book", "interest", "funding", "liquidations"}
    assert set(asdict(streams).values()) <= {"waiting", "none"}
    collector.status.problems["binance"] = "cannot connect"
    assert row(starting.answer(collector), BINANCE).streams.trades == "down"


def test_a_finished_recording_has_nothing_to_wait_for(session):
    session.ready = True
    with TestClient(make_app(session, Hub(session))) as client:
        answer = client.get("/v1/starting").json()
    assert (answer["ready"], answer["markets"]) == (True, [])
    assert [coin["state"] for coin in answer["coins"]] == ["ready"]


def test_no_answer_of_a_start_holds_a_number_that_is_none(empty, collector):
    session, starting = empty
    session.starting = lambda: starting.answer(collector)
    session.collector = collector
    with TestClient(make_app(session, Hub(session))) as client:
        for path in ("/v1/starting", "/v1/coins", "/v1/health", "/v1/screener", "/v1/scores"):
            raw = client.get(path).text
            assert "NaN" not in raw, path
            assert "Infinity" not in raw, path
            assert "inf s" not in raw, path
            assert '"as_of":0' not in raw, path
            ages = [age for age in _ages(json.loads(raw)) if age is not None]
            assert all(age < 1e9 for age in ages), path
        assert not re.search(r" (nan|[+-]?inf)\b", client.get("/metrics").text.lower())


def _ages(value):
    """Yield every age in a record."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "age":
                yield each
            yield from _ages(each)
    elif isinstance(value, list):
        for each in value:
            yield from _ages(each)


def test_the_topic_reports_a_start_until_it_is_ready_and_then_ends():
    work = Up(Plan(("BTC",), ("binance",), simulate="for a test"))
    app = make_app(work.session, work.hub)
    with TestClient(app) as client, client.websocket_connect("/v1/stream?topic=starting") as socket:
        first = msgspec.msgpack.decode(socket.receive_bytes())
        assert (first["kind"], first["ready"], first["source"]) == ("starting", False, "simulated")
        assert first["doing"] == "starting the simulated venues"
        work.session.ready, work.session.progress = True, ""
        last = first
        while not last["ready"]:
            last = msgspec.msgpack.decode(socket.receive_bytes())
        assert last["share"] == 1.0


WARMED = """
from powderkeg.flow.books import absorption, walls, zones
from powderkeg.serve.startup.warm import warm
warm()
kernels = absorption._add, absorption._depth, walls._baselines, walls._step
kernels += zones._lay, zones._count
assert all(kernel.signatures for kernel in kernels), kernels
"""


def test_the_reads_of_books_have_nothing_to_compile_at_the_first_start():
    # In a process of its own: here other tests may have compiled them already.
    done = subprocess.run(
        [sys.executable, "-c", WARMED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
