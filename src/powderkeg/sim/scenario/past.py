"""The days before a scenario: minutes whose open interest rises where its clusters come from.

No map is made here. Positions are opened at the prices from which a leverage of five is liquidated
inside a scripted cluster. Price then goes a fifth, past what higher leverages opened there, rests
for a day, and comes to where the script begins. What a map makes of it is the map's own affair.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from powderkeg.events import HOUR, MINUTE, Candles, Floats, Funding, Times
from powderkeg.sim.records import MinuteHistory
from powderkeg.sim.scenario.script import Scenario, ScriptedCluster
from powderkeg.sim.world import World

LEVERAGE: Final = 5
"""Of the positions that a scripted cluster stands for: on real markets more of what opens is
liquidated from here than from 10 to 100."""
MAINTENANCE: Final = 0.005
SWEEPS: Final = 30
"""Minutes in which price goes over the range of a cluster's entries once up and down."""
PACE: Final = 0.7
"""Open interest rises by this share of what is traded."""
BUSY: Final = 5
"""Volume while clusters open, a multiple of the usual; more than a day before the script."""
FALL: Final = 480
"""Minutes from the last entry to where price rests."""
REST: Final = 28 * 60
"""Minutes that it rests: the usual volume of a day is known, and smaller clusters are."""
AWAY: Final = 0.07
"""Distance from the nearest cluster at which it rests, fraction of price: so far away a cluster is
not yet among those it is compared with."""
SWING: Final = 0.02
"""Amplitude of price while it rests, fraction of price: what opens meanwhile is liquidated, and
leaves no cluster among which the scripted ones would be small."""
PERIOD: Final = 240
"""Minutes of a swing."""
TURN: Final = 0.003
"""Distance from the nearest cluster at which price turns, before it rests and after: what else
would be liquidated there is liquidated on the way."""
TRAVEL: Final = 50
"""Minutes from one price to the next."""
DRIFT: Final = 8e-4
"""Standard deviation of a resting minute, fraction of price."""
HIGHEST: Final = 2e-4
"""Highest funding rate of the past."""
WIDE: Final = 0.01
"""Of a wider cluster only this much opens, from its near edge, fraction of price: a map takes what
is wider for its ground."""


class Plan(Struct, frozen=True):
    """Minutes of the past: closes, shape (minutes + 1,), and the rise of open interest in each."""

    price: Floats
    opened: Floats
    """Quote currency, shape (minutes,)."""


def entry_of(cluster: ScriptedCluster, price: float, leverage: float = LEVERAGE) -> float:
    """Return where a position of this leverage is opened that is liquidated at a price."""
    sign = 1 if cluster.side == "long" else -1
    return price * (1 - sign * MAINTENANCE) / (1 - sign / leverage)


def _narrowed(cluster: ScriptedCluster) -> ScriptedCluster:
    """Return the part of a cluster that opens: all of it unless it is wide."""
    if cluster.side == "long":
        return replace(cluster, floor=max(cluster.floor, cluster.top * (1 - WIDE)))
    return replace(cluster, top=min(cluster.top, cluster.floor * (1 + WIDE)))


