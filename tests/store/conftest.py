"""Frames to keep, and a fresh store for each test."""

from __future__ import annotations

import pytest

from powderkeg.events import HOUR
from powderkeg.frames import Frame
from powderkeg.store.folder import Store

T0 = 1_767_225_600_000_000
"""A whole hour, µs."""


def frame(seq, seen=None, venue="binance", raw=None):
    """Return a frame with that number, a second after the one before."""
    at = T0 + seq * 1_000_000 if seen is None else seen
    return Frame(seq, at, venue, "", raw or b'{"p":"%d"}' % seq)


def batches(*sizes, first=1):
    """Return batches of so many frames each, numbered on."""
    out = []
    for size in sizes:
        out.append([frame(first + i) for i in range(size)])
        first += size
    return out


def hours(n, each=3):
    """Return `n` hours of `each` batches of two frames."""
    out = []
    for hour in range(n):
        for i in range(each):
            seq = 1 + 2 * (hour * each + i)
            at = T0 + hour * HOUR + i * 60_000_000
            out.append([frame(seq, at), frame(seq + 1, at + 1)])
    return out


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def again(tmp_path):
    """Return what opens the same folder anew, as after a restart; all are closed afterwards."""
    opened = []

    def open_it():
        opened.append(Store(tmp_path / "store"))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
