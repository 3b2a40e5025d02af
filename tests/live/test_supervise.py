"""What fails begins again by itself, is told, and costs no other venue anything."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.feed.joining import Joining
from powderkeg.live import supervise
from powderkeg.live.collector import Collector
from powderkeg.live.maintenance import StoreMaintenance
from powderkeg.live.network import backoff
from powderkeg.live.network.connection import Connection
from powderkeg.live.network.rest import Rest
from powderkeg.live.supervise import Supervisor
from powderkeg.live.timekeeping.loop_lag import LoopLagMonitor
from powderkeg.serve.metrics import exposition
from powderkeg.serve.session import Session
from powderkeg.serve.startup.up import Plan, Up
from powderkeg.serve.stream.hub import Hub
from powderkeg.settings import Settings
from powderkeg.simvenues import serve
from powderkeg.store.folder import Store
from powderkeg.venues import VenueReader
from powderkeg.venues.bybit import rest as bybit_requests

from .conftest import until

pytestmark = pytest.mark.timeout(120)
VENUES = ("binance", "bybit")
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST", 0.05)
    monkeypatch.setattr(supervise, "HELD", 0.5)


# -- one task


async def test_work_that_fails_is_done_again_counted_and_reported_while_it_lasts(health, capsys):
    tries, failed = [], []

    async def work():
        tries.append(1)
        if len(tries) < 4:
            raise ValueError("on purpose")
        await asyncio.sleep(1.0)

    keeping = asyncio.ensure_future(Supervisor(health).run("made", work, failed.append))
    await until(lambda: len(tries) == 4)
    assert health.problems["made"] == "begun again after an error: ValueError: on purpose"
    assert failed == [health.problems["made"]] * 3
    assert health.counts["made", "restarts"] == 3
    await until(lambda: not health.problems)
    await keeping
    said = capsys.readouterr().err
    assert said.count("Traceback (most recent call last)") == 1
    assert "on purpose" in said


async def test_errors_in_two_places_are_both_traced(health, capsys):
    supervisor = Supervisor(health)
    for _ in range(3):
        with supervisor.guard("made"):
            raise ValueError("here")
        with supervisor.guard("made"):
            raise ValueError("there")
    assert capsys.readouterr().err.count("Traceback (most recent call last)") == 2
    with supervisor.guard("made"):
        pass
    assert health.problems == {}


async def test_a_problem_that_somebody_else_reported_since_stays(health):
    supervisor = Supervisor(health)
    with supervisor.guard("made"):
        raise ValueError("here")
    health.problems["made"] = "HTTP 451"
    with supervisor.guard("made"):
        pass
    assert health.problems == {"made": "HTTP 451"}


async def test_work_that_ends_well_does_not_hide_the_problem_of_another_of_its_name(health):
    supervisor = Supervisor(health)
    supervisor.report("made", ValueError("here"))

    async def fine():
        pass

    await supervisor.run("made", fine)
    assert "here" in health.problems["made"]


async def test_the_first_error_of_a_group_is_reported(health):
    supervisor = Supervisor(health)
    with supervisor.guard("made"):
        raise ExceptionGroup("several", [ExceptionGroup("inner", [KeyError("symbol")])])
    assert health.problems["made"] == "begun again after an error: KeyError: 'symbol'"


async def test_a_cancelled_task_stays_cancelled(health):
    keeping = asyncio.ensure_future(Supervisor(health).run("made", asyncio.Event().wait))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.wait({keeping})
    assert keeping.cancelled()
    assert health.counts == {}


# -- a whole collector, in which one task fails


@pytest.fixture
async def made():
    async with await serve(["BTC"], days=0.5, venues=VENUES, rate=100) as simulator:
        yield simulator


class Fault:
    """Makes a method raise the first time it is called for Bybit, or for whom it is called."""

    def __init__(self, monkeypatch, where, name, *, whose=lambda each, *_: each.venue == "bybit"):
        real, self.raised = getattr(where, name), 0

        def broken(each, *args, **more):
            if not self.raised and whose(each, *args):
                self.raised += 1
                raise RuntimeError("on purpose")
            return real(each, *args, **more)

        monkeypatch.setattr(where, name, broken)


def bybit_is_asked(channel):
    return lambda each, poll: each.venue.name == "bybit" and poll.channel.startswith(channel)


@asynccontextmanager
async def running(collector, *others):
    tasks = [asyncio.ensure_future(work) for work in (collector.run(), *others)]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def collector_of(made, **more):
    desks = {"BTC": Desk("BTC", Settings(draw=SECOND, flush=SECOND))}
    return Collector(desks, VENUES, hosts=made.addresses, **more)


async def all_well(collector):
    """Wait until both venues are up, in the map, and go on speaking."""
    await until(lambda: collector.applied and collector.ready)
    await until(lambda: set(collector.markets("BTC").values()) == {"up"})
    meters, before = collector.status.meters, {}
    before = {m: meters[m, "trades"].count for m in (BINANCE, BYBIT)}
    await until(lambda: all(meters[m, "trades"].count > n + 3 for m, n in before.items()))
    desk = collector.desks["BTC"]
    await until(lambda: all(m.book.status == "live" for m in desk.markets.values()))


PLACES = {
    "keeper": (Connection, "_listen", {}),
    "keeper opens": (Connection, "_begin", {}),
    "first polls": (Rest, "fetch", {"whose": bybit_is_asked("instruments")}),
    "polls": (Rest, "repeat", {"whose": bybit_is_asked("ratio")}),
    "answers": (Rest, "_ask", {"whose": bybit_is_asked("clock")}),
    "what is asked of a past": (bybit_requests, "past", {"whose": lambda *_: True}),
    "answers of a past": (Rest, "fetch", {"whose": bybit_is_asked("candles")}),
    "trades of a past": (Rest, "fetch", {"whose": bybit_is_asked("trades")}),
    "player": (Joining, "play", {"whose": lambda each: each.market == BYBIT}),
    "pulse": (LoopLagMonitor, "run", {"whose": lambda *_: True}),
    "report of the start": (Collector, "_report", {"whose": lambda *_: True}),
    "reader": (VenueReader, "read", {"whose": lambda _, raw, *__: b"publicTrade" in raw}),
}


@pytest.mark.parametrize("place", PLACES)
async def test_an_error_anywhere_costs_no_other_venue_anything(place, made, monkeypatch):
    where, name, more = PLACES[place]
    fault = Fault(monkeypatch, where, name, **more)
    collector = collector_of(made)
    async with running(collector):
        await until(lambda: fault.raised)
        await all_well(collector)
        counts = collector.status.counts
        assert (counts["binance", "gaps"], counts["binance", "reconnects"]) == (0, 0)
        assert counts["binance", "restarts"] == 0
        reported = sum(n for (_, what), n in counts.items() if what == "restarts")
        assert reported + sum(collector.feed.unread.values()) == 1
        await until(lambda: not collector.status.problems)


async def test_a_venue_is_down_while_its_tasks_wait_to_begin_again(made, monkeypatch):
    collector = collector_of(made, history=False)
    session = Session("live", collector.desks, lambda: 0)
    session.collector = collector
    async with running(collector):
        await all_well(collector)
        monkeypatch.setattr(backoff, "FIRST", 2.0)
        fault = Fault(monkeypatch, Connection, "_listen")
        collector.supervisor.report("bybit", ValueError("so that the next wait is the first"))
        for keeper in collector.connections:
            if keeper.venue == "bybit" and keeper._open is not None:
                keeper._open.disconnect(graceful=False)
        await until(lambda: fault.raised)
        await until(lambda: collector.markets("BTC") == {BINANCE: "up", BYBIT: "down"})
        reported = collector.health()
        assert "on purpose" in reported.problems["bybit"]
        rows = [row for row in reported.channels if row.market == BYBIT]
        assert {row.state for row in rows} == {"down"}
        figures = exposition(session).splitlines()
        assert f'powderkeg_link_up{{market="{BYBIT}"}} 0' in figures
        assert 'powderkeg_restarts_total{venue="binance"} 0' in figures
        assert 'powderkeg_restarts_total{venue="bybit"} 2' in figures
        assert 'powderkeg_problem{venue="bybit"} 1' in figures
        await all_well(collector)


async def test_a_mend_that_fails_is_begun_again(made, monkeypatch):
    collector = collector_of(made, history=False)
    async with running(collector):
        await all_well(collector)
        fault = Fault(monkeypatch, Rest, "fetch", whose=lambda _, poll: "depth" in poll.channel)
        for ask in [collector.desks["BTC"].markets[BINANCE].book.mark_lost("for a test")]:
            collector._resync(ask)
        await until(lambda: fault.raised)
        await all_well(collector)
        assert collector.status.counts["binance", "restarts"] == 1
        assert collector.status.counts["bybit", "gaps"] == 0
        await until(lambda: not collector._resyncing)


async def test_what_is_shown_may_fail_and_nothing_is_lost(made):
    beats = []

    def beat():
        beats.append(1)
        if len(beats) < 4:
            raise RuntimeError("on purpose")

    collector = collector_of(made, history=False, on_batch=beat)
    async with running(collector):
        await all_well(collector)
        assert collector.status.counts["stream", "restarts"] == 3
        assert "stream" not in collector.status.problems


async def test_streams_to_pages_that_fail_begin_again(made, monkeypatch):
    fault = Fault(monkeypatch, Hub, "beat", whose=lambda _: up.collector and up.collector.applied)
    up = Up(Plan(("BTC",), VENUES, hosts=made.addresses))
    async with running(up):
        await until(lambda: up.collector is not None)
        await until(lambda: fault.raised)
        assert up.collector.status.counts["hub", "restarts"] == 1
        await all_well(up.collector)
        await until(lambda: not up.collector.status.problems)


async def test_housekeeping_that_raises_what_nobody_expected_begins_again(
    made, tmp_path, monkeypatch
):
    store = Store(tmp_path)
    collector = collector_of(made, history=False, store=store)
    fault = Fault(monkeypatch, StoreMaintenance, "run_once", whose=lambda *_: True)
    monkeypatch.setattr("powderkeg.live.maintenance.EVERY", 0.1)
    keep = StoreMaintenance(store, collector, Settings())
    async with running(collector, collector.supervisor.run("housekeeping", keep.run)):
        await all_well(collector)
        await until(lambda: fault.raised)
        await until(lambda: not collector.status.problems)
        assert collector.health().recording
    store.close()


async def test_once_the_loop_itself_has_failed_nothing_is_said_to_be_up(
    made, tmp_path, monkeypatch
):
    store = Store(tmp_path)
    collector = collector_of(made, history=False, store=store)
    task = asyncio.ensure_future(collector.run())
    await all_well(collector)
    assert collector.health().recording

    def broken(_):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(collector.feed, "process", broken)
    with pytest.raises(ExceptionGroup):
        await task
    store.close()
    reported = collector.health()
    assert set(reported.markets.values()) == {"down"}
    assert {row.state for row in reported.channels} == {"down"}
    assert reported.recording is False
