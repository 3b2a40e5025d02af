"""``powderkeg bench``: figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json

import pytest

from powderkeg import __version__
from powderkeg.bench import engine, flow_real


@pytest.fixture
def timed(monkeypatch):
    """Spare the measuring: what is tested here is how figures are told."""
    figures = {"flush_us": 0.2171, "rows": 211_000}
    monkeypatch.setattr(engine, "engine", lambda: figures)
    return figures


def test_figures_are_reported_as_json(timed, run):
    assert json.loads(run("bench", "engine", "--json")) == timed


def test_figures_are_reported_as_a_table(timed, run):
    assert timed
    words = run("bench", "engine").split()
    assert words == ["flush", "us", "0.2171", "rows", "211000"]


@pytest.mark.slow
def test_one_seed_of_the_truth_is_reported_with_both_rivals_and_the_ratios(run):
    got = json.loads(run("bench", "sim-truth", "--seeds", "1", "--json"))
    assert got["seeds"] == 1
    assert got["ig_ratio"] == pytest.approx(got["ig_bits"] / got["static"]["ig_bits"])
    assert set(got["static_maintenance"]) == {"ig_bits", "emd_10pct", "corr_4pct", "top_tenth"}


@pytest.mark.slow
def test_a_burst_is_delivered_whole_and_the_book_stands(run):
    got = json.loads(run("bench", "feed", "--json"))
    assert got["delivered"] == got["delivered_one_a_frame"] == got["sent"]
    assert got["book"] == {
        "status": "live", "stale": 0, "holes": 0, "crossed": 0, "overflow": 0, "lost": 0,
    }  # fmt: skip
    assert got["recorded_frames"] > got["sent"]
    assert set(got["ccxt_pro"]) == {"bybit_trades", "bybit_depth"}


@pytest.mark.slow
def test_every_moment_reaches_the_page(run):
    got = json.loads(run("bench", "latency", "--json", "--rate", "600", "--seconds", "5"))
    assert 0 < got["p50_ms"] <= got["p99_ms"] <= got["max_ms"]
    assert got["events_per_s"] > 200
    assert got["unread_frames"] == 0
    assert got["p99_per_reference"] == pytest.approx(got["p99_ms"] / got["reference_ms"], rel=0.05)
    assert got["stall_ms"] > 0


def test_the_version_is_that_of_the_package(run):
    assert run("version") == f"{__version__}\n"


def test_the_source_of_recorded_books_can_be_named(monkeypatch, run, tmp_path):
    monkeypatch.setattr(flow_real, "run_flow_real", lambda path: {"source": path.name})
    assert json.loads(run("bench", "flow-real", str(tmp_path / "mine.toml"), "--json")) == {
        "source": "mine.toml"
    }
    assert run("bench", "flow-real").split() == ["source", "hyperliquid_202606.toml"]


def test_figures_by_name_are_a_line_each(monkeypatch, run):
    monkeypatch.setattr(flow_real, "run_flow_real", lambda _: {"reads": {"a": 1, "b": 2}})
    assert run("bench", "flow-real").split() == ["reads", "a:", "1", "b:", "2"]
