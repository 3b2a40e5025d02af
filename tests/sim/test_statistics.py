"""The market is of the size and temper of a real one, at any step.

Source: facts/model.md, 4.1: volume 4-12 of open interest a day, liquidations 0.5-8 % of it.
"""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import DAY, MINUTE
from powderkeg.sim import Recording, SimulatedMarket, World


def temper(bars: np.ndarray, oi: np.ndarray, volume: float, liquidated: float, days: float) -> dict:
    moves = np.diff(np.log(bars))
    return {
        "volume": volume / days / oi.mean(),
        "liquidated": liquidated / days / oi.mean(),
        "volatility": moves.std() * np.sqrt(1440),
    }


def of_recording(recording: Recording, days: float) -> dict:
    oi = sum(venue.oi for venue in recording.venues)
    volume = sum(np.abs(venue.trades.sizes).sum() for venue in recording.venues)
    return temper(recording.last[59::60], oi, volume, recording.liquidation_rows.sizes.sum(), days)


def of_history(market: SimulatedMarket, days: float) -> dict:
    histories = market.history(days)
    oi = sum(one.candles.oi for one in histories)
    volume = sum(one.candles.volume.sum() for one in histories)
    liquidated = sum(event.size for one in histories for event in one.liquidations)
    return temper(histories[0].candles.close, oi, volume, liquidated, days)


def test_two_days_have_the_turnover_deaths_and_volatility_of_a_real_market(recording: Recording):
    found = of_recording(recording, 2.0)
    assert 4 < found["volume"] < 12
    assert 0.005 < found["liquidated"] < 0.08
    assert 0.01 < found["volatility"] < 0.08


def test_trade_volume_is_split_among_venues_by_their_shares(recording: Recording):
    volumes = np.array([np.abs(venue.trades.sizes).sum() for venue in recording.venues])
    assert volumes / volumes.sum() == pytest.approx([0.5, 0.3, 0.2], abs=0.05)


def test_news_outweighs_the_noise_of_bars(recording: Recording):
    """Marks follow last closely, but not tick by tick."""
    gap = np.abs(recording.venues[0].marks / recording.last - 1)
    assert 0 < np.median(gap) < 1e-3


@pytest.mark.slow
def test_coarse_and_fine_steps_make_one_market(start: int):
    """Mean of four seeds over six days, within a factor of two."""
    fine, coarse, counts = [], [], []
    for seed in range(4):
        market = SimulatedMarket(World(warm=5.0), seed, start)
        other = market.copy()
        fine.append(of_recording(market.run(6.0, 1.0, truth_every=DAY), 6.0))
        coarse.append(of_history(other, 6.0))
        counts.append([m.truth().sizes.size for m in (market, other)])
    for name in ("volume", "liquidated", "volatility"):
        ratio = np.mean([f[name] for f in fine]) / np.mean([c[name] for c in coarse])
        assert 0.5 < ratio < 2, name
    assert 0.5 < np.divide(*np.mean(counts, axis=0)) < 2


@pytest.mark.slow
def test_live_steps_make_the_same_market_too(start: int):
    """A quarter of a day by tenths of a second against whole seconds, two seeds."""
    found = []
    for dt in (0.1, 1.0):
        volume, moves = 0.0, []
        for seed in (1, 2):
            recording = SimulatedMarket(World(warm=3.0), seed, start).run(0.25, dt)
            volume += sum(np.abs(venue.trades.sizes).sum() for venue in recording.venues)
            every = round(MINUTE / 1_000_000 / dt)
            moves.append(np.diff(np.log(recording.last[every - 1 :: every])).std())
        found.append((volume, np.mean(moves)))
    assert np.divide(*np.array(found)) == pytest.approx([1, 1], abs=0.5)


@pytest.mark.slow
def test_activity_of_a_month_neither_explodes_nor_vanishes(start: int):
    market = SimulatedMarket(World(warm=4.0), 11, start)
    histories = market.history(30.0)
    close = histories[0].candles.close
    daily = np.diff(np.log(close)).reshape(-1)[: 1440 * 29].reshape(29, -1).std(1) * np.sqrt(1440)
    assert 0.01 < np.median(daily) < 0.08
    assert 0.3 < close[-1] / close[0] < 3
    assert market._state["refused"][0] == market._state["dropped"][0] == 0
    assert 1_000 < market.truth().sizes.size < 30_000
