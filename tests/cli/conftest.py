"""The commands, run as a person runs them, and a small market stored in files."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from powderkeg.cli.main import app, main

SOURCE = """
name = "small"

[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "trades"
files = ["trades.csv"]
time = { column = "t", unit = "s" }
columns = { price = "price", size = "size", side = "side" }

[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "mark"
files = ["mark.csv"]
time = { column = "t", unit = "s" }
columns = { price = "price" }

[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "t", unit = "s" }
columns = { size = "size" }
"""
START = 1_767_225_600
MINUTES = 240


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Return a source file: four hours of falling price and rising open interest."""
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    trades, marks, interest = ["t,price,size,side"], ["t,price"], ["t,size"]
    for m in range(MINUTES):
        at, price = START + 60 * m, 100_000.0 - 12.5 * m
        trades.append(f"{at},{price},{1 + m % 3},{'buy' if m % 2 else 'sell'}")
        marks.append(f"{at + 1},{price}")
        interest.append(f"{at + 2},{1000 + m}")
    for name, rows in (("trades", trades), ("mark", marks), ("oi", interest)):
        (tmp_path / f"{name}.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "small.toml").write_text(SOURCE)
    return tmp_path / "small.toml"


@pytest.fixture
def run():
    """Return a function that runs a command that must succeed, and gives what it printed."""

    def call(*words):
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return call


@pytest.fixture
def refused(monkeypatch, capsys):
    """Return a function that runs a command that must be refused, and gives the reason."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["powderkeg", *(str(word) for word in words)])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        return capsys.readouterr().err.strip()

    return call
