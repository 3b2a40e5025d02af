"""Files as people have them: each kind of fault that cost rows, markets or the whole file once."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from powderkeg.events import (
    HOUR,
    Candles,
    Gap,
    Liquidation,
    LiquidationBar,
    Positions,
    Trades,
)
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load

T = 1_735_689_600_000  # 2025-01-01, ms
BARS = """name = "x"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "candles"
files = ["*.{form}"]
time = {{ column = "{time}", means = "from", every = "1h" }}
columns = {{ open = "{o}", high = "{h}", low = "{l}", close = "{c}", volume = "{v}" }}
"""
ARCHIVE = """name = "x"
[[series]]
venue = "{venue}"
market = "{market}"
kind = "zip"
files = ["**/*.zip"]
{more}
"""


@pytest.fixture(autouse=True)
def _only_these_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)


def candles(got):
    runs = [event for event in got if isinstance(event, Candles)]
    return np.concatenate([run.times for run in runs]).tolist() if runs else []


def played(source, coin="BTC"):
    report = ReadReport()
    return list(events(source, coin, report=report)), report


def zipped(folder, name, *lines, path=""):
    """Write an archive file, its rows as they are."""
    place = folder / path
    place.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", "\n".join(lines) + "\n")


def archive(folder, market="BTCUSDT", venue="binance", more=""):
    (folder / "source.toml").write_text(ARCHIVE.format(market=market, venue=venue, more=more))
    return load(folder / "source.toml")


def kline(at, price=93_500, scale=1):
    return f"{at * scale},{price},{price + 9},{price - 9},{price + 1},10,0,0,0,5,0,0"


STAMPS = {
    "ms": lambda n: str(T + n * 3_600_000),
    "seconds with a fraction": lambda n: f"{T / 1000 + n * 3600:.3f}",
    "ms with a fraction": lambda n: f"{T + n * 3_600_000}.250",
    "ISO": lambda n: when(n).isoformat(),
    "UTC": lambda n: when(n).strftime("%Y-%m-%d %H:%M:%S UTC"),
    "American": lambda n: when(n).strftime("%m/%d/%Y %H:%M"),
    "European": lambda n: when(n).strftime("%d/%m/%Y %H:%M"),
    "German": lambda n: when(n).strftime("%d.%m.%Y %H:%M"),
    "twelve hours": lambda n: when(n).strftime("%Y-%m-%d %I-%p"),
    "months in words": lambda n: when(n).strftime("%d %b %Y %H:%M"),
    "days of a spreadsheet": lambda n: f"{45_658 + n / 24:.9f}",
}


def when(n):
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=n)


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("form", STAMPS)
def test_hours_are_read_however_their_time_is_written(make, form, newest_first):
    lines = [f"{STAMPS[form](n)},1,2,0.5,1.5,9" for n in range(48)]
    text = "\n".join(("t,o,h,l,c,v", *lines[:: -1 if newest_first else 1])) + "\n"
    toml = BARS.format(form="csv", time="t", o="o", h="h", l="l", c="c", v="v")
    got, report = played(make(toml, k__csv=text))
    assert [round(at, -6) for at in candles(got)] == [T * 1000 + n * HOUR for n in range(48)]
    assert (report.bad, report.rows) == ({}, 48)


@pytest.mark.parametrize("above", ["", "https://www.example.com/d\n", "# exported, 2025\n\n"])
@pytest.mark.parametrize(("cut", "mark"), [(",", "."), (";", ","), ("\t", ","), ("|", ".")])
def test_hours_are_read_however_their_table_is_written(make, cut, mark, above):
    cells = [f"{value}".replace(".", mark) for value in (1.5, 2.5, 0.5, 1.5, 9)]
    lines = [cut.join((str(T + n * 3_600_000), *cells)) for n in range(3)]
    text = above + "\n".join((cut.join(("t", *"ohlcv")), *lines)) + "\n"
    toml = BARS.format(form="csv", time="t", o="o", h="h", l="l", c="c", v="v")
    got, report = played(make(toml, k__csv="\ufeff" + text))
    assert len(candles(got)) == 3
    assert report.bad == {}


ROWS = [[T + n * 3_600_000, 1, "2", 0.5, 1.5, None if n == 1 else 9] for n in range(3)]
DOCUMENTS = {
    "arrays": ROWS,
    "arrays in an answer": {"code": "0", "result": {"category": "linear", "list": ROWS[::-1]}},
    "objects": [dict(zip("tohlcv", row, strict=True)) for row in ROWS],
    "objects in an answer": {"data": [dict(zip("tohlcv", row, strict=True)) for row in ROWS]},
    "one list a column": dict(zip("tohlcv", map(list, zip(*ROWS, strict=True)), strict=True)),
}


@pytest.mark.parametrize(
    ("form", "lines"),
    [*((form, False) for form in DOCUMENTS), ("arrays", True), ("objects", True)],
)
def test_hours_are_read_out_of_any_answer(make, form, lines):
    document = DOCUMENTS[form]
    text = "\n".join(map(json.dumps, document)) if lines else json.dumps(document)
    names = "012345" if "arrays" in form else "tohlcv"
    toml = BARS.format(form="json", time=names[0], **dict(zip("ohlcv", names[1:], strict=True)))
    got, report = played(make(toml, k__json=text))
    assert len(candles(got)) == 3
    assert report.bad == {}


def test_a_document_without_the_columns_is_refused_with_its_outline(make):
    toml = BARS.format(form="json", time="t", o="o", h="h", l="l", c="c", v="v")
    with pytest.raises(Exception, match=r"expected rows with the columns .*found \{code: str"):
        played(make(toml, k__json='{"code": "50011", "msg": "Too many requests"}'))


def test_months_and_days_of_an_archive_are_one_history(tmp_path):
    january = [kline(T + n * 3_600_000) for n in range(744)]
    zipped(tmp_path, "BTCUSDT-1h-2025-01", *january, path="monthly/klines")
    day = [kline(T + n * 3_600_000) for n in range(744, 768)]
    zipped(tmp_path, "BTCUSDT-1h-2025-02-01", *day, path="daily/klines")
    got, report = played(archive(tmp_path))
    assert candles(got) == [T * 1000 + n * HOUR for n in range(768)]
    assert report.bad == {}


def test_an_archive_may_go_from_ms_to_us_and_back_file_by_file(tmp_path):
    for n, scale in enumerate((1, 1000, 1)):
        zipped(tmp_path, f"BTCUSDT-1m-2025-01-0{n + 1}", kline(T + n * 60_000, scale=scale))
    got, report = played(archive(tmp_path, venue="binance-spot"))
    assert [at // 60_000_000 - T // 60_000 for at in candles(got)] == [0, 1, 2]
    assert report.bad == {}


def test_a_missing_hour_of_an_archive_is_a_gap(tmp_path):
    zipped(tmp_path, "BTCUSDT-1m-2025-01-01", kline(T), kline(T + 60_000), kline(T + 7_200_000))
    gaps = [event for event in played(archive(tmp_path))[0] if isinstance(event, Gap)]
    assert [(gap.since, gap.event_time) for gap in gaps] == [
        (T * 1000 + 2 * 60_000_000, (T + 7_200_000) * 1000)
    ]


def test_ids_that_are_missing_from_an_archive_are_a_gap(tmp_path):
    prints = [f"{i},93500,1,{i},{i},{T + i * 1000},true" for i in (1, 2, 3, 9, 10)]
    zipped(tmp_path, "BTCUSDT-aggTrades-2025-01-01", *prints)
    got, report = played(archive(tmp_path))
    gaps = [event for event in got if isinstance(event, Gap)]
    assert [gap.reason for gap in gaps] == ["trades: 5 ids are missing"]
    assert sum(tally.gaps for tally in report.files.values()) == 1
    assert sum(len(run.times) for run in got if isinstance(run, Trades)) == 5


@pytest.mark.parametrize("columns", [7, 8])
@pytest.mark.parametrize("header", [False, True])
def test_prints_of_both_ages_of_an_archive_are_read(tmp_path, columns, header):
    names = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
    prints = [f"{i},93500,1,{i},{i},{T * 1000 + i},False,True" for i in range(50)]
    lines = [",".join(line.split(",")[:columns]) for line in [f"{names},best_match", *prints]]
    zipped(tmp_path, "BTCUSDT-aggTrades-2025-01-01", *lines[0 if header else 1 :])
    got, report = played(archive(tmp_path, venue="binance-spot"))
    assert sum(len(run.times) for run in got if isinstance(run, Trades)) == 50
    assert report.bad == {}


def test_two_runs_of_ids_row_by_row_are_both_read(tmp_path):
    prints = []
    for i in range(200):
        prints.append(f"{i},29223,1,0,0,{T + i * 1000},false")
        prints.append(f"{9_000 + i},27000,1,0,0,{T + 86_400_000 * 30 + i * 1000},false")
    zipped(tmp_path, "BTCUSDT-aggTrades-2025-01", *prints)
    got, report = played(archive(tmp_path))
    assert sum(len(run.times) for run in got if isinstance(run, Trades)) == 400
    assert (report.bad, report.code) == ({}, 0)


@pytest.mark.parametrize("symbol", ["", "BTCUSD_PERP,"])
def test_liquidations_that_an_archive_prints_twice_happened_once(tmp_path, symbol):
    orders = [f"{T + i},{symbol}SELL,LIMIT,IOC,7,63661,63425,FILLED,7,7" for i in range(3)]
    name = "time,symbol,side,order_type,time_in_force,original_quantity,price,average_price,"
    name += "order_status,last_fill_quantity,accumulated_fill_quantity"
    header = name if symbol else name.replace("symbol,", "")
    doubled = [order for order in orders for _ in range(2)]
    zipped(tmp_path, "BTCUSD_PERP-liquidationSnapshot-2025-01-01", header, *doubled)
    more = 'unit = { size = "quote:100" }'
    got, report = played(archive(tmp_path, "BTCUSD_PERP", "binance-coin", more))
    assert len([event for event in got if isinstance(event, Liquidation)]) == 3
    assert report.bad == {"duplicate row": 3}


def test_files_of_other_markets_and_coarser_candles_are_named_and_not_taken(tmp_path):
    zipped(tmp_path, "BTCUSDT-1m-2025-01-01", kline(T))
    zipped(tmp_path, "BTCUSDT-1h-2025-01-01", kline(T))
    zipped(tmp_path, "ETHUSDT-1m-2025-01-01", kline(T, price=3_350))
    zipped(tmp_path, "BTCUSDT-1m-2025-01-01", kline(T, price=1), path="premiumIndexKlines")
    got, report = played(archive(tmp_path))
    assert candles(got) == [T * 1000]
    assert report.bad == {"foreign file": 0, "left out: adds nothing": 0}
    assert len(report.notes) >= 2


def test_empty_ids_are_no_ids(make):
    lines = [f"binance-futures,BTCUSDT,{T * 1000 + n},,buy,93500.1,0.1" for n in range(20)]
    toml = """name = "x"
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "liquidations"
files = ["*.csv"]
time = { column = "timestamp" }
columns = { price = "price", size = "amount", side = "side", id = "id" }
"""
    text = "\n".join(("exchange,symbol,timestamp,id,side,price,amount", *lines)) + "\n"
    got, report = played(make(toml, l__csv=text))
    assert len(got) == 20
    assert report.bad == {}


LOOKS = """name = "x"
[[series]]
venue = "hyperliquid"
market = "BTC"
kind = "positions"
files = ["*_full.csv"]
time = {{ column = "{time}" }}
columns = {{ account = "addr", size = "size", entry = "entry", holder = "size", leverage = "lev" }}
"""


@pytest.mark.parametrize("where", ["comment", "name"])
def test_a_file_may_be_one_snapshot_with_signed_sizes(make, where):
    rows = "addr,size,entry,lev\n0x1,-7.3,78632.2,3\n0x2,12.5,77100,10\n"
    files = {
        f"20260829T{hour:02}34_full__csv": f"#ts,2026-08-29T{hour:02}:34:00Z,px,78640\n{rows}"
        for hour in (5, 6)
    }
    source = make(LOOKS.format(time="ts" if where == "comment" else "@name"), **files)
    snapshots_of = [event for event in played(source)[0] if isinstance(event, Positions)]
    assert [look.event_time // HOUR % 24 for look in snapshots_of] == [5, 6]
    assert [look.sizes.tolist() for look in snapshots_of] == [[-7.3, 12.5]] * 2


def test_dollars_of_liquidations_without_any_price_are_kept_as_dollars(make):
    toml = """name = "x"
