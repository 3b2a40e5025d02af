"""How far to trust a market's map: figures from its own record, and from maps kept on disk."""

from __future__ import annotations

import json
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from msgspec.structs import asdict, replace

from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.engine.calibration.forecasts import NO_MAP, PATH_ONLY, STATIC, ForecastLog
from powderkeg.engine.calibration.shipped import SHIPPED
from powderkeg.errors import DataError
from powderkeg.evaluation import live
from powderkeg.evaluation.answers import pretrained_of
from powderkeg.evaluation.live import Scorecard, figures, from_ledger, summary
from powderkeg.evaluation.metrics import poisson_deviance
from powderkeg.evaluation.published import PublishedHours
from powderkeg.events import HOUR, SECOND, Liquidation
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.store.forecasts import ForecastArchive, map_of, rows_of

MARKET = "bybit:BTCUSDT"
FIRST = 490_000
HOURS = np.arange(FIRST, FIRST + 240)


def made(n=240, ours=1.0, noise=0.3, seed=3):
    """Return rows of hours with liquidations, ours off by a factor, both nulls by far."""
    chance = np.random.default_rng(seed)
    liquidated = chance.gamma(0.5, 10.0, (n, 2))
    predicted = ours * liquidated * np.exp(noise * chance.standard_normal((n, 2))) + 0.01
    even = np.full((n, 2), 5.0)
    return np.stack(
        (liquidated, predicted, predicted / 2, predicted * 2, even, even, even, even), axis=1
    )


def desk_of(rows, first=FIRST):
    """Return a desk of one market with these rows on record."""
    estimate = Estimate(100.0, MARKET)
    estimate.add_trades(np.array([100.0, 101.0]), np.array([50.0, -20.0]))
    estimate.flush(first * HOUR, 1000.0)
    estimate.move_mark(first * HOUR + SECOND, 100.0)
    for i, row in enumerate(rows):
        estimate.forecast_log.add(first + i, row)
    known = MarketView(MARKET, "bybit", estimate, {}, 0, "up")
    return SimpleNamespace(now=(FIRST + 240) * HOUR, estimated=lambda: iter([known])), known


def test_a_market_that_says_before_what_dies_shows_an_edge():
    found = figures(HOURS, made(), 1.0)
    assert found.verdict == "edge shown"
    skill = found.skill_over_path_only
    assert skill.low < skill.value < skill.high
    assert found.coverage_80.value > 0.9


def test_what_is_said_in_the_wrong_order_shows_none():
    rows = made()
    rows[:, 1:4] = rows[np.random.default_rng(1).permutation(len(rows)), 1:4]
    assert figures(HOURS, rows, 1.0).verdict == "no edge shown"


@pytest.mark.parametrize("null", [NO_MAP, PATH_ONLY])
def test_an_edge_that_one_null_model_denies_is_none(null):
    rows = made()
    rows[:, null] = rows[:, 0]  # it knows all beforehand
    found = figures(HOURS, rows, 1.0)
    assert found.skill_over_static.low > 0
    assert found.verdict == "no edge shown"


def test_a_null_model_that_was_not_kept_is_left_out_and_no_edge_is_shown():
    rows = made()
    rows[:, PATH_ONLY] = np.nan
    found = figures(HOURS, rows, 1.0)
    assert found.hours == len(rows)
    assert found.deviance.path_only is found.skill_over_path_only.value is None
    assert found.skill_over_path_only.n == 0
    assert found.skill_over_no_map.low > 0
    assert found.verdict == "no edge shown"


def test_a_null_model_kept_for_the_later_hours_is_compared_in_those_and_costs_no_other():
    """A store that went on under a model which keeps one null model more."""
    rows = made()
    rows[:140, PATH_ONLY] = np.nan
    found = figures(HOURS, rows, 1.0)
    later = figures(HOURS[140:], rows[140:], 1.0)
    assert found.hours == 240
    assert found.skill_over_no_map.n == 240
    assert found.skill_over_path_only == later.skill_over_path_only
    assert found.skill_over_path_only.n == 100
    assert found.deviance.path_only is None  # not of the same hours as the others
    assert found.verdict == "edge shown"


def test_a_null_model_compared_in_too_few_hours_shows_no_edge():
    rows = made()
    rows[:-70, PATH_ONLY] = np.nan
    found = figures(HOURS, rows, 1.0)
    assert found.skill_over_path_only.low > 0
    assert found.verdict == "no edge shown"


def test_hours_after_a_start_in_which_no_null_model_had_learned_do_not_count():
    rows = made()
    begun = rows.copy()
    begun[100:106, STATIC : PATH_ONLY + 1] = 0.0
    found, without = figures(HOURS, begun, 1.0), np.delete(np.arange(240), np.arange(100, 106))
    assert found == figures(HOURS[without], rows[without], 1.0)


