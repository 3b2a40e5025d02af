"""``powderkeg map``: the level chart in the terminal, and as picture, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from powderkeg.cli import origin
from powderkeg.cli.main import app
from powderkeg.desk import Desk
from powderkeg.events import MINUTE, SECOND, Candles, ClockTick
from powderkeg.feed.decoder import Feed
from powderkeg.frames import control_frame
from powderkeg.history import snapshots
from powderkeg.live.maintenance import save
from powderkeg.live.timekeeping.clock import now as clock
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import pack, read_query
from powderkeg.serve.session import Session
from powderkeg.settings import LIVE
from powderkeg.store.folder import Store

START = 1_767_225_600 * SECOND
ONE_DAY = ("--span", "1d")


@pytest.fixture
def desk(small, run, tmp_path):
    """Return the snapshot of a small replay."""
    path = tmp_path / "small.desk"
    run("replay", small, "--save", path, "--json")
    return path


def test_a_snapshot_is_shown_as_prices_above_and_below_the_mark(desk, run):
    text = run("map", "BTC", "--snapshot", desk, *ONE_DAY)
    assert "BTC · replay · assumed prior, nothing learned" in text
    assert "+0.2%" in text
    assert "-0.2%" in text
    assert "fuel, not a" in text


def test_json_holds_the_levels_as_rows_that_add_up(desk, run):
    got = json.loads(run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--json"))
    assert (got["kind"], got["coin"], got["source"]) == ("levels", "BTC", "replay")
    assert len(got["levels"]) > 10
    for side in ("long", "short"):
        rows = sum(row[side] for row in got["levels"])
        everywhere = sum(tier[side] for tier in got["tiers"].values())
        assert 0 < rows <= everywhere * (1 + 1e-6)


def test_longs_stand_below_the_mark_and_shorts_above(desk, run):
    got = json.loads(run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--json"))
    height = got["mark"] * got["dp"]
    assert all(row["price"] <= got["mark"] for row in got["levels"] if row["long"] > 0)
    assert all(row["price"] >= got["mark"] - height for row in got["levels"] if row["short"] > 0)


def rows_of(path):
    """Return the rows of a CSV table, without what it says of itself."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("\n".join(lines))))


def test_csv_holds_the_same_rows_as_json(desk, run, tmp_path):
    text = run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--json", "--csv", tmp_path / "m.csv")
    rows = rows_of(tmp_path / "m.csv")
    levels = json.loads(text)["levels"]
    for side in ("long", "short"):
        mine = {float(r["price_low"]): float(r["usd"]) for r in rows if r["side"] == side}
        told = {x["price"]: x[side] for x in levels if x[side] > 0}
        assert list(mine) == pytest.approx(list(told))
        assert list(mine.values()) == pytest.approx(list(told.values()), abs=1)


@pytest.mark.parametrize("table", ["levels", "clusters", "heatmap"])
def test_parquet_and_csv_are_the_same_table(desk, run, tmp_path, table):
    out = ("--csv", tmp_path / "m.csv", "--parquet", tmp_path / "m.parquet")
    run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--table", table, "--ccy", "NZD", *out)
    stored = pq.read_table(tmp_path / "m.parquet")
    rows = rows_of(tmp_path / "m.csv")
    assert stored.num_rows == len(rows) > 0
    assert [float(row["nzd"]) for row in rows] == pytest.approx(stored["nzd"].to_pylist())
    assert stored.schema.metadata[b"table"] == table.encode()


def test_a_table_that_does_not_exist_is_refused(desk, refused):
    assert refused("map", "BTC", "--snapshot", desk, "--table", "x") == (
        "ConfigError: expected a table of heatmap, levels, clusters, found 'x'"
    )


def test_a_picture_says_of_itself_that_it_stands_still_and_from_when_it_is(desk, run, tmp_path):
    run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--png", tmp_path / "m.png")
    image = Image.open(tmp_path / "m.png")
    image.load()
    assert image.size == (1280, 720)
    assert image.text["Description"].startswith("estimate, static image · BTC 1d · 2026-01-01 03:5")
    assert "replay" in image.text["Description"]


