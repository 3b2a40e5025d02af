"""Controls: walks on which nothing happens, and sweeps and pokes that nobody absorbs.

Neither may end as reclaimed or as a confirmed trap. The walks pass through the clusters of the
scripted trades; the hard negatives have their volume, and resting orders that come back too slowly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from powderkeg.evaluation.signals.scripted import signals_of
from powderkeg.sim.scenario.script import Scenario, ScriptedActor, Stretch, named

LENGTH: Final = 120.0
"""Minutes of one walk."""
COUNT: Final = 60
"""Walks of each trade."""
CLAIMS: Final = ("RECLAIMED", "TRAP_CONFIRMED")
"""States that no control may reach."""


def _walk(scenario: Scenario, rng: np.random.Generator, noise: float, **change: Any) -> Scenario:
    """Return a scenario without actors, volume or a story, from one price to another."""
    prices = change.pop("prices")
    start, end = (centre + rng.normal(0, spread) for centre, spread in prices)
    quiet: dict[str, Any] = {"volume_times": (), "sell_share": (), "actors": ()}
    return replace(scenario, price=((0.0, start), (LENGTH, end)), noise=noise, **(quiet | change))


def placebo_walks(count: int = COUNT) -> Iterable[Scenario]:
    """Yield walks through the clusters of both trades, without volume or anybody resting."""
    rng = np.random.default_rng(1)
    t1, t2 = named("t1-sweep-and-reclaim"), named("t2-hunt-trap")
    for seed in range(count):
        prices = (150_200.0, 300.0), (150_200.0, 1_500.0)
        yield replace(_walk(t1, rng, 35.0, prices=prices), seed=seed)
        prices = (6_220.0, 10.0), (6_220.0, 60.0)
        yield replace(_walk(t2, rng, 1.6, prices=prices), seed=seed)


def hard_negatives(count: int = COUNT) -> Iterable[Scenario]:
    """Yield walks with the volume of both trades, and orders that come back too slowly."""
    rng = np.random.default_rng(2)
    t1, t2 = named("t1-sweep-and-reclaim"), named("t2-hunt-trap")
    for seed in range(1_000, 1_000 + count):
        bids = ScriptedActor("bid", 148_850, 350, 0.8, float(rng.uniform(0.2, 0.6)), 0, LENGTH)
        yield replace(
            _walk(
                t1, rng, 35.0, prices=((150_200.0, 300.0), (149_600.0, 1_200.0)), actors=(bids,),
                volume_times=(Stretch(20, 80, 3.4),), sell_share=(Stretch(0, LENGTH, 0.56),),
            ),
            seed=seed,
        )  # fmt: skip
        asks = ScriptedActor("ask", 6_262, 12, 0.85, float(rng.uniform(0.3, 0.9)), 0, LENGTH)
        yield replace(
            _walk(
                t2, rng, 1.6, prices=((6_225.0, 10.0), (6_240.0, 60.0)), actors=(asks,),
                volume_times=(Stretch(20, 80, 2.2),), sell_share=(Stretch(0, LENGTH, 0.45),),
            ),
            seed=seed,
        )  # fmt: skip


def reached(scenarios: Iterable[Scenario]) -> Counter[str]:
    """Return in how many scenarios each state of a sweep or a poke was reached."""
    count: Counter[str] = Counter()
    for scenario in scenarios:
        of_both = (e for e in signals_of(scenario).episodes() if e.kind in _KINDS)
        count.update({t.state for e in of_both for t in e.transitions})
    return count


_KINDS: Final = ("sweep_reclaim", "hunt_trap")


def run_controls(count: int = COUNT) -> dict[str, dict[str, int]]:
    """Return how many controls reached each state; a claim would be false."""
    states = ("IN_ZONE", "POKED", "SWEPT", "ABSORBING", "BLOCKED", *CLAIMS)
    found = {
        "placebo walks": reached(placebo_walks(count)),
        "hard negatives": reached(hard_negatives(count)),
    }
    return {name: {state: each[state] for state in states} for name, each in found.items()}
