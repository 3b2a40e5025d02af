"""Scenes of a scripted market: what a desk would see of it, without wires in between."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

import numpy as np

from powderkeg.events import SECOND
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.contract import Episode
from powderkeg.signals.observe.seconds import SUMS, Seconds
from powderkeg.signals.scene import Crowd, Pair, Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Stretch
from powderkeg.sim.scenario.play import ScriptedMarket, played
from powderkeg.sim.scenario.script import Scenario, ScriptedCluster

USUAL = tuple(np.geomspace(2e6, 60e6, 45).tolist())
"""Notionals of the other clusters of the coin, so that the scripted ones have a rank."""
SLICES = 32
"""Slices of an evenly filled cluster."""
RULES = DEFAULT.windows


def start_of(scenario: Scenario) -> int:
    """Return when a scenario begins, µs."""
    return int(datetime.fromisoformat(scenario.begins).timestamp()) * SECOND


def signals_of(scenario: Scenario, market: ScriptedMarket | None = None) -> CoinSignals:
    """Return the signals at the end of a scenario."""
    signals = CoinSignals()
    for scene in scenes(scenario, market or played(scenario), signals):
        signals.step(scene)
    return signals


def episodes_of(scenario: Scenario, market: ScriptedMarket | None = None) -> list[Episode]:
    """Return the episodes of a scenario, in order of their beginning."""
    return sorted(signals_of(scenario, market).episodes(), key=lambda e: (e.begun, e.id))


def _stretch(cluster: ScriptedCluster) -> Stretch:
    even = (cluster.notional / SLICES,) * SLICES
    return Stretch(cluster.side, cluster.floor, cluster.top, cluster.notional, even)


def scenes(scenario: Scenario, market: ScriptedMarket, signals: CoinSignals) -> Iterator[Scene]:
    """Yield a scene a second; the clusters of `signals` are those of the script.

    Each scene must be shown to `signals` before the next is asked for.
    """
    start, seconds = start_of(scenario), Seconds()
    signals.zones.remember(USUAL)
    found = [_stretch(each) for each in (*scenario.clusters, *scenario.opposing)]
    signals.zones.refresh(found, start, float(market.price[0]))
    sums = _sums(scenario, market)
    hour = scenario.volume * 3_600
    for n, price in enumerate(market.price.tolist()):
        seconds.add(start // SECOND + n, sums[:, n], price, (price, price))
        flow, minute = seconds.sums(RULES.flow), seconds.sums(RULES.liquidated)
        volume = seconds.sums(RULES.volume)[:2].sum() * 3_600 / RULES.volume
        yield Scene(
            coin=scenario.coin, now=start + n * SECOND, price=price, low=price, high=price,
            then=seconds.price_before(RULES.flow), volume=float(volume / hour),
            bought=float(flow[0]), sold=float(flow[1]), taken=_pair(flow[2:4]),
            refilled=_pair(flow[4:6]), depth=(scenario.depth, scenario.depth),
            liquidated=_pair(minute[6:8]), minutes=seconds.closes(6), sigma=math.nan,
            held=seconds.extremes(DEFAULT.sweep.hold + 1),
            crowd=Crowd(funding=scenario.funding), zones=signals.followed(),
        )  # fmt: skip


def _pair(values: np.ndarray) -> Pair:
    return float(values[0]), float(values[1])


def _sums(scenario: Scenario, market: ScriptedMarket) -> np.ndarray:
    """Return the sums of each second, shape (8, seconds); books in quote currency."""
    out = np.zeros((SUMS, len(market.price)))
    out[0], out[1] = market.bought, market.sold
    out[2:4], out[4:6] = market.taken, market.refilled
    for cluster, forced in zip(scenario.clusters, market.liquidated, strict=True):
        out[6 if cluster.side == "long" else 7] += forced
    return out
