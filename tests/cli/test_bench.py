"""``powderkeg bench``: figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json

import pytest

from powderkeg import __version__
from powderkeg.proof import speed


@pytest.fixture
def timed(monkeypatch):
    """Spare the measuring: what is tested here is how figures are told."""
    figures = {"flush_us": 0.2171, "rows": 211_000}
    monkeypatch.setattr(speed, "engine", lambda: figures)
    return figures


def test_figures_are_told_as_json(timed, run):
    assert json.loads(run("bench", "engine", "--json")) == timed


def test_figures_are_told_as_a_table(timed, run):
    assert timed
    words = run("bench", "engine").split()
    assert words == ["flush", "us", "0.2171", "rows", "211000"]


@pytest.mark.slow
def test_one_seed_of_the_truth_is_told_with_both_rivals_and_the_ratios(run):
    got = json.loads(run("bench", "sim-truth", "--seeds", "1", "--json"))
    assert got["seeds"] == 1
    assert got["ig_ratio"] == pytest.approx(got["ig_bits"] / got["static"]["ig_bits"])
    assert set(got["static_maintenance"]) == {"ig_bits", "emd_10pct", "corr_4pct"}


def test_the_version_is_that_of_the_package(run):
    assert run("version") == f"{__version__}\n"
