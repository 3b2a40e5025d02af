"""Ground and relief: what a map holds everywhere about a price, and what stands above that.

The ground is the opening of dollars over price (the lowest of `WIDE`, then the highest of those),
raised to its own mean where that is more. A slab wider than `WIDE` keeps its height to its edge, so
the edge is no cluster; a band narrower than it is left out, so it is all relief. The page draws
with the same rule (`ground.ts`, checked against one table of figures).
"""

from __future__ import annotations

import numpy as np

from powderkeg.events import Floats

WIDE = 0.012
"""Log price over which the ground is found (1.2 %): what is as wide as this is ground."""


def window_rows(height: float) -> int:
    """Return over how many rows the ground is found: odd, 3 at least.

    Args:
        height: Of a row, log price, > 0.
    """
    return max(3, round(WIDE / height) | 1)


def ground(dollars: Floats, height: float) -> Floats:
    """Return the ground of dollars by price, 0 <= ground <= dollars.

    Args:
        dollars: Rising price along the last axis, shape (..., rows), >= 0.
        height: Of a row, log price, > 0.
    """
    if not dollars.shape[-1]:
        return dollars.copy()
    rows = window_rows(height)
    opened = _extreme(_extreme(dollars, rows // 2, np.minimum), rows // 2, np.maximum)
    return np.maximum(opened, np.minimum(mean(opened, max(1, rows // 4)), dollars))


def _extreme(values: Floats, half: int, of: np.ufunc) -> Floats:
    """Return the least or greatest of each value and the `half` on either side, at most.

    Windows of a power of two grow by doubling; two of them cover a whole window.
    """
    worst = np.inf if of is np.minimum else -np.inf
    ends = [(0, 0)] * (values.ndim - 1)
    spans = np.pad(values, [*ends, (half, half)], constant_values=worst)
    width, whole = 1, 2 * half + 1
    while 2 * width <= whole:
        spans = of(spans[..., :-width], spans[..., width:])
        width *= 2
    count = values.shape[-1]
    late = whole - width
    return of(spans[..., :count], spans[..., late : late + count])


def mean(values: Floats, half: int) -> Floats:
    """Return the mean of each value and the `half` on either side, over those there are."""
    count = values.shape[-1]
    ends = [(0, 0)] * (values.ndim - 1)
    sums = np.pad(np.cumsum(values, axis=-1), [*ends, (1, 0)])
    at = np.arange(count)
    start, stop = np.maximum(at - half, 0), np.minimum(at + half + 1, count)
    return (sums[..., stop] - sums[..., start]) / (stop - start)
