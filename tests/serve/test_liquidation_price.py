"""``/v1/{coin}/liquidation-price``: the venue's own answer, else the shipped tiers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from litestar.testing import TestClient

from powderkeg.desk import Desk
from powderkeg.events import SECOND
from powderkeg.instruments import Tier, TierTable
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Hub

NOW = 1_790_000_000 * SECOND
MARKETS = {"binance:BTCUSDT": "up", "okx:BTC-USDT-SWAP": "up", "binance-spot:BTCUSDT": "up"}
OKX = TierTable("okx", "BTC-USDT-SWAP", "answer of OKX", NOW, (Tier(0, 1e7, 100, 0.004, 0.0),))


@pytest.fixture
def client():
    session = Session("live", {"BTC": Desk("BTC")}, lambda: NOW)
    reader = SimpleNamespace(state=SimpleNamespace(tiers={"BTC-USDT-SWAP": OKX}))
    session.collector = SimpleNamespace(
        markets=lambda _: MARKETS, feed=SimpleNamespace(readers={"okx": reader})
    )
    with TestClient(make_app(session, Hub(session))) as client:
        yield client


def prices(client, **query):
    answer = client.get("/v1/BTC/liquidation-price", params={"entry": 105_000} | query)
    assert answer.status_code == 200, answer.text
    return {row["venue"]: row for row in answer.json()["prices"]}


def test_each_market_with_leverage_is_answered_by_its_own_tiers(client):
    rows = prices(client, leverage=25)
    assert list(rows) == ["binance", "okx"]
    assert rows["binance"]["price"] == pytest.approx(101_204.8, abs=0.05)
    assert rows["okx"]["source"] == "answer of OKX"
    assert rows["okx"]["price"] > rows["binance"]["price"]  # its fee to close is part of the margin


def test_a_leverage_that_is_not_allowed_says_why(client):
    rows = prices(client, leverage=125, side="short")
    assert rows["okx"]["price"] is None
    assert rows["okx"]["why"] == "at most 100x at this size"
    assert rows["binance"]["price"] > 105_000


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"leverage": 0.5}, "leverage"), ({"leverage": 5, "side": "up"}, "side"),
        ({"leverage": 5, "size": -1}, "size"), ({}, "leverage"), ({"leverage": 5, "x": 1}, "x"),
    ],
)  # fmt: skip
def test_what_is_no_position_is_refused(query, why, client):
    answer = client.get("/v1/BTC/liquidation-price", params={"entry": 105_000} | query)
    assert answer.status_code == 400
    assert why in answer.json()["error"]


def test_an_unknown_coin_is_refused(client):
    assert client.get("/v1/X/liquidation-price?entry=1&leverage=2").status_code == 400
