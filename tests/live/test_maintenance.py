"""Hours of frames read into columns, and the housekeeping: nothing that fails hinders the rest."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from powderkeg.desk import Desk
from powderkeg.errors import StoreError
from powderkeg.events import HOUR, SECOND, Gap
from powderkeg.feed.decoder import Feed
from powderkeg.frames import Frame, Started, control_frame
from powderkeg.live import maintenance as module
from powderkeg.live.maintenance import FRAMES, SNAPSHOT, SegmentBuilder, StoreMaintenance
from powderkeg.settings import Settings
from powderkeg.store.event_columns import Columns
from powderkeg.store.folder import Store

T = 1_767_225_600 * SECOND
MARKET = "okx:BTC-USDT-SWAP"
LISTED = {
    "instType": "SWAP", "instId": "BTC-USDT-SWAP", "instFamily": "BTC-USDT", "uly": "BTC-USDT",
    "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "ctType": "linear", "settleCcy": "USDT",
    "tickSz": "0.1", "lotSz": "0.01", "minSz": "0.01", "state": "live", "lever": "100",
}  # fmt: skip
INSTRUMENTS = json.dumps({"code": "0", "msg": "", "data": [LISTED]}).encode()


def trade(number, at, contracts="100"):
    row = {
        "instId": "BTC-USDT-SWAP", "tradeId": str(number), "px": "50000", "sz": contracts,
        "side": "buy", "ts": str(at // 1000), "count": "1",
    }  # fmt: skip
    arg = {"channel": "trades", "instId": "BTC-USDT-SWAP"}
    return json.dumps({"arg": arg, "data": [row]}).encode()


class Hour:
    """An hour of frames."""

    def __init__(self, n):
        self.now = T + n * HOUR
        self.frames = []

    def put(self, raw, channel=""):
        self.now += SECOND
        self.frames.append(Frame(len(self.frames) + 1, self.now, "okx", channel, raw))
        return self

    def say(self, said):
        self.frames.append(control_frame(len(self.frames) + 1, self.now, said))
        return self

    def trades(self, *numbers):
        for number in numbers:
            self.put(trade(number, self.now))
        return self

    def read(self, gather):
        columns = Columns()
        gather(lambda: iter([self.frames]), columns)
        return columns.tables().get(("trades", "okx"), {}).get("size", [])


@pytest.fixture
def gather():
    return SegmentBuilder()


def test_sizes_are_known_wherever_in_the_hour_the_instruments_were_reported(gather):
    hour = Hour(0).trades(1).put(INSTRUMENTS, "instruments").trades(2)
    assert hour.read(gather) == [1.0, 1.0]


def test_an_hour_without_instruments_goes_by_those_of_the_hour_before(gather):
    Hour(0).put(INSTRUMENTS, "instruments").read(gather)
    assert Hour(1).trades(1, 2).read(gather) == [1.0, 1.0]
    assert Hour(1).trades(1, 2).read(SegmentBuilder()) == []


def test_a_start_in_the_middle_of_an_hour_costs_only_what_was_not_reported(gather):
    boot = Started(T, {"BTC": (MARKET,)})
    hour = Hour(0).put(INSTRUMENTS, "instruments").trades(1).say(boot)
    hour.put(INSTRUMENTS, "instruments").trades(2)
    assert hour.read(gather) == [1.0, 1.0]


def test_answers_about_the_past_are_no_events_of_the_hour(gather):
    rows = [json.loads(trade(n, T))["data"][0] for n in (1, 2)]
    answer = json.dumps({"code": "0", "msg": "", "data": rows}).encode()
    hour = Hour(0).put(INSTRUMENTS, "instruments").put(answer, "trades:BTC-USDT-SWAP").trades(3)
    assert hour.read(gather) == [1.0]


def test_gaps_are_kept(gather):
    columns = Columns()
    hour = Hour(0).say(Gap(MARKET, T + 9, T + 9, T, "cut"))
    gather(lambda: iter([hour.frames]), columns)
    assert columns.tables()["gaps", "okx"]["since"] == [T]


# -- the housekeeping


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def keep(store):
    """Return the housekeeping of a store beside a collector that stands still."""
    feed = Feed({"BTC": Desk("BTC")})
    collector = SimpleNamespace(
        recording=True, ready=True, desks=feed.desks, feed=feed,
        status=SimpleNamespace(problems={}),
    )  # fmt: skip
    return StoreMaintenance(store, collector, Settings(disk=1))


def fill(store, hours=3):
    for n in range(hours * 2):
        store.append([Frame(n + 1, T + n * HOUR // 2, "okx", "", trade(n, T + n * HOUR // 2))])


async def test_a_damaged_batch_is_reported_once_and_nothing_is_held_up(store, keep, capsys):
    fill(store)
    store._db.all("UPDATE journal SET blob=x'00' WHERE last=1")
    await keep.run_once(snapshot=True)
    await keep.run_once(snapshot=False)
    reported = capsys.readouterr().err
    assert reported.count("frames 1 to 1 were set aside") == 1
    assert "set aside" in keep._collector.status.problems["record"]
    assert "store" not in keep._collector.status.problems
    assert store.log.first == 0
    assert store.states.load("desks") is not None


async def test_pruning_goes_on_where_sealing_cannot(store, keep, monkeypatch, capsys):
    fill(store, 1)
    store.seal(T)
    store.append([Frame(3, T + 2 * HOUR, "okx", "", b"")])

    def full(*_):
        raise StoreError("no space left")

    monkeypatch.setattr(store, "seal", full)
    await keep.run_once(snapshot=False)
    assert list(store.events.folder.rglob("*.frames")) == []
    assert keep._collector.status.problems["store"] == "no space left"
    monkeypatch.undo()
    await keep.run_once(snapshot=False)
    assert keep._collector.status.problems == {}
    assert "no space left" in capsys.readouterr().err


async def test_what_is_pruned_is_reported_once_an_hour_at_most(keep, monkeypatch, capsys):
    monkeypatch.setattr(keep._store, "prune", lambda _: 5_000_000)
    for _ in range(3):
        await keep.run_once(snapshot=False)
    reported = capsys.readouterr().err
    assert reported.count("oldest_hours_deleted") == 1
    assert "bytes=5000000" in reported
    keep._report_at = 0.0
    await keep.run_once(snapshot=False)
    assert "bytes=15000000" in capsys.readouterr().err


async def test_a_snapshot_is_due_by_time_or_by_the_frames_to_be_read_again(keep):
    assert not keep._snapshot_due()
    keep._collector.feed.seq = FRAMES
    assert keep._snapshot_due()
    await keep.run_once(snapshot=True)
    assert not keep._snapshot_due()
    keep._runs = SNAPSHOT
    assert keep._snapshot_due()


async def test_a_snapshot_waits_until_every_past_is_there(keep):
    keep._collector.ready = False
    keep._runs = SNAPSHOT
    await keep.run_once(snapshot=True)
    assert keep._store.states.load(module.PART) is None
    assert keep._snapshot_due()


async def test_health_says_since_when_messages_are_kept(store, keep):
    fill(store)
    await keep.run_once(snapshot=False)
    assert keep._collector.status.recorded_since is None, "the budget is one byte"
    store.append([Frame(store.last + 1, module.now(), "okx", "", b"{}")])
    await keep.run_once(snapshot=False)
    assert keep._collector.status.recorded_since == store.since > 0
