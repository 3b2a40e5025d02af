"""What a plan stands in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.maps.risk.scene import MARK, NOW, book, candles, coin, profile

from powderkeg.events import MINUTE
from powderkeg.maps.risk import surroundings as module
from powderkeg.maps.risk.surroundings import average_true_range, surroundings, tightest_spread

WAVE = [MARK + 100.0 * (n % 15 == 7) - 50.0 * (n % 15 == 3) for n in range(150)]


def test_clusters_and_dollars_are_those_of_the_map(monkeypatch):
    known = profile((0, 98_000.0, 98_200.0, 9e6), (1, 102_000.0, 102_300.0, 5e6))
    monkeypatch.setattr(module, "map_beside", lambda *_: known)
    found = surroundings(coin(candles(WAVE)), ())
    assert [c.side for c in found.clusters] == ["long", "short"]
    assert found.fuel.between("long", 97_000.0, 99_000.0) == pytest.approx(9e6)
    assert found.fuel.between("short", 97_000.0, 99_000.0) == 0.0


def test_the_true_range_of_fifteen_minutes_spans_their_extremes():
    assert average_true_range(coin(candles(WAVE))) == pytest.approx(150.0)


def test_a_gap_between_bars_counts_as_range():
    ring = candles([MARK] * 60)
    ring.add_run(np.array([NOW]), np.array([MARK]), np.ones(1))
    jumped = candles([MARK] * 45 + [MARK + 300.0] * 45)
    assert average_true_range(coin(jumped)) == pytest.approx(300.0 / 5)


def test_with_few_bars_the_range_is_not_known():
    assert math.isnan(average_true_range(coin(candles([MARK] * 40))))


def test_minutes_that_are_missing_do_not_count():
    ring = candles(WAVE)
    ring.values[(NOW // MINUTE - 20) % ring.size] = np.nan
    assert average_true_range(coin(ring)) > 0


def test_without_a_mark_nothing_is_known():
    scene = coin(candles([MARK]))
    scene.price = math.nan
    found = surroundings(scene, ())
    assert found.clusters == ()
    assert found.fuel is None
    assert math.isnan(found.atr)


def test_the_spread_is_that_of_the_tightest_live_book():
    books = [book("binance:BTCUSDT", 5), book("okx:BTC-USDT-SWAP", 5, step=2.0)]
    assert tightest_spread(books) == 4.0
    assert math.isnan(tightest_spread([]))
