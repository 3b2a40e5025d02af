"""What every answer says of how far to trust it: bands, models, fit and grade."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.engine.calibration.uncertainty import Z
from powderkeg.events import DAY, HOUR, SECOND
from powderkeg.grid import bin_of
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.heatmap.intervals import interval
from powderkeg.maps.views.compare import difference, pair
from powderkeg.maps.views.grade import (
    FIT,
    INTEREST,
    LEAST,
    NEVER,
    Learned,
    Skill,
    fit_of,
    grade,
    volatile,
)
from powderkeg.maps.views.queries import HeatmapQuery, LevelsQuery, ReachQuery, SpanQuery
from powderkeg.maps.views.views import bars, compared, cumulative, heatmap, levels
from powderkeg.serve.session import Session
from powderkeg.serve.startup.simulated import prepare
from powderkeg.serve.trust import model
from powderkeg.settings import Settings

START = 1_767_225_600 * SECOND


@pytest.fixture(scope="module")
def desk():
    """Return a desk that has learned from a day and a half of made deaths."""
    return prepare("BTC", 7, START, 1.5, Settings())[1]


@pytest.fixture(scope="module")
def session(desk):
    return Session("simulated", {"BTC": desk}, lambda: desk.now)


def test_a_band_holds_the_estimate_and_is_narrower_for_the_whole_than_for_its_parts(desk):
    centre = bin_of(desk.price)
    first = centre - np.array([400, 300, 200, 100])
    parts = interval(desk, MapFilter(), np.zeros(4, np.int64), first, first + 100)
    whole = interval(desk, MapFilter(), np.zeros(1, np.int64), first[:1], first[-1:] + 100)
    for sure in (parts, whole):
        assert (sure.low <= 1).all()
        assert (sure.high >= 1).all()
        assert ((sure.measured >= 0) & (sure.measured <= 1)).all()
    assert whole.high[0] / whole.low[0] < (parts.high / np.maximum(parts.low, 1e-9)).max()


def test_a_part_that_holds_nothing_is_not_in_doubt(desk):
    far = bin_of(desk.price) + np.array([5000])
    sure = interval(desk, MapFilter(), np.array([0]), far, far + 1)
    assert (sure.low[0], sure.high[0], sure.measured[0]) == (1.0, 1.0, 0.0)


def test_rows_are_banded_only_where_it_is_asked_for(desk):
    plain, asked = levels(desk, SpanQuery()), levels(desk, LevelsQuery(bands=True))
    assert plain.bands == {}
    for side in ("long", "short"):
        low, high = asked.bands[side]
        money = getattr(asked, side)
        assert (low <= money * 1.0001).all()
        assert (high >= money * 0.9999).all()
    assert asked.measured.max() <= 1.0001


def test_clusters_and_totals_carry_their_bands(desk):
    for cluster in levels(desk, SpanQuery()).clusters:
        assert cluster.low <= cluster.notional <= cluster.high
        assert 0 <= cluster.measured <= 1
    both = bars(desk, ReachQuery())
    assert both.bands["long"][0] <= both.long <= both.bands["long"][1]
    line = cumulative(desk, ReachQuery())
    assert (line.low <= line.notional * 1.0001).all()
    assert (line.high >= line.notional * 0.9999).all()


@pytest.mark.parametrize("query", [ReachQuery(at=1), ReachQuery(model="static")])
def test_of_the_past_and_of_the_static_map_no_band_is_known(desk, query):
    if query.at:
        query = ReachQuery(at=desk.now - 2 * HOUR)
    both, line = bars(desk, query), cumulative(desk, query)
    assert both.bands == both.measured == {}
    assert len(line.low) == len(line.high) == 0
    assert both.long > 0


def test_the_band_of_a_much_missed_model_is_wide(desk):
    estimate = next(desk.estimated()).estimate
    centre = np.array([bin_of(desk.price)])
    sure = interval(desk, MapFilter(), np.zeros(1, np.int64), centre - 400, centre)
    misfit = math.hypot(estimate.model_error.width, estimate.reporting_rate.spread)
    assert sure.high[0] >= math.exp(Z * misfit) * 0.9


def test_the_static_map_is_another_map_of_the_same_coin(desk, session):
    ours, theirs = (bars(desk, ReachQuery(model=m)) for m in ("calibrated", "static"))
    assert ours.long != theirs.long
    assert "never closed" in model(desk, MapFilter(model="static"))
    assert session.answer("BTC", "bars", ReachQuery(model="static")).mode == "static"


def test_two_models_side_by_side_say_what_makes_them_differ(desk):
    both = compared(desk, SpanQuery())
    ours, theirs, _ = pair(desk, MapFilter(), 0)
    assert both.ours.sum() <= ours.sum()
    assert both.totals.static <= theirs.sum()
    assert 0 < both.overlap < 1
    assert both.distance > 0
    assert len(both.why) == 3


def test_a_model_differs_in_nothing_from_itself():
    money = np.array([0.0, 1e5, 1e9])
    assert difference(money, money).tolist() == [0, 128, 128]
    assert difference(money * 64, money).tolist() == [0, 255, 255]
    assert difference(money, money * 64).tolist() == [0, 1, 1]


def test_the_difference_is_drawn_where_both_are_kept(desk):
    kept = heatmap(desk, HeatmapQuery(span="3d", planes="difference")).cells
    ours = heatmap(desk, HeatmapQuery(span="3d")).cells
    both = heatmap(desk, HeatmapQuery(span="3d", model="static")).cells
    assert both.any()
    assert kept.shape == ours.shape
    assert (kept[(ours == 0) & (both == 0)] == 0).all()
    assert not heatmap(desk, HeatmapQuery(span="12h", model="static")).cells.any()


def test_an_answer_reports_when_and_why_its_weights_were_learned(desk, session):
    reported = session.about(desk, SpanQuery()).fit
    assert reported.at == max(m.estimate.fitted for m in desk.estimated())
    assert reported.new_liquidations > 0
    assert "new liquidations" in reported.why
    fresh = prepare("BTC", 7, START, 0.05, Settings())[1]
    reported = Session("simulated", {"BTC": fresh}, lambda: fresh.now).about(fresh, SpanQuery())
    assert reported.fit.at is None
    assert reported.grade.parts["fit"] == "D"


GOOD = {"interest": 2 * INTEREST[0], "coverage": 1.0, "silence": 0.0}


@pytest.mark.parametrize(
    ("changed", "letter"),
    [
        ({}, "A"),
        ({"interest": LEAST * 0.9}, "D"),
        ({"interest": LEAST * 2}, "C"),
        ({"interest": LEAST * 5}, "B"),
        ({"coverage": 0.85}, "B"),
        ({"coverage": 0.69}, "C"),
        ({"coverage": 0.4}, "D"),
        ({"silence": 15 * SECOND}, "B"),
        ({"silence": 1000 * SECOND}, "D"),
        ({"age": 2 * DAY}, "B"),
        ({"age": FIT[2] + 1}, "D"),
        ({"age": None}, "D"),
        ({"reports": 5}, "C"),
        ({"reports": 31}, "B"),
    ],
)
def test_the_worst_of_four_things_decides_the_grade(desk, monkeypatch, changed, letter):
    monkeypatch.setattr("powderkeg.maps.views.grade.volatile", lambda _: False)
    asked = {**GOOD, "age": HOUR, "reports": 5000} | changed
    age, reports = asked.pop("age"), asked.pop("reports")
    fitted = 0 if age is None else desk.now - age
    reported = grade(desk, **asked, markets=[rests(fitted=fitted, reports=reports)])
    assert reported.letter == letter
    assert bool(reported.why) == (letter != "A")


@pytest.mark.parametrize(
    ("interest", "words"), [(3.4e5, "$0.34 million"), (3e6, "$3 million"), (2.5e7, "$25 million")]
)
def test_a_grade_that_is_low_for_its_open_interest_says_how_little_it_is(desk, interest, words):
    assert f"open interest of {words}" in grade(desk, interest, 1.0, 0.0, [rests()]).why


def test_high_volatility_raises_the_grade_of_a_middling_market_and_not_of_a_tiny_one(
    desk, monkeypatch
):
    monkeypatch.setattr("powderkeg.maps.views.grade.volatile", lambda _: True)
    markets = [rests(fitted=desk.now - HOUR)]
    assert grade(desk, 5 * LEAST, 1.0, 0.0, markets).parts["interest"] == "A"
    assert grade(desk, 0.5 * LEAST, 1.0, 0.0, markets).parts["interest"] == "D"


NOW = START


def rests(**changed):
    """Return what the best of weights rest on, but for what is changed."""
    best = Learned("bybit", 1.0, True, NOW - HOUR, "", 5000.0, 2000, Skill(0.2, 0.1, 0.3))
    return replace(best, **changed)


def letter(*markets):
    return "ABCD"[fit_of(NOW, markets)[0]]


@pytest.mark.parametrize(
    ("changed", "expected", "why"),
    [
        ({}, "A", ""),
        ({"reports": 100.0, "hours": 72}, "A", ""),
        ({"reports": 99.5}, "B", "99 effective reports, 100 needed"),
        ({"hours": 71}, "B", "71 hours scored, 72 needed"),
        ({"skill": Skill(0.1, -0.1, 0.3)}, "B", "no better than a map of the path alone"),
        ({"skill": Skill(0.1)}, "B", "not yet compared with a map of the path alone"),
        ({"reports": 12.4}, "C", "12 effective reports, 30 needed"),
        ({"hours": 23}, "C", "23 hours scored, 24 needed"),
        ({"skill": Skill(-0.2, -0.3, -0.1)}, "C", "worse than a map of the path alone"),
        (
            {"fitted": 0, "reports": 0.0, "hours": 0, "lender": "BTC on Binance"},
            "C", "pretrained weights: learned on BTC on Binance",
        ),
        ({"fitted": 0, "reports": 0.0}, "D", NEVER),
        ({"fitted": NOW - 4 * DAY}, "C", "weights learned long ago"),
        ({"assumed": True}, "B", "volume assumed from the range of price"),
    ],
)  # fmt: skip
def test_a_fit_is_as_good_as_what_it_has_shown(changed, expected, why):
    assert letter(rests(**changed)) == expected
    reported = fit_of(NOW, [rests(**changed)])[1]
    assert reported == why or expected == "A"


def test_five_reports_are_no_better_than_c_whatever_else_is_perfect():
    assert letter(rests(reports=5.0, hours=10**6, skill=Skill(0.9, 0.89, 0.91))) == "C"


def test_the_worst_market_that_holds_a_twentieth_of_the_interest_decides_and_is_named():
    large, small = rests(oi=96.0), rests(venue="okx", oi=4.0, reports=5.0)
    assert letter(large, small) == "A"
    place, why = fit_of(NOW, [large, replace(small, oi=6.0)])
    assert (place, why) == (2, "5 effective reports, 30 needed (okx)")
    assert letter(large, replace(small, oi=6.0, chosen=False)) == "A"
    assert letter(replace(large, chosen=False), small) == "C"


def test_a_venue_that_reports_nothing_counts_as_the_best_of_the_others():
    silent = rests(venue="hyperliquid", oi=96.0, fitted=0, reports=0.0, lender="BTC on Binance")
    good, poor = rests(oi=2.0, chosen=False), rests(oi=2.0, venue="okx", reports=40.0)
    assert letter(silent, good, poor) == "A"
    assert letter(silent, poor) == "B"
    assert letter(silent, replace(poor, oi=50.0)) == "B"
    assert letter(silent) == "C"
    assert letter(replace(silent, lender="")) == "D"


def test_of_no_market_nothing_was_learned():
    assert fit_of(NOW, []) == (3, NEVER)
    assert letter(rests(oi=0.0)) == "A"


def test_the_skill_behind_a_grade_is_computed_once_an_hour(desk, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "powderkeg.serve.session.over_path_only", lambda *_: asked.append(1) or Skill()
    )
    markets = len(list(desk.estimated()))
    fresh = Session("simulated", {"BTC": desk}, lambda: desk.now)
    for _ in range(3):
        fresh.about(desk, SpanQuery())
    assert len(asked) == markets


def test_volatility_is_high_where_the_last_half_hour_moved_most(desk):
    class Quiet:
        now = 10**15

        class Ring:
            step = 1_800_000_000

            def __init__(self, last):
                self.last = last

            def window(self, _, count):
                rows = np.tile([100.0, 100.5, 100.0, 100.2, 1.0], (count, 1))
                rows[:, 1] += np.arange(count) * 0.001
                rows[-1, 1] = self.last
                return rows

        def __init__(self, last):
            self.prices = {1_800_000_000: self.Ring(last)}

    assert volatile(Quiet(103.0))
    assert not volatile(Quiet(100.1))
    assert not volatile(Quiet(math.nan))
    assert isinstance(volatile(desk), bool)
