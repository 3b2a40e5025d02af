"""``up``, ``demo``, ``record``: which market is shown and why, and what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from powderkeg.cli.commands import up
from powderkeg.errors import ConfigError
from powderkeg.serve.startup.up import Plan, Up, offline
from powderkeg.serve.startup.venues import simulated_venues
from powderkeg.simvenues import serve
from powderkeg.store.folder import Store
from powderkeg.venues import default_venues


@pytest.fixture
def closed():
    """Return an address that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def planned(monkeypatch):
    """Let nothing be shown; return the plans that would have been."""
    plans = []
    monkeypatch.setattr(up, "_show", lambda plan, *_, **__: plans.append(plan))
    for name in ("POWDERKEG_HOSTS", "POWDERKEG_STORE", "POWDERKEG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return plans


# -- what is planned


def test_by_default_three_coins_of_six_venues_are_collected_and_kept(planned, run, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    run("up")
    (plan,) = planned
    assert (plan.coins, plan.venues) == (("BTC", "ETH", "SOL"), default_venues())
    assert (plan.simulate, plan.hosts) == ("", {})
    assert str(plan.data) == os.path.join("somewhere", "powderkeg")  # noqa: PTH118  as text


def test_coins_and_venues_may_be_chosen(planned, run):
    run("up", "btc", "doge", "BTC", "--venues", "okx, bybit-inverse", "--data", "here")
    (plan,) = planned
    assert plan.coins == ("BTC", "DOGE")
    assert plan.venues == ("okx", "bybit-inverse")
    assert str(plan.data) == "here"


def test_a_coin_may_be_named_as_a_venue_names_thousands_of_it(planned, run):
    run("up", "1000pepe", "kPEPE", "SHIB1000", "1inch", "XYZ:tsla", "tusd")
    assert planned[0].coins == ("PEPE", "SHIB", "1INCH", "xyz:TSLA", "TUSD")


def test_the_disk_budget_is_an_option_and_no_part_of_what_a_desk_is(planned, run, monkeypatch):
    run("up", "--disk", "500MB")
    monkeypatch.setenv("POWDERKEG_DISK", "1.5TB")
    run("up")
    assert [plan.disk for plan in planned] == [500_000_000, 1_500_000_000_000]
    assert planned[0].settings == planned[1].settings


def test_hosts_come_from_the_environment_too(planned, run, monkeypatch):
    monkeypatch.setenv("POWDERKEG_HOSTS", "127.0.0.1:1,okx=127.0.0.1:2")
    run("up")
    assert planned[0].hosts == {"*": "127.0.0.1:1", "okx": "127.0.0.1:2"}


def test_demo_asks_no_venue_and_keeps_nothing(planned, run, monkeypatch):
    monkeypatch.setenv("POWDERKEG_HOSTS", "127.0.0.1:1")
    run("demo", "BTC")
    (plan,) = planned
    assert plan.simulate == "asked for"
    assert (plan.hosts, plan.data) == ({}, None)


@pytest.mark.parametrize(
    ("told", "why"), [("", ""), ("0", ""), ("1", "POWDERKEG_OFFLINE=1 is set")]
)
def test_offline_is_a_setting(monkeypatch, told, why):
    monkeypatch.setenv("POWDERKEG_OFFLINE", told)
    assert offline() == why


def test_offline_no_real_venue_is_asked(planned, run, monkeypatch):
    monkeypatch.setenv("POWDERKEG_OFFLINE", "1")
    run("up")
    assert planned[0].simulate == "POWDERKEG_OFFLINE=1 is set"


# -- who is there


async def test_where_no_venue_answers_it_says_which_and_why(closed):
    work = Up(Plan(("BTC",), ("binance", "okx"), hosts={"*": closed}))
    why = await work._unreachable()
    assert why.startswith("no venue answered (binance: connection refused")
    assert "; okx: connection refused" in why
    assert work.session.progress == "asking the venues"


async def test_where_one_answers_nothing_is_made(monkeypatch):
    async def answers(*_, **__):
        return {"binance": "no answer", "bybit": ""}

    monkeypatch.setattr("powderkeg.serve.startup.up.probe_venues", answers)
    work = Up(Plan(("BTC",), ("binance", "bybit")))
    assert await work._unreachable() == ""
    assert (work.session.source, work.session.note) == ("live", "")


async def test_simulated_venues_that_answer_are_never_shown_as_real_nor_kept(
    closed, monkeypatch, tmp_path
):
    folders = []

    async def collect(_, _hosts, store, _warmed):
        folders.append(store.folder)

    monkeypatch.setattr(Up, "_collect", collect)
    async with await serve(["BTC"], days=0.1, venues=["bybit"]) as simulator:
        hosts = {"*": closed, "bybit": simulator.addresses["bybit"]}
        work = Up(Plan(("BTC",), ("binance", "bybit"), hosts=hosts, data=tmp_path / "real"))
        await work.run()
    assert work.session.source == "simulated"
    assert work.session.note == "the hosts named are simulated venues"
    assert folders[0] != tmp_path / "real"
    assert not folders[0].exists()


@pytest.mark.parametrize("hurt", ["file", "newer", "locked"])
async def test_a_folder_that_cannot_be_recorded_in_costs_the_recording_and_not_the_map(
    hurt, monkeypatch, tmp_path
):
    folder, held = tmp_path / "store", contextlib.ExitStack()
    if hurt == "file":
        folder.write_text("")
    else:
        store = held.enter_context(contextlib.closing(Store(folder)))
        store._db.all("UPDATE facts SET value=2 WHERE name='version'")
        if hurt == "newer":
            held.close()
    monkeypatch.setattr(
        "powderkeg.serve.startup.up.temporary", lambda: contextlib.nullcontext(folder)
    )
    async with await serve(["BTC"], days=0.1, venues=["bybit"]) as simulator:
        work = Up(Plan(("BTC",), ("bybit",), hosts=simulator.addresses))
        task = asyncio.ensure_future(work.run())
        while not (task.done() or (work.collector and work.collector.applied > 50)):  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.05)
        assert not task.done()
        health = work.collector.health()
        assert not health.recording
        wanted = {"file": "expected a folder", "newer": "found 2", "locked": str(os.getpid())}
        assert health.problems["store"].startswith("nothing is recorded: ")
        assert wanted[hurt] in health.problems["store"]
        task.cancel()
        await asyncio.wait({task})
    held.close()


async def test_with_nobody_there_simulated_venues_stand_in_and_every_answer_says_so(
    closed, monkeypatch
):
    asked = []

    @contextlib.asynccontextmanager
    async def simulated(*what):
        asked.append(what)
        yield {"binance": closed}

    async def collect(_, hosts, store, _warmed):
        asked.append((hosts, store.folder))

    monkeypatch.setattr("powderkeg.serve.startup.up.simulated_venues", simulated)
    monkeypatch.setattr(Up, "_collect", collect)
    work = Up(Plan(("BTC",), ("binance",), hosts={"*": closed}))
    await work.run()
    _, (hosts, folder) = asked
    assert hosts == {"binance": closed}
    assert work.session.source == "simulated"
    assert work.session.note.startswith("no venue answered (binance: ")
    assert work.session.note.endswith(" · recorded for 30 days")
    assert not folder.exists(), "a simulated market is not kept"


async def test_simulated_venues_that_do_not_start_are_reported():
    with pytest.raises(ConfigError, match="expected simulated venues, found exit"):
        async with simulated_venues(("NOSUCH",), ("binance",), 7, 0):
            pass


# -- whole programs


def _get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  loopback
        return json.load(answer)


def _soon(url, end):
    """Return what is answered before `end`, however often it is refused until then."""
    while True:
        try:
            return _get(url)
        except urllib.error.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def _listens(host, port):
    try:
        socket.create_connection((host, port), 60).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.slow
def test_a_demo_gets_ready_and_leaves_nothing_behind():
    words = ("-m", "powderkeg", "demo", "BTC", "--venues", "binance", "--json-ready", "--port", "0")
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(process.stdout.readline())["url"]
        end = time.monotonic() + 240
        while not (told := _get(f"{url}v1/coins"))["ready"]:
            assert time.monotonic() < end, told
            time.sleep(0.2)
        assert told["source"] == "simulated"
        health = _get(f"{url}v1/health")
        assert health["feed"]["markets"] == {"binance:BTCUSDT": "up"}
        bars = _soon(f"{url}v1/BTC/bars?reach=0.1", end)  # joined without a past, it awaits a mark
        assert bars["source"] == "simulated"
        assert bars["long"] > 0
        hosts = health["feed"]["hosts"]["binance"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        process.stdout.close()
    host, port = hosts.split(":")
    end = time.monotonic() + 60
    while _listens(host, int(port)):
        assert time.monotonic() < end, "the simulated venues outlive their demo"
        time.sleep(0.1)


async def test_a_recording_can_be_read_again(tmp_path):
    async with await serve(["BTC"], days=0.2, venues=["binance"]) as simulator:
        plan = Plan(("BTC",), ("binance",), hosts=simulator.addresses, data=tmp_path)
        told = await up._record(plan, tmp_path, 4.0)
    assert told["frames"] > 50
    assert (told["unread"], told["recording"], told["problems"]) == (0, True, {})
    assert "frames in" in up._words(told)
    store = Store(tmp_path)
    numbers = [frame.seq for batch in store.read() for frame in batch]
    store.close()
    assert numbers == list(range(1, told["frames"] + 1))
    await asyncio.sleep(0)
