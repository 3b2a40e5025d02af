"""``powderkeg explain``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from powderkeg.cli.explain import words_of
from powderkeg.cli.main import app
from powderkeg.errors import ConfigError

WICK = {
    "type": "LIQUIDATION", "side": "long", "extreme": 95.0, "floor": 94.8, "top": 95.6,
    "notional": 2.5e6, "fired": 0.31, "mirror": False,
    "evidence": [
        {"name": "wick", "value": 4.2, "need": 1.0, "unit": "ratio", "met": True},
        {"name": "reported liquidated", "value": None, "need": 95.0, "unit": "percentile",
         "met": False},
    ],
}  # fmt: skip
CANDLE = {
    "start": 1_767_225_600_000_000, "end": 1_767_226_500_000_000, "open": 100.0, "high": 100.5,
    "low": 95.0, "close": 99.5, "lower": 4.2, "upper": None, "need": 1.0, "wicks": [],
}  # fmt: skip


def test_a_wick_is_told_with_its_cluster_its_figures_and_its_mirror():
    told = words_of(CANDLE | {"wicks": [WICK]})
    assert told.startswith("2026-01-01 00:00 to 00:15 UTC: open 100, high 100.5, low 95")
    assert "LIQUIDATION at 95: it ended at a cluster" in told
    assert "longs 94.8 to 95.6, 2.5M, 31% fired" in told
    assert "reported liquidated: unknown, needs 95, not met" in told
    assert "as far away on the other side of the open no cluster lay there" in told


def test_without_a_long_wick_the_lengths_are_told():
    assert "No long wick: 4.20 (lower) and unknown (upper)" in words_of(CANDLE)


def test_a_source_is_replayed_up_to_the_candle(tmp_path):
    rows = "\n".join(f"{1_700_000_000_000 + n * 10_000},{100 + n % 7},1,buy" for n in range(500))
    (tmp_path / "trades.csv").write_text("t,price,size,side\n" + rows)
    (tmp_path / "source.toml").write_text(
        'name = "test"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "trades"\n'
        'files = ["trades.csv"]\ntime = { column = "t", unit = "ms", means = "at" }\n'
        'columns = { price = "price", size = "size", side = "side" }\n'
    )
    words = [
        "explain",
        "BTC",
        "--at",
        "2023-11-14T22:40",
        "--source",
        str(tmp_path / "source.toml"),
    ]
    answer = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert answer["low"] == 100.0
    assert answer["wicks"] == []


def test_without_a_server_it_says_so():
    with pytest.raises(ConfigError, match="to answer at"):
        CliRunner().invoke(
            app, ["explain", "BTC", "--url", "http://127.0.0.1:9"], catch_exceptions=False
        )
