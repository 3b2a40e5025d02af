"""The null models that live beside every estimate."""

import math
import os

import numpy as np
import pytest
from msgspec import structs

from powderkeg.engine.calibration.baselines import (
    COLUMNS,
    PATH_TERMS,
    STATIC,
    WINDOW,
    Baselines,
    MarkPath,
    NullModel,
)
from powderkeg.engine.calibration.terms import KNOWN, TEN
from powderkeg.engine.exposure.classes import CLASSES, DISTANCES, GROUP, RATES, TIME, VOLUME
from powderkeg.engine.exposure.exposure import Exposure, Steps
from powderkeg.engine.exposure.marks import R_CLASSES, R_FRESH, R_LENGTH, R_SIDE, R_TIME, RECORD
from powderkeg.engine.exposure.table import DEPOSITED
from powderkeg.events import DAY, HOUR, MINUTE, SECOND, Candles
from powderkeg.grid import BIN

T = 1_767_225_600 * SECOND
H = T // HOUR
P = 100_000.0
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
NOTHING = np.zeros((0, RECORD))


def up(bins):
    """Return the price so many bins of 5 bp above P."""
    return P * math.exp(bins * BIN)


def walked(path, minutes, bins):
    """Let a path see marks at these minutes after T."""
    marks = np.array([up(b) for b in bins])
    path.add_marks(T + np.array(minutes) * MINUTE, marks, marks, marks)


def fresh(minute, side, length):
    """Return the record of a sweep over fresh ground, or over old ground where length < 0."""
    out = np.zeros((1, RECORD))
    out[0, [R_TIME, R_SIDE, R_LENGTH, R_FRESH]] = (
        (T + minute * MINUTE) / SECOND, side, abs(length), float(length > 0),
    )  # fmt: skip
    return out


def test_the_terms_of_a_walk_are_how_far_it_went_each_way_in_tens_of_basis_points():
    """From P up 8 bins, down 20, back: 0.4 % up and 0.6 % down of the open."""
    path = MarkPath()
    walked(path, [1, 20, 40, 60], [0, 8, -12, 0])
    down, up_ = path.terms(H)
    assert down[:2] == pytest.approx([6.0, 0.36])
    assert up_[:2] == pytest.approx([4.0, 0.16])
    assert (down[-1], up_[-1]) == (1.0, 1.0)


def test_an_hour_opens_where_the_one_before_it_closed():
    path = MarkPath()
    walked(path, [30, 90], [0, 10])
    path.terms(H)
    assert path.terms(H + 1)[:, 0].tolist() == [0.0, pytest.approx(5.0)]


def test_hours_may_come_in_one_piece_or_in_many():
    minutes, bins = np.arange(1, 400), np.cumsum(np.random.default_rng(1).normal(0, 3, 399))
    whole, parts = MarkPath(), MarkPath()
    walked(whole, minutes, bins)
    for i in range(0, 399, 7):
        walked(parts, minutes[i : i + 7], bins[i : i + 7])
    for hour in range(H, H + 7):
        assert np.array_equal(whole.terms(hour), parts.terms(hour))


def test_the_extremes_of_a_bar_count_although_it_closed_elsewhere():
    path = MarkPath()
    path.add_marks(np.array([T + HOUR]), np.array([up(-4)]), np.array([up(6)]), np.array([P]))
    assert path.terms(H)[:, 0] == pytest.approx([2.0, 3.0])


def test_a_mark_at_the_stroke_of_the_hour_belongs_to_the_hour_that_ends():
    path = MarkPath()
    walked(path, [1, 60, 61], [0, 8, 8])
    assert path.terms(H)[1, 0] == pytest.approx(4.0)
    assert path.terms(H + 1)[1, 0] == 0.0


def test_fresh_ground_counts_by_its_length_and_old_ground_not_at_all():
    """Four bins of 5 bp are two tens: terms 2, 4 / 100 and 2 to the 1.5 / 10."""
    path = MarkPath()
    walked(path, [1, 60], [0, 0])
    for record in (fresh(5, 0, 3.0), fresh(60, 0, 1.0), fresh(7, 1, -50.0)):
        path.add_sweeps(record)
    down, up_ = path.terms(H)
    assert down == pytest.approx([0, 0, 2.0, 0.04, 2**1.5 / 10, 1])
    assert up_.tolist() == [0, 0, 0, 0, 0, 1]
    assert TEN == 2 * BIN


