"""Invariants of the hidden state at any time, and of every liquidation."""

from __future__ import annotations

import numpy as np
import pytest

from powderkeg.sim import Recording, SimulatedMarket, Truth

RUNG = 0.5e-4


def balanced(truth: Truth) -> None:
    """Check that longs, shorts and open interest of each venue are one number."""
    for v, oi in enumerate(truth.oi):
        here = truth.venues == v
        longs = truth.sizes[here & (truth.sides > 0)].sum()
        shorts = truth.sizes[here & (truth.sides < 0)].sum()
        makers = truth.makers[v]
        assert longs + makers[makers > 0].sum() == pytest.approx(oi, rel=1e-9)
        assert shorts - makers[makers < 0].sum() == pytest.approx(oi, rel=1e-9)


def well_placed(truth: Truth) -> None:
    """Check that no position lives on beyond its liquidation price."""
    marks = truth.marks[truth.venues]
    distance = truth.sides * (marks - truth.prices) / marks
    assert distance[truth.staged == 0].min() > -RUNG


def test_longs_equal_shorts_equal_open_interest_at_every_venue(recording: Recording):
    assert len(recording.truths) == 48
    for truth in recording.truths:
        balanced(truth)


def test_open_interest_is_conserved_in_history_and_live_steps_too(grown: SimulatedMarket):
    market = grown.copy()
    market.history(1.0)
    balanced(market.truth())
    for _ in range(600):
        market.step(0.1)
    balanced(market.truth())
    market.run(0.02, dt=5.0)
    balanced(market.truth())


def test_every_position_alive_has_its_liquidation_price_beyond_mark(
    grown: SimulatedMarket, recording: Recording
):
    for truth in recording.truths:
        well_placed(truth)
    market = grown.copy()
    market.history(1.0)
    well_placed(market.truth())


def test_positions_have_sizes_leverages_and_venues_of_the_world(recording: Recording):
    truth = recording.truths[-1]
    assert truth.sizes.size > 2_000
    assert (truth.sizes > 0).all()
    assert set(truth.sides.tolist()) == {1, -1}
    assert set(truth.venues.tolist()) == {0, 1, 2}
    assert (truth.leverages <= truth.settings * 1.001 + 1).mean() > 0.9
    assert 0.05 < truth.stop_in_front.mean() < 0.5
    shares = np.bincount(truth.venues) / truth.venues.size
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.05)


def test_liquidations_happen_only_where_mark_has_met_the_trigger(recording: Recording):
    liquidation_rows = recording.liquidation_rows
    assert liquidation_rows.times.size > 100
    beyond = (
        liquidation_rows.sides
        * (liquidation_rows.triggers - liquidation_rows.marks)
        / liquidation_rows.marks
    )
    assert beyond.min() > -RUNG


def test_equity_at_the_bankruptcy_price_is_nil(recording: Recording):
    liquidation_rows = recording.liquidation_rows
    equity = liquidation_rows.margins + liquidation_rows.sides * liquidation_rows.held * (
        liquidation_rows.bankruptcies - liquidation_rows.entries
    )
    assert np.abs(equity / liquidation_rows.margins).max() < 1e-6


def test_the_bankruptcy_price_lies_beyond_the_trigger(recording: Recording):
    liquidation_rows = recording.liquidation_rows
    assert (
        liquidation_rows.sides * (liquidation_rows.triggers - liquidation_rows.bankruptcies) > 0
    ).mean() > 0.999


def test_big_positions_die_in_parts_a_second_apart(grown: SimulatedMarket):
    market = grown.copy()
    for name in ("index", "mid"):
        market._state[name] -= 1_600
    liquidation_rows = market.run(0.01).liquidation_rows
    parts = liquidation_rows.sizes < liquidation_rows.held * (1 - 1e-9)
    assert parts.sum() > 1
    assert (liquidation_rows.held * liquidation_rows.marks)[parts].min() > 200_000
    assert (liquidation_rows.sizes / liquidation_rows.held)[parts].min() > 0.25 - 1e-9
    for opened in np.unique(liquidation_rows.opened[parts]):
        here = np.sort(liquidation_rows.times[parts & (liquidation_rows.opened == opened)])
        assert (np.diff(here) > 0).all()
    balanced(market.truth())
    well_placed(market.truth())


def test_recorded_marks_reach_every_trigger_they_are_said_to_have_met(recording: Recording):
    liquidation_rows = recording.liquidation_rows
    step = np.searchsorted(recording.times, liquidation_rows.times)
    for v, venue in enumerate(recording.venues):
        here = liquidation_rows.venues == v
        marks = venue.marks[step[here]]
        beyond = liquidation_rows.sides[here] * (liquidation_rows.triggers[here] - marks) / marks
        assert beyond.min() > -2 * RUNG
