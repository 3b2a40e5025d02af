"""Maps kept for good: nothing is changed, nothing twice, a crash costs only what was unfinished."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.errors import DataError, StoreError
from powderkeg.evaluation.live import from_ledger
from powderkeg.events import HOUR, MINUTE, SECOND, Liquidation
from powderkeg.grid import BIN
from powderkeg.live.maintenance import StoreMaintenance
from powderkeg.maps.heatmap.coin_view import MarketView
from powderkeg.settings import Settings
from powderkeg.store import forecasts as module
from powderkeg.store.folder import Store
from powderkeg.store.forecasts import ForecastArchive, Map, Row, map_of

MARKET = "bybit:BTCUSDT"
T = 1_767_225_600 * SECOND
"""A whole hour: the first of January 2026."""
N = T // HOUR
DAY_LIMIT = 60_000
"""Bytes a market and day at most."""


def known(seed=1, price=50_000.0, size=40.0, oi=10_000.0):
    """Return a market whose table holds a day of openings."""
    chance = np.random.default_rng(seed)
    estimate = Estimate(price, MARKET)
    for i in range(24):
        at = T - (24 - i) * HOUR
        prices = price * np.exp(0.01 * chance.standard_normal(200))
        estimate.add_trades(prices, size * chance.standard_normal(200))
        estimate.flush(at, oi * (1 + i / 100))
        estimate.move_mark(at + SECOND, price)
    return MarketView(MARKET, "bybit", estimate, {}, 0, "up")


@pytest.fixture(scope="module")
def market():
    return known()


def row(hour, name=MARKET):
    return Row(name, hour, 4, [[float(hour), 2.0]] * 8)


def test_an_entry_comes_back_as_it_was(tmp_path, market):
    reported = [map_of(market, T), row(N), row(N, "okx:X")]
    assert ForecastArchive(tmp_path).append(reported) == 3
    assert list(ForecastArchive(tmp_path).read()) == reported


def test_a_kept_map_is_the_map_within_the_scale(market):
    kept = map_of(market, T)
    estimate = market.estimate
    prices = np.exp((estimate.exposure.base + np.arange(4096) + 0.5) * BIN)
    money = estimate.render(T) * prices
    near = np.abs(prices / kept.mark - 1) < 0.0999
    got = kept.dollars()
    assert got.shape == (2, len(kept.long))
    assert got.sum(axis=1) == pytest.approx(money[:, near].sum(axis=1), rel=0.02)
    ends = np.exp((kept.base + np.arange(len(kept.long) + 1)) * 2 * BIN)
    assert ends[0] <= kept.mark * 0.9 < ends[1]
    assert ends[-2] <= kept.mark * 1.1 < ends[-1]
    middle = ends[1:] < kept.mark
    assert got[0, ~middle][1:].sum() == got[1, middle].sum() == 0


def test_a_small_market_is_not_lost_below_the_floor_of_the_scale():
    small = known(size=0.05, oi=12.0)
    kept = map_of(small, T)
    total = small.estimate.render(T).sum() * kept.mark
    assert total < 1e6
    assert kept.dollars().sum() > 0.2 * total


def test_an_entry_that_is_kept_already_is_not_kept_again(tmp_path):
    archive = ForecastArchive(tmp_path)
    assert archive.append([row(N), row(N)]) == 1
    before = archive.files()[0].read_bytes()
    changed = Row(MARKET, N, 9, [[0.0, 0.0]] * 8)
    assert archive.append([changed]) == 0
    assert ForecastArchive(tmp_path).append([changed]) == 0
    assert archive.files()[0].read_bytes() == before


def test_a_refit_changes_no_earlier_entry(tmp_path):
    market = known()
    archive = ForecastArchive(tmp_path)
    archive.append([map_of(market, T)])
    before = archive.files()[0].read_bytes()
    learn(market.estimate)
    archive.append([map_of(market, T), map_of(market, T + 9 * HOUR)])
    after = archive.files()[0].read_bytes()
    assert after[: len(before)] == before
    first, second = archive.read()
    assert first.fitted == 0
    assert second.fitted > 0
    assert first.weights != second.weights


def learn(estimate):
    """Let liquidations teach a market: eight hours in which longs die."""
    for i in range(9):
        at = T + i * HOUR
        estimate.add_trades(np.array([50_000.0]), np.array([500.0]))
        estimate.flush(at, 10_000.0)
        estimate.move_mark(at + SECOND, 49_000.0 - 100 * i)
        estimate.add_liquidation(
            Liquidation(MARKET, at + 2 * SECOND, at + 2 * SECOND, "long", 49_000.0, 25.0)
        )
        estimate.move_mark(at + MINUTE, 50_000.0)
    estimate.flush(T + 9 * HOUR + 2 * MINUTE, 10_000.0)


def test_a_month_is_a_file(tmp_path):
    archive = ForecastArchive(tmp_path)
    archive.append([row(N - 1), row(N), row(N + 31 * 24)])
    names = ["proofs-2025-12.log", "proofs-2026-01.log", "proofs-2026-02.log"]
    assert [path.name for path in archive.files()] == names
    assert [each.hour for each in archive.read()] == [N - 1, N, N + 31 * 24]


@pytest.mark.parametrize("lost", [1, 5, 11, 40])
def test_a_torn_tail_is_cut_at_the_last_whole_entry_and_reported(tmp_path, lost):
    ForecastArchive(tmp_path).append([row(N), row(N + 1), row(N + 2)])
    (path,) = ForecastArchive(tmp_path).files()
    path.write_bytes(path.read_bytes()[:-lost])
    reader = ForecastArchive(tmp_path)
    assert [each.hour for each in reader.read()] == [N, N + 1]
    assert "not yet whole" in reader.notes[0]
    torn = path.stat().st_size
    writer = ForecastArchive(tmp_path)
    writer.open_tail()
    assert "unfinished" in writer.notes[0]
    assert path.stat().st_size < torn
    assert writer.append([row(N + 1), row(N + 2), row(N + 3)]) == 2
    assert [each.hour for each in writer.read()] == [N, N + 1, N + 2, N + 3]


def test_a_file_cut_anywhere_gives_whole_entries_in_order(tmp_path):
    ForecastArchive(tmp_path).append([row(N + i) for i in range(4)])
    (path,) = ForecastArchive(tmp_path).files()
    raw = path.read_bytes()
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        got = [each.hour for each in ForecastArchive(tmp_path).read()]
        assert got == [N + i for i in range(len(got))]
        assert len(got) == size * 4 // len(raw)


def test_damage_in_the_middle_costs_one_entry_and_is_reported(tmp_path):
    ForecastArchive(tmp_path).append([row(N), row(N + 1), row(N + 2)])
    (path,) = ForecastArchive(tmp_path).files()
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    archive = ForecastArchive(tmp_path)
    assert [each.hour for each in archive.read()] == [N, N + 2]
    assert "damaged and stepped over" in archive.notes[0]
    archive.append([row(N + 3)])
    assert path.read_bytes()[: len(raw)] == raw


def test_reading_changes_nothing(tmp_path):
    ForecastArchive(tmp_path).append([row(N)])
    (path,) = ForecastArchive(tmp_path).files()
    path.write_bytes(path.read_bytes() + b"PKp1 half")
    before = path.read_bytes()
    assert len(list(ForecastArchive(tmp_path).read())) == 1
    assert path.read_bytes() == before


def test_an_entry_of_another_model_of_rows_is_refused(tmp_path):
    for version, wanted in ((1, 7), (4, 8)):
        folder = tmp_path / str(version)
        folder.mkdir()
        ForecastArchive(folder).append([Row(MARKET, N, version, [[1.0, 2.0]] * 3)])
        with pytest.raises(DataError, match=f"expected {wanted} fields, found 3"):
            list(ForecastArchive(folder).read())


def test_rows_kept_before_the_map_of_the_path_alone_was_are_still_read(tmp_path):
    old = Row(MARKET, N, 3, [[1.0, 2.0]] * 7)
    ForecastArchive(tmp_path).append([old])
    assert list(ForecastArchive(tmp_path).read()) == [old]


def test_maps_of_version_3_are_read_without_what_is_kept_no_more(tmp_path, market):
    """They had a background rate, and weights by side and class of which there were 16."""
    kept = map_of(market, T)
    old = {
        **msgspec.to_builtins(kept, builtin_types=(bytes,)),
        "version": 3, "background": 1.5, "multiplier": 2.0, "window": 7.0,
        "weights": [[0.01] * 16] * 2,
    }  # fmt: skip
    raw = msgspec.msgpack.encode(old)
    blob = pa.Codec("zstd").compress(raw, asbytes=True)
    body = msgspec.msgpack.encode(("map", MARKET, N, len(raw), blob))
    head = struct.pack("<4sII", b"PKp1", len(body), zlib.crc32(body))
    archive = ForecastArchive(tmp_path)
    (tmp_path / "proofs-2026-01.log").write_bytes(head + body)
    archive.append([Row(MARKET, N, 3, [[1.0, 2.0]] * 7), map_of(market, T + HOUR)])
    read, _, new = archive.read()
    assert archive.notes == []
    assert (read.version, read.multiplier, read.window, len(read.weights[0])) == (3, 2.0, 7.0, 16)
    assert np.array_equal(read.dollars(), kept.dollars())
    assert new.version == VERSION
    (found,) = from_ledger(tmp_path).markets
    assert (found.versions, found.maps, found.hours) == ([3, VERSION], 2, 1)


def test_a_disk_that_refuses_is_reported_and_the_next_try_begins_at_a_whole_entry(
    tmp_path, monkeypatch
):
    archive = ForecastArchive(tmp_path)
    archive.append([row(N)])
    (path,) = archive.files()

    def full(_):
        with path.open("ab") as file:
            file.write(b"PKp1 a piece")
        raise OSError(28, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", full)
        with pytest.raises(StoreError, match="no space left"):
            archive.append([row(N + 1)])
    assert archive.append([row(N + 2)]) == 1
    assert [each.hour for each in ForecastArchive(tmp_path).read()] == [N, N + 1, N + 2]


def test_a_day_of_a_market_stays_below_the_limit(tmp_path, market):
    chance = np.random.default_rng(5)
    archive = ForecastArchive(tmp_path)
    for hour in range(24):
        values = np.float32(chance.gamma(1, 10, (8, 2))).tolist()
        archive.append([map_of(market, T + hour * HOUR), Row(MARKET, N + hour, 1, values)])
    assert 10_000 < archive.size < DAY_LIMIT


def test_pruning_leaves_proofs_alone(store):
    store.forecasts.append([row(N)])
    store.prune(0)
    assert [each.hour for each in store.forecasts.read()] == [N]


WRITER = """
import sys
from pathlib import Path
from powderkeg.store.forecasts import ForecastArchive, Row
archive = ForecastArchive(Path(sys.argv[1]))
archive.open_tail()
hour = max((each.hour for each in archive.read()), default=int(sys.argv[2]) - 1)
while True:
    hour += 1
    archive.append([Row("a:%d" % i, hour, 4, [[float(hour), 2.0]] * 8) for i in range(5)])
    print(hour, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_before_a_kill_is_there(tmp_path):
    promised = N - 1
    for n in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(N)],
            stdout=subprocess.PIPE, text=True,
        ) as child:  # fmt: skip
            for _ in range(5 + 7 * n):
                line = child.stdout.readline()
                promised = max(promised, int(line))
            child.kill()
    kept = {(each.market, each.hour) for each in ForecastArchive(tmp_path).read()}
    assert {(f"a:{i}", hour) for i in range(5) for hour in range(N, promised + 1)} <= kept
    assert len(list(ForecastArchive(tmp_path).read())) == len(kept)