def test_no_skill_is_told_over_a_null_model_that_misses_nothing():
    rows = made(1)
    rows[:, NO_MAP] = rows[:, 0]
    assert figures(HOURS[:1], rows, 1.0).skill_over_no_map.value is None


def test_two_days_are_too_few_for_a_verdict_however_good():
    found = figures(HOURS[:71], made(71), 1.0)
    assert found.verdict == "too few hours"
    assert figures(HOURS[:72], made(72), 1.0).verdict == "edge shown"


def test_hours_before_a_null_model_has_learned_do_not_count_against_it():
    rows = made()
    late = rows.copy()
    late[:50, 5] = 0.0
    assert figures(HOURS, late, 1.0) == figures(HOURS[50:], rows[50:], 1.0)


def test_a_null_model_that_never_spoke_is_left_out_and_the_hours_still_count():
    rows = made()
    rows[:, NO_MAP] = 0.0
    found = figures(HOURS, rows, 1.0)
    assert found.hours == found.skill_over_path_only.n == 240
    assert found.deviance.no_map is found.skill_over_no_map.value is None
    assert found.verdict == "no edge shown"
    rows[:, STATIC : PATH_ONLY + 1] = 0.0
    silent = figures(HOURS, rows, 1.0)
    assert silent.hours == 240
    assert silent.coverage_80 == found.coverage_80
    assert [name for name, value in asdict(silent.deviance).items() if value is not None] == [
        "ours"
    ]


def test_a_null_model_that_expects_nothing_of_the_first_hour_counted_is_still_compared():
    rows = made()
    rows[:50, NO_MAP] = 0.0
    rows[50, STATIC] = 0.0  # it had spoken before: price crossed nothing of it
    found = figures(HOURS, rows, 1.0)
    assert found.skill_over_static.n == found.hours == 190
    assert found.deviance.static > 0


def test_hours_in_which_nothing_died_say_nothing_of_skill():
    rows = made()
    rows[:, 0] = 0.0
    found = figures(HOURS, rows, 1.0)
    assert found.verdict == "too few hours"
    assert found.skill_over_path_only.value is found.predicted_over_reported is None


def test_deviances_are_those_of_the_score():
    rows = made()
    found = figures(HOURS, rows, 1.0).deviance
    assert found.ours == pytest.approx(poisson_deviance(rows[:, 0], rows[:, 1]), rel=1e-12)
    assert found.no_map == pytest.approx(poisson_deviance(rows[:, 0], rows[:, 5]), rel=1e-12)


def test_twice_too_much_is_told_as_twice():
    found = figures(HOURS, made(ours=2.0, noise=0.0), 1.0)
    assert found.predicted_over_reported == pytest.approx(2, rel=0.01)


def test_the_price_moves_dollars_and_no_skill():
    coins, dollars = figures(HOURS, made(), 1.0), figures(HOURS, made(), 50_000.0)
    for one, other in zip(coins.reliability, dollars.reliability, strict=True):
        assert other.actual == pytest.approx(one.actual * 50_000)
        assert other.n == one.n
    assert replace(coins, reliability=[]) == replace(dollars, reliability=[])


def test_groups_rise_in_what_was_said_and_hold_every_row():
    groups = figures(HOURS, made(), 1.0).reliability
    assert len(groups) == live.BINS
    assert [g.predicted for g in groups] == sorted(g.predicted for g in groups)
    assert sum(g.n for g in groups) == 480


def test_a_market_without_a_record_says_so():
    (market,) = summary({"BTC": desk_of([])[0]}).markets
    assert market.hours == 0
    assert market.since is market.fitted is market.coverage_80.value is None
    assert market.verdict == "too few hours"
    assert market.prior_only is True
    assert market.reliability == []
    assert not any(each.measured for each in market.tiers)


def test_every_tier_of_both_sides_has_a_size_within_its_band_and_they_add_up_to_the_map():
    desk, known = desk_of(made())
    (market,) = summary({"BTC": desk}).markets
    assert [each.tier for each in market.tiers] == [100, 50, 25, 10, 5] * 2
    for each in market.tiers:
        assert 0 <= each.low <= each.size <= each.high
    sides = known.estimate.render(desk.now).sum(axis=1)
    for side, total in zip(("long", "short"), sides, strict=True):
        sizes = [each.size for each in market.tiers if each.side == side]
        assert sum(sizes) == pytest.approx(total, rel=1e-4)


