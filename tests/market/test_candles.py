"""Candles from prints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, Candle, Trade, Trades
from powderkeg.market.candles import Bars, coarser

M = "binance:BTCUSDT"


def trade(at, price, size=1.0, taker="buy"):
    return Trade(M, at, at, price, size, taker)


def run(times, prices, sizes):
    at = times[-1] if times else 0
    columns = np.array(times, np.int64), np.array(prices, float), np.array(sizes, float)
    return Trades(M, at, at, *columns)


def test_a_bar_holds_the_prints_of_its_span():
    bars = Bars(M, MINUTE)
    bars.add(trade(1, 100.0, 1.0))
    bars.add(trade(2, 105.0, 2.0, "sell"))
    bars.add(trade(3, 95.0, 4.0))
    over = bars.add(trade(MINUTE, 99.0))
    assert over == [Candle(M, 0, 3, MINUTE, 100.0, 105.0, 95.0, 95.0, 7.0, 5.0)]
    assert bars.open == Candle(M, MINUTE, MINUTE, MINUTE, 99.0, 99.0, 99.0, 99.0, 1.0, 1.0)


def test_a_run_over_several_spans_finishes_all_but_the_last_and_skips_silent_ones():
    bars = Bars(M, MINUTE)
    over = bars.add(run([1, MINUTE, 3 * MINUTE], [1.0, 2.0, 3.0], [1.0, -1.0, 1.0]))
    assert [bar.event_time for bar in over] == [0, MINUTE]
    assert bars.open is not None
    assert bars.open.event_time == 3 * MINUTE


def test_time_finishes_a_bar_too():
    bars = Bars(M, MINUTE)
    assert bars.close(MINUTE) == []
    bars.add(trade(1, 100.0))
    assert bars.close(MINUTE - 1) == []
    assert [bar.event_time for bar in bars.close(MINUTE)] == [0]
    assert bars.open is None


def test_a_print_of_a_bar_that_is_over_is_left_out_and_counted():
    bars = Bars(M, MINUTE)
    bars.add(trade(MINUTE, 100.0))
    assert bars.add(trade(MINUTE - 1, 50.0)) == []
    assert bars.add(run([MINUTE - 1, MINUTE + 1], [50.0, 101.0], [1.0, 1.0])) == []
    bars.close(2 * MINUTE)
    bars.add(trade(2 * MINUTE - 1, 50.0))
    assert bars.late == 3
    columns = bars.columns()
    assert columns is not None
    assert columns.low.tolist() == [100.0]


def test_an_empty_run_changes_nothing():
    bars = Bars(M, MINUTE)
    assert bars.add(run([], [], [])) == []
    assert bars.open is None


def test_columns_are_the_last_finished_bars_and_say_nothing_of_open_interest():
    bars = Bars(M, MINUTE, keep=3)
    assert bars.columns() is None
    for n in range(6):
        bars.add(trade(n * MINUTE, 100.0 + n))
    columns = bars.columns(2)
    assert columns is not None
    assert columns.times.tolist() == [3 * MINUTE, 4 * MINUTE]
    assert columns.event_time == 5 * MINUTE
    assert np.isnan(columns.oi).all()
    assert columns.mark.tolist() == columns.close.tolist() == [103.0, 104.0]
    every = bars.columns()
    assert every is not None
    assert len(every.times) == 3


def test_coarser_bars_need_a_whole_multiple():
    bar = Candle(M, 0, 0, 2 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="multiple of 120000000"):
        coarser([bar], 3 * MINUTE)


prints = st.lists(
    st.tuples(
        st.integers(0, 3 * MINUTE),
        st.floats(90.0, 110.0),
        st.floats(0.001, 50.0),
        st.sampled_from([-1.0, 1.0]),
    ),
    min_size=1,
    max_size=60,
)


@given(prints, st.integers(1, 20))
def test_runs_and_single_prints_make_the_same_bars_bit_for_bit(rows, length):
    times = np.cumsum([at for at, *_ in rows]).tolist()
    prices, sizes = [p for _, p, *_ in rows], [s * sign for *_, s, sign in rows]
    one, many = Bars(M, MINUTE), Bars(M, MINUTE)
    for at, price, size in zip(times, prices, sizes, strict=True):
        one.add(trade(at, price, abs(size), "buy" if size > 0 else "sell"))
    for start in range(0, len(times), length):
        part = slice(start, start + length)
        many.add(run(times[part], prices[part], sizes[part]))
    one.close(2**60)
    many.close(2**60)
    first, second = one.columns(), many.columns()
    assert first is not None
    assert second is not None
    for name in ("times", "open", "high", "low", "close", "volume", "buy"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@given(prints)
def test_nothing_is_lost_between_prints_bars_and_coarser_bars(rows):
    times = np.cumsum([at for at, *_ in rows]).tolist()
    bars = Bars(M, MINUTE)
    over = bars.add(run(times, [p for _, p, *_ in rows], [s * g for *_, s, g in rows]))
    over += bars.close(2**60)
    long = coarser(over, 5 * MINUTE)
    total = sum(size for *_, size, _ in rows)
    assert sum(bar.volume for bar in over) == pytest.approx(total)
    assert sum(bar.volume for bar in long) == pytest.approx(total)
    assert max(bar.high for bar in long) == max(price for _, price, *_ in rows)
    assert min(bar.low for bar in long) == min(price for _, price, *_ in rows)
    assert (long[0].open, long[-1].close) == (rows[0][1], rows[-1][1])
    assert all(bar.event_time % (5 * MINUTE) == 0 for bar in long)


def test_state_tells_apart_what_comes_next():
    one, two = Bars(M, MINUTE), Bars(M, MINUTE)
    one.add(trade(1, 100.0))
    assert one.state() != two.state()
    two.add(trade(1, 100.0))
    assert one.state() == two.state()


def test_three_minutes_of_bars_are_one_longer_bar_and_the_fourth_begins_another():
    bars = [Candle(M, n * MINUTE, n, MINUTE, 100.0 + n, 110.0 - n, 90.0 - n, 101.0 + n, 2.0, 1.5)
            for n in range(4)]  # fmt: skip
    first, second = coarser(bars, 3 * MINUTE)
    assert first == Candle(M, 0, 2, 3 * MINUTE, 100.0, 110.0, 88.0, 103.0, 6.0, 4.5)
    assert (second.event_time, second.volume) == (3 * MINUTE, 2.0)
