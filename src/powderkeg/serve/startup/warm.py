"""Compiles all kernels of a map, or loads them from the cache, on a scratch desk."""

from __future__ import annotations

import math

import numpy as np

from powderkeg.desk import Desk
from powderkeg.events import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    BookSnapshot,
    Candles,
    ClockTick,
    Event,
    Liquidation,
    Mark,
    OpenInterest,
    Trades,
)
from powderkeg.feed.drive import drive
from powderkeg.maps.views.views import VIEWS
from powderkeg.serve.codec import read_query
from powderkeg.settings import LIVE

MARKET = "warm:COIN"
START = 1_767_225_600 * SECOND
"""Any whole day: nothing of it is kept."""
ASKED: dict[str, dict[str, str]] = {
    "heatmap": {}, "levels": {"bands": "1"}, "bars": {}, "cumulative": {}, "venues": {},
    "accumulated": {}, "cell": {"price": "101"},
}  # fmt: skip
"""Parameters that pages use, by view."""


def warm() -> None:
    """Apply a day of candles and a minute of trades and books to a desk, and compute every view."""
    desk = Desk("COIN", LIVE, horizon=START + DAY)
    drive(desk, _events())
    estimate = desk.markets[MARKET].estimate
    assert estimate is not None  # noqa: S101  candles were played
    estimate.refit(START + DAY, START + DAY + MINUTE)
    for name, params in ASKED.items():
        kind, make = VIEWS[name]
        make(desk, read_query(params, kind))


def _events() -> list[Event]:
    """Return candles that swing by 2 % every four hours, liquidations, and live events."""
    events: list[Event] = []
    for hour in range(24):
        events += _hour(START + hour * HOUR)
    for second in range(0, 150, 10):
        at = START + DAY + second * SECOND
        price = 100.0 + second / 100
        prices, sizes = np.array([price, price * 1.001]), np.array([1.0, -1.0])
        times = np.array([at, at], np.int64)
        events += [
            Trades(MARKET, at, at, times, prices, sizes), Mark(MARKET, at, at, price),
            OpenInterest(MARKET, at, at, 1000.0 + second), _book(at, price), ClockTick(at),
        ]  # fmt: skip
    return events


def _book(time: int, price: float) -> BookSnapshot:
    bids, asks = (
        tuple((price + sign * step / 100, 1.0 + step % 7) for step in range(1, 61))
        for sign in (-1, 1)
    )
    return BookSnapshot(MARKET, time, time, bids, asks)


def _hour(since: int) -> list[Event]:
    times = np.arange(since, since + HOUR, MINUTE, dtype=np.int64)
    price = 100 + 2 * np.sin(2 * math.pi * (times - START) / (4 * HOUR))
    low, high, ones = price * 0.999, price * 1.001, np.ones(60)
    end = since + HOUR
    bars = Candles(
        market=MARKET, event_time=end, received_time=end, span=MINUTE, times=times, open=price,
        high=high, low=low,
        close=price, volume=10 * ones, buy=5 * ones, oi=1000 * ones, mark_low=low, mark_high=high,
        mark=price,
    )  # fmt: skip
    return [
        bars,
        *(Liquidation(MARKET, end - 1, end - 1, 100.0, 1.0, side) for side in ("long", "short")),
    ]
