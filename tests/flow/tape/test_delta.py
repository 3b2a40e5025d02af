"""Cumulative volume delta: sums to the last digit, bars, divergence."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import MINUTE, Trades
from powderkeg.flow.tape.delta import CumulativeDelta, divergence, trade_imbalance

M = "binance:BTCUSDT"
ROWS = st.lists(
    st.tuples(st.integers(0, 10**9), st.floats(1, 9), st.floats(-9, 9).filter(bool)), min_size=1
)


@given(ROWS)
def test_cvd_is_the_sum_of_signed_prints_to_the_last_digit(rows):
    run = Trades.of(M, 9, rows)
    bulk, single = CumulativeDelta(), CumulativeDelta()
    bulk.add(run)
    for trade in run.singles():
        single.add(trade)
    total = 0.0
    for size in run.sizes.tolist():
        total += size
    assert bulk.cvd == single.cvd == total
    assert bulk.count == len(rows)
    for ours, theirs in zip(
        (bulk.bars().delta, bulk.bars().cvd), (single.bars().delta, single.bars().cvd), strict=True
    ):
        assert ours.tolist() == theirs.tolist()


def test_bars_hold_delta_volume_and_the_cvd_at_their_end():
    cvd = CumulativeDelta()
    rows = [(1, 1.0, 2.0), (2, 1.0, -5.0), (MINUTE, 1.0, 1.0), (3 * MINUTE, 1.0, 4.0)]
    cvd.add(Trades.of(M, 9, rows))
    bars = cvd.bars()
    assert (bars.times // MINUTE).tolist() == [0, 1, 3]
    assert bars.delta.tolist() == [-3, 1, 4]
    assert bars.volume.tolist() == [7, 1, 4]
    assert bars.cvd.tolist() == [-3, -2, 2]
    assert (cvd.bars(MINUTE).times // MINUTE).tolist() == [1, 3]
    assert cvd.anchor == 1


def test_memory_is_bounded_and_late_prints_still_count():
    cvd = CumulativeDelta(bars=3)
    for n in range(9):
        cvd.add(Trades.of(M, 9, [(n * MINUTE, 1.0, 1.0)]))
    cvd.add(Trades.of(M, 9, [(MINUTE, 1.0, -1.0)]))
    assert (cvd.bars().times // MINUTE).tolist() == [6, 7, 8]
    assert cvd.cvd == 8.0


def swing(last: float, cvd_last: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    price = np.r_[np.linspace(100, 110, 21), last]
    cvd = np.r_[np.linspace(0, 50, 21), cvd_last]
    return price + 1, price - 1, cvd


def test_a_new_high_without_one_of_cvd_diverges():
    assert divergence(*swing(115, 10), 2.0).high
    assert not divergence(*swing(115, 60), 2.0).high
    assert not divergence(*swing(105, 10), 2.0).high


def test_a_new_low_without_one_of_cvd_diverges():
    high, low, cvd = swing(115, 10)
    found = divergence(-low, -high, -cvd, 2.0)
    assert (found.high, found.low) == (False, True)


def test_too_few_bars_or_no_range_show_no_divergence():
    high, low, cvd = swing(115, 10)
    assert not divergence(high[:5], low[:5], cvd[:5], 2.0).high
    assert not divergence(high, low, cvd, math.nan).high


def test_trade_imbalance_is_between_minus_one_and_one():
    assert trade_imbalance(3, 1) == pytest.approx(0.5)
    assert trade_imbalance(0, 2) == -1
    assert math.isnan(trade_imbalance(0, 0))
