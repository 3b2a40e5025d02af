"""Weights that were learned on other markets before."""

import numpy as np
import pytest

from powderkeg.engine.borrowed import Borrowed
from powderkeg.engine.terms import TERMS
from powderkeg.history.snapshots import CODEC


def made():
    return Borrowed(
        weights=np.geomspace(1e-6, 1.0, TERMS), since=1, until=2, market="BTC on Binance",
        reports=300.0, level=0.5, variance=0.4, strength=5e-5, version=4,
    )  # fmt: skip


def test_borrowed_weights_say_what_they_come_from_and_how_far_they_may_be_off():
    borrowed = made()
    assert (borrowed.market, borrowed.since, borrowed.until) == ("BTC on Binance", 1, 2)
    assert (borrowed.level, borrowed.variance, borrowed.strength) == (0.5, 0.4, 5e-5)
    assert (borrowed.reports, borrowed.version) == (300.0, 4)


def test_borrowed_weights_cannot_be_exchanged():
    with pytest.raises(AttributeError):
        made().weights = np.ones(TERMS)


def test_borrowed_weights_are_part_of_a_snapshot_to_the_bit():
    borrowed = made()
    copy = CODEC.unpack(CODEC.pack(borrowed))
    assert copy.weights.tobytes() == borrowed.weights.tobytes()
    assert (copy.until, copy.market, copy.version) == (2, "BTC on Binance", 4)
    assert CODEC.digest(copy) == CODEC.digest(borrowed)
