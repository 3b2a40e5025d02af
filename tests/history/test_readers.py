"""Series as tables: units, sides, times, order, duplicates, and what is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import DataError
from powderkeg.events import HOUR, MINUTE, SECOND
from powderkeg.history.series.readers import read
from powderkeg.history.series.report import ReadReport
from powderkeg.history.series.table import Table, floats
from powderkeg.history.sources import load

T0 = 1_781_222_400_000  # ms, 2026-06-12
MS = 1000

HEAD = """name = "x"
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "{kind}"
files = ["f.*"]
time = {{ column = "t", unit = "{unit}", means = "{means}"{every} }}
columns = {{ {columns} }}
{more}
"""


def toml(kind, columns, means="at", every="", unit="ms", more=""):
    every = f', every = "{every}"' if every else ""
    return HEAD.format(kind=kind, columns=columns, means=means, every=every, unit=unit, more=more)


TRADES = toml("trades", 'price = "p", size = "s", side = "side"')


def tables(source):
    report = ReadReport()
    parts = list(read(source.series[0], source, report, lambda _: None))
    return parts, report


def column(parts, name):
    return np.concatenate([part.columns[name] for part in parts]).tolist() if parts else []


def times(parts):
    return np.concatenate([part.times for part in parts]).tolist() if parts else []


def rows(*lines):
    return "t,p,s,side\n" + "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("buy", "sell"), [("B", "A"), ("buy", "sell"), ("Bid", "Ask"), ("BUY", "SELL"), ("1", "-1")]
)
def test_words_for_sides_become_signs(make, buy, sell):
    source = make(TRADES, f__csv=rows(f"{T0},1,1,{buy}", f"{T0},1,1,{sell}"))
    assert column(tables(source)[0], "side") == [1.0, -1.0]


def test_a_maker_flag_is_the_contrary_of_the_taker(make):
    text = toml("trades", 'price = "p", size = "s", maker = "m"')
    source = make(text, f__csv=f"t,p,s,m\n{T0},1,1,true\n{T0},1,1,false\n")
    assert column(tables(source)[0], "side") == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("unit", "stamp", "at"),
    [
        ("ms", "1781222400123", 1_781_222_400_123_000),
        ("us", "1781222400123456", 1_781_222_400_123_456),
        ("ns", "1781222400123456789", 1_781_222_400_123_456),
        ("s", "1781222400.5", 1_781_222_400_500_000),
        ("iso", "2026-06-12T00:00:00Z", 1_781_222_400_000_000),
    ],
)
def test_times_are_microseconds_whatever_the_file_counts(make, unit, stamp, at):
    source = make(TRADES.replace('"ms"', f'"{unit}"'), f__csv=rows(f"{stamp},1,1,B"))
    assert times(tables(source)[0]) == [at]


def test_the_unit_of_a_stamp_is_detected_whatever_is_declared(make):
    for unit in ("s", "ms", "us", "ns", "iso"):
        source = make(TRADES.replace('"ms"', f'"{unit}"'), f__csv=rows(f"{T0},1,1,B"))
        assert times(tables(source)[0]) == [T0 * MS]


def test_a_file_without_a_time_is_refused(make):
    with pytest.raises(DataError, match=r"f.csv:2: expected t to be a time .*, found '17'"):
        tables(make(TRADES, f__csv=rows("17,1,1,B")))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0,1,B", "price is not a price above 0"),
        (",1,B", "price is not a price above 0"),
        ("inf,1,B", "price is not a price above 0"),
        ("1,0,B", "size is not an amount above 0"),
        ("1,-1,B", "size is not an amount above 0"),
        ("1,1,X", "side is no word for a side"),
    ],
)
def test_rows_no_market_can_have_are_left_out_and_named(make, line, reason):
    source = make(TRADES, f__csv=rows(f"{T0},1,1,B", f"{T0},{line}", f"{T0},2,1,A"))
    parts, report = tables(source)
    assert column(parts, "price") == [1.0, 2.0]
    assert report.bad == {reason: 1}
    assert f"f.csv:3: {reason}: found" in report.notes[0]
    assert report.rows == 2


def test_at_from_and_to_say_when_a_row_is_known(make):
    """A bar stamped with its start is known at its end, a reading at its stamp (trap 4)."""
    bar = 'open = "p", high = "p", low = "p", close = "p", volume = "s"'
    text = f"t,p,s\n{T0},1,1\n"
    for means, at in (("from", T0 * MS + HOUR), ("to", T0 * MS)):
        source = make(toml("candles", bar, means, "1h"), f__csv=text)
        assert times(tables(source)[0]) == [at]
    for means, at in (("at", T0 * MS), ("from", T0 * MS + HOUR), ("to", T0 * MS)):
        source = make(toml("open_interest", 'size = "s"', means, "1h"), f__csv=text)
        assert times(tables(source)[0]) == [at]


def test_contracts_and_quote_amounts_become_base_coin(make):
    """Traps 2 and 5: OKX counts contracts of coins, COIN-M contracts of dollars."""
    sized = 'price = "p", size = "s", side = "side"'
    text = rows(f"{T0},50000,100,B")
    for unit, size in (
        ("base", 100.0),
        ("contracts:0.01", 1.0),
        ("quote", 100 / 50_000),
        ("quote:100", 10_000 / 50_000),
    ):
        source = make(toml("trades", sized, more=f'unit = {{ size = "{unit}" }}'), f__csv=text)
        assert column(tables(source)[0], "size") == [pytest.approx(size)]


def test_rates_come_as_fractions_with_their_interval(make):
    """Trap 3: percent, fractions, 8 h and 1 h live side by side."""
    text = f"t,r,h\n{T0},0.01,4\n"
    source = make(
        toml("funding", 'rate = "r"', more='unit = { rate = "percent" }\nspan = "8h"'), f__csv=text
    )
    assert column(tables(source)[0], "rate") == [0.0001]
    source = make(
        toml("funding", 'rate = "r", interval = "h"', more='unit = { interval = "h" }'), f__csv=text
    )
    assert column(tables(source)[0], "interval") == [4.0 * HOUR]


def test_a_ratio_of_longs_to_shorts_becomes_a_share(make):
    source = make(
        toml("ratios", 'accounts = "r"', more='unit = { accounts = "ratio" }'),
        f__csv=f"t,r\n{T0},3\n{T0 + 1},-3\n",
    )
    parts, report = tables(source)
    assert column(parts, "accounts") == [0.75]
    assert report.bad == {"accounts is not a share from 0 to 1": 1}


def test_a_column_may_be_derived_or_constant(make):
    source = make(
        toml("open_interest", 'size = "s", price = { of = "u", by = "s" }'),
        f__csv=f"t,s,u\n{T0},2,10\n{T0 + 1},0,0\n",
    )
    parts, report = tables(source)
    assert column(parts, "price") == [5.0]
    assert report.bad == {"price is not a price above 0": 1}
    source = make(
        toml("trades", 'price = "p", size = 1, side = "side"'), f__csv=rows(f"{T0},2,9,B")
    )
    assert column(tables(source)[0], "size") == [1.0]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ('venue = "binance"', [1.0, 3.0]),
        ("n = 7", [1.0, 2.0]),
        ("venue = 7", []),
        ("s = 7", [2.0]),
        ("ok = true", [3.0]),
        ('venue = "binance", n = 8', [3.0]),
        ('venue = "kraken"', []),
    ],
)
def test_rows_are_picked_by_value(make, where, kept):
    text = (
        "t,p,s,side,venue,n,ok\n"
        f"{T0},1,1,B,binance,7,false\n{T0},2,7,B,okx,7.0,False\n{T0},3,3,B,binance,8,True\n"
    )
    source = make(
        toml("trades", 'price = "p", size = "s", side = "side"', more=f"where = {{ {where} }}"),
        f__csv=text,
    )
    assert column(tables(source)[0], "price") == kept


def test_equal_prints_without_an_id_are_real_and_equal_ids_are_not(make):
    text = f"t,p,s,side,id\n{T0},1,1,B,5\n{T0},1,1,B,5\n{T0 + 1},1,1,B,6\n{T0 + 2},1,1,B,5\n"
    assert len(times(tables(make(TRADES, f__csv=text))[0])) == 4
    with_id = TRADES.replace('side = "side"', 'side = "side", id = "id"')
    parts, report = tables(make(with_id, f__csv=text))
    assert times(parts) == [T0 * MS, (T0 + 1) * MS]
    assert report.bad == {"duplicate id": 2}


def test_duplicate_ids_are_found_across_files_and_words_are_ids_too(make, tmp_path):
    with_id = TRADES.replace('side = "side"', 'side = "side", id = "id"')
    late = T0 + 60_000
    first = f"t,p,s,side,id\n{T0},1,1,B,a\n{late},1,1,B,b\n"
    (tmp_path / "f.d.csv").write_text(f"t,p,s,side,id\n{late},1,1,B,b\n{late + 9_000},1,1,B,c\n")
    parts, report = tables(make(with_id, f__csv=first))
    assert column(parts, "id") == ["a", "b", "c"]
    assert report.bad == {"duplicate id": 1}


def test_ids_that_are_words_and_numbers_in_one_block_are_distinct(make):
    with_id = TRADES.replace('side = "side"', 'side = "side", id = "id"')
    lines = "".join(f"{T0 + n},1,1,B,{id_}\n" for n, id_ in enumerate(("7", "x", "7", "x", "8")))
    parts, report = tables(make(with_id, f__csv=f"t,p,s,side,id\n{lines}"))
    assert column(parts, "id") == ["7", "x", "8"]
    assert report.bad == {"duplicate id": 2}


def test_readings_are_distinct_by_stamp(make):
    source = make(toml("open_interest", 'size = "s"'), f__csv=f"t,s\n{T0},1\n{T0},2\n{T0 + 1},3\n")
    parts, report = tables(source)
    assert column(parts, "size") == [1.0, 3.0]
    assert report.bad == {"duplicate stamp": 1}


def test_rows_out_of_order_are_put_in_place_and_counted(make):
    source = make(TRADES, f__csv=rows(f"{T0},1,1,B", f"{T0 + 90_000},3,1,B", f"{T0 + 1000},2,1,B"))
    parts, report = tables(source)
    assert column(parts, "price") == [1.0, 2.0, 3.0]
    assert report.bad == {}
    assert report.notes[0].endswith("f.csv:4: rows out of order: put in place")
    assert [tally.moved for tally in report.files.values()] == [1]


def test_files_are_read_in_the_order_of_their_stamps(make, tmp_path):
    (tmp_path / "f.a.csv").write_text(rows(f"{T0 + 10_000},2,1,B", f"{T0 + 60_000},4,1,B"))
    source = make(TRADES, f__csv=rows(f"{T0},1,1,B", f"{T0 + 30_000},3,1,B"))
    parts, report = tables(source)
    assert column(parts, "price") == [1.0, 2.0, 3.0, 4.0]
    assert (report.bad, report.notes) == ({}, [])


def test_one_stamp_far_from_its_neighbours_is_left_out(make):
    lines = [f"{T0 + n},1,1,B" for n in range(10)]
    for wrong in (T0 * 2, T0 - 86_400_000_000):
        source = make(TRADES, f__csv=rows(*lines[:5], f"{wrong},9,1,B", *lines[5:]))
        parts, report = tables(source)
        assert column(parts, "price") == [1.0] * 10
        assert sum(report.bad.values()) == 1


def test_an_unreadable_file_is_skipped_and_the_rest_read(make, tmp_path):
    (tmp_path / "f.a.csv").write_text("a,b\n1,2\n")
    parts, report = tables(make(TRADES, f__csv=rows(f"{T0},1,1,B")))
    assert column(parts, "price") == [1.0]
    assert report.bad == {"unreadable file": 1}
    assert "f.a.csv:1: unreadable file: expected a column 'p'" in report.notes[0]
    assert report.code == 3


@pytest.mark.parametrize("own", ["BTCUSDT", "BTC/USDT:USDT", "btc-usdt", "BTC-USDT-SWAP", "BTC"])
def test_rows_of_other_markets_are_counted_and_never_taken(make, own):
    text = f"t,p,s,side,Symbol\n{T0},1,1,B,{own}\n{T0},9,1,B,ETHUSDT\n{T0},8,1,B,BTCUSDC\n"
    parts, report = tables(make(TRADES, f__csv=text))
    assert column(parts, "price") == [1.0]
    assert report.bad == {"foreign market": 2}
    assert report.code == 0


def test_a_bar_whose_high_is_not_the_highest_is_left_out(make):
    bar = 'open = "o", high = "h", low = "l", close = "c", volume = "v"'
    text = f"t,o,h,l,c,v\n{T0},2,1,1,1,1\n{T0 + 60000},2,3,2.5,2,1\n{T0 + 120000},2,3,1,2,1\n"
    parts, report = tables(make(toml("candles", bar, "from", "1m"), f__csv=text))
    assert times(parts) == [T0 * MS + 3 * MINUTE]
    assert report.bad == {"high is below open or close": 1, "low is above open or close": 1}


def test_null_prices_of_positions_and_indexes_are_kept(make):
    source = make(
        toml("positions", 'account="a", size="s", entry="e", holder="h", liquidation="l"'),
        f__csv=f"t,a,s,e,h,l\n{T0},x,1,,Short,\n",
    )
    (part,), report = tables(source)
    assert np.isnan(part.columns["liquidation"]).all()
    assert part.columns["holder"].tolist() == [-1.0]
    assert report.bad == {}
    source = make(toml("mark", 'price = "p", index = "i"'), f__csv=f"t,p,i\n{T0},5,\n")
    assert column(tables(source)[0], "price") == [5.0]


def test_a_file_of_another_kind_is_refused(make):
    with pytest.raises(DataError, match=r"f.parquet:1: expected a column 'p', found x"):
        tables(make(TRADES, f__parquet="x"))


def test_json_lines_and_gzip_are_read_like_csv(make):
    source = make(TRADES, f__jsonl__gz=f'{{"t":{T0},"p":1.5,"s":"2","side":"A"}}\n')
    parts, _ = tables(source)
    assert (column(parts, "price"), column(parts, "side")) == ([1.5], [-1.0])


def test_a_column_a_series_lacks_is_the_missing_value():
    table = Table(np.array([1, 2]), {"a": np.array([1, 2])}, np.array([1, 2]), "f")
    assert floats(table, "a").tolist() == [1.0, 2.0]
    assert floats(table, "b", 7.0).tolist() == [7.0, 7.0]


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=60))
def test_what_comes_out_rises_and_nothing_vanishes_uncounted(tmp_path_factory, offsets):
    folder = tmp_path_factory.mktemp("order")
    (folder / "f.csv").write_text(rows(*(f"{T0 + at},1,1,B" for at in offsets)))
    (folder / "s.toml").write_text('root = "."\n' + TRADES)
    parts, report = tables(load(folder / "s.toml"))
    got = times(parts)
    assert got == sorted(got)
    lost = report.bad.get("row too far out of order", 0)
    lost += report.bad.get("row far ahead of its neighbours", 0)
    assert len(got) + lost == len(offsets) == report.rows + lost
    highest = np.maximum.accumulate(offsets)
    if (np.array(offsets) >= highest - 5 * SECOND // MS).all():
        assert "row too far out of order" not in report.bad
