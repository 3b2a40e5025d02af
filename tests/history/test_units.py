"""Markets that trade a coin by the thousand, replayed beside those that trade it one by one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.events import Candles, ClockTick, LiquidationBar, Trade
from powderkeg.feed.drive import drive
from powderkeg.history.replay import events, remaining
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.units import Units
from powderkeg.history.sources import Series, load

CASE = Path(__file__).parent / "cases" / "thousand_times"


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)


def played(path: Path, coin: str = "PEPE") -> tuple[Desk, ReadReport]:
    desk, report = Desk(coin), ReadReport()
    drive(desk, remaining(desk, load(path), report=report))
    return desk, report


def test_both_markets_of_a_coin_stand_at_one_price_and_keep_their_liquidations():
    desk, report = played(CASE / "source.toml")
    assert (desk.counts.liquidations, report.bad) == (199, {})
    thousand, one = (known.estimate for known in desk.estimated())
    assert thousand.mark == pytest.approx(9.909442164e-06)
    assert one.mark == pytest.approx(9.909442e-06)
    assert thousand.oi == pytest.approx(9.47e12)
    assert one.oi == pytest.approx(3.047e12)


def test_the_unit_is_the_same_where_the_market_is_alone():
    desk, report = played(CASE / "source_alone.toml")
    assert (desk.counts.liquidations, report.bad) == (199, {})
    assert desk.price == pytest.approx(9.909442164e-06)


def given(folder: Path, series: str) -> Path:
    """Copy the case, its Binance series under another name."""
    folder.mkdir()
    for path in CASE.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "source.toml").write_text(series)
    return folder / "source.toml"


ALONE = (CASE / "source_alone.toml").read_text()


@pytest.mark.parametrize(
    ("symbol", "more"),
    [
        ("PEPE1000USDT", ""),
        ("kPEPE", ""),
        ("PEPEUSDT", "\nmultiplier = 1000"),
        ("1000000PEPEUSDT", "\nmultiplier = 1000"),
    ],
)
def test_a_market_gives_one_map_however_its_unit_is_given(tmp_path, symbol, more):
    first, _ = played(CASE / "source_alone.toml")
    series = ALONE.replace('"1000PEPEUSDT"', f'"{symbol}"{more}')
    second, _ = played(given(tmp_path / "other", series))
    np.testing.assert_allclose(mass(second), mass(first), rtol=1e-6)


def test_a_market_in_single_coins_gives_the_map_of_the_one_in_thousands(tmp_path):
    first, _ = played(CASE / "source_alone.toml")
    path = given(tmp_path / "one", ALONE.replace("1000PEPEUSDT", "PEPEUSDT"))
    for name, prices, sizes in (
        ("b1000", "ohlc", "v"),
        ("oi", "", ("oi",)),
        ("liq", ("price",), ("qty",)),
    ):
        divide(path.with_name(f"{name}.csv"), prices, sizes)
    second, report = played(path)
    assert report.bad == {}
    assert second.price == pytest.approx(first.price)
    np.testing.assert_allclose(mass(second), mass(first), rtol=1e-4, atol=1e-3 * mass(first).max())


def divide(path: Path, prices, sizes) -> None:
    """Write a table of thousands as one of ones."""
    head, *rows = path.read_text().split()
    names = head.split(",")
    out = [head]
    for row in rows:
        cells = dict(zip(names, row.split(","), strict=True))
        cells |= {name: repr(float(cells[name]) / 1000) for name in prices}
        cells |= {name: repr(float(cells[name]) * 1000) for name in sizes}
        out.append(",".join(cells.values()))
    path.write_text("\n".join(out) + "\n")


def mass(desk: Desk) -> np.ndarray:
    """Return the coins that stand in each bin of price, long and short."""
    (known,) = desk.estimated()
    rendered = known.estimate.exposure.render(known.estimate.map_weights(desk.now))
    assert rendered.sum() > 1e9
    return rendered


def test_a_recording_of_a_thousand_coins_is_in_the_coins_unit(tmp_path):
    frame = {"e": "trade", "s": "1000PEPEUSDT", "p": "0.01", "q": "2", "T": 1735689600000}
    line = f"1735689600000000 {json.dumps(frame | {'m': False, 'X': 'MARKET'})}\n"
    (tmp_path / "f.txt.gz").write_bytes(gzip.compress(line.encode()))
    series = '[[series]]\nvenue = "binance"\nmarket = "1000PEPEUSDT"\nkind = "wire"\n'
    path = tmp_path / "source.toml"
    path.write_text(f'name = "x"\n{series}files = ["f.txt.gz"]\nstamp = "us"\n')
    desk, _ = played(path)
    assert desk.price == pytest.approx(1e-5)


@pytest.mark.parametrize("given", ["0", "-1000", "nan", "inf"])
def test_a_multiplier_that_is_none_is_refused(tmp_path, given):
    path = tmp_path / "source.toml"
    path.write_text(ALONE.replace('coin = "PEPE"', f"multiplier = {given}"))
    with pytest.raises(ConfigError, match=r"source\.toml:\d+: .*expected one multiplier above 0"):
        load(path)


def test_two_multipliers_of_one_market_are_refused(tmp_path):
    path = tmp_path / "source.toml"
    first, rest = ALONE.split('coin = "PEPE"', 1)
    second = rest.replace('coin = "PEPE"', "multiplier = 10", 1)
    path.write_text(f"{first}multiplier = 1000{second}")
    with pytest.raises(ConfigError, match=r"found \[10\.0, 1000\.0\]"):
        load(path)


def test_one_series_of_a_market_sets_the_unit_of_all():
    given = Series("v", "XUSDT", "mark", ("f",), multiplier=1000.0)
    units = Units([Series("v", "XUSDT", "trades", ("f",)), given])
    assert units.in_coins(Trade("v:XUSDT", 1, 1, 5.0, 2.0, "buy")).price == 0.005


def test_bars_of_liquidations_in_quote_currency_are_no_number_of_coins():
    columns: dict = {"long": "l", "short": "s"}
    unit = dict.fromkeys(columns, "quote")
    series = Series("v", "1000XUSDT", "liquidation_bars", ("f",), columns=columns, unit=unit)
    bar = LiquidationBar("v:1000XUSDT", 0, 1, 1, 500.0, 100.0)
    assert Units([series]).in_coins(bar) == bar
    assert Units([]).in_coins(bar).long == 500_000.0
    assert Units([]).in_coins(ClockTick(1)) == ClockTick(1)


BARS = """name = "x"
[[series]]
venue = "v"
market = "PEPEUSDT"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "t", unit = "s", means = "at", every = "5m" }
columns = { size = "oi", price = "p" }
bars = { volume = "w:SYMBOL", extremes = "w:SYMBOL" }

