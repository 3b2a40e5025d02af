"""What candles traded, minute by minute."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.events import HOUR, MINUTE, Candles
from powderkeg.flow.tape.minutes import KEPT, CandleVolumes

M = "binance:BTCUSDT"


def bars(first: int, volumes: list[float], span: int = MINUTE) -> Candles:
    n = len(volumes)
    times = (first + np.arange(n) * (span // MINUTE)) * MINUTE
    flat, end = np.full(n, 10.0), int(times[-1]) + span
    return Candles(
        M, end, end, span=span, times=times, open=flat, high=flat, low=flat, close=flat,
        volume=np.array(volumes), buy=np.array(volumes) / 2, oi=flat, mark_low=flat,
        mark_high=flat, mark=flat,
    )  # fmt: skip


def test_minutes_hold_the_money_of_their_candles_and_nothing_where_there_is_none():
    known = CandleVolumes()
    known.add(bars(100, [1.0, 2.0]))
    known.add(bars(103, [4.0]))
    assert known.until(104, 6) == pytest.approx([np.nan, 10, 20, np.nan, 40, np.nan], nan_ok=True)


def test_earlier_candles_may_come_later():
    known = CandleVolumes()
    known.add(bars(100, [1.0]))
    known.add(bars(98, [3.0, 2.0]))
    assert known.until(100, 3).tolist() == [30, 20, 10]


def test_longer_candles_are_spread_evenly():
    known = CandleVolumes()
    known.add(bars(600, [60.0], HOUR))
    assert known.until(659, 60).tolist() == [10.0] * 60


def test_a_day_is_kept_and_assumed_volumes_are_left_out():
    known = CandleVolumes()
    known.add(bars(0, [1.0]))
    known.add(bars(1, [1.0] * KEPT))
    assert np.isnan(known.until(KEPT, KEPT + 1)[0])
    assert np.nansum(known.until(KEPT, KEPT + 1)) == 10 * KEPT
    known.add(replace(bars(KEPT + 1, [5.0]), assumed=1))
    assert np.isnan(known.until(KEPT + 1, 1)[0])
    known.add(bars(KEPT + 1, [5.0]).where(slice(0, 0)))
    assert known.end == KEPT + 1
