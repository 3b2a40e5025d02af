"""Stored files as bytes, whatever they are packed with."""

import bz2
import gzip
import lzma
import os
import zipfile

import pyarrow as pa
import pytest

from powderkeg.errors import DataError
from powderkeg.history.files import containers
from powderkeg.history.files.containers import BrokenError, entries

TEXT = b"".join(b"%d,%d\n" % (n, n * 7919 % 1013) for n in range(400_000))


def zstd() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(TEXT)
    return sink.getvalue().to_pybytes()


PACKED = {
    "plain": lambda: TEXT,
    "gz": lambda: gzip.compress(TEXT, 1),
    "bz2": lambda: bz2.compress(TEXT, 1),
    "xz": lambda: lzma.compress(TEXT, preset=0),
    "zst": zstd,
}


def read(path):
    rejected = []
    out = [
        (entry.name, b"".join(entry.chunks))
        for entry in entries(path, lambda _: None, lambda *what: rejected.append(what))
    ]
    return out, rejected


@pytest.mark.parametrize("form", PACKED)
def test_the_compression_of_a_file_is_detected_by_its_first_bytes(tmp_path, form):
    path = tmp_path / "any.name"
    path.write_bytes(PACKED[form]())
    assert read(path) == ([(str(path), TEXT)], [])


@pytest.mark.parametrize("form", ["gz", "bz2", "xz", "zst"])
def test_a_packed_file_that_ends_early_says_so_after_what_it_held(tmp_path, form):
    path = tmp_path / "a"
    path.write_bytes(PACKED[form]()[: -len(PACKED[form]()) // 2])
    whole = entries(path, lambda _: None, lambda *_: None)
    entry = next(whole)
    with pytest.raises(BrokenError):
        assert TEXT.startswith(b"".join(entry.chunks))


def test_text_in_utf_16_is_read_as_utf_8(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("Zeit;Öffnung\n1;2\n".encode("utf-16"))
    assert read(path)[0][0][1].decode() == "Zeit;Öffnung\n1;2\n"


def test_a_broken_zip_entry_is_skipped_and_system_files_are_no_entries(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__MACOSX/._one.csv", "junk")
        archive.writestr(".DS_Store", "junk")
        archive.writestr("folder/", "")
        archive.writestr("one.csv", "a\n")
        archive.writestr("two.csv", "b\n")
    raw = path.read_bytes().replace(b"a\n", b"x\n", 1)
    path.write_bytes(raw)
    out, rejected = [], []
    for entry in entries(path, lambda _: None, lambda *what: rejected.append(what)):
        try:
            out.append(b"".join(entry.chunks))
        except BrokenError as why:
            rejected.append(str(why))
    assert out == [b"b\n"]
    assert "CRC" in str(rejected)


def test_pipes_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(DataError, match="expected a regular file"):
            read(path)


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_a_file_that_unpacks_to_more_than_it_can_hold_is_refused(tmp_path, monkeypatch, form):
    monkeypatch.setattr(containers, "_FREE", 1 << 20)
    path = tmp_path / "bomb"
    zeros = bytes(1 << 24)
    if form == "gz":
        path.write_bytes(gzip.compress(zeros))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", zeros)
    with pytest.raises(DataError, match="expected at most"):
        read(path)
