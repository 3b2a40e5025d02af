"""What was known at an earlier time is what the signals said then."""

from __future__ import annotations

import pytest

from powderkeg.evaluation.signals.scripted import scenes, start_of
from powderkeg.events import MINUTE
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.outcomes.known import known
from powderkeg.signals.specs import ahead, has_failed
from powderkeg.signals.views import SignalsQuery, signals_of
from powderkeg.sim.scenario.play import played
from powderkeg.sim.scenario.script import named

SCENARIO = named("t1-sweep-and-reclaim")


def _played(until: float = 1e9) -> CoinSignals:
    """Return the signals of the script after `until` minutes."""
    signals, end = CoinSignals(), start_of(SCENARIO) + until * MINUTE
    for scene in scenes(SCENARIO, played(SCENARIO), signals):
        if scene.now > end:
            break
        signals.step(scene)
    return signals


@pytest.fixture(scope="module")
def whole() -> CoinSignals:
    """Return the signals after the whole script."""
    return _played()


@pytest.mark.parametrize("minute", [5, 20, 44, 46.5, 60, 81])
def test_the_past_is_what_was_said_then(whole: CoinSignals, minute: float):
    then, at = _played(minute), int(start_of(SCENARIO) + minute * MINUTE)
    past = known(whole, at)
    now = known(then)
    assert [e.id for e in past.opened] == [e.id for e in now.opened]
    assert {e.id for e in past.ended} == {e.id for e in now.ended}
    for old, said in zip(past.opened, now.opened, strict=True):
        assert repr(old.transitions) == repr(said.transitions)  # a NaN equals no other
        assert repr(old.plan) == repr(said.plan)
    assert repr(past.outcomes.cases) == repr(now.outcomes.cases)
    assert list(past.touches) == list(now.touches)


def test_an_open_episode_has_the_states_left_on_its_way_and_an_ended_one_none(whole: CoinSignals):
    name = next(e.id for e in whole.ended if e.kind == "sweep_reclaim")
    at = int(start_of(SCENARIO) + 44 * MINUTE)
    then, now = (
        signals_of(whole, SignalsQuery(id=name, at=moment), 2**53).episodes[0] for moment in (at, 0)
    )
    assert then.ahead == ["SWEPT", "ABSORBING", "RECLAIMED"]
    assert (now.state, now.ahead, now.failed) == ("RECLAIMED", [], False)
    assert has_failed("sweep_reclaim", "FAILED")
    assert has_failed("wick", "GONE")
    assert not has_failed("approach", "REJECTED")


def test_an_open_chain_has_as_many_states_ahead_as_it_has_clusters():
    scenario, signals = named("t3-cascade-chain"), CoinSignals()
    for scene in scenes(scenario, played(scenario), signals):
        begun = [each for each in signals.step(scene) if each.kind == "cascade_chain"]
        if begun:
            break
    chain = begun[0]
    assert (chain.state, len(chain.links)) == ("STACKED", 3)
    assert ahead(chain) == ["LIT", "PROPAGATING", "LINK_3", "EXHAUSTED"]


def test_an_episode_of_the_past_shows_the_evidence_of_the_state_it_was_in(whole: CoinSignals):
    episode = next(e for e in whole.ended if e.kind == "sweep_reclaim")
    swept = next(t for t in episode.transitions if t.state == "SWEPT")
    query = SignalsQuery(type="sweep_reclaim", at=swept.time + 20_000_000)
    row = signals_of(whole, query, 2**53).episodes[0]
    assert (row.state, row.open, row.age) == ("SWEPT", True, 20)
    assert tuple(row.evidence) == swept.evidence
    assert episode.state == "RECLAIMED"


def test_before_price_entered_the_cluster_a_sweep_has_no_plan(whole: CoinSignals):
    episode = next(e for e in whole.ended if e.kind == "sweep_reclaim")
    entered = episode.time_of("IN_ZONE")
    assert entered is not None
    before, since = (
        signals_of(whole, SignalsQuery(type="sweep_reclaim", at=at), 2**53).episodes[0].plan
        for at in (entered - 1, entered)
    )
    assert before is None
    assert since is not None
