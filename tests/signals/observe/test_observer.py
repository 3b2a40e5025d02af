"""Scenes that a desk shows its signals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.desk import Desk
from powderkeg.events import (
    HOUR,
    MINUTE,
    SECOND,
    BookSnapshot,
    Candle,
    ClockTick,
    Event,
    Liquidation,
    Mark,
    OpenInterest,
    Trades,
)
from powderkeg.feed.drive import drive
from powderkeg.history.snapshots import CODEC, digest
from powderkeg.settings import Settings
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.observe.observer import depth_of
from powderkeg.signals.scene import Scene

M = "binance:BTCUSDT"
START = 1_767_225_600 * SECOND


class Seen(CoinSignals):
    """Signals that keep the scenes they are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.scenes: list[Scene] = []

    def step(self, scene):
        self.scenes.append(scene)
        return super().step(scene)


def market(seconds: int) -> list[Event]:
    out: list[Event] = [OpenInterest(M, START, START, 10_000.0), Mark(M, START, START, 100.0)]
    for n in range(seconds):
        at = START + n * SECOND
        bids = tuple((100.0 - 0.01 * d, 5.0) for d in range(1, 120))
        asks = tuple((100.0 + 0.01 * d, 5.0) for d in range(1, 120))
        out.append(BookSnapshot(M, at, at, bids, asks))
        out.append(Trades.of(M, at, [(at, 100.01, 2.0), (at + 1, 99.99, -1.0)]))
    return out


@pytest.fixture(scope="module")
def desk() -> Desk:
    made = Desk("BTC")
    made.signals = Seen()
    drive(made, market(300))
    return made


def test_there_is_one_scene_a_second_and_none_of_the_future(desk):
    times = [scene.now for scene in desk.signals.scenes]
    assert times == sorted(set(times))
    assert all(at % SECOND == 0 for at in times)
    assert len(times) == pytest.approx(300, abs=3)
    assert times[-1] <= desk.now


def test_takers_are_summed_over_two_minutes(desk):
    scene = desk.signals.scenes[-1]
    assert scene.bought == pytest.approx(120 * 2.0 * 100.01, rel=0.02)
    assert scene.sold == pytest.approx(120 * 1.0 * 99.99, rel=0.02)
    assert scene.against("long") == pytest.approx(scene.sold - scene.bought)
    assert scene.share_against("short") == pytest.approx(2 / 3, abs=0.01)


def test_what_is_not_known_yet_is_not_a_number(desk):
    scene = desk.signals.scenes[-1]
    assert math.isnan(scene.volume)  # half an hour of volume is usual
    assert math.isnan(scene.sigma)
    assert math.isnan(scene.crowd.index)


def test_depth_is_that_of_one_percent(desk):
    bids, asks = desk.signals.scenes[-1].depth
    assert bids == pytest.approx(100 * 5.0 * 100, rel=0.05)
    assert asks == pytest.approx(bids, rel=0.05)
    assert math.isnan(depth_of(desk.flow.window, [])[0])


def test_reported_liquidations_of_a_minute_count_and_older_ones_do_not():
    made = Desk("BTC")
    made.signals = Seen()
    drive(made, market(30))
    at = START + 30 * SECOND
    fresh = Liquidation(M, at, at, 99.0, 3.0, "long")
    stale = Liquidation(M, at - HOUR, at, 99.0, 3.0, "long")
    drive(made, [fresh, stale, ClockTick(at + 2 * SECOND), ClockTick(at + 3 * SECOND)])
    assert made.signals.scenes[-1].liquidated == (pytest.approx(297.0), 0.0)


def test_a_restored_desk_goes_on_as_the_one_it_was_saved_from():
    events = market(120)
    whole, first = Desk("BTC"), Desk("BTC")
    drive(whole, events)
    drive(first, events[:150])
    second = CODEC.unpack(CODEC.pack(first))
    drive(second, events[150:])
    assert digest(second) == digest(whole)


@pytest.mark.parametrize("bar_signals", [False, True])
def test_candles_are_followed_only_where_that_is_asked_for(bar_signals):
    made = Desk("BTC", Settings(bar_signals=bar_signals))
    made.signals = Seen()
    for n in range(10):
        at = START + n * MINUTE
        drive(made, [Candle(M, at, at + MINUTE, MINUTE, 1.0, 2.0, 1.0, 2.0, 5.0, 2.0)])
    assert bool(made.signals.scenes) is bar_signals


def test_a_pause_of_the_feed_is_no_volume():
    made = Desk("BTC")
    made.signals = Seen()
    drive(made, market(60))
    drive(made, [ClockTick(START + 10 * MINUTE)])
    scene = made.signals.scenes[-1]
    assert (scene.bought, scene.sold) == (0.0, 0.0)
    assert np.isfinite(scene.price)


def _started(hours: int) -> Desk:
    """Return a desk that has candles of some hours and then three minutes of prints."""
    made = Desk("BTC", horizon=START)
    made.signals = Seen()
    for n in range(hours * 60, 0, -1):
        at = START - n * MINUTE
        made.apply(Candle(M, at, at + MINUTE, MINUTE, 100.0, 100.5, 99.5, 100.0, 60.0, 30.0))
    drive(made, market(180))
    return made


def test_the_usual_volume_is_known_from_candles_before_the_first_print():
    scene = _started(3).signals.scenes[-1]
    usual = 60 * 100.0 * 60
    assert scene.volume == pytest.approx(180 * 300.0 * 3_600 / 300 / usual, rel=0.05)
    assert math.isnan(_started(0).signals.scenes[-1].volume)


def test_clusters_are_ranked_among_those_of_past_maps_from_the_first_scene_on():
    made = _started(30)
    assert made.observer._recalled == 1
    assert not math.isnan(made.signals.zones.rank(1.0))
