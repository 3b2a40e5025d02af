"""``/v1/{coin}/plan``: a plan around the clusters of the live map."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from powderkeg.desk import Desk
from powderkeg.serve.app import make_app
from powderkeg.serve.session import Session
from powderkeg.serve.stream.hub import Hub


@pytest.fixture
def client(session, hub):
    with TestClient(make_app(session, hub)) as client:
        yield client


def asked(client, status=200, **query):
    answer = client.get("/v1/BTC/plan", params={"equity": 50_000} | query)
    assert answer.status_code == status, answer.text
    return answer.json()


def clusters(client, side):
    found = client.get("/v1/BTC/levels").json()["clusters"]
    return [c for c in found if c["side"] == side]


def test_the_stop_lies_beneath_the_nearest_cluster_of_longs(client):
    found = asked(client)
    rest = found["rest"]
    assert rest["entry"] == found["price"]
    cluster = rest["protective"]
    assert cluster["side"] == "long"
    assert rest["stop"] < cluster["floor"] < rest["entry"]
    assert rest["risk"] == 500.0
    assert rest["size"] * (rest["entry"] - rest["stop"]) == pytest.approx(500.0)
    assert found["wait"]["stop"] == rest["stop"]
    assert found["wait"]["entry"] == pytest.approx(cluster["top"] * 1.005)


def test_targets_are_the_clusters_of_shorts_above(client):
    rest = asked(client)["rest"]
    assert [target["price"] for target in rest["targets"]] == sorted(
        target["price"] for target in rest["targets"]
    )
    assert all(target["price"] > rest["entry"] for target in rest["targets"])
    assert rest["fuel_with"] == (rest["targets"][0]["fuel"] if rest["targets"] else 0)


def test_a_leverage_is_checked_against_the_tiers_of_the_leading_venue(client):
    found = asked(client, leverage=20)["rest"]["liquidation"]
    assert found["price"] > 0
    assert "binance" in found["source"].lower()
    given = asked(client, leverage=20, maintenance=0.01)["rest"]["liquidation"]
    assert given["source"] == "given"
    assert given["price"] > found["price"]


def test_costs_lower_the_ratio_and_raise_the_loss(client):
    bare = asked(client)["rest"]
    paid = asked(client, entry_fee=0.0005, exit_fee=0.0005, slippage=0.0001)["rest"]
    assert paid["loss"]["net"] < bare["loss"]["net"] == bare["loss"]["gross"]
    assert paid["size"] == bare["size"]


def test_a_win_rate_is_drawn_to_its_base_rate(client):
    found = asked(client, base_rate=0.27, wins=8, episodes=10)
    assert found["probability"] == pytest.approx(0.447, abs=1e-3)
    assert all(target["expected"] is not None for target in found["rest"]["targets"])
    assert asked(client)["probability"] is None


def test_the_range_of_fifteen_minutes_is_known_after_half_a_day(client):
    assert asked(client)["atr"] > 0


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"equity": 0}, "equity"), ({"side": "up"}, "side"), ({"stop": 1e9}, "a stop below"),
        ({"leverage": 0.5}, "at least 1"), ({"wins": 2, "episodes": 1}, "at most 1 wins"),
        ({"leverage": 5, "venue": "deribit"}, "maintenance rate"), ({"x": 1}, "x"),
        ({"equity": 5e-324}, "equity"), ({"risk": 5e-324}, "risk"),
        ({"entry": 5e-324, "stop": 1e-323, "side": "short"}, "an entry of at least 1e-09"),
        ({"entry": 100, "stop": 99.99999}, "at least 0.0001% from 100"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(query, why, client):
    assert why in asked(client, 400, **query)["error"]


def test_a_coin_without_a_price_needs_an_entry():
    session = Session("live", {"BTC": Desk("BTC")}, lambda: 1)
    with TestClient(make_app(session, Hub(session))) as client:
        assert "an entry" in asked(client, 400)["error"]
        found = asked(client, entry=100.0, stop=99.0)
        assert found["clusters"] == 0
        assert found["atr"] is None
        assert found["wait"] is None


EDGES = {
    "equity": (0.01, 1e12), "risk": (1e-6, 1.0), "entry": (0.0, 1e-9, 1e12),
    "stop": (0.0, 5e-324, 1e-9, 1e12), "side": ("long", "short"),
    "leverage": (0.0, 1.0, 1000.0), "maintenance": (0.0, 5e-324, 0.5), "entry_fee": (0.0, 0.1),
    "exit_fee": (0.0, 0.1), "slippage": (0.0, 0.1), "funding": (-0.1, 5e-324, 0.1),
    "fundings": (0, 10_000), "base_rate": (0.0, 5e-324, 1.0),
}  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({name: st.sampled_from(kept) for name, kept in EDGES.items()}))
def test_every_edge_of_a_query_is_answered_or_refused(client, query):
    answer = client.get("/v1/BTC/plan", params=query)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        rest = answer.json()["rest"]
        assert all(value is not None for value in rest["loss"].values())
        assert all(rest[name] is not None for name in ("size", "notional", "account_leverage"))


def test_an_unknown_coin_is_refused(client):
    assert client.get("/v1/X/plan?equity=1").status_code == 400
