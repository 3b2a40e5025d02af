"""The three trades and their counters, from a venue's wires to the episodes of a desk.

The map is what the desk estimates from the venue's past; times and figures stand beside those of
the scenes in docs/signals.md.
"""

from __future__ import annotations

import pytest

from powderkeg.evaluation.signals.wires import Wires
from powderkeg.events import MINUTE
from powderkeg.risk.costs import Costs
from powderkeg.risk.fuel import PriceCluster
from powderkeg.risk.plan import Setup, Surroundings, two_plans
from powderkeg.signals.contract import Episode
from powderkeg.sim.scenario.script import named

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def episodes(name: str, minutes: float, kind: str) -> tuple[list[Episode], Wires]:
    """Return the episodes of a kind, in order of their beginning, after so many minutes."""
    wires = Wires(named(name))
    found = wires.run(minutes).signals.episodes()
    return sorted((e for e in found if e.kind == kind), key=lambda e: (e.begun, e.id)), wires


def minutes_of(episode: Episode, wires: Wires) -> dict[str, float]:
    """Return when each state was entered."""
    return {t.state: (t.time - wires.start) / MINUTE for t in episode.transitions}


def figure(episode: Episode, state: str, name: str) -> float:
    """Return a figure of the evidence of a state."""
    move = next(t for t in episode.transitions if t.state == state)
    return next(each.value for each in move.evidence if each.name == name)


def test_a_sweep_is_reclaimed_state_by_state():
    (episode,), wires = episodes("t1-sweep-and-reclaim", 82, "sweep_reclaim")
    at = minutes_of(episode, wires)
    assert list(at) == ["APPROACH", "IN_ZONE", "SWEPT", "ABSORBING", "RECLAIMED"]
    wanted = {"APPROACH": 8.5, "IN_ZONE": 43.8, "SWEPT": 46.0, "ABSORBING": 47.7, "RECLAIMED": 80.3}
    assert at == pytest.approx(wanted, abs=0.1)
    place = episode.place
    assert place is not None
    assert (place.floor, place.top) == pytest.approx((148_500, 149_200), rel=2e-4)
    assert figure(episode, "SWEPT", "fired, estimated") == pytest.approx(0.279, abs=0.005)
    assert figure(episode, "SWEPT", "5-minute volume") == pytest.approx(3.42, abs=0.02)
    assert figure(episode, "ABSORBING", "absorption ratio") == pytest.approx(0.95, abs=0.01)
    assert figure(episode, "ABSORBING", "refill") == pytest.approx(0.705, abs=0.01)
    assert episode.transitions[-1].price == pytest.approx(150_032, abs=2)
    plan = episode.plan
    assert plan is not None
    assert (plan.entry, plan.target) == (149_000, 153_000)
    assert plan.stop == pytest.approx(147_826, abs=1)
    assert plan.reward == pytest.approx(3.41, abs=0.005)
    costs = Costs(entry_fee=0.00055, exit_fee=0.00055, slippage=0.0001, funding=0.0001, fundings=3)
    setup = Setup(
        equity=50_000, risk=0.01, side="long", entry=plan.entry, stop=plan.stop, costs=costs
    )
    around = Surroundings((PriceCluster("short", plan.target, plan.target, 1e6),))
    assert two_plans(setup, around).rest.targets[0].net == pytest.approx(2.75, abs=0.005)
    assert wires.unread == {}


def test_a_sweep_that_nobody_absorbs_fails():
    (episode,), wires = episodes("t1-floor-breaks", 57, "sweep_reclaim")
    at = minutes_of(episode, wires)
    assert list(at) == ["APPROACH", "IN_ZONE", "SWEPT", "FAILED"]
    assert at["FAILED"] == pytest.approx(55.0, abs=0.1)
    assert episode.transitions[-1].price == pytest.approx(147_817, abs=2)


def test_a_poke_into_refilling_asks_is_a_trap():
    (episode,), wires = episodes("t2-hunt-trap", 91, "hunt_trap")
    at = minutes_of(episode, wires)
    assert list(at) == ["APPROACH", "POKED", "BLOCKED", "TRAP_CONFIRMED"]
    wanted = {"APPROACH": 31.9, "POKED": 53.6, "BLOCKED": 65.1, "TRAP_CONFIRMED": 88.9}
    assert at == pytest.approx(wanted, abs=0.1)
    assert figure(episode, "BLOCKED", "refill") == pytest.approx(1.0)
    assert figure(episode, "BLOCKED", "fired, estimated") == pytest.approx(0.19, abs=0.005)
    assert episode.transitions[-1].price == pytest.approx(6_237.5, abs=1)


def test_eaten_asks_are_a_breakout_and_no_trap():
    (episode,), wires = episodes("t2-breakout", 78, "hunt_trap")
    assert list(minutes_of(episode, wires)) == ["APPROACH", "POKED", "BROKEOUT"]


def test_a_chain_of_three_fires_link_by_link():
    found, wires = episodes("t3-cascade-chain", 28, "cascade_chain")
    at = minutes_of(found[0], wires)
    assert list(at) == ["STACKED", "LIT", "PROPAGATING", "LINK_3", "EXHAUSTED"]
    wanted = {"STACKED": -0.2, "LIT": 4.7, "PROPAGATING": 12.3, "LINK_3": 22.6, "EXHAUSTED": 26.9}
    assert at == pytest.approx(wanted, abs=0.1)
    floors = [link.floor for link in found[0].links]
    assert floors == pytest.approx([139_900, 137_900, 134_900], rel=1e-3)
    assert figure(found[0], "STACKED", "gap 1 carries") == pytest.approx(2.30, abs=0.02)
    assert figure(found[0], "STACKED", "gap 2 carries") == pytest.approx(1.18, abs=0.02)


def test_clusters_behind_a_thick_book_are_no_chain():
    found, _ = episodes("t3-apart", 30, "cascade_chain")
    assert found == []
