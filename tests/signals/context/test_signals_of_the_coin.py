"""Signals that follow no single cluster."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from powderkeg.events import HOUR, SECOND
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.context import approach_quality
from powderkeg.signals.context.confluence import random_rate
from powderkeg.signals.scene import Crowd, Level, Prints, RestingWhale, Scene
from powderkeg.signals.zones import Stretch, Zone

START = 1_700_000_000 * SECOND
QUIET = Scene(
    coin="BTC", now=START, price=100.0, low=100.0, high=100.0, then=100.0, volume=1.0, bought=1.0,
    sold=1.0, taken=(1.0, 1.0), refilled=(0.3, 0.3), depth=(1e6, 1e6), liquidated=(0.0, 0.0),
    minutes=np.full(6, 100.0), sigma=0.01, held=(100.0, 100.0),
)  # fmt: skip


def zone(side="long", floor=98.0, top=98.5, rank=95.0) -> Zone:
    return Zone(Stretch(side, floor, top, 1e6, (1e6,)), START, rank)


def states(signals: CoinSignals, kind: str) -> list[str]:
    episodes = sorted(signals.episodes(), key=lambda e: e.begun)
    return [t.state for e in episodes if e.kind == kind for t in e.transitions]


def run(kind: str, *changes: dict) -> list[str]:
    """Return the states of a signal over scenes ten seconds apart."""
    signals = CoinSignals()
    for n, change in enumerate(changes):
        signals.step(replace(QUIET, now=START + n * 10 * SECOND, **change))
    return states(signals, kind)


def test_a_crowd_needs_index_share_cluster_and_open_interest():
    crowd = Crowd(index=93.0, accounts=0.84, oi_week=0.05)
    full = {"crowd": crowd, "zones": (zone(),)}
    assert run("crowded", full) == ["CROWDED"]
    assert run("crowded", full | {"zones": ()}) == []
    assert run("crowded", full | {"zones": (zone(floor=90.0, top=91.0),)}) == []
    assert run("crowded", full | {"crowd": Crowd(index=93.0, accounts=0.6, oi_week=0.05)}) == []
    assert run("crowded", full | {"crowd": Crowd(index=93.0, accounts=0.84, oi_week=-0.1)}) == []
    eased = {"crowd": Crowd(index=79.0, accounts=0.84, oi_week=0.05), "zones": (zone(),)}
    assert run("crowded", full, eased) == ["CROWDED", "EASED"]


def test_shorts_are_crowded_where_the_index_is_low():
    short = zone("short", 101.0, 101.5)
    crowd = Crowd(index=6.0, accounts=0.15, oi_week=0.01)
    assert run("crowded", {"crowd": crowd, "zones": (short,)}) == ["CROWDED"]


def whale(**change) -> RestingWhale:
    bid = RestingWhale("a", 0, 98.7, 5e6, START - HOUR, 0.0, 0.0)
    return replace(bid, **change)


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (whale(traded=0.3, refill=0.8), "HELD"), (whale(end="pulled"), "PULLED"),
        (whale(end="traded"), "EATEN"), (whale(end="cancelled"), "LEFT"),
    ],
)  # fmt: skip
def test_a_whale_before_a_cluster_is_tested_and_ends_one_way(last, state):
    scenes = (
        {"whales": (whale(),), "zones": (zone(),)},
        {"whales": (whale(),), "zones": (zone(),), "price": 98.8},
        {"whales": (last,), "zones": (zone(),), "price": 98.8},
    )
    assert run("whale_bid", *scenes) == ["UNTESTED", "TESTED", state]


def test_a_whale_elsewhere_is_no_signal():
    for other in (whale(price=99.9), whale(price=98.2), whale(side=1)):
        assert run("whale_bid", {"whales": (other,), "zones": (zone(),)}) == []


def test_levels_match_or_diverge_and_chance_stands_beside():
    at = {"zones": (zone(floor=99.9, top=100.1),)}
    match = at | {"levels": (Level("swing low", 99.95),)}
    assert run("confluence", match) == ["MATCH"]
    alone = {"zones": (zone(),), "levels": (Level("swing high", 100.9),)}
    assert run("confluence", alone) == ["DIVERGE"]
    assert run("confluence", {"zones": (zone(),)}) == []
    scene = replace(QUIET, zones=(zone(floor=94.0, top=106.0),))
    assert random_rate(scene) == pytest.approx(1.0)
    assert math.isnan(random_rate(QUIET))


def test_simple_thresholds_begin_and_end_with_hysteresis():
    assert run("volume_spike", {"volume": 3.2}, {"volume": 2.0}, {"volume": 1.4}) == [
        "HEAVY", "CALM",
    ]  # fmt: skip
    funding = [{"crowd": Crowd(funding=f)} for f in (96.0, 94.5, 93.0)]
    assert run("funding_extreme", *funding) == ["EXTREME", "EASED"]
    assert run("feed_stale", {"stale": 1, "markets": 6}, {"stale": 0}) == ["STALE", "BACK"]
    assert run("large_print", {"prints": Prints(2e6, 1e6)}) == ["SEEN"]
    assert run("large_print", {"prints": Prints(2e5, 1e6)}) == []


def test_one_kind_is_silent_for_a_quarter_of_an_hour_after_its_end():
    assert run("large_print", *[{"prints": Prints(2e6, 1e6)}] * 50) == ["SEEN"]


def test_an_unknown_number_begins_nothing():
    unknown = {"volume": math.nan, "crowd": Crowd(), "sigma": math.nan}
    for kind in ("volume_spike", "crowded", "funding_extreme"):
        assert run(kind, unknown) == []


def test_an_approach_is_organic_by_the_share_of_what_is_known():
    scene = replace(QUIET, oi_change=0.01, prints=Prints(top_share=0.2), pulled=(0, 0))
    assert approach_quality.score(scene, "long") == 100
    worse = replace(scene, prints=Prints(top_share=0.6), pulled=(0, 3))
    assert approach_quality.score(worse, "long") == pytest.approx(100 / 3)
