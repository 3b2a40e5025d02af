"""Merging prints of one taker, and the scale of sizes."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.events import DAY, HOUR, SECOND, Trade, Trades
from powderkeg.flow.tape.prints import MergedPrint, PrintMerger, SizeScale

M = "binance:BTCUSDT"
ROWS = st.lists(
    st.tuples(st.integers(0, 10**6), st.floats(1, 9), st.floats(-9, 9).filter(bool)), min_size=1
)


MANY = 10_000


def flushed(merger: PrintMerger, now: int) -> list[MergedPrint]:
    done = merger.flush(now)
    return [] if done is None else done.last(MANY)


def count(scale: SizeScale, done: MergedPrint) -> None:
    scale.add(np.array([done.end]), np.array([done.notional]))


def merged(rows) -> list[MergedPrint]:
    merger = PrintMerger(M)
    return merger.add(Trades.of(M, 9, rows)).last(MANY) + flushed(merger, 10**12)


def test_prints_of_one_side_within_fifty_milliseconds_are_one():
    (one,) = merged([(0, 100.0, 1.0), (50_000, 101.0, 3.0)])
    assert (one.size, one.notional, one.count) == (4.0, 403.0, 2)
    assert (one.low, one.high, one.start, one.end, one.side) == (100.0, 101.0, 0, 50_000, "buy")
    assert one.price == pytest.approx(100.75)


def test_another_side_or_a_pause_begins_another():
    sides = merged([(0, 100.0, 1.0), (1, 100.0, -1.0)])
    assert [each.side for each in sides] == ["buy", "sell"]
    assert len(merged([(0, 100.0, 1.0), (50_001, 100.0, 1.0)])) == 2


def test_a_print_is_open_until_none_can_follow():
    merger = PrintMerger(M)
    assert merger.add(Trade(M, 0, 0, 100.0, 1.0, "buy")).last(MANY) == []
    assert merger.flush(50_000) is None
    assert len(flushed(merger, 50_001)) == 1
    assert merger.flush(10**9) is None


@given(ROWS)
def test_merging_loses_nothing_and_does_not_depend_on_how_prints_arrive(rows):
    run = Trades.of(M, 9, rows)
    whole = merged(rows)
    merger = PrintMerger(M)
    parts = [each for trade in run.singles() for each in merger.add(trade).last(MANY)] + flushed(
        merger, 10**12
    )
    assert [(p.start, p.end, p.side, p.count) for p in parts] == [
        (p.start, p.end, p.side, p.count) for p in whole
    ]
    assert sum(each.size for each in whole) == pytest.approx(sum(abs(row[2]) for row in rows))


def of(notional: float, end: int) -> MergedPrint:
    return MergedPrint(M, "buy", end, end, 1.0, notional, notional, notional, 1)


def test_large_is_a_quantile_of_the_last_day_and_never_below_the_floor():
    scale = SizeScale()
    assert scale.threshold() == 50_000.0
    for n in range(2_000):
        count(scale, of(1_000.0, n * SECOND))
    assert scale.threshold() == 50_000.0
    for n in range(10):
        count(scale, of(1_000_000.0, n * SECOND))
    assert scale.threshold() == pytest.approx(1_000_000.0, rel=0.05)
    assert scale.count == 2_010


def test_prints_of_the_day_before_do_not_count():
    scale = SizeScale()
    count(scale, of(9e6, HOUR // 2))
    assert scale.threshold() > 8e6
    count(scale, of(1_000.0, DAY + HOUR // 2))
    assert scale.threshold() == 50_000.0


def test_the_tail_index_of_a_power_law_is_its_exponent():
    rng, scale = random.Random(7), SizeScale()
    for n in range(20_000):
        count(scale, of(100 * rng.paretovariate(1.5), n))
    assert scale.tail_index() == pytest.approx(1.5, rel=0.15)
    assert math.isnan(SizeScale().tail_index())
