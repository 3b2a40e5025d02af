"""A whole store: the same frames before and after sealing, room on the disk, damage, full disks."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import pytest

from powderkeg.errors import DataError, GapError, StoreError
from powderkeg.events import HOUR, Gap, Liquidation, Mark, Trade, Trades
from powderkeg.frames import Frame
from powderkeg.store import segments
from powderkeg.store.database import VERSION
from powderkeg.store.folder import Store

from .conftest import T0, frame, hours

LATE = T0 + 1000 * HOUR


def fill(store, parts):
    for part in parts:
        store.append(part)


def seal_all(store, decode=None):
    for hour in store.ready(LATE):
        store.seal(hour, decode)


def reported(kind, **values):
    """Return a gatherer that reads one event for each frame of a batch."""

    def gather(frames, columns):
        for batch in frames():
            for each in batch:
                columns.add(
                    kind("binance:BTCUSDT", each.received_time, each.received_time, **values)
                )

    return gather


trades = reported(Trade, price=0.1 + 0.2, size=1.5, taker="sell")


# -- sealing


def test_batches_are_the_same_before_and_after_each_sealing(store):
    parts = hours(3)
    fill(store, parts)
    assert list(store.read()) == parts
    for hour in store.ready(LATE):
        store.seal(hour)
        assert list(store.read()) == parts
        for after in (0, 2, 5, 6, 7, 12, 18):
            assert list(store.read(after)) == [b for b in parts if b[-1].seq > after]
    assert store.log.first == 0


def test_a_sealed_hour_is_the_same_after_a_restart(store, again):
    parts = hours(3)
    fill(store, parts)
    store.seal(store.ready(LATE)[0])
    store.close()
    other = again()
    assert list(other.read()) == parts
    assert other.last == 18


def test_an_hour_is_ready_once_it_is_over(store):
    fill(store, hours(2))
    assert store.ready(T0 + HOUR - 1) == []
    assert store.ready(T0 + HOUR) == [T0]
    assert store.ready(T0 + 2 * HOUR) == [T0, T0 + HOUR]


def test_sealing_an_hour_again_changes_nothing(store):
    parts = hours(2)
    fill(store, parts)
    for _ in range(2):
        store.seal(T0, trades)
    assert list(store.read()) == parts
    assert len(store.events.scan("trades", "binance", "binance:BTCUSDT", T0, LATE)["at"]) == 6


def test_events_of_an_hour_are_sealed_with_it(store):
    fill(store, hours(2))
    seal_all(store, trades)
    found = store.events.scan("trades", "binance", "binance:BTCUSDT", T0, T0 + HOUR)
    assert list(found["price"]) == [0.1 + 0.2] * 6
    assert list(found["size"]) == [-1.5] * 6


def test_each_kind_of_event_has_columns_of_its_own(store):
    market = "binance:BTCUSDT"
    run = Trades(market, T0, T0, np.array([T0]), np.array([5.0]), np.array([-2.0]))
    events = [
        run,
        Liquidation(market, T0, T0, 90.0, 2.0, "short", bankruptcy=True),
        Mark(market, T0, T0, 91.0),
        Gap(market, T0, T0, T0 - 7, "chain"),
    ]
    fill(store, hours(2))
    store.seal(T0, lambda _, columns: [columns.add(event) for event in events])

    def column(kind, name):
        return store.events.scan(kind, "binance", market, T0, T0 + 1)[name].tolist()

    assert column("trades", "size") == [-2.0]
    assert column("liquidations", "size") == [-2.0]
    assert column("liquidations", "bankruptcy") == [1]
    assert np.isnan(column("mark", "index")).all()
    assert column("gaps", "since") == [T0 - 7]


def test_a_seal_that_fails_leaves_the_hour_in_the_journal(store, monkeypatch):
    parts = hours(2)
    fill(store, parts)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.events, "write", full)
    with pytest.raises(StoreError, match="No space left"):
        store.seal(T0, trades)
    assert store.log.first == 1
    monkeypatch.undo()
    store.seal(T0, trades)
    assert list(store.read()) == parts


def test_a_clock_that_was_set_back_costs_neither_frames_nor_events(store):
    early, late = hours(1), [frame(7, T0 + 5), frame(8, T0 + 6)]
    fill(store, early)
    store.seal(T0, trades)
    store.append(late)
    store.seal(T0, trades)
    assert list(store.read()) == [*early, late]
    found = store.events.scan("trades", "binance", "binance:BTCUSDT", T0, T0 + HOUR)
    assert len(found["at"]) == 8


def test_a_clock_that_jumps_within_the_journal_costs_nothing(store):
    parts = [[frame(1, T0 + HOUR + 1)], [frame(2, T0 + 9)], [frame(3, T0 + 2 * HOUR)]]
    fill(store, parts)
    for hour in store.ready(T0 + 2 * HOUR):
        store.seal(hour)
        assert list(store.read(1)) == parts[1:]
    assert list(store.read()) == parts


# -- the disk budget


def big(store, n=4):
    rng = np.random.default_rng(1)
    for part in hours(n, each=1):
        noise = rng.bytes(60_000)
        store.append([Frame(f.seq, f.received_time, f.venue, "", noise) for f in part])
    seal_all(store, trades)


def size(store):
    counted = (".db", ".db-wal", ".frames", ".parquet")
    files = (p for p in store.folder.rglob("*") if p.suffix in counted)
    return sum(p.stat().st_size for p in files)


def test_the_budget_is_kept_and_frames_go_before_events(store):
    big(store)
    before = size(store)
    budget = before - 100_000
    freed = store.prune(budget)
    assert freed >= 100_000
    assert size(store) <= budget + 40_000  # the note of what was deleted is in the database's log
    assert len(list(store.events.folder.rglob("*.parquet"))) == 4
    assert store.events.coverage("trades", "binance")[0].since == T0


def test_what_fits_is_left_alone(store):
    big(store)
    assert store.prune(10**9) == 0
    assert [f.seq for batch in store.read() for f in batch] == list(range(1, 9))


def test_after_pruning_the_oldest_frames_are_a_gap_and_the_rest_is_whole(store):
    big(store)
    store.prune(size(store) - 1)
    with pytest.raises(GapError, match="frames 2 to 2 were deleted or are gone"):
        list(store.read(1))
    assert [f.seq for batch in store.read() for f in batch] == [3, 4, 5, 6, 7, 8]


def test_the_time_of_the_oldest_frame_moves_on_as_frames_are_deleted(store):
    assert store.since == 0, "nothing is stored"
    store.append([frame(1, T0 + 5)])
    assert store.since == T0 + 5, "in the journal"
    store.seal(T0)
    assert store.since == T0 + 5, "in a sealed hour"
    store.append([frame(2, T0 + HOUR + 7)])
    store.prune(0)
    assert store.since == T0 + HOUR + 7


def test_numbers_are_not_given_again_where_all_was_deleted(store, again):
    big(store)
    store.prune(0)
    assert list(store.read()) == []
    assert list(store.events.folder.rglob("*.*")) == []
    store.close()
    other = again()
    assert other.last == 8
    assert other.append([frame(9)]) == 9


# -- damage


def test_a_damaged_batch_of_the_journal_is_refused_with_the_file_named(store):
    fill(store, hours(1))
    for at in (0, 4, 20, -1):
        raw = bytearray(store._db.one("SELECT blob FROM journal WHERE last=4")[0])
        raw[at] ^= 1
        store._db.all("UPDATE journal SET blob=? WHERE last=4", (bytes(raw),))
        with pytest.raises(DataError, match=r"meta\.db, batch 4"):
            list(store.read())
        raw[at] ^= 1
        store._db.all("UPDATE journal SET blob=? WHERE last=4", (bytes(raw),))
    assert len(list(store.read())) == 3


def test_a_flipped_bit_anywhere_in_a_sealed_hour_is_noticed(store):
    parts = hours(1)
    fill(store, parts)
    seal_all(store)
    (path,) = store.events.folder.rglob("*.frames")
    raw = path.read_bytes()
    for at in range(0, len(raw), 3):
        hurt = bytearray(raw)
        hurt[at] ^= 1
        path.write_bytes(hurt)
        with pytest.raises(DataError, match=f"{path.name}.*powderkeg store repair"):
            list(store.read())


def test_a_sealed_hour_that_was_cut_off_is_refused(store):
    fill(store, hours(1))
    seal_all(store)
    (path,) = store.events.folder.rglob("*.frames")
    raw = path.read_bytes()
    for keep in (0, 5, 25, len(raw) - 1):
        path.write_bytes(raw[:keep])
        with pytest.raises(DataError, match=path.name):
            list(store.read())


def test_a_sealed_hour_that_is_gone_is_refused_with_its_name(store):
    fill(store, hours(1))
    seal_all(store)
    (path,) = store.events.folder.rglob("*.frames")
    path.unlink()
    with pytest.raises(DataError, match=path.name):
        list(store.read())


def test_a_store_of_another_version_is_refused(store, again):
    store._db.all("UPDATE facts SET value=99 WHERE name='version'")
    store.close()
    with pytest.raises(StoreError, match=f"expected a store of version {VERSION}, found 99"):
        again()


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="expected a folder"):
        Store(tmp_path / "file" / "below")


def spoil(store, last):
    """Flip a bit of a batch of the journal."""
    (blob,) = store._db.one("SELECT blob FROM journal WHERE last=?", (last,))
    hurt = bytes([*blob[:-1], blob[-1] ^ 1])
    store._db.all("UPDATE journal SET blob=? WHERE last=?", (hurt, last))


def test_of_an_hour_with_a_damaged_batch_the_rest_is_sealed_and_the_next_hours_go_on(store):
    parts = hours(3)
    fill(store, parts)
    spoil(store, 4)
    seal_all(store, trades)
    assert store.log.first == 0
    assert list(store.read()) == [parts[0], *parts[2:]]
    assert [(hole.first, hole.last) for hole in store.log.holes()] == [(3, 4)]
    (reported,) = store.notes
    assert reported.startswith("frames 3 to 4 were set aside")
    assert store._db.one("SELECT last, first FROM damaged") == (4, 3)
    found = store.events.scan("trades", "binance", "binance:BTCUSDT", T0, LATE)
    assert len(found["at"]) == 16


def test_an_hour_of_which_nothing_is_whole_holds_up_nothing(store):
    parts = hours(2)
    fill(store, parts)
    for last in (2, 4, 6):
        spoil(store, last)
    seal_all(store, trades)
    assert list(store.read()) == parts[3:]
    reported = []
    assert list(store.read(1, reported.append)) == parts[3:]
    assert "frames 2 to 6 are not in the record" in reported[0]


def test_numbers_go_on_after_damaged_batches_at_the_end(store, again):
    fill(store, hours(1))
    spoil(store, 6)
    store.log.set_aside(6)
    store.close()
    assert again().last == 6


def test_frames_that_were_never_stored_are_a_hole_that_is_reported(store, again):
    parts = hours(1)
    fill(store, parts)
    late = [frame(10), frame(11)]
    store.append(late, "the disk refused")
    assert list(store.read()) == [*parts, late]
    store.close()
    other, reported = again(), []
    assert other.last == 11
    assert list(other.read(2, reported.append)) == [*parts[1:], late]
    assert [hole.why for hole in other.log.holes()] == ["the disk refused"]
    assert "frames 7 to 9" in reported[0]


def test_a_hole_and_the_batch_after_it_are_kept_at_once_or_not_at_all(store, monkeypatch):
    fill(store, hours(1))
    run = store._db.all

    def full(sql, values=()):
        if "INTO journal" in sql:
            raise StoreError("the disk refuses")
        return run(sql, values)

    monkeypatch.setattr(store._db, "all", full)
    with pytest.raises(StoreError, match="refuses"):
        store.append([frame(10)], "the disk refused")
    assert (store.last, store.log.holes()) == (6, [])
    monkeypatch.undo()
    store.append([frame(12)], "the disk refused")
    assert [(hole.first, hole.last) for hole in store.log.holes()] == [(7, 11)]


def test_frames_before_which_others_are_missing_without_a_reason_are_refused(store):
    fill(store, hours(1))
    with pytest.raises(StoreError, match="expected frames numbered from 7, found 10 to 10"):
        store.append([frame(10)])


def test_a_batch_that_is_gone_is_refused_and_stepped_over_where_it_is_reported(store):
    parts = hours(1)
    fill(store, parts)
    store._db.all("DELETE FROM journal WHERE last=4")
    with pytest.raises(GapError, match="frames 3 to 4 were deleted or are gone"):
        list(store.read())
    reported = []
    assert list(store.read(0, reported.append)) == [parts[0], parts[2]]
    assert len(reported) == 1


def test_damage_is_stepped_over_where_it_is_reported(store, monkeypatch):
    monkeypatch.setattr(segments, "BLOCK", 1)  # each batch by itself
    parts = hours(2)
    fill(store, parts)
    store.seal(T0)
    (path,) = store.events.folder.rglob("*.frames")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    spoil(store, 10)
    reported = []
    assert list(store.read(0, reported.append)) == [parts[0], parts[2], parts[3], parts[5]]
    assert any("batch 10" in words for words in reported)
    assert any(path.name in words for words in reported)


# -- snapshots


def test_the_two_newest_states_of_each_part_are_kept(store, again):
    assert store.states.load("desks") is None
    store.states.save("desks", 5, b"five")
    store.states.save("other", 6, b"")
    store.states.save("desks", 7, b"seven")
    store.states.save("desks", 9, b"nine" * 1000)
    store.close()
    other = again()
    assert other.states.load("desks") == (9, b"nine" * 1000)
    assert other.states.load("desks before") == (7, b"seven")
    assert other.states.load("other") == (6, b"")


def test_a_damaged_state_is_refused(store):
    store.states.save("desks", 5, b"five" * 100)
    store._db.all("UPDATE snapshots SET blob = substr(blob, 1, 9)")
    with pytest.raises(DataError, match="damaged snapshot of desks"):
        store.states.load("desks")


# -- a disk that refuses


class Refusing:
    """A connection whose disk is full for some statements."""

    def __init__(self, inner, words):
        self.inner, self.words = inner, words

    def execute(self, sql, values=()):
        if any(word in sql for word in self.words):
            raise sqlite3.OperationalError("database or disk is full")
        return self.inner.execute(sql, values)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize("words", [("INSERT INTO journal",), ("BEGIN",), ("COMMIT",), ("DELETE",)])
def test_a_full_disk_is_reported_and_what_was_acknowledged_stays(store, words):
    parts = hours(2)
    fill(store, parts[:4])
    whole = store._db._db
    store._db._db = Refusing(whole, words)
    with pytest.raises(StoreError, match="disk is full"):  # noqa: PT012  one of the two
        store.append(parts[4])
        store.seal(T0, trades)
    store._db._db = whole
    store.append(parts[4])
    store.append(parts[5])
    assert list(store.read()) == parts
    store.seal(T0, trades)
    assert list(store.read()) == parts


# -- several threads


def test_appending_sealing_and_reading_at_once_lose_nothing(store):  # noqa: C901  three threads
    parts = hours(40, each=10)
    failed = []
    done = threading.Event()

    def guard(work):
        def run():
            try:
                work()
            except Exception as why:  # noqa: BLE001  told below
                failed.append(why)

        return threading.Thread(target=run)

    def append():
        for part in parts:
            store.append(part)
        done.set()

    def seal():
        while not done.is_set() or len(store.ready(LATE)) > 1:
            for hour in store.ready(LATE)[:-1]:
                store.seal(hour, trades)

    def read():
        while not done.is_set():
            numbers = [f.seq for batch in store.read() for f in batch]
            assert numbers == list(range(1, len(numbers) + 1))

    threads = [guard(append), guard(seal), guard(read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert list(store.read()) == parts
    found = store.events.scan("trades", "binance", "binance:BTCUSDT", T0, LATE)
    assert len(found["at"]) == 39 * 20
