"""The simulated spot market: its own prints and book, beside perpetuals that do not know of it."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.events import MINUTE
from powderkeg.sim import Moment, SimulatedMarket, SpotMarket, spot_history

SEED = 11


def follow(market: SimulatedMarket, steps: int = 300, seed: int = SEED) -> list[Moment]:
    spot = SpotMarket(market.world, seed, float(market.truth().marks[0]))
    return [spot.follow(market.moment(0.1)) for _ in range(steps)]


def sizes(moments: list[Moment]) -> np.ndarray:
    return np.concatenate([moment.tapes[0].sizes for moment in moments])


def test_equal_seeds_give_equal_prints_and_other_seeds_others(demo):
    first, again, other = (follow(demo.copy(), seed=seed) for seed in (SEED, SEED, SEED + 1))
    assert sizes(first).tobytes() == sizes(again).tobytes()
    assert sizes(first).tobytes() != sizes(other).tobytes()


def test_the_perpetuals_are_the_same_to_the_bit_with_spot_and_without(demo):
    beside, alone = demo.copy(), demo.copy()
    follow(beside)
    for _ in range(300):
        alone.moment(0.1)
    assert beside._state.tobytes() == alone._state.tobytes()
    assert [order.price for order in beside.actors.shown()] == [
        order.price for order in alone.actors.shown()
    ]


def test_both_sides_take_within_the_step_and_at_prices_near_the_index(demo):
    moments = follow(demo.copy())
    assert (sizes(moments) > 0).any()
    assert (sizes(moments) < 0).any()
    for moment in moments:
        (tape,) = moment.tapes
        assert ((tape.times > moment.since) & (tape.times <= moment.at)).all()
        assert (np.diff(tape.times) >= 0).all()
        assert np.abs(tape.prices / moment.index - 1).max(initial=0.0) < 1e-3
        assert (moment.forced[0] == -1).all()
        assert moment.oi.tolist() == [0.0]


def test_price_comes_back_to_an_index_that_has_jumped(demo):
    market = demo.copy()
    spot = SpotMarket(market.world, SEED, 0.99 * market.moment(0.1).index)
    moments = [market.moment(1.0) for _ in range(60)]
    prints = sizes([spot.follow(moment) for moment in moments[:5]])
    assert prints.sum() > 0, "arbitrage buys what is below the index"
    for moment in moments[5:]:
        spot.follow(moment)
    assert spot.price == pytest.approx(moments[-1].index, rel=5e-4)


def test_a_level_that_was_taken_is_thin_and_refills(demo):
    market = demo.copy()
    price = market.moment(0.1).index
    spot = SpotMarket(market.world, SEED, price)
    whole = spot.ladder(20)
    spot._take(5 * float(whole.ask_sizes[0]))
    left, missing = spot.ladder(20), float(whole.ask_sizes[:5].sum())
    assert left.ask > whole.ask
    assert float(left.ask_sizes[0]) < float(whole.ask_sizes[0])
    market.moment(60.0)
    spot.now = market.now
    assert float(spot.ladder(20).ask_sizes[:5].sum()) == pytest.approx(missing, rel=0.02)


def test_an_order_no_book_could_fill_ends_at_its_last_level(demo):
    spot = SpotMarket(demo.world, SEED, 200.0)
    before = spot.price
    prints = spot._take(-1e12)
    assert len(prints) == 60
    assert spot.price < before


def test_its_book_never_crosses_and_is_never_bare(demo):
    market = demo.copy()
    spot = SpotMarket(market.world, SEED, float(market.truth().marks[0]))
    for _ in range(30):
        spot.follow(market.moment(1.0))
        ladder = spot.ladder(200)
        assert ladder.bid < ladder.ask
        assert (np.diff(ladder.bids) <= 0).all()
        assert (np.diff(ladder.asks[1:]) >= 0).all()
        assert (ladder.bid_sizes > 0).all()
        assert (ladder.ask_sizes > 0).all()
        assert not ladder.orders


def test_its_past_has_whole_bars_without_liquidations_or_funding(demo):
    market = demo.copy()
    past = market.history(0.25)
    spot = spot_history(market.world, SEED, "binance-spot:SOLUSDT", past)
    bars, perps = spot.candles, past[0].candles
    assert (spot.liquidations, spot.funding) == ([], [])
    assert (bars.times == perps.times).all()
    assert bars.span == MINUTE
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert np.isnan(bars.oi).all()
    assert np.abs(bars.close / perps.close - 1).max() < 1e-3
    assert ((bars.buy > 0) & (bars.buy < bars.volume)).all()
    again = spot_history(market.world, SEED, "binance-spot:SOLUSDT", past)
    assert again.candles.close.tobytes() == bars.close.tobytes()
