"""Which market of each venue a coin has: asked of the venues, on loopback."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.live.collector import Collector
from powderkeg.live.network.listing import find_symbols
from powderkeg.simvenues import serve

VENUES = ("binance", "bybit", "okx", "bitget", "deribit", "hyperliquid")


def usd_m(symbol):
    tick = {"filterType": "PRICE_FILTER", "tickSize": "0.0000001"}
    told = {"symbol": symbol, "baseAsset": symbol.removesuffix("USDT"), "status": "TRADING"}
    return told | {"contractType": "PERPETUAL", "underlyingType": "COIN", "filters": [tick]}


def linear(symbol):
    told = {"symbol": symbol, "contractType": "LinearPerpetual", "status": "Trading"}
    return told | {"baseCoin": symbol.removesuffix("USDT"), "priceFilter": {"tickSize": "0.0001"}}


def swap(symbol):
    told = {"instId": symbol, "state": "live", "ctType": "linear", "ctVal": "10", "ctMult": "1"}
    return told | {"ctValCcy": symbol.partition("-")[0], "tickSz": "0.0001"}


def contract(symbol):
    told = {"symbol": symbol, "baseCoin": symbol.removesuffix("USDT"), "pricePlace": "4"}
    return told | {"symbolType": "perpetual", "symbolStatus": "normal", "priceEndStep": "1"}


def future(symbol):
    told = {"instrument_name": symbol, "base_currency": symbol.partition("_")[0]}
    return told | {"tick_size": 0.1, "contract_size": 1, "is_active": True}


def universe(*names):
    listed = [{"name": name, "szDecimals": 0, "maxLeverage": 10} for name in names]
    return {"universe": listed, "marginTables": []}


def bybit(*symbols, cursor=""):
    rows = [linear(symbol) for symbol in symbols]
    return {"retCode": 0, "result": {"list": rows, "nextPageCursor": cursor}, "time": 1}


LISTS = {
    "/fapi/v1/exchangeInfo": {"symbols": [usd_m("BTCUSDT"), usd_m("1000PEPEUSDT")]},
    "/v5/market/instruments-info": bybit("BTCUSDT", "1000PEPEUSDT", "SHIB1000USDT"),
    "/api/v5/public/instruments": {
        "code": "0",
        "data": [swap("PEPE-USDT-SWAP"), swap("BTC-USDT-SWAP")],
    },
    "/api/v2/mix/market/contracts": {"code": "00000", "data": [contract("PEPEUSDT")]},
    "/api/v2/public/get_instruments": {"result": [future("BTC-PERPETUAL")]},
    "/info": universe("BTC", "kPEPE"),
    "/info xyz": universe("xyz:TSLA"),
}
PEPE = {
    "binance": {"PEPE": "1000PEPEUSDT"},
    "bybit": {"PEPE": "1000PEPEUSDT"},
    "okx": {"PEPE": "PEPE-USDT-SWAP"},
    "bitget": {"PEPE": "PEPEUSDT"},
    "deribit": {},
    "hyperliquid": {"PEPE": "kPEPE"},
}


@pytest.fixture
def listed(server):
    """Return what serves lists of instruments, some of them changed, and gives the hosts."""

    async def start(**changed):
        async def answer(request):
            path = request.path
            if request.method == "POST":
                path = f"{path} {(await request.json()).get('dex', '')}".strip()
            told = changed.get(path, LISTS.get(path))
            if isinstance(told, int):
                return web.Response(status=told)
            return web.Response(body=json.dumps(told).encode())

        return {"*": await server(answer)}

    return start


async def test_a_coin_is_found_under_whatever_name_a_venue_trades_it(listed):
    symbols, lacking = await find_symbols(VENUES, ("PEPE",), await listed())
    assert symbols == PEPE
    assert lacking == ["deribit: lists no PEPE"]


async def test_a_coin_of_anothers_exchange_is_found_where_it_is(listed):
    symbols, lacking = await find_symbols(VENUES, ("xyz:TSLA", "BTC"), await listed())
    assert symbols["hyperliquid"] == {"xyz:TSLA": "xyz:TSLA", "BTC": "BTC"}
    assert symbols["binance"] == {"BTC": "BTCUSDT"}
    assert lacking == [
        "binance: lists no xyz:TSLA",
        "bybit: lists no xyz:TSLA",
        "okx: lists no xyz:TSLA",
        "bitget: lists no xyz:TSLA, BTC",
        "deribit: lists no xyz:TSLA",
    ]


@pytest.mark.parametrize(
    "told", [503, {"rubbish": 1}, {"retCode": 10006, "retMsg": "Too many visits", "time": 1}]
)
async def test_a_venue_that_does_not_say_what_it_lists_is_taken_to_have_the_usual(listed, told):
    hosts = await listed(**{"/v5/market/instruments-info": told})
    symbols, lacking = await find_symbols(("bybit", "okx"), ("PEPE",), hosts)
    assert symbols == {"bybit": {"PEPE": "PEPEUSDT"}, "okx": {"PEPE": "PEPE-USDT-SWAP"}}
    assert lacking == []


async def test_a_venue_that_cannot_be_reached_is_taken_to_have_the_usual(closed):
    symbols, _ = await find_symbols(("bybit",), ("PEPE",), {"*": closed})
    assert symbols == {"bybit": {"PEPE": "PEPEUSDT"}}


async def test_a_list_reported_in_part_says_of_no_coin_that_it_is_lacking(listed):
    hosts = await listed(**{"/v5/market/instruments-info": bybit("1000PEPEUSDT", cursor="x")})
    symbols, lacking = await find_symbols(("bybit",), ("PEPE", "ZRX"), hosts)
    assert symbols == {"bybit": {"PEPE": "1000PEPEUSDT", "ZRX": "ZRXUSDT"}}
    assert lacking == []


async def test_nobody_is_asked_for_coins_that_all_have(closed):
    symbols, lacking = await find_symbols(("okx", "deribit"), ("BTC", "SOL"), {"*": closed})
    assert symbols == {
        "okx": {"BTC": "BTC-USDT-SWAP", "SOL": "SOL-USDT-SWAP"},
        "deribit": {"BTC": "BTC-PERPETUAL", "SOL": "SOL_USDC-PERPETUAL"},
    }
    assert lacking == []


async def test_a_coin_that_no_venue_lists_is_an_error(listed):
    with pytest.raises(ConfigError, match="expected coins that okx, bitget list, found NOPE"):
        await find_symbols(("okx", "bitget"), ("NOPE",), await listed())


async def test_simulated_venues_say_what_they_list(monkeypatch):
    monkeypatch.setattr("powderkeg.live.network.listing.PLAIN", frozenset())
    async with await serve(["BTC"], days=0.1, venues=list(VENUES), rate=100) as simulator:
        symbols, lacking = await find_symbols(VENUES, ("BTC", "PEPE"), simulator.addresses)
    assert {name: each["BTC"] for name, each in symbols.items()} == {
        "binance": "BTCUSDT",
        "bybit": "BTCUSDT",
        "okx": "BTC-USDT-SWAP",
        "bitget": "BTCUSDT",
        "deribit": "BTC-PERPETUAL",
        "hyperliquid": "BTC",
    }
    assert lacking == [f"{name}: lists no PEPE" for name in VENUES]


def test_what_is_collected_are_the_markets_found_at_the_venues_that_have_any(closed):
    desks = {"PEPE": Desk("PEPE")}
    collector = Collector(desks, VENUES, hosts={"*": closed}, symbols=PEPE)
    assert list(collector.markets("PEPE")) == [
        "binance:1000PEPEUSDT",
        "bybit:1000PEPEUSDT",
        "okx:PEPE-USDT-SWAP",
        "bitget:PEPEUSDT",
        "hyperliquid:kPEPE",
    ]
    assert "deribit" not in collector.health().venues
    hello = b"".join(part for each in collector.connections for part in each.stream.subscribe)
    assert b'"coin":"kPEPE"' in hello
    assert b"publicTrade.1000PEPEUSDT" in hello


async def test_a_coin_that_only_some_venues_have_is_collected_from_those(listed):
    hosts = await listed()
    symbols, _ = await find_symbols(("binance", "deribit"), ("BTC", "PEPE"), hosts)
    desks = {coin: Desk(coin) for coin in ("BTC", "PEPE")}
    collector = Collector(desks, ("binance", "deribit"), hosts=hosts, symbols=symbols)
    assert list(collector.markets("BTC")) == ["binance:BTCUSDT", "deribit:BTC-PERPETUAL"]
    assert list(collector.markets("PEPE")) == ["binance:1000PEPEUSDT"]
