from __future__ import annotations

import hashlib
from pathlib import Path

from powderkeg.sim.kernel import step

COMPILED = (
    "book", "index_process", "liquidation", "positions", "rates", "rng", "state", "traders",
)  # fmt: skip


def test_the_kernel_file_changes_with_every_file_it_compiles_in():
    """Numba's cache of `advance` is keyed by step.py alone: write the new value there."""
    folder = Path(step.__file__).parent
    whole = hashlib.sha256()
    for name in COMPILED:
        whole.update((folder / f"{name}.py").read_bytes().replace(b"\r\n", b"\n"))
    assert whole.hexdigest()[:12] == step.KERNELS
