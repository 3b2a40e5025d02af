"""What every answer says of itself."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.shipped import SHIPPED
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.engine.calibration.weights import Fit
from powderkeg.evaluation.answers import pretrained_of
from powderkeg.events import DAY, HOUR, MINUTE
from powderkeg.maps.heatmap.coin_view import MapFilter, MarketView
from powderkeg.maps.views.queries import ReachQuery
from powderkeg.serve.trust import ALL, fit, model

BEFORE, AFTER = SHIPPED.until - 2 * DAY, SHIPPED.until + DAY


class Shown:
    """What a desk shows of its markets."""

    def __init__(self, *markets):
        self.markets = markets
        self.now = max((market.last_received for market in markets), default=0)

    def estimated(self):
        return list(self.markets)


def market(at, venue="binance", *, reports=0.0, volume=10.0):
    """Return a market that was traded for ten minutes up to `at`, and perhaps has learned."""
    estimate = Estimate(100_000.0, f"{venue}:BTCUSDT")
    for n in range(11):
        moment = at + (n - 10) * MINUTE
        if volume:
            estimate.add_trades(np.array([100_000.0]), np.array([volume]))
        estimate.flush(moment, 50_000.0 + n)
        estimate.move_mark(moment, 100_000.0 + n)
    if reports:
        ones = np.ones((2, TERMS))
        estimate.fit = Fit(ones, ones, ones[0], 1.0, ones, reports=reports)
        estimate.fitted, estimate.events = at, round(10 * reports)
    return MarketView(estimate.market, venue, estimate, {}, at, "up")


def test_an_answer_about_the_past_reports_the_price_of_then(session, prepared):
    desk = prepared[1]
    at = desk.now - 6 * HOUR
    bar = next(ring for ring in desk.prices.values()).window(at // 60_000_000 - 1, 1)[0]
    then = session.answer("BTC", "bars", ReachQuery(at=at))
    now = session.answer("BTC", "bars", ReachQuery())
    assert then.as_of == at
    assert then.price == then.mark == pytest.approx(bar[3])
    assert now.price == desk.price
    assert then.price != now.price


def test_a_past_that_is_not_kept_has_no_price(session, prepared):
    desk = prepared[1]
    answer = session.about(desk, ReachQuery(at=desk.now - 90 * 24 * HOUR))
    assert (answer.price, answer.mark) == (None, None)


@pytest.mark.parametrize(
    ("markets", "words"),
    [
        ([market(BEFORE)], "assumed prior, nothing learned"),
        ([market(AFTER)], "pretrained: learned on BTC on Binance, 2025-12 to 2026-03"),
        ([market(AFTER, reports=12.4)], "learning (12 reports)"),
        ([market(AFTER, reports=123.4)], "calibrated on 1,234 liquidation reports"),
        ([market(AFTER, reports=20), market(AFTER, "okx")], "learning (20 reports)"),
        (
            [market(AFTER, reports=20), market(AFTER, "okx", reports=20)],
            "calibrated on 400 liquidation reports",
        ),
        ([], ""),
    ],
)
def test_what_a_map_rests_on_is_reported_in_words(markets, words):
    assert model(Shown(*markets)) == words


def test_only_the_markets_that_are_chosen_are_reported_of():
    shown = Shown(market(AFTER, reports=500), market(AFTER, "okx"))
    assert model(shown, MapFilter(("okx",))).startswith("pretrained")
    assert model(shown, MapFilter(("binance",))).startswith("calibrated")
    assert model(shown, MapFilter(model="static")).startswith("four fixed leverages")
    assert fit(shown, MapFilter(("okx",))).pretrained.market == "BTC on Binance"
    assert fit(shown, ALL).pretrained is None


def test_a_map_without_any_volume_says_that_it_is_of_the_path_alone():
    blind = market(AFTER, "okx", volume=0)
    assert model(Shown(blind)).endswith("2026-03 · path only: no volume is known here")
    both = Shown(market(AFTER), blind)
    assert model(both).endswith("· path only: no volume is known on okx")
    assert fit(both, ALL).path_only == ["okx"]
    assert fit(both, MapFilter(("binance",))).path_only == []


def test_a_fit_reports_its_pretrained_weights_and_how_many_reports_it_rests_on():
    reported = fit(Shown(market(AFTER)), ALL)
    assert reported.pretrained == pretrained_of(SHIPPED)
    assert (reported.reports, reported.at) == (0, None)
    assert reported.why.endswith("weights learned on BTC on Binance")
    assert fit(Shown(market(BEFORE)), ALL).why.endswith("the assumed prior alone")
    own = fit(Shown(market(AFTER, reports=20.5), market(AFTER, "okx", reports=4.0)), ALL)
    assert (own.reports, own.pretrained) == (24.5, None)


def test_of_a_time_before_weights_were_pretrained_no_fit_is_reported(
    session, prepared, monkeypatch
):
    desk = prepared[1]
    lent = SimpleNamespace(since=desk.now - HOUR)
    monkeypatch.setattr("powderkeg.serve.session.fit", lambda *_: lent)
    assert session.about(desk, ReachQuery(at=desk.now - MINUTE)).fit is lent
    assert session.about(desk, ReachQuery(at=desk.now - 2 * HOUR)).fit is None


def test_a_map_whose_volume_was_assumed_within_the_day_says_so():
    shown = market(AFTER)._replace(assumed=AFTER - HOUR)
    assert model(Shown(shown)).endswith("· volume partly assumed from the range of price")
    old = market(AFTER)._replace(assumed=AFTER - 25 * HOUR)
    assert "assumed from" not in model(Shown(old))
