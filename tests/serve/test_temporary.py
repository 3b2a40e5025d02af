"""What a killed simulated market left is removed at the next start; nothing else is."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from powderkeg.serve.startup.temporary import leftovers, temporary
from powderkeg.store.folder import Store

KILLED = """
import time
from powderkeg.serve.startup.temporary import temporary
from powderkeg.store.folder import Store
with temporary() as folder:
    Store(folder)
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_the_folder_is_gone_afterwards(root):
    with temporary() as folder:
        Store(folder).close()
        assert folder.parent == root
    assert list(root.iterdir()) == []


def test_what_a_killed_process_left_goes_at_the_next_start_and_not_before_it_was_killed(root):
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert len(list(root.iterdir())) == 1
        assert leftovers(root) == []
        child.kill()
        child.wait()
    assert len(leftovers(root)) == 1
    with temporary() as folder:
        assert list(root.iterdir()) == [folder]


def test_a_folder_whose_store_is_locked_stays_whatever_its_name_says(root):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = root / f"powderkeg-{ended.pid}-abc"
    store = Store(folder)
    assert leftovers(root) == []
    store.close()
    assert leftovers(root) == [folder]


@pytest.mark.parametrize("name", ["powderkeg", "powderkeg-abc", "powderkeg-1x-a", "other-99999-a"])
def test_folders_of_other_names_stay(root, name):
    (root / name).mkdir()
    assert leftovers(root) == []


def test_a_link_and_a_file_stay(root, tmp_path_factory):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (root / f"powderkeg-{ended.pid}-link").symlink_to(tmp_path_factory.mktemp("other"))
    (root / f"powderkeg-{ended.pid}-file").write_text("")
    assert leftovers(root) == []
