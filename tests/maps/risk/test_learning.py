"""A sweep is waited for, watched, and learned from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.maps.risk.scene import MARK, NOW, book, candles, coin, profile

from powderkeg.events import MINUTE
from powderkeg.history.snapshots import CODEC
from powderkeg.maps.risk import learning
from powderkeg.maps.risk.learning import SweepLearner

CALM = [MARK * math.exp(0.0001 * (n % 2)) for n in range(60)]
MAP = profile((0, 98_800.0, 99_000.0, 3e6), (1, 120_000.0, 121_000.0, 1e6))


@pytest.fixture(autouse=True)
def known_map(monkeypatch):
    monkeypatch.setattr(learning, "price_profile", lambda *_: MAP)


def played(lows: list[float], levels: int = 400) -> SweepLearner:
    """Return a learner after an hour of calm and then one low a minute."""
    books = [book("binance:BTCUSDT", levels)]
    learner, closes = SweepLearner(), list(CALM)
    ring = candles(closes)
    scene = coin(ring, books)
    learner.advance(scene, books, NOW)
    for n, low in enumerate(lows):
        ring.add_run(np.array([NOW + n * MINUTE]), np.array([low]), np.ones(1))
        learner.advance(scene, books, NOW + (n + 1) * MINUTE)
    return learner


def test_a_sweep_far_beyond_the_level_tells_of_a_small_share():
    learner = played([98_800.0, 96_500.0, 97_000.0, *[99_500.0] * 4])
    assert learner.survival.sweeps == 1
    assert learner.survival.median < 0.25


def test_a_sweep_that_stops_at_the_level_tells_of_a_large_share():
    learner = played([98_770.0, *[99_500.0] * 6])
    assert learner.survival.sweeps == 1
    assert learner.survival.median > 0.25


def test_a_sweep_is_not_learned_from_before_its_five_minutes_are_over():
    assert played([98_800.0, 96_500.0, 97_000.0]).survival.sweeps == 0


def test_price_that_does_not_reach_the_cluster_tells_nothing():
    assert played([99_200.0] * 8).survival.sweeps == 0


def test_without_a_live_book_nothing_is_waited_for():
    learner = SweepLearner()
    learner.advance(coin(candles(CALM)), [], NOW)
    assert learner._awaited == {}


def test_what_is_waited_for_is_dropped_when_books_are_lost():
    learner = played([])
    assert set(learner._awaited) == {0}  # above, the cluster is too far to be waited for
    learner.advance(coin(candles(CALM)), [], NOW + MINUTE)
    assert learner._awaited == {}


def test_an_hour_that_is_not_known_waits_for_nothing():
    books = [book("binance:BTCUSDT", 400)]
    learner = SweepLearner()
    learner.advance(coin(candles([MARK]), books), books, NOW)
    assert learner._awaited == {}


def test_its_state_survives_a_snapshot_to_the_bit():
    learner = played([98_800.0, 96_500.0])
    assert set(learner._watched) == {0}
    again = CODEC.unpack(CODEC.pack(learner))
    assert CODEC.digest(again) == CODEC.digest(learner)
