"""``powderkeg rates``: which rate holds, and newer ones from a file; no network unless asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

BANK = "Date,USD,NZD,JPY,\n2026-11-20,1.10,2.0,170.5,\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep tables in a folder of the test's."""
    monkeypatch.setenv("POWDERKEG_STORE", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_shipped_rate_is_reported_with_its_day_and_source(run):
    text = run("rates")
    assert "NZD, fixing of 2026-10-30" in text
    assert "European Central Bank" in text
    assert "USDT and USDC are taken as US dollars" in text


def test_a_newer_file_wins_and_stays(run, tmp_path, home):
    (tmp_path / "hist.csv").write_text(BANK)
    assert "1 USD = 1.8182 NZD, fixing of 2026-11-20" in run(
        "rates", "--refresh", tmp_path / "hist.csv"
    )
    assert (home / "ecb.csv").read_text() == BANK
    got = json.loads(run("rates", "--ccy", "JPY", "--json"))
    assert (got["ccy"], got["rate"]) == ("JPY", pytest.approx(155.0))


def test_a_file_that_is_not_there_or_is_none_is_refused(refused, tmp_path):
    assert refused("rates", "--refresh", tmp_path / "none.csv").startswith(
        "ConfigError: expected a file or an http address"
    )
    (tmp_path / "x.csv").write_text("hello")
    assert "expected columns date,USD" in refused("rates", "--refresh", tmp_path / "x.csv")


def test_nothing_is_fetched_where_the_network_must_not_be_used(refused, monkeypatch):
    monkeypatch.setenv("POWDERKEG_OFFLINE", "1")
    place = "http://127.0.0.1:9/hist.zip"
    assert refused("rates", "--refresh", place) == (
        f"ConfigError: expected a file, found {place}: POWDERKEG_OFFLINE=1 is set"
    )


def test_an_address_is_asked_when_a_person_names_it(run, refused, monkeypatch):
    monkeypatch.delenv("POWDERKEG_OFFLINE", raising=False)

    class Bank(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BANK.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Bank) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        place = f"http://127.0.0.1:{http.server_port}/hist.csv"
        assert "fixing of 2026-11-20" in run("rates", "--refresh", place)
        http.shutdown()
        thread.join()
    assert refused("rates", "--refresh", place).startswith(f"ConfigError: expected {place}")
