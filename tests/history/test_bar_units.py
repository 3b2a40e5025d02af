"""Liquidation bars in dollars become coins once, whichever way the price is given."""

from __future__ import annotations

import pytest

from powderkeg.events import LiquidationBar
from powderkeg.history.replay import events
from powderkeg.history.sources import load

SOURCE = """
name = "bars"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "candles"
files = ["candles.csv"]
time = {{ column = "t", unit = "s", means = "from", every = "1h" }}
columns = {{ open = "p", high = "p", low = "p", close = "p", volume = "v" }}
[[series]]
venue = "aggregate"
market = "BTC"
kind = "liquidation_bars"
files = ["bars.csv"]
time = {{ column = "t", unit = "s", means = "from", every = "1h" }}
columns = {{ long = "long", short = "short"{price} }}
unit = {{ long = "quote", short = "quote" }}
"""


@pytest.mark.parametrize("price", ["", ', price = "p"'])
def test_a_million_dollars_at_100_000_is_ten_coins(tmp_path, monkeypatch, price):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    (tmp_path / "s.toml").write_text(SOURCE.format(price=price))
    (tmp_path / "candles.csv").write_text("t,p,v\n1767222000,100000,5\n1767225600,100000,5\n")
    (tmp_path / "bars.csv").write_text(
        "t,long,short,p\n1767225600,1000000,500000,100000\n1767229200,0,0,100000\n"
    )
    bars = [e for e in events(load(tmp_path / "s.toml"), "BTC") if isinstance(e, LiquidationBar)]
    assert [(bar.long, bar.short) for bar in bars] == [(10.0, 5.0), (0.0, 0.0)]
