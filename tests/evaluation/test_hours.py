"""The hourly score: shared out, shuffled and counted as it says, and what it reaches."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.engine.calibration import forecasts
from powderkeg.engine.calibration.forecasts import (
    FRESH,
    HIGH,
    LOW,
    NO_MAP,
    PATH_ONLY,
    PREDICTED,
    REPORTED,
    STATIC,
)
from powderkeg.errors import ConfigError
from powderkeg.evaluation.hourly import hours, scores
from powderkeg.evaluation.metrics import poisson_deviance
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, LiquidationBar
from powderkeg.history.sources import load

T = 1_767_225_600 * SECOND
START = T // HOUR
FIVE = 5 * MINUTE
volumes = st.lists(st.floats(0.0, 1e6), min_size=2, max_size=40).filter(lambda v: sum(v) > 1.0)


def bars(closes, start=T, market="binance:BTCUSDT", oi=1000.0):
    """Return a run of five-minute bars."""
    close = np.array(closes, float)
    opened = np.concatenate((close[:1], close[:-1]))
    times = start + FIVE * np.arange(len(close))
    end = int(times[-1]) + FIVE
    low, high = np.minimum(opened, close), np.maximum(opened, close)
    volume = 1.0 + np.arange(len(close)) % 7
    interest = oi * (1 + 0.01 * (np.arange(len(close)) % 5))
    return Candles(
        market=market, event_time=end, received_time=end, span=FIVE, times=times, open=opened,
        high=high, low=low,
        close=close, volume=volume, buy=volume / 3, oi=interest, mark_low=low, mark_high=high,
        mark=close,
    )  # fmt: skip


def liquidated(hour, long, short, market="aggregate:BTC"):
    """Return what was liquidated in an hour counted from the start."""
    at = T + hour * HOUR
    return LiquidationBar(market, at, at + HOUR, HOUR, long, short)


def walked(days, seed=3, market="binance:BTCUSDT", oi=1000.0):
    """Return a walk by the hour, and liquidations of those on its wrong side."""
    chance = np.random.default_rng(seed)
    closes = 100_000 * np.exp(np.cumsum(chance.normal(0, 0.002, int(days * 288))))
    out = []
    for hour in range(int(days * 24)):
        run = bars(closes[12 * hour : 12 * hour + 12], T + hour * HOUR, market, oi)
        move = math.log(run.close[-1] / run.open[0])
        out += [run, liquidated(hour, 50 * max(-move, 0), 50 * max(move, 0))]
    return out


def rows_of(liquidated, predicted, static=None, path=None, first=START, alone=None):
    """Return rows with these dollars by hour and side, shape (n, 2) each."""
    liquidated, predicted = np.array(liquidated, float), np.array(predicted, float)
    rows = np.zeros((len(liquidated), 8, 2))
    rows[:, REPORTED], rows[:, PREDICTED] = liquidated, predicted
    rows[:, LOW], rows[:, HIGH] = predicted / 2, predicted * 2
    rows[:, STATIC] = liquidated.mean() if static is None else static
    rows[:, NO_MAP] = liquidated.mean() if path is None else path
    rows[:, PATH_ONLY] = liquidated.mean() if alone is None else alone
    rows[:, FRESH] = 1.0
    at = first + np.arange(len(liquidated))
    return hours.ForecastRows(at, rows, np.full((len(liquidated), 2), 0.01))


@given(volumes, st.integers(0, 2**32 - 1))
def test_the_mean_missed_over_the_mean_reported_is_the_deviance(liquidated, seed):
    actual = np.array(liquidated)
    expected = np.random.default_rng(seed).exponential(actual.mean(), len(actual))
    mean = scores.row_deviances(actual, expected).mean() / actual.mean()
    assert mean == pytest.approx(poisson_deviance(actual, expected), rel=1e-9, abs=1e-9)


@given(volumes)
def test_nothing_is_missed_by_who_says_what_dies(liquidated):
    actual = np.array(liquidated) + actual_floor(liquidated)
    assert scores.row_deviances(actual, actual) == pytest.approx(np.zeros(len(actual)), abs=1e-6)


def test_who_says_the_same_of_every_hour_puts_them_in_no_order():
    assert math.isnan(scores.spearman(np.ones(5), np.arange(5.0)))


def actual_floor(liquidated):
    """Return enough for no row to lie below the floor."""
    return float(np.mean(liquidated)) * scores.FLOOR * 2


def test_equal_values_share_the_mean_of_their_ranks():
    assert scores.ranks(np.array([5.0, 1.0, 5.0, 2.0])).tolist() == [2.5, 0.0, 2.5, 1.0]


@given(volumes)
def test_order_is_all_that_rank_correlation_sees(liquidated):
    values = np.unique(np.round(liquidated, 6))  # closer ones may have the same logarithm
    if len(values) > 1:
        assert scores.spearman(values, np.log1p(values)) == pytest.approx(1.0)
        assert scores.spearman(values, -values) == pytest.approx(-1.0)


def test_coverage_counts_what_lies_between_the_ends_by_side():
    predicted = rows_of([[1, 3], [2, 1], [9, 2], [1, 9]], np.full((4, 2), 2.0))
    got = scores.coverage(predicted)
    assert got["coverage_80_long"] == 0.75
    assert got["coverage_80_short"] == 0.75
    assert got["coverage_80"] == 0.75


def test_reliability_shows_each_tenth_once_from_least_to_most():
    predicted = np.arange(1.0, 101.0).reshape(50, 2)
    rows = scores.reliability(rows_of(2 * predicted, predicted))
    assert [row["n"] for row in rows] == [10] * 10
    assert all(row["actual"] == pytest.approx(2 * row["predicted"]) for row in rows)
    assert [row["predicted"] for row in rows] == sorted(row["predicted"] for row in rows)


def test_a_perfect_map_finds_the_largest_hours_and_a_reversed_one_the_smallest():
    liquidated = np.stack((np.arange(100.0), np.zeros(100)), axis=1)
    got = scores.order(rows_of(liquidated, liquidated, path=liquidated[::-1]))
    share = got["share_in_top_5_percent"]
    assert share["ours"] == pytest.approx(sum(range(95, 100)) / sum(range(100)))
    assert share["no_map"] == pytest.approx(sum(range(5)) / sum(range(100)))


def test_the_interval_holds_the_score_and_the_gain_over_a_worse_map_is_above_zero():
    chance = np.random.default_rng(1)
    mean = chance.exponential(100.0, (720, 2))
    predicted = rows_of(chance.gamma(5.0, mean / 5), mean)
    low, high = scores.intervals(predicted)["poisson_deviance"]
    assert low < scores.deviances(predicted)["poisson_deviance"] < high
    assert scores.intervals(predicted)["no_map_minus_ours"][0] > 0


def test_a_map_that_knows_adds_to_what_the_path_explains():
    chance = np.random.default_rng(2)
    mean = chance.lognormal(12, 2, (600, 2))
    predicted = rows_of(mean * chance.lognormal(0, 0.1, mean.shape), mean)
    got = scores.r2(
        predicted.where(predicted.hours < START + 300),
        predicted.where(predicted.hours >= START + 300),
    )
    for side in scores.SIDES:
        assert got[side]["path"] < 0.05
        assert got[side]["path_and_ours"] > 0.9


def test_blocks_hold_each_hour_once():
    liquidated = np.ones((800, 2))
    blocks = scores.blocks(rows_of(liquidated, liquidated))
    assert [block["hours"] for block in blocks] == [360, 360, 80]


def test_the_split_is_at_midnight():
    assert hours.middle(np.arange(START + 5, START + 5 + 100)) % 24 == 0


def test_rows_are_split_once_and_both_halves_are_told():
    chance = np.random.default_rng(4)
    liquidated = chance.exponential(10.0, (96, 2))
    predicted = rows_of(liquidated, liquidated)
    got = scores.halves(hours.ScoredHours(predicted, START + 48))
    assert got["split"]["at"] == scores.iso(START + 48)
    assert scores.halves(hours.ScoredHours(predicted, START)) == {}


def test_a_sum_over_venues_is_shared_out_by_open_interest():
    one = walked(2.0)
    stream = []
    for event in one:
        stream.append(event)
        if isinstance(event, Candles):
            stream.append(bars(event.close, int(event.times[0]), "bybit:BTCUSDT", 3000.0))
    both, alone = hours.play(stream), hours.play(one)
    for hour in alone.hours[:3]:
        whole = alone.rows[alone.hours == hour, REPORTED].sum(axis=0)
        assert both.rows[both.hours == hour, REPORTED].sum(axis=0) == pytest.approx(whole, rel=1e-4)
    assert (np.diff(both.hours) >= 0).all()


def test_a_row_is_in_dollars_at_the_last_price_of_its_hour():
    stream = walked(1.0)
    predicted = hours.play(stream)
    assert len(predicted.hours) > 3
    for hour, row in zip(predicted.hours.tolist(), predicted.rows, strict=True):
        run, bar = stream[2 * (hour - START)], stream[2 * (hour - START) + 1]
        want = np.array([bar.long, bar.short]) * run.close[-1]
        assert row[REPORTED] == pytest.approx(want, rel=1e-4)


def test_the_excursion_is_how_far_price_went_each_way():
    stream = walked(1.0)
    predicted = hours.play(stream)
    for hour, away in zip(predicted.hours.tolist(), predicted.away, strict=True):
        run, before = stream[2 * (hour - START)], stream[2 * (hour - START) - 2]
        opened = before.close[-1]
        want = (
            math.log(opened / min(opened, run.low.min())),
            math.log(max(opened, run.high.max()) / opened),
        )
        assert away == pytest.approx(want, abs=1e-9)


def test_what_is_said_of_an_hour_does_not_depend_on_what_comes_after():
    stream = walked(2.0)
    whole, part = hours.play(stream), hours.play(stream[: 2 * 30])
    n = len(part.hours)
    assert n > 10
    assert np.array_equal(whole.rows[:n], part.rows)


@given(st.integers(0, 2**32 - 1))
def test_shuffling_moves_amounts_and_leaves_prices_and_sums(seed):
    stream = walked(1.0)
    mixed = hours.shuffled(stream, seed)
    assert [(type(e), e.event_time, e.market) for e in mixed] == [
        (type(e), e.event_time, e.market) for e in stream
    ]

    def column(events, name, kind=Candles):
        values = [np.atleast_1d(getattr(e, name)) for e in events if isinstance(e, kind)]
        return np.concatenate(values)

    for name in ("times", "open", "high", "low", "close", "mark"):
        assert np.array_equal(column(mixed, name), column(stream, name))
    for name, kind in (("volume", Candles), ("buy", Candles), ("long", LiquidationBar)):
        one, other = column(stream, name, kind), column(mixed, name, kind)
        assert np.array_equal(np.sort(one), np.sort(other))
        assert not np.array_equal(one, other)
    steps = [np.sort(np.diff(np.log(column(each, "oi")))) for each in (stream, mixed)]
    assert steps[0] == pytest.approx(steps[1], abs=1e-9)
    assert column(mixed, "buy") == pytest.approx(column(mixed, "volume") / 3)


def test_a_coin_without_liquidation_bars_is_refused(recorded):
    with pytest.raises(ConfigError, match="expected liquidation_bars of SOL, found none"):
        hours.bar_events(load(recorded / "okx_202603.toml"), "SOL")


def test_a_few_days_are_refused(monkeypatch):
    monkeypatch.setattr(hours, "bar_events", lambda *_: walked(1.0))

    class Here:
        path = "few.toml"

    with pytest.raises(ConfigError, match=r"few.toml: expected more than 20 days of bars"):
        hours.run(Here(), "BTC")


@pytest.fixture(scope="module")
def btc(data):
    """Return what was said of Binance BTC with the path given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWDERKEG_DATA", str(data))
        return hours.run(load(Path(__file__).parents[1] / "sources" / "btc_2026.toml"), "BTC")