def test_fresh_ground_of_an_hour_no_mark_was_seen_in_is_left_out():
    path = MarkPath()
    path.add_sweeps(fresh(5, 0, 3.0))
    assert path.terms(H) is None


def test_an_hour_that_was_asked_for_is_forgotten_with_all_before_it():
    path = MarkPath()
    walked(path, [30, 90, 150], [0, 1, 2])
    path.terms(H + 1)
    assert list(path.hours) == [H + 2]
    assert path.terms(H) is None


def hours(seed, count, weights):
    """Return the terms of hours and the true liquidated volume in them, without noise."""
    chance = np.random.default_rng(seed)
    terms = chance.exponential(2.0, (count, 2, len(weights)))
    return terms, terms @ weights


def fitted(terms, liquidated, oi=1.0):
    model = NullModel(terms.shape[2])
    for each, volume in zip(terms, liquidated, strict=True):
        model.add(each, volume)
    model.refit(oi)
    return model


def test_a_rival_that_has_not_learned_says_nothing():
    model = NullModel(3)
    assert model.expected(np.ones((2, 3))).tolist() == [0.0, 0.0]


def test_a_rival_recovers_the_weights_that_made_the_deaths():
    truth = np.array([0.5, 2.0, 0.1])
    terms, liquidated = hours(1, 300, truth)
    model = fitted(terms, liquidated)
    assert model.weights == pytest.approx(truth, rel=0.25)
    assert model.expected(terms[0]) == pytest.approx(liquidated[0], rel=0.1)


def test_a_rival_of_one_term_learns_the_ratio_of_what_died():
    terms = np.full((20, 2, 1), 4.0)
    assert fitted(terms, np.full((20, 2), 3.0)).weights == pytest.approx([0.75])


def test_weights_stay_above_zero_whatever_died():
    chance = np.random.default_rng(3)
    terms = chance.exponential(1.0, (50, 2, 6))
    assert (fitted(terms, chance.exponential(1.0, (50, 2)) * (terms[..., 0] > 1)).weights > 0).all()


def test_what_one_side_teaches_the_other_knows():
    terms = np.ones((30, 2, 1))
    terms[:, 1] = 0.0
    liquidated = np.zeros((30, 2))
    liquidated[:, 0] = 5.0
    assert fitted(terms, liquidated).expected(np.ones((2, 1))) == pytest.approx(
        [5.0, 5.0], rel=1e-3
    )


@pytest.mark.parametrize(("term", "liquidated"), [(0.0, 1.0), (1.0, 0.0)])
def test_without_deaths_or_without_a_path_a_rival_learns_nothing(term, liquidated):
    assert fitted(np.full((9, 2, 2), term), np.full((9, 2), liquidated)).weights is None


def test_a_rival_of_no_hours_learns_nothing():
    model = NullModel(2)
    model.refit(1.0)
    assert model.weights is None


def test_only_the_hours_of_the_window_count():
    model, one = NullModel(1), np.ones((2, 1))
    for n in range(2 * WINDOW):
        model.add(one, np.full(2, 100.0 if n < WINDOW else 7.0))
    model.refit(1.0)
    assert model.weights == pytest.approx([7.0], rel=1e-3)


def bars(minutes=300, liquidations_known=True):
    close = P * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.003, minutes)))
    times = T + np.arange(minutes) * MINUTE
    ones, end = np.ones(minutes), int(times[-1]) + MINUTE
    return Candles(
        "binance:BTCUSDT", end, end, MINUTE, times, close, close, close, close, ones, ones / 2,
        1000 + np.arange(minutes) * 5.0, close, close, close, liquidations_known=liquidations_known,
    )  # fmt: skip


def crossed(baselines):
    return sum(float(each.sum()) for each in baselines.hours.crossed.values())


def test_the_static_map_is_four_leverages():
    baselines = Baselines(P)
    assert baselines.static.basis.name == "four-static"
    baselines.static.add_trades(np.array([P]), np.array([1.0]))
    baselines.static.flush(T)
    for column, survives in zip(COLUMNS.tolist(), (0.99, 0.98, 0.96, 0.90), strict=True):
        weights = np.zeros((2, 2, CLASSES))
        weights[:, :, column] = 1.0
        drawn = baselines.static.render(weights)[0]
        reach = BIN * (math.log(P) / BIN - baselines.static.base - np.flatnonzero(drawn))
        assert reach == pytest.approx([-math.log(survives)], abs=2 * BIN)


