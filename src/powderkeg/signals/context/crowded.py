"""S6: positioning is crowded, and a large cluster lies on its vulnerable side.

Open interest is always half long and half short: crowded is who holds it, by accounts.
"""

from __future__ import annotations

import math

from powderkeg.events import PositionSide
from powderkeg.signals.contract import CoinSignal, Episode, Evidence, Move
from powderkeg.signals.scene import Scene
from powderkeg.signals.thresholds import DEFAULT

RULES = DEFAULT.crowded


def side_of(scene: Scene) -> PositionSide:
    """Return the side that is the more crowded."""
    return "long" if not scene.crowd.index < 50 else "short"


def evidence(scene: Scene) -> tuple[Evidence, ...]:
    """Return what crowding is judged by, for the side that is the more crowded."""
    side, crowd = side_of(scene), scene.crowd
    longs = side == "long"
    index = crowd.index if longs else 100 - crowd.index
    share = crowd.accounts if longs else 1 - crowd.accounts
    top = crowd.top_positions if longs else 100 - crowd.top_positions
    near = min(
        (
            zone.distance(scene.price)
            for zone in scene.zones
            if zone.side == side and not zone.placebo and zone.rank >= DEFAULT.zones.rank
        ),
        default=math.nan,
    )
    dominant = share >= RULES.share or top >= RULES.top
    return (
        Evidence("crowding index", index, RULES.index, "percentile", index >= RULES.index),
        Evidence(f"{side} share of accounts", share, RULES.share, "fraction", dominant),
        Evidence("top traders' positions", top, RULES.top, "percentile", dominant),
        Evidence(
            f"cluster of {side}s", near, RULES.within, "fraction of price", near <= RULES.within,
            at_most=True,
        ),
        Evidence("open interest in 7 days", crowd.oi_week, 0.0, "fraction", crowd.oi_week > 0),
    )  # fmt: skip


def begin(scene: Scene) -> Move | None:
    """Begin where all of it is met."""
    if math.isnan(scene.crowd.index):
        return None
    found = evidence(scene)
    return Move("CROWDED", found) if all(each.met for each in found) else None


def advance(episode: Episode, scene: Scene) -> Move | None:
    """End where the index has eased."""
    found = evidence(scene)
    eased = found[0].value < RULES.exit or found[0].value != found[0].value
    return Move("EASED", found) if eased and episode.state == "CROWDED" else None


CROWDED = CoinSignal(
    "crowded", ("CROWDED",), ("EASED",), begin, advance, RULES.expires,
    DEFAULT.simple.cooldown,
)  # fmt: skip
