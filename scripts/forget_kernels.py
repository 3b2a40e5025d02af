"""Forget compiled kernels whose sources changed.

Numba keeps a compiled function until its own file changes; one that has inlined a function of
another file would go on with the old one, and write past the end of an array that has shrunk.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def forget(root: Path = ROOT) -> int:
    """Delete all compiled kernels if any kernel source changed, and return how many."""
    sources = [p for p in sorted((root / "src").rglob("*.py")) if "jit" in p.read_text()]
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()
    stamp = root / ".make" / "kernels"
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    compiled = list((root / "src").rglob("*.nb[ic]"))
    for path in compiled:
        path.unlink(missing_ok=True)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(digest)
    return len(compiled)


if __name__ == "__main__":
    forget()
