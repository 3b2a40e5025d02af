"""Records of what is traded."""

import msgspec
import pytest

from powderkeg.instruments import Instrument, Tier, TierTable, unit_of


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
