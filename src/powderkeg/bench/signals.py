"""CPU time of all signals of twenty coins for one second, the reading of their scenes included."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any, Final

from powderkeg.bench.reference import reference_ms
from powderkeg.desk import Desk
from powderkeg.evaluation.flow.simulated import START, WORLD
from powderkeg.evaluation.signals.scripted import scenes
from powderkeg.events import MINUTE, SECOND
from powderkeg.feed.drive import drive
from powderkeg.maps.flow.flow_view import FlowView
from powderkeg.signals.coin import CoinSignals
from powderkeg.signals.observe.observer import Observer
from powderkeg.sim import SimulatedMarket
from powderkeg.sim.scenario.play import played
from powderkeg.sim.scenario.script import named

COINS: Final = 20
SCRIPTED: Final = "t1-sweep-and-reclaim"
TICKS: Final = 6_000
"""Seconds of the script: approach, sweep, absorption and reclaim."""
LIVE: Final = 10 * MINUTE
"""µs of the simulated market with books and prints of all its venues."""


def run_signals() -> dict[str, Any]:
    """Return CPU milliseconds of a second, for twenty coins."""
    signals, observing = _signals_ms(), _observe_ms()
    return {
        "signals_20_coins_ms": round(COINS * signals, 3),
        "observe_20_coins_ms": round(COINS * observing, 3),
        "reference_ms": round(reference_ms(), 3),
        "coins": COINS,
        "ticks": TICKS,
    }


def _signals_ms() -> float:
    """Return ms of all signals for one scene, over a script in which many are open."""
    scenario, signals = named(SCRIPTED), CoinSignals()
    spent = 0.0
    for scene in islice(scenes(scenario, played(scenario), signals), TICKS):
        began = time.process_time()
        signals.step(scene)
        spent += time.process_time() - began
    return spent / TICKS * 1_000


def _observe_ms() -> float:
    """Return ms for one scene of a simulated market, signals included."""
    market, desk = SimulatedMarket(WORLD, 1, START), Desk("BTC")
    timed = desk.observer = TimedObserver()
    while desk.now < START + LIVE:
        drive(desk, market.step())
    return timed.spent / (LIVE // SECOND) * 1_000


class TimedObserver(Observer):
    """An observer that keeps how long it took."""

    __slots__ = ("spent",)

    def __init__(self) -> None:
        """Start at zero."""
        super().__init__()
        self.spent = 0.0
        """CPU seconds."""

    def observe(self, view: FlowView, signals: CoinSignals, now: int) -> None:
        """Show the signals a moment; see `Observer.observe`."""
        began = time.process_time()
        super().observe(view, signals, now)
        self.spent += time.process_time() - began
