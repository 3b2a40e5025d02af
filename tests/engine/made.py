"""A synthetic market, in which a share of the crossed exposure is liquidated."""

from __future__ import annotations

import math
import os

import numpy as np
from msgspec import structs

from powderkeg.engine.calibration.estimate import VERSION, Estimate
from powderkeg.engine.calibration.pooling import PretrainedWeights
from powderkeg.engine.calibration.terms import TERMS
from powderkeg.engine.exposure.marks import R_CLASSES
from powderkeg.events import HOUR, MINUTE, SECOND, Candles, Liquidation, LiquidationBar

P = 100_000.0
T = 1_767_225_600 * SECOND
M = "bybit:BTCUSDT"
PLAIN = bool(os.environ.get("NUMBA_DISABLE_JIT"))
STEP = (30 if PLAIN else 10) * MINUTE


def lent(until, weight=0.01, since=0):
    """Return weights to borrow, the same for every term, for times from `until` on."""
    return PretrainedWeights(
        np.full(TERMS, weight), since, until, "elsewhere", 100.0, 0.5, 0.5, 5e-5, VERSION
    )


NEVER = lent(2**62)
"""Weights nobody lives to borrow: what is learned and what is assumed beforehand stand alone."""


def made(venue="bybit", pretrained=NEVER):
    return Estimate(P, f"{venue}:BTCUSDT", pretrained)


def liquidated(at, size=1.0, holder="long"):
    return Liquidation(M, at, at, P, size, holder)


def bar(at, span, long, short):
    return LiquidationBar(M, at, at + span, span, long, short)


def live(estimate, seed, hours, kill=0.01, start=T, oi=1000.0, pieces=1):
    """Play a market in which a share `kill` of the exposure that is crossed is liquidated.

    Each time in so many reports, `pieces`, of one size.
    """
    chance = np.random.default_rng(seed)
    price, at = P, start
    while at < start + hours * HOUR:
        at += STEP
        price *= math.exp(chance.normal(0, 0.004))
        oi += chance.normal(0, 3)
        estimate.add_trades(np.array([price, price * 1.0003]), chance.normal(0, 20, 2))
        estimate.flush(at, oi)
        for record in estimate.move_mark(at, price):
            size = float(record[R_CLASSES:].sum()) * kill / pieces
            holder = "long" if record[1] == 0 else "short"
            for _ in range(pieces if size > 0 else 0):
                estimate.add_liquidation(liquidated(at - 1, size, holder))
    return at


def walk(n, seed=8):
    """Return minute bars of a walk of 30 bp a minute."""
    close = P * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.003, n)))
    times = T + np.arange(n) * MINUTE
    ones = np.ones(n)
    return Candles(
        M, int(times[-1]) + MINUTE, int(times[-1]) + MINUTE, MINUTE, times, close, close, close,
        close, ones, ones / 2, 1000 + ones, close, close, close,
    )  # fmt: skip


def part(reported, start, stop):
    """Return some of the bars."""
    columns = {
        name: getattr(reported, name)[start:stop]
        for name in reported.__struct_fields__
        if isinstance(getattr(reported, name), np.ndarray)
    }
    return structs.replace(reported, **columns)
