"""S7: a resting whale just before a large cluster: it holds, is eaten, or is pulled.

An order that price has not come to says nothing yet, and is called untested.
"""

from __future__ import annotations

import math

from powderkeg.signals.contract import CoinSignal, Episode, Evidence, Move
from powderkeg.signals.scene import PRESSED, RestingWhale, Scene
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

RULES = DEFAULT.whale_bid


def before(whale: RestingWhale, zone: Zone) -> bool:
    """Return whether a resting order stands just before a cluster, on the side it would fall to."""
    gap = zone.distance(whale.price)
    right = whale.side == PRESSED[zone.side] and zone.rank >= DEFAULT.zones.rank
    return right and not zone.placebo and RULES.nearest <= gap <= RULES.farthest


def _evidence(whale: RestingWhale, scene: Scene) -> tuple[Evidence, ...]:
    away = abs(scene.price / whale.price - 1)
    return (
        Evidence("resting", whale.notional, math.nan, "dollars", met=True),
        Evidence(
            "price from it", away, RULES.tested, "fraction of price", away <= RULES.tested,
            at_most=True,
        ),
        Evidence("taken", whale.traded, RULES.traded, "fraction", whale.traded >= RULES.traded),
        Evidence("refill", whale.refill, RULES.refill, "ratio", whale.refill >= RULES.refill),
    )  # fmt: skip


def _found(scene: Scene) -> RestingWhale | None:
    standing = (
        whale
        for whale in scene.whales
        if whale.end is None and any(before(whale, zone) for zone in scene.zones)
    )
    return max(standing, key=lambda whale: (whale.notional, whale.id), default=None)


def begin(scene: Scene) -> Move | None:
    """Begin with the largest resting order before a large cluster."""
    whale = _found(scene)
    return None if whale is None else Move("UNTESTED", _evidence(whale, scene))


def advance(episode: Episode, scene: Scene) -> Move | None:
    """Follow the order that it began with."""
    marks = episode.marks
    known = {whale.id: whale for whale in scene.whales}
    if "price" not in marks:
        first = _found(scene)
        if first is None:
            return Move("LEFT")
        marks["price"], marks["since"] = first.price, first.since
    whale = next(
        (w for w in known.values() if w.price == marks["price"] and w.since == marks["since"]),
        None,
    )
    if whale is None:
        return Move("LEFT")
    state = _state(episode, whale, scene)
    return None if state is None else Move(state, _evidence(whale, scene))


def _state(episode: Episode, whale: RestingWhale, scene: Scene) -> str | None:
    if whale.end is not None:
        return {"pulled": "PULLED", "traded": "EATEN", "cancelled": "LEFT"}[whale.end]
    if episode.state == "TESTED":
        held = whale.traded >= RULES.traded and whale.refill >= RULES.refill
        return "HELD" if held else None
    return "TESTED" if abs(scene.price / whale.price - 1) <= RULES.tested else None


WHALE_BID = CoinSignal(
    "whale_bid", ("UNTESTED", "TESTED"), ("HELD", "PULLED", "EATEN", "LEFT"), begin, advance,
    RULES.expires, DEFAULT.simple.cooldown, against=("PULLED", "EATEN", "LEFT"),
)  # fmt: skip
