"""``powderkeg score``: what a source can prove is found out, told, or refused with a reason."""

from __future__ import annotations

import json
import math

import pytest

from powderkeg.cli.commands.score import plain, score
from powderkeg.errors import ConfigError
from powderkeg.evaluation import score as proof
from powderkeg.evaluation.hourly import first_days
from powderkeg.history.sources import load

LISTED = """
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "liquidations"
files = ["dead.csv"]
time = { column = "t", unit = "s" }
columns = { price = "price", size = "size", holder = "holder" }
"""
BARRED = """
[[series]]
venue = "aggregate"
market = "BTC"
kind = "liquidation_bars"
files = ["hours.csv"]
time = { column = "t", unit = "s", means = "from", every = "1h" }
columns = { long = "long", short = "short" }
"""
ANSWER = {
    "kind": "hours",
    "coin": "BTC",
    "hours": 2339,
    "poisson_deviance": 0.4245,
    "interval_95": {"poisson_deviance": [0.36, 0.51]},
    "reliability": [{"predicted": 28424.6, "actual": 27843.3, "n": 468}],
    "nothing": float("nan"),
    "blocks_ahead_of_path_only": [5, 7],
}


@pytest.fixture
def scored(monkeypatch):
    """Spare the scoring, and return what it was asked."""
    asked = {}

    def score(_, coin, *, placebo, ask, since, until, progress):
        asked.update(coin=coin, placebo=placebo, ask=ask, since=since, until=until)
        progress(1.0)
        return ANSWER

    monkeypatch.setattr(proof, "score", score)
    return asked


def test_scores_are_reported_as_json_with_null_for_what_is_no_number(scored, small, run):
    got = json.loads(run("score", small, "--coin", "BTC", "--placebo", "--json"))
    assert got == ANSWER | {"nothing": None}
    assert scored == {
        "coin": "BTC", "placebo": True, "ask": False, "since": None, "until": None,
    }  # fmt: skip


def test_hours_between_two_dates_are_asked_for_in_microseconds(scored, small, run):
    run("score", small, "--since", "2026-02-01", "--until", "2026-02-01T06:00")
    assert scored["until"] - scored["since"] == 6 * 3600 * 1_000_000
    assert scored["since"] == 1_769_904_000_000_000


def test_first_days_are_scored_instead_of_hours(small, run, monkeypatch):
    found = {"kind": "first_days", "coin": "BTC", "first_day_prior": 0.65, "days_4_7": math.nan}
    asked = []
    monkeypatch.setattr(first_days, "score", lambda *reported: asked.append(reported) or found)
    got = json.loads(run("score", small, "--first-days", "--json"))
    assert got == found | {"days_4_7": None}
    assert [(source.path, coin) for source, coin in asked] == [(small, "BTC")]
    assert "first day prior" in run("score", small, "--first-days")


@pytest.mark.parametrize(
    "words",
    [("--since", "2026-01-01"), ("--until", "2026-01-01"), ("--placebo",), ("--questions",)],
)
def test_what_first_days_and_folders_cannot_heed_is_refused(small, refused, tmp_path, words):
    said = "expected none of --since, --until, --placebo and --questions"
    assert said in refused("score", small, "--first-days", *words)
    assert said in refused("score", tmp_path, *words)


def test_dates_are_refused_where_no_hours_are_scored(small, refused):
    assert refused("score", small, "--since", "2026-01-01") == (
        f"ConfigError: {small}: expected liquidation_bars to score BTC between dates, found "
        "mark, open_interest, trades"
    )
    both = ("--since", "2026-01-01", "--questions")
    assert "found both: questions are about all hours" in refused("score", small, *both)
    assert "expected a date or time" in refused("score", small, "--until", "yesterday")


def test_a_world_whose_accounts_are_known_is_not_cut_by_dates(recorded):
    with pytest.raises(ConfigError, match="expected no dates: all positions are scored"):
        proof.score(load(recorded / "closed_world_2023.toml"), "ARB", until=1)


def test_scores_are_reported_as_tables(scored, small, run):
    shown = run("score", small, "--questions")
    assert scored["ask"]
    assert "poisson deviance" in shown
    assert "0.36 to 0.51" in shown
    assert "28,425" in shown
    assert "5 of 7" in shown


def test_null_reaches_every_depth():
    got = plain({"a": [{"b": (1.0, float("inf"))}], "c": "text", "d": True})
    assert got == {"a": [{"b": [1.0, None]}], "c": "text", "d": True}


def test_a_source_without_liquidations_is_refused(small, refused):
    assert refused("score", small) == (
        f"ConfigError: {small}: expected liquidations, liquidation_bars, or fills with a ledger to "
        "score BTC by, found mark, open_interest, trades"
    )


def test_an_unknown_coin_is_refused(small, refused):
    assert refused("score", small, "--coin", "ETH") == (
        f"ConfigError: {small}: expected one of the coins BTC, found 'ETH'"
    )


def test_a_folder_recorded_live_is_scored_by_the_maps_kept_in_it(tmp_path, monkeypatch, capsys):
    found = {"markets": [{"market": "bybit:BTCUSDT", "hours": 100, "skill": math.nan}]}
    monkeypatch.setattr(
        "powderkeg.evaluation.live.from_ledger",
        lambda folder: {"kind": "ledger", "folder": str(folder), **found},
    )
    score(tmp_path, as_json=True)
    reported = json.loads(capsys.readouterr().out)
    assert reported["folder"] == str(tmp_path)
    assert reported["markets"] == [{"market": "bybit:BTCUSDT", "hours": 100, "skill": None}]
    score(tmp_path)
    assert "bybit:BTCUSDT" in capsys.readouterr().out


def test_a_folder_in_which_no_map_was_kept_is_refused(tmp_path, refused):
    assert "expected maps kept" in refused("score", tmp_path)


@pytest.mark.parametrize(
    ("series", "file", "row", "reason"),
    [
        (LISTED, "dead.csv", "t,price,size,holder\n1767225700,100000,1,long\n", "bars"),
        (BARRED, "hours.csv", "t,long,short\n1767225600,1,2\n", "bars"),
    ],
)
def test_liquidations_without_bars_are_refused(small, refused, series, file, row, reason):
    (small.parent / file).write_text(row)
    small.write_text(small.read_text() + series)
    assert f"{reason} of BTC, found none" in refused("score", small)


@pytest.mark.slow
def test_a_list_of_liquidations_is_scored_by_recall(recorded, run):
    got = json.loads(run("score", recorded / "okx_202603.toml", "--coin", "SOL", "--json"))
    assert (got["kind"], got["coin"]) == ("recall", "SOL")
    assert 0 <= got["maps"]["ours"]["volume"]["share"] <= 1


@pytest.mark.slow
def test_real_hours_are_scored_three_ways_beside_both_nulls(recorded, run):
    got = json.loads(run("score", recorded / "btc_2026.toml", "--coin", "BTC", "--json"))
    assert got["kind"] == "hours"
    assert got["poisson_deviance"] <= 0.34
    assert got["poisson_deviance_causal"] <= 0.40
    assert (
        got["poisson_deviance"]
        < got["path_only_deviance"]
        < got["no_map_deviance"]
        < got["static_deviance"]
    )
    assert got["since"] == "2025-12-24T06:00Z"
    for way in ("causal", "strict"):
        gain = got[way]["path_only_deviance"] - got[way]["poisson_deviance"]
        low, high = got[way]["path_only_minus_ours"]
        assert low < gain < high
    assert got["models"][0]["poisson_deviance_strict"] == got["poisson_deviance_strict"]
