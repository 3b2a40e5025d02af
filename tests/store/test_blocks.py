"""Blocks of sealed hours: the batches that were stored, in fewer bytes, readable as before."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from powderkeg.errors import DataError
from powderkeg.frames import Frame
from powderkeg.store import segments
from powderkeg.store.check import check
from powderkeg.store.folder import Store
from powderkeg.store.journal import pack
from powderkeg.store.repair import repair
from powderkeg.store.segments import HEAD, blocks_of, read_frames, unpack_block, write_frames

from .conftest import T0, batches, frame, hours
from .test_folder import LATE, fill, trades


def packed(parts):
    return [(part[-1].seq, *pack(part)) for part in parts]


def book(seq):
    """Return a frame like those of a book, which share most of their bytes."""
    row = {"e": "depthUpdate", "s": "BTCUSDT", "U": seq, "u": seq + 1, "b": [[100 + seq % 9, "1"]]}
    return frame(seq, T0 + seq * 10_000, raw=msgspec.json.encode(row))


@pytest.mark.parametrize("block", [1, 200, 1 << 20])
def test_batches_come_out_of_blocks_as_they_were_stored(tmp_path, monkeypatch, block):
    monkeypatch.setattr(segments, "BLOCK", block)
    parts, path = batches(3, 1, 2, 5, 1), tmp_path / "13.frames"
    digest = write_frames(path, blocks_of(packed(parts), "journal"))
    assert list(read_frames(path, sha256=digest)) == parts
    assert list(read_frames(path, after=4)) == parts[2:], "whole batches, from the first wanted"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_books_in_blocks_take_under_half_of_the_journal(tmp_path):
    journal = packed([book(seq)] for seq in range(1, 2_001))
    write_frames(tmp_path / "13.frames", blocks_of(journal, "journal"))
    assert 2 * (tmp_path / "13.frames").stat().st_size < sum(len(blob) for *_, blob in journal)


def test_files_of_the_first_kind_are_read_checked_and_repaired(store):
    fill(store, hours(2))
    store.seal(store.ready(LATE)[0], trades)
    store.close()
    path = next(store.folder.rglob("*.frames"))
    parts = list(read_frames(path))
    old = b"powderkeg frames 1\n" + b"".join(
        HEAD.pack(last, size, len(blob)) + blob for last, size, blob in packed(parts)
    )
    path.write_bytes(old)
    assert list(read_frames(path, sha256=hashlib.sha256(old).hexdigest())) == parts
    (finding,) = check(store.folder)[0]
    assert "SHA-256" in finding.what, "the file is whole, but not the one that was sealed"
    repair(store.folder)
    assert check(store.folder) == ([], [])
    again = Store(store.folder)
    assert [f.seq for batch in again.read() for f in batch] == list(range(1, 13))
    again.close()


def test_a_batch_that_was_damaged_before_it_was_sealed_is_named():
    (last, size, blob), *rest = packed(batches(2, 2))
    with pytest.raises(DataError, match="damaged batch 2 of frames"):
        list(blocks_of([(last, size, blob[:-1] + b"?"), *rest], "journal"))


def test_a_block_that_is_damaged_is_named():
    ((_, size, blob),) = blocks_of(packed(batches(2, 2)), "journal")
    with pytest.raises(DataError, match="where:0: damaged batch of frames"):
        unpack_block(size, blob[:-1] + b"?", "where")


def test_a_block_of_something_else_is_refused():
    raw = [Frame(1, T0, "binance", "", b"x"), "not a frame"]
    size, blob = pack(raw)
    with pytest.raises(DataError, match="damaged batch of frames"):
        unpack_block(size, blob, "where")
