"""Records of what is traded."""

from typing import get_args

import msgspec
import numpy as np
import pytest

from powderkeg.events import (
    BookDelta,
    BookSnapshot,
    Candle,
    Candles,
    ClockTick,
    Event,
    Funding,
    Gap,
    Link,
    Liquidation,
    LiquidationBar,
    Mark,
    OpenInterest,
    Positions,
    Quote,
    Ratio,
    Trade,
    Trades,
)
from powderkeg.instruments import (
    Instrument,
    Tier,
    TierTable,
    coin_called,
    in_coins,
    spellings,
    unit_of,
)


def tiers(*rows):
    return TierTable("v", "X", "test", 0, tuple(Tier(*row) for row in rows))


def test_an_instrument_says_what_one_contract_is():
    inverse = Instrument(
        "binance-coin:BTCUSD_PERP", "BTC", "binance-coin", "perpetual", False, 100.0, 0.1
    )
    assert msgspec.json.decode(msgspec.json.encode(inverse), type=Instrument) == inverse


def test_deductions_that_close_every_step_make_a_table_continuous():
    assert tiers((0, 50e3, 125, 0.004, 0), (50e3, 1e6, 100, 0.005, 50.0)).continuous
    assert tiers((0, 50e3, 125, 0.004, 0)).continuous


def test_a_wrong_or_missing_deduction_is_a_step():
    assert not tiers((0, 50e3, 125, 0.004, 0), (50e3, 1e6, 100, 0.005, 0)).continuous
    assert not tiers((0, 50e3, 125, 0.004, 0), (50e3, 1e6, 100, 0.005, 51.0)).continuous


@pytest.mark.parametrize(
    ("symbol", "coin", "multiplier"),
    [
        ("1000PEPEUSDT", "PEPE", 1e3),
        ("1000SHIBUSDT", "SHIB", 1e3),
        ("1000BONKUSDC", "BONK", 1e3),
        ("1000CATUSDT", "CAT", 1e3),
        ("10000SATSUSDT", "SATS", 1e4),
        ("1000000MOGUSDT", "MOG", 1e6),
        ("1MBABYDOGEUSDT", "BABYDOGE", 1e6),
        ("SHIB1000USDT", "SHIB", 1e3),
        ("kPEPE", "PEPE", 1e3),
        ("1000PEPE", "PEPE", 1e3),
        ("PEPE-USDT-SWAP", "PEPE", 1.0),
        ("BTCUSD_PERP", "BTC", 1.0),
        ("BTCUSDT_250328", "BTC", 1.0),
        ("SOL_USDC-PERPETUAL", "SOL", 1.0),
        ("1INCHUSDT", "1INCH", 1.0),
        ("1CATUSDT", "1CAT", 1.0),
        ("0XUSDT", "0X", 1.0),
        ("4USDT", "4", 1.0),
        ("KAVAUSDT", "KAVA", 1.0),
        ("USDCUSDT", "USDC", 1.0),
        ("xyz:TSLA", "xyz:TSLA", 1.0),
        ("币安人生USDT", "币安人生USDT", 1.0),
    ],
)
def test_a_symbol_tells_its_coin_and_how_many_of_it_are_one(symbol, coin, multiplier):
    assert unit_of(symbol) == (coin, multiplier)


@pytest.mark.parametrize("coin", ["PEPE", "X", "1INCH", "4", "xyz:TSLA", "TUSD"])
def test_each_spelling_of_a_coin_means_that_coin(coin):
    names = spellings(coin)
    assert names[0] == coin
    assert {coin_called(name) for name in names} == {coin}
    assert all(unit_of(f"{name}USDT")[1] > 1 for name in names[1:])


def test_a_coin_is_sought_under_the_names_venues_give_it():
    assert {"kPEPE", "1000PEPE", "1MPEPE", "PEPE1000"} < set(spellings("PEPE"))
    assert spellings("xyz:TSLA") == ("xyz:TSLA",)


