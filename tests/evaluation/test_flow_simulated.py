"""The order-flow reads in a simulated market, against what its book actors did."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from powderkeg.evaluation.flow import simulated
from powderkeg.evaluation.flow.simulated import WORLD, play, scores
from powderkeg.events import MINUTE, SECOND
from powderkeg.flow.books.window import ASK, BID


@pytest.mark.slow
def test_reads_find_in_held_out_markets_what_actors_did():
    found = scores(range(simulated.SEEDS, simulated.SEEDS + 3))
    assert found["walls"].precision >= 0.90
    assert found["walls"].recall >= 0.90
    assert found["pulled_walls"].precision >= 0.90
    assert found["pulled_walls"].recall >= 0.75
    assert found["absorption"].precision >= 0.80
    assert found["absorption"].recall >= 0.60


def test_walls_are_found_in_a_few_minutes_of_one_market():
    found = scores([1], 5 * MINUTE)
    assert found["walls"].wanted > 3
    assert found["walls"].recall >= 0.80
    assert found["walls"].precision >= 0.80


def test_a_market_without_actors_has_few_walls_and_nothing_to_find():
    played = play(1, 4 * MINUTE, replace(WORLD, actors=False))
    assert played.market.actors.labels.orders == []
    assert len(played.stood) <= 2
    assert played.hours == pytest.approx(2 / 60)


def test_an_absorber_is_a_burst_held_on_its_side():
    played = play(3, 6 * MINUTE)
    flows = [flow for flow in played.market.actors.labels.flows if flow.absorber]
    assert flows
    for flow in flows:
        assert flow.absorber is not None
        assert flow.absorber.side != flow.side
        held = simulated._held(flow.absorber)
        assert held.side == (BID if flow.side == "sell" else ASK)
        assert flow.start < held.start <= held.stop <= flow.stop + 6 * SECOND
