"""Bars from open interest with a price: causal, or withheld."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import HOUR, MINUTE
from powderkeg.history.bars import Coarse, coarse, synthetic_bars
from powderkeg.history.series.table import Table

T = 1_781_222_400_000_000  # a whole hour
FIVE = 5 * MINUTE


def readings(prices, start=T, size=1.0):
    times = start + FIVE * np.arange(1, len(prices) + 1)
    columns = {"price": np.array(prices, float), "size": np.full(len(prices), size)}
    return Table(times, columns, np.arange(2, len(prices) + 2), "f")


def build(table, volume, extremes=None, hindsight=""):
    (bars,) = synthetic_bars(iter([table]), FIVE, volume, extremes, hindsight=hindsight)
    return bars


def past():
    return Coarse(HOUR, {T - HOUR: (0.0, 0.0, 1200.0)})


def test_open_is_the_close_before_and_the_first_bar_is_flat():
    bars = build(readings([100.0, 102.0, 101.0]), past())
    assert bars.columns["open"].tolist() == [100.0, 100.0, 102.0]
    assert bars.columns["close"].tolist() == [100.0, 102.0, 101.0]
    assert bars.columns["high"].tolist() == [100.0, 102.0, 102.0]
    assert bars.columns["low"].tolist() == [100.0, 100.0, 101.0]
    assert bars.columns["oi"].tolist() == [1.0, 1.0, 1.0]


def test_a_reading_stamped_a_little_late_ends_the_bar_before_it_but_is_not_known_sooner():
    table = readings([100.0, 102.0, 103.0])
    table.times[1] += 2_000_000
    bars = build(table, past())
    assert bars.columns["open"].tolist() == [100.0, 100.0, 102.0]
    assert bars.columns["start"].tolist() == [T, T + FIVE, T + 2 * FIVE]
    assert bars.times.tolist() == table.times.tolist()
    table.times[1] += 60_000_000
    bars = build(table, past())
    assert bars.columns["open"].tolist() == [100.0, 102.0, 103.0], "a minute is not a little"


def test_after_a_missing_reading_a_bar_starts_new():
    table = readings([100.0, 102.0, 110.0]).where(np.array([0, 2]))
    bars = build(table, past())
    assert bars.columns["open"].tolist() == [100.0, 110.0]


def test_volume_is_the_hour_befores_spread_evenly():
    volume = Coarse(HOUR, {T - HOUR: (0, 0, 1200.0), T: (0, 0, 2400.0)})
    bars = build(readings([100.0] * 13), volume)
    assert bars.columns["volume"].tolist() == [100.0] * 12 + [200.0]


def test_volume_that_is_missing_or_not_a_number_is_left_unknown():
    volume = Coarse(HOUR, {T - 2 * HOUR: (0, 0, 24.0), T: (0, 0, float("nan"))})
    bars = build(readings([100.0] * 13), volume)
    assert np.isnan(bars.columns["volume"]).all()


def test_bars_of_which_no_volume_is_known_are_kept():
    for nothing in (None, Coarse(HOUR, {})):
        bars = build(readings([100.0, 101.0]), nothing)
        assert bars.columns["close"].tolist() == [100.0, 101.0]
        assert np.isnan(bars.columns["volume"]).all()


def test_an_hours_extremes_are_placed_on_its_last_bar_only():
    extremes = Coarse(HOUR, {T: (120.0, 90.0, np.nan)})
    bars = build(readings([100.0] * 13), past(), extremes)
    assert bars.columns["high"].tolist() == [100.0] * 11 + [120.0, 100.0]
    assert bars.columns["low"].tolist() == [100.0] * 11 + [90.0, 100.0]


def test_extremes_some_bar_has_reached_are_not_placed_again():
    extremes = Coarse(HOUR, {T: (105.0, 99.0, np.nan)})
    prices = [100.0] * 12
    prices[4] = 105.0
    bars = build(readings(prices), past(), extremes)
    assert bars.columns["high"][11] == 100.0
    assert bars.columns["low"][11] == 99.0


def test_an_hour_without_a_candle_or_without_its_last_bar_places_nothing():
    extremes = Coarse(HOUR, {T: (120.0, 90.0, np.nan)})
    bars = build(readings([100.0] * 11), past(), extremes)
    assert max(bars.columns["high"]) == 100.0
    bars = build(readings([100.0] * 12), past(), Coarse(HOUR, {}))
    assert max(bars.columns["high"]) == 100.0


def test_with_the_hours_volume_known_its_own_is_spread_and_extremes_stay_late():
    volume = Coarse(HOUR, {T - HOUR: (0, 0, 1200.0), T: (0, 0, 2400.0)})
    extremes = Coarse(HOUR, {T: (120.0, 90.0, np.nan)})
    bars = build(readings([100.0] * 12), volume, extremes, "volume")
    assert bars.columns["volume"].tolist() == [200.0] * 12
    assert bars.columns["high"].tolist() == [100.0] * 11 + [120.0]
    assert bars.columns["low"].tolist() == [100.0] * 11 + [90.0]


def test_with_the_path_known_extremes_stand_on_the_bars_that_closed_nearest():
    volume = Coarse(HOUR, {T: (0, 0, 2400.0)})
    extremes = Coarse(HOUR, {T: (120.0, 90.0, np.nan)})
    prices = [100.0] * 12
    prices[3], prices[7] = 110.0, 95.0
    bars = build(readings(prices), volume, extremes, "path")
    assert bars.columns["volume"].tolist() == [200.0] * 12
    assert np.flatnonzero(bars.columns["high"] == 120.0).tolist() == [3]
    assert np.flatnonzero(bars.columns["low"] == 90.0).tolist() == [7]


def test_with_the_path_known_a_bar_beyond_the_candle_keeps_its_own_extremes():
    extremes = Coarse(HOUR, {T: (105.0, 99.0, np.nan)})
    bars = build(readings([100.0, 110.0] + [100.0] * 10), past(), extremes, "path")
    assert max(bars.columns["high"]) == 110.0
    assert min(bars.columns["low"]) == 99.0


def test_candles_are_found_by_their_start():
    columns = {k: np.array([v]) for k, v in (("high", 3.0), ("low", 1.0), ("volume", 9.0))}
    table = Table(np.array([T + HOUR]), columns, np.array([2]), "f")
    assert coarse(iter([table]), HOUR) == Coarse(HOUR, {T: (3.0, 1.0, 9.0)})


prices = st.lists(st.floats(90.0, 110.0), min_size=30, max_size=60)
spoilt = st.tuples(st.floats(50.0, 90.0), st.floats(110.0, 200.0), st.floats(1.0, 1e6))


@given(prices, st.integers(1, 29), st.lists(spoilt, min_size=6, max_size=6))
def test_no_bar_depends_on_anything_after_its_end(closes, n, later):
    """Change all that comes after the end of bar n: nothing up to it may change."""
    end = T + n * FIVE
    truth = {T + k * HOUR: (111.0, 89.0, 1200.0 + k) for k in range(-1, 5)}
    other = {
        start: row if start + HOUR <= end else (high, low, volume)
        for (start, row), (low, high, volume) in zip(truth.items(), later, strict=True)
    }
    changed = closes[:n] + [close + 5 for close in closes[n:]]
    one = build(readings(closes), Coarse(HOUR, truth), Coarse(HOUR, truth))
    two = build(readings(changed), Coarse(HOUR, other), Coarse(HOUR, other))
    for name, column in one.columns.items():
        assert column[:n].tolist() == two.columns[name][:n].tolist()


@given(prices)
def test_every_bar_holds_its_open_and_close(closes):
    extremes = Coarse(HOUR, {T + k * HOUR: (105.0, 95.0, 0.0) for k in range(5)})
    bars = build(readings(closes), past(), extremes)
    columns = bars.columns
    assert (columns["high"] >= np.maximum(columns["open"], columns["close"])).all()
    assert (columns["low"] <= np.minimum(columns["open"], columns["close"])).all()
