"""A whole collector against simulated venues: a past, a stream, a venue that stops, a full disk."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager

import aiohttp
import pytest

from powderkeg.desk import Desk
from powderkeg.errors import StoreError
from powderkeg.events import SECOND, BookSnapshot, Gap
from powderkeg.feed.decoder import Feed
from powderkeg.history.snapshots import digest
from powderkeg.live import collector as running_loop
from powderkeg.live import maintenance as keeping
from powderkeg.live.collector import Collector
from powderkeg.live.health import SETTLE
from powderkeg.live.maintenance import StoreMaintenance, resume, save
from powderkeg.settings import Settings
from powderkeg.simvenues import serve
from powderkeg.store.folder import Store

from .conftest import until

pytestmark = pytest.mark.timeout(120)
SETTINGS = Settings(draw=SECOND, flush=SECOND)
VENUES = ("binance", "bybit")
BINANCE, BYBIT = "binance:BTCUSDT", "bybit:BTCUSDT"


@pytest.fixture
async def made():
    """Return two simulated venues with half a day of past."""
    async with await serve(["BTC"], days=0.5, venues=VENUES, rate=100) as simulator:
        yield simulator


def desks():
    return {"BTC": Desk("BTC", SETTINGS)}


@asynccontextmanager
async def running(collector):
    """Run a collector; whatever it raised is raised here."""
    task = asyncio.ensure_future(collector.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and task.exception():
            raise task.exception()


def collector_of(made, **more):
    return Collector(desks(), VENUES, hosts=made.addresses, **more)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


async def live(collector):
    await until(lambda: collector.applied and collector.ready)
    desk = collector.desks["BTC"]
    meters = collector.status.meters
    await until(lambda: all(meters[m, "trades"].count > 3 for m in (BINANCE, BYBIT)))
    return desk


async def test_a_past_is_lived_through_and_the_stream_goes_on(made, store):
    words, beats = [], []
    collector = collector_of(
        made, store=store, progress=words.append, on_batch=lambda: beats.append(1)
    )
    async with running(collector):
        desk = await live(collector)
        assert desk.counts.bars >= 2 * 700
        assert set(collector.markets("BTC").values()) == {"up"}
        await until(lambda: all(m.book.status == "live" for m in desk.markets.values()))
        await until(lambda: words[-1] == "")
        assert any("days of history" in word for word in words)
        assert beats
        reported = collector.health()
        assert reported.recorded_frames == store.last > 0
        assert reported.unread == {}
        assert reported.problems == {}
        assert reported.venues["binance"].skew == pytest.approx(0, abs=1)
        assert 0 < reported.venues["binance"].weight_used <= 2400


async def test_what_was_stored_gives_the_same_desk_again(made, store):
    collector = collector_of(made, store=store)
    async with running(collector):
        await live(collector)
    feed = Feed(desks())
    for batch in store.read():
        feed.process([frame for frame in batch if frame.seq <= collector.feed.seq])
    assert digest(feed.desks["BTC"]) == digest(collector.desks["BTC"])


async def test_a_venue_that_stops_is_down_alone_and_comes_back_with_a_gap(made):
    collector, gaps = collector_of(made), []
    heard = collector.feed.watch

    def watch(event):
        heard(event)
        if isinstance(event, Gap) and event.market == BYBIT:
            gaps.append(event)

    collector.feed.watch = watch
    async with running(collector), aiohttp.ClientSession() as http:
        desk = await live(collector)
        status = collector.status
        await http.post(f"{made.control}/stop", json={"venue": "bybit"})
        await until(lambda: desk.markets[BYBIT].link == "down")
        stopped, count = desk.now, desk.markets[BINANCE].tape.count
        assert status.states[BINANCE] == "up"
        await until(lambda: desk.markets[BINANCE].tape.count > count + 3)
        await http.post(f"{made.control}/start", json={"venue": "bybit"})
        count = desk.markets[BYBIT].tape.count
        await until(lambda: desk.markets[BYBIT].link == "up")
        await until(lambda: desk.markets[BYBIT].tape.count > count)
        await until(lambda: any(gap.since <= stopped for gap in gaps))
        assert any(gap.event_time - gap.since >= SETTLE for gap in gaps)
        assert status.counts["bybit", "reconnects"] >= 1
        assert status.counts["binance", "reconnects"] == 0


async def test_without_a_past_a_coin_begins_with_what_comes(made):
    collector = collector_of(made, history=False)
    async with running(collector):
        desk = await live(collector)
        assert desk.counts.bars == 0


async def test_a_venue_that_is_not_there_leaves_the_others_alone(made, closed):
    hosts = {**made.addresses, "bybit": closed}
    collector = Collector(desks(), VENUES, hosts=hosts)
    async with running(collector):
        await until(lambda: collector.applied and collector.ready)
        desk = collector.desks["BTC"]
        await until(lambda: desk.markets[BINANCE].tape.count > 3)
        assert collector.markets("BTC") == {BINANCE: "up", BYBIT: "down"}
        assert "bybit" in collector.status.problems
        assert "binance" not in collector.status.problems


async def test_nothing_goes_on_after_it_was_cancelled(made):
    before = asyncio.all_tasks()
    collector = collector_of(made)
    async with running(collector):
        await live(collector)
        collector._group.create_task(collector._resync_books(BYBIT))
        collector.desks["BTC"].markets[BYBIT].book.mark_lost("for a test")
        mine = asyncio.all_tasks() - before
        assert mine
    # Nothing of ours goes on, once what was cancelled has ended.
    await until(
        lambda: not any("powderkeg/live" in repr(task) for task in asyncio.all_tasks() - before)
    )


# -- keeping


async def test_a_disk_that_refuses_ends_the_recording_and_nothing_else(
    made, store, monkeypatch, capsys
):
    monkeypatch.setattr(running_loop, "STORE_RETRY", 0.3)
    collector = collector_of(made, store=store, history=False)

    def full(*_):
        raise StoreError("meta.db: the disk refuses: database or disk is full")

    async with running(collector):
        desk = await live(collector)
        monkeypatch.setattr(store, "append", full)
        await until(lambda: not collector.recording)
        last, count = store.last, desk.markets[BINANCE].tape.count
        await until(lambda: desk.markets[BINANCE].tape.count > count + 3)
        assert store.last == last
        assert "disk is full" in collector.status.problems["store"]
        assert collector.health().recording is False
        monkeypatch.undo()
        await until(lambda: collector.recording)
        assert "store" not in collector.status.problems
        await until(lambda: len(list(store.read(last))) > 3)
    said = capsys.readouterr().err
    assert said.count("recording_stopped") == 1
    assert "recording_resumed" in said
    (hole,) = store.log.holes()
    assert hole.first == last + 1
    numbers = [f.seq for batch in store.read() for f in batch]
    assert numbers == [*range(1, last + 1), *range(hole.last + 1, store.last + 1)]
    feed = Feed(desks())
    for batch in store.read():
        feed.process(batch)
    assert feed.desks["BTC"].counts.gaps >= len(VENUES)


async def test_hours_that_are_over_are_sealed_and_a_snapshot_is_taken(made, store, monkeypatch):
    collector = collector_of(made, store=store)
    keep = StoreMaintenance(store, collector, SETTINGS)
    async with running(collector):
        await live(collector)
        later = keeping.now() + 2 * 3600 * SECOND
        monkeypatch.setattr(keeping, "now", lambda: later)
        await keep.run_once(snapshot=True)
        monkeypatch.undo()
    assert store.states.load("desks") is not None
    assert len(list(store.events.folder.rglob("*.frames"))) >= 1
    at = keeping.now()
    span = (at - 3600 * SECOND, at + SECOND)
    sealed = {v: store.events.scan("trades", v, f"{v}:BTCUSDT", *span) for v in VENUES}
    assert all(len(columns["price"]) > 3 for columns in sealed.values())
    assert "store" not in collector.health().problems


async def test_a_second_run_goes_on_where_the_first_ended(made, store):
    first = collector_of(made, store=store)
    async with running(first):
        await live(first)
    save(store, first.feed)
    seq, bars = store.last, first.desks["BTC"].counts.bars
    feed = Feed(desks())
    assert resume(store, feed) == ""
    assert feed.desks["BTC"].counts.bars == bars
    second = Collector(feed.desks, VENUES, hosts=made.addresses, store=store, feed=feed)
    async with running(second):
        await until(lambda: second.applied and second.ready)
        assert feed.desks["BTC"].counts.bars <= bars + 4  # the minutes since, and not all again
        assert store.last > seq
    assert [f.seq for batch in store.read() for f in batch] == list(range(1, store.last + 1))


async def test_housekeeping_that_fails_is_reported_and_the_collector_goes_on(
    made, store, monkeypatch, capsys
):
    collector = collector_of(made, store=store, history=False)
    keep = StoreMaintenance(store, collector, SETTINGS)

    def broken(*_):
        raise StoreError("cannot be deleted")

    async with running(collector):
        await live(collector)
        monkeypatch.setattr(store, "prune", broken)
        await keep.run_once(snapshot=False)
        assert collector.status.problems["store"] == "cannot be deleted"
        applied = collector.applied
        await until(lambda: collector.applied > applied)
    assert "cannot be deleted" in capsys.readouterr().err


async def test_the_last_snapshot_on_a_full_disk_does_not_hide_the_end(
    made, store, monkeypatch, capsys
):
    collector = collector_of(made, store=store, history=False)

    def full(*_):
        raise StoreError(str(sqlite3.OperationalError("database or disk is full")))

    async with running(collector):
        await live(collector)
        task = asyncio.ensure_future(StoreMaintenance(store, collector, SETTINGS).run())
        await asyncio.sleep(0)
        monkeypatch.setattr(store.states, "save", full)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    assert "disk is full" in capsys.readouterr().err


async def test_a_book_that_was_lost_before_the_start_is_mended_once_requests_can_be_made():
    """A restart finds every book lost, and Binance's is mended by a request."""
    async with await serve(["BTC"], days=0.5, venues=["binance"]) as sim:
        desk = Desk("BTC", SETTINGS)
        desk.apply(BookSnapshot("binance:BTCUSDT", 1, 1, ((1.0, 1.0),), ((2.0, 1.0),), 5))
        collector = Collector({"BTC": desk}, ("binance",), hosts=sim.addresses)
        task = asyncio.ensure_future(collector.run())
        book = desk.markets["binance:BTCUSDT"].book
        try:
            await until(lambda: book.status == "live" and book.update > 5)
        finally:
            task.cancel()
            await asyncio.wait({task})
        assert task.cancelled()
