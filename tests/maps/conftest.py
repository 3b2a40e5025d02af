"""A small coin on two venues, played for three hours and drawn every minute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from powderkeg.engine.calibration.estimate import Estimate
from powderkeg.engine.calibration.terms import KNOWN, LENGTH, TERMS
from powderkeg.engine.calibration.weights import Fit
from powderkeg.engine.exposure.classes import CLASSES, RATES
from powderkeg.engine.exposure.table import BINS, HIGHEST, LOWEST
from powderkeg.events import MINUTE, SECOND
from powderkeg.grid import BIN
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.maps.heatmap.prices import PriceRing
from powderkeg.maps.heatmap.ring import Ring
from powderkeg.maps.views.queries import STEPS

START = 1_767_225_600 * SECOND
ONES = np.ones((2, 2, CLASSES))
"""Map weights of one, by side, ground and class."""


class PictureLayout:
    """A scene for the maps: what a desk shows them."""

    def __init__(self, markets, now, prices):
        """Show these markets."""
        self.coin = "BTC"
        self.markets, self.now, self.prices = markets, now, prices
        self.price = 100_000.0

    def estimated(self):
        """Return the markets."""
        return list(self.markets)

    def observed_markets(self):
        """Return nothing: no accounts are watched."""
        return []


def market(venue, price):
    """Return a market that knows a mark only."""
    estimate = Estimate(price, f"{venue}:BTCUSDT")
    estimate.move_mark(START, price)
    rings = {step: Ring(step, 400, per_row) for step, per_row in STEPS.items()}
    return MarketView(f"{venue}:BTCUSDT", venue, estimate, rings, START, "up")


def draw(known, at):
    """Draw the map into all rings."""
    for ring in known.rings.values():
        ring.write(at - 1, known.estimate.exposure, known.estimate.map_weights(at))


def played(minutes=180, times=1.0):
    """Return the coin after some minutes of trading on two venues 10 bp apart.

    `times` as much is traded and open as in the coin of five billion dollars.
    """
    chance = np.random.default_rng(7)
    markets = [market("binance", 100_000.0), market("bybit", 100_100.0)]
    prices = {step: PriceRing(step, 400) for step in STEPS}
    price, oi = 100_000.0, 50_000.0
    for n in range(1, minutes + 1):
        at = START + n * MINUTE
        price *= math.exp(chance.normal(0, 0.001))
        oi += chance.normal(20, 50)
        for i, known in enumerate(markets):
            here = price * (1 + 0.001 * i)
            prints = here * np.exp(chance.normal(0, 0.0005, 20))
            sizes = chance.exponential(20.0, 20) * chance.choice([-1.0, 1.0], 20)
            known.estimate.add_trades(prints, sizes * times)
            known.estimate.flush(at, oi * times / (1 + i))
            known.estimate.move_mark(at, here)
            draw(known, at)
            if i == 0:
                seconds = at - np.arange(20, 0, -1) * SECOND
                for ring in prices.values():
                    ring.add_run(seconds, prints, np.abs(sizes))
    stage = PictureLayout(markets, START + minutes * MINUTE, prices)
    stage.price = price
    return stage


@pytest.fixture(scope="session")
def stage():
    return played()


@pytest.fixture
def empty():
    return PictureLayout([], START, {step: PriceRing(step, 400) for step in STEPS})


@pytest.fixture
def stand():
    """Return a market whose map is what the test puts there, in base coin at weight one."""

    def make(at_bins, *, venue="binance", price=100_000.0):
        known = market(venue, price)
        exposure = known.estimate.exposure
        exposure.count[[LOWEST, HIGHEST]] = 0, BINS - 1
        centre = math.floor(math.log(price) / BIN) - exposure.base
        for away, coins in at_bins.items():
            exposure.cells[0 if away < 0 else 1, centre + away, 3] = coins
        ones = np.ones((2, TERMS))
        ones[:, KNOWN:LENGTH] = RATES  # a class of known ground weighs its part of a mean
        known.estimate.fit = Fit(ones, ones, ones[0], 1.0, ones)
        return known

    return make
