"""What many tests need: the shared recordings, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of shared recordings, or skip."""
    folder = Path(os.environ.get("POWDERKEG_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "MANIFEST.md").is_file():
        pytest.skip("the shared recordings are not here; name their folder in POWDERKEG_DATA")
    return folder


@pytest.fixture
def recorded(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point source files at the shared recordings and return the folder of source files."""
    monkeypatch.setenv("POWDERKEG_DATA", str(data))
    return ROOT / "tests" / "sources"