def test_pretrained_weights_are_named_until_it_has_learned():
    desk, known = desk_of(made(), first=SHIPPED.until // HOUR + 24)
    (market,) = summary({"BTC": desk}).markets
    lent = known.estimate.pretrained
    assert known.estimate.is_pretrained
    assert market.pretrained == pretrained_of(lent)
    assert market.reports == 0


def test_rows_of_version_3_are_read_with_the_path_alone_unknown(tmp_path):
    _, known = desk_of(made())
    proofs = ForecastArchive(tmp_path)
    proofs.append([map_of(known, int(hour) * HOUR) for hour in HOURS])
    rows = [replace(row, version=3, values=row.values[:6] + row.values[7:]) for row in
            rows_of(known, set(HOURS.tolist()))]  # fmt: skip
    proofs.append(rows)
    (market,) = from_ledger(tmp_path).markets
    assert market.hours == 240
    assert market.deviance.path_only is None
    assert market.deviance.no_map > 0


def test_a_feed_that_is_a_sample_is_told_as_one():
    desk, known = desk_of(made())
    assert summary({"BTC": desk}).markets[0].reporting.sampled is False
    sampled = MarketView("binance:X", "binance", Estimate(100.0, "binance:X"), {}, 0, "up")
    sampled.estimate.move_mark(HOUR, 100.0)
    both = SimpleNamespace(now=HOUR, estimated=lambda: iter([known, sampled]))
    rate = summary({"BTC": both}).markets[1].reporting
    assert rate.sampled is True
    assert rate.measured is False
    assert rate.low < rate.share < rate.high <= 1


def test_the_whole_answer_is_json_without_a_nan():
    for rows in ([], made()):
        json.dumps(msgspec.to_builtins(summary({"BTC": desk_of(rows)[0]})), allow_nan=False)


def test_what_is_asked_twice_in_an_hour_is_computed_once(monkeypatch):
    calls = []

    def counted(*rate):
        calls.append(rate)
        return figures(*rate)

    monkeypatch.setattr(live, "figures", counted)
    board, (desk, known) = Scorecard(), desk_of(made())
    assert board.summary({"BTC": desk}) == board.summary({"BTC": desk})
    assert len(calls) == 1
    known.estimate.forecast_log.add(FIRST + 240, made(1)[0])
    assert board.summary({"BTC": desk}).markets[0].hours == 241
    known.estimate.forecast_log = ForecastLog()
    assert board.summary({"BTC": desk}).markets[0].hours == 0


def kept(folder, rows):
    """Keep a map and a row of every hour."""
    _, known = desk_of(rows)
    proofs = ForecastArchive(folder)
    proofs.append([map_of(known, int(hour) * HOUR) for hour in HOURS])
    proofs.append(rows_of(known, set(HOURS.tolist())))
    return known


def test_the_ledger_tells_what_the_live_record_tells(tmp_path):
    rows = made().astype(np.float32)
    known = kept(tmp_path, rows)
    (market,) = from_ledger(tmp_path).markets
    assert market.maps == market.hours == 240
    expected = figures(HOURS, rows.astype(np.float64), known.estimate.mark)
    assert {name: getattr(market, name) for name in asdict(expected)} == asdict(expected)


def test_rows_said_afterwards_do_not_count(tmp_path):
    _, known = desk_of(made())
    proofs = ForecastArchive(tmp_path)
    proofs.append([map_of(known, int(hour) * HOUR) for hour in HOURS[:100]])
    proofs.append(rows_of(known, set(HOURS.tolist())))
    assert from_ledger(tmp_path).markets[0].hours == 100


def test_a_folder_without_kept_maps_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected maps kept"):
        from_ledger(tmp_path)


def test_a_liquidation_makes_weights_measured_only_where_it_died():
    desk, known = desk_of(made(10))
    estimate = known.estimate
    at = FIRST * HOUR
    for i in range(1, 9):
        estimate.add_trades(np.array([100.0]), np.array([500.0]))
        estimate.flush(at + i * HOUR, 1000.0)
        estimate.move_mark(at + i * HOUR + SECOND, 98.0)
        rate = at + i * HOUR + 2 * SECOND
        estimate.add_liquidation(Liquidation(MARKET, rate, rate, 98.0, 5.0, "long"))
        estimate.move_mark(at + i * HOUR + 60 * SECOND, 100.0)
    (market,) = summary({"BTC": desk}).markets
    known_of = {side: sum(each.size * (each.measured or 0) for each in market.tiers
                          if each.side == side) for side in ("long", "short")}  # fmt: skip
    assert market.prior_only is False
    assert market.fitted is not None
    assert known_of["long"] > 0
    assert known_of["short"] == 0


def test_the_scorecard_is_of_this_model_and_calls_nothing_an_edge_that_may_be_chance():
    card = live.published()
    assert card.version == VERSION
    hours = next(score for score in card.scores if isinstance(score, PublishedHours))
    assert hours.poisson_deviance < hours.no_map_deviance < hours.static_deviance
    assert {"goes_to_bright"} <= {answer.question for answer in card.answers}
    for answer in card.answers:
        assert (answer.verdict == "edge shown") <= (answer.low > 0)


def test_of_a_venue_without_a_feed_no_share_is_told(monkeypatch):
    desk, known = desk_of(made(10))
    monkeypatch.setattr(known.estimate, "venue", "hyperliquid")
    assert summary({"BTC": desk}).markets[0].reporting is None
