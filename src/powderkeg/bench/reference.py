"""A fixed piece of work, so that a slower core is not taken for a regression."""

from __future__ import annotations

import time

import msgspec
import numpy as np

ROUNDS = 5


def reference_ms() -> float:
    """Return the CPU ms of one round of the fixed work: the least of five."""
    return min(_round() for _ in range(ROUNDS))


def _round() -> float:
    """Return the CPU ms of decoding JSON, counting in plain Python, and sorting arrays."""
    began = time.process_time()
    raw = msgspec.json.encode([{"p": str(i), "q": [i, i + 0.5]} for i in range(2_000)])
    for _ in range(12):
        msgspec.json.decode(raw)
    total = 0.0
    for i in range(150_000):
        total += i * 0.5
    values = np.arange(200_000, dtype=np.float64)[::-1]
    for _ in range(3):
        total += float(np.sort(values % 997).sum())
    return (time.process_time() - began) * 1000
