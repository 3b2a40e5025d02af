"""A scenario played second by second: price, takers, what rests and refills, and liquidations."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from powderkeg.events import Floats
from powderkeg.sim.scenario.script import Scenario, ScriptedCluster, Stretch

QUIET_SHARE = 0.25
"""Share of takers that meets the best price where no actor rests."""
QUIET_REFILL = 0.35
"""What comes back of it."""
LONG_SECONDS = 7_200
"""Longer stretches between two moments have less noise: price would leave its path."""
LONG_NOISE = 0.15
"""Part of the noise that is left there."""


class ScriptedMarket(Struct, frozen=True, eq=False):
    """Seconds of a scripted market, arrays of shape (seconds,) unless said otherwise."""

    price: Floats
    bought: Floats
    """By takers, quote currency; liquidated shorts are among them."""
    sold: Floats
    """By takers, quote currency; liquidated longs are among them."""
    taken: Floats
    """Quote currency taken where price is, shape (2, seconds): bids, asks."""
    refilled: Floats
    """Of it, what came back, shape (2, seconds)."""
    liquidated: Floats
    """Quote currency of each cluster, shape (clusters, seconds)."""


def played(scenario: Scenario, seed: int | None = None) -> ScriptedMarket:
    """Play a scenario.

    Args:
        scenario: The script.
        seed: Of the noise; the scenario's own without it.
    """
    rng = np.random.default_rng(scenario.seed if seed is None else seed)
    price = _path(scenario, rng)
    count = len(price)
    times = _stretched(count, scenario.volume_times, 1.0)
    volume = scenario.volume * times * rng.lognormal(-0.08, 0.4, count)
    share = _stretched(count, scenario.sell_share, 0.5) + rng.normal(0, 0.03, count)
    sold = volume * np.clip(share, 0.02, 0.98)
    bought = volume - sold
    liquidated = np.array([_liquidated(price, each) for each in scenario.clusters])
    for each, forced in zip(scenario.clusters, liquidated, strict=True):
        side = sold if each.side == "long" else bought
        side += forced
    taken, refilled = _resting(scenario, price, sold, bought, rng)
    return ScriptedMarket(price, bought, sold, taken, refilled, liquidated)


def _path(scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Return price by second: straight between the moments, with a bridge of noise."""
    at = np.array([round(minute * 60) for minute, _ in scenario.price])
    price = np.interp(np.arange(at[-1] + 1), at, [value for _, value in scenario.price])
    for start, end in zip(at[:-1].tolist(), at[1:].tolist(), strict=True):
        n = end - start
        if n < 2:
            continue
        part = LONG_NOISE if n > LONG_SECONDS else 1.0
        walk = np.cumsum(rng.normal(0, scenario.noise * part, n + 1))
        straight = (walk[-1] - walk[0]) * np.arange(n + 1) / n
        price[start : end + 1] += walk - walk[0] - straight
    return price


def _stretched(count: int, stretches: tuple[Stretch, ...], usual: float) -> Floats:
    out = np.full(count, usual)
    for each in stretches:
        out[round(each.start * 60) : round(each.end * 60)] = each.value
    return out


def _liquidated(price: Floats, cluster: ScriptedCluster) -> Floats:
    """Return what fires each second: the part of the cluster that price newly enters."""
    extreme = (
        np.minimum.accumulate(price) if cluster.side == "long" else -np.maximum.accumulate(price)
    )
    low, high = cluster.floor, cluster.top
    if cluster.side == "short":
        low, high = -high, -low
    reached = np.clip((high - extreme) / (high - low), 0.0, 1.0)
    return cluster.notional * np.diff(reached, prepend=reached[0])


def _resting(
    scenario: Scenario, price: Floats, sold: Floats, bought: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return what was taken from bids and asks, and what came back."""
    count = len(price)
    seconds = np.arange(count)
    takers = np.stack((sold, bought))
    taken = takers * QUIET_SHARE
    refilled = taken * QUIET_REFILL * rng.lognormal(-0.02, 0.3, (2, count))
    for actor in scenario.actors:
        side = 0 if actor.side == "bid" else 1
        present = (seconds >= actor.start * 60) & (seconds < actor.end * 60)
        present &= np.abs(price - actor.price) <= actor.band
        taken[side, present] = takers[side, present] * actor.share
        noise = rng.lognormal(-0.02, 0.2, count)[present]
        refilled[side, present] = taken[side, present] * actor.refill * noise
    return taken, refilled