def test_the_static_map_opens_where_volume_traded_and_nowhere_else():
    baselines = Baselines(P)
    assert not STATIC.timed
    baselines.move_mark(T, (P, math.nan, math.nan), NOTHING)
    baselines.static.flush(T)
    baselines.static.flush(T + DAY)
    assert not baselines.static.ledger[DEPOSITED, :, TIME * GROUP :].any()
    assert (COLUMNS < (VOLUME + 1) * GROUP).all()


def test_the_static_map_never_closes():
    baselines = Baselines(P)
    baselines.static.add_trades(np.array([P]), np.array([8.0]))
    baselines.static.flush(T)
    before = baselines.static.live()
    baselines.static.flush(T + 300 * DAY)
    assert np.array_equal(baselines.static.live(), before)
    assert baselines.static.decayed() == pytest.approx(np.zeros((2, CLASSES)), abs=1e-12)


def test_the_static_map_ignores_open_interest():
    reported = bars()
    fallen = structs.replace(reported, oi=reported.oi[::-1].copy())
    pair = Baselines(P), Baselines(P)
    for baselines, candles in zip(pair, (reported, fallen), strict=True):
        baselines.add_candles(candles, 0, 300, NOTHING)
    assert np.array_equal(pair[0].static.cells, pair[1].static.cells)
    assert pair[0].static.ledger[DEPOSITED].any()


def test_the_static_map_takes_each_trade_whole():
    baselines = Baselines(P)
    baselines.static.add_trades(np.array([P, P]), np.array([3.0, -5.0]))
    baselines.static.flush(T)
    assert baselines.static.ledger[DEPOSITED][:, COLUMNS] == pytest.approx(
        np.array([[3.0], [5.0]]) * np.ones(4)
    )


def marks_by_tape(prices, oi=math.nan):
    n = len(prices)
    times = T / SECOND + 60.0 * np.arange(1, n + 1)
    return Steps(times, np.arange(1, n + 1), np.full(n, oi), prices, prices, np.ones(n))


def test_candles_and_tape_and_single_marks_tell_the_same_path():
    reported, candles, tape, live = bars(), Baselines(P), Baselines(P), Baselines(P)
    candles.add_marks(reported)
    tape.add_tape(marks_by_tape(reported.mark), NOTHING)
    for n, price in enumerate(reported.mark):
        live.move_mark(int(reported.times[n]) + MINUTE, (price, math.nan, math.nan), NOTHING)
    for hour in range(H, H + 5):
        terms = [baselines.close(hour)[0] for baselines in (candles, tape, live)]
        assert terms[0] == pytest.approx(terms[1])
        assert np.array_equal(terms[1], terms[2])


def test_the_extremes_of_a_single_mark_are_those_of_its_bar():
    bars_, single = Baselines(P), Baselines(P)
    reported = bars()
    low, high = reported.mark * 0.999, reported.mark * 1.001
    reported = structs.replace(reported, mark_low=low, mark_high=high)
    bars_.add_marks(reported)
    for n in range(len(reported.times)):
        marks = reported.mark[n], low[n], high[n]
        single.move_mark(int(reported.times[n]) + MINUTE, marks, NOTHING)
    for hour in range(H, H + 5):
        assert bars_.close(hour)[0] == pytest.approx(single.close(hour)[0])
    assert crossed(single) == 0, "all hours are closed"


def test_a_tape_without_marks_has_no_path():
    baselines = Baselines(P)
    steps = marks_by_tape(np.full(5, P))
    baselines.add_tape(structs.replace(steps, marks=np.full(5, math.nan)), NOTHING)
    assert baselines.close(H)[0] is None


def test_a_tape_moves_the_static_map_without_its_open_interest():
    prices = bars().mark
    pair = Baselines(P), Baselines(P)
    pair[0].add_tape(marks_by_tape(prices), NOTHING)
    pair[1].add_tape(marks_by_tape(prices, oi=7.0), NOTHING)
    assert np.array_equal(pair[0].static.cells, pair[1].static.cells)
    assert crossed(pair[0]) > 0


def test_candles_whose_deaths_nobody_told_move_the_static_map_and_are_not_learned_from():
    reported, silent = Baselines(P), Baselines(P)
    for baselines, candles in ((reported, bars()), (silent, bars(liquidations_known=False))):
        baselines.add_marks(candles)
        baselines.add_candles(candles, 0, 300, fresh(5, 0, 3.0))
    assert np.array_equal(reported.static.cells, silent.static.cells)
    assert crossed(reported) > 0
    assert crossed(silent) == 0
    assert (reported.close(H)[0][0, 2], silent.close(H)[0]) == (pytest.approx(1.5), None)


