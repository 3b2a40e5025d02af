"""All coins at a glance: the same numbers as the views, at a bounded cost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from litestar.testing import TestClient
from msgspec.structs import asdict

from powderkeg.desk import Desk
from powderkeg.events import HOUR, SECOND
from powderkeg.maps.views.queries import ReachQuery, SpanQuery
from powderkeg.maps.views.screener import Held, funding
from powderkeg.serve.answers.server import ScreenerCoin
from powderkeg.serve.app import make_app
from powderkeg.serve.screener import Screener
from powderkeg.serve.session import Session


@pytest.fixture
def both(session):
    """Return a session of a coin with a map, and of one that has heard nothing."""
    return Session("simulated", {**session.desks, "NEW": Desk("NEW")}, session.clock)


@pytest.fixture
def reported(both):
    return Screener(both).answer().coins


def test_the_nearest_clusters_are_those_of_the_level_chart(session, reported):
    clusters = session.answer("BTC", "levels", SpanQuery()).clusters
    for name, side in (("below", "long"), ("above", "short")):
        nearest = min((c for c in clusters if c.side == side), key=lambda c: abs(c.distance))
        near = getattr(reported[0], name)
        assert (near.distance, near.usd) == (nearest.distance, nearest.notional)
        assert near.low <= near.usd <= near.high
        assert near.low == pytest.approx(nearest.low)


def test_steepness_and_crowding_are_those_of_the_bars(session, reported):
    near = session.answer("BTC", "bars", ReachQuery(reach=0.01))
    assert asdict(reported[0].steepness) == pytest.approx({"long": near.long, "short": near.short})
    wide = session.answer("BTC", "bars", ReachQuery(reach=0.05))
    assert reported[0].long_share == pytest.approx(wide.long_share)


def test_a_row_says_how_far_to_trust_it_and_how_old_it_is(session, reported):
    about = session.about(session.desks["BTC"], SpanQuery())
    assert reported[0].grade == about.grade
    assert reported[0].age == about.age
    assert reported[0].partial is False
    assert reported[0].oi > 0


def test_the_little_curve_ends_at_the_price_and_is_short(reported):
    closes = [close for close in reported[0].closes if close is not None]
    assert len(reported[0].closes) == 48
    assert closes[-1] == pytest.approx(reported[0].price, rel=0.02)


def test_the_change_is_that_of_a_day_or_unknown(reported, session):
    desk = session.desks["BTC"]
    ring = desk.prices[60 * SECOND]
    before = ring.window((desk.now - 24 * HOUR) // ring.step, 1)[0, 3]
    change = reported[0].change
    if math.isnan(before):
        assert change is None
    else:
        assert change == pytest.approx(desk.price / before - 1)


def test_a_coin_without_data_says_so(reported):
    assert reported[1] == ScreenerCoin(coin="NEW", known=False, why="nothing is known of it yet")
    assert reported[1].price is reported[1].grade is reported[1].age is None


def test_it_is_worked_out_once_a_second(session):
    now = [session.desks["BTC"].now]
    screener = Screener(Session("simulated", session.desks, lambda: now[0]))
    first = screener.answer()
    assert screener.answer() is first
    now[0] += SECOND
    assert screener.answer() is not first


def test_funding_is_of_eight_hours_by_open_interest():
    held = [
        Held(1e-4, 8 * HOUR, 3.0), Held(1e-4, HOUR, 1.0), Held(0.5, 0, 1.0),
        Held(math.nan, HOUR, 1.0), Held(0.5, HOUR, math.nan),
    ]  # fmt: skip
    assert funding(held) == pytest.approx((3 * 1e-4 + 8e-4) / 4)
    assert funding([]) is None


def test_the_screener_is_served_as_json_without_nan(both, hub):
    with TestClient(make_app(both, hub)) as client:
        answer = client.get("/v1/screener").json()
    assert [coin["coin"] for coin in answer["coins"]] == ["BTC", "NEW"]
    assert np.isfinite(answer["coins"][0]["below"]["usd"])
