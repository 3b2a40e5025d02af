"""A moment has everything a step publishes, and more."""

from __future__ import annotations

import numpy as np

from powderkeg.events import Trades
from powderkeg.sim import SimulatedMarket


def test_a_moment_has_the_prints_of_a_step(grown: SimulatedMarket):
    stepped, known = grown.copy(), grown.copy()
    for _ in range(50):
        trades = [event for event in stepped.step(0.1) if isinstance(event, Trades)]
        moment = known.moment(0.1)
        assert moment.at == stepped.now
        assert sum(event.times.size for event in trades) == sum(t.times.size for t in moment.tapes)
        assert float(sum(event.sizes.sum() for event in trades)) == float(
            sum(tape.sizes.sum() for tape in moment.tapes)
        )


def test_every_forced_close_has_one_print_of_its_own(grown: SimulatedMarket):
    market = grown.copy()
    seen = 0
    for _ in range(480):
        moment = market.moment(60.0)
        causes = np.concatenate([rows[rows >= 0] for rows in moment.forced])
        assert sorted(causes.tolist()) == list(range(moment.liquidation_rows.times.size))
        for v, (tape, rows) in enumerate(zip(moment.tapes, moment.forced, strict=True)):
            hit = rows >= 0
            liquidation_rows = rows[hit]
            assert (moment.liquidation_rows.venues[liquidation_rows] == v).all()
            np.testing.assert_allclose(
                tape.sizes[hit],
                -moment.liquidation_rows.sides[liquidation_rows]
                * moment.liquidation_rows.sizes[liquidation_rows],
            )
        seen += moment.liquidation_rows.times.size
    assert seen > 0


def test_a_ladder_never_crosses_and_is_never_bare(grown: SimulatedMarket):
    market = grown.copy()
    for _ in range(20):
        market.moment(1.0)
        ladder = market.ladder(200)
        assert ladder.bid < ladder.ask
        assert (np.diff(ladder.bids) < 0).all()
        assert (np.diff(ladder.asks) > 0).all()
        assert (ladder.bid_sizes > 0).all()
        assert (ladder.ask_sizes > 0).all()