def test_candles_in_parts_are_the_same_as_at_once():
    whole, parts = Baselines(P), Baselines(P)
    whole.add_candles(bars(), 0, 300, NOTHING)
    for start in (0, 100, 200):
        parts.add_candles(bars(), start, start + 100, NOTHING)
    assert np.array_equal(whole.static.cells, parts.static.cells)
    assert crossed(whole) == pytest.approx(crossed(parts))


def test_an_hour_of_the_static_map_is_what_its_four_tiers_crossed():
    baselines = Baselines(P)
    baselines.add_candles(bars(), 0, 300, NOTHING)
    terms = baselines.hours.crossed[H]
    columns = terms[:, COLUMNS].sum(axis=1) + terms[:, KNOWN : KNOWN + 4].sum(axis=1)
    _, static = baselines.close(H)
    assert static == pytest.approx(columns[:, None])
    assert static.shape == (2, 1)


def test_known_ground_counts_as_much_as_fresh_for_the_static_map():
    """The published map knows no ground: what it holds is liquidated where the mark goes."""
    found = []
    for ground in (1.0, 0.0):
        baselines = Baselines(P)
        record = fresh(5, 1, 1.0)
        record[0, R_FRESH] = ground
        record[0, R_CLASSES + COLUMNS] = (1.0, 2.0, 4.0, 8.0)
        record[0, R_CLASSES + COLUMNS + 1] = (1.0, 2.0, 4.0, 8.0)  # the other rate, as it is laid
        baselines._add_sweeps(record)
        found.append(baselines.close(H)[1].tolist())
    assert found[0] == found[1] == [[0.0], [15.0]]
    assert (COLUMNS // RATES).tolist() == list(range(4))
    assert KNOWN + 4 <= KNOWN + DISTANCES


def test_the_other_columns_of_the_static_map_have_no_weight():
    baselines = Baselines(P)
    baselines.add_candles(bars(), 0, 300, NOTHING)
    for _ in range(2):
        others = np.delete(baselines.weights(1000.0), COLUMNS, axis=2)
        assert not others.any()
        baselines.add(np.ones((2, PATH_TERMS)), np.full((2, 1), 50.0), np.full(2, 5.0))
        baselines.refit(1000.0)


def test_before_it_has_learned_the_static_map_is_all_of_open_interest():
    baselines = Baselines(P)
    baselines.add_candles(bars(), 0, 300, NOTHING)
    weights = baselines.weights(1000.0)
    assert np.array_equal(weights[:, 0], weights[:, 1]), "on known ground as on fresh"
    sides = (weights[:, 0] * baselines.static.live()).sum(axis=1)
    assert sides.max() == pytest.approx(1000.0)


def test_an_empty_static_map_has_no_weight():
    assert not Baselines(P).weights(1000.0).any()


def test_the_static_map_learns_its_scale_and_the_path_its_terms():
    baselines = Baselines(P)
    path, static = np.ones((2, PATH_TERMS)), np.full((2, 1), 50.0)
    assert [part.tolist() for part in baselines.expected(path, static)] == [[0, 0], [0, 0]]
    for _ in range(50):
        baselines.add(path, static, np.full(2, 5.0))
    baselines.refit(1.0)
    by_map, by_path = baselines.expected(path, static)
    assert by_map == pytest.approx([5.0, 5.0], rel=1e-3)
    assert by_path == pytest.approx([5.0, 5.0], rel=1e-3)
    weights = baselines.weights(1000.0)[:, :, COLUMNS]
    assert weights == pytest.approx(np.full((2, 2, 4), 0.1), rel=1e-3)


def test_fresh_ground_is_taken_from_the_records_of_our_own_table():
    shown, baselines = Exposure(P), Baselines(P)
    for n, bins in enumerate((0, -30)):
        at = T + (n + 1) * MINUTE
        baselines.move_mark(at, (up(bins), math.nan, math.nan), shown.move_mark(at, up(bins)))
    (path, _) = baselines.close(H)
    assert path[0, 0] == pytest.approx(15.0)
    assert path[0, 2] > 10
    assert path[1, 2] == 0
    assert R_CLASSES == RECORD - CLASSES
