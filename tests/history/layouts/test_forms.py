"""A tiny file of each form, made from its documented layout, is recognised for what it is."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from powderkeg.history.importing.gather import scan
from powderkeg.history.importing.head import peek
from powderkeg.history.importing.source_file import source_text
from powderkeg.history.layouts.layout import Ask, Found, Unknown
from powderkeg.history.layouts.recognise import FORMS, recognise
from powderkeg.history.replay import events
from powderkeg.history.series.report import ReadReport
from powderkeg.history.sources import load

T = 1_735_689_600_000


def look(tmp_path: Path, name: str, content: object, coin: str = "") -> Found | Unknown:
    """Write a file and return what it is recognised as."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = content if isinstance(content, bytes) else str(content).encode()
    if name.endswith(".json"):
        raw = json.dumps(content).encode()
    if name.endswith(".gz"):
        raw = gzip.compress(raw)
    if name.endswith(".zip"):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("__MACOSX/._x.csv", b"\0\0")
            archive.writestr(path.stem + ".csv", raw)
        raw = held.getvalue()
    path.write_bytes(raw)
    return recognise(peek(path, tmp_path), Ask(coin))


def rows(*columns: str, n: int = 3) -> str:
    """Return CSV rows; ``{t}`` is a minute, ``{n}`` the number of the row."""
    return "\n".join(",".join(columns).format(t=T + i * 60_000, n=i) for i in range(n))


def kline(i: int) -> list[object]:
    return [T + i * 60_000, "100", "102", "99", "101", "5"]


BYBIT = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
    "foreignNotional\n1704067200.1234,BTCUSDT,Buy,0.01,42283.6,PlusTick,a,1,0.01,422\n"
)
OKX = "instrument_name,trade_id,side,price,size,created_time\nBTC-USDT-SWAP,1,buy,9,8,{t}\n"
TARDIS = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
TARDIS += "binance-futures,BTCUSDT,1735689600000000,1735689600000001,1,buy,100,2\n"
TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,"
    "predicted_funding_rate,open_interest,last_price,index_price,mark_price\n"
    "binance-futures,BTCUSDT,1735689600000000,1735689600000001,,0.0001,,5,100,100,100\n"
)
FEED = "exchange,symbol,side,quantity,price,id,status,timestamp,receipt_timestamp\n"
OHLC = "open,high,low,close"
BARS = "100,102,99,101"
SWAP = "OKX archive: trades, header in two languages"