[[series]]
venue = "aggregate"
market = "BTC"
kind = "liquidation_bars"
files = ["liq.json"]
time = { column = "time", means = "from", every = "1h" }
columns = { long = "long_usd", short = "short_usd" }
unit = { long = "quote", short = "quote" }
"""
    rows = [{"time": T + n * 3_600_000, "long_usd": "1200000.0", "short_usd": 3} for n in range(24)]
    got, report = played(make(toml, liq__json=json.dumps({"code": "0", "data": rows})))
    bars = [event for event in got if isinstance(event, LiquidationBar)]
    assert [(bar.long, bar.quote) for bar in bars] == [(1_200_000.0, True)] * 24
    assert report.kinds == {"liquidation_bars": 24}


def test_almost_nothing_read_is_a_failure_and_a_lost_file_is_reported():
    report = ReadReport()
    assert report.code == 1
    report.take("f", 100, "trades")
    assert report.code == 0
    report.reject("f", 7, "unreadable row", "x", 5)
    assert report.code == 3
    report.reject("f", 7, "unreadable row", "x", 5_000)
    assert report.code == 1
    few = ReadReport()
    few.take("f", 100_000, "trades")
    few.reject("f", 7, "duplicate id", "x", 90_000)
    few.reject("f", 8, "unreadable row", "x", 3)
    assert few.code == 0
