"""Venues that play a scenario, over real sockets."""

from __future__ import annotations

import json

import pytest

from powderkeg.errors import ConfigError
from powderkeg.events import MINUTE
from powderkeg.sim.scenario.script import named
from powderkeg.simvenues.__main__ import _options, _starting
from powderkeg.simvenues.pace import Pace
from powderkeg.simvenues.server import serve_scenario


async def test_a_venue_answers_with_the_past_of_a_scenario_and_publishes_its_market():
    options = _options(["--scenario", "t3-cascade-chain", "--venues", "bybit", "--lead", "60"])
    async with await _starting(options) as simulator:
        (coin,) = simulator.coins
        told = simulator.hosts["bybit"].wire.answer(
            "/v5/market/kline",
            {"category": "linear", "symbol": "BTCUSDT", "interval": "1", "limit": "5"}, b"",
        )  # fmt: skip
        rows = json.loads(told.body)["result"]["list"]
        truth = simulator.hosts["bybit"].wire.find("BTCUSDT")
    assert len(rows) == 5
    assert float(rows[0][4]) == pytest.approx(142_000, rel=1e-3)
    assert truth is not None
    assert truth.oi == pytest.approx(coin.simulation.truth().oi[0])


async def test_a_scenario_needs_a_venue_with_leverage():
    pace = Pace.ending_now(0, 1.0, MINUTE)
    with pytest.raises(ConfigError, match="expected venues of"):
        await serve_scenario(named("t3-apart"), pace, 60, venues=("binance-spot",))
    with pytest.raises(ConfigError, match="expected venues of"):
        await serve_scenario(named("t3-apart"), pace, 60, venues=("nowhere",))
