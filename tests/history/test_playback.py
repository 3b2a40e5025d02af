"""A reel shows what was known before a time, however it came there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from powderkeg.desk import Desk
from powderkeg.errors import ConfigError, RequestError
from powderkeg.events import DAY, HOUR, MINUTE, SECOND
from powderkeg.feed.drive import drive
from powderkeg.history.playback import PlaybackCursor, Recorded, Stored, strides
from powderkeg.history.replay import events, remaining
from powderkeg.history.snapshots import digest
from powderkeg.history.sources import load

START = 1_767_225_600 * SECOND


def _load(path):
    spec = importlib.util.spec_from_file_location("made_frames_of_a_reel", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


made = _load(Path(__file__).parents[1] / "store" / "made.py")
BAR = 5 * MINUTE


def rows(count):
    """Return a market of 5-minute candles that wanders, and jumps once."""
    lines, price = ["time,open,high,low,close,volume,oi"], 100_000.0
    for n in range(count):
        after = price * (1 + 0.002 * ((n * 7919) % 11 - 5) / 5) * (0.95 if n == 400 else 1.0)
        high, low = max(price, after) * 1.001, min(price, after) * 0.999
        at = START // 1000 + n * 300_000
        lines.append(f"{at},{price},{high},{low},{after},{50 + n % 13},{1000 + n % 97}")
        price = after
    return "\n".join(lines) + "\n"


HEAD = 'name = "made"\n'
CANDLES = """
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "candles"
files = ["bars.csv"]
time = { column = "time", unit = "ms", means = "from", every = "5m" }
columns = { open = "open", high = "high", low = "low", close = "close", volume = "volume" }
"""
INTEREST = """
[[series]]
venue = "binance"
market = "BTCUSDT"
kind = "open_interest"
files = ["bars.csv"]
time = { column = "time", unit = "ms", means = "to", every = "5m" }
columns = { size = "oi" }
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reel")
    (folder / "bars.csv").write_text(rows(864))
    (folder / "made.toml").write_text(HEAD + CANDLES + INTEREST)
    return load(folder / "made.toml")


def reel_of(source):
    cursor = PlaybackCursor(Stored(source, "BTC"), lambda raw: Stored(source, "BTC", raw))
    return cursor, cursor.play_through()


@pytest.fixture(scope="module")
def wound(source):
    return reel_of(source)


def cut(source, until):
    """Return a desk fed with a stream that ends at a time."""
    desk = Desk("BTC")
    drive(desk, events(source, "BTC", until=until, stride=BAR))
    return desk


def test_a_time_reached_forward_backward_or_at_once_is_the_same(source, wound):
    cursor, _ = wound
    at = START + 30 * HOUR
    forward = [digest(cursor.desk_at(at + n * BAR)) for n in range(5)]
    cursor.desk_at(START + 60 * HOUR)
    backward = [digest(cursor.desk_at(at + n * BAR)) for n in (4, 3, 2, 1, 0)]
    assert forward == backward[::-1]
    fresh, _ = reel_of(source)
    assert digest(fresh.desk_at(at)) == forward[0]
    assert len(set(forward)) == 5


@pytest.mark.parametrize("hours", [13, 24, 33.5, 47.75])
def test_nothing_after_a_time_is_known_at_it(source, wound, hours):
    at = START + round(hours * HOUR)
    cursor, _ = wound
    cursor.desk_at(cursor.until)
    then = cursor.desk_at(at)
    assert then.now < at
    assert digest(then) == digest(cut(source, at))


def test_the_end_of_the_reel_is_the_desk_that_was_never_stopped(source, wound):
    cursor, end = wound
    assert digest(cursor.desk_at(cursor.until)) == digest(end) == digest(cut(source, 2**62))


def test_a_time_inside_a_bar_is_that_of_its_start(wound):
    cursor, _ = wound
    at = START + 20 * HOUR
    assert digest(cursor.desk_at(at + BAR - 1)) == digest(cursor.desk_at(at))


def test_a_time_that_is_not_stored_is_refused_with_the_range(wound):
    cursor, _ = wound
    for at in (START - DAY, cursor.until + 1):
        with pytest.raises(RequestError, match=f"from {cursor.since} to {cursor.until}"):
            cursor.desk_at(at)


