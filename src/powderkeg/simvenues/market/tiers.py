"""The margin brackets of the simulated market, as its venues publish them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from powderkeg.sim import DEMO
from powderkeg.simvenues.market.world import Spec

_CAPS: Final = (50_000.0, 600_000.0, 3_000_000.0, 30_000_000.0)
"""Notional of the agents' coin, in dollars; published sizes are `World.scale` times as large."""
_RATES: Final = (0.004, 0.005, 0.01, 0.025)
_LEVERAGES: Final = (125.0, 100.0, 50.0, 20.0)


class Bracket(Struct, frozen=True):
    """One bracket; notional in dollars, in coins where the market is inverse."""

    floor: float
    cap: float
    leverage: float
    rate: float
    deduction: float


def tiers(what: Spec, price: float) -> list[Bracket]:
    """Return the brackets liquidations really use, rising, without steps in the requirement."""
    unit = DEMO[what.coin].scale / (price if what.inverse else 1.0)
    out: list[Bracket] = []
    floor = deduction = rate = 0.0
    for cap, next_rate, leverage in zip(_CAPS, _RATES, _LEVERAGES, strict=True):
        deduction += floor * (next_rate - rate) if out else 0.0
        out.append(Bracket(floor, cap * unit, leverage, next_rate, deduction))
        floor, rate = cap * unit, next_rate
    return out
