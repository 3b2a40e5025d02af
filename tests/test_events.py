"""Columns of prints and of bars: conversions lose nothing and keep the order of time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from powderkeg.events import MINUTE, Candle, Candles, Trade, Trades

M = "binance:BTCUSDT"
ROWS = st.lists(
    st.tuples(st.integers(0, 50), st.floats(1, 100), st.floats(-9, 9).filter(bool)), min_size=1
)


def bars(*starts: int) -> list[Candle]:
    return [
        Candle(M, n * MINUTE, n * MINUTE, MINUTE, 1.0 + n, 3.0 + n, 0.5, 2.0 + n, 10.0, 4.0)
        for n in starts
    ]


def rows_of(run: Trades) -> list[tuple[int, float, float]]:
    return list(zip(run.times.tolist(), run.prices.tolist(), run.sizes.tolist(), strict=True))


@given(ROWS)
def test_rows_become_columns_in_order_of_time(rows):
    run = Trades.of(M, 99, rows)
    assert rows_of(run) == sorted(rows, key=lambda row: row[0])
    assert (run.event_time, run.received_time) == (max(row[0] for row in rows), 99)


@given(ROWS)
def test_prints_one_by_one_are_the_columns_again(rows):
    run = Trades.of(M, 99, rows)
    assert rows_of(Trades.concat(run.singles())) == rows_of(run)
    assert [trade.signed for trade in run.singles()] == run.sizes.tolist()


@given(ROWS, st.integers(0, 10))
def test_parts_joined_are_the_whole(rows, cut):
    run = Trades.of(M, 99, rows)
    parts = [
        part for part in (run.where(slice(cut)), run.where(slice(cut, None))) if len(part.times)
    ]
    mixed = [part.singles()[0] if len(part.times) == 1 else part for part in parts]
    assert rows_of(Trades.concat(mixed)) == rows_of(run)
    assert Trades.concat(mixed).event_time == run.event_time


def test_a_print_alone_is_a_run_of_one():
    run = Trade(M, 5, 7, 100.0, 2.0, "sell").as_run()
    assert rows_of(run) == [(5, 100.0, -2.0)]
    assert (run.market, run.event_time, run.received_time) == (M, 5, 7)


def test_bars_as_columns_take_their_prices_for_marks_and_know_no_open_interest():
    run = Candles.of(bars(1, 2, 4))
    assert (run.times // MINUTE).tolist() == [1, 2, 4]
    assert run.event_time == run.received_time == 5 * MINUTE
    assert (run.mark_high == run.high).all()
    assert (run.mark == run.close).all()
    assert np.isnan(run.oi).all()
    assert run.open.tolist() == [2.0, 3.0, 5.0]


def test_overlapping_runs_of_bars_are_joined_each_bar_once_in_order_of_time():
    late, early = Candles.of(bars(3, 4, 5)), replace(Candles.of(bars(2, 3)), received_time=1)
    run = Candles.concat([late, early])
    assert (run.times // MINUTE).tolist() == [2, 3, 4, 5]
    assert all(len(column) == 4 for column in run.columns().values())


def test_some_of_the_bars_were_received_as_the_last_of_them_ended():
    run = Candles.of(bars(1, 2, 4))
    kept = run.where(run.times < 3 * MINUTE)
    assert (kept.times // MINUTE).tolist() == [1, 2]
    assert kept.event_time == kept.received_time == 3 * MINUTE
    assert not len(run.where(slice(0)).times)
