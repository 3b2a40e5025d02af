"""Stored looks at real positions, replayed beside the estimate."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.events import Positions
from powderkeg.feed.drive import drive
from powderkeg.grid import PriceRows, bin_of
from powderkeg.history.replay import events, remaining
from powderkeg.history.series.positions import snapshots_of
from powderkeg.history.sources import load
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.heatmap.ring import ROWS
from powderkeg.maps.views.observed import observed_levels

SERIES = """name = "x"
[[series]]
venue = "hyperliquid"
market = "*"
kind = "positions"
files = ["p.csv"]
time = { column = "t", unit = "ms", means = "at" }
columns = { account = "a", coin = "c", holder = "h", size = "s", entry = "e", liquidation = "l" }
"""
ROW = "t,a,c,h,s,e,l\n"
T = 1_770_197_667_000


def source(folder: Path, rows: str, series: str = SERIES):
    (folder / "p.csv").write_text(ROW + rows)
    path = folder / "s.toml"
    path.write_text(series)
    return load(path)


def snapshots(folder, rows, coin="BTC"):
    return [e for e in events(source(folder, rows), coin) if isinstance(e, Positions)]


def test_rows_of_one_stamp_are_one_snapshot(tmp_path):
    first, second = snapshots(
        tmp_path,
        f"{T},x,BTC,Long,2,100,80\n{T},y,BTC,Short,3,100,\n{T + 1},x,BTC,Long,1,100,81\n",
    )
    assert first.market == "hyperliquid:BTC"
    assert (first.event_time, first.received_time) == (T * 1000, T * 1000)
    assert first.accounts == ("x", "y")
    assert first.sizes.tolist() == [2.0, -3.0]
    assert first.entries.tolist() == [100.0, 100.0]
    assert first.liquidations[0] == 80.0
    assert math.isnan(first.liquidations[1])
    assert second.sizes.tolist() == [1.0]


def test_snapshots_of_a_coin_in_thousands_are_in_the_coins_unit(tmp_path):
    rows = f"{T},x,kPEPE,Long,2,0.01,0.008\n{T},y,BTC,Short,3,100,\n"
    (look,) = snapshots(tmp_path, rows, "PEPE")
    assert look.market == "hyperliquid:kPEPE"
    assert (look.accounts, look.flat) == (("x",), ("y",))
    assert look.sizes.tolist() == [2000.0]
    assert look.entries[0] == pytest.approx(1e-5)
    assert look.liquidations[0] == pytest.approx(8e-6)


def test_who_is_named_with_another_coin_only_holds_nothing_of_this_one(tmp_path):
    (look,) = snapshots(tmp_path, f"{T},x,ETH,Long,2,100,80\n{T},y,BTC,Long,1,100,80\n")
    assert look.accounts == ("y",)
    assert look.flat == ("x",)


def test_a_snapshot_without_positions_in_a_coin_is_a_snapshot(tmp_path):
    (look,) = snapshots(tmp_path, f"{T},x,ETH,Long,2,100,80\n")
    assert (look.accounts, look.flat) == ((), ("x",))
    assert look.sizes.shape == (0,)


def test_where_rows_name_no_coin_it_is_the_series(tmp_path):
    series = SERIES.replace('"*"', '"BTCUSDT"').replace('coin = "c", ', "")
    found = list(events(source(tmp_path, f"{T},x,,Long,2,100,80\n", series), "BTC"))
    assert [e.market for e in found if isinstance(e, Positions)] == ["hyperliquid:BTCUSDT"]


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_recorded_snapshots_match_the_table_of_positions(recorded: Path, coin):
    whales = load(recorded / "whales_202602.toml")
    known = {look.at: look.positions for look in snapshots_of(whales, coin)}
    for event in events(whales, coin):
        assert isinstance(event, Positions)
        assert len(event.accounts) == len(known.get(event.event_time, {}))
        assert not set(event.flat) & set(event.accounts)
        signed = sum(
            p.size if p.holder == "long" else -p.size
            for p in known.get(event.event_time, {}).values()
        )
        assert event.sizes.sum() == pytest.approx(signed)


def interest(data: Path, coin: str):
    """Return Hyperliquid's hourly open interest in base coin, by stamp in ms.

    Its own candles of the time are not kept, so those of Binance stand in for price.
    """
    folder = data / "history" / "multivenue_1h"
    closes: dict[str, float] = {}
    with gzip.open(folder / "candles_1h.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if (row["venue"], row["coin"]) == ("binance", coin):
                closes[row["open_time_ms"]] = float(row["close"])
    with gzip.open(folder / "open_interest_usd.csv.gz", "rt") as file:
        return {
            int(row["ts_ms"]): float(row["oi_usd"]) / closes[row["ts_ms"]]
            for row in csv.DictReader(file)
            if (row["venue"], row["coin"]) == ("hyperliquid", coin) and row["ts_ms"] in closes
        }


@pytest.fixture
def leaders(recorded: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a source of leaders' positions with a price and the market's open interest."""
    rows = [f"{at},{size}" for at, size in sorted(interest(data, "BTC").items())]
    (tmp_path / "oi.csv").write_text("\n".join(["t,size", *rows]) + "\n")
    text = (recorded / "whales_202602.toml").read_text()
    for path in (data / "hyperliquid" / "whale_positions").glob("positions_*.csv.gz"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "candles.csv.gz").symlink_to(data / "history/multivenue_1h/candles_1h.csv.gz")
    text = text.replace("hyperliquid/whale_positions/", "")
    text += """
[[series]]
venue = "hyperliquid"
market = "BTC"
kind = "candles"
files = ["candles.csv.gz"]
time = { column = "open_time_ms", unit = "ms", means = "from", every = "1h" }
columns = { open = "open", high = "high", low = "low", close = "close", volume = "volume" }
where = { venue = "binance", coin = "BTC" }

[[series]]
venue = "hyperliquid"
market = "BTC"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "t", unit = "ms", means = "at", every = "1h" }
columns = { size = "size" }
"""
    path = tmp_path / "leaders.toml"
    path.write_text(text)
    monkeypatch.setenv("POWDERKEG_DATA", str(tmp_path))
    return load(path)


@pytest.mark.slow
def test_leaders_are_a_known_part_of_open_interest(leaders):
    shares: list[tuple[float, float]] = []

    def watch(desk, event):
        if isinstance(event, Positions):
            first = bin_of(desk.price) - ROWS // 2
            view = observed_levels(desk, MapFilter(), PriceRows(first, 1, ROWS))
            long, short = view.share.long, view.share.short
            if long is not None and short is not None:
                shares.append((long, short))
            assert view.unplaced + view.passed <= view.accounts

    desk = Desk("BTC")
    drive(desk, remaining(desk, leaders), watch)
    assert len(shares) > 40
    long, short = np.median(shares, axis=0)
    assert 0.1 < long < 0.25
    assert 0.25 < short < 0.4
