"""Files as blocks of whole lines."""

import gzip
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powderkeg.errors import DataError
from powderkeg.history.files.lines import blocks

TEXT = b"".join(b"line %d\n" % n for n in range(1000))


def read(path: Path, size: int = 100):
    rejected: list[tuple[str, int, str]] = []
    bytes_read: list[int] = []
    out = list(blocks(path, bytes_read.append, lambda f, n, r, _: rejected.append((f, n, r)), size))
    return out, rejected, sum(bytes_read)


def whole(out) -> bytes:
    lines = b"".join(block.data for block in out).splitlines()
    for block in out:
        first = block.data.splitlines()[0]
        assert lines[block.line - 1] == first, "blocks know their line numbers"
    return b"".join(block.data for block in out)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_file_comes_as_whole_lines_with_their_numbers(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(TEXT) if suffix == ".csv.gz" else TEXT)
    out, rejected, done = read(path)
    assert whole(out) == TEXT
    assert (rejected, done) == ([], path.stat().st_size)
    assert all(block.data.endswith(b"\n") for block in out)


def test_gzip_members_one_after_another_are_one_file(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(TEXT[:3000]) + gzip.compress(b"") + gzip.compress(TEXT[3000:]))
    out, rejected, _ = read(path)
    assert whole(out) == TEXT
    assert rejected == []


def test_a_broken_gzip_tail_costs_only_the_lines_it_held(tmp_path):
    """Trap 7: 8 of 87 recordings ended inside a member."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TEXT, 1)[:-1000])
    out, rejected, _ = read(path)
    kept = whole(out)
    assert TEXT.startswith(kept)
    assert 0 < len(kept) < len(TEXT)
    assert kept.endswith(b"\n")
    ((file, line, reason),) = rejected
    assert (file, reason) == (str(path), "broken tail")
    assert line == kept.count(b"\n") + 1


def test_a_member_with_a_wrong_checksum_is_kept_but_reported(tmp_path):
    raw = gzip.compress(TEXT)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(raw[:-8] + b"12345678" + raw)
    out, rejected, _ = read(path)
    assert whole(out) == TEXT, "what follows a broken member is not read"
    assert [reason for *_, reason in rejected] == ["broken tail"]


def test_a_tail_broken_at_the_very_start_leaves_nothing(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TEXT)[:20])
    out, rejected, _ = read(path)
    assert out == []
    assert rejected[0][1] == 1


def test_a_last_line_without_an_end_is_a_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\nb")
    assert [block.data for block in read(path)[0]] == [b"a\nb"]


def test_an_empty_file_has_no_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.touch()
    assert read(path) == ([], [], 0)


def test_files_in_a_zip_follow_each_other(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", "a\nb\n")
        archive.writestr("two.csv", "c\n")
    out, _, done = read(path)
    assert [(block.file, block.line, block.data) for block in out] == [
        (f"{path}/one.csv", 1, b"a\nb\n"),
        (f"{path}/two.csv", 1, b"c\n"),
    ]
    assert done == path.stat().st_size


@pytest.mark.parametrize("name", ["none.csv", "broken.zip"])
def test_a_file_that_cannot_be_opened_is_named(tmp_path, name):
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="expected a readable file"):
        read(tmp_path / name)


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=60))
def test_nothing_is_lost_or_cut_whatever_the_block_size(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lines") / "a.csv.gz"
    text = b"".join(row + b"\n" for row in rows)
    path.write_bytes(gzip.compress(text))
    out, rejected, _ = read(path, 50)
    assert b"".join(block.data for block in out) == text
    assert rejected == []
    assert [block.line for block in out] == [
        1 + b"".join(b.data for b in out[:n]).count(b"\n") for n in range(len(out))
    ]
