from __future__ import annotations

import pytest
from msgspec.structs import replace

from powderkeg.errors import ConfigError
from powderkeg.sim import CALM, DEMO, THIN, World
from powderkeg.sim.kernel.state import params_of


def test_markets_are_named_by_venue_and_symbol():
    assert World().markets == ("binance:BTCUSDT", "bybit:BTCUSDT", "okx:BTCUSDT")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"venues": ("binance",)}, "one share per venue"),
        ({"venues": (), "shares": ()}, "one share per venue"),
        ({"venues": tuple("abcdefghi"), "shares": (1 / 9,) * 9}, "eight venues at most"),
        ({"shares": (0.5, 0.3, 0.3)}, "sum to 1"),
        ({"shares": (1.2, -0.1, -0.1)}, "positive shares"),
        ({"price": 0.0}, "price > 0"),
        ({"book_every": 0.0}, "book_every > 0"),
        ({"funding_every": 0.0}, "funding_every > 0"),
        ({"warm": -1.0}, "warm >= 0"),
        ({"book_levels": 0}, "book_levels >= 1"),
    ],
)
def test_a_world_that_cannot_be_is_refused(change: dict[str, object], why: str):
    with pytest.raises(ConfigError, match=why):
        replace(World(), **change)


def test_the_default_world_is_the_one_that_was_measured():
    params = params_of(World())[0]
    assert params["volatility"] * 86_400**0.5 * 0.5e-4 == pytest.approx(0.022)
    assert params["mix"].tolist() == [0.38, 0.595, 0.025]
    assert params["shares"].tolist() == [0.5, 0.8] + [1.0] * 6
    assert params["trend"] == 0
    assert params["actors"] == 0


def test_stress_worlds_are_calmer_and_thinner():
    assert CALM.day_volatility < World().day_volatility
    assert THIN.depth < World().depth


def test_demo_worlds_censor_and_begin_with_open_interest():
    assert set(DEMO) == {"BTC", "ETH", "SOL"}
    for coin, world in DEMO.items():
        assert world.symbol == f"{coin}USDT"
        assert world.censor
        assert world.warm > 0
        assert world.actors