CASES = [
    ("futures/um/BTCUSDT-aggTrades-2025-01-01.zip", rows("{n}", "9", "1", "1", "1", "{t}", "true"),
     "Binance archive: aggTrades", "binance:BTCUSDT", "zip"),
    ("x/BTCUSDT-aggTrades-2025-01-01.zip", rows("{n}", "9", "1", "1", "1", "{t}", "true", "true"),
     "Binance archive: aggTrades", "binance-spot:BTCUSDT", "zip"),
    ("um/markPriceKlines/BTCUSDT-1m-2025-01-01.zip", rows("{t}", BARS, "0", "{t}", "0,60,0,0,0"),
     "Binance archive: markPriceKlines", "binance:BTCUSDT", "zip"),
    ("cm/BTCUSD_PERP-1m-2025-01-01.zip", rows("{t}", BARS, "7", "{t}", "1,6,1,1,0"),
     "Binance archive: klines", "binance-coin:BTCUSD_PERP", "zip"),
    ("bybit/BTCUSDT2024-01-01.csv.gz", BYBIT, "Bybit archive: trades", "bybit:BTCUSDT", "trades"),
    ("BTC-USDT-SWAP-trades-2025-01-01.zip", OKX.format(t=T), "OKX archive: trades",
     "okx:BTC-USDT-SWAP", "trades"),
    ("BTC-USDT-SWAP-aggtrades-2022-01-01.csv",
     f"trade_id/交易ID,side/交易方向,size/数量,price/价格,created_time/成交时间\n1,buy,3,9,{T}\n",
     SWAP, "okx:BTC-USDT-SWAP", "trades"),
    ("allswap-fundingrates-2025-01-01.csv",
     f"instrument_name,funding_rate,funding_time\nBTC-USDT-SWAP,0.0001,{T}\n",
     "OKX archive: funding", "okx:BTC-USDT-SWAP", "funding"),
    ("BTCUSDT_UMCBL_20250101_001.csv",
     f"trade_id,timestamp,price,side,volume(quote),size(base)\n1,{T},100,buy,200,2\n",
     "Bitget archive: trades", "bitget:BTCUSDT", "trades"),
    ("binance-futures_trades_2025-01-01_BTCUSDT.csv.gz", TARDIS, "Tardis: trades",
     "binance:BTCUSDT", "trades"),
    ("binance-futures_liquidations_2025-01-01_BTCUSDT.csv.gz", TARDIS, "Tardis: liquidations",
     "binance:BTCUSDT", "liquidations"),
    ("derivative_ticker.csv", TICKER, "Tardis: derivative ticker", "binance:BTCUSDT", "mark"),
    ("liquidations.csv", FEED + "BYBIT,BTC-USDT-PERP,buy,1,9,,filled,1735689600.1,1735689600.2\n",
     "cryptofeed: liquidations of Bybit", "bybit:BTCUSDT", "liquidations"),
    ("binance/btcusdt_20240808.gz", f'{T}000001 {{"stream":"btcusdt@trade","data":{{}}}}\n' * 2,
     "recorded frames", "binance:BTCUSDT", "wire"),
    ("liq_BTC.json", {"code": "0", "data": [
        {"time": T + i * 3_600_000, "aggregated_long_liquidation_usd": "1",
         "aggregated_short_liquidation_usd": 2} for i in range(2)]},
     "CoinGlass: liquidations of all venues", "aggregate:BTC", "liquidation_bars"),
    ("binance/oi_BTCUSDT.json", {"code": "0", "data": [
        {"time": T + i * 3_600_000, "open": "9", "high": "9", "low": "9", "close": "9"}
        for i in range(2)]},
     "CoinGlass: open interest in coin", "binance:BTCUSDT", "open_interest"),
    ("bybit/BTCUSDT.json", [kline(i) for i in range(3)], "ccxt: fetchOHLCV", "bybit:BTCUSDT",
     "candles"),
    ("okx/trades.json", [{"timestamp": T, "datetime": "x", "symbol": "BTC/USDT:USDT", "id": "1",
                          "side": "buy", "price": 9.0, "amount": 2.0}],
     "ccxt: fetchTrades", "okx:BTC-USDT-SWAP", "trades"),
    ("klines_BTCUSDT.json", [[*kline(i), T, "1", 1, "2", "1", "0"] for i in range(3)],
     "Binance REST: klines", "file:BTCUSDT", "candles"),
    ("BTCUSDT.json", {"retCode": 0, "result": {"category": "linear", "list": [
        [str(v) for v in (*kline(3 - i), "500")] for i in range(3)]}},
     "Bybit REST: kline", "bybit:BTCUSDT", "candles"),
    ("BTC-USDT-SWAP.json", {"code": "0", "data": [
        [*kline(3 - i), "0.05", "500", "1"] for i in range(3)]},
     "OKX REST: candles", "okx:BTC-USDT-SWAP", "candles"),
    ("trades.json", {"result": {"trades": [
        {"timestamp": T, "price": 9.0, "amount": 10, "direction": "buy", "trade_id": "1",
         "index_price": 9.0, "instrument_name": "BTC-PERPETUAL"}]}},
     "Deribit REST: trades", "deribit:BTC-PERPETUAL", "trades"),
    ("hl.json", [{"t": T + i * 60_000, "T": 1, "s": "BTC", "i": "1m", "o": "1", "c": "1", "h": "1",
                  "l": "1", "v": "2", "n": 3} for i in range(3)],
     "Hyperliquid: candleSnapshot", "hyperliquid:BTC", "candles"),
    ("excel_BTCUSDT.csv", "Zeit;Open;High;Low;Close;Volumen\n" + "\n".join(
        f"01.01.2025 00:{m};1,0;2,0;0,5;1,5;12,5" for m in ("00", "15", "30")),
     "a table of candles", "file:BTCUSDT", "candles"),
    ("Binance_BTCUSDT_1h.csv",
     "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume BTC,"
     "Volume USDT,tradecount\n" + rows("{t}", "2025-01-01", "BTCUSDT", BARS, "5", "500", "9"),
     "a table of candles", "binance:BTCUSDT", "candles"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "form", "market", "kind"), CASES)
def test_a_file_of_a_documented_layout_is_recognised(tmp_path, name, content, form, market, kind):
    found = look(tmp_path, name, content)
    assert isinstance(found, Found), found
    assert (found.form, found.series[0].id, found.series[0].kind) == (form, market, kind)


