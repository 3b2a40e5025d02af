"""Small stored files, made by the tests."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from powderkeg.history.sources import Source, load

Make = Callable[..., Source]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Return a function that writes files and a source file, and loads it."""
    monkeypatch.delenv("POWDERKEG_DATA", raising=False)

    def write(toml: str, **files: str | bytes) -> Source:
        for key, content in files.items():
            path = tmp_path / key.replace("__", ".")
            raw = content.encode() if isinstance(content, str) else content
            if path.suffix == ".gz" and not raw.startswith(b"\x1f\x8b"):
                raw = gzip.compress(raw, mtime=0)
            if path.suffix == ".zip":
                with zipfile.ZipFile(path, "w") as archive:
                    archive.writestr(path.stem + ".csv", raw)
                continue
            path.write_bytes(raw)
        (tmp_path / "source.toml").write_text(toml)
        return load(tmp_path / "source.toml")

    return write
