"""Where the shared recordings are, how hard properties are tried, which worker runs what."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

from powderkeg.log import configure

ROOT = Path(__file__).parents[1]

settings.register_profile("compiled", deadline=None, max_examples=40)
settings.register_profile("plain", deadline=None, max_examples=4)
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
"""Kernels run as plain Python, a hundred times slower, so that their lines can be counted."""
settings.load_profile("plain" if PLAIN else "compiled")

REPLAYED = ("test_brightness.py", "test_golden.py", "test_play.py")
"""Files that look at the page of stored data; the other browser tests look at the demo."""


class ByServer(LoadFileScheduling):
    """One worker runs all tests of a file, or all that look at the page of one server.

    Coverage tests need nothing of one another: each goes to the worker that is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = Path(super()._split_scope(nodeid))
        if path.name == "test_coverage.py":
            return nodeid
        if path.parent.name == "browser":
            return "replay" if path.name in REPLAYED else "demo"
        return str(path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByServer:
    """Give tests to workers as `ByServer` does."""
    return ByServer(config, log)


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
