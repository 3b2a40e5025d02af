"""A store whose database is damaged or gone begins anew with what is whole, and says so."""

from __future__ import annotations

import random
import shutil
import sqlite3

import pytest

from powderkeg.errors import StoreError
from powderkeg.store import recovery
from powderkeg.store.folder import Store

from .conftest import T0, frame, hours
from .test_folder import LATE, fill, trades


@pytest.fixture
def folder(tmp_path):
    """Return a folder of four hours, two of them sealed, with snapshots, as a kill leaves it."""
    live, folder = tmp_path / "live", tmp_path / "store"
    store = Store(live)
    fill(store, hours(4))
    for hour in store.ready(LATE)[:2]:
        store.seal(hour, trades)
    store.states.save("desks", 20, b"twenty")
    store.states.save("desks", 24, b"twenty-four")
    shutil.copytree(live, folder)
    store.close()
    return folder


def numbers(store, lost=None):
    return [each.seq for batch in store.read(0, lost) for each in batch]


def close(folder):
    """Let SQLite write its log into the file, as a clean end does."""
    with sqlite3.connect(folder / "meta.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    (folder / "meta.db-wal").unlink(missing_ok=True)
    (folder / "meta.db-shm").unlink(missing_ok=True)


def garbage(path):
    path.write_bytes(b"no database at all. " * 2000)


def emptied(path):
    path.write_bytes(b"")


def gone(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def header(path):
    path.write_bytes(b"\0" * 60 + path.read_bytes()[60:])


@pytest.mark.parametrize("hurt", [garbage, emptied, gone, cut, header])
def test_a_store_without_a_whole_database_begins_after_the_highest_number_known(folder, hurt):
    close(folder)
    hurt(folder / "meta.db")
    store = Store(folder)
    kept = numbers(store)
    assert kept[:12] == list(range(1, 13))
    assert store.last == 24
    assert store.append([frame(25)]) == 25
    assert len(store.events.scan("trades", "binance", "binance:BTCUSDT", T0, LATE)["at"]) == 12
    said = " ".join(store.notes)
    assert "meta.db" in said or "registered again" in said
    assert len(kept) == 24 or "are gone" in said
    store.close()
    aside = list(folder.glob("meta.db.damaged-*"))
    assert bool(aside) == (hurt not in (emptied, gone))
    again = Store(folder)
    assert again.notes == []
    assert numbers(again) == [*kept, 25]
    again.close()


def test_batches_and_snapshots_that_can_be_read_are_taken_over(tmp_path):
    chance = random.Random(1)
    store = Store(tmp_path)
    for n in range(1, 61):
        store.append([frame(n, raw=chance.randbytes(3000))])
    store.states.save("desks", 20, b"twenty")
    store.close()
    path = tmp_path / "meta.db"
    raw = path.read_bytes()
    at = raw.index(store_blob(path, 30)[:64]) // PAGE * PAGE
    path.write_bytes(raw[:at] + b"\xff" * PAGE + raw[at + PAGE :])
    again = Store(tmp_path)
    lost = sorted(set(range(1, 61)) - set(numbers(again)))
    assert 30 in lost
    assert len(lost) < 10
    assert [n for h in again.log.holes() for n in range(h.first, h.last + 1)] == lost
    assert again.states.load("desks") == (20, b"twenty")
    assert "are not in the record" in again.notes[-1]
    again.close()


PAGE = 4096


def store_blob(path, last):
    with sqlite3.connect(path) as db:
        (blob,) = db.execute("SELECT blob FROM journal WHERE last=?", (last,)).fetchone()
    db.close()
    return blob


def test_no_number_that_a_snapshot_knows_is_given_again(folder):
    close(folder)
    with sqlite3.connect(folder / "meta.db") as db:
        db.execute("DELETE FROM journal")
        db.execute("UPDATE snapshots SET seq=70 WHERE part='desks'")
        db.execute("UPDATE facts SET name='no version'")
    db.close()
    (folder / "lock").unlink()
    store = Store(folder)
    assert store.append([frame(71)]) == 71
    assert [(hole.first, hole.last) for hole in store.log.holes()] == [(13, 70)]
    store.close()


def test_a_mending_that_was_killed_between_the_two_names_is_finished(folder):
    close(folder)
    (folder / "meta.db").replace(folder / "meta.db.new")
    store = Store(folder)
    assert store.notes == []
    assert numbers(store) == list(range(1, 25))
    store.close()


def test_a_mending_that_was_killed_before_begins_again(folder, monkeypatch):
    close(folder)
    header(folder / "meta.db")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "_register_files", killed)
        with pytest.raises(KeyboardInterrupt):
            recovery.opened(folder)
    store = Store(folder)
    assert numbers(store)[:12] == list(range(1, 13))
    store.close()


def test_a_sealed_file_that_is_damaged_is_not_named_again_and_reported(folder):
    gone(folder / "meta.db")
    (folder / "meta.db-wal").unlink()
    first, second = sorted(folder.rglob("*.frames"))
    cut(first)
    store = Store(folder)
    assert numbers(store) == list(range(7, 13))
    assert any(words.startswith(f"not used: {first}") for words in store.notes)
    assert any(words == f"{second}: registered again" for words in store.notes)
    store.close()


def test_what_the_log_of_the_database_has_lost_is_reported(folder):
    wal = folder / "meta.db-wal"
    wal.write_bytes(wal.read_bytes()[: wal.stat().st_size // 2])
    store = Store(folder)
    assert "were acknowledged and are gone" in store.notes[-1]
    assert store.last == 24
    store.append([frame(25)])
    reported = []
    assert numbers(store, reported.append)[-1] == 25
    assert "are not in the record" in reported[-1]
    store.close()


def test_a_store_of_a_newer_version_is_left_alone(folder):
    close(folder)
    with sqlite3.connect(folder / "meta.db") as db:
        db.execute("UPDATE facts SET value=2 WHERE name='version'")
    db.close()
    before = (folder / "meta.db").read_bytes()
    with pytest.raises(StoreError, match="expected a store of version 1, found 2"):
        Store(folder)
    assert (folder / "meta.db").read_bytes() == before
    assert list(folder.glob("*damaged*")) == []


def test_a_disk_that_refuses_to_move_the_damaged_database_is_reported(folder, monkeypatch):
    close(folder)
    header(folder / "meta.db")

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(recovery, "_aside", refuse)
    with pytest.raises(StoreError, match="Read-only file system"):
        Store(folder)
