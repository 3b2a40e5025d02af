"""Compression of blocks of map columns: run-length coded changes since the previous column.

A map decays slowly and a level stays at its price, so on the common price grid nearly every cell
is what it was a column ago, or one step less. Blocks of real data shrink fifteenfold.

Traps: a column's first row follows its price, so the row of a price differs between columns; see
`firsts`. A packed block has its own `firsts`: a ring's may be of newer columns.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from powderkeg.events import Times

BLOCK = 32
"""Columns a block. More cost memory while they are not packed and time to read one column of;
fewer pack worse, for the first column of a block follows nothing."""
KEPT = 16
"""Unpacked blocks kept by a process, 128 kB each: a column of six venues is often asked for again,
a whole window hardly ever."""
STRIPS = 1024
"""Rows of blocks kept by a process, 0.6 kB each: the age of a cluster hangs on the same few."""


@njit(cache=True, nogil=True)
def _differ(cells: NDArray[np.uint8], firsts: Times, out: NDArray[np.uint8]) -> None:
    """Take from each column of `out`, a copy of `cells`, the one before it, price by price."""
    columns, planes, rows = cells.shape
    for c in range(1, columns):
        shift = firsts[c] - firsts[c - 1]
        low, high = max(0, -shift), min(rows, rows - shift)
        if low < high:
            for p in range(planes):
                now, before = out[c, p, low:high], cells[c - 1, p, low + shift : high + shift]
                for r in range(high - low):  # over slices: with an offset it is 20 times slower
                    now[r] -= before[r]


@njit(cache=True, nogil=True)
def _sum_up(cells: NDArray[np.uint8], firsts: Times) -> None:
    """Undo `_differ` in place."""
    columns, planes, rows = cells.shape
    for c in range(1, columns):
        shift = firsts[c] - firsts[c - 1]
        low, high = max(0, -shift), min(rows, rows - shift)
        if low < high:
            for p in range(planes):
                now, before = cells[c, p, low:high], cells[c - 1, p, low + shift : high + shift]
                for r in range(high - low):
                    now[r] += before[r]


@njit(cache=True, nogil=True)
def least(cells: NDArray[np.uint8], firsts: Times, first: int, out: NDArray[np.uint8]) -> None:
    """Write the least byte each plane and price holds in a block; nothing where a column ends.

    Args:
        cells: Shape (columns, planes, rows).
        firsts: Row of the common price grid at which each column begins, shape (columns,).
        first: The row at which `out` begins.
        out: Shape (planes, rows).
    """
    columns, planes, rows = cells.shape
    out[:] = 255
    for c in range(columns):
        shift = first - firsts[c]
        low, high = min(rows, max(0, -shift)), max(0, min(rows, rows - shift))
        for p in range(planes):
            out[p, :low] = 0
            out[p, high:] = 0
            if low < high:
                so_far, here = out[p, low:high], cells[c, p, low + shift : high + shift]
                for r in range(high - low):
                    so_far[r] = min(so_far[r], here[r])


def pack(cells: NDArray[np.uint8], firsts: Times) -> bytes:
    """Return the bytes of a block; equal blocks give equal bytes.

    Args:
        cells: Shape (columns, planes, rows).
        firsts: Row of the common price grid at which each column begins, shape (columns,).
    """
    head = np.concatenate((cells.shape, firsts)).astype("<i8")
    steps = cells.copy()
    _differ(cells, firsts, steps)
    # runs only: a search for repeats finds no more here at level 6, and takes five times as long
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return packer.compress(head.tobytes()) + packer.compress(steps.tobytes()) + packer.flush()


def unpack(packed: bytes) -> tuple[NDArray[np.uint8], Times]:
    """Return the cells and firsts of a block that was packed; they are the caller's."""
    raw = bytearray(zlib.decompress(packed, -zlib.MAX_WBITS))
    columns, planes, rows = np.frombuffer(raw, "<i8", 3).tolist()
    firsts = np.frombuffer(raw, "<i8", columns, 24)
    cells = np.frombuffer(raw, np.uint8, offset=24 + 8 * columns).reshape(columns, planes, rows)
    _sum_up(cells, firsts)
    return cells, firsts


peek = lru_cache(KEPT)(unpack)
"""As `unpack`, of which the last few are kept: what it returns must not be changed."""


@lru_cache(STRIPS)
def strip(packed: bytes, row: int) -> NDArray[np.uint8]:
    """Return what a block holds in a row of the common price grid, shape (columns, planes).

    It must not be changed. Zero where the row is not among those of a column.
    """
    cells, firsts = peek(packed)
    return row_of(cells, firsts, row)


def row_of(cells: NDArray[np.uint8], firsts: Times, row: int) -> NDArray[np.uint8]:
    """Return one row of the common price grid, shape (columns, planes); zero where there is none.

    Args:
        cells: Shape (columns, planes, rows).
        firsts: Row of the common price grid at which each column begins, shape (columns,).
        row: Of the common price grid.
    """
    rows = row - firsts
    inside = (rows >= 0) & (rows < cells.shape[2])
    out = np.zeros(cells.shape[:2], np.uint8)
    out[inside] = cells[inside, :, rows[inside]]
    return out