def plan_of(scenario: Scenario) -> Plan:
    """Return the path of price and open interest that leads up to a scenario."""
    rng = np.random.default_rng(scenario.seed + 1)
    begin = scenario.price[0][1]
    near = sorted(map(_narrowed, scenario.clusters), key=lambda c: abs(c.floor + c.top - 2 * begin))
    prices, opened = [np.empty(0)], [np.empty(0)]
    at = entry_of(near[0], near[0].top)
    for cluster in near:
        rise, first = cluster.notional * cluster.opened, entry_of(cluster, cluster.top)
        minutes = max(SWEEPS, round(rise / (PACE * BUSY * scenario.volume * 60)))
        prices += [_travel(at, first, TRAVEL), _opening(cluster, minutes)]
        opened += [np.zeros(TRAVEL), np.full(minutes, rise / minutes)]
        at = first
    sign, edge = (1, near[0].top) if near[0].side == "long" else (-1, near[0].floor)
    rest, turn = edge * (1 + sign * AWAY), edge * (1 + sign * TURN)
    prices += [
        _travel(at, turn, FALL), _travel(turn, rest, TRAVEL),
        rest * np.exp(_bridge(rng, REST, DRIFT) + SWING * _swings()),
        _travel(rest, turn, TRAVEL), _travel(turn, begin, TRAVEL),
    ]  # fmt: skip
    opened.append(np.zeros(FALL + REST + 3 * TRAVEL))
    path = np.concatenate(prices)
    return Plan(np.concatenate((path[:1], path)), np.concatenate(opened))


def _swings() -> Floats:
    """Return a sine of whole periods over the rest."""
    return np.sin(2 * np.pi * np.arange(1, REST + 1) / PERIOD)


def _bridge(rng: np.random.Generator, count: int, step: float) -> Floats:
    """Return a walk of so many steps that ends where it began."""
    walk = np.cumsum(rng.normal(0, step, count))
    return walk - walk[-1] * np.arange(1, count + 1) / count


def _travel(start: float, end: float, minutes: int) -> Floats:
    return np.linspace(start, end, minutes + 1)[1:]


def _opening(cluster: ScriptedCluster, minutes: int) -> Floats:
    """Return prices that go over the entries of a cluster evenly, from its top and back to it."""
    turns = max(1, round(minutes / SWEEPS))
    place = np.abs(2 * (np.arange(1, minutes + 1) / minutes * turns % 1) - 1)
    top, floor = (entry_of(cluster, price) for price in (cluster.top, cluster.floor))
    return floor + (top - floor) * place


def histories(scenario: Scenario, world: World, until: int, base: float) -> list[MinuteHistory]:
    """Return what each venue published before a scenario.

    Args:
        scenario: The script.
        world: Venues and their shares.
        until: End of the past, a whole minute, µs.
        base: Open interest before the first cluster opened, quote currency.
    """
    plan = plan_of(scenario)
    rng = np.random.default_rng(scenario.seed + 2)
    count = len(plan.opened)
    before, close = plan.price[:-1], plan.price[1:]
    usual = scenario.volume * 60 * rng.lognormal(-0.02, 0.2, count)
    volume = np.maximum(usual, plan.opened / PACE) / close
    wick = np.abs(rng.normal(0, DRIFT / 2, (2, count)))
    interest = base / plan.price[0] + np.cumsum(plan.opened / close)
    times = until + (np.arange(count) - count) * MINUTE
    out: list[MinuteHistory] = []
    for market, share in zip(world.markets, world.shares, strict=True):
        high = np.maximum(before, close) * (1 + wick[0])
        low = np.minimum(before, close) * (1 - wick[1])
        bars = Candles(
            market, until, until, span=MINUTE, times=times, open=before, high=high, low=low,
            close=close, volume=volume * share, buy=volume * share / 2, oi=interest * share,
            mark_low=low, mark_high=high, mark=close,
        )  # fmt: skip
        out.append(MinuteHistory(market, bars, [], _funding(market, times)))
    return out


def _funding(market: str, times: Times) -> list[Funding]:
    """Return payments that rise evenly: see `rate_of`."""
    first, last = (int(times[n]) // (8 * HOUR) for n in (0, -1))
    ends = [n * 8 * HOUR for n in range(first + 1, last + 1)]
    rates = np.linspace(0, HIGHEST, len(ends))
    return [
        Funding(market, at, at, float(rate), 8 * HOUR) for at, rate in zip(ends, rates, strict=True)
    ]


def rate_of(scenario: Scenario) -> float:
    """Return the funding rate that stands at the scripted percentile of the past."""
    return HIGHEST * scenario.funding / 100
