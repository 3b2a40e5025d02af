"""Replay is exact: same events, same bits; stopped and resumed, or under another hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError
from powderkeg.events import HOUR, SECOND
from powderkeg.feed.drive import drive
from powderkeg.history import snapshots
from powderkeg.history.replay import remaining
from powderkeg.history.sources import load
from powderkeg.sim import SimulatedMarket, World

ROOT = Path(__file__).parents[1]
START = 1_767_225_600 * SECOND
TELL = """
import sys
from powderkeg.history import snapshots
sys.path.insert(0, "tests")
from test_replay import made_desk
print(snapshots.digest(made_desk()))
"""


def made_desk(hours=2):
    market = SimulatedMarket(World(), 3, START)
    desk = Desk("BTC")
    for _ in range(hours * 360):
        drive(desk, market.step(10.0))
    return desk


def test_the_same_events_give_the_same_bits_under_three_hash_seeds():
    told = set()
    for seed in ("0", "1", "4711"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            [sys.executable, "-c", TELL], cwd=ROOT, env=env, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        told.add(done.stdout.strip())
    assert len(told) == 1
    assert len(told.pop()) == 64


def test_a_desk_resumed_from_a_snapshot_goes_on_as_if_never_stopped(tmp_path):
    market = SimulatedMarket(World(), 4, START)
    events = [event for _ in range(600) for event in market.step(10.0)]
    whole, half = Desk("BTC"), Desk("BTC")
    drive(whole, events)
    drive(half, events[: len(events) // 2])
    snapshots.save(half, tmp_path / "half.desk")
    resumed = snapshots.load(tmp_path / "half.desk")
    assert snapshots.digest(resumed) == snapshots.digest(half)
    drive(resumed, events[len(events) // 2 :])
    assert snapshots.digest(resumed) == snapshots.digest(whole)


def test_a_file_that_is_no_snapshot_is_refused_with_its_name(tmp_path):
    (tmp_path / "x.desk").write_bytes(b"not a desk")
    with pytest.raises(ConfigError, match=r"x\.desk: expected a desk's snapshot"):
        snapshots.load(tmp_path / "x.desk")


@pytest.mark.slow
def test_a_recorded_day_resumed_half_way_ends_with_the_same_digest(recorded, tmp_path):
    source = load(recorded / "hyperliquid_202606.toml")
    stop = 1_781_222_400 * SECOND + 2 * HOUR
    whole = Desk("SOL")
    drive(whole, remaining(whole, source, until=stop))
    half = Desk("SOL")
    drive(half, remaining(half, source, until=stop - 3 * HOUR))
    snapshots.save(half, tmp_path / "half.desk")
    resumed = snapshots.load(tmp_path / "half.desk")
    assert 0 < resumed.counts.events < whole.counts.events
    drive(resumed, remaining(resumed, source, until=stop))
    assert snapshots.digest(resumed) == snapshots.digest(whole)
