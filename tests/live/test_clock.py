"""A system clock that jumps, under a whole collector and over a restart: the map stays right."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from powderkeg.desk import Desk
from powderkeg.events import DAY, HOUR, SECOND
from powderkeg.frames import Started, control_frame
from powderkeg.live.collector import Collector
from powderkeg.live.network import reachability
from powderkeg.live.timekeeping import clock, discipline
from powderkeg.live.timekeeping.clock import Clock
from powderkeg.maps.views.queries import SpanQuery
from powderkeg.serve.session import Session
from powderkeg.serve.startup.up import Plan, Up
from powderkeg.settings import Settings
from powderkeg.simvenues import serve
from powderkeg.store.folder import Store

from .conftest import until

pytestmark = pytest.mark.timeout(180)
VENUES = ("binance", "bybit")
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"
YEARS = 3650 * DAY
JUMPS = pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR, YEARS, -YEARS])
NEAR = 30 * SECOND
"""µs within which times count as now: a machine that is busy may be late."""


def real():
    return time.time_ns() // 1000


class System:
    """The system's clock, which can be set."""

    def __init__(self):
        self.off = 0

    def __call__(self):
        return real() + self.off


@pytest.fixture
def system(monkeypatch):
    """Return a system clock that our own was started by."""
    made = System()
    monkeypatch.setattr(clock, "CLOCK", Clock(made))
    return made


def restarted(monkeypatch, system):
    """Start our clock anew by the system's."""
    monkeypatch.setattr(clock, "CLOCK", Clock(system))


@pytest.fixture
async def made(monkeypatch):
    """Return venues that are made and do not say so: what they say is stored as if it were real."""
    monkeypatch.setattr(reachability, "SIMULATED_HEADER", "x-nobody-says-this")
    async with await serve(["BTC"], days=0.5, venues=VENUES, rate=100) as simulator:
        yield simulator


@asynccontextmanager
async def running(work):
    task = asyncio.ensure_future(work.run())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def speaking(collector):
    """Wait until both venues are up and go on speaking."""
    await until(lambda: collector.applied and collector.ready)
    meters = collector.status.meters
    await until(lambda: all((m, "trades") in meters for m in (BINANCE, BYBIT)))
    before = {m: meters[m, "trades"].count for m in (BINANCE, BYBIT)}
    await until(lambda: all(meters[m, "trades"].count > n + 3 for m, n in before.items()))
    await until(lambda: set(collector.markets("BTC").values()) == {"up"})


def right(session):
    """Check that the map stands now, and says so."""
    about = session.about(session.desks["BTC"], SpanQuery())
    assert abs(about.as_of - real()) < NEAR
    assert abs(about.now - real()) < NEAR
    assert 0 <= about.age < NEAR / SECOND


def stored_now(store):
    """Check that nothing stored was stamped by another time than ours."""
    times = [frame.received_time for batch in store.read() for frame in batch]
    assert times
    assert max(times) < real() + NEAR
    assert min(times) > real() - 600 * SECOND


