"""Wicks of any candle that is kept, explained afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.errors import RequestError
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, ClockTick
from powderkeg.feed.drive import drive
from powderkeg.signals.context.wick import SPAN
from powderkeg.signals.observe.explain import WickQuery, explained
from powderkeg.signals.observe.observer import stretches

START = 1_767_225_600 * SECOND
HOURS = 26
MARKET = "binance:BTCUSDT"


def hour(number, low=None):
    """Return an hour of candles around 100; the lowest of its first quarter is `low`."""
    since = START + number * HOUR
    times = np.arange(since, since + HOUR, MINUTE, dtype=np.int64)
    price = 100 + np.sin(2 * np.pi * (times - START) / (4 * HOUR))
    lows = price * 0.999
    if low is not None:
        lows[7] = low
    ones, end = np.ones(60), since + HOUR
    return Candles(
        market=MARKET, event_time=end, received_time=end, span=MINUTE, times=times, open=price,
        high=price * 1.001, low=lows, close=price, volume=10 * ones, buy=5 * ones,
        oi=(1_000 + 100 * number) * ones, mark_low=lows, mark_high=price * 1.001, mark=price,
    )  # fmt: skip


@pytest.fixture(scope="module")
def desk():
    """Return a desk whose last hour but one began with a wick to 95."""
    desk = Desk("BTC")
    events = [hour(n, 95.0 if n == HOURS - 2 else None) for n in range(HOURS)]
    drive(desk, [*events, ClockTick(START + HOURS * HOUR)])
    return desk


def test_a_long_wick_is_set_against_the_map_before_its_candle(desk):
    candle = START + (HOURS - 2) * HOUR
    found = explained(desk, WickQuery(candle=candle + 7 * MINUTE))
    assert (found.start, found.end) == (candle, candle + SPAN)
    (wick,) = found.wicks
    assert (wick.side, wick.extreme) == ("long", 95.0)
    assert found.clusters == len(stretches(desk, found.open, candle)) > 0
    assert (wick.floor is None) == (wick.type in {"PRINTS_ONLY", "UNEXPLAINED"})


def test_of_a_candle_without_a_long_wick_lengths_are_told(desk):
    found = explained(desk, WickQuery())
    assert found.wicks == []
    assert found.end == START + HOURS * HOUR
    assert 0 < found.lower < found.need


@pytest.mark.parametrize(
    ("candle", "why"),
    [(START + HOURS * HOUR, "that is over"), (START - 400 * HOUR, "whose prices are kept")],
)
def test_a_candle_that_is_not_over_or_not_kept_is_refused(desk, candle, why):
    with pytest.raises(RequestError, match=why):
        explained(desk, WickQuery(candle=candle))