T = "v:1000X"
ONE = np.array([1.0])
MANY = np.array([1000.0])
PAIRS = [
    (Trade(T, 1, 2, 1000.0, 1.0, "buy"), Trade(T, 1, 2, 1.0, 1000.0, "buy")),
    (Quote(T, 1, 2, 1000.0, 1.0, 2000.0, 2.0, 7), Quote(T, 1, 2, 1.0, 1000.0, 2.0, 2000.0, 7)),
    (
        BookSnapshot(T, 1, 2, ((1000.0, 1.0),), ((2000.0, 2.0),), 7),
        BookSnapshot(T, 1, 2, ((1.0, 1000.0),), ((2.0, 2000.0),), 7),
    ),
    (
        BookDelta(T, 1, 2, ((1000.0, 1.0),), ((2000.0, 0.0),), 7, 8, 6),
        BookDelta(T, 1, 2, ((1.0, 1000.0),), ((2.0, 0.0),), 7, 8, 6),
    ),
    (Mark(T, 1, 2, 1000.0), Mark(T, 1, 2, 1.0)),
    (Mark(T, 1, 2, 1000.0, 2000.0), Mark(T, 1, 2, 1.0, 2.0)),
    (Funding(T, 1, 2, 0.1, 8), Funding(T, 1, 2, 0.1, 8)),
    (OpenInterest(T, 1, 2, 1.0), OpenInterest(T, 1, 2, 1000.0)),
    (Liquidation(T, 1, 2, 1000.0, 1.0, "long"), Liquidation(T, 1, 2, 1.0, 1000.0, "long")),
    (LiquidationBar(T, 1, 2, 1, 1.0, 2.0), LiquidationBar(T, 1, 2, 1, 1000.0, 2000.0)),
    (Ratio(T, 1, 2, "taker", 0.5), Ratio(T, 1, 2, "taker", 0.5)),
    (LiquidationBar(T, 1, 2, 1, 1.0, 2.0, True), LiquidationBar(T, 1, 2, 1, 1.0, 2.0, True)),
    (
        Candle(T, 1, 2, 1, 1000.0, 2000.0, 1000.0, 2000.0, 2.0, 1.0),
        Candle(T, 1, 2, 1, 1.0, 2.0, 1.0, 2.0, 2000.0, 1000.0),
    ),
    (Gap(T, 1, 2, 0, "x"), Gap(T, 1, 2, 0, "x")),
    (Link(T, 1, 2, "up"), Link(T, 1, 2, "up")),
    (ClockTick(1), ClockTick(1)),
]
RUNS = [
    (Trades(T, 1, 2, ONE, MANY, -ONE), Trades(T, 1, 2, ONE, ONE, -MANY)),
    (
        Candles(T, 1, 2, 1, ONE, *[MANY] * 4, *[ONE] * 3, *[MANY] * 3),
        Candles(T, 1, 2, 1, ONE, *[ONE] * 4, *[MANY] * 3, *[ONE] * 3),
    ),
    (
        Positions(T, 1, 2, ("a",), -ONE, MANY, MANY, ("b",)),
        Positions(T, 1, 2, ("a",), -MANY, ONE, ONE, ("b",)),
    ),
]


@pytest.mark.parametrize(("told", "meant"), PAIRS, ids=lambda event: type(event).__name__)
def test_an_event_by_the_thousand_is_turned_into_the_coins_unit(told, meant):
    assert in_coins(told, 1000.0) == meant
    assert in_coins(told, 1.0) is told


@pytest.mark.parametrize(("told", "meant"), RUNS, ids=lambda event: type(event).__name__)
def test_columns_by_the_thousand_are_turned_into_the_coins_unit(told, meant):
    got = in_coins(told, 1000.0)
    for name in type(told).__struct_fields__:
        np.testing.assert_array_equal(getattr(got, name), getattr(meant, name), err_msg=name)


def test_every_kind_of_event_has_a_unit_that_is_tested():
    assert {type(told) for told, _ in PAIRS + RUNS} == set(get_args(Event))