@JUMPS
async def test_a_jump_and_its_way_back_are_reported_and_the_map_goes_on(
    made, system, jump, tmp_path
):
    store = Store(tmp_path)
    desks = {"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}
    collector = Collector(desks, VENUES, hosts=made.addresses, history=False, store=store)
    session = Session("live", desks, clock.now)
    session.collector = collector
    problems, counts = collector.status.problems, collector.status.counts
    async with running(collector):
        await speaking(collector)
        system.off = jump
        await until(lambda: "clock" in problems)
        assert problems["clock"].endswith("the venues' time is used")
        await speaking(collector)
        right(session)
        system.off = 0
        await until(lambda: not problems)
        await speaking(collector)
        right(session)
        assert counts["clock", "jumps"] == 1
        assert all(counts[name, "gaps"] == 0 for name in VENUES)
    stored_now(store)
    store.close()


def up_of(made, folder):
    plan = Plan(("BTC",), VENUES, hosts=made.addresses, data=folder)
    return Up(plan)


async def well(up):
    await until(lambda: up.collector is not None and up.session.ready)
    await speaking(up.collector)


@JUMPS
async def test_a_clock_set_wrong_over_a_restart_is_reported_and_nothing_of_it_is_stored(
    made, system, jump, tmp_path, monkeypatch
):
    up = up_of(made, tmp_path)
    async with running(up):
        await well(up)
    system.off = jump
    restarted(monkeypatch, system)
    up = up_of(made, tmp_path)
    async with running(up):
        await well(up)
        right(up.session)
        problems = up.collector.status.problems
        await until(lambda: "clock" in problems)
        assert problems["clock"] == (
            f"the system clock is off by {jump // SECOND:+d} s: the venues' time is used"
        )
        system.off = 0
        await until(lambda: not problems)
        right(up.session)
    restarted(monkeypatch, system)
    up = up_of(made, tmp_path)
    async with running(up):
        await well(up)
        right(up.session)
        assert up.collector.status.problems == {}
    store = Store(tmp_path)
    stored_now(store)
    store.close()


@pytest.mark.parametrize("ahead", [2 * HOUR, YEARS])
async def test_a_store_that_holds_the_future_opens_and_the_map_is_of_now(made, ahead, tmp_path):
    store = Store(tmp_path)
    at = real() + ahead
    store.append([control_frame(1, at, Started(at, {"BTC": (BINANCE, BYBIT)}))])
    store.close()
    up = up_of(made, tmp_path)
    async with running(up):
        await well(up)
        right(up.session)
        assert "1 frames that a wrong clock stamped" in up.collector.status.problems["record"]


async def test_a_map_ahead_of_time_is_reported_and_its_age_is_how_far(made, system):
    desks = {"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}
    collector = Collector(desks, VENUES, hosts=made.addresses, history=False)
    session = Session("live", desks, clock.now)
    session.collector = collector
    async with running(collector):
        await speaking(collector)
        desks["BTC"].now = clock.now() + HOUR
        await until(lambda: "map" in collector.status.problems)
        about = session.about(desks["BTC"], SpanQuery())
        assert about.age == pytest.approx(3600, abs=NEAR / SECOND)
    assert system.off == 0


# -- before anything is stamped


async def asked(made, venues=VENUES, hosts=None):
    clocks = {}
    hosts = made.addresses if hosts is None else hosts
    answers = await reachability.probe_venues(venues, hosts, clocks=clocks)
    return answers, clocks


async def test_where_the_clock_is_right_the_first_answer_is_enough(made, system):
    answers, clocks = await asked(made)
    assert "" in answers.values()
    assert all(abs(ahead) < NEAR for ahead in clocks.values())
    assert discipline.correct_clock(clocks, 2) == system.off == 0


async def test_where_the_first_venue_says_that_it_is_wrong_a_second_is_waited_for(
    made, system, monkeypatch
):
    system.off = HOUR
    restarted(monkeypatch, system)
    answers, clocks = await asked(made)
    assert answers == dict.fromkeys(VENUES, "")
    assert len(clocks) == 2
    discipline.correct_clock(clocks, 2)
    assert abs(clock.now() - real()) < NEAR


async def test_one_venue_of_two_is_not_believed_against_the_clock(
    made, system, monkeypatch, closed
):
    system.off = HOUR
    restarted(monkeypatch, system)
    answers, clocks = await asked(made, hosts={**made.addresses, "bybit": closed})
    assert answers["bybit"] == "connection refused"
    assert discipline.correct_clock(clocks, 2) == 0


async def test_a_venue_that_has_no_question_for_its_clock_dates_its_answers(server, system):
    async def answer(_):
        return web.Response(body=b"{}", headers={"date": "Thu, 01 Jan 2026 00:00:00 GMT"})

    host = await server(answer)
    _, clocks = await asked(None, ("hyperliquid",), {"*": host})
    assert clocks["hyperliquid"] == pytest.approx(1_767_225_600 * SECOND - real(), abs=NEAR)
    assert system.off == 0
