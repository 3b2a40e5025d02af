"""Memory that is free, given back to the system: large answers and snapshots come and go."""

from __future__ import annotations

import ctypes
from typing import Final

import pyarrow as pa

LARGE: Final = 1 << 20
"""Bytes from which a block of memory is mapped for itself, and so given back when it is freed."""
_LIBC: Final = ctypes.CDLL(None)
_MMAP_THRESHOLD: Final = -3
"""M_MMAP_THRESHOLD of <malloc.h>."""


def keep_large_apart() -> None:
    """Let large blocks never lie among small ones.

    glibc raises the size from which it does so with every large block that is freed, up to 32 MB;
    tables and answers then leave holes between what stays, which are never given back.
    """
    mallopt = getattr(_LIBC, "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Return to the system what the allocators keep for later; slow, for a thread of its own.

    glibc keeps freed memory below what is still in use, and each thread has a heap of its own.
    Other C libraries have no such call, and need none.
    """
    pa.default_memory_pool().release_unused()
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
