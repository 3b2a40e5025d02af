"""``powderkeg import``: folders of files as people have them, recognised, written down, played."""

from __future__ import annotations

import json
import os
import zipfile

import pytest
from typer.testing import CliRunner

from powderkeg.cli.main import app
from powderkeg.history.importing.gather import globs
from powderkeg.history.sources import load

T = 1_735_689_600_000
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
    "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def run(*args: str):
    return CliRunner().invoke(app, ["import", *args])


def candles(n: int = 30) -> list[list[object]]:
    return [[T + i * 60_000, 100, 102, 99, 101, 5] for i in range(n)]


def archive(place, days=("2025-01-01", "2025-01-02")) -> None:
    folder = place / "futures" / "um"
    folder.mkdir(parents=True)
    for day, date in enumerate(days):
        start = T + day * 86_400_000
        rows = [f"{start + i * 60_000},100,102,99,101,5,0,500,9,2,200,0" for i in range(60)]
        readings = [f"{date} 00:{m:02}:00,BTCUSDT,50,5050,1,1,1,1" for m in range(5, 60, 5)]
        for kind, text in (("1m", "\n".join(rows)), ("metrics", METRICS + "\n".join(readings))):
            with zipfile.ZipFile(folder / f"BTCUSDT-{kind}-{date}.zip", "w") as held:
                held.writestr(f"BTCUSDT-{kind}-{date}.csv", text)


def test_an_archive_is_recognised_written_down_and_played(place):
    archive(place)
    result = run(str(place), "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["unknown"]) == (0, {})
    assert (answer["replays"][0]["bars"], answer["missing"]) == (120, [])


def test_the_source_file_names_no_absolute_path_and_plays_again(place):
    archive(place)
    assert run(str(place)).exit_code == 0
    text = (place.parent / "data.toml").read_text()
    assert str(place) not in text
    assert 'files = ["' in text
    again = CliRunner().invoke(app, ["replay", "data.toml", "--json"])
    assert json.loads(again.stdout)["bars"] == 120


def test_what_is_not_recognised_is_named_and_the_rest_taken(place):
    (place / "BTCUSDT.json").write_text(json.dumps(candles()))
    (place / "notes.csv").write_text("who,what\nme,this\nyou,that\n")
    result = run(str(place), "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, list(answer["unknown"])) == (3, ["notes.csv"])
    assert answer["replays"][0]["bars"] == 30


def test_nothing_recognised_is_a_failure_and_writes_nothing(place):
    (place / "notes.csv").write_text("who,what\nme,this\nyou,that\n")
    assert run(str(place)).exit_code == 1
    assert not (place.parent / "data.toml").exists()


def test_a_dry_run_writes_and_plays_nothing(place):
    (place / "BTCUSDT.json").write_text(json.dumps(candles()))
    result = run(str(place), "--dry-run")
    assert (result.exit_code, "fetchOHLCV" in result.stdout) == (0, True)
    assert not (place.parent / "data.toml").exists()


def test_missing_open_interest_says_where_to_get_it(place):
    (place / "binance").mkdir()
    (place / "binance" / "BTCUSDT.json").write_text(json.dumps(candles()))
    answer = json.loads(run(str(place), "--dry-run", "--json").stdout)
    assert "metrics-*.zip" in answer["missing"][0]


def test_a_file_there_already_is_not_overwritten_unasked(place):
    (place / "BTCUSDT.json").write_text(json.dumps(candles()))
    (place.parent / "data.toml").write_text("mine")
    assert run(str(place)).exit_code == 1
    assert (place.parent / "data.toml").read_text() == "mine"
    assert run(str(place), "--yes").exit_code == 0


def test_the_shortest_candles_are_taken_and_the_others_named(place):
    (place / "BTCUSDT_1m.json").write_text(json.dumps(candles()))
    hours = [[T + i * 3_600_000, 100, 102, 99, 101, 5] for i in range(3)]
    (place / "BTCUSDT_1h.json").write_text(json.dumps(hours))
    answer = json.loads(run(str(place), "--dry-run", "--json").stdout)
    assert [each["span"] for each in answer["series"]] == ["1m"]
    assert list(answer["unused"]) == ["BTCUSDT_1h.json"]


def test_a_coin_asked_for_leaves_the_others(place):
    for coin in ("BTC", "ETH"):
        (place / f"{coin}USDT.json").write_text(json.dumps(candles()))
    answer = json.loads(run(str(place), "--coin", "ETH", "--json").stdout)
    assert [each["coin"] for each in answer["replays"]] == ["ETH"]


def test_pipes_are_not_opened(place):
    os.mkfifo(place / "BTCUSDT.csv")
    (place / "ETHUSDT.json").write_text(json.dumps(candles()))
    answer = json.loads(run(str(place), "--dry-run", "--json").stdout)
    assert [each["coin"] for each in answer["series"]] == ["ETH"]


def test_a_broken_file_is_named_and_no_traceback_is_seen(place):
    (place / "BTCUSDT.csv.gz").write_bytes(b"\x1f\x8b" + b"\0" * 30)
    result = run(str(place), "--json")
    assert result.exit_code == 1
    assert "BTCUSDT.csv.gz" in json.loads(result.stdout)["unknown"]


def test_globs_find_just_the_files_meant():
    names = ["a/X-2025-01.csv", "a/X-2025-02.csv"]
    assert globs(names, names) == ("a/X-2025-0*.csv",)
    assert globs(names, [*names, "a/X-2025-03.csv"]) == tuple(names)


def test_names_with_the_signs_of_globs_are_found(place):
    (place / "[BTCUSDT].json").write_text(json.dumps(candles()))
    assert run(str(place)).exit_code == 0
    assert len(load(place.parent / "data.toml").series) == 1


@pytest.mark.parametrize("path", [".", "data", "data/BTCUSDT_1m.json"])
def test_paths_may_be_relative(place, path):
    (place / "BTCUSDT_1m.json").write_text(json.dumps(candles()))
    got = run(path, "--dry-run", "--json")
    assert (got.exit_code, got.exception) == (0, None)
    assert json.loads(got.stdout)


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b",".join(b"c%d" % n for n in range(200_000)) + b"\n",
        b"x" * 20_000_000,
        bytes(100_000),
        b"",
        b"\xff\xfe" + "t,p\n".encode("utf-16-le"),
        b"PAR1" + b"junk" * 100,
        b"ARROW1" + bytes(100),
        b"PK\x03\x04junk",
        b"\x1f\x8bjunk",
        b'{"a":' * 50_000,
    ],
    ids=[
        "deep",
        "wide",
        "long",
        "zeros",
        "empty",
        "utf-16",
        "parquet",
        "arrow",
        "zip",
        "gzip",
        "open",
    ],
)
def test_a_file_that_is_nothing_is_named_and_costs_itself(place, content):
    (place / "BTCUSDT_1m.json").write_text(json.dumps(candles()))
    (place / "BTCUSDT_trades.csv").write_bytes(content)
    got = run("data", "--json", "--out", "x.toml")
    assert got.exit_code in {0, 3}, got.output
    assert isinstance(got.exception, SystemExit | None)
    answer = json.loads(got.stdout)
    assert answer["replays"][0]["bars"] == 30
    if content:
        assert "BTCUSDT_trades.csv" in got.stdout
