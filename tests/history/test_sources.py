"""Source files: what is read, and what is refused with file and line."""

import re
from pathlib import Path

import pytest

from powderkeg.errors import ConfigError
from powderkeg.events import DAY, HOUR, MINUTE
from powderkeg.history.sources import RatioColumn, Series, coin_of, load, span_of

GOOD = """
name = "x"

[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "open_interest"
files = ["oi.csv"]
time = { column = "ts_ms", unit = "ms", means = "at", every = "5m" }
columns = { size = "oi_base", price = { of = "oi_usd", by = "oi_base" } }

[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "funding"
files = ["f.csv"]
time = { column = "ts_ms" }
columns = { rate = "r" }
span = "8h"
"""


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value).removeprefix(str(path))


def test_a_source_file_is_read(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(GOOD)
    source = load(path)
    first, second = source.series
    assert (source.name, source.coins()) == ("x", ["BTC"])
    assert (first.id, first.every, first.length, first.line) == (
        "binance:BTCUSDT",
        5 * MINUTE,
        5 * MINUTE,
        4,
    )
    assert first.columns["price"] == RatioColumn("oi_usd", "oi_base")
    assert (second.length, second.every, second.line) == (8 * HOUR, 0, 12)


def test_data_is_below_the_variable_else_the_root_key_else_beside_the_file(tmp_path, monkeypatch):
    path = tmp_path / "s.toml"
    path.write_text(GOOD)
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    assert load(path).root == tmp_path
    path.write_text('root = "sub"\n' + GOOD)
    assert load(path).root == tmp_path / "sub"
    monkeypatch.setenv("POWDERKEG_DATA", "/elsewhere")
    assert load(path).root == Path("/elsewhere")


def test_the_first_folder_that_holds_any_of_the_files_is_taken(tmp_path, monkeypatch):
    path = tmp_path / "s.toml"
    path.write_text('root = "sub"\n' + GOOD)
    (tmp_path / "oi.csv").touch()
    monkeypatch.setenv("POWDERKEG_DATA", "/elsewhere")
    assert load(path).root == tmp_path
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "oi.csv").touch()
    assert load(path).root == tmp_path / "sub"


def test_files_are_found_by_glob_in_order_and_once(tmp_path, monkeypatch):
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()
    path = tmp_path / "s.toml"
    path.write_text(GOOD.replace('["oi.csv"]', '["*.csv", "a.csv"]'))
    source = load(path)
    assert [p.name for p in source.files(source.series[0])] == ["a.csv", "b.csv"]
    with pytest.raises(ConfigError, match=r"s.toml:12: expected f.csv below .* found no such file"):
        source.files(source.series[1])


@pytest.mark.parametrize(
    ("change", "line", "why"),
    [
        (("kind = ", "kindd = "), 7, "unknown field `kindd`"),
        (('unit = "ms", ', 'unit = "hours", '), 9, "Invalid enum value 'hours'"),
        (('name = "x"', 'name = "x"\nnonsense = 1'), 1, "unknown field `nonsense`"),
        (('name = "x"', 'name = "x'), 2, "line 2"),
        (('kind = "open_interest"', 'kind = "cot"'), 7, "kind 'cot' is not supported; supported"),
        (('files = ["oi.csv"]', "files = []"), 8, "at least one file"),
        (('files = ["oi.csv"]', 'files = ["../oi.csv"]'), 8, "below the root"),
        (('size = "oi_base", ', ""), 10, "need a column 'size'"),
        (("price = {", "prise = {"), 10, "no column 'prise'"),
        (('every = "5m"', 'every = "5x"'), 9, "expected a span such as"),
        (('"at", every = "5m"', '"from"'), 9, 'means = "from" needs every or span'),
        (('span = "8h"', ""), 15, "funding needs its interval"),
        (('span = "8h"', 'span = "8 hours"'), 19, "expected a span such as"),
        (('time = { column = "ts_ms" }\n', ""), 15, "funding need time"),
        (('span = "8h"', 'span = "8h"\nunit = { rate = "bps" }'), 20, "fraction|percent"),
        (('span = "8h"', 'span = "8h"\nunit = { size = "base" }'), 20, "not among the columns"),
        (('span = "8h"', 'span = "8h"\nbars = { volume = "x:y" }'), 20, "bars are made from"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, change, line, why):
    message = refused(tmp_path, GOOD.replace(*change))
    assert message.startswith(f":{line}: "), message
    assert why in message


SERIES = """name = "x"
[[series]]
venue = "v"
market = "BTCUSDT"
kind = "{kind}"
files = ["{file}"]
time = {{ column = "t", means = "{means}"{every} }}
columns = {{ {columns} }}
"""


def one(kind, columns, means="at", every="", file="f.csv"):
    return SERIES.format(kind=kind, columns=columns, means=means, every=every, file=file)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (one("trades", 'price = "p", size = "s"'), "one of the columns side, maker"),
        (one("trades", 'price = "p", size = "s", side = "x"', "from"), "means at, found 'from'"),
        (
            one("candles", 'open="o", high="h", low="l", close="c", volume="v"'),
            "means from or to, found 'at'",
        ),
        (
            one("candles", 'open="o", high="h", low="l", close="c", volume="v"', "to"),
            "candles need span",
        ),
        (one("open_interest", 'size = "s"') + 'unit = { size = "quote" }', "needs a price column"),
        (
            one("liquidation_bars", 'long = "l", short = "s"', "from", ', every = "1h"')
            + 'unit = { long = "quote" }',
            "one unit for 'long' and 'short'",
        ),
        (
            one("open_interest", 'size = "s", price = "p"', "at", ', every = "5m"')
            + 'bars = { volume = "v:NONE" }',
            "bars name 'v:NONE', which has no candles here",
        ),
        (one("wire", ""), 'needs stamp = "us" or "ns"'),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, text, why):
    assert why in refused(tmp_path, text)


def test_a_file_that_is_not_there_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match="expected a source file: No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "span"), [("5m", 5 * MINUTE), ("8h", 8 * HOUR), ("1d", DAY), ("1s", 1_000_000)]
)
def test_spans_are_whole_numbers_of_a_unit(text, span):
    assert span_of(text) == span
    with pytest.raises(ValueError, match=re.escape(repr(text + " "))):
        span_of(text + " ")


@pytest.mark.parametrize(
    ("market", "coin"),
    [
        ("BTCUSDT", "BTC"),
        ("BTCUSD_PERP", "BTC"),
        ("ETH-USDT-SWAP", "ETH"),
        ("SOLUSDC", "SOL"),
        ("1000PEPEUSDT", "PEPE"),
        ("BTC", "BTC"),
        ("btc/usd", "btc/usd"),
    ],
)
def test_the_coin_is_read_off_the_symbol(market, coin):
    assert coin_of(Series("v", market, "trades", ("f",))) == coin


def test_a_given_coin_takes_precedence_and_a_coin_column_means_all():
    assert coin_of(Series("v", "XBTUSD", "trades", ("f",), coin="BTC")) == "BTC"
    assert coin_of(Series("v", "*", "positions", ("f",), columns={"coin": "c"})) == "*"


@pytest.mark.parametrize(
    "name",
    [
        "hyperliquid_202606",
        "btc_2026",
        "binance_minutes",
        "bad_print",
        "okx_202603",
        "minutes_2025",
        "whales_202602",
        "closed_world_2023",
    ],
)
def test_every_source_file_here_finds_its_data(recorded: Path, name):
    source = load(recorded / f"{name}.toml")
    assert all(source.files(series) for series in source.series)
