"""``doctor``: it looks at everything, says what is wrong, and what to do about it."""

from __future__ import annotations

import json
import socket

import pytest
from typer.testing import CliRunner

from powderkeg.cli.commands import doctor
from powderkeg.cli.main import app
from powderkeg.live.network.reachability import SIMULATED_VENUES
from powderkeg.simvenues import serve
from powderkeg.store.folder import Store

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "LISTEN", 4.0)
    monkeypatch.setattr(doctor, "ROOM", 1)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "not" / "there"))
    for name in ("POWDERKEG_HOSTS", "POWDERKEG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def closed():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def reported(*words):
    done = CliRunner().invoke(app, ["doctor", "--url", NOBODY, "--json", *words])
    return done.exit_code, json.loads(done.stdout)


def test_without_a_venue_it_fails_and_says_what_to_do(closed):
    code, answer = reported("--venues", "binance,okx", "--hosts", closed)
    assert code == 1
    assert answer["ok"] is False
    checks = {check["name"]: check for check in answer["checks"]}
    assert checks["binance: requests"]["found"] == "connection refused"
    for name in ("binance: requests", "okx: requests", "binance: socket", "okx: socket"):
        assert not checks[name]["ok"]
        assert checks[name]["advice"]
    assert checks["server"]["found"] == f"none at {NOBODY}"


def test_offline_no_venue_is_asked(monkeypatch):
    monkeypatch.setenv("POWDERKEG_OFFLINE", "1")
    code, answer = reported()
    assert code == 0
    assert {"name": "venues", "ok": True, "found": "not asked: POWDERKEG_OFFLINE=1 is set",
            "advice": ""} in answer["checks"]  # fmt: skip
    assert answer["venues"] == {}


def test_too_little_room_is_reported_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "ROOM", 10**18)
    check = doctor._disk(tmp_path / "below" / "that")
    assert not check.ok
    assert "with --data" in check.advice


def test_a_person_sees_a_table(monkeypatch):
    monkeypatch.setenv("POWDERKEG_OFFLINE", "1")
    done = CliRunner().invoke(app, ["doctor", "--url", NOBODY])
    assert done.exit_code == 0
    assert "what to do" in done.stdout
    assert "disk" in done.stdout


async def test_where_all_is_well_every_check_says_so():
    async with await serve(["BTC"], days=0.1, venues=["binance", "okx"], rate=100) as simulator:
        names = ("binance", "okx")
        silence, report = await doctor._listen("BTC", names, simulator.addresses)
    assert silence == {"binance": SIMULATED_VENUES, "okx": SIMULATED_VENUES}
    checks = [check for name in names for check in doctor._venue(name, "", report)]
    assert [check for check in checks if not check.ok] == []
    rows = doctor._rows(report, names)
    assert rows["okx"]["channels"]["book"]["count"] > 0
    assert rows["binance"]["channels"]["trades"]["state"] == "up"


def test_a_venue_that_lists_no_such_coin_is_said_to_and_is_no_fault():
    (check,) = doctor._venue("deribit", "", {"venues": {}, "channels": []})
    assert (check.ok, check.found) == (True, "lists no such coin")
    assert doctor._rows({"venues": {}, "channels": []}, ("deribit",)) == {}


async def test_one_venue_that_is_down_is_reported_alone(closed):
    async with await serve(["BTC"], days=0.1, venues=["binance"], rate=100) as simulator:
        hosts = {**simulator.addresses, "okx": closed}
        silence, report = await doctor._listen("BTC", ("binance", "okx"), hosts)
    assert all(check.ok for check in doctor._venue("binance", "", report))
    bad = [check.name for check in doctor._venue("okx", silence["okx"], report) if not check.ok]
    assert bad == ["okx: requests", "okx: socket"]


def test_what_a_running_server_says_is_passed_on():
    row = {"market": "okx:BTC-USDT-SWAP", "channel": "book", "state": "stale"}
    fine = {**row, "channel": "mark", "state": "up"}
    problems = {"okx": "cannot connect"}
    running = {
        "ready": True,
        "source": "live",
        "feed": {"channels": [row, fine], "problems": problems},
    }
    first, second = doctor._server(NOBODY, running)
    assert first.ok
    assert (second.name, second.ok) == ("server: okx:BTC-USDT-SWAP book", False)
    assert second.advice == "cannot connect"


def test_recordings_that_cannot_be_opened_are_a_check_that_names_what_mends_them(tmp_path):
    assert doctor._recordings(tmp_path) == []
    Store(tmp_path).close()
    (check,) = doctor._recordings(tmp_path)
    assert check.ok
    (tmp_path / "meta.db").write_bytes(b"garbage" * 1000)
    (check,) = doctor._recordings(tmp_path)
    assert not check.ok
    assert check.advice == f"powderkeg store repair {tmp_path}"