@pytest.mark.parametrize(("name", "content", "form", "market", "kind"), CASES)
def test_what_is_recognised_can_be_read(tmp_path, name, content, form, market, kind):
    if kind == "wire":
        pytest.skip("frames are read by their venue, see tests/history/test_recordings.py")
    look(tmp_path, name, content)
    found = scan([tmp_path], Ask(), lambda done, total: None)  # noqa: ARG005
    target = tmp_path / "made.toml"
    target.write_text(source_text("made", ".", found.groups))
    source, report = load(target), ReadReport()
    source = msgspec.structs.replace(source, root=tmp_path)
    for coin in found.coins():
        for _ in events(source, coin, report=report):
            pass
    assert report.rows > 0, form
    assert report.bad == {}, market


def test_every_form_says_where_its_layout_is_documented():
    assert [form.name for form in FORMS if not form.source] == []


def test_sizes_of_venues_that_trade_contracts_are_contracts(tmp_path):
    okx = look(tmp_path, "BTC-USDT-SWAP-trades-2025-01-01.csv", OKX.format(t=T))
    coin = look(tmp_path, "cm/BTCUSD_PERP-aggTrades-2025-01-01.csv", rows(*"1234567"))
    assert okx.series[0].unit == {"size": "contracts:0.01"}
    assert coin.series[0].unit["size"] == "quote:100"


def test_an_unknown_contract_size_is_asked_for(tmp_path):
    text = OKX.format(t=T).replace("BTC-", "NEWCOIN-")
    found = look(tmp_path, "NEWCOIN-USDT-SWAP-trades-2025-01-01.csv", text)
    assert "contracts:" in found.why


def test_a_file_of_several_markets_is_one_series_for_each(tmp_path):
    text = "instrument_name,funding_rate,funding_time\n"
    text += "".join(f"{coin}-USDT-SWAP,0.0001,{T}\n" for coin in ("BTC", "ETH"))
    found = look(tmp_path, "allswap-fundingrates-2025-01-01.csv", text)
    assert [each.where for each in found.series] == [
        {"instrument_name": "BTC-USDT-SWAP"}, {"instrument_name": "ETH-USDT-SWAP"},
    ]  # fmt: skip


def test_frames_of_several_markets_are_one_series_for_each(tmp_path):
    frame = '{t} {{"stream": "x@trade", "data": {{"s": "{symbol}"}}}}\n'
    text = "".join(frame.format(t=T * 1000, symbol=s) for s in ("BTCUSDT", "ETHUSDT"))
    found = look(tmp_path, "combined.txt.gz", text)
    assert [each.id for each in found.series] == ["binance:BTCUSDT", "binance:ETHUSDT"]


