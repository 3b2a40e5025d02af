"""Records of what is traded."""

import msgspec

from powderkeg.instruments import Instrument, Tier, TierTable


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
