"""Return freed memory to the system, after large answers and snapshots."""

from __future__ import annotations

import ctypes
from typing import Final

import pyarrow as pa

LARGE: Final = 1 << 20
"""Bytes from which a block is mapped on its own, and so returned to the system when freed."""
_LIBC: Final = ctypes.CDLL(None)
_MMAP_THRESHOLD: Final = -3
"""M_MMAP_THRESHOLD of <malloc.h>."""


def map_large_blocks() -> None:
    """Map large blocks on their own, never among small ones.

    glibc raises the size from which it does so with every large block that is freed, up to 32 MB;
    tables and answers then leave holes that are never returned.
    """
    mallopt = getattr(_LIBC, "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)


def release_memory() -> None:
    """Return cached free memory of the allocators to the system; slow, to be run in a thread.

    glibc keeps freed memory below what is still in use, and each thread has a heap of its own.
    Other C libraries have no such call, and need none.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