[[series]]
venue = "w"
market = "SYMBOL"
kind = "candles"
files = ["c.csv"]
time = { column = "t", unit = "s", means = "from", every = "1h" }
columns = { open = "o", high = "h", low = "l", close = "c", volume = "v" }
"""


@pytest.mark.parametrize(("symbol", "many"), [("PEPEUSDT", 1), ("1000PEPEUSDT", 1000)])
def test_bars_are_completed_in_their_own_unit_by_candles_in_another(tmp_path, symbol, many):
    start = 1735689600
    hours = [
        f"{start + 3600 * n},{2 * many},{4 * many},{many},{2 * many},{2400 / many}" for n in (0, 1)
    ]
    (tmp_path / "c.csv").write_text("t,o,h,l,c,v\n" + "\n".join(hours) + "\n")
    rows = [f"{start + 300 * n},100,2" for n in range(1, 25)]
    (tmp_path / "oi.csv").write_text("t,oi,p\n" + "\n".join(rows) + "\n")
    path = tmp_path / "source.toml"
    path.write_text(BARS.replace("SYMBOL", symbol))
    runs = [each for each in events(load(path), "PEPE") if isinstance(each, Candles)]
    high, volume = (
        np.concatenate([getattr(run, name) for run in runs]) for name in ("high", "volume")
    )
    assert high.max() == pytest.approx(4.0)
    assert volume[-12:] == pytest.approx(200.0)
