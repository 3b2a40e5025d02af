"""Recordings of several markets: each series takes what is its own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.feed.drive import drive
from powderkeg.history.replay import remaining
from powderkeg.history.series.report import ReadReport
from powderkeg.history.snapshots import digest
from powderkeg.history.sources import load

CASE = Path(__file__).parent / "cases" / "several_markets"
SERIES = (CASE / "source.toml").read_text()


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)


def played(path: Path, coin: str) -> tuple[Desk, ReadReport]:
    desk, report = Desk(coin), ReadReport()
    drive(desk, remaining(desk, load(path), report=report))
    return desk, report


def write(folder: Path, lines: list[bytes], series: str) -> Path:
    (folder / "combined.txt.gz").write_bytes(gzip.compress(b"".join(lines)))
    path = folder / "source.toml"
    path.write_text(series)
    return path


@pytest.mark.parametrize(
    ("coin", "low", "high"),
    [("SOL", 190.0, 190.2), ("ETH", 3350.0, 3352.7), ("BTC", 93500.0, 93575.0)],
)
def test_a_coin_takes_only_its_own_market_of_a_combined_recording(tmp_path, coin, low, high):
    lines = gzip.decompress((CASE / "combined.txt.gz").read_bytes()).splitlines(keepends=True)
    desk, report = played(write(tmp_path, lines, SERIES.replace("SOL", coin)), coin)
    assert list(desk.markets) == [f"binance:{coin}USDT"]
    assert (desk.counts.trades, desk.counts.liquidations, report.rows) == (300, 30, 530)
    assert low <= desk.price <= high


def test_events_of_foreign_markets_are_counted_with_one_note_a_market():
    _, report = played(CASE / "source.toml", "SOL")
    assert report.bad == {"foreign market": 1090}
    assert len(report.notes) == 3
    assert report.notes[0].endswith(
        "combined.txt.gz:0: foreign market: binance:BTCUSDT: 530 times, "
        "where binance:SOLUSDT is wanted"
    )


def test_a_series_of_all_markets_takes_those_of_its_coin(tmp_path):
    lines = [trade(n, symbol) for n, symbol in enumerate(["SOLUSDT", "SOLUSDC", "ETHUSDT"])]
    series = SERIES.replace('"SOLUSDT"', '"*"\ncoin = "SOL"')
    desk, report = played(write(tmp_path, lines, series), "SOL")
    assert list(desk.markets) == ["binance:SOLUSDT", "binance:SOLUSDC"]
    assert report.bad == {"foreign market": 1}


def test_a_series_of_all_markets_must_name_its_coin(tmp_path):
    with pytest.raises(ConfigError, match=r"source\.toml:5: .* needs that coin"):
        load(write(tmp_path, [], SERIES.replace("SOLUSDT", "*")))


def test_messages_of_no_market_make_no_market(tmp_path):
    refused = b'1735689600000001 {"error":{"code":2,"msg":"Invalid request"}}\n'
    desk, report = played(write(tmp_path, [trade(0, "SOLUSDT"), refused], SERIES), "SOL")
    assert list(desk.markets) == ["binance:SOLUSDT"]
    assert report.bad == {"left out, said of no market": 1}


def trade(n: int, symbol: str, price: float = 190.0) -> bytes:
    message = {"e": "aggTrade", "s": symbol, "p": price, "q": 1, "T": 1735689600000 + n, "m": n % 2}
    message |= {"a": n, "f": n, "l": n, "m": bool(n % 2)}
    return b"%d %s\n" % (1735689600000000 + 1000 * n, json.dumps(message).encode())


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 530),
            st.sampled_from(["BTCUSDT", "SOLUSDC", "SOLUSDT_250328", "DOGEUSDT"]),
            st.integers(0, 2000),
            st.floats(0.001, 1e5),
        ),
        max_size=40,
    )
)
def test_frames_of_foreign_markets_change_nothing(tmp_path_factory, foreign):
    """Wherever they stand, whatever their stamp: also where a clock was set back."""
    lines = gzip.decompress((CASE / "combined.txt.gz").read_bytes()).splitlines(keepends=True)
    mixed = own = [line for line in lines if b"SOLUSDT" in line]
    for place, symbol, n, price in foreign:
        mixed = [*mixed[:place], trade(n, symbol, price), *mixed[place:]]
    folder = tmp_path_factory.mktemp("mixed")
    alone, _ = played(write(folder, own, SERIES), "SOL")
    together, report = played(write(folder, mixed, SERIES), "SOL")
    assert digest(together) == digest(alone)
    assert report.bad.get("foreign market", 0) >= len({symbol for _, symbol, *_ in foreign})
