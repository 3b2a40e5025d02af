"""``/v1/portfolio``: open risk, by coins whose prices have moved together."""

from __future__ import annotations

import numpy as np
import pytest
from litestar.testing import TestClient

from powderkeg.desk import Desk
from powderkeg.events import HOUR, Candles
from powderkeg.feed.drive import drive
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Hub

HOURS = 200
START = 1_795_000_000_000_000 // HOUR * HOUR


def _desk(coin: str, closes: np.ndarray) -> Desk:
    """Return a desk after hourly candles."""
    desk = Desk(coin)
    opens = np.concatenate((closes[:1], closes[:-1]))
    rows = np.stack(
        (opens, np.maximum(opens, closes), np.minimum(opens, closes), closes,
         np.ones(len(closes)), np.full(len(closes), 0.5)), axis=1,
    )  # fmt: skip
    times = START + np.arange(len(closes)) * HOUR
    end = int(times[-1]) + HOUR
    drive(desk, [Candles.from_ohlcv(f"binance:{coin}USDT", end, HOUR, times, rows)])
    return desk


@pytest.fixture
def client():
    """Return a server of two coins that move together and one that does not."""
    chance = np.random.default_rng(3)
    market, other = chance.normal(0, 0.01, (2, HOURS))
    noise = chance.normal(0, 0.001, HOURS)
    paths = {"BTC": market, "ETH": market + noise, "SOL": other}
    desks = {coin: _desk(coin, 100 * np.exp(np.cumsum(each))) for coin, each in paths.items()}
    session = Session("replay", desks, lambda: desks["BTC"].now)
    with TestClient(make_app(session, Hub(session))) as client:
        yield client


def _asked(client: TestClient, positions: str, status: int = 200) -> dict:
    answer = client.get("/v1/portfolio", params={"positions": positions})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_coins_that_move_together_share_a_cap_and_sides_are_not_set_off(client):
    found = _asked(client, "BTC:long:2,ETH:long:1.5,SOL:long:1,ETH:short:0.5")
    assert found["total"] == 5
    assert not found["exceeded"]
    rows = [(row["coins"], row["side"], row["r"], row["exceeded"]) for row in found["groups"]]
    assert rows == [
        (["BTC", "ETH"], "long", 3.5, True), (["SOL"], "long", 1, False),
        (["ETH"], "short", 0.5, False),
    ]  # fmt: skip
    pairs = {tuple(pair["coins"]): pair["correlation"] for pair in found["pairs"]}
    assert pairs["BTC", "ETH"] > 0.95
    assert abs(pairs["BTC", "SOL"]) < 0.3
    assert found["hours"] >= HOURS - 2


def test_one_coin_has_no_pair_and_its_total_a_cap(client):
    found = _asked(client, "BTC:long:6.5")
    assert found["exceeded"]
    assert found["pairs"] == []


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ("BTC", "expected COIN:SIDE:R, such as BTC:long:1, found 'BTC'"),
        ("BTC:up:1", "found 'BTC:up:1'"),
        ("BTC:long:-1", "found 'BTC:long:-1'"),
        ("XRP:long:1", "expected one of BTC, ETH, SOL, found 'XRP'"),
    ],
)
def test_a_position_that_cannot_be_read_is_refused_with_what_was_found(client, positions, words):
    assert words in _asked(client, positions, 400)["error"]


def test_without_common_hours_each_coin_stands_alone():
    few = {c: _desk(c, np.linspace(100, 101, 10)) for c in ("BTC", "ETH")}
    session = Session("replay", few, lambda: few["BTC"].now)
    with TestClient(make_app(session, Hub(session))) as client:
        found = _asked(client, "BTC:long:2,ETH:long:2")
    assert [row["exceeded"] for row in found["groups"]] == [False, False]
    assert found["pairs"][0]["correlation"] is None
