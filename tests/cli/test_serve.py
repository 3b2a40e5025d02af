"""``up`` and ``demo``: where they serve, whom they let in, what they print."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import webbrowser

import pytest
import uvicorn
from typer.testing import CliRunner

from powderkeg.cli.commands import up as commands
from powderkeg.cli.commands.up import parse_choice
from powderkeg.cli.main import app
from powderkeg.cli.serve import serve
from powderkeg.events import MINUTE, SECOND
from powderkeg.live.timekeeping.clock import Clock
from powderkeg.log import configure, get_logger
from powderkeg.serve.startup.up import Plan, Up
from powderkeg.venues import default_venues


@pytest.fixture
def served(monkeypatch):
    """Let no server run; return the sockets it would have served on."""
    taken = []
    monkeypatch.setattr(uvicorn.Server, "run", lambda _, sockets: taken.extend(sockets))
    yield taken
    for bound in taken:
        bound.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104
def test_anything_but_loopback_demands_a_token(host, refused, monkeypatch):
    monkeypatch.delenv("POWDERKEG_TOKEN", raising=False)
    why = refused("demo", "--host", host, "--port", "0")
    assert f"ConfigError: expected --token to serve on {host}" in why


def test_with_a_token_any_address_is_served(served, run):
    run("demo", "BTC", "--host", "0.0.0.0", "--port", "0", "--token", "secret")  # noqa: S104
    assert len(served) == 1


def test_the_token_may_come_from_the_environment(served, run, monkeypatch):
    monkeypatch.setenv("POWDERKEG_TOKEN", "secret")
    run("demo", "BTC", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert len(served) == 1


def test_the_address_is_reported_once_it_is_bound(served):
    told = CliRunner().invoke(app, ["demo", "btc", "--port", "0"])
    port = served[0].getsockname()[1]
    assert told.stderr.splitlines() == [
        f"powderkeg: BTC on http://127.0.0.1:{port}/ (open it in a browser; Ctrl+C ends)",
    ]
    assert told.stdout == ""


def test_where_the_log_is_json_the_address_is_a_line_of_it(served, monkeypatch):
    monkeypatch.setenv("POWDERKEG_LOG", "json")
    configure()
    told = CliRunner().invoke(app, ["demo", "btc", "--port", "0"])
    (line,) = map(json.loads, told.stderr.splitlines())
    assert (line["level"], line["event"]) == ("info", "message")
    assert line["text"].startswith(f"BTC on http://127.0.0.1:{served[0].getsockname()[1]}/")


@pytest.mark.usefixtures("served")
def test_the_token_of_the_server_never_stands_in_its_log(run, capsys):
    run("demo", "BTC", "--port", "0", "--token", "open-sesame")
    get_logger("test").error("event", reason="found open-sesame")
    assert "found ***" in capsys.readouterr().err


def test_programs_are_reported_the_address_as_json(served, run):
    told = json.loads(run("demo", "BTC", "--port", "0", "--json-ready"))
    assert told == {"url": f"http://127.0.0.1:{served[0].getsockname()[1]}/"}


def test_whoever_reads_the_address_can_connect_at_once(served, run):
    url = json.loads(run("demo", "BTC", "--port", "0", "--json-ready"))["url"]
    with socket.create_connection(served[0].getsockname(), timeout=60):
        assert str(served[0].getsockname()[1]) in url


def test_on_ipv6_the_address_is_one_a_browser_takes(served, capsys):
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    work = Up(Plan(("BTC",), simulate="a test"))
    session, hub = work.session, work.hub
    serve(session, hub, "::1", 0, None, hub.run, json_ready=True)
    assert served[0].family == socket.AF_INET6
    assert json.loads(capsys.readouterr().out)["url"].startswith("http://[::1]:")


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_port_that_is_taken_is_refused_with_a_way_out(refused):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        why = refused("demo", "--port", taken.getsockname()[1])
    assert why.endswith("try --port 0")


def test_the_default_port_gives_way_to_a_free_one_and_says_so(served, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr("powderkeg.cli.serve.PORT", port)
        told = CliRunner().invoke(app, ["demo", "BTC", "--port", str(port)])
    assert f"port {port} is taken" in told.stderr
    assert served[0].getsockname()[1] != port
    assert f"on http://127.0.0.1:{served[0].getsockname()[1]}/" in told.stderr


def test_a_browser_is_opened_on_request_and_its_absence_is_reported(served, monkeypatch):
    asked = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(asked.append(url)))
    told = CliRunner().invoke(app, ["demo", "BTC", "--port", "0", "--open"])
    assert asked == [f"http://127.0.0.1:{served[0].getsockname()[1]}/"]
    assert f"no browser was found here: open {asked[0]}" in told.stderr


def test_a_coin_or_venue_that_cannot_be_is_refused_before_anything_is_opened(refused):
    assert (
        refused("demo", "B/TC") == "ConfigError: expected coins such as BTC or xyz:TSLA, found B/TC"
    )
    why = refused("up", "--venues", "binance,kraken")
    assert why.startswith("ConfigError: expected venues of binance, ")
    assert why.endswith("found kraken")
    assert "expected hosts of" in refused("up", "--hosts", "kraken=a")


def test_spot_is_collected_beside_a_venue_with_leverage_and_never_alone(refused):
    assert parse_choice([], "binance,binance-spot")[1] == ("binance", "binance-spot")
    assert "binance-spot" not in parse_choice([], "")[1], "not where nobody chooses"
    assert "expected a venue with leverage" in refused("up", "--venues", "binance-spot")


def test_the_demo_has_spot_unless_venues_are_named(monkeypatch):
    plans = []
    monkeypatch.setattr(commands, "_show", lambda plan, *_, **__: plans.append(plan))
    for more in ((), ("--venues", "binance,okx")):
        assert CliRunner().invoke(app, ["demo", "BTC", *more]).exit_code == 0
    assert [plan.venues for plan in plans] == [
        (*default_venues(), "binance-spot"), ("binance", "okx"),
    ]  # fmt: skip


def test_a_scenario_is_played_by_one_venue_and_its_time_is_that_of_the_desk(monkeypatch):
    plans = []
    monkeypatch.setattr(commands, "_show", lambda plan, *_, **__: plans.append(plan))
    told = CliRunner().invoke(app, ["demo", "--scenario", "t2-hunt-trap", "--speed", "5"])
    assert told.exit_code == 0
    (plan,) = plans
    assert (plan.coins, plan.venues) == (("ETH",), ("bybit",))
    assert plan.simulate == "Liquidation-hunt trap, a scenario, 5 times faster until it is now"
    followed = Clock()
    monkeypatch.setattr("powderkeg.serve.startup.up.CLOCK", followed)
    up = Up(plan)
    behind = followed.drift() + time.time_ns() // 1000 - followed.now()
    assert behind == pytest.approx(120 * MINUTE + 100 * SECOND, abs=2 * MINUTE)
    assert followed.drift() == pytest.approx(0, abs=SECOND), "the system's clock is not off"
    assert up.starting.since <= time.time_ns() // 1000


def test_a_scenario_must_be_known_and_its_speed_possible(refused):
    assert "expected a scenario, one of t1-floor-breaks" in refused("demo", "--scenario", "t9")
    why = refused("demo", "--scenario", "t2-hunt-trap", "--speed", "90")
    assert why == "ConfigError: expected a speed of 1 to 30, found 90"


def test_once_its_work_has_failed_the_server_ends_with_code_one_and_says_why(capsys):
    up = Up(Plan(("BTC",), simulate="a test"))

    async def work():
        await asyncio.sleep(0.1)
        raise RuntimeError("on purpose")

    with pytest.raises(SystemExit) as ended:
        serve(up.session, up.hub, "127.0.0.1", 0, None, work, json_ready=True)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "powderkeg: the feed has stopped: RuntimeError('on purpose')" in said
    assert said.count("Traceback (most recent call last)") == 1
    assert not up.session.ready


@pytest.mark.parametrize("token", ["", " ", "two words", "sésame", "tab\t"])
def test_a_token_that_cannot_be_sent_is_refused_at_the_start(token, refused, monkeypatch):
    monkeypatch.delenv("POWDERKEG_TOKEN", raising=False)
    why = refused("demo", "BTC", "--port", "0", "--token", token)
    assert why.startswith("ConfigError: expected a token of ASCII letters")


def test_an_empty_token_in_the_environment_is_refused_too(refused, monkeypatch):
    monkeypatch.setenv("POWDERKEG_TOKEN", "")
    assert "found an empty one" in refused("demo", "BTC", "--port", "0")


def test_no_refusal_of_a_token_reports_it(refused):
    assert "hush hush" not in refused("demo", "BTC", "--port", "0", "--token", "hush hush")


@pytest.mark.parametrize("names", ["*", "http://map.example.com", "map.example.com:80", "a b"])
def test_a_name_to_be_asked_by_that_is_none_is_refused(names, refused):
    why = refused("demo", "BTC", "--port", "0", "--allow", names)
    assert why.startswith("ConfigError: expected names such as map.example.com in --allow")
    assert why.endswith(f"found {names!r}")


def test_names_to_be_asked_by_may_come_from_the_environment(refused, monkeypatch):
    monkeypatch.setenv("POWDERKEG_ALLOW", "map.example.com,*")
    assert refused("demo", "BTC", "--port", "0").endswith("found '*'")
