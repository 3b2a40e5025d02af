"""What many tests need: where the shared recordings are, and how hard properties are tried."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from powderkeg.log import configure

ROOT = Path(__file__).parents[1]

settings.register_profile("compiled", deadline=None, max_examples=40)
settings.register_profile("plain", deadline=None, max_examples=4)
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
"""Kernels run as plain Python, a hundred times slower, so that their lines can be counted."""
settings.load_profile("plain" if PLAIN else "compiled")


@pytest.fixture(autouse=True)
def _logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log as commands do, in lines for people, whatever the environment says; hide nothing yet."""
    monkeypatch.setattr("powderkeg.log._hidden", set())
    monkeypatch.delenv("POWDERKEG_LOG", raising=False)
    monkeypatch.delenv("POWDERKEG_LOG_LEVEL", raising=False)
    configure()


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
