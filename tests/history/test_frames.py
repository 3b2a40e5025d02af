"""The frame archive: what was acknowledged is there, whatever happened to the end of the file."""

from __future__ import annotations

import pytest

from powderkeg.errors import DataError
from powderkeg.history.frames import Frame, FrameArchive


def frame(seq):
    return Frame(seq, 1_700_000_000_000_000 + seq, "binance", "aggTrade", b'{"p":"%d"}' % seq)


BATCHES = [[frame(0), frame(1)], [frame(2)], [frame(3), frame(4), frame(5)]]


@pytest.fixture
def stored(tmp_path):
    """Return an archive of three batches and the file's length after each."""
    archive = FrameArchive(tmp_path / "frames")
    ends = []
    for batch in BATCHES:
        archive.append(batch)
        ends.append(archive.path.stat().st_size)
    return archive, ends


def test_frames_come_back_as_they_were_in_order(stored):
    archive, _ = stored
    assert list(archive.read()) == [f for batch in BATCHES for f in batch]
    assert archive.lost == 0


def test_a_file_cut_at_any_byte_keeps_every_batch_before_the_cut(stored, tmp_path):
    archive, ends = stored
    raw = archive.path.read_bytes()
    for cut in range(len(raw) + 1):
        part = FrameArchive(tmp_path / "cut")
        part.path.write_bytes(raw[:cut])
        whole = sum(end <= cut for end in ends)
        assert list(part.read()) == [f for batch in BATCHES[:whole] for f in batch]
        assert part.lost == cut - (ends[whole - 1] if whole else 0)


def test_after_a_crash_at_any_byte_what_is_appended_can_be_read(stored, tmp_path):
    archive, ends = stored
    raw = archive.path.read_bytes()
    for cut in range(len(raw) + 1):
        again = FrameArchive(tmp_path / "again")
        again.path.write_bytes(raw[:cut])
        again.append([frame(9)])
        kept = [f for batch in BATCHES[: sum(end <= cut for end in ends)] for f in batch]
        assert list(again.read()) == [*kept, frame(9)]
        assert again.lost == 0


def test_a_changed_byte_in_the_last_batch_is_a_broken_tail(stored):
    archive, ends = stored
    raw = bytearray(archive.path.read_bytes())
    raw[ends[1] + 20] ^= 0xFF
    archive.path.write_bytes(raw)
    assert list(archive.read()) == [*BATCHES[0], *BATCHES[1]]
    assert archive.lost == ends[2] - ends[1]


def test_a_broken_tail_is_put_aside_and_never_thrown_away(stored):
    archive, ends = stored
    raw = archive.path.read_bytes()
    archive.path.write_bytes(raw[: ends[1] + 9])
    FrameArchive(archive.path).append([frame(9)])
    assert archive.path.with_name("frames.lost").read_bytes() == raw[ends[1] : ends[1] + 9]


def test_a_damaged_batch_in_the_middle_is_refused_with_file_and_place_and_never_cut_off(stored):
    archive, ends = stored
    raw = bytearray(archive.path.read_bytes())
    raw[ends[0] + 20] ^= 0xFF
    archive.path.write_bytes(raw)
    with pytest.raises(DataError, match=f"frames:0: damaged batch at byte {ends[0]}"):
        list(archive.read())
    with pytest.raises(DataError, match="damaged batch"):
        FrameArchive(archive.path).append([frame(9)])
    assert archive.path.read_bytes() == bytes(raw)


def test_a_batch_is_on_the_disk_when_append_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append((tmp_path / "frames").stat().st_size))
    archive = FrameArchive(tmp_path / "frames")
    archive.append(BATCHES[0])
    assert synced == [archive.path.stat().st_size]


def test_an_archive_that_is_not_there_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(FrameArchive(tmp_path / "none").read())
