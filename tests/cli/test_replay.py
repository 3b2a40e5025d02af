"""``powderkeg replay``: what is stored goes through the engine, and the ledger closes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from powderkeg.cli.commands.replay import _words
from powderkeg.cli.main import app
from powderkeg.history import snapshots

KEYS = {
    "kinds", "files", "exit_code",
    "coin", "as_of", "events", "trades", "bars", "bars_assumed", "events_per_s", "cpu_s", "rows",
    "bad_rows", "bad", "notes", "gaps", "conservation_residual", "wrong_side", "liquidations",
    "prior_only", "model", "price", "markets", "digest", "passages",
}  # fmt: skip


def answer(run, *words):
    return json.loads(run("replay", *words, "--json"))


def test_a_replay_reports_what_it_read_and_that_nothing_got_lost(small, run):
    got = answer(run, small)
    assert set(got) == KEYS
    assert (got["coin"], got["trades"], got["rows"], got["bad_rows"]) == ("BTC", 240, 720, 0)
    assert got["conservation_residual"] < 1e-6
    assert got["wrong_side"] == 0
    assert got["prior_only"]
    assert got["price"] == 100_000 - 12.5 * 239


def test_two_replays_give_the_same_digest(small, run):
    assert answer(run, small)["digest"] == answer(run, small)["digest"]


def test_a_replay_stopped_and_resumed_ends_with_the_same_digest(small, run, tmp_path):
    desk = tmp_path / "half.desk"
    half = answer(run, small, "--until", "2026-01-01T02:00", "--save", desk)
    assert half["trades"] == 120
    assert snapshots.digest(snapshots.load(desk)) == half["digest"]
    assert answer(run, small, "--resume", desk)["digest"] == answer(run, small)["digest"]


def test_a_mass_that_is_followed_is_swept_closed_or_left_and_nothing_else(small, run):
    spec = "long 96000 99000 2026-01-01T01:00 2026-01-01T04:00"
    (passage,) = answer(run, small, "--mass", spec)["passages"]
    assert passage["start"] > 0
    gone = passage["swept"] + passage["decayed"] + passage["left"]
    assert gone == pytest.approx(passage["start"], rel=1e-5)
    assert passage["swept"] > 0
    assert passage["passed_but_left"] == 0


def test_without_json_a_table_is_printed(small, run):
    spec = "long 96000 99000 2026-01-01T01:00 2026-01-01T04:00"
    text = run("replay", small, "--mass", spec)
    assert "replay of BTC" in text
    assert "conservation residual" in text
    assert "passed but left" in text


def test_a_replay_that_ends_before_the_first_price_prints_valid_json(small, run):
    text = run("replay", small, "--until", "2025-12-31", "--json")
    strict = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert strict["price"] is None
    assert strict["events"] == 0


def test_a_coin_the_source_lacks_is_refused_with_those_it_has(small, refused):
    why = refused("replay", small, "--coin", "DOGE")
    assert why.startswith("ConfigError")
    assert why.endswith("small.toml: expected one of BTC, found DOGE")


def test_a_source_that_is_not_there_is_refused_with_its_name(tmp_path, refused):
    assert "none.toml" in refused("replay", tmp_path / "none.toml")


def test_a_file_the_source_names_and_lacks_is_refused_with_its_name(small, refused):
    (small.parent / "oi.csv").unlink()
    assert "oi.csv" in refused("replay", small)


def test_a_time_that_is_none_is_refused(small, refused):
    why = refused("replay", small, "--until", "noon")
    assert "expected a date or time such as 2026-02-04T12:00, found 'noon'" in why


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("long 1 2", "expected SIDE LOW HIGH FROM TO, found 'long 1 2'"),
        ("long a b 2026-01-01 2026-01-02", "expected two prices, found 'a' and 'b'"),
    ],
)
def test_a_mass_that_cannot_be_read_is_refused(small, refused, spec, why):
    assert why in refused("replay", small, "--mass", spec)


def test_a_snapshot_of_another_coin_is_refused(small, run, refused, tmp_path):
    desk = tmp_path / "btc.desk"
    run("replay", small, "--save", desk, "--json")
    other = small.with_name("eth.toml")
    other.write_text(small.read_text().replace("BTCUSDT", "ETHUSDT"))
    assert "expected a snapshot of ETH, found one of BTC" in refused(
        "replay", other, "--resume", desk
    )


def test_a_replay_can_be_served_beyond_loopback_with_a_token(small, run, monkeypatch):
    reported = []
    monkeypatch.setattr("powderkeg.cli.serve.serve", lambda *words, **_: reported.extend(words))
    run("replay", small, "--serve", "--host", "0.0.0.0", "--token", "secret", "--port", "0")  # noqa: S104
    session, hub, host, port, token, work = reported
    assert (session.source, session.ready) == ("replay", True)
    assert (host, port, token, work) == ("0.0.0.0", 0, "secret", hub.run)  # noqa: S104


def test_a_missing_argument_is_a_usage_error_with_code_2():
    assert CliRunner().invoke(app, ["replay"]).exit_code == 2


@pytest.mark.slow
def test_an_insurance_fund_print_is_left_out_and_the_rebuilt_book_agrees(recorded, run):
    got = answer(run, recorded / "bad_print.toml")
    assert got["bad"] == {"left out on purpose": 1}
    assert "INSURANCE_FUND" in got["notes"][0]
    market = got["markets"]["binance:BTCUSDT"]
    assert market["quotes_matched"] > 1000
    assert market["quotes_differed"] == 0
    assert market["book"] == "live"


@pytest.mark.slow
@pytest.mark.parametrize(("coin", "markets"), [("BTC", 3), ("ETH", 2)])
def test_recorded_minutes_of_binance_are_read_without_a_hole(recorded, run, coin, markets):
    got = answer(run, recorded / "binance_minutes.toml", "--coin", coin)
    assert len(got["markets"]) == markets
    for market in got["markets"].values():
        assert market["book"] == "live"
        assert market["book_counts"]["holes"] == 0
        assert market["quotes_differed"] == 0
    assert got["bad_rows"] == 0


@pytest.mark.slow
def test_the_fall_of_february_2026_passes_through_the_longs_and_leaves_none(recorded, run):
    (passage,) = answer(run, recorded / "btc_2026.toml", "--until", "2026-02-08")["passages"]
    assert passage["start"] > 0
    assert passage["passed_but_left"] == 0
    gone = passage["swept"] + passage["decayed"] + passage["left"]
    assert gone == pytest.approx(passage["start"], rel=1e-5)


@pytest.mark.slow
def test_recorded_prints_and_books_replay_to_the_same_digest_and_lose_nothing(recorded, run):
    words = (recorded / "hyperliquid_202606.toml", "--coin", "SOL", "--until", "2026-06-12T03:00")
    got = answer(run, *words)
    assert got["trades"] > 1000
    assert got["conservation_residual"] <= 1e-6
    assert got["prior_only"]
    assert got["digest"] == answer(run, *words)["digest"]


@pytest.mark.slow
def test_a_silence_in_a_recording_is_a_gap(recorded, run):
    got = answer(run, recorded / "hyperliquid_202606.toml", "--coin", "BTC")
    assert got["gaps"] >= 1
    assert got["conservation_residual"] <= 1e-6
    assert got["prior_only"]


CASES = Path(__file__).parents[1] / "history" / "cases"


def test_a_coin_may_be_named_as_a_venue_names_thousands_of_it(run, monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    source = str(CASES / "thousand_times" / "source.toml")
    reported = json.loads(run("replay", source, "--coin", "1000PEPE", "--json"))
    assert (reported["coin"], reported["liquidations"], reported["bad"]) == ("PEPE", 199, {})
    marks = {name: market["mark"] for name, market in reported["markets"].items()}
    assert marks == pytest.approx(
        {"binance:1000PEPEUSDT": 9.909442e-06, "okx:PEPE-USDT-SWAP": 9.909442e-06}
    )


def test_of_a_recording_of_several_markets_that_of_the_series_is_reported(run, monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    reported = json.loads(run("replay", str(CASES / "several_markets" / "source.toml"), "--json"))
    assert list(reported["markets"]) == ["binance:SOLUSDT"]
    assert (reported["trades"], reported["liquidations"], reported["bad_rows"]) == (300, 30, 1090)


@pytest.mark.parametrize(
    ("price", "words"), [(2.6134e-6, "0.0000026134"), (104_828.5, "104,828"), (1.04828, "1.04828")]
)
def test_the_price_of_any_coin_is_reported_in_six_figures(price, words):
    assert _words("price", price) == words
