"""The folder of a simulated market's frames: gone when it ends, or at the next start if killed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from powderkeg.store.disk import locked

_NAME: Final = re.compile(r"powderkeg-(\d+)-\w+")
"""Names the process it belongs to."""


@contextmanager
def temporary() -> Generator[Path]:
    """Give a folder to record in that is removed afterwards; what killed processes left goes too.

    Raises:
        OSError: There is no room for temporary files.
    """
    for each in leftovers(Path(tempfile.gettempdir())):
        shutil.rmtree(each, ignore_errors=True)  # the next start tries again
    with tempfile.TemporaryDirectory(prefix=f"powderkeg-{os.getpid()}-") as folder:
        yield Path(folder)


def leftovers(root: Path) -> list[Path]:
    """Return the folders below `root` that are ours and whose process has ended."""
    return [each for each in sorted(root.glob("powderkeg-*")) if _left(each)]


def _left(path: Path) -> bool:
    """Tell by owner, process and lock, for a number may be one of another container."""
    named = _NAME.fullmatch(path.name)
    if named is None or path.is_symlink() or not path.is_dir():
        return False
    try:
        ours = path.stat().st_uid == os.geteuid()
        return ours and not _runs(int(named[1])) and not locked(path)
    except OSError:  # it has gone meanwhile, or is not ours to look into
        return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
