"""What is damaged is found with what mends it; what was mended is whole again."""

from __future__ import annotations

import pytest

from powderkeg.errors import StoreError
from powderkeg.store import segments
from powderkeg.store.check import check
from powderkeg.store.folder import Store
from powderkeg.store.forecasts import ForecastArchive, Row
from powderkeg.store.repair import repair

from .conftest import T0, hours
from .test_folder import LATE, fill, spoil, trades

HOUR_NUMBER = T0 // 3_600_000_000


@pytest.fixture
def folder(store, monkeypatch):
    """Return a store of two sealed hours, each batch a block of its own, and one not sealed."""
    monkeypatch.setattr(segments, "BLOCK", 1)
    fill(store, hours(3))
    for hour in store.ready(LATE)[:2]:
        store.seal(hour, trades)
    store.states.save("desks", 18, b"state" * 100)
    store.forecasts.append([Row("a:b", HOUR_NUMBER + n, 4, [[1.0, 2.0]] * 8) for n in range(3)])
    store.close()
    return store.folder


def flip(path, at=0.5):
    raw = bytearray(path.read_bytes())
    raw[int(len(raw) * at)] ^= 1
    path.write_bytes(raw)


def opened(folder):
    store = Store(folder)
    numbers = [f.seq for batch in store.read() for f in batch]
    store.close()
    return numbers


def test_a_whole_store_has_nothing_to_be_found_or_mended(folder):
    assert check(folder) == ([], [])
    assert repair(folder) == []
    assert opened(folder) == list(range(1, 19))


def test_a_store_is_checked_while_a_process_records(folder):
    store = Store(folder)
    assert check(folder) == ([], [])
    with pytest.raises(StoreError, match="the only one"):
        repair(folder)
    store.close()


@pytest.mark.parametrize("at", [0.1, 0.35, 0.5, 0.75, 0.99])
def test_of_a_damaged_file_of_frames_every_whole_batch_is_kept(folder, at):
    path = min(folder.rglob("*.frames"))
    flip(path, at)
    (finding,), _ = check(folder)
    assert finding.where == str(path)
    assert finding.mend == f"powderkeg store repair {folder}"
    assert any("moved to" in words for words in repair(folder))
    kept = opened(folder)
    assert len(kept) >= 16
    assert check(folder)[0] == []
    lost = [n for hole in check(folder)[1] for n in range(hole.first, hole.last + 1)]
    assert sorted([*kept, *lost]) == list(range(1, 19))


def test_a_file_of_frames_that_is_gone_is_a_hole(folder):
    _, second = sorted(folder.rglob("*.frames"))
    second.unlink()
    (finding,), _ = check(folder)
    assert "expected a file of sealed frames" in finding.what
    assert "frames 7 to 12 are not in the record: they were damaged or are gone" in repair(folder)
    assert opened(folder) == [*range(1, 7), *range(13, 19)]


def test_a_damaged_file_of_events_is_set_aside(folder):
    path = min(folder.rglob("*.parquet"))
    flip(path)
    (finding,), _ = check(folder)
    assert "SHA-256" in finding.what
    repair(folder)
    assert check(folder)[0] == []
    assert len(list(folder.rglob("*.parquet.damaged-*"))) == 1


def test_damaged_batches_and_snapshots_are_found_and_taken_out(folder):
    store = Store(folder)
    spoil(store, 14)
    store._db.all("UPDATE snapshots SET size=1")
    store._db.all("DELETE FROM journal WHERE last=16")
    store.close()
    found, _ = check(folder)
    assert len(found) == 3
    done = repair(folder)
    assert len(done) == 3
    assert check(folder)[0] == []
    assert opened(folder) == [*range(1, 13), 17, 18]


def test_damaged_proofs_are_set_aside_and_the_whole_entries_written_anew(folder):
    (path,) = folder.glob("proofs-*.log")
    flip(path)
    assert len(check(folder)[0]) == 1
    repair(folder)
    assert check(folder)[0] == []
    assert len(list(ForecastArchive(folder).read())) == 2
    assert len(list(folder.glob("proofs-*.damaged-*"))) == 1


def test_what_a_killed_sealing_left_is_set_aside(folder):
    path = min(folder.rglob("*.frames"))
    path.with_name("23.frames").write_bytes(path.read_bytes())
    (finding,), _ = check(folder)
    assert "not in the list" in finding.what
    repair(folder)
    assert check(folder) == ([], [])
    assert opened(folder) == list(range(1, 19))


@pytest.mark.parametrize("raw", [None, b"", b"garbage" * 1000])
def test_a_database_that_is_gone_or_no_more_is_found_and_mended(folder, raw):
    path = folder / "meta.db"
    path.unlink() if raw is None else path.write_bytes(raw)
    found, _ = check(folder)
    assert found[0].where == str(path)
    assert repair(folder)
    assert check(folder)[0] == []
    assert opened(folder) == list(range(1, 13))


def test_a_folder_without_a_recording_is_refused(tmp_path):
    for work in (check, repair):
        with pytest.raises(StoreError, match="expected a folder that powderkeg has recorded in"):
            work(tmp_path / "none")
