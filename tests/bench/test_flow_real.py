"""The order-flow reads on recorded books: rates, episodes and steps of a small made recording."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from powderkeg.bench.flow_real import READS, episodes, recorded_days, run_flow_real
from powderkeg.errors import ConfigError
from powderkeg.events import HOUR, SECOND
from powderkeg.flow.books.absorption import Pressure
from powderkeg.history.sources import load

SOURCE = """
name = "made"

[[series]]
venue = "hyperliquid"
market = "BTC"
kind = "trades"
files = ["trades.jsonl"]
time = { column = "ts", unit = "ms" }
columns = { price = "px", size = "sz", side = "side" }

[[series]]
venue = "hyperliquid"
market = "BTC"
kind = "book"
files = ["books.jsonl"]
time = { column = "ts", unit = "ms" }
columns = { bids = "bids", asks = "asks" }
"""
START = 1_781_222_400
"""Midnight, s."""
BIG = 3
"""Print of 640,000 dollars among those of 6,400."""


def book(second: int, wall: float) -> dict[str, object]:
    """Return twenty levels a side, a wall fifteen dollars below the mid."""
    bids = [[64_000.0 - d, 1.0 + d % 3 / 10 + (wall if d == 15 else 0.0)] for d in range(1, 21)]
    asks = [[64_000.0 + d, 1.0 + d % 3 / 10] for d in range(1, 21)]
    return {"ts": (START + second) * 1_000, "bids": bids, "asks": asks}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a source of two hours: books every four seconds, a wall for five minutes of each."""
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)
    books = [book(s, 90.0 if 1_200 <= s % 3_600 < 1_500 else 0.0) for s in range(0, 7_201, 4)]
    trades = [
        {"ts": (START + s) * 1_000 + 500, "px": 64_001.0, "sz": 10.0 if n == BIG else 0.1,
         "side": "B" if n % 2 else "A"}
        for n, s in enumerate(range(2, 7_200, 30))
    ]  # fmt: skip
    for name, rows in (("books", books), ("trades", trades)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "source.toml"
    path.write_text(SOURCE)
    return path


def test_reads_are_counted_by_hour_and_tick(made):
    got = run_flow_real(made)
    assert list(got["reads"]) == list(READS)
    assert got["reads"]["walls"]["mean"] == pytest.approx(1.0, abs=0.01)
    assert got["reads"]["walls"]["median"] == pytest.approx(1.0, abs=0.01)
    assert got["reads"]["walls"]["ticks_percent"] == pytest.approx(100 * 2 / 72_000, abs=1e-4)
    assert got["reads"]["large prints"]["mean"] == pytest.approx(0.5, abs=0.01)
    assert got["reads"]["pulled walls"]["mean"] == 0.0
    assert got["largest_absorption"] == []


def test_a_day_says_what_was_seen_and_on_which_step_it_was_laid(made):
    ((day, whole),) = list(recorded_days(load(made)))
    (row,) = run_flow_real(made)["days"]
    assert (row["market"], row["day"], row["hours"]) == ("hyperliquid:BTC", "2026-06-12", 2.0)
    assert (row["books"], row["spacing"], row["step"]) == (1_801, 1.0, 1.0)
    assert 0 < day.cpu < whole
    assert [wall.end for _, wall in day.ended] == ["cancelled"] * 2


def test_time_without_a_book_is_not_observed(made):
    path = made.parent / "books.jsonl"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:450] + rows[900:]))
    ((day, _),) = list(recorded_days(load(made)))
    assert sum(day.observed.values()) / SECOND == pytest.approx(7_200 - 1_804)


def test_a_source_without_an_hour_of_books_is_refused(made):
    path = made.parent / "books.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:300]))
    with pytest.raises(ConfigError, match=r"expected a series of kind book with an hour of it"):
        run_flow_real(made)


def test_reads_of_one_side_within_a_window_are_one_episode():
    read = Pressure(0, 0, 0, 1.0, 4.0, 1.0, 0.0, 1.0, pressed=True, absorbed=True)
    times = [(0, 0), (20, 0), (41, 0), (20, 1)]
    reads = [replace(read, time=HOUR + at * SECOND, side=side) for at, side in times]
    assert [[(r.time - HOUR) // SECOND for r in each] for each in episodes(reads)] == [
        [0, 20], [41], [20],
    ]  # fmt: skip
