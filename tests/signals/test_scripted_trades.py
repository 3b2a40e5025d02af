"""The three trades of the brief and their counters, as docs/signals.md writes them down."""

from __future__ import annotations

import math

import pytest
from msgspec import json
from msgspec.structs import replace

from powderkeg.evaluation.signals.scripted import episodes_of, scenes, start_of
from powderkeg.events import MINUTE
from powderkeg.signals.clusters.cascade_chain import CASCADE_CHAIN, MOST, carry, chain
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.contract import Episode
from powderkeg.signals.zones import Stretch, Zone
from powderkeg.sim.scenario.play import played
from powderkeg.sim.scenario.script import named


def _episode(name: str, kind: str, floor: float) -> tuple[Episode, dict[str, float]]:
    """Return the first episode of a kind at a cluster, and minutes by state."""
    scenario = named(name)
    episode = next(
        e
        for e in episodes_of(scenario)
        if e.kind == kind and e.place is not None and e.place.floor == floor
    )
    start = start_of(scenario)
    return episode, {t.state: (t.time - start) / MINUTE for t in episode.transitions}


def _figure(episode: Episode, state: str, name: str) -> float:
    move = next(t for t in episode.transitions if t.state == state)
    return next(each.value for each in move.evidence if each.name == name)


@pytest.fixture(scope="module")
def t1() -> tuple[Episode, dict[str, float]]:
    return _episode("t1-sweep-and-reclaim", "sweep_reclaim", 148_500)


def test_a_sweep_is_reclaimed_state_by_state(t1):
    _, at = t1
    assert list(at) == ["APPROACH", "IN_ZONE", "SWEPT", "ABSORBING", "RECLAIMED"]
    wanted = {"APPROACH": 8.4, "IN_ZONE": 43.8, "SWEPT": 46, "ABSORBING": 46.6, "RECLAIMED": 80.2}
    assert at == pytest.approx(wanted, abs=0.1)
    assert at["RECLAIMED"] - at["IN_ZONE"] == pytest.approx(36.4, abs=0.1)


def test_the_figures_of_the_sweep_are_those_of_the_story(t1):
    episode, _ = t1
    assert _figure(episode, "APPROACH", "distance") == pytest.approx(0.0149, abs=1e-4)
    assert _figure(episode, "SWEPT", "fired, estimated") == pytest.approx(0.268, abs=0.001)
    assert _figure(episode, "SWEPT", "5-minute volume") == pytest.approx(3.42, abs=0.01)
    assert _figure(episode, "ABSORBING", "absorption ratio") == pytest.approx(0.93, abs=0.02)
    assert _figure(episode, "ABSORBING", "refill") == pytest.approx(0.70, abs=0.01)
    assert episode.transitions[-1].price == pytest.approx(150_046, abs=1)


def test_the_plan_of_the_sweep_is_gross_3_33(t1):
    plan = t1[0].plan
    assert plan is not None
    assert (plan.entry, plan.target) == (149_000, 153_000)
    assert plan.stop == pytest.approx(147_800, abs=3)
    assert plan.reward == pytest.approx(3.33, abs=0.01)


def test_a_sweep_that_nobody_absorbs_fails():
    episode, at = _episode("t1-floor-breaks", "sweep_reclaim", 148_500)
    assert list(at) == ["APPROACH", "IN_ZONE", "SWEPT", "FAILED"]
    assert at["FAILED"] == pytest.approx(55.1, abs=0.1)
    assert episode.transitions[-1].price == pytest.approx(147_792, abs=1)


def test_a_poke_into_refilling_asks_is_a_trap():
    episode, at = _episode("t2-hunt-trap", "hunt_trap", 6_250)
    assert list(at) == ["APPROACH", "POKED", "BLOCKED", "TRAP_CONFIRMED"]
    wanted = {"APPROACH": 31.3, "POKED": 53.5, "BLOCKED": 64.2, "TRAP_CONFIRMED": 89.3}
    assert at == pytest.approx(wanted, abs=0.1)
    assert _figure(episode, "BLOCKED", "refill") == pytest.approx(1.11, abs=0.01)
    assert _figure(episode, "BLOCKED", "fired, estimated") == pytest.approx(0.081, abs=0.001)
    assert _figure(episode, "TRAP_CONFIRMED", "fired, estimated") == pytest.approx(0.26, abs=0.01)
    assert episode.transitions[-1].price == pytest.approx(6_234, abs=1)


def test_eaten_asks_are_a_breakout_and_no_trap():
    _, at = _episode("t2-breakout", "hunt_trap", 6_250)
    assert list(at) == ["APPROACH", "POKED", "BROKEOUT"]


def test_a_chain_of_three_fires_link_by_link():
    episode, at = _episode("t3-cascade-chain", "cascade_chain", 139_900)
    assert list(at) == ["STACKED", "LIT", "PROPAGATING", "LINK_3", "EXHAUSTED"]
    wanted = {"STACKED": 0, "LIT": 4.8, "PROPAGATING": 11.5, "LINK_3": 22.5, "EXHAUSTED": 26.9}
    assert at == pytest.approx(wanted, abs=0.15)
    assert len(episode.links) == 3
    assert sum(link.notional for link in episode.links) == pytest.approx(460e6)


def test_its_gaps_carry_1_75_and_1_85_and_the_order_1_06():
    episode, _ = _episode("t3-cascade-chain", "cascade_chain", 139_900)
    assert _figure(episode, "STACKED", "gap 1 carries") == pytest.approx(1.75, abs=0.01)
    assert _figure(episode, "STACKED", "gap 2 carries") == pytest.approx(1.85, abs=0.01)
    order = carry(400 * 142_000, 142_000, 140_100, 40e6)
    assert order == pytest.approx(1.06, abs=0.01)


def test_clusters_behind_a_thick_book_are_no_chain():
    assert not any(e.kind == "cascade_chain" for e in episodes_of(named("t3-apart")))


def test_two_runs_of_a_scenario_give_the_same_episodes():
    one, two = (episodes_of(named("t2-hunt-trap")) for _ in range(2))
    assert [e.id for e in one] == [e.id for e in two]
    assert json.encode([e.transitions for e in one]) == json.encode([e.transitions for e in two])


def test_nothing_rests_between_clusters_that_share_an_edge():
    assert carry(1e6, 139_804.5, 139_804.5, 40e6) == math.inf


def test_a_chain_begins_at_no_cluster_that_has_fired():
    scenario = named("t3-cascade-chain")
    signals = CoinSignals()
    begun = []
    for scene in scenes(scenario, played(scenario), signals):
        for zone in scene.zones:  # frozen by the first look, and swept from then on
            zone.look(scene.now, scene.price, (scene.low, scene.high), signals.zones.rules)
            zone.swept = 0.3
        begun += [e.kind for e in signals.step(scene) if e.state == "STACKED"]
        if scene.now >= start_of(scenario) + 2 * MINUTE:
            break
    assert begun == []


def test_a_chain_has_a_state_for_each_of_its_clusters():
    scenario = named("t3-cascade-chain")
    scene = next(iter(scenes(scenario, played(scenario), CoinSignals())))
    price = scene.price * 0.999
    zones = tuple(
        Zone(Stretch("long", price - 10 * n, price - 10 * n + 1, 1e12, (1e12,)), scene.now, 99.0)
        for n in range(20)
    )
    assert len(chain(replace(scene, zones=zones), zones[0])) == MOST
    assert CASCADE_CHAIN.states[-1] == f"LINK_{MOST}"
