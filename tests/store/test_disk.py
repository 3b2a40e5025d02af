"""One process writes to a store at a time; its files are private; readers are never refused."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from powderkeg.errors import StoreError
from powderkeg.store.disk import LOCK, acknowledged, locked
from powderkeg.store.folder import Store

from .conftest import T0, batches, hours
from .test_folder import fill, seal_all, trades

WRITER = """
import sys, time
from pathlib import Path
from powderkeg.store.folder import Store
Store(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Run another process that writes to a store."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "open\n"
        yield child
        child.kill()


def test_a_second_writing_process_is_refused_and_reported_who_the_first_is(other, tmp_path):
    with pytest.raises(StoreError, match=f"found process {other.pid}"):
        Store(tmp_path / "store")
    assert locked(tmp_path / "store")


@pytest.mark.usefixtures("other")
def test_a_reader_is_not_refused_while_another_process_writes(tmp_path):
    reader = Store(tmp_path / "store", write=False)
    assert list(reader.read()) == []
    reader.close()


def test_a_killed_process_leaves_no_lock(other, tmp_path):
    other.kill()
    other.wait()
    assert not locked(tmp_path / "store")
    Store(tmp_path / "store").close()


def test_a_store_that_was_closed_can_be_opened_again(store, again):
    store.close()
    assert again().last == 0


def test_a_store_that_cannot_be_opened_keeps_no_lock(tmp_path):
    (tmp_path / "meta.db").mkdir()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"meta\.db"):
            Store(tmp_path)


def test_a_reader_sees_what_is_appended_meanwhile_and_changes_nothing(store):
    first, second = batches(3, 2)
    store.append(first)
    reader = Store(store.folder, write=False)
    store.append(second)
    assert list(reader.read()) == [first, second]
    with pytest.raises(StoreError, match="readonly"):
        reader.log.append(batches(1, first=4)[0])
    reader.close()


def test_a_folder_without_a_store_is_not_made_by_reading(tmp_path):
    with pytest.raises(StoreError, match="there is no file"):
        Store(tmp_path / "none", write=False)
    assert not (tmp_path / "none").exists()


def test_the_number_acknowledged_outlives_the_process_and_not_its_damage(store):
    fill(store, batches(3, 2))
    assert acknowledged(store.folder) == 5
    path = store.folder / LOCK
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"5 ", b"6 "))
    assert acknowledged(store.folder) == 0
    path.write_bytes(b"")
    assert acknowledged(store.folder) == 0


def test_nobody_else_may_read_what_is_stored(store):
    fill(store, hours(2))
    seal_all(store, trades)
    modes = {p: stat.S_IMODE(p.stat().st_mode) for p in (store.folder, *store.folder.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


@pytest.fixture
def unprivileged(monkeypatch):
    """Return a folder of somebody whom the modes of files bind, and be that one for the test."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:
        root = os.geteuid() == 0
        if root:
            os.chown(folder, nobody, nobody)
            os.seteuid(nobody)
        monkeypatch.chdir(folder)
        yield Path(folder)
        for path in Path(folder).rglob("*"):
            path.chmod(0o700)
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("killed", [False, True])
def test_a_folder_that_may_only_be_read_is_read(unprivileged, killed):
    parts, folder = hours(2), unprivileged / "store"
    store = Store(folder)
    fill(store, parts)
    store.seal(T0)
    if killed:  # what it leaves lies in the log of the database
        shutil.copytree(folder, unprivileged / "copy")
        folder = unprivileged / "copy"
    store.close()
    folder.chmod(0o500)
    reader = Store(folder, write=False)
    assert list(reader.read()) == parts
    reader.close()
    (folder / LOCK).chmod(0o400)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(folder)
