"""Random tapes, and the two ways to play them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from powderkeg.engine.exposure.exposure import Exposure, Spec
from powderkeg.engine.exposure.marks import RECORD
from powderkeg.engine.exposure.table import extent
from powderkeg.events import SECOND, Floats

from .reference import Twin

START = 1_767_225_600
"""Seconds; a Thursday's midnight."""


class Step(NamedTuple):
    """What happens in one step: prints, then a flush, then perhaps a new mark."""

    at: int
    """Seconds."""
    prices: Floats
    sizes: Floats
    oi: float
    mark: float


Tape = list[Step]


def make(seed: int, steps: int = 0, price: float = 100_000.0) -> Tape:
    """Return a walk of 30 bp a step with leaps, silences, quiet steps and missing readings."""
    chance = np.random.default_rng(seed)
    steps = steps or (8 if os.environ.get("NUMBA_DISABLE_JIT") else 40)
    at, oi = START, 1000.0
    tape: Tape = []
    for _ in range(steps):
        at += int(chance.choice([1, 10, 60, 600, 3600, 86_400], p=[0.3, 0.3, 0.2, 0.1, 0.06, 0.04]))
        price *= math.exp(
            chance.normal(0, 0.003) + (chance.random() < 0.05) * chance.normal(0, 0.05)
        )
        oi = max(1.0, oi + chance.normal(0, 5))
        count = int(chance.integers(0, 6))
        tape.append(
            Step(
                at,
                price * np.exp(chance.normal(0, 0.001, count)),
                chance.exponential(1.0, count) * chance.choice([-1.0, 1.0], count),
                oi if chance.random() < 0.5 else math.nan,
                price if chance.random() < 0.7 else math.nan,
            )
        )
    return tape


def play(table: Exposure | Twin, tape: Tape) -> Floats:
    """Play a tape into an exposure table or its twin and return all sweep records."""
    scale = 1 if isinstance(table, Twin) else SECOND
    records = [np.zeros((0, RECORD))]
    for step in tape:
        table.add_trades(step.prices, step.sizes)
        table.flush(step.at * scale, step.oi)
        if not math.isnan(step.mark):
            records.append(np.reshape(table.move_mark(step.at * scale, step.mark), (-1, RECORD)))
    return np.concatenate(records)


def wide(price: float = 100_000.0, spec: Spec | None = None) -> Exposure:
    """Return a table in float64, to compare where the last bits of float32 would hide a fault."""
    made = Exposure(price, spec)
    made.cells = made.cells.astype(np.float64)
    made.pending = made.pending.astype(np.float64)
    return made


def real(table: Exposure) -> Floats:
    """Return the cells with their lazy factors multiplied in, float64 (2, 4096, 64)."""
    return table.cells.astype(np.float64) * table.scale


def outside(table: Exposure) -> float:
    """Return what stands outside of the extent of its side, where nothing looks. Zero."""
    total = 0.0
    for side in range(2):
        start, stop = extent(table.number, table.count, side)
        away = table.cells[side].copy()
        away[start : max(start, stop)] = 0
        total += float(away.sum(dtype=np.float64))
    return total


class Kit(NamedTuple):
    """What the tests of this room share."""

    start: int
    make: Callable[..., Tape]
    play: Callable[[Exposure | Twin, Tape], Floats]
    wide: Callable[..., Exposure]
    real: Callable[[Exposure], Floats]
    outside: Callable[[Exposure], float]


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit(START, make, play, wide, real, outside)
