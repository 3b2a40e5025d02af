"""Memory that is free, given back to the system: large answers and snapshots come and go."""

from __future__ import annotations

import ctypes
from typing import Final

import pyarrow as pa

_LIBC: Final = ctypes.CDLL(None)


def give_back() -> None:
    """Return to the system what the allocators keep for later; slow, for a thread of its own.

    glibc keeps freed memory below what is still in use, and each thread has a heap of its own.
    Other C libraries have no such call, and need none.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