@pytest.mark.slow
def test_on_real_hours_the_map_misses_far_less_than_the_maps_that_know_less(btc):
    got = scores.summary(btc)
    assert got["poisson_deviance"] <= 0.34
    assert got["poisson_deviance"] < got["path_only_deviance"] <= 0.36
    assert got["no_map_deviance"] >= 0.7
    assert got["static_deviance"] >= 1.6
    assert 0.8 <= got["predicted_over_reported"] <= 1.25
    assert got["interval_95"]["no_map_minus_ours"][0] > 0.2
    assert got["split"]["at"] == "2026-02-01T00:00Z"
    assert got["split"]["second"]["poisson_deviance"] <= 0.35
    assert got["hours_played"] == got["hours"] + got["warm_up_hours"]
    ahead = [block["poisson_deviance"] < block["path_only_deviance"] for block in got["blocks"]]
    assert got["blocks_ahead_of_path_only"] == [sum(ahead), len(ahead)]


@pytest.mark.slow
def test_bands_hold_on_real_hours_of_both_sides(btc):
    got = scores.coverage(btc.forecasts)
    assert all(0.72 <= share <= 0.88 for share in got.values())


@pytest.mark.slow
def test_the_map_explains_more_than_the_path_and_than_the_static_map(btc):
    for side in scores.r2(*(halves_of(btc))).values():
        assert side["path_and_ours"] >= side["path"] + 0.1
        assert side["path_and_ours"] >= side["path_and_static"] + 0.09


