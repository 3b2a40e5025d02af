"""``store``: exit codes, JSON, and amounts of bytes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from powderkeg.cli.commands.store import parse_size
from powderkeg.cli.main import app
from powderkeg.errors import ConfigError
from powderkeg.frames import Frame
from powderkeg.store.folder import Store

T = 1_767_225_600_000_000


@pytest.fixture
def folder(tmp_path):
    store = Store(tmp_path)
    for n in range(1, 5):
        store.append([Frame(n, T + n, "okx", "", b"{}")])
    store.close()
    return tmp_path


def hurt(folder):
    store = Store(folder)
    store._db.all("UPDATE journal SET blob=x'00' WHERE last=2")
    store.close()


def test_a_whole_store_is_said_to_be_whole(folder, run):
    assert run("store", "check", folder) == f"{folder}: everything is whole\n"
    assert run("store", "repair", folder) == f"{folder}: nothing was to be mended\n"


def test_damage_ends_with_1_and_a_line_that_names_what_mends_it(folder, run):
    hurt(folder)
    done = CliRunner().invoke(app, ["store", "check", str(folder)])
    assert done.exit_code == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{folder}/meta.db, batch 2: ")
    assert line.endswith(f"mended by `powderkeg store repair {folder}`")
    assert run("store", "repair", folder).startswith("frames 2 to 2 were set aside: ")
    assert "frames 2 to 2 are not in the record" in run("store", "check", folder)


def test_programs_are_reported_the_same_as_json(folder, run):
    hurt(folder)
    done = CliRunner().invoke(app, ["store", "check", str(folder), "--json"])
    reported = json.loads(done.stdout)
    assert (reported["ok"], len(reported["findings"]), reported["holes"]) == (False, 1, [])
    assert set(reported["findings"][0]) == {"where", "what", "mend"}
    assert len(json.loads(run("store", "repair", folder, "--json"))["done"]) == 1
    reported = json.loads(run("store", "check", folder, "--json"))
    assert reported["ok"]
    assert reported["holes"] == [{"first": 2, "last": 2, "why": "the batch was damaged"}]


def test_a_folder_without_a_recording_is_refused(tmp_path, refused):
    assert "expected a folder that powderkeg has recorded in" in refused(
        "store", "check", tmp_path / "none"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("20GB", 20e9), ("500mb", 5e8), (" 1.5 TB ", 1.5e12), ("1000", 1000), ("2k", 2000)],
)
def test_amounts_are_bytes_by_powers_of_ten(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0", "0MB", "1e9", "20 gib", "²GB", "nan"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ConfigError, match="expected an amount such as 500MB or 20GB"):
        parse_size(text)
