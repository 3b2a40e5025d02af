"""What plays all sources and what chooses settings: figures are kept whole, and nothing leaks."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from powderkeg.engine.calibration import weights
from powderkeg.evaluation.hourly import hours, scores
from powderkeg.events import HOUR

ROOT = Path(__file__).parents[2]
START = 490_000


def module(place):
    """Return a file of the repository that is no part of the package, loaded."""
    spec = importlib.util.spec_from_file_location(Path(place).stem, ROOT / place)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def predicted(n=40 * 24):
    """Return rows of hours in which ours is nearer than every null model."""
    liquidated = np.random.default_rng(3).gamma(0.5, 10.0, (n, 2))
    even = np.full((n, 2), liquidated.mean())
    rows = np.stack(
        (liquidated, liquidated * 1.1, liquidated, liquidated, even, even, even, even), axis=1
    )
    return hours.ForecastRows(START + np.arange(n), rows, np.full((n, 2), 0.01))


def test_the_card_keeps_what_says_whether_volume_adds_anything_to_the_path():
    card = module("scripts/scorecard.py")
    answer = {"kind": "hours", **scores.summary(hours.ScoredHours(predicted(), START + 480, 960))}
    kept = card.kept(answer)
    low, high = kept["path_only_minus_ours"]
    assert 0 < low < kept["path_only_deviance"] - kept["poisson_deviance"] < high
    assert kept["verdict_over_path_only"] == "edge shown"
    assert kept["blocks_ahead_of_path_only"] == [3, 3]
    json.dumps(kept, allow_nan=False)
    assert card.kept({"kind": "recall", "events": 3}) == {"recall": {"kind": "recall", "events": 3}}
    sources = {name for name, _, _ in card.RUNS}
    assert card.FIRST in sources
    assert all((ROOT / "tests" / "sources" / f"{name}.toml").exists() for name in sources)


@pytest.fixture
def grid(monkeypatch):
    """Return the choice of settings, on hours that note the settings they are played with."""
    found = module("benchmarks/hours_grid.py")
    found.seen = []

    def play(stream):
        shapes = weights.SHAPES
        found.seen.append((
            shapes[""].growth, weights.EVIDENCE, weights.BY_VOLUME, weights.POOLING, shapes, stream
        ))  # fmt: skip
        return predicted()

    monkeypatch.setattr(
        hours, "bar_events", lambda *_: [Reported(h) for h in range(START, START + 960)]
    )
    monkeypatch.setattr(hours, "play", play)
    return found


class Reported:
    """Something that became known when an hour was over."""

    def __init__(self, hour):
        self.received_time = (hour + 1) * HOUR


def test_each_choice_is_played_with_its_settings_which_are_put_back(grid):
    before = weights.SHAPES, weights.EVIDENCE, weights.POOLING, weights.BY_VOLUME
    rows = grid.played(None, "BTC", (1.9, 3.2e-4, 0.7))
    growth, evidence, by_volume, pooling, shapes, _ = grid.seen[0]
    assert (growth, evidence, by_volume) == (1.9, 3.2e-4, 0.7)
    assert pooling == pytest.approx(10 * evidence)
    assert shapes["binance"].growth == 1.9
    assert shapes["hyperliquid"] == before[0]["hyperliquid"]
    assert before == (weights.SHAPES, weights.EVIDENCE, weights.POOLING, weights.BY_VOLUME)
    assert rows.hours[0] == START + hours.WARM_UP


def test_a_choice_on_the_first_half_sees_nothing_of_the_second(grid):
    split = START + 700
    grid.chosen_on(None, "BTC", split, (1.65, 8e-5, 0.5))
    stream = grid.seen[0][-1]
    assert stream[-1].received_time <= (split + grid.LATER) * HOUR
    assert len(stream) == 700 + grid.LATER


def test_the_settings_of_the_product_are_among_those_tried(grid):
    assert weights.SHAPES[""].growth in grid.GROWTHS
    assert weights.EVIDENCE in grid.EVIDENCES
    assert weights.BY_VOLUME in grid.BY_VOLUMES
    assert pytest.approx(grid.POOLING * weights.EVIDENCE) == weights.POOLING
