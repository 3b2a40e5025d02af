"""Liquidation prices of single positions, against published examples and the exact formulas."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.exposure.classes import MAINTENANCE
from powderkeg.engine.exposure.liquidation import Position, bracket, liquidation_price
from powderkeg.events import SECOND
from powderkeg.grid import BIN
from powderkeg.history.margin_tiers import at
from powderkeg.instruments import Tier, TierTable

NOW = 1_790_000_000 * SECOND
BINANCE = at("binance", "BTCUSDT", NOW)


@pytest.mark.parametrize(
    ("size", "leverage", "side", "price"),
    [
        (1.0, 10, "long", 54_216.9), (1.0, 10, "short", 65_737.1), (1.0, 25, "long", 57_831.3),
        (1.0, 25, "short", 62_151.4), (1.0, 50, "long", 59_036.1), (1.0, 100, "long", 59_638.6),
        (100.0, 10, "long", 54_424.2), (100.0, 20, "long", 57_454.5), (100.0, 50, "long", 59_272.7),
    ],
)  # fmt: skip
def test_published_positions_on_binance(size, leverage, side, price):
    found = liquidation_price(Position(60_000.0, size, leverage, side), BINANCE)
    assert found.price == pytest.approx(price, abs=0.06)
    assert found.distance == pytest.approx(found.price / 60_000 - 1)


def test_the_liquidation_price_is_not_the_bankruptcy_price():
    found = liquidation_price(Position(105_000.0, 0.01, 25, "long"), BINANCE)
    assert found.price == pytest.approx(101_204.8, abs=0.05)
    assert found.bankruptcy == pytest.approx(100_800.0)
    assert (found.rate, found.why) == (0.004, "")


def test_a_leverage_above_that_of_the_bracket_has_no_price_and_says_why():
    found = liquidation_price(Position(60_000.0, 100.0, 100, "long"), BINANCE)
    assert (found.price, found.distance) == (None, None)
    assert found.why == "at most 50x at this size"
    assert found.leverage_limit == 50


def test_a_size_that_is_not_allowed_has_no_price():
    found = liquidation_price(Position(60_000.0, 1e6, 1, "long"), BINANCE)
    assert found.price is None
    assert found.why.startswith("more than the 1,800,000,000")


def test_the_rate_is_that_of_the_bracket_at_the_liquidation_price():
    position = Position(60_000.0, 5.2, 5, "long")  # 312 k at entry, 250 k where it is liquidated
    found = liquidation_price(position, BINANCE)
    assert found.rate == 0.004


def test_a_fee_brings_the_price_nearer():
    position = Position(100.0, 1.0, 10, "long")
    without, added = (liquidation_price(position, BINANCE, fee=fee) for fee in (0.0, 0.0006))
    assert without.price < added.price < 100


def test_an_inverse_short_of_one_time_leverage_is_never_liquidated():
    table = TierTable("x", "y", "test", 0, (Tier(0.0, 1e9, 50.0, 0.01, 0.0),))
    found = liquidation_price(Position(100.0, 1.0, 1, "short"), table, inverse=True)
    assert (found.price, found.why) == (None, "no price liquidates it")
    assert liquidation_price(Position(100.0, 1.0, 10, "long"), table, inverse=True).price < 100


def test_the_rate_of_deribit_grows_with_size():
    table = at("deribit", "BTC-PERPETUAL", NOW)
    small, large = (
        liquidation_price(Position(60_000.0, size, 10, "long"), table, inverse=True)
        for size in (1.0, 100.0)
    )
    coins = 60_000 / small.price
    assert small.rate == pytest.approx(0.01 + 0.00005 * coins)
    assert large.rate == pytest.approx(0.01 + 0.00005 * 100 * 60_000 / large.price)
    assert small.price < large.price


@given(st.floats(1.0, 2e9))
def test_a_notional_lies_in_its_bracket(notional):
    tier = bracket(BINANCE, notional)
    assert tier.floor <= notional
    assert notional <= tier.cap or tier == BINANCE.tiers[-1]


@pytest.mark.parametrize(
    ("venue", "symbol", "notional", "bins"),
    [
        ("binance", "BTCUSDT", 1e4, 2.0), ("binance", "BTCUSDT", 1e6, 0.1),
        ("binance", "BTCUSDT", 1e7, -7.6), ("binance", "SOLUSDT", 1e6, -7.0),
        ("bybit", "BTCUSDT", 1e6, 0.0), ("hyperliquid", "BTC", 1e6, -15.1),
        ("hyperliquid", "ETH", 1e6, -30.4),
    ],
)  # fmt: skip
def test_what_the_one_rate_of_the_classes_costs_is_as_documented(venue, symbol, notional, bins):
    position = Position(100.0, notional / 100, 25, "long")
    found = liquidation_price(position, at(venue, symbol, NOW))
    of_class = -math.log((1 - 1 / 25) / (1 - MAINTENANCE))
    assert (-math.log(found.price / 100) - of_class) / BIN == pytest.approx(bins, abs=0.05)