def test_a_source_at_a_time_holds_nothing_that_came_later(small, run):
    got = json.loads(run("map", "BTC", "--source", small, "--at", "2026-01-01T02:00", "--json"))
    assert 1_767_232_000_000_000 < got["as_of"] < 1_767_232_800_000_000
    later = json.loads(run("map", "BTC", "--source", small, "--json"))
    assert later["mark"] < got["mark"]


def test_a_server_is_asked_for_a_time(server, run):
    words = ("map", "BTC", "--url", server, *ONE_DAY, "--json", "--at", "2026-01-01T02:00")
    assert json.loads(run(*words))["as_of"] == 1_767_232_800_000_000


def test_a_source_can_be_shown_without_a_snapshot(small, run, desk):
    words = ("map", "BTC", *ONE_DAY, "--json")
    assert json.loads(run(*words, "--source", small)) == json.loads(run(*words, "--snapshot", desk))


@pytest.mark.slow
def test_a_simulated_market_is_shown_only_on_request_and_named_so(run):
    got = json.loads(run("map", "sol", "--simulate", "--json"))
    assert (got["coin"], got["source"]) == ("SOL", "simulated")
    assert not got["prior_only"]


def test_a_coin_that_is_not_simulated_is_refused(refused):
    why = refused("map", "DOGE", "--simulate")
    assert why == "ConfigError: expected a simulated coin of BTC, ETH, SOL, found DOGE"


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """Let no server run here, and nothing be stored."""
    monkeypatch.setattr(origin, "DEFAULT", "http://127.0.0.1:9")
    monkeypatch.setenv("POWDERKEG_STORE", str(tmp_path / "stored"))
    return tmp_path / "stored"


def test_where_no_server_runs_and_nothing_is_stored_it_says_so_and_simulates_nothing(
    nobody, refused
):
    why = refused("map", "BTC")
    assert why.startswith("ConfigError: expected a running powderkeg at http://127.0.0.1:9")
    assert f"recordings in {nobody}, found neither" in why
    assert "--simulate" in why
    assert not nobody.exists()


@pytest.mark.usefixtures("nobody")
def test_the_running_server_is_asked_first_and_named(server, monkeypatch):
    monkeypatch.setattr(origin, "DEFAULT", server)
    told = CliRunner().invoke(app, ["map", "btc", *ONE_DAY, "--json"])
    assert json.loads(told.stdout)["coin"] == "BTC"
    assert told.stderr == f"powderkeg: from the server at {server}\n"


def test_without_a_server_what_was_recorded_is_shown_and_named(nobody):
    feed, store = Feed({"BTC": Desk("BTC", LIVE)}), Store(nobody)
    market = "binance:BTCUSDT"
    times = np.arange(600, dtype=np.int64) * MINUTE + START
    ones = np.ones(600)
    price = 100_000 + 500 * np.sin(np.arange(600) / 60)
    end = int(times[-1]) + MINUTE
    feed.desks["BTC"].apply(
        Candles(
            market, end, end, MINUTE, times, price, price + 50, price - 50, price, ones, ones / 2,
            1000 * ones, price - 50, price + 50, price,
        )
    )  # fmt: skip
    store.append([control_frame(1, end, ClockTick(end))])
    feed.seq = 1
    save(store, feed)
    store.close()
    told = CliRunner().invoke(app, ["map", "BTC", *ONE_DAY, "--json"])
    assert json.loads(told.stdout)["source"] == "replay"
    assert told.stderr == f"powderkeg: from stored data: {nobody}\n"


def test_a_snapshot_that_is_not_there_is_refused_with_its_name(tmp_path, refused):
    assert "none.desk: expected a desk's snapshot" in refused(
        "map", "BTC", "--snapshot", tmp_path / "none.desk"
    )


def test_a_coin_the_snapshot_lacks_is_refused(desk, refused):
    assert refused("map", "ETH", "--snapshot", desk) == (
        "RequestError: expected one of BTC, found 'ETH'"
    )