def test_readers_of_different_times_do_not_wind_each_other_back(source):
    made = []

    def make(raw):
        made.append(raw)
        return Stored(source, "BTC", raw)

    cursor = PlaybackCursor(Stored(source, "BTC"), make)
    cursor.play_through()
    for n in range(6):
        cursor.desk_at(START + 20 * HOUR + n * BAR)
        cursor.desk_at(START + 50 * HOUR + n * BAR)
    assert len(made) == 2


def test_checkpoints_are_thinned_and_times_stay_the_same(source, monkeypatch):
    monkeypatch.setattr("powderkeg.history.playback.EVERY", HOUR)
    monkeypatch.setattr("powderkeg.history.playback.MOST", 6)
    cursor, _ = reel_of(source)
    assert len(cursor._marks) <= 6
    assert digest(cursor.desk_at(START + 31 * HOUR)) == digest(cut(source, START + 31 * HOUR))


def test_the_largest_move_of_the_whole_reel_is_the_jump(wound):
    cursor, _ = wound
    history = cursor.history()
    assert (history.stride, history.exact) == (BAR, True)
    assert MINUTE not in history.steps
    jump = START + 400 * BAR
    first = history.moves[0]
    assert first.at <= jump < first.at + HOUR
    assert first.change < -0.04
    assert first.low <= first.end <= first.high
    assert all(
        abs(a.at - b.at) >= HOUR for n, a in enumerate(history.moves) for b in history.moves[:n]
    )


def test_what_is_watched_is_each_event_once(source):
    seen = []
    first = Stored(source, "BTC", watch=lambda _, event: seen.append(event.received_time))
    PlaybackCursor(first, lambda raw: Stored(source, "BTC", raw)).play_through()
    assert len(seen) == sum(1 for _ in events(source, "BTC", stride=BAR))


def test_a_reel_without_a_price_is_refused(source):
    player = Stored(source, "BTC", until=START)
    with pytest.raises(ConfigError, match="a market of BTC with a price"):
        PlaybackCursor(player, lambda raw: Stored(source, "BTC", raw)).play_through()


def test_prints_are_cut_every_ten_seconds_and_bars_one_by_one(recorded: Path):
    bars = load(recorded / "btc_2026.toml")
    prints = load(recorded / "bad_print.toml")
    assert strides(bars, "BTC", 10 * SECOND) == (BAR, BAR)
    assert strides(prints, "BTC", 10 * SECOND)[1] == 10 * SECOND


@pytest.mark.slow
def test_stored_prints_are_wound_like_bars(recorded: Path):
    source = load(recorded / "bad_print.toml")
    cursor = PlaybackCursor(Stored(source, "BTC"), lambda raw: Stored(source, "BTC", raw))
    end = cursor.play_through()
    at = (cursor.since + (end.now - cursor.since) // 2) // cursor.stride * cursor.stride
    desk = Desk("BTC")
    drive(desk, remaining(desk, source, until=at))
    assert digest(cursor.desk_at(at)) == digest(desk)


def test_a_recording_is_wound_to_the_same_state_from_either_side():
    """Its frames are kept in batches; whoever reads on from a number gets whole batches."""
    batches = made.market(5, 1500)

    def read(after):
        return (batch for batch in batches if batch[-1].seq > after)

    cursor = PlaybackCursor(Recorded(read, "BTC"), lambda raw: Recorded(read, "BTC", raw))
    end = cursor.play_through()
    times = [batches[-1][-1].received_time - n * 6 * SECOND for n in (1, 2, 3)]
    backward = [digest(cursor.desk_at(at)) for at in times]
    forward = [digest(cursor.desk_at(at)) for at in times[::-1]]
    assert backward == forward[::-1]
    assert digest(cursor.desk_at(cursor.until)) == digest(end)
    alone = Recorded(read, "BTC", until=times[1] // SECOND * SECOND)
    alone.advance(Recorded.END)
    assert digest(alone.desk) == backward[1]
    assert (alone.head(), cursor.stride) == (None, SECOND)
