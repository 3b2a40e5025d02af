"""Map and books outward from the mark."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.maps.risk.scene import MARK, book, candles, coin, profile

from powderkeg.engine.overshoot.path import grid
from powderkeg.maps.heatmap.coin_view import MapFilter
from powderkeg.maps.risk.outward import books_outward, mapped_outward, own_movement

U = grid()


def test_what_stands_below_and_above_is_summed_outward():
    known = profile((0, 97_000.0, 98_000.0, 9e6), (1, 103_000.0, 104_000.0, 4e6))
    below, above = mapped_outward(coin(candles([MARK])), MapFilter(), known, MARK, band=False)
    for path, edge, far, held in ((below, 98_000, 97_000, 9e6), (above, 103_000, 104_000, 4e6)):
        assert path.at(path.forced, abs(math.log(edge / MARK)) - 1e-3) == 0.0
        assert path.at(path.forced, abs(math.log(far / MARK)) + 1e-3) == pytest.approx(held)
        assert (np.diff(path.forced) >= 0).all()
        assert path.low.tolist() == path.high.tolist() == [1.0] * len(U)


def test_a_book_is_summed_by_distance_from_its_own_mid():
    shown = books_outward([book("binance:BTCUSDT", 500)], U)
    half = float(np.interp(0.025, U, shown.depth[0]))
    assert half == pytest.approx(250 * 98_750, rel=0.02)
    assert shown.visible[0] == pytest.approx(0.0513, abs=1e-3)
    assert shown.reaches[0].market == "binance:BTCUSDT"
    assert shown.reaches[0].asks == pytest.approx(0.05)


def test_a_book_that_ends_sooner_goes_on_in_the_shape_of_the_deepest():
    deep, near = book("binance:BTCUSDT", 500), book("hyperliquid:BTC", 20)
    both = books_outward([deep, near], U).depth[1]
    alone = books_outward([deep], U).depth[1]
    at = int(np.searchsorted(U, 0.04))
    assert both[at] == pytest.approx(2 * alone[at], rel=0.02)


def test_beyond_all_books_depth_goes_on_at_its_density():
    shown = books_outward([book("binance:BTCUSDT", 100)], U)
    one, two = (float(np.interp(u, U, shown.depth[0])) for u in (0.01, 0.1))
    assert two == pytest.approx(10 * one, rel=0.03)


def test_without_a_live_book_nothing_rests():
    shown = books_outward([], U)
    assert shown.depth.tolist() == np.zeros((2, len(U))).tolist()
    assert shown.visible == (0.0, 0.0)
    assert shown.reaches == []


def test_own_movement_is_that_of_the_minutes_of_the_last_hour():
    closes = [MARK * math.exp(0.001 * (n % 2)) for n in range(61)]
    assert own_movement(coin(candles(closes))) == pytest.approx(0.001 * math.sqrt(2.5), rel=0.02)
    assert math.isnan(own_movement(coin(candles([MARK] * 5))))
