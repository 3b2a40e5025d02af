"""What became of a large cluster that price came to, from when it was near until it was left.

Positions are fuel: a touch may be followed by nothing, and price may turn short of it. So every
touch is kept with what followed, whatever that was, beside those of levels without a cluster.

Source: docs/signals.md, "Touches".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from powderkeg.events import PositionSide
from powderkeg.signals.contract import Episode, Kind
from powderkeg.signals.thresholds import DEFAULT
from powderkeg.signals.zones import Zone

TouchOutcome: TypeAlias = Literal[
    "stalled short", "swept and reclaimed", "cascaded", "absorbed", "ignored"
]
OUTCOMES: Final[tuple[TouchOutcome, ...]] = (
    "stalled short", "swept and reclaimed", "cascaded", "absorbed", "ignored",
)  # fmt: skip
_DECIDED: Final[tuple[tuple[Kind, str, TouchOutcome], ...]] = (
    ("sweep_reclaim", "RECLAIMED", "swept and reclaimed"),
    ("absorbed", "FOLLOWED", "cascaded"),
    ("absorbed", "ABSORBED", "absorbed"),
)
"""State of a signal that decides an outcome, the weightiest first."""


class Touch(Struct, frozen=True, kw_only=True):
    """One time that price came to a large cluster, or to a level without one."""

    cluster: str
    """Of the cluster that is followed."""
    side: PositionSide
    """Whose positions."""
    floor: float
    """Lowest price of the cluster, quote currency."""
    top: float
    """Highest price of the cluster, quote currency."""
    notional: float
    """Estimated dollars inside when price came near."""
    begun: int
    """Time at which price came near, µs UTC."""
    ended: int
    """Time at which price had left again, µs UTC."""
    missed: float
    """Least distance of price to the near edge, fraction of it; 0 where price went in."""
    swept: float
    """Fraction of its dollars that price passed, estimated."""
    outcome: TouchOutcome
    """What followed."""
    placebo: bool
    """Whether it is a level without a cluster, followed for comparison."""


def touch_of(zone: Zone, begun: int, now: int, episodes: Iterable[Episode]) -> Touch | None:
    """Return what became of a cluster that price has left; None where it never came to it.

    Args:
        zone: The cluster.
        begun: When price came near, µs.
        now: When it had left, µs.
        episodes: Those of the cluster; earlier ones are left out.
    """
    if zone.nearest > DEFAULT.approach.stall:
        return None
    states = {(e.kind, t.state) for e in episodes if e.begun >= begun for t in e.transitions}
    outcome: TouchOutcome = "stalled short" if zone.nearest > DEFAULT.approach.edge else "ignored"
    for kind, state, decided in reversed(_DECIDED):
        outcome = decided if (kind, state) in states else outcome
    return Touch(
        cluster=zone.id, side=zone.side, floor=zone.floor, top=zone.top, notional=zone.notional,
        begun=begun, ended=now, missed=max(zone.nearest, 0.0), swept=zone.swept, outcome=outcome,
        placebo=zone.placebo,
    )  # fmt: skip
