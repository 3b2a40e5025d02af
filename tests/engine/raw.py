"""Kernels called with the arrays of a table, and prints to call them with."""

from __future__ import annotations

import math

import numpy as np

from powderkeg.engine.exposure import deposits, marks
from powderkeg.engine.exposure.exposure import Exposure
from powderkeg.grid import BIN

P = 100_000.0


def flush(e, at, oi=math.nan):
    deposits.flush(
        e.cells, e.volume, e.pending, e.active_bins, e.offsets, e.ledger, e.number, e.count, at, oi
    )


def trade(e, prices, sizes):
    prices, sizes = np.atleast_1d(np.float64(prices)), np.atleast_1d(np.float64(sizes))
    deposits.add_trades(e.volume, e.active_bins, e.number, e.count, prices, sizes, 0, len(prices))


def sweep(e, at, price):
    records = np.zeros((2, marks.RECORD))
    n = marks.move_mark(
        e.cells, e.last_crossed, e.ledger, e.number, e.count, float(at), price, records, 0
    )
    return records[:n]


def lived(e, tape):
    """Play a tape and stop after each step."""
    for step in tape:
        trade(e, step.prices, step.sizes)
        flush(e, float(step.at), step.oi)
        if not math.isnan(step.mark):
            sweep(e, step.at, step.mark)
        yield step


def prints(seed, count=60):
    chance = np.random.default_rng(seed)
    prices = P * np.exp(np.cumsum(chance.normal(0, 2e-4, count)))
    return prices, chance.exponential(1.0, count) * chance.choice([-1.0, 1.0], count)


def at_bin(e, x):
    """Return the price at bin `x` (with its fraction) of the grid."""
    return math.exp((e.base + x) * BIN)


def deposited(kit, prices, sizes, rise=10.0, *, wide=True):
    """Return a table after one interval with these prints and a rise of open interest."""
    e = kit.wide() if wide else Exposure(P)
    flush(e, 0.0, 1000.0)
    trade(e, prices, sizes)
    flush(e, 1.0, 1000.0 + rise)
    return e
