"""Binance's public archive: zips made here with its headers."""

from pathlib import Path

import numpy as np
import pytest

from powderkeg.errors import ConfigError
from powderkeg.events import (
    HOUR,
    MINUTE,
    Candles,
    Funding,
    Liquidation,
    OpenInterest,
    Ratio,
    Trades,
)
from powderkeg.history.archive import LAYOUTS, kind_of, table, unpack
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport

T = 1_723_075_200_000

ROWS = {
    "aggTrades": [
        f"1,60000.1,0.5,10,12,{T},true",
        f"2,60000.2,0.25,13,13,{T + 5},false",
        f"2,60000.2,0.25,13,13,{T + 5},false",
    ],
    "klines": [
        f"{T},1,3,0.5,2,10,{T + 59_999},20,7,4,8,0",
        f"{T + 60_000},2,2,2,2,1,{T + 119_999},2,1,1,2,0",
    ],
    "metrics": [
        "2024-08-08 00:05:00,BTCUSDT,100.0,6000000.0,3.0,1.0,1.5,0.25",
        "2024-08-08 00:10:00,BTCUSDT,101.0,6060000.0,3.0,1.0,1.5,0.25",
    ],
    "fundingRate": [f"{T},8,0.0001", f"{T + 28_800_000},4,-0.0002"],
    "liquidationSnapshot": [
        f"{T},BTCUSDT,SELL,LIMIT,IOC,0.5,59000,59100,FILLED,0.5,0.5",
        f"{T + 1},BTCUSDT,BUY,LIMIT,IOC,0.2,61000,60900,FILLED,0.1,0.2",
    ],
    "bookDepth": ["2024-08-08 00:00:08,-5,1000,60000000", "2024-08-08 00:00:08,-4,800,48000000"],
}


def text(kind, header):
    lines = ([",".join(LAYOUTS[kind].names)] if header else []) + ROWS[kind]
    return "\n".join(lines) + "\n"


def stem(kind):
    return f"BTCUSDT-{'1m' if kind == 'klines' else kind}-2024-08-08"


def source_of(make, kind, packed, header, more=""):
    name = stem(kind)
    files = {f"{name}__{'zip' if packed else 'csv'}": text(kind, header)}
    toml = (
        'name = "x"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "zip"\n'
        f'files = ["{name}.*"]\n{more}'
    )
    return make(toml, **files)


layouts = pytest.mark.parametrize(
    ("packed", "header"), [(True, True), (True, False), (False, True)]
)


@layouts
def test_aggregated_trades_are_prints_with_distinct_ids(make, packed, header):
    report = ReadReport()
    (run,) = events(source_of(make, "aggTrades", packed, header), "BTC", report=report)
    assert isinstance(run, Trades)
    assert run.sizes.tolist() == [-0.5, 0.25]
    assert run.times.tolist() == [T * 1000, (T + 5) * 1000]
    assert report.bad == {"duplicate id": 1}


@layouts
def test_klines_are_bars_stamped_with_their_start(make, packed, header):
    (bars,) = events(source_of(make, "klines", packed, header), "BTC")
    assert isinstance(bars, Candles)
    assert (bars.span, bars.event_time) == (MINUTE, T * 1000 + 2 * MINUTE)
    assert bars.times.tolist() == [T * 1000, T * 1000 + MINUTE]
    assert (bars.volume.tolist(), bars.buy.tolist()) == ([10.0, 1.0], [4.0, 1.0])


@layouts
def test_metrics_are_open_interest_and_four_ratios(make, packed, header):
    got = list(events(source_of(make, "metrics", packed, header), "BTC"))
    assert [e.size for e in got if isinstance(e, OpenInterest)] == [100.0, 101.0]
    first = [(e.kind, e.long) for e in got if isinstance(e, Ratio)][:4]
    assert first == [
        ("accounts", 0.6),
        ("top_accounts", 0.75),
        ("top_positions", 0.5),
        ("taker", 0.2),
    ]
    assert got[0].event_time == T * 1000 + 5 * MINUTE


@layouts
def test_funding_rows_carry_their_own_interval(make, packed, header):
    got = list(events(source_of(make, "fundingRate", packed, header), "BTC"))
    assert [(e.rate, e.interval) for e in got if isinstance(e, Funding)] == [
        (0.0001, 8 * HOUR),
        (-0.0002, 4 * HOUR),
    ]


@layouts
def test_a_liquidation_that_sold_closed_a_long_at_its_average_price(make, packed, header):
    got = list(events(source_of(make, "liquidationSnapshot", packed, header), "BTC"))
    rows = [(e.position_side, e.price, e.size) for e in got if isinstance(e, Liquidation)]
    assert rows == [("long", 59_100.0, 0.5), ("short", 60_900.0, 0.2)]


def test_book_depth_has_no_events_but_is_read_as_a_table(make):
    source = source_of(make, "bookDepth", True, True)
    with pytest.raises(ConfigError, match="expected events of BTCUSDT, found only bookDepth"):
        list(events(source, "BTC"))
    (path,) = source.files(source.series[0])
    (part,) = table(path, {"percentage": "float", "depth": "float"}, ReadReport())
    assert part.data["percentage"].tolist() == [-5.0, -4.0]


def test_stamps_of_2025_and_later_may_be_microseconds(make):
    name = f"{stem('aggTrades')}__csv"
    source = make(
        'name = "x"\n[[series]]\nvenue = "binance-spot"\nmarket = "BTCUSDT"\nkind = "zip"\n'
        'files = ["*.csv"]\n',
        **{name: f"1,60000.1,0.5,10,12,{T * 1000 + 7},true\n"},
    )
    (run,) = events(source, "BTC")
    assert isinstance(run, Trades)
    assert run.times.tolist() == [T * 1000 + 7]


def test_contracts_of_an_inverse_archive_come_from_the_source(make):
    source = source_of(make, "aggTrades", False, True, 'unit = { size = "quote:100" }\n')
    (run,) = events(source, "BTC")
    assert isinstance(run, Trades)
    assert np.abs(run.sizes).tolist() == pytest.approx([50 / 60000.1, 25 / 60000.2])


def test_one_series_may_name_files_of_several_kinds(make):
    files = {f"{stem(kind)}__zip": text(kind, True) for kind in ("aggTrades", "metrics")}
    source = make(
        'name = "x"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "zip"\n'
        'files = ["*.zip"]\n',
        **files,
    )
    kinds = [series.kind for series in unpack(source)]
    assert kinds == ["trades", "open_interest", "ratios"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BTCUSDT-aggTrades-2024-08-08.zip", "aggTrades"),
        ("BTCUSDT-1m-2024-08-08.zip", "klines"),
        ("metrics/x.csv", "metrics"),
    ],
)
def test_a_name_gives_the_kind_of_a_file(name, kind):
    assert kind_of(Path(name)) == kind


def test_a_name_without_a_kind_is_refused():
    with pytest.raises(ConfigError, match="expected a name with one of aggTrades, trades"):
        kind_of(Path("data.zip"))


def test_klines_named_by_their_folder_are_minutes_by_default(make, tmp_path):
    (tmp_path / "klines").mkdir()
    (tmp_path / "klines" / "x.csv").write_text(text("klines", True))
    toml = (
        'name = "x"\n[[series]]\nvenue = "binance"\nmarket = "BTCUSDT"\nkind = "zip"\n'
        'files = ["klines/x.csv"]\n'
    )
    assert [series.span for series in unpack(make(toml))] == ["1m"]
    assert [series.span for series in unpack(make(toml + 'span = "5m"\n'))] == ["5m"]