def test_a_span_that_does_not_exist_is_refused(desk, refused):
    assert "Invalid enum value '2w' - at `$.span`" in refused(
        "map", "BTC", "--snapshot", desk, "--span", "2w"
    )


def test_an_address_that_is_no_web_address_is_refused(refused):
    assert refused("map", "BTC", "--url", "file:///etc/passwd") == (
        "ConfigError: expected an http address, found file:///etc/passwd"
    )


def test_a_server_that_does_not_answer_is_refused_with_its_address(refused):
    why = refused("map", "BTC", "--url", "http://127.0.0.1:9")
    assert why.startswith("ConfigError: expected powderkeg to answer at http://127.0.0.1:9")


@pytest.fixture
def server(desk):
    """Return the address of a server that answers with a snapshot's views."""
    session = Session("replay", {"BTC": snapshots.load(desk)}, clock)

    class Views(BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            _, _, coin, name = path.split("/")
            if coin not in session.desks:
                self.send_error(400)
                return
            raw = dict(pair.split("=") for pair in query.split("&") if pair)
            body = pack(session.answer(coin, name, read_query(raw, VIEWS[name][0])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Views) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_running_server_is_asked_for_the_same_map(server, desk, run):
    asked = run("map", "BTC", "--url", server, *ONE_DAY, "--json")
    assert json.loads(asked) == json.loads(
        run("map", "BTC", "--snapshot", desk, *ONE_DAY, "--json")
    )


def test_a_server_that_refuses_is_quoted(server, refused):
    assert refused("map", "DOGE", "--url", server).startswith(f"RequestError: {server}")


THIN = """name = "thin"
[[series]]
venue = "hyperliquid"
market = "THIN"
kind = "candles"
files = ["candles.csv"]
time = { column = "t", unit = "ms", means = "from", every = "5m" }
columns = { open = "o", high = "h", low = "l", close = "c", volume = "v" }
[[series]]
venue = "hyperliquid"
market = "THIN"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "t", unit = "ms", means = "at", every = "5m" }
columns = { size = "oi" }
"""


@pytest.mark.parametrize("price", [1e-9, 2.6e-6, 1.0, 1e6])
@pytest.mark.parametrize("dollars", [1e6, 1e11])
def test_a_coin_of_any_price_and_open_interest_has_a_coloured_map(tmp_path, run, price, dollars):
    coins, begin = dollars / price, START // 1000
    walk = price * (1 + 0.05 * np.sin(np.arange(97) / 15))
    times = begin + 300_000 * np.arange(97)
    bars = [
        f"{t},{a!r},{max(a, b) * 1.001!r},{min(a, b) * 0.999!r},{b!r},{coins / 40!r}"
        for t, a, b in zip(times, walk.tolist(), walk[1:].tolist(), strict=False)
    ]
    (tmp_path / "candles.csv").write_text("\n".join(["t,o,h,l,c,v", *bars]) + "\n")
    held = [f"{t + 300_000},{coins * (1 + 0.1 * np.sin(i))!r}" for i, t in enumerate(times[:-1])]
    (tmp_path / "oi.csv").write_text("\n".join(["t,oi", *held]) + "\n")
    (tmp_path / "thin.toml").write_text(THIN)
    table, picture = tmp_path / "heat.csv", tmp_path / "heat.png"
    text = run(
        "map", "THIN", "--source", tmp_path / "thin.toml", "--span", "3d", "--table", "heatmap",
        "--csv", table, "--png", picture,
    )  # fmt: skip
    rows = [line for line in table.read_text().splitlines() if not line.startswith("#")]
    assert len(rows) > 1000
    bright = np.asarray(Image.open(picture).convert("L"))[60:600, 400:1000]
    assert (bright > 60).mean() > 0.01
    prices = [line.split()[0] for line in text.splitlines() if line.endswith("█") or "%  " in line]
    assert len(set(prices)) == len(prices) > 10
