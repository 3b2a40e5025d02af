"""What every answer says of itself."""

from __future__ import annotations

import pytest

from powderkeg.events import HOUR
from powderkeg.maps.queries import ReachQuery


def test_an_answer_about_the_past_tells_the_price_of_then(session, prepared):
    desk = prepared[1]
    at = desk.now - 6 * HOUR
    bar = next(ring for ring in desk.prices.values()).window(at // 60_000_000 - 1, 1)[0]
    then = session.answer("BTC", "bars", ReachQuery(at=at))
    now = session.answer("BTC", "bars", ReachQuery())
    assert then["as_of"] == at
    assert then["price"] == then["mark"] == pytest.approx(bar[3])
    assert now["price"] == desk.price
    assert then["price"] != now["price"]


def test_a_past_that_is_not_kept_has_no_price(session, prepared):
    desk = prepared[1]
    answer = session.about(desk, ReachQuery(at=desk.now - 90 * 24 * HOUR))
    assert (answer["price"], answer["mark"]) == (None, None)
