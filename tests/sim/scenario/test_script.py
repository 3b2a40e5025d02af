"""Scenario files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from powderkeg.errors import ConfigError
from powderkeg.sim.scenario.play import played
from powderkeg.sim.scenario.script import named, read_scenario, shipped


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_is_called_by_its_file_and_plays_to_its_end(name):
    scenario = named(name)
    market = played(scenario)
    assert scenario.name == name
    assert len(market.price) == scenario.minutes * 60 + 1
    assert market.price[0] == scenario.price[0][1]
    assert market.price[-1] == pytest.approx(scenario.price[-1][1])


def test_what_fires_is_never_more_than_the_clusters_hold():
    scenario = named("t3-cascade-chain")
    fired = played(scenario).liquidated.sum(axis=1)
    held = [cluster.notional for cluster in scenario.clusters]
    assert np.all(fired <= np.array(held) * (1 + 1e-9))
    assert fired[:2] == pytest.approx(held[:2])


def test_a_seed_changes_the_noise_and_not_the_story():
    scenario = named("t1-sweep-and-reclaim")
    one, two = played(scenario, 1), played(scenario, 2)
    assert not np.array_equal(one.price, two.price)
    assert one.price[44 * 60] == two.price[44 * 60]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("seed = 7", 'seed = "x"'), "seed"),
        (("noise = 0.8", ""), "noise"),
        (("[0, 6150]", "[1, 6150]"), "begin at minute 0 and rise"),
        (("seed = 7", "seed = 7\nleverage = 3"), "leverage"),
    ],
)
def test_a_flaw_in_a_file_is_named(change, words, tmp_path: Path):
    raw = shipped()["t2-hunt-trap"].read_text()
    path = tmp_path / "mine.toml"
    path.write_text(raw.replace(*change, 1))
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_scenario(path)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ConfigError, match="t1-sweep-and-reclaim"):
        named("t9")
