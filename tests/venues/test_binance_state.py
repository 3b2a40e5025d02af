"""What Binance's frames have said, by symbol."""

import pytest

from powderkeg.events import HOUR
from powderkeg.venues.binance.state import Known, State


def known(symbol="BTCUSDT", name="binance"):
    return Known(name, symbol, 8 * HOUR)


def coin(symbol="BTCUSD_PERP"):
    return known(symbol, "binance-coin")


@pytest.mark.parametrize(
    ("one", "size"),
    [(known(), 300.0), (coin(), 0.6), (coin("ETHUSD_PERP"), 0.06)],
    ids=["coins", "contracts of 100 USD", "contracts of 10 USD"],
)
def test_a_size_is_turned_into_coins(one, size):
    assert one.size(300.0, 50_000.0) == pytest.approx(size)
    assert one.levels(((50_000.0, 300.0),)) == ((50_000.0, pytest.approx(size)),)


@pytest.mark.parametrize("wrong", ["", "B", "btcusdt", "BTC:USDT", "A" * 41])
def test_what_is_no_symbol_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a symbol"):
        known(wrong)


def test_a_symbol_has_one_state_that_pays_funding_as_often_as_the_reader_was_told():
    state = State("binance", "BTCUSDT", 4 * HOUR)
    assert (state.name, state.symbol) == ("binance", "BTCUSDT")
    assert state.of("BTCUSDT").interval == 4 * HOUR
    assert state.of("BTCUSDT") is state.of("BTCUSDT")
    assert state.state_dict() == {"_ids": state.ids, "_known": state.known, "instruments": {}}