class Life:
    """A keeper of one market that runs as time is told."""

    def __init__(self, store, market):
        self.store, self.market = store, market
        self.desk = SimpleNamespace(now=T, estimated=lambda: iter([market]))
        self.collector = SimpleNamespace(
            recording=True, ready=False, desks={"BTC": self.desk},
            feed=SimpleNamespace(waiting=[]), status=SimpleNamespace(problems={}),
        )  # fmt: skip
        self.keep = StoreMaintenance(store, self.collector, Settings())

    async def look(self, at):
        self.desk.now = at
        await self.keep.run_once(snapshot=False)
        assert self.collector.status.problems == {}
        return [(type(each), each.hour) for each in self.store.forecasts.read()]


async def test_the_keeper_keeps_a_map_when_an_hour_begins_and_a_row_when_it_is_over(store):
    life = Life(store, known())
    record = life.market.estimate.forecast_log
    assert await life.look(T + MINUTE) == [(Map, N)]
    assert await life.look(T + 30 * MINUTE) == [(Map, N)]
    values = np.arange(16.0).reshape(8, 2)
    record.add(N - 1, values)
    record.add(N, values)
    after = [(Map, N), (Row, N), (Map, N + 1)]  # of the hour before, no map was kept: no row
    assert await life.look(T + HOUR + 2 * MINUTE) == after
    assert await Life(store, life.market).look(T + HOUR + 3 * MINUTE) == after
    kept = next(each for each in store.forecasts.read() if isinstance(each, Row))
    assert np.array_equal(kept.values, values)


