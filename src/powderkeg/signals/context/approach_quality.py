"""S12: how an approach came about, from manufactured at 0 to organic at 100.

A list of evidence, each counting the same. Why somebody traded cannot be seen.
"""

from __future__ import annotations

import math

from powderkeg.events import PositionSide
from powderkeg.signals.contract import Evidence
from powderkeg.signals.scene import ASKS, BIDS, Scene
from powderkeg.signals.thresholds import DEFAULT

RULES = DEFAULT.quality


def evidence(scene: Scene, side: PositionSide) -> tuple[Evidence, ...]:
    """Return what speaks for an organic approach to a cluster of a side; NaN is not known."""
    sign = -1 if side == "long" else 1
    spot = sign * scene.spot
    top = scene.prints.top_share
    behind = scene.pulled[ASKS if side == "long" else BIDS]
    premium = sign * scene.premium
    return (
        Evidence("spot trades along", spot, RULES.flat, "ratio", spot >= RULES.flat),
        Evidence(
            "open interest in 4 h", scene.oi_change, 0.0, "fraction", scene.oi_change > 0
        ),
        Evidence(
            "share of the largest prints", top, RULES.carried, "fraction", top < RULES.carried,
            at_most=True,
        ),
        Evidence(
            "walls pulled behind price", behind, RULES.pulls, "count", behind < RULES.pulls,
            at_most=True,
        ),
        Evidence(
            "premium of the perpetual", premium, RULES.premium, "fraction",
            premium < RULES.premium, at_most=True,
        ),
    )  # fmt: skip


def organic(scene: Scene, side: PositionSide) -> Evidence:
    """Return the score as evidence that only informs, a fraction."""
    return Evidence("organic approach", score(scene, side) / 100, math.nan, "fraction", met=True)


def score(scene: Scene, side: PositionSide) -> float:
    """Return the share of what is known that speaks for it, 0 to 100; NaN where nothing is."""
    known = [each for each in evidence(scene, side) if not math.isnan(each.value)]
    return 100 * sum(each.met for each in known) / len(known) if known else math.nan
