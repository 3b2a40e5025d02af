"""Temporary folder for frames of simulated markets: deleted at the end, or by the next start."""

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
"""Name of a folder, with the id of its process."""


@contextmanager
def temporary() -> Generator[Path]:
    """Yield a folder to record in, deleted afterwards along with leftovers of killed processes.

    Raises:
        OSError: There is no room for temporary files.
    """
    for each in leftovers(Path(tempfile.gettempdir())):
        shutil.rmtree(each, ignore_errors=True)  # the next start tries again
    with tempfile.TemporaryDirectory(prefix=f"powderkeg-{os.getpid()}-") as folder:
        yield Path(folder)


def leftovers(root: Path) -> list[Path]:
    """Return the folders below `root` that are ours and whose process has ended."""
    return [each for each in sorted(root.glob("powderkeg-*")) if _is_leftover(each)]


def _is_leftover(path: Path) -> bool:
    """Return whether a folder is a leftover, by owner, process id and lock.

    The process id alone may belong to another container.
    """
    named = _NAME.fullmatch(path.name)
    if named is None or path.is_symlink() or not path.is_dir():
        return False
    try:
        ours = path.stat().st_uid == os.geteuid()
        return ours and not _runs(int(named[1])) and not locked(path)
    except OSError:  # deleted meanwhile, or not readable
        return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