def test_coinglass_orders_are_separated_by_their_side(tmp_path):
    row = {"exchange_name": "BINANCE", "symbol": "BTCUSDT", "base_asset": "BTC", "price": 9.0,
           "usd_value": 5.0, "side": 1, "time": T}  # fmt: skip
    found = look(tmp_path, "orders.json", {"code": "0", "data": [row, row | {"side": 2}]})
    assert [(s.id, s.columns["side"], s.where["side"]) for s in found.series] == [
        ("binance:BTCUSDT", 1, 1), ("binance:BTCUSDT", -1, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["bookDepth", "bookTicker"])
def test_files_without_events_are_named_and_not_taken(tmp_path, kind):
    found = look(tmp_path, f"BTCUSDT-{kind}-2025-01-01.csv", "timestamp,a,b\n1,2,3\n")
    assert (found.series, "no event" in found.note) == ((), True)


def test_premium_candles_have_no_use(tmp_path):
    name = "premiumIndexKlines/BTCUSDT-1m-2025-01-01.csv"
    found = look(tmp_path, name, rows("{t}", "-0.1,0.2,-0.3,0.1", "0", "{t}", "0,60,0,0,0"))
    assert found.series == ()


def test_candles_without_volume_and_folder_are_not_taken_for_prices(tmp_path):
    name = "BTCUSDT-1m-2025-01-01.csv"
    found = look(tmp_path, name, rows("{t}", BARS, "0", "{t}", "0,60,0,0,0"))
    assert "markPriceKlines" in found.why


def test_trades_of_tardis_without_their_name_are_not_guessed(tmp_path):
    assert "the same columns" in look(tmp_path, "rows.csv", TARDIS).why


def test_open_interest_is_not_taken_for_prices(tmp_path):
    found = look(tmp_path, "open_interest_BTCUSDT_1h.csv", f"time,{OHLC}\n" + rows("{t}", BARS))
    assert isinstance(found, Unknown)


def test_open_interest_in_dollars_alone_is_not_taken(tmp_path):
    data = [{"time": T + i, "open": 6e10, "high": 6e10, "low": 6e10, "close": 6e10} for i in (0, 1)]
    found = look(tmp_path, "oi_BTC.json", {"code": "0", "data": data})
    assert "unit=coin" in found.why


def test_two_columns_that_may_be_one_thing_are_named(tmp_path):
    found = look(tmp_path, "BTCUSDT.csv", f"time,{OHLC},volume,Volume\n" + rows("{t}", BARS, "1,2"))
    assert "'volume' and 'Volume'" in found.why


def test_volume_in_dollars_is_not_taken_for_coins(tmp_path):
    found = look(tmp_path, "BTCUSDT.csv", f"time,{OHLC},volume_usd\n" + rows("{t}", BARS, "9"))
    assert found.series[0].unit == {"volume": "quote"}


def test_fills_of_hyperliquid_are_not_taken_for_liquidations(tmp_path):
    name = "hyperliquid/trades_BTC.csv"
    found = look(tmp_path, name, "time,px,sz,side\n" + rows("{t}", "9", "1", "B"))
    assert [each.kind for each in found.series] == ["trades"]


def test_a_date_and_a_time_of_day_in_two_columns_are_not_taken_for_one_stamp(tmp_path):
    lines = "\n".join(f"2025-01-01,00:0{i},{BARS},5" for i in range(6))
    found = look(tmp_path, "BTCUSDT.csv", f"date,time,{OHLC},volume\n{lines}")
    assert "two columns" in found.why


def test_a_table_without_a_market_asks_for_it_and_takes_the_coin(tmp_path):
    rows_ = [kline(i) for i in range(3)]
    assert "--coin" in look(tmp_path, "ohlcv.json", rows_).why
    assert look(tmp_path, "ohlcv.json", rows_, "BTC").series[0].coin == "BTC"


def test_one_file_a_snapshot_has_its_time_in_a_comment(tmp_path):
    text = "#ts,2026-08-29T05:34:12+00:00,px,78640.5\naddr,size,entry,liq,lev,acct_value\n"
    text += "0x01,-7.3,78632.2,234635.6,3,1173198\n"
    (series,) = look(tmp_path, "20260829T0534_full.csv.gz", text, "BTC").series
    assert (series.id, series.kind) == ("hyperliquid:BTC", "positions")
    assert (series.time.column, series.columns["holder"]) == ("ts", "size")


def test_one_file_a_snapshot_has_its_time_in_its_name(tmp_path):
    text = "addr,size,entry,liq,lev,acct_value\n0x01,-7.3,78632.2,234635.6,3,1173198\n"
    (series,) = look(tmp_path, "20260829T0534_full.csv", text, "BTC").series
    assert series.time.column == "@name"


def test_feather_of_freqtrade_and_parquet_are_recognised_by_their_columns(tmp_path):
    table = pa.table(
        {"date": pa.array([T, T + 3_600_000], pa.timestamp("ms", "UTC"))}
        | {name: [1.0, 1.0] for name in ("open", "high", "low", "close", "volume")}
    )
    for tail, kind in (("futures", "candles"), ("mark", "mark"), ("funding_rate", "funding")):
        path = tmp_path / f"BTC_USDT_USDT-1h-{tail}.feather"
        feather.write_feather(table, path)
        found = recognise(peek(path), Ask())
        assert (found.series[0].kind, found.series[0].market) == (kind, "BTCUSDT")
    path = tmp_path / "BTCUSDT.parquet"
    parquet.write_table(table, path)
    assert recognise(peek(path), Ask()).series[0].time.every == "1h"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"SQLite format 3\0" + b"\0" * 90, "SQLite"),
        (b"", "empty"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"{not json", "not JSON"),
        (b"hello world\nthis is prose\n", ""),
    ],
)
def test_what_is_no_table_says_so_in_a_sentence(tmp_path, raw, word):
    path = tmp_path / "x.bin"
    path.write_bytes(raw)
    found = recognise(peek(path), Ask())
    assert isinstance(found, Unknown)
    assert word in found.why
