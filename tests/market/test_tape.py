"""The tape: which prints to believe, and sums that do not depend on how prints arrive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, SECOND, Trade, Trades
from powderkeg.market.tape import Tape

M = "binance:BTCUSDT"


def trade(at, price, size=1.0, taker="buy"):
    return Trade(M, at, at, price, size, taker)


def run(times, prices, sizes):
    at = times[-1] if times else 0
    columns = np.array(times, np.int64), np.array(prices, float), np.array(sizes, float)
    return Trades(M, at, at, *columns)


def test_cvd_is_the_sum_of_signed_sizes():
    tape = Tape(M)
    tape.add(trade(1, 100.0, 2.0, "buy"))
    tape.add(trade(2, 100.0, 0.5, "sell"))
    tape.add(run([3, 4], [100.0, 100.1], [1.0, -4.0]))
    assert tape.cvd == 2.0 - 0.5 + 1.0 - 4.0
    assert tape.volume == 7.5
    assert (tape.last, tape.at, tape.count) == (100.1, 4, 4)
    assert tape.since(3) == (1.0, 4.0)


def test_a_lone_print_two_percent_off_is_held_and_never_counted():
    tape = Tape(M)
    assert tape.add(trade(1, 28_150.0)) is not None
    assert tape.add(trade(2, 28_722.5)) is None
    assert tape.add(trade(3, 28_150.1)) == trade(3, 28_150.1)
    assert (tape.last, tape.count, tape.dropped) == (28_150.1, 2, 1)


def test_a_confirmed_jump_brings_the_held_print_along():
    tape = Tape(M)
    tape.add(trade(1, 100.0))
    tape.add(trade(2, 103.0, 5.0, "sell"))
    got = tape.add(trade(3, 103.1, 2.0, "buy"))
    assert isinstance(got, Trades)
    assert (got.times.tolist(), got.prices.tolist()) == ([2, 3], [103.0, 103.1])
    assert got.sizes.tolist() == [-5.0, 2.0]
    assert (tape.cvd, tape.dropped) == (1.0 - 5.0 + 2.0, 0)


def test_a_wilder_held_print_is_dropped_when_the_move_is_confirmed():
    tape = Tape(M)
    tape.add(trade(1, 100.0))
    tape.add(trade(2, 150.0))
    assert tape.add(trade(3, 103.0)) == trade(3, 103.0)
    assert tape.dropped == 1


def test_a_bad_print_inside_a_run_is_left_out_of_what_is_believed():
    tape = Tape(M)
    got = tape.add(run([1, 2, 3], [100.0, 110.0, 100.5], [1.0, 1.0, -1.0]))
    assert isinstance(got, Trades)
    assert got.prices.tolist() == [100.0, 100.5]
    assert tape.dropped == 1


def test_a_held_print_is_confirmed_across_runs():
    tape = Tape(M)
    tape.add(run([1], [100.0], [1.0]))
    assert tape.add(run([2], [103.0], [1.0])) is None
    got = tape.add(run([3], [103.0], [1.0]))
    assert isinstance(got, Trades)
    assert got.times.tolist() == [2, 3]


def test_after_a_long_silence_any_price_is_believed():
    tape = Tape(M)
    tape.add(run([1], [100.0], [1.0]))
    later = 11 * MINUTE
    assert tape.add(run([later], [150.0], [1.0])) is not None
    assert tape.last == 150.0


def test_an_empty_tape_has_no_recent_prints_and_an_empty_run_changes_nothing():
    tape = Tape(M)
    assert tape.recent() is None
    assert tape.since(0) == (0.0, 0.0)
    assert tape.add(run([], [], [])) is None
    assert tape.count == 0


def test_only_the_last_prints_are_remembered():
    tape = Tape(M, keep=4)
    tape.add(run(list(range(1, 8)), [100.0] * 7, [float(n) for n in range(1, 8)]))
    tape.add(trade(8, 100.0, 8.0))
    recent = tape.recent()
    assert recent is not None
    assert recent.sizes.tolist() == [5.0, 6.0, 7.0, 8.0]
    last = tape.recent(2)
    assert last is not None
    assert last.times.tolist() == [7, 8]
    assert tape.count == 8


prints = st.lists(
    st.tuples(
        st.integers(0, 400 * SECOND),
        st.one_of(st.floats(99.0, 101.0), st.floats(50.0, 200.0)),
        st.floats(0.001, 50.0),
        st.sampled_from([-1.0, 1.0]),
    ),
    min_size=1,
    max_size=60,
)


@given(prints, st.integers(1, 20))
def test_runs_and_single_prints_leave_the_same_state_and_believe_the_same(rows, length):
    times = np.cumsum([at for at, *_ in rows]).tolist()
    prices, sizes = [p for _, p, *_ in rows], [s * sign for *_, s, sign in rows]
    one, many = Tape(M, keep=16), Tape(M, keep=16)
    singly, in_runs = [], []
    for at, price, size in zip(times, prices, sizes, strict=True):
        got = one.add(trade(at, price, abs(size), "buy" if size > 0 else "sell"))
        if isinstance(got, Trade):
            singly.append((got.event_time, got.price))
        elif got is not None:
            singly += zip(got.times.tolist(), got.prices.tolist(), strict=True)
    for start in range(0, len(times), length):
        part = slice(start, start + length)
        got = many.add(run(times[part], prices[part], sizes[part]))
        if isinstance(got, Trades):
            in_runs += zip(got.times.tolist(), got.prices.tolist(), strict=True)
    assert singly == in_runs
    believed = (one.cvd, one.volume, one.count, one.last, one.dropped)
    assert believed == (many.cvd, many.volume, many.count, many.last, many.dropped) or (
        np.isnan(one.last) and np.isnan(many.last)
    )
    assert one.state() == many.state()


@given(prints)
def test_bought_and_sold_since_the_start_are_the_believed_volume(rows):
    tape = Tape(M, keep=100)
    for n, (_, price, size, sign) in enumerate(rows, 1):
        tape.add(trade(n, price, size, "buy" if sign > 0 else "sell"))
    bought, sold = tape.since(0)
    assert bought + sold == pytest.approx(tape.volume)
    assert bought - sold == pytest.approx(tape.cvd, abs=1e-9)


@pytest.mark.parametrize(("taker", "signed"), [("buy", 2.0), ("sell", -2.0)])
def test_one_print_as_columns_keeps_its_times_its_price_and_the_takers_sign(taker, signed):
    columns = Trade(M, 5, 7, 100.0, 2.0, taker).as_run()
    assert (columns.market, columns.event_time, columns.received_time) == (M, 5, 7)
    assert columns.times.tolist() == [5]
    assert columns.prices.tolist() == [100.0]
    assert columns.sizes.tolist() == [signed]