async def test_a_restart_goes_on_where_it_ended_and_reports_what_it_cut(again, capsys):
    market = known()
    store = again()
    await Life(store, market).look(T + MINUTE)
    (path,) = store.forecasts.files()
    before = path.read_bytes()
    path.write_bytes(before + b"PKp1 half an entry")
    store.close()
    kept = await Life(again(), market).look(T + HOUR + MINUTE)
    assert kept == [(Map, N), (Map, N + 1)]
    assert path.read_bytes()[: len(before)] == before
    assert "unfinished" in capsys.readouterr().err


async def test_a_market_that_waits_for_its_past_is_not_asked(store, market):
    life = Life(store, market)
    life.collector.feed.waiting = [MARKET]
    assert await life.look(T) == []


async def test_a_store_that_has_stopped_recording_keeps_no_maps(store, market):
    life = Life(store, market)
    life.collector.recording = False
    assert await life.look(T) == []


async def test_proofs_and_the_rest_of_the_housekeeping_do_not_hinder_each_other(
    store, market, monkeypatch
):
    def broken(*_):
        raise StoreError("refused")

    life = Life(store, market)
    with monkeypatch.context() as patch:
        patch.setattr(store, "prune", broken)
        await life.keep.run_once(snapshot=False)
    assert life.collector.status.problems["store"] == "refused"
    assert [each.hour for each in store.forecasts.read()] == [N]
    pruned = []
    monkeypatch.setattr(store, "prune", lambda budget: pruned.append(budget) or 0)
    monkeypatch.setattr(store.forecasts, "append", broken)
    await life.keep.run_once(snapshot=False)
    assert len(pruned) == 1


def test_a_store_reads_its_proofs_from_another_process(store):
    reader = Store(store.folder, write=False)
    store.forecasts.append([row(N)])
    assert [each.hour for each in reader.forecasts.read()] == [N]
    reader.close()