def halves_of(played):
    """Return the rows before and after the split."""
    forecasts, at = played.forecasts, played.middle
    return forecasts.where(forecasts.hours < at), forecasts.where(forecasts.hours >= at)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "most"), [("causal", 0.40), ("strict", 0.41)])
def test_with_less_known_within_the_hour_it_still_holds(recorded, way, most):
    played = hours.run(load(recorded / "btc_2026.toml"), "BTC", way)
    assert scores.brief(played.forecasts)["poisson_deviance"] <= most


@pytest.mark.slow
def test_shuffled_volume_and_liquidations_teach_nothing(recorded):
    played = hours.run(load(recorded / "btc_2026.toml"), "BTC", placebo=True)
    assert scores.brief(played.forecasts)["ratio_no_map"] >= 0.9


class Here:
    """A source of which only the path is asked."""

    path = "here.toml"


def test_only_hours_between_two_dates_are_scored_and_all_before_are_learned_from(monkeypatch):
    stream = walked(24.0)
    monkeypatch.setattr(hours, "bar_events", lambda *_: stream)
    whole = hours.run(Here(), "BTC")
    since, until = T + 21 * 24 * HOUR, T + 22 * 24 * HOUR
    part = hours.run(Here(), "BTC", since=since, until=until)
    assert part.forecasts.hours[0] >= since // HOUR
    assert part.forecasts.hours[-1] < until // HOUR
    assert part.played > len(part.forecasts.hours)
    same = whole.forecasts.between(since // HOUR, until // HOUR)
    assert np.array_equal(part.forecasts.rows, same.rows)


def test_an_hour_that_a_date_cuts_is_not_scored(monkeypatch):
    monkeypatch.setattr(hours, "bar_events", lambda *_: walked(24.0))
    at = T + 21 * 24 * HOUR
    part = hours.run(Here(), "BTC", since=at - HOUR // 2, until=at + 5 * HOUR // 2)
    assert part.forecasts.hours.tolist() == [at // HOUR, at // HOUR + 1]


@pytest.mark.parametrize(
    ("since", "until"),
    [(900, None), (None, 3), (None, -3), (22, 21), (None, 20)],
    ids=["after the end", "while warming up", "before the start", "crossed", "first hour only"],
)
def test_dates_between_which_nothing_can_be_scored_are_refused_with_the_range(
    monkeypatch, since, until
):
    monkeypatch.setattr(hours, "bar_events", lambda *_: walked(24.0))
    reported = {
        name: T + day * 24 * HOUR for name, day in (("since", since), ("until", until)) if day
    }
    words = (
        r"found none: those of BTC that can be scored begin 2026-01-2\d \d\d:00 and end 2026-01-25"
    )
    with pytest.raises(ConfigError, match=words):
        hours.run(Here(), "BTC", **reported)


def test_what_is_scored_and_what_was_played_are_both_told(monkeypatch):
    monkeypatch.setattr(hours, "bar_events", lambda *_: walked(24.0))
    whole = hours.run(Here(), "BTC")
    got = scores.summary(whole)
    assert got["warm_up_hours"] == hours.WARM_UP
    assert got["hours_played"] - got["hours"] == hours.WARM_UP
    part = scores.summary(hours.run(Here(), "BTC", since=T + 22 * 24 * HOUR))
    assert part["hours_played"] == got["hours_played"]
    assert part["hours"] < got["hours"]
    assert part["since"] == "2026-01-23T00:00Z"


def test_too_few_days_are_counted_in_days_however_many_markets_there_are(monkeypatch):
    one = walked(2.0)
    two = [each for event in one for each in (event, *again(event))]
    monkeypatch.setattr(hours, "bar_events", lambda *_: two)
    with pytest.raises(ConfigError, match=r"found [12]\.\d$"):
        hours.run(Here(), "BTC")


def again(event):
    """Return the same bars of another market."""
    if isinstance(event, Candles):
        yield bars(event.close, int(event.times[0]), "bybit:BTCUSDT", 3000.0)


def test_rows_that_the_record_has_forgotten_are_scored_all_the_same(monkeypatch):
    stream = walked(24.0)
    monkeypatch.setattr(hours, "bar_events", lambda *_: stream)
    whole = hours.run(Here(), "BTC")
    monkeypatch.setattr(forecasts, "KEPT", 64)
    assert np.array_equal(hours.run(Here(), "BTC").forecasts.rows, whole.forecasts.rows)


def test_models_stand_side_by_side_and_a_gain_that_may_be_chance_is_no_edge():
    liquidated = np.random.default_rng(2).gamma(0.5, 10.0, (400, 2))
    predicted = rows_of(liquidated, liquidated * 1.1, alone=liquidated * 2)
    table = scores.models(predicted, predicted)
    assert [row["model"] for row in table] == ["ours", "path_only", "no_map", "static"]
    assert table[0]["poisson_deviance"] < table[1]["poisson_deviance"]
    assert table[1]["predicted_over_reported"] == pytest.approx(2)
    gain = scores.intervals(predicted)["path_only_minus_ours"]
    assert scores.verdict(gain) == "edge shown"
    equal = scores.intervals(rows_of(liquidated, liquidated * 1.1, alone=liquidated * 1.1))
    assert scores.verdict(equal["path_only_minus_ours"]) == "no edge shown"


def test_hours_are_ranked_and_explained_by_the_path_alone_too():
    liquidated = np.random.default_rng(2).gamma(0.5, 10.0, (400, 2))
    predicted = rows_of(liquidated, liquidated * 1.1, alone=liquidated.max() - liquidated)
    ranked = scores.order(predicted)
    assert ranked["spearman"]["path_only"] == pytest.approx(-1)
    assert ranked["share_in_top_5_percent"]["path_only"] < 0.05
    halves = (
        predicted.where(predicted.hours < START + 200),
        predicted.where(predicted.hours >= START + 200),
    )
    for side in scores.r2(*halves).values():
        assert list(side) == ["path", "path_and_static", "path_and_path_only", "path_and_ours"]
    got = scores.summary(hours.ScoredHours(predicted, START + 200, 500))
    assert got["verdict_over_path_only"] == "edge shown"
    assert got["blocks_ahead_of_path_only"] == [2, 2]
    assert got["ratio_path_only"] == pytest.approx(
        got["poisson_deviance"] / got["path_only_deviance"]
    )


def test_every_block_has_the_interval_of_its_gain_over_the_path_alone():
    liquidated = np.random.default_rng(2).gamma(0.5, 10.0, (30 * 24, 2))
    for block in scores.blocks(rows_of(liquidated, liquidated * 1.1, alone=liquidated * 2)):
        low, high = block["path_only_minus_ours"]
        assert 0 < low < high
